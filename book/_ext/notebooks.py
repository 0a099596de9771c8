"""Offer each chapter as a notebook: to download, and to open on Colab, Binder or a JupyterHub.

The notebooks are made from the chapters' Markdown, without outputs, while the book is built; none is
committed. A cell is put at the top of each. Inside a clone of the book it does nothing.
Elsewhere it fetches the repository, or, where the book does not know its repository's
address, says what is missing.

The address is the theme's option ``repository_url``, or the environment variable
``NNDL_RNN_REPOSITORY``. Without an address there are no buttons that need one. The address of a JupyterHub
that opens the book with nbgitpuller is the setting ``jupyterhub_url``, or ``NNDL_RNN_HUB``.
Colab opens notebooks only: it looks for them in the branch that ``notebook_branch`` names, where
the workflow that publishes the site puts them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import jupytext
import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

from texproof.read.chapter import METADATA, Chapter
from texproof.report.session import EQUIVALENT_MUTANTS, read_reasons

FOLDER = "_sources"
PROVIDERS = {"github.com": "github", "gitlab.com": "gitlab", "bitbucket.org": "bitbucket"}

INTRODUCTION = """\
*This notebook was made from the chapter `{name}.md`. The cell below finds the chapter and its package; run it \
first. Cross references, notes and exercises are written in MyST: JupyterLab shows them as on the \
website after `pip install jupyterlab_myst`.*"""

EXTRAS = "experiments,figures,texproof,text,torch"  # what the cells of chapters import

FETCH = """\
# In a clone of the book this cell does nothing. Elsewhere it fetches one, once.
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

here = Path("{name}.md").exists() or Path("{name}.ipynb").exists()
if not here or importlib.util.find_spec("nndl_rnn") is None:
    clone = Path("{folder}").absolute()
    if not clone.exists():
        address = "{url}"
        subprocess.run(["git", "clone", "--depth", "1", address, clone], check=True)
    install = [sys.executable, "-m", "pip", "install", "--quiet"]
    subprocess.run([*install, f"{{clone}}[{extras}]"], check=True)
    os.chdir(clone / "book")"""

EXPLAIN = """\
# In a clone of the book this cell does nothing.
import importlib.util
from pathlib import Path

if importlib.util.find_spec("nndl_rnn") is None:
    raise ModuleNotFoundError(
        "the package nndl_rnn is not installed for this kernel: "
        "type pip install '.[{extras}]' in a clone of the book"
    )
