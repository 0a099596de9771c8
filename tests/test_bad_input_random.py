"""A valid call, spoiled at random in one argument: always refused by name, never with an effect.

Each call is drawn with random sizes and values, then one argument is replaced by something that it
may not be, in a way that fits its kind: another type, dtype, rank or size, a number that is not
finite, a missing or a further entry, an option that is spelled otherwise. The error must be a
ValueError or a TypeError whose message begins with the argument's name. No argument may have
changed, and, as in all tests, a warning is an error.
"""

import functools
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nndl_rnn import (
    bptt,
    costs,
    gradient_flow,
    gru,
    initialisers,
    jacobians,
    losses,
    lstm,
    residual,
    rnn,
    training,
)
from nndl_rnn.tasks import text

MODULES = {"rnn": rnn, "residual": residual, "lstm": lstm, "gru": gru}
OPTIONS = {
    "nonlinearity": ("tanh", "identity"),
    "reset": ("after", "before"),
    "update": ("keep", "write"),
    "over_time": ("mean", "sum"),
    "over_batch": ("mean", "sum"),
}
CHOICES = {choice for choices in OPTIONS.values() for choice in choices}
FORMS = {
    rnn: ("nonlinearity",),
    residual: (),
    lstm: (),
    gru: ("reset", "update"),
}

