"""What ``make mutants`` says about its results."""

import json
import tomllib
from pathlib import Path

import pytest

from tools import mutation_scores
from tools.mutation_scores import REASONS, ROOT, Rule, read_rules

KILLED, SURVIVED, NO_TESTS, TIMEOUT, UNTRIED = 1, 0, 33, 36, None


def results(folder: Path, module: str, *codes: int | None) -> None:
    """Leave results as mutmut does."""
    path = folder / "mutants" / f"{module.replace('.', '/')}.py.meta"
    path.parent.mkdir(parents=True, exist_ok=True)
    names = [f"{module}.x_step__mutmut_{number}" for number in range(len(codes))]
    path.write_text(json.dumps({"exit_code_by_key": dict(zip(names, codes, strict=True))}))


@pytest.fixture
def scores(tmp_path, monkeypatch, capsys):
    """Run the command in a folder with these results, all edits being ``a => b``."""

    def run(reasons: str = "[]", *options: str) -> tuple[int, str]:
        (tmp_path / "reasons.yml").write_text(reasons, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(mutation_scores, "REASONS", tmp_path / "reasons.yml")
        monkeypatch.setattr(
            mutation_scores, "diffs", lambda mutants: ((m, "a => b") for m in mutants)
        )
        monkeypatch.setattr("sys.argv", ["mutation_scores.py", *options])
        return mutation_scores.main(), capsys.readouterr().out

    return run


def test_no_result_is_no_success(scores):
    status, said = scores()
    assert status == 1
    assert "make mutants" in said


def test_scores_of_modules_and_groups(tmp_path, scores):
    results(tmp_path, "nndl_rnn.lstm", *[KILLED] * 18, TIMEOUT, SURVIVED, UNTRIED)
    results(tmp_path, "texproof.read.syntax", *[KILLED] * 9, NO_TESTS)
    status, said = scores()
    lines = {line.split()[0]: line.split() for line in said.splitlines() if line}
    assert lines["nndl_rnn.lstm"] == ["nndl_rnn.lstm", "20", "19", "1", "95.0%"]
    assert lines["texproof.read.syntax"] == ["texproof.read.syntax", "10", "9", "1", "90.0%"]
    assert status == 0


@pytest.mark.parametrize("module", ["nndl_rnn.lstm", "texproof.read.syntax"])
def test_one_survivor_more_is_a_failure(tmp_path, scores, module):
    results(tmp_path, "nndl_rnn.lstm", *[KILLED] * 19, SURVIVED)
    results(tmp_path, "texproof.read.syntax", *[KILLED] * 9, SURVIVED)
    assert scores()[0] == 0
    results(tmp_path, module, *[KILLED] * 8, SURVIVED)
    assert scores()[0] == 1


def test_a_reason_fits_the_function_and_the_edit(tmp_path, scores):
    results(tmp_path, "nndl_rnn.lstm", *[KILLED] * 39, SURVIVED, SURVIVED)
    reasons = '[{because: It says the same., where: %s.step, changes: ["%s"]}]'
    assert (
        "0 survivors have a reason in reasons.yml, 2 have none"
        in scores(reasons % ("nndl_rnn.gru", "a => b"))[1]
    )
    assert (
        "0 survivors have a reason in reasons.yml, 2 have none"
        in scores(reasons % ("nndl_rnn.lstm", "a => c"))[1]
    )
    status, said = scores(reasons % ("nndl_rnn.lstm", "a => *"))
    assert "2 survivors have a reason in reasons.yml, 0 have none" in said
    assert "It says the same." not in said
    assert "It says the same." in scores(reasons % ("nndl_rnn.lstm", "a => *"), "--survivors")[1]
    assert status == 0


def test_only_the_asterisk_is_a_pattern(tmp_path):
    path = tmp_path / "reasons.yml"
    path.write_text('[{because: b, where: m.f, changes: ["x[0] => x[*]"]}]', encoding="utf-8")
    [rule] = read_rules(path)
    assert rule.explains("m.f", "x[0] => x[1]")
    assert not rule.explains("m.f", "x0 => x1")
    assert not rule.explains("m.g", "x[0] => x[1]")


def test_the_reasons_of_the_project_can_be_read():
    for rule in read_rules(REASONS):
        assert isinstance(rule, Rule)
        assert rule.where.startswith(("nndl_rnn.", "texproof."))
        assert " => " in rule.change or rule.change.endswith("*")
        assert rule.because.endswith(".")


def test_a_sample_has_an_interval_which_must_reach_the_goal(tmp_path, scores):
    results(tmp_path, "texproof.read.syntax", *[KILLED] * 90, *[SURVIVED] * 10)
    results(tmp_path, "nndl_rnn.lstm", *[KILLED] * 93, *[SURVIVED] * 7, *[UNTRIED] * 900)
    status, said = scores()
    assert "93.0%, a sample of 1000: 86.3% to 96.6%, goal 95%" in said
    assert status == 0
    results(tmp_path, "nndl_rnn.lstm", *[KILLED] * 80, *[SURVIVED] * 20, *[UNTRIED] * 900)
    assert scores()[0] == 1


def test_names_of_a_sample_are_drawn_from_each_group(tmp_path, scores):
    results(tmp_path, "nndl_rnn.lstm", *[UNTRIED] * 50)
    results(tmp_path, "nndl_rnn.layers", *[UNTRIED] * 50)  # in no group
    results(tmp_path, "texproof.read.syntax", *[UNTRIED] * 3)
    status, said = scores("[]", "--sample", "10")
    names = said.split()
    assert status == 0
    assert len(names) == len(set(names)) == 13
    assert sum(name.startswith("nndl_rnn.lstm.") for name in names) == 10
    assert scores("[]", "--sample", "10")[1] == said


def test_modules_and_tests_of_the_run_are_there():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    for pattern in settings["only_mutate"]:
        assert list(ROOT.glob(pattern)), pattern
    for test in settings["pytest_add_cli_args_test_selection"]:
        path, _, function = test.rpartition("=")[2].partition("::")
        assert (ROOT / path).exists(), test
        assert not function or f"def {function}(" in (ROOT / path).read_text("utf-8"), test
