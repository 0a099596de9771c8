"""What holds for all tests."""

import json
import os
import signal
import sys
from pathlib import Path

import hypothesis
import pytest
from hypothesis import Phase

BOOK = Path(__file__).parents[1] / "book"
MUTANTS = "MUTANT_UNDER_TEST" in os.environ  # set by mutmut, which `make mutants` runs


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs that tests start, also where a script runs pytest in the background.

    A shell without job control has its background jobs ignore SIGINT, and their children inherit that.
    """
    # Programs that tests start find the book's experiments, as `make experiment` does.
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(BOOK), os.environ.get("PYTHONPATH")])
    )
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if MUTANTS:
        name_tests_again()
        # That a test fails is enough; the simplest example is of no interest.
        hypothesis.settings.register_profile("mutants", phases=(Phase.explicit, Phase.generate))
        hypothesis.settings.load_profile("mutants")
        # mutmut puts two calls around each call of a function of the package.
        sys.setrecursionlimit(3 * sys.getrecursionlimit())


def name_tests_again() -> None:
    """Have pytest make the names of tests anew where it runs several times in one process.

    It keeps names that it made from ``ids``, and the next run escapes backslashes in them once more:
    then mutmut does not find these tests.
    """
    for module in [module for name, module in sys.modules.items() if name.startswith("tests.")]:
        for function in vars(module).values():
            for mark in getattr(function, "pytestmark", ()):
                if source := getattr(mark, "_param_ids_from", None):
                    object.__setattr__(source, "_param_ids_generated", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run quick tests first while ``make mutants`` waits for the first failure."""
    measured = Path("mutmut-stats.json")
    if MUTANTS and measured.exists():
        seconds = json.loads(measured.read_text("utf-8"))["duration_by_test"]
        items.sort(key=lambda item: seconds.get(item.nodeid, 0.0))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Keep ``::`` out of the names of tests; with it they cannot be named on the command line."""
    if isinstance(val, str) and "::" in val:
        return val.replace(":", "colon ").encode("unicode_escape").decode()
    return None
