"""A gradient check doubts itself first: right gradients are not accused, whatever the program."""

import math

import numpy as np
import pytest

from nndl_rnn import gradcheck, gru, rnn

T, B, D, H = 4, 2, 3, 5


def problem(scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    params = rnn.init_params(rng, D, H)
    params = {name: scale * rng.normal(size=array.shape) for name, array in params.items()}
    return params, rng.normal(size=(T, B, D)), rng.normal(size=(T, B, H))


def states(p, x):
    """As a program would compute them that was written without complex numbers in mind."""
    h = [np.zeros((B, H))]
    for x_t in x:
        h.append(
            np.tanh(x_t @ p["weight_ih"].T + h[-1] @ p["weight_hh"].T + p["bias_ih"] + p["bias_hh"])
        )
    return np.array(h[1:])


def buffered(p, x):
    h = np.zeros((B, T, H))
    for t in range(T):
        before = h[:, t - 1] if t else np.zeros((B, H))
        h[:, t] = np.tanh(
            x[t] @ p["weight_ih"].T + before @ p["weight_hh"].T + p["bias_ih"] + p["bias_hh"]
        )
    return h.swapaxes(0, 1)


def narrow(p):
    return {name: array.astype(np.float32) for name, array in p.items()}


# Each: what the loss computes of (params, x, w), and the direct gradient by the hidden states.
STYLES = {
    "list of states": (lambda p, x, w: np.sum(w * states(p, x)), lambda h, w: w),
    "real buffer": (lambda p, x, w: np.sum(w * buffered(p, x)), lambda h, w: w),
    "real buffer and a term that stays complex": (
        lambda p, x, w: np.sum(w * buffered(p, x)) + 0 * np.sum(p["bias_ih"]),
        lambda h, w: w,
    ),
    "vdot": (lambda p, x, w: np.vdot(states(p, x), states(p, x)), lambda h, w: 2 * h),
    "norm": (lambda p, x, w: np.linalg.norm(states(p, x)) ** 2, lambda h, w: 2 * h),
    "abs": (lambda p, x, w: np.sum(w * np.abs(states(p, x)) ** 2), lambda h, w: 2 * w * h),
    "float32 inside": (lambda p, x, w: np.sum(w * states(narrow(p), x)), lambda h, w: w),
    "math": (
        lambda p, x, w: math.fsum(float(value) for value in (w * states(p, x)).ravel()),
        lambda h, w: w,
    ),
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("scale", [0.01, 1.0])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_right_gradient_is_not_accused(style, scale, dtype):
    for seed in range(3):
        params, x, w = problem(scale, seed)
        loss, direct = STYLES[style]
        h, _, cache = rnn.forward(params, x)
        right = {n: g.astype(dtype) for n, g in rnn.backward(cache, direct(h, w))[0].items()}
        report = gradcheck.check_gradient(lambda p: loss(p, x, w), params, right)  # noqa: B023
        assert report.agrees, report
        wrong = {**right, "weight_hh": right["weight_hh"] * dtype(1.5)}
        report = gradcheck.check_gradient(lambda p: loss(p, x, w), params, wrong)  # noqa: B023
        assert [b.name for b in report.blocks if b.verdict != "yes"] == ["weight_hh"], report
        assert ("central differences: the function" in str(report)) == (style != "list of states")


def test_what_breaks_the_complex_step_is_named():
    point = {"a": np.array([0.5, 2.0])}
    right = {"a": 2 * point["a"]}

    def buffer(v):
        square = np.zeros(2)
        square[:] = v["a"] ** 2
        return np.sum(square) + 0 * v["a"][0]

    for function, word in {
        buffer: "real array",
        (lambda v: np.vdot(v["a"], v["a"])): "not analytic",
        (lambda v: np.linalg.norm(v["a"]) ** 2): "drops the imaginary part",
        (lambda v: math.fsum([float(a) ** 2 for a in v["a"]])): "real array",
    }.items():
        report = gradcheck.check_gradient(function, point, right)
        assert report
        assert word in report.notes[0]
        with pytest.raises(TypeError, match=rf"^function: expected an analytic .*{word}"):
            gradcheck.check_gradient(function, point, right, method="complex_step")
    with pytest.raises(TypeError, match="real array"):
        gradcheck.complex_step(buffer, point)


def test_a_function_with_two_values_at_one_point_is_refused():
    point, rng = {"a": np.array([0.5, 2.0])}, np.random.default_rng(0)
    kept = {"h": 0.0}

    def stateful(v):
        kept["h"] = np.tanh(v["a"] @ v["a"] + kept["h"])
        return kept["h"]

    for function in (stateful, lambda v: np.sum(v["a"] * (rng.random(2) > 0.5))):
        with pytest.raises(ValueError, match="keeps a state between calls"):
            gradcheck.check_gradient(function, point, point)


def test_a_backward_pass_that_writes_into_what_the_loss_reads_is_refused():
    params, x, w = problem()
    d_h = w.copy()

    def backward(p):
        _, _, cache = rnn.forward(p, x)
        for t in range(T - 1):
            d_h[t] += 1
        return rnn.backward(cache, d_h)[0]

    def loss(p):
        return np.sum(d_h * rnn.forward(p, x)[0])

    with pytest.raises(ValueError, match=r"^gradient: .*such as d_h: copy it first"):
        gradcheck.check_gradient(loss, params, backward)

    def spoils(p):
        p["bias_ih"] += 1
        return p

    with pytest.raises(ValueError, match=r"writes into \['bias_ih'\]"):
        gradcheck.check_gradient(loss, params, spoils)
    right = gradcheck.check_gradient(
        loss, params, lambda p: rnn.backward(rnn.forward(p, x)[2], d_h)[0]
    )
    assert right.agrees


@pytest.mark.parametrize("method", ["complex_step", "central_difference"])
@pytest.mark.parametrize(
    ("factor", "text"), [(T, "4"), (1 / T, "1/4"), (-1, "-1"), (2, "2"), (0, "0"), (0.3, "0.3")]
)
def test_a_constant_ratio_is_named(method, factor, text):
    params, x, w = problem()
    gradient = rnn.backward(rnn.forward(params, x)[2], w)[0]
    gradient["weight_hh"] = gradient["weight_hh"] * factor
    report = gradcheck.check_gradient(
        lambda p: np.sum(w * rnn.forward(p, x)[0]), params, gradient, method=method
    )
    assert report["weight_hh"].remark.startswith(f"{text} times what is expected")
    assert [block.name for block in report.blocks if block.remark] == ["weight_hh"]


def test_the_worst_entry_and_the_rows_are_named():
    expected = np.arange(1.0, 25).reshape(8, 3)
    actual = expected.copy()
    actual[4:6] += [[1, 2, 3], [4, 5, 6]]
    block = gradcheck.compare({"w": actual}, {"w": expected}, tolerance=1e-9)["w"]
    assert (block.index, block.actual, block.expected) == ((5, 2), 24.0, 18.0)
    assert block.pattern == "only in rows 4 to 5 of 8 (block 3 of 4, as gates are stacked)"
    actual = np.where([True, False, False], expected, -expected)
    block = gradcheck.compare({"w": actual}, {"w": expected}, tolerance=1e-9)["w"]
    assert block.pattern == "only in columns 1 to 2 of 3"


def test_clipped_gradients_are_not_called_wrong():
    params, x, w = problem()
    right = rnn.backward(rnn.forward(params, x)[2], w)[0]
    bound = np.median(np.abs(right["weight_hh"]))
    clipped = {name: np.clip(g, -bound, bound) for name, g in right.items()}
    report = gradcheck.check_gradient(lambda p: np.sum(w * rnn.forward(p, x)[0]), params, clipped)
    assert "clipped" in report.doubts[0]
    assert " NO" not in str(report)
    assert not report
    wrong = clipped | {"weight_ih": -clipped["weight_ih"]}
    report = gradcheck.check_gradient(lambda p: np.sum(w * rnn.forward(p, x)[0]), params, wrong)
    assert not report.doubts


def test_zero_blocks_some_blocks_and_other_shapes():
    params, x, w = problem()
    right = rnn.backward(rnn.forward(params, x[:1])[2], w[:1])[0]

    def loss(p):
        return np.sum(w[:1] * rnn.forward(p, x[:1])[0])

    report = gradcheck.check_gradient(loss, params, right)
    assert report["weight_hh"].verdict == "zero"
    assert "weight_hh: nothing to compare" in str(report)
    column = {"bias_ih": right["bias_ih"][:, np.newaxis]}
    report = gradcheck.check_gradient(loss, params, column)
    assert report.agrees
    assert report.unchecked == ("weight_ih", "weight_hh", "bias_hh")
    assert "shape (5, 1) read as (5,)" in str(report)
    with pytest.raises(ValueError, match="'d_weight_ih'; did you mean 'weight_ih'"):
        gradcheck.check_gradient(loss, params, {"d_weight_ih": right["weight_ih"]})
    with pytest.raises(TypeError, match="a tuple of 2 values: return the loss alone"):
        gradcheck.check_gradient(lambda p: (loss(p), right), params, right)
    with pytest.raises(ValueError, match=r"^gradient\['weight_ih'\]: expected shape"):
        gradcheck.check_gradient(loss, params, {"weight_ih": right["weight_ih"].T})


def test_central_differences_do_not_judge_what_they_cannot_see():
    point = {"a": np.array([0.5, 0.7]), "tiny": np.array([1.0, 2.0])}

    def function(v):
        return np.abs(1e3 + np.sum(v["a"] ** 2)) + 1e-9 * np.sum(v["tiny"] ** 2)

    gradient = {"a": 2 * point["a"], "tiny": 2e-9 * point["tiny"]}
    report = gradcheck.check_gradient(function, point, gradient)
    assert (report["a"].verdict, report["tiny"].verdict) == ("yes", "?")
    assert "tiny: cannot tell" in str(report)


@pytest.mark.parametrize(("module", "scale", "seed"), [(rnn, 3, 1), (gru, 3, 0), (gru, 10, 9)])
def test_a_function_that_bends_much_is_still_analytic(module, scale, seed):
    """Where a central difference with a step of 1e-6 is off by more than 1e-5."""
    rng = np.random.default_rng(seed)
    params = {n: scale * rng.normal(size=a.shape) for n, a in module.init_params(rng, 3, 8).items()}
    x, w = rng.normal(size=(20, 4, 3)), rng.normal(size=(20, 4, 8))

    def loss(p):
        return np.sum(w * module.forward(p, x)[0])

    right = {"bias_ih": module.backward(module.forward(params, x)[2], w)[0]["bias_ih"]}
    report = gradcheck.check_gradient(loss, params, right, tolerance=1e-10)
    assert report.agrees
    assert not report.notes
