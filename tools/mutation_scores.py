"""Say how many mutants of the package the tests kill, module by module, and which survive and why.

    python tools/mutation_scores.py [--survivors]
    python tools/mutation_scores.py --sample 300    names of mutants to try, of each group as many

Reads what ``mutmut run`` left in the folder ``mutants``. A mutant that makes a test fail or run out
of time is killed; one that passes all tests, or that no test runs, survives. Survivors that are meant
to survive stand in ``tests/surviving_mutants.yml`` with the reason. Fails where a group of modules is
below its goal: where a sample was tried, if the goal lies above the interval of 95% (Wilson).
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import math
import random
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
    """An edit of a function, and whether the tests noticed; ``None`` if it was not tried."""

    name: str
    module: str
    killed: bool | None


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
    """All mutants below ``folder``."""
    found = []
    for path in sorted(folder.glob("*/**/*.py.meta")):
        parts = path.relative_to(folder).with_suffix("").with_suffix("").parts
        module = ".".join(parts).removesuffix(".__init__")
        for name, code in json.loads(path.read_text("utf-8"))["exit_code_by_key"].items():
            killed = None if code in UNDECIDED else code not in SURVIVED
            found.append(Mutant(name, module, killed))
    return found


def sample(mutants: Iterable[Mutant], count: int, seed: int = 0) -> list[Mutant]:
    """So many mutants of each group, drawn at random; where there are fewer, all."""
    known, drawn = sorted(mutants, key=lambda mutant: mutant.name), []
    for group in GROUPS:
        members = [mutant for mutant in known if in_group(mutant, group)]
        drawn += random.Random(seed).sample(members, min(count, len(members)))
    return drawn


def interval(killed: int, tried: int) -> tuple[float, float]:
    """Between which shares the true one lies, in 95 of 100 samples (Wilson 1927).

    >>> [round(end, 3) for end in interval(285, 300)]
    [0.919, 0.969]
    """
    z = 1.96
    share, part = killed / tried, z * z / tried
    middle = share + part / 2
    half = z * math.sqrt((share * (1 - share) + part / 4) / tried)
    return (middle - half) / (1 + part), (middle + half) / (1 + part)


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
    killed = sum(mutant.killed is True for mutant in mutants)
    share = killed / len(mutants) if mutants else 0.0
    return f"{name:<28}{len(mutants):>8}{killed:>8}{len(mutants) - killed:>10}{share:>9.1%}"


def tell_group(group: Group, mutants: list[Mutant]) -> bool:
    """Print the scores of a group and of its modules; whether the group reaches its goal."""
    made = [mutant for mutant in mutants if in_group(mutant, group)]
    tried = [mutant for mutant in made if mutant.killed is not None]
    for module in sorted({mutant.module for mutant in tried}):
        print(score_line(module, [mutant for mutant in tried if mutant.module == module]))
    told, killed = score_line(group.name, tried), sum(mutant.killed is True for mutant in tried)
    if not tried or len(tried) == len(made):
        print(f"{told}, goal {group.goal:.0%}\n")
        return killed >= group.goal * len(tried)
    low, high = interval(killed, len(tried))
    print(f"{told}, a sample of {len(made)}: {low:.1%} to {high:.1%}, goal {group.goal:.0%}\n")
    return high >= group.goal


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--survivors", action="store_true", help="list also those with a reason")
    parser.add_argument("--sample", type=int, help="print names of so many mutants of each group")
    options = parser.parse_args()
    mutants = read_mutants(Path("mutants"))
    if options.sample is not None:
        print(*(mutant.name for mutant in sample(mutants, options.sample)))
        return 0
    tried = [mutant for mutant in mutants if mutant.killed is not None]
    if not tried:
        print("There are no results in mutants/: run `make mutants`.")
        return 1

    print(f"{'module':<28}{'mutants':>8}{'killed':>8}{'survive':>10}{'score':>9}")
    reached = [tell_group(group, mutants) for group in GROUPS]

    rules, explained, unexplained = read_rules(REASONS), 0, 0
    for mutant, change in diffs(mutant for mutant in tried if not mutant.killed):
        function = function_of(mutant.name)
        reasons = [rule.because for rule in rules if rule.explains(function, change)]
        explained, unexplained = explained + bool(reasons), unexplained + (not reasons)
        if options.survivors or not reasons:
            print(f"{mutant.name}\n  {function}\n  {change}\n  {(reasons or ['NO REASON'])[0]}")
    print(f"{explained} survivors have a reason in {REASONS.name}, {unexplained} have none.")
    return int(not all(reached))


if __name__ == "__main__":
    sys.exit(main())
