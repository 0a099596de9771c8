"""Saving a chapter in JupyterLab changes only what was edited.

Jupytext writes the whole file anew on saving. It breaks the lines of captions elsewhere and notes
the kernel's name as this computer shows it, so a chapter that was only executed would differ from
the one in git. ``make lab`` names :func:`keep_unchanged_cells` as the hook that Jupyter calls with
a text before it is written.
"""

import json
import re
from pathlib import Path
from typing import Any

import jupytext
import yaml

HEADER = re.compile(r"\A---\n(.*?)^---\n", re.MULTILINE | re.DOTALL)
CODE_CELL = re.compile(r"^(`{3,})\{code-cell\}.*?^\1\n", re.MULTILINE | re.DOTALL)


def meaning_of_header(yaml_text: str) -> Any:
    """What the header says, without the kernel's name for people and versions of the format."""
    header = yaml.safe_load(yaml_text) or {}
    header.get("kernelspec", {}).pop("display_name", None)
    header.get("jupytext", {}).get("text_representation", {}).pop("format_version", None)
    return header


def meaning_of_cell(text: str) -> str:
    """What Jupytext reads from the text of one code cell: its options and its code."""
    cells = jupytext.reads(text, fmt="md:myst").cells
    return json.dumps([[cell.metadata, cell.source] for cell in cells], sort_keys=True)


def merged(before: str, after: str) -> str:
    """The text ``after``, with header and code cells as in ``before`` where they mean the same."""
    known = {meaning_of_cell(cell.group()): cell.group() for cell in CODE_CELL.finditer(before)}

    def as_before(cell: re.Match[str]) -> str:
        return known.get(meaning_of_cell(cell.group()), cell.group())

    result = CODE_CELL.sub(as_before, after)
    old, new = HEADER.match(before), HEADER.match(result)
    if old and new and meaning_of_header(old.group(1)) == meaning_of_header(new.group(1)):
        result = old.group() + result[new.end() :]
    return result


def keep_unchanged_cells(model: dict[str, Any], path: str, contents_manager: Any, **_: Any) -> None:
    """Jupyter's ``pre_save_hook``: ``model`` is what will be written to ``path``."""
    if model["type"] != "file" or model.get("format") != "text" or not path.endswith(".md"):
        return
    file = Path(contents_manager.root_dir, path)
    if file.exists():
        model["content"] = merged(file.read_text(encoding="utf-8"), model["content"])