# What no argument of the calls below may be, but where VALID says so.
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=8),
    st.lists(st.floats(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from(
        [object(), (), np.float64(0.5), np.array("text"), np.zeros(2, object), 10**400]
    ),
    st.builds(torch.zeros, st.integers(0, 2)),
    st.builds(iter, st.just(())),
    st.builds(memoryview, st.just(b"bytes")),
    st.builds(lambda: np.ma.masked_array([1.0, 2.0], [True, False])),
    st.just(lambda *arguments: None),
    st.just(SimpleNamespace()),
)


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


# Which junk would be valid, or nearly, for each kind of argument.
VALID = {
    "array": lambda value: False,
    "leading array": lambda value: False,
    "any targets": lambda value: False,
    "params": lambda value: False,
    "gradients": lambda value: isinstance(value, dict) and not value,
    "optional gradients": lambda value: value is None,
    "optional state": lambda value: value is None,
    "cache": lambda value: False,
    "size": lambda value: is_number(value) and value >= 1,
    "count": lambda value: is_number(value) and value >= 0,
    "number": is_number,
    "rng": lambda value: False,
    "flag": lambda value: isinstance(value, bool),
    "option": lambda value: isinstance(value, str) and value in CHOICES,
    "architecture": lambda value: False,
}


# ---------------------------------------------------------------- valid calls


def example(module, seed, steps, batch, input_size, hidden_size, bias):
    rng = np.random.default_rng(seed)
    params = module.init_params(rng, input_size, hidden_size, bias=bias)
    fields = len(module.STATE_FIELDS)
    x = rng.normal(size=(steps, batch, input_size))
    state = tuple(rng.normal(size=(fields, batch, hidden_size)))
    form = {name: OPTIONS[name][rng.integers(2)] for name in FORMS[module]}
    return SimpleNamespace(
        rng=rng,
        params=params,
        x=x,
        state=state,
        d_h=rng.normal(size=(steps, batch, hidden_size)),
        d_state=tuple(rng.normal(size=(fields, batch, hidden_size))),
        form=form,
        cache=module.forward(params, x, state, **form)[2],
        step_cache=module.step(params, x[0], state, **form)[1],
        into={name: rng.normal(size=value.shape) for name, value in params.items()},
        sizes=(input_size, hidden_size),
    )


def network_calls(module, e):
    """The five functions: for each its arguments, with their kinds."""
    options = {name: ("option", value) for name, value in e.form.items()}
    params, state = ("params", e.params), ("optional state", e.state)
    d_state = ("optional state", e.d_state)
    sizes = {"input_size": ("size", e.sizes[0]), "hidden_size": ("size", e.sizes[1])}
    calls = {
        "init_params": {"rng": ("rng", e.rng), **sizes, "bias": ("flag", True)},
        "step": {"params": params, "x_t": ("array", e.x[0]), "state": state, **options},
        "step_backward": {"cache": ("cache", e.step_cache), "d_state": d_state},
        "forward": {"params": params, "x": ("array", e.x), "state": state, **options},
        "backward": {
            "cache": ("cache", e.cache),
            "d_h": ("array", e.d_h),
            "d_state": d_state,
            "into": ("optional gradients", e.into),
        },
    }
    if module is lstm:
        calls["init_params"]["forget_bias"] = ("number", 1.0)
    if module is not residual:
        calls["split_gates"] = {"params": params}
    return {name: (getattr(module, name), arguments) for name, arguments in calls.items()}


def bptt_calls(module, e):
    common = {
        "architecture": ("architecture", module),
        "params": ("params", e.params),
        "x": ("array", e.x),
        "d_h": ("array", e.d_h),
        "state": ("optional state", e.state),
        "d_state": ("optional state", e.d_state),
    }
    settings_of = {
        "full": {},
        "checkpointed": {"segments": ("size", 2)},
        "windowed": {"tau": ("size", 2)},
        "chunked": {"k1": ("size", 1), "k2": ("size", 2)},
        "reweighted": {"xi": ("array", np.ones(len(e.x)))},
        "randomized": {"pi": ("number", 0.5), "rng": ("rng", e.rng)},
    }
    calls = {name: (getattr(bptt, name), common | own) for name, own in settings_of.items()}
    calls["draw_factors"] = (
        bptt.draw_factors,
        {"pi": ("number", 0.5), "steps": ("count", 3), "rng": ("rng", e.rng)},
    )
    calls["kept_bytes"] = (bptt.kept_bytes, {"cache": ("cache", e.cache)})
    return calls


def loss_calls(e):
    scores = e.d_h
    shares = losses.softmax(np.flip(scores))
    classes = e.rng.integers(0, scores.shape[-1], size=scores.shape[:2])
    reductions = {"over_time": ("option", "mean"), "over_batch": ("option", "sum")}
    leading = {"scores": ("leading array", scores)}
    return {
        "squared_error": (
            losses.squared_error,
            {"prediction": ("leading array", scores), "target": ("array", shares), **reductions},
        ),
        "sigmoid_cross_entropy": (
            losses.sigmoid_cross_entropy,
            {**leading, "target": ("array", shares), **reductions},
        ),
        "cross_entropy": (
            losses.cross_entropy,
            {**leading, "target": ("any targets", classes), **reductions},
        ),
        "perplexity": (losses.perplexity, {"mean_cross_entropy": ("number", 1.5)}),
    }


def training_calls(e):
    params = {f"w{k}": value for k, value in enumerate(e.params.values())}
    gradients = {name: value + 1 for name, value in params.items()}
    momentum, adam = training.SGD(0.1, 0.9), training.Adam()
    calls = {
        "clip_by_global_norm": (
            training.clip_by_global_norm,
            {"gradients": ("gradients", gradients), "max_norm": ("number", 1.0)},
        ),
        "clip_by_value": (
            training.clip_by_value,
            {"gradients": ("gradients", gradients), "limit": ("number", 1.0)},
        ),
        "global_norm": (training.global_norm, {"gradients": ("gradients", gradients)}),
        "SGD": (
            training.SGD,
            {"learning_rate": ("number", 0.1), "momentum": ("number", 0.5)},
        ),
        "Adam": (
            training.Adam,
            {
                "learning_rate": ("number", 0.1),
                "beta1": ("number", 0.5),
                "beta2": ("number", 0.5),
                "epsilon": ("number", 1e-8),
            },
        ),
        "SequenceModel": (
            training.SequenceModel,
            {
                "architecture": ("architecture", rnn),
                "input_size": ("size", 2),
                "hidden_size": ("size", 3),
                "output_size": ("size", 1),
            },
        ),
        "minibatches": (
            training.minibatches,
            {"x": ("leading array", e.x), "batch_size": ("size", 1), "targets": ("frozen", e.d_h)},
        ),
    }
    for optimizer in (momentum, adam):
        calls[type(optimizer).__name__ + ".update"] = (
            functools.partial(optimizer.update, params),
            {
                "gradients": ("optional gradients", gradients),
                "state": ("optional gradients", optimizer.init(params)),
            },
        )
    return calls


def other_calls(module, e):
    last = e.d_h[-1]
    calls = {
        "orthogonal": (
            initialisers.orthogonal,
            {
                "rng": ("rng", e.rng),
                "rows": ("size", 2),
                "columns": ("size", 3),
                "gain": ("number", 0.5),
            },
        ),
        "identity": (initialisers.identity, {"size": ("size", 2), "gain": ("number", 0.5)}),
        "gradient_flow": (
            gradient_flow.gradient_flow,
            {
                "architecture": ("architecture", module),
                "params": ("params", e.params),
                "d_h_last": ("array", last),
                "x": ("frozen", e.x),
            },
        ),
        "parameters": (
            costs.parameters,
            {
                "architecture": ("architecture", module),
                "input_size": ("size", 2),
                "hidden_size": ("size", 3),
            },
        ),
        "one_hot": (text.one_hot, {"indices": ("frozen", [0]), "size": ("size", 2)}),
    }
    if module is not residual:
        calls["lags"] = (
            jacobians.lags,
            {
                "architecture": ("architecture", module),
                "params": ("params", e.params),
                "x": ("array", e.x),
                "state": ("optional state", e.state),
            },
        )
    return calls


def all_calls(module, e):
    return (
        network_calls(module, e)
        | bptt_calls(module, e)
        | loss_calls(e)
        | training_calls(e)
        | other_calls(module, e)
    )


# ---------------------------------------------------------------- spoilers


@st.composite
def spoiled_array(draw, value, dtypes, axes):
    """An array of a wrong dtype, rank or size, or with an entry that is not finite."""
    ways = ["dtype", "one axis more", "one axis less", "not finite", "list", "masked", "subclass"]
    way = draw(st.sampled_from(ways + (["size"] if axes else [])))
    if way == "dtype":
        return value.astype(draw(st.sampled_from(dtypes)))
    if way == "one axis more":
        return value[np.newaxis]
    if way == "one axis less":
        return value[0]
    if way == "list":
        return value.tolist()
    if way == "masked":
        return np.ma.masked_array(value, value > 0)
    if way == "subclass":
        return value.view(type("Quantity", (np.ndarray,), {}))
    if way == "size":
        return np.repeat(value, 2, axis=draw(st.sampled_from(axes)))
    spoiled = value.copy()
    place = tuple(draw(st.integers(0, size - 1)) for size in value.shape)
    spoiled[place] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    return spoiled


FOREIGN = (np.int64, np.float16, np.complex64, np.bool_, object)
FOLLOWING = (*FOREIGN, np.float32)  # where another float64 array sets the dtype


@st.composite
def spoiled(draw, name, kind, value):
    """Something that the argument may not be."""
    if kind == "array":
        axes = [-1] if name in ("x", "x_t") else list(range(value.ndim))
        dtypes = FOREIGN if name == "xi" else FOLLOWING
        own = spoiled_array(value, dtypes, axes)
    elif kind == "leading array":
        own = spoiled_array(value, FOREIGN, ()).filter(lambda v: getattr(v, "ndim", 3) == 3)
    elif kind == "any targets":
        own = st.sampled_from([value.tolist(), value[0], value + 10**6, -1 - value, value > 0])
    elif kind in ("params", "optional gradients", "gradients"):
        own = spoiled_dict(kind, value)
    elif kind == "optional state":
        own = spoiled_tuple(value)
    elif kind == "cache":
        own = st.sampled_from([type(value), (value,), SimpleNamespace(params={}), {"cache": value}])
    elif kind == "size":
        own = st.sampled_from([0, -1, float(value), True, str(value), np.array([1, 2]), 2**63])
    elif kind == "count":
        own = st.sampled_from([-1, float(value), False, str(value), None, 2**63])
    elif kind == "number":
        nan, inf = float("nan"), float("inf")
        own = st.sampled_from([nan, inf, -inf, 1j, True, "1.0", np.ones(2), 10**400])
    elif kind == "flag":
        own = st.sampled_from([0, 1, "True", None])
    elif kind == "option":
        own = st.sampled_from([value.upper(), value + " ", "", value.encode(), (value,), None])
    elif kind == "architecture":
        own = st.sampled_from([value.__name__, value.forward, losses])
    else:
        own = st.sampled_from([0, np.random.RandomState(0), np.random])
    junk = JUNK.filter(lambda v: not VALID[kind](v) and v is not value)
    return draw(st.one_of(own, own, junk))


@st.composite
def spoiled_dict(draw, kind, value):
    """A dict with one entry less, one more, or one spoiled."""
    names = sorted(value)
    name = draw(st.sampled_from(names))
    if kind == "gradients":  # of anything: only types and finite entries can be wrong
        return value | {name: draw(st.sampled_from([None, 1.0, [1.0], np.array(["a"])]))}
    way = draw(st.sampled_from(["missing", "further", "spoiled", "pairs"]))
    if way == "missing":
        return {key: value[key] for key in names if key != name}
    if way == "further":
        return value | {draw(st.sampled_from(["bias", "weight_hh_l0", 0])): value[name]}
    if way == "pairs":
        return list(value.items())
    array = value[name]
    if kind == "params":
        return value | {name: draw(spoiled_array(array, FOREIGN, (0,)))}
    # Of gradients and of an optimizer's memory it is not asked that they be finite.
    wrong = [array[np.newaxis], array.tolist(), None, array.astype(np.float16), np.ma.array(array)]
    return value | {name: draw(st.sampled_from(wrong))}


@st.composite
def spoiled_tuple(draw, value):
    """A state with one part less, one more, or one spoiled."""
    way = draw(st.sampled_from(["missing", "further", "spoiled", "list", "stacked"]))
    if way == "missing":
        return value[1:]
    if way == "further":
        return (*value, value[0])
    if way == "list":
        return list(value)
    if way == "stacked":
        return np.array(value)
    place = draw(st.integers(0, len(value) - 1))
    part = draw(
        st.one_of(
            spoiled_array(value[place], FOLLOWING, (0, 1)), st.sampled_from([None, 0.0, "h", []])
        )
    )
    return (*value[:place], part, *value[place + 1 :])


# ---------------------------------------------------------------- what must hold


def snapshot(value):
    """Everything about a value that a call could change."""
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, np.ndarray):
        return value.shape, str(value.dtype), value.strides, value.tobytes()
    if isinstance(value, dict):
        return [(name, snapshot(entry)) for name, entry in value.items()]
    if isinstance(value, tuple | list):
        return [snapshot(entry) for entry in value]
    fields = getattr(value, "__dataclass_fields__", None)
    if fields and not isinstance(value, type):
        return [snapshot(getattr(value, name)) for name in fields]
    return id(value)


