"""Edit what proofs trust in one place at a time: replays and tests must notice. Takes an hour or more.

    python -m tools.mutate_kernel [--sample 200] [--seed 0] [--jobs 2]

An edit turns a comparison or a sign round, adds 1 to a number, drops a condition, and the like. Each
is tried in a process of its own, which imports the edited module and runs the tests of proofs until
one fails. Survivors that are meant to survive stand in ``tests/surviving_kernel_mutants.yml`` with the
reason. Fails where fewer than 95% of the others are noticed.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib.util
import io
import os
import random
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from multiprocessing import get_context
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from tools.mutation_scores import read_rules

ROOT = Path(__file__).parents[1]
REASONS = ROOT / "tests" / "surviving_kernel_mutants.yml"
TRUSTED = ("forms", "algebra", "network", "kernel")
GOAL = 0.95
PATIENCE = 400
"""Seconds after which the tests of an edit count as hanging, which is noticed."""
PAGES = "tests.texproof.proof.pages"
TESTS = [
    "tests/texproof/proof/test_forms.py",
    "tests/texproof/test_book.py::test_every_recorded_proof_is_replayed",
    "tests/texproof/proof/test_values.py",
    "tests/texproof/proof/test_delicate.py",
    "tests/texproof/proof/test_claims.py",
    "tests/texproof/proof/test_pages.py",
    "tests/texproof/proof/test_record.py",
]
LIMITS = {"WIDEST", "LONGEST", "LARGEST"}
"""How far the kernel goes before it abstains is no question of truth."""

COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
FUNCTIONS = {"any": "all", "all": "any", "min": "max", "max": "min"}


@dataclass(frozen=True)
class Edit:
    """One edit: of which module, in which function and line, what it is, and the number it has there."""

    module: str
    number: int
    function: str
    line: int
    change: str


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """What a node may be replaced by."""
    match node:
        case ast.Compare(left, ops, comparators):
            for n, op in enumerate(ops):
                other = [*ops[:n], COMPARISONS[type(op)](), *ops[n + 1 :]]
                yield ast.Compare(left, other, comparators)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            for n in range(len(values)):
                kept = [*values[:n], *values[n + 1 :]]
                yield ast.BoolOp(op, kept) if len(kept) > 1 else kept[0]
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.BinOp(left, op, right) if type(op) in OPERATORS:
            yield ast.BinOp(left, OPERATORS[type(op)](), right)
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            yield ast.Constant(value + 1)
        case ast.If(_, body, orelse):
            yield from (ast.If(ast.Constant(value), body, orelse) for value in (False, True))
        case ast.IfExp(_, body, orelse):
            yield from (body, orelse)
        case ast.comprehension(target, over, [_, *_]):
            yield ast.comprehension(target, over, [], 0)
        case ast.match_case(pattern, guard, body) if guard is not None:
            yield ast.match_case(pattern, None, body)
        case ast.Call(ast.Name(name), args, keywords) if name in FUNCTIONS:
            yield ast.Call(ast.Name(FUNCTIONS[name], ast.Load()), args, keywords)


def editable(node: ast.AST, function: str = "") -> Iterator[tuple[Any, Any, ast.AST, str]]:
    """Where each node stands, in a field of another one or in a list, the node, and the function around it."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "pattern", "args") and isinstance(
            node, ast.FunctionDef | ast.AnnAssign | ast.arg | ast.match_case
        ):
            continue
        places = [(value, n, x) for n, x in enumerate(value)] if isinstance(value, list) else []
        for holder, at, inner in places or [(node, field, value)]:
            if not isinstance(inner, ast.AST) or _left_alone(inner):
                continue
            name = getattr(inner, "name", "")
            named = isinstance(inner, ast.FunctionDef | ast.ClassDef)
            around = f"{function}.{name}".strip(".") if named else function
            yield holder, at, inner, around
            yield from editable(inner, around)


def _left_alone(node: ast.AST) -> bool:
    """What decides about no proof: messages, documentation, limits, checks of lengths that are the same."""
    if isinstance(node, ast.Raise | ast.JoinedStr | ast.ImportFrom | ast.Import | ast.Assert):
        return True
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.If):
        return bool(LIMITS & {x.id for x in ast.walk(node.test) if isinstance(x, ast.Name)})
    return isinstance(node, ast.keyword) and node.arg in ("default", "maxsize", "strict")


