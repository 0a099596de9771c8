"""The command line, and what it says of chapters that are wrong."""

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.texproof.conftest import RNN
from texproof import command
from texproof.check import ChapterCheck, as_json, check_chapter, complain_of_unused
from texproof.command import main
from texproof.compare.claims import Comparison
from texproof.compare.levels import Finding
from texproof.errors import Source
from texproof.mutate_chapter import MutationReport, mutate_chapter
from texproof.report.report import MutationScore, Result
from texproof.report.session import Session


@pytest.fixture
def chapter(tmp_path, rnn_chapter):
    """Write ``rnn.md``, with parts of its text replaced."""

    def write(*replacements, name="rnn.md"):
        text = rnn_chapter.replace("rnn.md", name)
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def line_of(path, text):
    return path.read_text(encoding="utf-8").partition(text)[0].count("\n") + 1


SIGN = (r"V^\top \delta^{s}_t + U^\top", r"V^\top \delta^{s}_t - U^\top")


def test_a_right_chapter_passes(chapter, capsys):
    path = chapter()
    assert main(["check", str(path), "--jobs", "1"]) == 0
    out = capsys.readouterr().out
    told = re.escape(f"ok   {path}: 1 declared, 3 defined, 3 verified")
    assert re.fullmatch(rf"{told} \(\d+\.\d s\)\n", out)


def test_a_chapter_without_equations_passes(tmp_path, capsys):
    path = tmp_path / "page.md"
    path.write_text("Nothing but prose.\n")
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().out == f"ok   {path}: no equations (0.0 s)\n"


def test_all_that_is_printed_for_a_wrong_chapter(tmp_path, capsys):
    path = tmp_path / "page.md"
    path.write_text("$$\na = b\n$$ (eq-a)\n\n$$\nc\n$$\n")
    assert main(["check", str(path)]) == 1
    assert capsys.readouterr().out == (
        f"FAIL {path}: no equations (0.0 s)\n\n"
        "eq-a: no derivation cell declares, defines, verifies, refutes or marks this equation as "
        "unchecked\npage.md:2\n    a = b\n    ^\n\n\n"
        "a displayed equation without a label cannot be checked\npage.md:6\n    c\n    ^\n\n"
    )


def test_one_changed_sign_fails_with_file_line_and_caret(chapter, capsys):
    path = chapter(SIGN)
    assert main(["check", str(path)]) == 1
    out = capsys.readouterr().out
    line = line_of(path, SIGN[1])
    assert out.startswith(f"FAIL {path}")
    assert "eq-backward: the equation does not hold here: off by" in out
    [place] = [i for i, text in enumerate(out.splitlines()) if text.endswith(f"rnn.md:{line}")]
    source, caret = out.splitlines()[place + 1 : place + 3]
    printed = SIGN[1] + r" \delta^{a}_{t+1}"
    assert source[caret.index("^") : caret.rindex("^") + 1] == printed
    verify = line_of(path, 'rnn.verify("eq-backward"')
    assert f"(the cell that says so: {path}:{verify})" in out


