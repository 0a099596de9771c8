"""What is trusted is small, knows neither search nor clock, and needs plain Python alone."""

import ast
from pathlib import Path

import pytest

import texproof.proof

FOLDER = Path(texproof.proof.__file__).parent
TRUSTED = ["forms", "algebra", "network", "kernel"]
README = Path(__file__).parent / "README.md"


def tree(module):
    return ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))


def imported(module):
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def lines_of_code(module):
    """Lines that are neither blank nor comments nor docstrings."""
    documented = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            documented.update(range(node.lineno, node.end_lineno + 1))
    text = (FOLDER / f"{module}.py").read_text(encoding="utf-8").splitlines()
    code = [line for n, line in enumerate(text, 1) if n not in documented]
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in code)


@pytest.mark.parametrize("module", TRUSTED)
def test_a_trusted_module_imports_no_search_and_no_clock(module):
    own = {f"texproof.proof.{name}" for name in TRUSTED}
    of_the_checker = ("texproof.mean.", "texproof.compare.graph")
    plain = {"__future__", "collections.abc", "dataclasses", "fractions", "functools", "hashlib"}
    for name in imported(module):
        allowed = name in own | plain | {"itertools", "math", "typing", "texproof.mean"}
        assert allowed or name.startswith(of_the_checker), name


def test_the_size_of_the_trusted_part_is_the_one_that_is_told():
    count = {module: lines_of_code(module) for module in TRUSTED}
    said = f"{sum(count.values()):,} lines of code without comments, of which the replay itself has {count['kernel']} "
    assert said in README.read_text(encoding="utf-8")
