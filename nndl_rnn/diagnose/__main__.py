"""``python -m nndl_rnn.diagnose FILE.py``: diagnose the backward pass in a file."""

from __future__ import annotations

import argparse
import json
import runpy
import sys
from collections.abc import Sequence
from typing import Any

from nndl_rnn.diagnose.answer import Diagnosis
from nndl_rnn.diagnose.diagnosis import diagnose
from nndl_rnn.parameters import GATES

HELP = """FILE.py defines ARCHITECTURE ("rnn", "lstm" or "gru") and backward(params, x, state, d_h),
and perhaps forward(params, x, state), LAYOUT, RESET, UPDATE, SIZES and LAST_STEP, which mean what
the arguments of nndl_rnn.diagnose mean. Exit status: 0 if the gradient is right, 1 if it is wrong, 2 if it cannot
be checked as it is."""

OPTIONS = {
    "LAYOUT": "layout",
    "RESET": "reset",
    "UPDATE": "update",
    "SIZES": "sizes",
    "LAST_STEP": "last_step",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the answer, as text or as JSON, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m nndl_rnn.diagnose", description=HELP)
    parser.add_argument("file", help="a Python file")
    parser.add_argument("--architecture", choices=tuple(GATES), help="in place of ARCHITECTURE")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args(arguments)
    answer = _of_file(given.file, given.architecture)
    print(json.dumps(answer.to_dict(), ensure_ascii=False, indent=2) if given.json else answer)
    return answer.exit_status


def _of_file(path: str, architecture: str | None) -> Diagnosis:
    """Whatever a file does wrong when it is run is no answer about its gradient."""
    chosen = architecture or "?"
    try:
        names = runpy.run_path(path)
        chosen = architecture or names.get("ARCHITECTURE", "?")
        if "backward" not in names or chosen == "?":
            missing = (
                "backward(params, x, state, d_h)" if "backward" not in names else "ARCHITECTURE"
            )
            return Diagnosis(str(chosen), "check", notes=(f"{path} does not define {missing}",))
        options: dict[str, Any] = {o: names[name] for name, o in OPTIONS.items() if name in names}
        return diagnose(chosen, names["backward"], forward=names.get("forward"), **options)
    except (Exception, SystemExit) as error:
        return Diagnosis(str(chosen), "check", notes=(f"{type(error).__name__}: {error}",))


if __name__ == "__main__":
    sys.exit(main())
