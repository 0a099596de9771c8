"""Checkpoints that are damaged, incomplete or no checkpoints: refused, or the same numbers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nndl_rnn import rnn, training

START = training.start(training.SequenceModel(rnn, 2, 5, 3), training.Adam(), seed=0)


def changed_about(path, change):
    """Change what a checkpoint says beside its arrays."""
    with np.load(path) as archive:
        arrays = dict(archive)
    about = json.loads(str(arrays.pop("about")))
    np.savez(path, about=np.array(json.dumps(change(about))), **arrays)


@pytest.mark.parametrize("missing", ["format", "rng_state", "epoch", "updates", "history"])
def test_a_checkpoint_without_an_entry_is_refused(tmp_path, missing):
    path = tmp_path / "state.npz"
    training.save_checkpoint(path, START)
    changed_about(path, lambda about: {name: about[name] for name in about if name != missing})
    with pytest.raises(ValueError, match="checkpoint") as raised:
        training.load_checkpoint(path)
    assert (
        str(raised.value) == f"path: expected a checkpoint, got {path}, which is none: '{missing}'"
    )


def test_a_checkpoint_that_says_something_else_is_refused(tmp_path):
    path = tmp_path / "state.npz"
    training.save_checkpoint(path, START)
    changed_about(path, lambda about: [about])
    with pytest.raises(ValueError, match=r"^path: expected a checkpoint, got .*, which is none: "):
        training.load_checkpoint(path)
    changed_about(path, lambda about: about[0] | {"format": None})
    with pytest.raises(ValueError, match="format") as raised:
        training.load_checkpoint(path)
    assert str(raised.value) == f"path: expected checkpoint format 1, got None in {path}"


def test_a_folder_is_no_checkpoint_and_a_missing_folder_takes_none(tmp_path):
    with pytest.raises(ValueError, match=r"^path: expected a checkpoint, got .*, which is none: "):
        training.load_checkpoint(tmp_path)
    with pytest.raises(FileNotFoundError):
        training.load_checkpoint(tmp_path / "missing.npz")
    with pytest.raises(FileNotFoundError):
        training.save_checkpoint(tmp_path / "missing" / "state.npz", START)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "state.npz"
    training.save_checkpoint(path, replace(START, history=({"loss": 0.5},), epoch=1, updates=2))
    return path


def same_state(one, other):
    arrays = [
        {**state.params, **{f"of {name}": v for name, v in state.optimizer_state.items()}}
        for state in (one, other)
    ]
    return (
        arrays[0].keys() == arrays[1].keys()
        and all(np.array_equal(arrays[0][name], arrays[1][name]) for name in arrays[0])
        and replace(one, params={}, optimizer_state={})
        == replace(other, params={}, optimizer_state={})
    )


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_damaged_checkpoint_is_refused_or_means_the_same(checkpoint, data):
    """A wrong byte or a lost end never gives other numbers, and never another kind of error."""
    whole = checkpoint.read_bytes()
    damaged = bytearray(whole)
    place = data.draw(st.integers(0, len(whole) - 1), label="place")
    if data.draw(st.booleans(), label="cut off"):
        del damaged[place:]
    else:
        damaged[place] ^= data.draw(st.integers(1, 255), label="bits")
    path = checkpoint.with_name("damaged.npz")
    path.write_bytes(bytes(damaged))
    found, message = None, ""
    try:
        found = training.load_checkpoint(path)
    except ValueError as error:
        message = str(error)
    if found is None:
        assert message.startswith("path: expected ")
    else:
        assert same_state(found, training.load_checkpoint(checkpoint))
