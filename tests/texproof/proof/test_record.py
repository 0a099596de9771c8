"""Traces are found once, kept under what an equation says, and replayed."""

import json
import os
import subprocess
import sys

import pytest

from texproof.command import main
from texproof.proof import NotProved, Proved, Record, grade, search
from texproof.proof.record import PROOFS

LABEL = "eq-claim"
CLAIM = r"\delta^{a}_t = (1 - h_t^2) \odot \delta^{h}_t"


@pytest.fixture
def asked(rnn):
    """Grade one equation about the recurrent network."""

    def make(claim=CLAIM, record=None, may_search=True, **replaced):
        derivation = rnn(claim, **replaced)
        return grade(derivation.model, derivation.source(LABEL), record, may_search=may_search)

    return make


def test_a_proof_is_told_in_words(asked):
    found = asked()
    assert isinstance(found, Proved)
    assert found.how == (
        "put in the definition of $h_{t}$, "
        "expand derivatives with respect to $a_{t}$ through what reads it, compare"
    )


def test_what_is_false_is_not_proved(asked):
    found = asked(r"\delta^{a}_t = (1 + h_t^2) \odot \delta^{h}_t")
    assert isinstance(found, NotProved)
    assert found.why


def test_a_recorded_proof_is_replayed_without_a_search(asked, monkeypatch):
    record = Record()
    first = asked(record=record)
    monkeypatch.setattr(search, "find_all", None)
    assert asked(record=record) == first


def test_another_definition_has_another_proof(asked):
    record = Record()
    assert isinstance(asked(record=record), Proved)
    other = r"""\begin{aligned}
        a_t &= W x_t + U h_{t-1}, \\
        h_t &= \tanh(a_t), \\
        s_t &= V h_t
        \end{aligned}"""
    found = asked(record=record, may_search=False, forward=other)
    assert found == NotProved("none is recorded")


def test_a_trace_that_does_not_fit_is_found_anew(asked):
    record = Record()
    asked(record=record)
    [line] = record.known.values()
    good, line["proofs"] = line["proofs"], [[[0, {"by": "rewriting", "steps": [[["peel"]]]}]]]
    found = asked(record=record, may_search=False)
    assert isinstance(found, NotProved)
    assert "does not fit" in found.why
    assert isinstance(asked(record=record), Proved)
    assert [line["proofs"] for line in record.known.values()] == [good]


def test_a_record_is_a_line_for_each_equation(asked, tmp_path):
    record = Record()
    asked(record=record)
    asked(r"h_t = h_{t-1}", record)
    record.write(tmp_path / PROOFS)
    assert Record.read(tmp_path / PROOFS).known == record.known
    assert len((tmp_path / PROOFS).read_text().splitlines()) == 2 + 2
    assert Record.read(tmp_path / "nothing.json").known == {}


def test_what_is_no_record_is_refused(tmp_path):
    (tmp_path / PROOFS).write_text(json.dumps([{"label": "eq-claim"}]))
    with pytest.raises(ValueError, match="delete it to make it anew"):
        Record.read(tmp_path / PROOFS)


def test_the_command_proves_a_chapter_and_replays_it(tmp_path, rnn_chapter, capsys):
    path = tmp_path / "rnn.md"
    path.write_text(rnn_chapter, encoding="utf-8")
    assert main(["prove", "--jobs", "1", str(path)]) == 0
    assert "3 verified, 3 proved" in capsys.readouterr().out
    kept = (tmp_path / PROOFS).read_bytes()
    assert main(["prove", "--jobs", "1", "--replay", str(path)]) == 0
    assert "3 verified, 3 proved" in capsys.readouterr().out
    assert (tmp_path / PROOFS).read_bytes() == kept


def test_the_same_trace_is_found_by_every_run(asked):
    found = []
    for _ in range(2):
        record = Record()
        asked(record=record)
        found.append(record.known)
    assert found[0] == found[1]


@pytest.mark.parametrize("seed", ["1", "4711"])
def test_traces_do_not_depend_on_the_order_of_hashes(tmp_path, rnn_chapter, seed):
    """Sets are walked through in another order: the same proofs are found, and those of another process replayed."""
    path = tmp_path / "rnn.md"
    path.write_text(rnn_chapter, encoding="utf-8")
    assert main(["prove", "--jobs", "1", str(path)]) == 0
    kept = (tmp_path / PROOFS).read_bytes()
    command = [sys.executable, "-m", "texproof", "prove", "--jobs", "1", str(path)]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"}
    for options in (["--replay"], []):
        if not options:
            (tmp_path / PROOFS).unlink()
        done = subprocess.run([*command, *options], capture_output=True, text=True, env=environment)
        assert "3 verified, 3 proved" in done.stdout, done.stderr
        assert (tmp_path / PROOFS).read_bytes() == kept