@pytest.mark.parametrize("status", [0, 1, 2])
def test_the_exit_status_of_the_process(chapter, status):
    path = chapter(SIGN) if status == 1 else chapter()
    if status == 2:
        path.unlink()
    command = [sys.executable, "-m", "texproof", "check", str(path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == status
    if status == 2:
        assert f"files: expected chapters, found no file {path}" in done.stderr


HELP = {
    ("prove",): [
        "usage: python -m texproof prove [-h] [--replay] [--again] [--jobs JOBS] files [files ...]",
        "--replay only replay what is recorded, and write nothing",
        "--again search again for proofs that were not found",
    ],
    (): [
        "usage: python -m texproof [-h] {check,mutate,prove} ...",
        "The command line: ``check`` chapters, ``mutate`` and ``prove`` their equations.",
        "check check every claim of chapters, without running the rest of their cells",
        "mutate edit every equation in one place, and see whether the check notices",
        "prove prove what is verified for every T and every size, and record the proofs",
    ],
    ("check",): [
        "usage: python -m texproof check [-h] [--json] [--jobs JOBS] files [files ...]",
        "files chapters in MyST Markdown",
        "--json print the results as JSON",
        "--jobs JOBS processes (default: one a core)",
    ],
    ("mutate",): [
        "usage: python -m texproof mutate [-h] [--sample N] [--seed SEED] [--jobs JOBS] files [files ...]",
        "files chapters in MyST Markdown",
        "--sample N only N mutants of each equation",
        "--seed SEED which ones (default: 0)",
        "--jobs JOBS processes (default: one a core)",
    ],
}


@pytest.mark.parametrize("arguments", HELP)
def test_help(arguments, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    with pytest.raises(SystemExit) as raised:
        main([*arguments, "--help"])
    assert raised.value.code == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in HELP[arguments] if line not in lines] == []


def test_missing_chapters_are_named(chapter, capsys):
    with pytest.raises(SystemExit):
        main(["check", "a.md", str(chapter()), "b.md"])
    err = capsys.readouterr().err
    assert err.startswith("usage: python -m texproof ")
    assert err.endswith("error: files: expected chapters, found no file a.md, b.md\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["check"],
        ["prove", "x.md"],
        ["check", "--sample", "3", __file__],
        ["mutate"],
        ["mutate", __file__, "--sample", "x"],
    ],
)
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_json_for_other_programs(chapter, capsys):
    good, bad = chapter(name="gut-für-ŷ.md"), chapter(SIGN, name="bad.md")
    assert main(["check", "--json", "--jobs", "1", str(good), str(bad)]) == 1
    out = capsys.readouterr().out
    first, second = json.loads(out)
    assert out == json.dumps([first, second], indent=1, ensure_ascii=False) + "\n"
    assert (first["chapter"], first["ok"], first["problems"]) == (str(good), True, [])
    assert not second["ok"]
    assert "eq-backward" in second["problems"][0]
    statuses = {equation["label"]: equation["status"] for equation in first["equations"]}
    assert statuses == {
        "eq-shapes": "declared",
        "eq-forward": "defined",
        "eq-loss": "defined",
        "eq-deltas": "defined",
        "eq-backward": "verified",
        "eq-weights": "verified",
        "eq-inputs": "verified",
    }
    backward = next(e for e in first["equations"] if e["label"] == "eq-backward")
    assert backward["line"] == line_of(good, r"\delta^{s}_t &=") - 1
    assert [level["level"] for level in backward["levels"]][-1] == "exact over Q"
    assert all(level["residual"] for level in backward["levels"])


def test_an_outcome_as_plain_data():
    comparison = Comparison(equalities=1, instances=3, entries=9, residual=0.0)
    findings = (
        Finding("modulo 2^61 - 1", "T=3, n=3", comparison),
        Finding("exact over Q", "T=3, n=3", None, "out of reach"),
    )
    source, score = Source("a = b", "page.md", 7, "eq-a"), MutationScore(1, 2, 3, 0, ("x",))
    results = [
        Result(source, "verified", "a detail", findings, score),
        Result(source, "unchecked", "a bound"),
    ]
    assert as_json(ChapterCheck(Path("page.md"), results, ["a problem"], 1.23456)) == {
        "chapter": "page.md",
        "ok": False,
        "seconds": 1.235,
        "problems": ["a problem"],
        "uses": [],
        "unused": [],
        "equations": [
            {
                "label": "eq-a",
                "file": "page.md",
                "line": 7,
                "cell": 0,
                "latex": "a = b",
                "status": "verified",
                "detail": "a detail",
                "levels": [
                    {
                        "level": "modulo 2^61 - 1",
                        "sizes": "T=3, n=3",
                        "entries": "9",
                        "residual": "difference is zero",
                    },
                    {
                        "level": "exact over Q",
                        "sizes": "T=3, n=3",
                        "entries": "",
                        "residual": "out of reach",
                    },
                ],
                "mutants": {
                    "by_value": 1,
                    "by_shape": 2,
                    "unreadable": 3,
                    "equivalent": 0,
                    "survivors": ("x",),
                },
            },
            {
                "label": "eq-a",
                "file": "page.md",
                "line": 7,
                "cell": 0,
                "latex": "a = b",
                "status": "unchecked",
                "detail": "a bound",
                "levels": [],
                "mutants": None,
            },
        ],
        "inline": [],
        "live": {"recipes": [], "sources": {}},
    }
    empty = ChapterCheck(Path("page.md"))
    assert (empty.ok, as_json(empty)["seconds"], as_json(empty)["equations"]) == (True, 0.0, [])


class Pool:
    """Stands in for a pool of processes; ``sizes`` are those of all pools."""

    sizes: list[int]

    def __init__(self, size):
        self.sizes.append(size)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def map(self, function, items):
        return map(function, items)


@pytest.mark.parametrize(
    ("cores", "options", "chapters", "sizes"),
    [
        (8, [], 3, [3]),
        (2, [], 3, [2]),
        (1, [], 3, []),
        (None, [], 3, []),
        (8, [], 1, []),
        (8, [], 2, [2]),
        (1, ["--jobs", "2"], 3, [2]),
        (8, ["--jobs", "1"], 3, []),
    ],
)
@pytest.mark.parametrize("name", ["check", "mutate"])
def test_as_many_processes_as_cores_but_no_more_than_chapters(
    tmp_path, monkeypatch, capsys, name, cores, options, chapters, sizes
):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(command, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(Pool, "sizes", [], raising=False)
    paths = [tmp_path / f"{number}.md" for number in range(chapters)]
    for path in paths:
        path.touch()
    assert main([name, *options, *map(str, paths)]) == 0
    assert Pool.sizes == sizes
    printed = [line.split()[1].rstrip(":") for line in capsys.readouterr().out.splitlines()]
    assert printed[:chapters] == [str(path) for path in paths]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_progress_is_shown_to_those_who_watch_and_then_cleared(tmp_path, monkeypatch, stream):
    paths = [tmp_path / "a.md", tmp_path / "b.md"]
    for path in paths:
        path.touch()
    monkeypatch.setattr(sys, "stderr", stream())
    assert main(["check", "--jobs", "1", *map(str, paths)]) == 0
    shown = sys.stderr.getvalue()
    if stream is Terminal:
        assert "chapters:" in shown
        assert "0/2" in shown
        assert shown.endswith("\r")
        assert shown.split("\r")[-2].strip() == ""
    else:
        assert shown == ""


def test_chapters_are_checked_in_parallel_and_reported_in_order(chapter, capsys):
    paths = [str(chapter(name=f"{name}.md")) for name in "cab"]
    assert main(["check", "--jobs", "2", *paths]) == 0
    printed = [line.split()[1].rstrip(":") for line in capsys.readouterr().out.splitlines()]
    assert printed == paths


# ---------------------------------------------------------------- coverage


def problems(path):
    return check_chapter(path, Session(quick=True)).problems


def test_all_that_is_wrong_on_a_page_is_told_and_what_is_right_too(chapter):
    """A definition that cannot be read, two claims that are wrong, and nothing else."""
    path = chapter(
        SIGN,
        ("= \\sum_{t=1}^{T} \\delta^{a}_t x_t^\\top", "= \\sum_{t=1}^{T} \\delta^{a}_t x_t^\\bot"),
        ("x_t} = W^\\top", "x_t} = 2 W^\\top"),
    )
    check = check_chapter(path)
    told = [problem.partition(":")[0] for problem in check.problems]
    assert told == ["eq-backward", "eq-weights", "eq-inputs"]
    line = line_of(path, "rnn.verify")
    assert all(f"{path}:{line})" in problem for problem in check.problems)
    assert "did you mean + U^\\top \\delta^{a}_{t+1}?" in check.problems[0]
    statuses = {result.source.label: result.status for result in check.results}
    assert statuses == dict.fromkeys(("eq-forward", "eq-loss", "eq-deltas"), "defined") | {
        "eq-shapes": "declared"
    }


def test_an_unreadable_definition_hides_no_verdict_that_needs_it_not(chapter):
    path = chapter(
        ("L = \\sum_{t=1}^{T} \\ell(y_t, s_t)", "L = \\sum_{t=1}^{T \\ell(y_t, s_t)"),
        ("rnn.verify(", 'rnn.unchecked("eq-deltas", because="it is of no use here")\nrnn.verify('),
    )
    check = check_chapter(path)
    labels = [problem.partition(":")[0] for problem in check.problems]
    assert labels[:2] == ["eq-loss", "eq-deltas"]
    assert any("it may need eq-loss" in problem for problem in check.problems[2:])
    assert "eq-forward" in [result.source.label for result in check.results]


def test_an_equation_that_no_cell_mentions_is_a_complaint(chapter):
    path = chapter((', "eq-inputs")', ")"))
    [problem] = problems(path)
    assert "eq-inputs: no derivation cell declares, defines, verifies, refutes or marks" in problem
    first_line = r"\frac{\partial L}{\partial x_t}"
    assert f"rnn.md:{line_of(path, first_line)}\n" in problem


def test_an_equation_without_label_is_a_complaint(chapter):
    path = chapter(("# A chapter\n", "# A chapter\n\n$$\nh_t = 5\n$$\n"))
    [problem] = problems(path)
    assert "a displayed equation without a label cannot be checked" in problem
    assert "rnn.md:4" in problem


def test_equations_in_environments_and_admonitions_are_accounted_for_too(chapter):
    hidden = (
        "```{note}\n$$\nh_t = 5\n$$ (eq-hidden)\n```\n\n\\begin{align}\nh_t &= 6\n\\end{align}\n"
    )
    found = problems(chapter(("# A chapter\n", f"# A chapter\n\n{hidden}")))
    assert len(found) == 2
    assert "eq-hidden" in found[0]
    assert "without a label" in found[1]


def test_an_equation_marked_as_unchecked_needs_a_reason_and_is_then_accounted_for(chapter):
    bound = ("# A chapter\n", "# A chapter\n\n$$\nh_t \\le 1\n$$ (eq-bound)\n")
    said = (
        "rnn.verify(",
        'rnn.unchecked("eq-bound", because="an inequality, measured below")\nrnn.verify(',
    )
    assert problems(chapter(bound, said)) == []
    silent = ("rnn.verify(", 'rnn.unchecked("eq-bound", because="")\nrnn.verify(')
    [problem] = problems(chapter(bound, silent))
    assert "because: expected a reason that a reader understands" in problem


def test_a_cell_that_fails_is_reported_with_its_line(chapter):
    path = chapter(("rnn.verify(", "1 / 0\nrnn.verify("))
    [problem] = problems(path)
    line = line_of(path, "1 / 0")
    assert problem.startswith(f"{path}:{line}: a derivation cell failed")
    assert f'rnn.md", line {line}' in problem
    assert "ZeroDivisionError" in problem


def test_an_error_names_the_line_of_the_cell_that_led_to_it(chapter):
    path = chapter(
        ("rnn.verify(", "def verify(label):\n    rnn.verify(label)\n\nverify('eq-no')\n(")
    )
    [problem] = problems(path)
    line = line_of(path, "verify('eq-no')")
    assert problem.endswith(f"\n    (the cell that says so: {path}:{line})")


def test_an_error_in_a_notebook_names_its_cell(tmp_path):
    path = tmp_path / "page.ipynb"
    codes = [
        "import texproof as d",
        "\npage = d.Derivation('page.md')\npage.declare('eq-a')",
    ]
    cells = [
        {"cell_type": "code", "metadata": {"tags": ["derivation"]}, "source": code}
        for code in codes
    ]
    path.write_text(json.dumps({"cells": cells}))
    [problem] = problems(path)
    assert problem.endswith(f"\n    (the cell that says so: {path}: cell 2, line 3)")
    path.write_text(json.dumps({"cells": [*cells[:1], {**cells[1], "source": "\n1 / 0"}]}))
    [problem] = problems(path)
    assert problem.startswith(f"{path}: cell 2, line 1: a derivation cell failed\nTraceback ")


def test_the_traceback_of_a_cell_tells_of_the_last_calls(chapter):
    deep = "def deep(n):\n    return 1 / n + deep(n - 1)\n\ndeep(20)\nrnn.verify("
    [problem] = problems(chapter(("rnn.verify(", deep)))
    assert problem.endswith("ZeroDivisionError: division by zero\n")
    assert "deep(n - 1)\n" in problem
    assert "check.py" not in problem


def test_checking_takes_its_time_and_tries_no_mutants_by_itself(chapter):
    path = chapter()
    outcome = check_chapter(path)
    assert (outcome.path, outcome.ok) == (path, True)
    assert 0 < outcome.seconds < 1000
    verified = [result for result in outcome.results if result.status == "verified"]
    assert len(verified) == 3
    assert all(len(result.findings) > 4 and result.mutants is None for result in verified)


def test_cells_without_the_tag_are_not_run_and_their_claims_do_not_count(chapter):
    path = chapter(
        (
            "```{code-cell} ipython3\n:tags: [derivation]\nrnn.verify",
            "```{code-cell} ipython3\nrnn.verify",
        )
    )
    assert len(problems(path)) == 3


def test_a_chapter_that_cannot_be_read_is_a_problem_and_no_crash(chapter):
    path = chapter(("$$ (eq-inputs)", ""))
    [problem] = problems(path)
    assert "this $$ is never closed" in problem


@pytest.mark.parametrize(
    ("chapters", "label"), [('"second.md", "rnn.md"', "eq-mine"), ('"rnn.md"', "eq-shapes")]
)
def test_what_is_said_of_another_chapter_does_not_count(tmp_path, chapter, chapters, label):
    """Neither of an equation on its page nor of one with the same label."""
    chapter()
    second = tmp_path / "second.md"
    second.write_text(
        "```{code-cell}\n:tags: [derivation]\nfrom texproof import Derivation\n"
        f'Derivation({chapters}, T=3, n=3, m=2, q=4).declare("eq-shapes")\n```\n\n'
        f"$$\nh_t = b\n$$ ({label})\n"
    )
    [problem] = problems(second)
    assert f"{label}: no derivation cell" in problem
    assert "second.md:8" in problem


# ---------------------------------------------------------------- mutate


def test_mutate_tells_the_score_and_succeeds(chapter, capsys):
    path = chapter()
    assert main(["mutate", str(path), "--sample", "3", "--seed", "2"]) == 0
    out = capsys.readouterr().out
    first, second = out.splitlines()
    assert first.startswith(f"ok   {path}: claims: ")
    counted = re.search(
        r"definitions: (\d+) of \1 mutants noticed, 0 equivalent; 0 unexplained$", first
    )
    assert counted
    assert 0 < int(counted[1]) <= 12  # one that says the same is none
    assert re.fullmatch(r"\d+ mutants in 1 chapters, 0 survived unexplained", second)


def test_a_definition_within_a_sentence_is_changed_like_a_displayed_one(chapter):
    displayed = RNN["eq-loss"]
    within = f"${displayed}$"
    path = chapter(
        (f"$$\n{displayed}\n$$ (eq-loss)", f"The loss is {within}."),
        ('"eq-loss"', f'r"{within}"'),
        name="within.md",
    )
    found = mutate_chapter(path, count=3)
    assert found == replace(mutate_chapter(chapter(), count=3), path=path)
    assert found.definitions == found.noticed > 6


def test_the_seed_says_which_mutants_are_tried(chapter, capsys, monkeypatch):
    asked = []

    def mutate_nothing(path, count, seed):
        asked.append((path.name, count, seed))
        return MutationReport(path)

    monkeypatch.setattr(command, "mutate_chapter", mutate_nothing)
    path = str(chapter())
    for options in (["--sample", "3", "--seed", "2"], ["--seed", "-1"], []):
        assert main(["mutate", path, *options]) == 0
    assert asked == [("rnn.md", 3, 2), ("rnn.md", None, -1), ("rnn.md", None, 0)]


def test_mutate_fails_for_an_unexplained_survivor(chapter, capsys):
    zero = (r"+ U^\top \delta^{a}_{t+1}, \\", r"+ U^\top \delta^{a}_{t+1} + 0 b, \\")
    assert main(["mutate", str(chapter(zero)), "--jobs", "1"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("FAIL")
    assert "survived: eq-backward" in out
    assert "drop term" in out


UNUSED = r"""
$$
g_t := (1 + h_t^2) \odot \frac{\partial L}{\partial h_t}
$$ (eq-unused)

```{code-cell} ipython3
:tags: [derivation]
rnn.define("eq-unused")
USE
```
"""


@pytest.mark.parametrize(
    ("use", "complaints"),
    [
        ("", 1),
        ('rnn.verify("eq-use")\n```\n\n$$\n2 g_t = g_t + g_t\n$$ (eq-use)\n\n```{note}\nend', 0),
    ],
)
def test_a_definition_on_which_nothing_depends_is_a_complaint(chapter, use, complaints):
    """A wrong gradient, printed as a definition, would stand there for ever."""
    path = chapter()
    text = path.read_text(encoding="utf-8") + UNUSED.replace("USE", use)
    path.write_text(text, encoding="utf-8")
    check = check_chapter(path, Session(mutants=0))
    complain_of_unused([check])
    problems = check.problems
    assert len(problems) == complaints
    if problems:
        assert "nothing that is verified depends on this definition of g_{t}" in problems[0]
        assert f"rnn.md:{line_of(path, 'g_t := ')}" in problems[0]


def test_a_definition_may_be_used_by_another_chapter(chapter, tmp_path):
    path = chapter()
    text = path.read_text(encoding="utf-8") + UNUSED.replace("USE", "")
    path.write_text(text, encoding="utf-8")
    user = tmp_path / "user.md"
    user.write_text(
        """```{code-cell} ipython3
:tags: [derivation]
from texproof import Derivation

page = Derivation("rnn.md", "user.md", T=3, n=3, m=2, q=4)
page.function(r"\\ell")
page.declare("eq-shapes")
page.define("eq-forward", "eq-loss", "eq-deltas", "eq-unused")
page.verify("eq-user")
```

$$
2 g_t = g_t + g_t
$$ (eq-user)
""",
        encoding="utf-8",
    )
    assert main(["check", str(path), "--jobs", "1"]) == 1
    assert main(["check", str(path), str(user), "--jobs", "1"]) == 0


@pytest.mark.parametrize("sign", ["=", r"\equiv"])
def test_a_result_about_a_derivative_is_no_definition(chapter, sign):
    path = chapter(
        (r"\delta^{a}_t := \frac{\partial L}", rf"\delta^{{a}}_t {sign} \frac{{\partial L}}")
    )
    first = check_chapter(path, Session(mutants=0)).problems[0]
    assert "this reads as a statement about a derivative: verify it, or print :=" in first


def test_a_constraint_in_a_declaration_is_listed_as_an_assumption(chapter):
    path = chapter(
        ('rnn.verify("eq-backward"', 'rnn.declare("eq-target")\nrnn.verify("eq-backward"')
    )
    target = "\n$$\n\\mathbf{1}^\\top y_t = 7\n$$ (eq-target)\n"
    path.write_text(path.read_text(encoding="utf-8") + target, encoding="utf-8")
    found = check_chapter(path, Session(mutants=0))
    assert found.ok
    details = {result.source.label: result.detail for result in found.results}
    assert (details["eq-target"], details["eq-shapes"]) == ("an assumption about $y_{t}$", "")
