"""Write the settings of JupyterLab and IPython that this project needs into its own environment.

``make`` runs this with the environment's Python after each install. Nothing outside the
environment's folder is touched, so the user's own Jupyter settings stay as they are.
"""

import json
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
    overrides = environment / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    write(overrides, json.dumps(LAB_SETTINGS, indent=2) + "\n")
    write(environment / "etc" / "ipython" / "ipython_kernel_config.py", KERNEL_SETTINGS)


if __name__ == "__main__":
    main()
