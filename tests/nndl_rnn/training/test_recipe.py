"""The recipe of the reference: the very text that a reader copies, run in an empty folder."""

import re
from pathlib import Path

from nndl_rnn import training

PAGE = Path(__file__).resolve().parents[3] / "book" / "api_training.md"


def test_the_recipe_runs_and_does_what_it_says(tmp_path, monkeypatch, capsys):
    (recipe,) = re.findall("```python\n(.*?)```", PAGE.read_text("utf-8"), flags=re.S)
    assert len(recipe.split("\n\n")) == 2  # imports, and the rest
    assert len(re.findall(r"^.+$", recipe, flags=re.M)) <= 20
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(recipe, str(PAGE), "exec"), names)
    saved, state = training.load_checkpoint("run.npz"), names["state"]
    assert saved.stopped.startswith("held-out loss: none of 3 epochs had less than ")
    assert saved.epoch == len(saved.history) - 3 < 197
    best = names["held_out"](saved.params)["held-out loss"]
    assert best == saved.column("held-out loss").min()
    assert names["held_out"](state.params)["held-out loss"] < best
    assert (tmp_path / "run.svg").stat().st_size > 0
    assert capsys.readouterr().out.startswith("the ")
