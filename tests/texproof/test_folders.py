"""The folders of the checker stand in the order in which an equation travels, and imports go one way."""

import ast
from pathlib import Path

import pytest

import texproof
from tests.imports import circle

ROOT = Path(texproof.__file__).parent
FLOORS = [
    ["errors", "functions"],
    ["read"],
    ["mean"],
    ["numbers"],
    ["compare"],
    ["code"],
    ["mutants"],
    ["proof"],
    ["report"],
    ["live"],
    ["check", "inline"],
    ["site", "mutate_chapter", "proof.chapters"],
    ["derivation"],
    ["__init__", "command", "sphinx"],
    ["__main__"],
]
FILES = sorted(ROOT.rglob("*.py"))


def name_of(path):
    return "texproof." + ".".join(path.relative_to(ROOT).with_suffix("").parts)


def floor(module):
    parts = module.split(".")[1:] or ["__init__"]
    names = ".".join(parts[:2]), parts[0]  # a module may stand higher than its folder
    return next(n for name in names for n, floor in enumerate(FLOORS) if name in floor)


def imported(path):
    """The modules that a file imports, at its top or in a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def of_the_checker(path):
    return [module for module in imported(path) if module.split(".")[0] == "texproof"]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_imported_from_above(path):
    above = [module for module in of_the_checker(path) if floor(module) > floor(name_of(path))]
    assert not above


def test_no_module_imports_itself_by_way_of_others():
    reads = {name_of(path): set(of_the_checker(path)) for path in FILES}
    assert not circle(reads)


def test_the_checker_knows_nothing_of_the_package():
    assert not [
        (name_of(path), module)
        for path in FILES
        for module in imported(path)
        if module.split(".")[0] == "nndl_rnn"
    ]


@pytest.mark.parametrize("package", ["numpy", "sympy", "torch"])
def test_what_a_web_page_does_not_have_is_imported_in_functions_alone(package):
    for path in FILES:
        if path.name in ("symbols.py", "symbolic.py"):  # are themselves imported in functions
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [name.name for name in node.names] + [getattr(node, "module", "") or ""]
                assert package not in {name.split(".")[0] for name in names}, path