def edits(module: str, wanted: int | None = None) -> Iterator[tuple[Edit, CodeType | None]]:
    """All edits of a module; the code of the one with a number, if one is wanted."""
    path = ROOT / "texproof" / "proof" / f"{module}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    number = 0
    for holder, at, node, function in list(editable(tree)):
        for other in variants(node):
            number += 1
            code = None
            if number == wanted:
                _put(holder, at, ast.copy_location(other, _located(node)))
                code = compile(ast.fix_missing_locations(tree), str(path), "exec")
                _put(holder, at, node)
            change = f"{_shown(node)} => {_shown(other)}"
            yield Edit(module, number, function, getattr(_located(node), "lineno", 0), change), code


def _located(node: ast.AST) -> ast.AST:
    """The node, or what stands for its place."""
    found = [node, *ast.iter_child_nodes(node)]
    return next((x for x in found if hasattr(x, "lineno")), node)


def _put(holder: Any, at: Any, node: ast.AST) -> None:
    if isinstance(holder, list):
        holder[at] = node
    else:
        setattr(holder, at, node)


def _shown(node: ast.AST) -> str:
    """The first line of its source."""
    return ast.unparse(node).strip().split("\n")[0]


class Edited(SourceFileLoader):
    """Loads a module with an edit, and finds it."""

    def __init__(self, edit: Edit, code: CodeType):
        name = f"texproof.proof.{edit.module}"
        super().__init__(name, str(ROOT / "texproof" / "proof" / f"{edit.module}.py"))
        self.code = code

    def get_code(self, fullname: str) -> CodeType:
        return self.code

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)


def noticed(edit: Edit) -> tuple[Edit, bool]:
    """Whether a test fails with an edit; in a process of its own."""
    signal.signal(signal.SIGALRM, lambda *_: os._exit(1))  # see `tried`
    code = next(code for found, code in edits(edit.module, edit.number) if found == edit)
    assert code is not None
    for name in list(sys.modules):
        mine = name.startswith(("texproof.proof", "tests.texproof"))
        if mine and name != PAGES:
            del sys.modules[name]
    sys.meta_path.insert(0, Edited(edit, code))  # type: ignore[arg-type]
    return edit, fails()


def fails(show: bool = False) -> bool:
    """Whether a test of proofs fails; perhaps it is shown."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        options = ["-x", "-q", "-p", "no:cacheprovider"]
        failed = pytest.main([*options, *TESTS]) != 0
    if failed and show:
        print(said.getvalue())
    return failed


def tried(edit: Edit) -> tuple[Edit, bool]:
    """The same in a fork, so that what hangs or dies is noticed too."""
    child = os.fork()
    if not child:
        signal.alarm(PATIENCE)
        code = 1
        with contextlib.suppress(BaseException):
            code = 1 if noticed(edit)[1] else 0
        os._exit(code)
    _, status = os.waitpid(child, 0)
    return edit, status != 0


def prepare() -> bool:
    """Read once what no edit changes: chapters, and what their names mean. Whether the tests pass without one."""
    from tests.texproof.proof import pages

    for name in pages.chapters():
        for status in ("verified", "refuted"):
            pages.found(name, status)
    return not fails(show=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sample", type=int, help="so many edits, drawn at random; by default all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--list", action="store_true", help="print the edits, and try none")
    options = parser.parse_args()
    chosen = [edit for module in TRUSTED for edit, _ in edits(module)]
    if options.sample is not None:
        chosen = random.Random(options.seed).sample(chosen, min(options.sample, len(chosen)))
    if options.list:
        print(*(f"{e.module}:{e.line} {e.function}: {e.change}" for e in chosen), sep="\n")
        return 0
    os.chdir(ROOT)
    if not prepare():
        print("The tests fail without an edit: mend that first.")
        return 1
    rules = read_rules(REASONS)
    counts = {module: [0, 0, 0] for module in TRUSTED}  # tried, noticed, explained
    with get_context("fork").Pool(options.jobs) as pool:
        for edit, seen in pool.imap_unordered(tried, chosen):
            where = f"texproof.proof.{edit.module}.{edit.function}"
            known = not seen and any(rule.explains(where, edit.change) for rule in rules)
            for n, one in enumerate((True, seen, known)):
                counts[edit.module][n] += one
            if not seen and not known:
                print(f"survived: {where} (line {edit.line}): {edit.change}", flush=True)
    print(f"\n{'module':<10}{'edits':>8}{'noticed':>9}{'explained':>11}")
    for module, row in counts.items():
        print(f"{module:<10}{row[0]:>8}{row[1]:>9}{row[2]:>11}")
    made, seen, known = map(sum, zip(*counts.values(), strict=True))
    share = seen / (made - known) if made > known else 1.0
    print(f"{share:.1%} noticed of those without a reason to survive, goal {GOAL:.0%}")
    return 0 if share >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
