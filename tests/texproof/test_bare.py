"""Without NumPy, SymPy and PyTorch, as in a web page: the same verdicts, and levels that say what they lack."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BOOK = Path(__file__).parents[2] / "book"
BLOCKED = ("numpy", "sympy", "torch")
PROGRAM = """
import json, sys
from pathlib import Path

for package in {blocked!r}:
    sys.modules[package] = None  # then importing it is an ImportError

from texproof import Derivation
from texproof.check import check_chapter
from texproof.report.session import Session

def passed_over(self, *labels, **options):
    return [None]

Derivation.anchor = Derivation.run_backward = Derivation.symbolic = passed_over
found = []
for chapter in {chapters!r}:
    check = check_chapter(Path(chapter), Session(mutants=0))
    assert check.ok, check.problems
    found += [
        (result.source.label, result.status, [(f.level, f.note, f.comparison and f.comparison.entries)
         for f in result.findings])
        for result in check.results
    ]
print(json.dumps(found))
"""


def check(chapters, blocked):
    program = PROGRAM.format(blocked=blocked, chapters=[str(c) for c in chapters])
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_a_chapter_has_the_same_levels_with_and_without_packages():
    whole, bare = (check([BOOK / "bptt.md"], blocked) for blocked in ((), BLOCKED))
    assert [entry[:2] for entry in bare] == [entry[:2] for entry in whole]
    for (label, _, before), (_, _, after) in zip(whole, bare, strict=True):
        assert [level for level, *_ in after] == [level for level, *_ in before]
        for (level, *found), (_, *left) in zip(before, after, strict=True):
            missing = [p for p in ("sympy", "torch") if left[0] == f"{p} is not installed"]
            needs = {"SymPy": "sympy", "exact": "sympy", "PyTorch": "torch"}
            assert missing == [needs[level.split()[0]]] if missing else left == found, label
    lacking = {note for _, _, levels in bare for _, note, _ in levels if "installed" in note}
    assert lacking == {"sympy is not installed", "torch is not installed"}


@pytest.mark.parametrize(
    ("package", "call", "extra"),
    [
        ("torch", 'd.anchor("torch.nn.RNN", input="p", output="p", initial={}, weights={})', "torch"),
        ("numpy", 'd.anchor("torch.nn.RNN", input="p", output="p", initial={}, weights={})', ""),
        ("numpy", 'd.run_backward("eq-c", module="nndl_rnn.rnn")', ""),
        ("sympy", 'd.symbolic("eq-c")', "texproof"),
    ],
)  # fmt: skip
def test_what_needs_a_package_says_how_to_install_it(tmp_path, package, call, extra):
    page = "$$\np \\in \\mathbb{R}\n$$ (eq-s)\n\n$$\np + p = 2 p\n$$ (eq-c)\n"
    (tmp_path / "page.md").write_text(page, encoding="utf-8")
    program = f"""
import sys
sys.modules[{package!r}] = None
from texproof import Derivation
d = Derivation("page.md")
d.declare("eq-s")
d.verify("eq-c")
d.layout("RNN", input="p", output="p", initial={{}}, weights={{}})
{call}
"""
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path
    )
    assert found.returncode == 1
    last = found.stderr.strip().split("\n")[-1]
    assert last.startswith("ModuleNotFoundError: The checker ")
    assert last.endswith(f'pip install "nndl-rnn[{extra}]"' if extra else "pip install nndl-rnn")
