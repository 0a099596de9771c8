"""The command line, and what it says of chapters that are wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nndl_rnn.derivation.check import check_chapter
from nndl_rnn.derivation.command import main
from nndl_rnn.derivation.session import Session

BOOK = Path(__file__).parents[2] / "book"


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
    assert out.startswith(f"ok   {path}: 1 declared, 3 defined, 3 verified (")


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
    command = [sys.executable, "-m", "nndl_rnn.derivation", "check", str(path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == status
    if status == 2:
        assert f"files: expected chapters, found no file {path}" in done.stderr


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
    good, bad = chapter(), chapter(SIGN, name="bad.md")
    assert main(["check", "--json", "--jobs", "1", str(good), str(bad)]) == 1
    first, second = json.loads(capsys.readouterr().out)
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


def test_chapters_are_checked_in_parallel_and_reported_in_order(chapter, capsys):
    paths = [str(chapter(name=f"{name}.md")) for name in "cab"]
    assert main(["check", "--jobs", "2", *paths]) == 0
    printed = [line.split()[1].rstrip(":") for line in capsys.readouterr().out.splitlines()]
    assert printed == paths


def test_a_copy_of_a_chapter_of_the_book_fails_as_soon_as_one_sign_is_changed(tmp_path):
    for page in BOOK.glob("*.md"):
        (tmp_path / page.name).write_bytes(page.read_bytes())
    path = tmp_path / "rnn.md"
    assert check_chapter(path, Session(quick=True)).problems == []
    text = path.read_text(encoding="utf-8")
    printed = text.index(r"U h_{t-1}", text.index("(eq-rnn-shapes)"))
    plus = text.rindex("+", 0, printed)
    path.write_text(text[:plus] + "-" + text[plus + 1 :], encoding="utf-8")
    [problem] = check_chapter(path, Session(quick=True)).problems
    assert "rnn.md:" in problem


# ---------------------------------------------------------------- coverage


def problems(path):
    return check_chapter(path, Session(quick=True)).problems


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


def test_an_equation_cannot_be_two_things(chapter):
    [problem] = problems(chapter(('rnn.verify("eq-backward"', 'rnn.verify("eq-forward"')))
    assert "eq-forward: the equation is defined already, it cannot be verified too" in problem


def test_a_label_that_does_not_exist_comes_with_those_that_do(chapter):
    [problem] = problems(chapter(('"eq-weights"', '"eq-weigths"')))
    assert "no equation is labelled 'eq-weigths' in rnn.md; did you mean eq-weights" in problem


def test_a_cell_that_fails_is_reported_with_its_line(chapter):
    path = chapter(("rnn.verify(", "1 / 0\nrnn.verify("))
    [problem] = problems(path)
    line = line_of(path, "1 / 0")
    assert problem.startswith(f"{path}:{line}: a derivation cell failed")
    assert f'rnn.md", line {line}' in problem
    assert "ZeroDivisionError" in problem


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


def test_a_chapter_that_names_a_missing_chapter(chapter):
    [problem] = problems(chapter(('Derivation("rnn.md"', 'Derivation("other.md"')))
    assert "chapter 'other.md': expected a Markdown file" in problem


def test_a_definition_of_another_chapter_does_not_account_for_this_ones(tmp_path, chapter):
    chapter()
    second = tmp_path / "second.md"
    second.write_text(
        "```{code-cell}\n:tags: [derivation]\nfrom nndl_rnn.derivation import Derivation\n"
        'd = Derivation("second.md", "rnn.md", T=3, n=3, m=2, q=4)\nd.declare("eq-shapes")\n```\n\n'
        "$$\nh_t = b\n$$ (eq-mine)\n"
    )
    [problem] = problems(second)
    assert "eq-mine: no derivation cell" in problem


def test_an_equation_of_another_chapter_with_the_same_label_does_not_either(tmp_path, chapter):
    chapter()
    second = tmp_path / "second.md"
    second.write_text(
        "```{code-cell}\n:tags: [derivation]\nfrom nndl_rnn.derivation import Derivation\n"
        'Derivation("rnn.md", T=3, n=3, m=2, q=4).declare("eq-shapes")\n```\n\n'
        "$$\nh_t = b\n$$ (eq-shapes)\n"
    )
    [problem] = problems(second)
    assert "second.md:8" in problem
    assert "eq-shapes: no derivation cell" in problem


# ---------------------------------------------------------------- mutate


def test_mutate_tells_the_score_and_succeeds(chapter, capsys):
    path = chapter()
    assert main(["mutate", str(path), "--sample", "3", "--seed", "2"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"ok   {path}: 9 mutants of claims")
    assert "21 mutants in 1 chapters, 0 survived unexplained" in out


def test_mutate_fails_for_an_unexplained_survivor(chapter, capsys):
    zero = (r"+ U^\top \delta^{a}_{t+1}, \\", r"+ U^\top \delta^{a}_{t+1} + 0 b, \\")
    assert main(["mutate", str(chapter(zero)), "--jobs", "1"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("FAIL")
    assert "survived: eq-backward" in out
    assert "drop term" in out