examples = {
    "seed": st.integers(0, 2**32 - 1),
    "steps": st.integers(2, 4),
    "batch": st.integers(2, 3),
    "input_size": st.integers(2, 3),
    "hidden_size": st.integers(2, 4),
    "bias": st.booleans(),
}
CALLS = sorted(
    {
        (name, function)
        for name, module in MODULES.items()
        for function in all_calls(module, example(module, 0, 3, 2, 2, 3, True))
        if name == "rnn" or function in network_calls(module, example(module, 0, 3, 2, 2, 3, True))
    }
)


@pytest.mark.parametrize(("architecture", "function"), CALLS)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(problem=st.fixed_dictionaries(examples), data=st.data())
def test_a_spoiled_call_is_refused_by_name_and_has_no_effect(architecture, function, problem, data):
    module = MODULES[architecture]
    call, arguments = all_calls(module, example(module, **problem))[function]
    names = [name for name, (kind, _) in arguments.items() if kind != "frozen"]
    name = data.draw(st.sampled_from(names), label="argument")
    values = {key: value for key, (_, value) in arguments.items()}
    values[name] = data.draw(spoiled(name, *arguments[name]), label="spoiled")
    # T random numbers are drawn before the network sees the other arguments, as documented.
    drawn = ("rng",) if function == "randomized" else ()
    before = snapshot({key: value for key, value in values.items() if key not in drawn})
    with pytest.raises((TypeError, ValueError)) as refused:
        call(**values)
    message = str(refused.value)
    assert message.startswith((f"{name}: expected ", f"{name}[")), message
    assert ", got " in message
    assert refused.type in (TypeError, ValueError)
    assert snapshot({key: value for key, value in values.items() if key not in drawn}) == before


@pytest.mark.parametrize(("architecture", "function"), CALLS)
@settings(max_examples=3, deadline=None, derandomize=True)
@given(problem=st.fixed_dictionaries(examples))
def test_the_same_call_is_accepted_before_it_is_spoiled(architecture, function, problem):
    """Or the test above would accept a function that refuses everything."""
    module = MODULES[architecture]
    call, arguments = all_calls(module, example(module, **problem))[function]
    values = {key: value for key, (_, value) in arguments.items()}
    written = ("into", "rng")  # what a valid call may change
    before = snapshot({key: value for key, value in values.items() if key not in written})
    call(**values)
    assert snapshot({k: v for k, v in values.items() if k not in written}) == before
