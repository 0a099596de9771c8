"""Write the settings of JupyterLab and IPython that this project needs into its own environment.

``make`` runs this with the environment's Python after each install. Nothing outside the
environment's folder is touched, so the user's own Jupyter settings stay as they are.
"""

import json
import shutil
import sys
from pathlib import Path

# A double click on a Markdown file opens it as a notebook.
LAB_SETTINGS = {
    "@jupyterlab/docmanager-extension:plugin": {
        "defaultViewers": {"markdown": "Jupytext Notebook"},
    },
    # No request leaves the machine.
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
}

# Running a cell saves first, so that what is checked is what is on the screen.
LAB_EXTENSION = Path(__file__).parent / "save_before_run"

KERNEL_SETTINGS = """\
# The kernel's own notices are not the book's: only its errors are printed.
c = get_config()  # noqa: F821
c.IPKernelApp.log_level = "ERROR"
"""


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def main() -> None:
    if sys.prefix == sys.base_prefix:
        sys.exit("Run this with the Python of a virtual environment.")
    environment = Path(sys.prefix)
    jupyter = environment / "share" / "jupyter"
    write(jupyter / "lab/settings/overrides.json", json.dumps(LAB_SETTINGS, indent=2) + "\n")
    shutil.copytree(LAB_EXTENSION, jupyter / "labextensions/save-before-run", dirs_exist_ok=True)
    write(environment / "etc" / "ipython" / "ipython_kernel_config.py", KERNEL_SETTINGS)


if __name__ == "__main__":
    main()
