"""Gradient checks: they find the derivative, they see an error, they never pass by accident."""

import numpy as np
import pytest

from nndl_rnn import gradcheck

RNG = np.random.default_rng(0)
POINT = {"w": RNG.normal(size=(2, 3)), "b": RNG.normal(size=4), "s": np.array(0.7)}


def function(v):
    """Analytic, and joins the three blocks, so that a block left at the wrong value shows."""
    return np.sum(np.tanh(v["w"]) ** 2) * np.sum(np.exp(v["b"])) + v["s"] ** 3 * np.sum(v["w"])


def gradient(v):
    tanh, rest = np.tanh(v["w"]), np.sum(np.exp(v["b"]))
    return {
        "w": 2 * tanh * (1 - tanh**2) * rest + v["s"] ** 3,
        "b": np.sum(tanh**2) * np.exp(v["b"]),
        "s": np.asarray(3 * v["s"] ** 2 * np.sum(v["w"])),
    }


@pytest.mark.parametrize(
    ("differentiate", "tolerance"),
    [(gradcheck.central_difference, 1e-9), (gradcheck.complex_step, 1e-14)],
)
def test_numeric_derivatives_find_the_gradient(differentiate, tolerance):
    before = {name: array.copy() for name, array in POINT.items()}
    found = differentiate(function, POINT)
    assert gradcheck.compare(found, gradient(POINT), tolerance=tolerance)
    for name in POINT:
        np.testing.assert_array_equal(POINT[name], before[name])
        assert found[name].dtype == np.float64


@pytest.mark.parametrize("differentiate", [gradcheck.central_difference, gradcheck.complex_step])
def test_a_function_that_works_in_place_does_no_harm(differentiate):
    def in_place(v):
        v["w"] *= 2
        return np.sum(v["w"] ** 2)

    found = differentiate(in_place, {"w": POINT["w"]})
    np.testing.assert_allclose(found["w"], 8 * POINT["w"], rtol=1e-7)


@pytest.mark.parametrize("differentiate", [gradcheck.central_difference, gradcheck.complex_step])
def test_arrays_are_never_written_to(differentiate):
    locked = {name: array.copy() for name, array in POINT.items()}
    for array in locked.values():
        array.flags.writeable = False
    assert gradcheck.compare(differentiate(function, locked), gradient(POINT), tolerance=1e-9)


def test_central_difference_has_an_error_of_second_order():
    at = {"x": np.array([0.4])}
    exact = np.exp(0.4)
    errors = [
        abs(
            gradcheck.central_difference(lambda v: np.exp(v["x"][0]), at, step=step)["x"][0] - exact
        )
        for step in (1e-2, 1e-3)
    ]
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.01)


def test_default_step_grows_with_the_entry():
    at = {"x": np.array([1e6])}
    found = gradcheck.central_difference(lambda v: v["x"][0] ** 2, at)["x"]
    np.testing.assert_allclose(found, 2e6, rtol=1e-9)


def test_complex_step_needs_no_tuning():
    for step in (1e-12, 1e-30, 1e-100):
        found = gradcheck.complex_step(function, POINT, step=step)
        assert gradcheck.compare(found, gradient(POINT), tolerance=1e-14)


@pytest.mark.parametrize("method", ["complex_step", "central_difference"])
def test_check_gradient_tells_right_from_wrong(method):
    right = gradient(POINT)
    report = gradcheck.check_gradient(function, POINT, right, method=method)
    assert report
    report.assert_agrees()
    for name in POINT:
        wrong = {**right, name: np.asarray(right[name] * (1 + 1e-5))}
        report = gradcheck.check_gradient(function, POINT, wrong, method=method)
        assert not report
        assert report.worst.name == name
        assert [block.name for block in report.blocks if not block.agrees] == [name]
        with pytest.raises(AssertionError, match=rf"gradients differ[\s\S]*\n{name} .* NO"):
            report.assert_agrees()


def test_report_prints_one_line_for_each_block():
    actual = {"weight": np.array([[1.0, -2.0]]), "bias": np.zeros(3)}
    expected = {"weight": np.array([[1.0, -4.0]]), "bias": np.zeros(3)}
    report = gradcheck.compare(actual, expected, tolerance=1e-7)
    assert str(report).splitlines() == [
        "block   shape   largest  absolute error  relative error  <= 1e-07",
        "weight  (1, 2)        4         2.0e+00         5.0e-01        NO",
        "bias    (3,)          0         0.0e+00         0.0e+00      zero",
        "weight: -2 where -4 is expected, at index (0, 1); only in column 1 of 2",
        "bias: nothing to compare, both are 0 everywhere: take more steps, a state that is not 0",
    ]
    assert report._repr_html_().count("<tr>") == 3
    assert report._repr_html_().count("<p>") == 2
    assert "<td>5.0e-01</td><td>NO</td>" in report._repr_html_()
    assert "&lt;= 1e-07" in report._repr_html_()
    assert report["weight"].absolute_error == 2
    with pytest.raises(KeyError):
        report["other"]


def test_relative_error_is_symmetric_and_takes_the_scale_of_the_block():
    u, v = np.array([1e-12, 4.0]), np.array([0.0, 5.0])
    assert gradcheck.relative_error(u, v) == gradcheck.relative_error(v, u) == 0.2
    assert gradcheck.relative_error(np.array([1e-12, 4.0]), np.array([0.0, 4.0])) == 2.5e-13
    assert gradcheck.relative_error(np.zeros(2), np.zeros(2)) == 0
    assert gradcheck.relative_error(np.zeros((0, 2)), np.zeros((0, 2))) == 0
    assert gradcheck.relative_error(np.zeros(2), np.array([0, 1e-300])) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_never_agree(bad):
    one = {"x": np.array([1.0, bad])}
    for actual, expected in ((one, {"x": np.ones(2)}), ({"x": np.ones(2)}, one), (one, one)):
        assert not gradcheck.compare(actual, expected, tolerance=1e300)


@pytest.mark.parametrize(
    ("differentiate", "f"),
    [
        (gradcheck.complex_step, lambda v: np.abs(v["b"]).sum()),
        (gradcheck.complex_step, lambda v: v["b"]),
        (gradcheck.central_difference, lambda v: v["b"]),
        (gradcheck.central_difference, lambda v: 1j),
    ],
)
def test_a_function_must_give_one_number_of_the_right_kind(differentiate, f):
    with pytest.raises(TypeError, match="function: expected one"):
        differentiate(f, POINT)
