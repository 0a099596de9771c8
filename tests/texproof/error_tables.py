"""Tables of errors as text."""

import pytest

from texproof.errors import EquationError, ShapeMismatch

ERROR_KINDS = {"EquationError": EquationError, "ShapeMismatch": ShapeMismatch}


def one_by_one(table):
    """The rows of a table: each is an error with its whole message, and below it what gives it.

    The caret stands under all of a text, or under what follows its @.
    """
    rows = []
    for line in table.strip("\n").split("\n"):
        if not line.startswith(" "):
            kind, _, message = line.partition(": ")
        else:
            text, at, under = line.strip().partition(" @")
            rows.append((ERROR_KINDS[kind], message, text, under.strip() if at else text))
    ids = [text for _, _, text, _ in rows]
    return pytest.mark.parametrize(("kind", "message", "text", "under"), rows, ids=ids)