if not Path("{name}.md").exists() and not Path("{name}.ipynb").exists():
    raise FileNotFoundError(
        f"there is neither {name}.md nor {name}.ipynb in {{Path.cwd()}}: "
        "start the notebook in the folder that holds it"
    )"""


def notebook(
    markdown: str, name: str, repository: str = "", reasons: Mapping[str, str] | None = None
) -> str:
    """A chapter as the text of a notebook that runs beside the book and away from it.

    Args:
        markdown: the chapter, MyST Markdown with a header that names its kernel.
        name: the chapter's file name without suffix.
        repository: the address to clone the book from, if known.
        reasons: why mutants of its equations say the same, for the checker where it has only the
            notebook.
    """
    made = jupytext.reads(markdown, fmt="md:myst")
    kept = {"kernelspec": made.metadata["kernelspec"]}
    if reasons:
        kept[METADATA] = {"equivalent_mutants": dict(reasons)}
    made.metadata = nbformat.from_dict(kept)
    folder = urlsplit(repository).path.rstrip("/").rpartition("/")[2]
    prepare = (FETCH if repository else EXPLAIN).format(
        name=name, url=repository, folder=folder, extras=EXTRAS
    )
    made.cells[:0] = [
        nbformat.v4.new_markdown_cell(INTRODUCTION.format(name=name)),
        nbformat.v4.new_code_cell(prepare, metadata={"tags": ["hide-input"]}),
    ]
    for number, cell in enumerate(made.cells):
        cell["id"] = f"{name}-{number}".replace("_", "-")  # the same in every build
        if {"hide-input", "remove-input"} & set(cell.metadata.get("tags", ())):
            cell.metadata["jupyter"] = {"source_hidden": True}
    nbformat.validate(made)
    return nbformat.writes(made) + "\n"


def use_environment(app: Sphinx, config: Config) -> None:
    """Take the addresses from the environment, and show the buttons that they make possible."""
    options = config.html_theme_options
    address = os.environ.get("NNDL_RNN_REPOSITORY") or options.get("repository_url", "")
    address = address.strip().rstrip("/").removesuffix(".git")
    options["repository_url"] = address
    if not address:
        return
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or len(Path(parts.path).parts) < 3:
        message = "expected an address such as https://github.com/OWNER/NAME"
        raise ExtensionError(f"repository_url: {message}, got {address!r}")
    options["repository_provider"] = PROVIDERS.get(parts.netloc, "gitlab")
    for button in ("use_repository_button", "use_edit_page_button", "use_issues_button"):
        options[button] = True


def launch_links(
    name: str, repository: str, branch: str, notebook_branch: str, hub: str = ""
) -> list[tuple[str, str]]:
    """Services that can open a chapter, each with the address that does it.

    >>> links = launch_links("lstm", "https://github.com/me/rnn", "main", "notebooks", "https://hub.org")
    >>> for service, address in links:
    ...     print(service, address)
    Colab https://colab.research.google.com/github/me/rnn/blob/notebooks/lstm.ipynb
    Binder https://mybinder.org/v2/gh/me/rnn/main?urlpath=lab%2Ftree%2Fbook%2Flstm.md
    JupyterHub https://hub.org/hub/user-redirect/git-pull?repo=https%3A%2F%2Fgithub.com%2Fme%2Frnn&branch=main&urlpath=lab%2Ftree%2Frnn%2Fbook%2Flstm.md
    >>> launch_links("lstm", "", "main", "notebooks")
    []
    """
    if not repository:
        return []
    parts = urlsplit(repository)
    path = parts.path.strip("/")
    file = f"book/{name}.md"
    links = []
    if parts.netloc == "github.com":
        colab = "https://colab.research.google.com/github"
        links.append(("Colab", f"{colab}/{path}/blob/{notebook_branch}/{name}.ipynb"))
        binder = f"gh/{path}"
    elif parts.netloc == "gitlab.com":
        binder = f"gl/{urlencode({'': path})[1:]}"
    else:
        binder = f"git/{urlencode({'': repository})[1:]}"
    query = urlencode({"urlpath": f"lab/tree/{file}"})
    links.append(("Binder", f"https://mybinder.org/v2/{binder}/{branch}?{query}"))
    if hub:
        folder = path.rpartition("/")[2]
        place = {"repo": repository, "branch": branch, "urlpath": f"lab/tree/{folder}/{file}"}
        address = f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{urlencode(place)}"
        links.append(("JupyterHub", address))
    return links


ICONS = {
    "Colab": "logo_colab.png",
    "Binder": "logo_binder.svg",
    "JupyterHub": "logo_jupyterhub.svg",
}


def write_notebook(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document
) -> None:
    """Write the notebook of a page that has cells; the theme then offers it beside the source."""
    if not _has_cells(app, pagename):
        return
    target = Path(app.outdir) / FOLDER / f"{pagename}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    markdown = Path(app.env.doc2path(pagename)).read_text(encoding="utf-8")
    repository = app.config.html_theme_options["repository_url"]
    labels = Chapter.parse(markdown, pagename).by_label
    file = Path(app.srcdir) / EQUIVALENT_MUTANTS
    reasons = read_reasons(file, labels) if file.exists() else {}
    text = notebook(markdown, pagename, repository, reasons)
    target.write_text(text, encoding="utf-8")
    context["ipynb_source"] = f"{pagename}.ipynb"


def add_launch_buttons(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document
) -> None:
    """Show how to run a page that has cells, where that is possible."""
    if not _has_cells(app, pagename):
        return
    config, options = app.config, app.config.html_theme_options
    links = launch_links(
        pagename,
        repository=options["repository_url"],
        branch=options["repository_branch"],
        notebook_branch=config.notebook_branch,
        hub=os.environ.get("NNDL_RNN_HUB") or config.jupyterhub_url,
    )
    buttons = [
        {
            "type": "link",
            "text": service,
            "tooltip": f"Open this chapter on {service}",
            "icon": f"_static/images/{ICONS[service]}",
            "url": address,
        }
        for service, address in links
    ]
    if buttons:
        group = {
            "type": "group",
            "tooltip": "Run this chapter",
            "icon": "fas fa-rocket",
            "buttons": buttons,
            "label": "launch-buttons",
        }
        context["header_buttons"].insert(0, group)


def _has_cells(app: Sphinx, pagename: str) -> bool:
    return app.builder.format == "html" and "kernelspec" in app.env.metadata.get(pagename, {})


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("jupyterhub_url", "", "html", [str])
    app.add_config_value("notebook_branch", "notebooks", "html", [str])
    app.connect("config-inited", use_environment, priority=100)
    # The theme makes its list of buttons at 500 and fills it at 501.
    app.connect("html-page-context", write_notebook, priority=400)
    app.connect("html-page-context", add_launch_buttons, priority=600)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
