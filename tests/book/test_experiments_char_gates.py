"""The experiment on agreement: its sentences, what it measures, and its record."""

import dataclasses
import re

import numpy as np
import pytest
from experiments import char_gates as experiment
from experiments import check_recorded, run_key

from nndl_rnn import training
from nndl_rnn.parameters import block
from nndl_rnn.tasks import text

SMALL = dataclasses.replace(experiment.QUICK, trainings=((0.01, 1),), seeds=(3,), hidden_size=5)


def network(architecture, scale=3.0, hidden_size=6):
    """Random weights, large enough that units differ; the GRU, which forgets faster, keeps more."""
    size = len(experiment.read_text()[0])
    layer = experiment.ARCHITECTURES[architecture]
    model = training.SequenceModel(layer, size, hidden_size, size)
    params = model.init_params(np.random.default_rng(1))
    params = {name: scale * value for name, value in params.items()}
    if architecture == "gru":
        block(params, "z", prefix="cell.")["bias_ih"] += 4
    return model, params


def one_hot_steps(characters):
    vocabulary, _ = experiment.read_text()
    return text.one_hot(vocabulary.encode(characters)[:, None], len(vocabulary))


def test_the_quick_runs_repeat_their_record():
    check_recorded("char_gates")


def test_sentences_are_of_the_grammar_and_their_twins_differ_in_the_first_number():
    nouns, verbs = "|".join(text.NOUNS), "|".join(text.TRANSITIVE + text.INTRANSITIVE)
    sentences = experiment.all_sentences()
    assert len(set(sentences.texts)) == 4 * len(text.NOUNS) ** 2
    for n, sentence in enumerate(sentences.texts):
        found = re.fullmatch(
            f"the ({nouns})(s?) that ({verbs})(s?) the ({nouns})(s?) ({verbs})", sentence
        )
        first, plural, inner, ending, second, second_plural, last = found.groups()
        assert bool(plural) == sentences.plural[n] == (not ending)
        assert bool(second_plural) == sentences.second[n]
        assert inner in text.TRANSITIVE
        assert last in text.INTRANSITIVE
        ends = [sentence[: end + 1] for end in sentences.ends[n]]
        assert ends[0] == f"the {first}{plural}"
        assert ends[3] == f"the {first}{plural} that {inner}{ending} the "
        assert ends[4] == ends[3] + second + second_plural
        assert ends[5] == sentence
        twin = sentences.texts[sentences.twins[n]]
        changed = f"the {first}{'' if plural else 's'} that {inner}{'s' if plural else ''}"
        assert twin == changed + sentence[len(ends[2]) :]


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_sentences_read_together_are_those_read_alone(architecture):
    model, params = network(architecture)
    texts = experiment.all_sentences().texts[:100:9]
    scores, memory, _ = experiment.read(model, params, texts)
    for n, sentence in enumerate(texts):
        alone, state = model.scores(params, one_hot_steps(sentence))
        end = len(sentence) - 1
        np.testing.assert_allclose(scores[: end + 1, n], alone[:, 0], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(memory[end, n], state[-1][0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_what_the_gates_keep_is_the_product_over_the_second_noun(architecture):
    model, params = network(architecture)
    sentences = experiment.all_sentences()
    _, _, cache = experiment.read(model, params, sentences.texts)
    kept = experiment.kept_over_second_noun(cache, sentences)
    cell, _ = training.split_params(params)
    for n in (0, 77, 255):
        state, product = None, np.ones(model.hidden_size)
        for t, x_t in enumerate(one_hot_steps(sentences.texts[n])):
            state, step = model.architecture.step(cell, x_t, state)
            if sentences.ends[n, 3] < t <= sentences.ends[n, 4]:
                product *= (step.f if architecture == "lstm" else step.z)[0]
        np.testing.assert_allclose(kept[n], product, rtol=1e-9)


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_moving_a_unit_is_stepping_on_with_the_value_of_the_twin(architecture):
    model, params = network(architecture)
    sentences = experiment.all_sentences()
    scores, _, cache = experiment.read(model, params, sentences.texts)
    # Half of all sentences shall end in s, so that a small change of the state can change an ending.
    space, s = experiment.read_text()[0].encode(" s")
    last = scores[sentences.ends[:, 5], np.arange(256)]
    params["readout.bias"][s] += np.median(last[:, space] - last[:, s])
    scores, _, cache = experiment.read(model, params, sentences.texts)
    cell, readout = training.split_params(params)
    before = experiment.says_plural(scores[sentences.ends[:, 5], np.arange(256)])

    def states_after_second_noun(n):
        state = None
        for x_t in one_hot_steps(sentences.texts[n])[: sentences.ends[n, 4] + 1]:
            state, _ = model.architecture.step(cell, x_t, state)
        return [part.copy() for part in state]

    changed = 0
    for unit in range(model.hidden_size):
        moved = experiment.move_one_unit(model, params, sentences, cache, unit)
        changed += (moved != before).sum()
        for n in (5, 130):
            state = states_after_second_noun(n)
            for part, of_twin in zip(
                state, states_after_second_noun(sentences.twins[n]), strict=True
            ):
                part[:, unit] = of_twin[:, unit]
            for x_t in one_hot_steps(sentences.texts[n])[sentences.ends[n, 4] + 1 :]:
                state, _ = model.architecture.step(cell, x_t, tuple(state))
            last = state[0] @ readout["weight"].T + readout["bias"]
            assert experiment.says_plural(last)[0] == moved[n]
    assert changed > 0


def test_a_number_that_units_hold_is_told_and_another_is_not():
    rng = np.random.default_rng(0)
    number, fitted = rng.integers(2, size=400), rng.integers(2, size=400) == 1
    values = rng.normal(size=(400, 5))
    assert 0.35 < experiment.told_by_all(values, number, fitted) < 0.65
    values[:, 1] += 20 * number
    values[:, 3] = values[:, 1] - 20 * values[:, 0]
    assert experiment.best_unit(values, number) == 1
    assert experiment.told_by_all(values, number, fitted) == 1
    # Only two units together tell it: no single one does.
    hidden = np.column_stack([values[:, 2], values[:, 2] + 0.1 * number])
    assert experiment.told_by_all(hidden, number, fitted) == 1


def test_shares_of_right_endings_are_those_of_a_network_that_is_known():
    """A read-out that always prefers the space says "plural" everywhere."""
    model, params = network("gru")
    vocabulary, _ = experiment.read_text()
    params["readout.weight"][:] = 0
    params["readout.bias"][:] = 0
    params["readout.bias"][vocabulary.encode(" ")] = 1
    found = experiment.look_into(model, params)
    assert found["right"] == {"same": 0.5, "other": 0.5}
    assert found["moved"] == 0


def test_every_network_is_planned_once_and_summarised():
    wanted = experiment.plan(SMALL, {})
    finished = {run_key(one): experiment.run(**one) for one in wanted}
    assert len(finished) == 2
    assert experiment.plan(SMALL, finished) == []
    summary = experiment.summarise(SMALL, finished)
    (by_name,) = summary.values()
    assert list(by_name) == ["gru", "lstm"]
    for (result,), one in zip(by_name.values(), wanted, strict=True):
        assert result["new"] == pytest.approx(finished[run_key(one)]["new"], rel=1e-3)
        assert np.shape(result["told"]["first"]) == (len(experiment.PLACES),)
