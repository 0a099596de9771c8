"""Test the package with the oldest, or with the newest, versions that pyproject.toml allows.

``make test-oldest`` and ``make test-newest`` run this. requirements.txt pins what the book is built
with; who installs the package alone gets other versions, and pyproject.toml promises that they will
do. Each run makes an environment of its own, installs there what pyproject.toml names with all
extras but ``book``, the package, and the tools of its tests, shows the versions, and runs the package's tests.
A warning is an error there too: see ``filterwarnings`` in pyproject.toml.

It needs nothing but Python and a registry of packages. uv, which can resolve to the oldest versions,
is put into the new environment, and reads its own variables: ``UV_TORCH_BACKEND=cpu`` takes torch
without CUDA from the index of its makers.
"""

import argparse
import ast
import json
import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent

# Of packages that others bring in, uv takes the newest in either case.
RESOLUTIONS = {"oldest": "lowest-direct", "newest": "highest"}

# What the oldest versions need besides what they say themselves.
OLDEST_NEED = [
    "pyparsing~=3.2.0",  # 3.3 warns about names that matplotlib uses up to 3.10.6
]

# Of the versions that requirements.txt pins: tools of the tests, the same in either environment.
TEST_TOOLS = ("hypothesis", "pytest", "threadpoolctl")

# These test tools/ and what makes the book, with the versions that make it; all others the package.
BOOK_TESTS = (
    "tests/texproof/test_errors.py",  # IPython
    "tests/nndl_rnn/figures/test_svg.py",  # a kernel, with nbclient
    "tests/book/test_chapter_saving.py",  # JupyterLab, with jupytext
    "tests/book/test_pages.py",  # extensions of Sphinx
    "tests/book/test_pdf.py",
    "tests/book/test_website_build.py",
    "tests/texproof/test_grades.py",  # Sphinx
    "tests/texproof/test_marks.py",
    "tests/texproof/test_results.py",
    "tests/texproof/test_sphinx.py",
    "tests/tools/test_mutation_scores.py",
    "tests/tools/test_reproduce.py",
    "tests/tools/test_toolchain.py",
    "tests/tools/test_versions.py",  # this program, and .venv
    "tests/tools/test_wheel.py",  # setuptools
    "tests/web",
)

# This test of the package repeats a record that was made with the pinned versions. It holds where the
# last bits of a product in single precision are the same: 50 updates make much of any other.
PINNED_TESTS = (
    "tests/book/test_experiments_long_memory.py::test_the_quick_runs_repeat_their_record",
)

# The checker compares with PyTorch, the benchmark too; other files say so where they import it.
TORCH_TESTS = (
    "nndl_rnn/peers/torch_reference.py",
    "tests/texproof",
    "tests/benchmarks/test_benchmarks.py",
)


def tested_extras(project: dict[str, Any]) -> set[str]:
    """The extras of the package; what builds the book is tested with the versions that build it."""
    return set(project["optional-dependencies"]) - {"book"}


