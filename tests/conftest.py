"""What holds for all tests."""

import json
import os
import signal
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs that tests start, also where a script runs pytest in the background.

    A shell without job control has its background jobs ignore SIGINT, and their children inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run quick tests first while ``make mutants`` waits for the first failure."""
    measured = Path("mutmut-stats.json")
    if os.environ.get("MUTANT_UNDER_TEST") and measured.exists():
        seconds = json.loads(measured.read_text("utf-8"))["duration_by_test"]
        items.sort(key=lambda item: seconds.get(item.nodeid, 0.0))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Keep ``::`` out of the names of tests; with it they cannot be named on the command line."""
    if isinstance(val, str) and "::" in val:
        return val.replace(":", "colon ").encode("unicode_escape").decode()
    return None
