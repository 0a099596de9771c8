"""Say how many mutants of the package the tests kill, module by module, and which survive and why.

    python tools/mutation_scores.py [--survivors]

Reads what ``mutmut run`` left in the folder ``mutants``. A mutant that makes a test fail or run out
of time is killed; one that passes all tests, or that no test runs, survives. Survivors that are meant
to survive stand in ``tests/surviving_mutants.yml`` with the reason. Fails where a group of modules is
below its goal.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
REASONS = ROOT / "tests" / "surviving_mutants.yml"

SURVIVED = {0, 5, 33}  # exit codes that mutmut notes: all tests passed, or none ran
UNDECIDED = {None, 2}  # not tried yet, or interrupted


@dataclass(frozen=True)
class Group:
    """Modules with one goal."""

    name: str
    modules: tuple[str, ...]
    goal: float


NETWORKS = ("rnn", "lstm", "gru", "_fast*", "parameters", "unrolled", "bptt", "losses", "training*")
GROUPS = (
    Group("networks and training", tuple(f"nndl_rnn.{name}" for name in NETWORKS), 0.95),
    Group("checker", ("texproof.*",), 0.90),
)


@dataclass(frozen=True)
class Mutant:
    """An edit of a function, and whether the tests noticed."""

    name: str
    module: str
    killed: bool


@dataclass(frozen=True)
class Rule:
    """Edits that are meant to survive: a pattern for the function, one for the edit, the reason."""

    where: str
    change: str
    because: str

    def explains(self, function: str, change: str) -> bool:
        return fnmatch.fnmatchcase(function, self.where) and fnmatch.fnmatchcase(
            change, self.change
        )


def read_mutants(folder: Path) -> list[Mutant]:
    """All mutants below ``folder`` that were tried."""
    found = []
    for path in sorted(folder.glob("*/**/*.py.meta")):
        parts = path.relative_to(folder).with_suffix("").with_suffix("").parts
        module = ".".join(parts).removesuffix(".__init__")
        for name, code in json.loads(path.read_text("utf-8"))["exit_code_by_key"].items():
            if code not in UNDECIDED:
                found.append(Mutant(name, module, killed=code not in SURVIVED))
    return found


def function_of(name: str) -> str:
    """The function that a mutant edits, as Python names it.

    >>> function_of("nndl_rnn.lstm.x__summed_bias__mutmut_3")
    'nndl_rnn.lstm._summed_bias'
    >>> function_of("nndl_rnn.training.optimisers.xǁSGDǁinit__mutmut_2")
    'nndl_rnn.training.optimisers.SGD.init'
    """
    module, _, mangled = name.rpartition("__mutmut_")[0].rpartition(".")
    if mangled.startswith("xǁ"):
        return f"{module}.{mangled.removeprefix('xǁ').replace('ǁ', '.')}"
    return f"{module}.{mangled.removeprefix('x_')}"


def change_of(diff: str) -> str:
    """The edit as one line, ``old => new``.

    >>> change_of("--- a\\n+++ a\\n@@ -1 +1 @@\\n def f():\\n-    return 1\\n+    return 2")
    'return 1 => return 2'
    """
    lines = [line for line in diff.split("\n") if line[:3] not in ("---", "+++")]
    old = " ".join(line[1:].strip() for line in lines if line.startswith("-"))
    new = " ".join(line[1:].strip() for line in lines if line.startswith("+"))
    return f"{old} => {new}"


def read_rules(path: Path) -> list[Rule]:
    """The reasons of ``surviving_mutants.yml``: a list of ``because``, ``where`` and ``changes``.

    In ``where`` and ``changes`` an asterisk stands for anything; brackets stand for themselves.
    """
    return [
        Rule(_literal_brackets(entry["where"]), _literal_brackets(change), entry["because"])
        for entry in yaml.safe_load(path.read_text("utf-8"))
        for change in entry["changes"]
    ]


def _literal_brackets(pattern: str) -> str:
    """Take from fnmatch all but the asterisk: code is full of brackets and question marks."""
    return "".join({"[": "[[]", "?": "[?]"}.get(character, character) for character in pattern)


def diffs(mutants: Iterable[Mutant]) -> Iterator[tuple[Mutant, str]]:
    """Each mutant with its edit; mutmut, which knows it, lies beside the environment."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    for mutant in mutants:
        path = Path(*mutant.module.split(".")).with_suffix(".py")
        path = path if path.exists() else path.with_suffix("") / "__init__.py"
        yield mutant, change_of(get_diff_for_mutant(mutant.name, path=path))


def in_group(mutant: Mutant, group: Group) -> bool:
    return any(fnmatch.fnmatchcase(mutant.module, pattern) for pattern in group.modules)


def score_line(name: str, mutants: list[Mutant]) -> str:
    killed = sum(mutant.killed for mutant in mutants)
    share = killed / len(mutants) if mutants else 0.0
    return f"{name:<28}{len(mutants):>8}{killed:>8}{len(mutants) - killed:>10}{share:>9.1%}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--survivors", action="store_true", help="list also those with a reason")
    options = parser.parse_args()
    mutants = read_mutants(Path("mutants"))
    if not mutants:
        print("There are no results in mutants/: run `make mutants`.")
        return 1

    print(f"{'module':<28}{'mutants':>8}{'killed':>8}{'survive':>10}{'score':>9}")
    failed = False
    for group in GROUPS:
        members = [mutant for mutant in mutants if in_group(mutant, group)]
        for module in sorted({mutant.module for mutant in members}):
            print(score_line(module, [m for m in members if m.module == module]))
        print(f"{score_line(group.name, members)}, goal {group.goal:.0%}\n")
        failed |= sum(mutant.killed for mutant in members) < group.goal * len(members)

    rules, explained, unexplained = read_rules(REASONS), 0, 0
    for mutant, change in diffs(mutant for mutant in mutants if not mutant.killed):
        function = function_of(mutant.name)
        reasons = [rule.because for rule in rules if rule.explains(function, change)]
        explained, unexplained = explained + bool(reasons), unexplained + (not reasons)
        if options.survivors or not reasons:
            print(f"{mutant.name}\n  {function}\n  {change}\n  {(reasons or ['NO REASON'])[0]}")
    print(f"{explained} survivors have a reason in {REASONS.name}, {unexplained} have none.")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