def imported(path: Path) -> set[str]:
    """The modules and names that a Python file imports, wherever in the file it does so."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def needs_torch(path: Path) -> bool:
    return any(
        re.match(r"(nndl_rnn\.peers\.torch_reference|torch)\b", name) for name in imported(path)
    )


def lower_bounds(project: dict[str, Any], extras: Iterable[str]) -> dict[str, str]:
    """The oldest allowed version of each package that is named, for the package with these extras.

    >>> optional = {"text": ["pooch>=1.8"], "figures": ["matplotlib>=3.9"]}
    >>> project = {"dependencies": ["numpy>=2.0"], "optional-dependencies": optional}
    >>> lower_bounds(project, ["figures"])
    {'numpy': '2.0', 'matplotlib': '3.9'}
    """
    optional = project["optional-dependencies"]
    needs = [*project["dependencies"], *(need for extra in extras for need in optional[extra])]
    return dict(need.split(">=") for need in needs)


def pins(requirements: str, names: Iterable[str]) -> list[str]:
    """The lines of a requirements file for these packages.

    >>> pins("numpy==2.4.6\\npytest==9.2.0\\npytest-xdist==3.8.0\\n", ["pytest"])
    ['pytest==9.2.0']
    """
    found = {line.split("==")[0]: line for line in requirements.splitlines()}
    return [found[name] for name in names]


def same_version(first: str, second: str) -> bool:
    """Whether two versions are the same release, whoever built it.

    >>> same_version("2.5", "2.5.0+cpu"), same_version("1.2", "1.2.1"), same_version("1", "10")
    (True, False, False)
    """

    def release(version: str) -> list[str]:
        numbers = version.partition("+")[0].split(".")
        while numbers[-1] == "0":
            numbers.pop()
        return numbers

    return release(first) == release(second)


def table(bounds: dict[str, str], installed: dict[str, str]) -> str:
    """What is allowed beside what was installed, a line for each package.

    >>> print(table({"lark": "1.2.1", "pyyaml": "6.0"}, {"lark": "1.3.1", "pyyaml": "6.0.3"}))
    lark         >= 1.2.1      1.3.1
    pyyaml       >= 6.0        6.0.3
    """
    return "\n".join(
        f"{name:<12} >= {bound:<10} {installed[name]}" for name, bound in bounds.items()
    )


def newer(bounds: dict[str, str], installed: dict[str, str]) -> list[str]:
    """The packages of which another version than the oldest allowed one was installed."""
    return [name for name, bound in bounds.items() if not same_version(bound, installed[name])]


def left_out(without_torch: bool) -> list[str]:
    """The options with which pytest runs the tests of the package alone."""
    files = list(BOOK_TESTS)
    if without_torch:
        found = (path for path in sorted((ROOT / "tests").rglob("*.py")) if needs_torch(path))
        files += [*TORCH_TESTS, *(path.relative_to(ROOT).as_posix() for path in found)]
    return [f"--ignore={file}" for file in files] + [f"--deselect={test}" for test in PINNED_TESTS]


def run(*command: str | Path) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


def install(folder: Path, age: str, extras: Iterable[str]) -> Path:
    """Make the environment anew, and return its Python."""
    venv.create(folder, clear=True, symlinks=True, with_pip=True)
    python = folder.absolute() / "bin" / "python"
    pip = (python, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--requirement", "tools/uv.txt")
    uv = (python, "-m", "uv", "pip", "install", "--quiet", "--python", python)
    chosen = [f"--extra={extra}" for extra in extras]
    needs = OLDEST_NEED if age == "oldest" else []
    resolution = f"--resolution={RESOLUTIONS[age]}"
    run(*uv, resolution, "--requirements", "pyproject.toml", *chosen, *needs)
    run(*uv, "--no-deps", "--editable", ".")
    run(*uv, *pins((ROOT / "requirements.txt").read_text(encoding="utf-8"), TEST_TOOLS))
    run(*pip, "check")
    return python


def versions(python: Path) -> dict[str, str]:
    """What is installed where this Python is, by names in lower case."""
    shown = subprocess.run(
        [python, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return {package["name"].lower(): package["version"] for package in json.loads(shown)}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("age", choices=RESOLUTIONS)
    parser.add_argument("environment", type=Path, help="the folder to make; what is there is lost")
    parser.add_argument(
        "--without-torch", action="store_true", help="install no torch; leave out what needs it"
    )
    parser.add_argument(
        "--newer",
        nargs="*",
        default=[],
        metavar="PACKAGE",
        help="packages that may be newer than the oldest allowed version, which is not to be had",
    )
    return parser.parse_args()


def try_versions(given: argparse.Namespace) -> int:
    """Install, show the versions and test; return the exit status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = tested_extras(project) - ({"torch"} if given.without_torch else set())
    bounds = lower_bounds(project, sorted(extras))
    python = install(given.environment, given.age, sorted(extras))
    installed = versions(python)
    print(f"Python {sys.version.split()[0]}", table(bounds, installed), sep="\n", flush=True)
    if given.age == "oldest" and (wrong := set(newer(bounds, installed)) - set(given.newer)):
        print(f"Not the oldest allowed version: {', '.join(sorted(wrong))}.")
        print("Raise the lower bound in pyproject.toml to what can be installed and is tested.")
        return 1
    tests = subprocess.run(
        [python, "-m", "pytest", *left_out(given.without_torch)], cwd=ROOT, check=False
    )
    return tests.returncode


def main() -> int:
    try:
        return try_versions(arguments())
    except subprocess.CalledProcessError as failure:  # which has said why
        return failure.returncode


if __name__ == "__main__":
    sys.exit(main())
