"""Linear forms over named integers against plain arithmetic."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texproof.mean.linear import Linear

NAMES = ("T", "j", "k", "t")
coefficients = st.dictionaries(st.sampled_from(NAMES), st.integers(-3, 3))
terms = st.tuples(st.integers(-5, 5), coefficients)
assignments = st.fixed_dictionaries({name: st.integers(-20, 20) for name in NAMES})


def form(constant, coefficients):
    total = Linear(constant)
    for name, coefficient in coefficients.items():
        total += Linear.variable(name).times(coefficient)
    return total


def plain(constant, coefficients, assignment):
    return constant + sum(c * assignment[name] for name, c in coefficients.items())


@given(terms, terms, st.integers(-4, 4), assignments)
def test_sums_differences_and_multiples_take_the_values_of_integers(one, other, factor, assignment):
    a, b = form(*one), form(*other)
    x, y = plain(*one, assignment), plain(*other, assignment)
    assert a.value(assignment) == x
    assert (a + b).value(assignment) == x + y
    assert (a - b).value(assignment) == x - y
    assert a.times(factor).value(assignment) == factor * x


@given(terms, terms)
def test_equal_forms_compare_equal_however_they_were_made(one, other):
    a, b = form(*one), form(*other)
    assert a + b == b + a
    assert hash(a + b) == hash(b + a)
    assert a - b == b.times(-1) + a
    assert a + b - b == a
    assert a - a == a.times(0) == Linear()
    assert a.times(2) == a + a
    assert (a == b) == (
        one[0] == other[0] and all(one[1].get(name, 0) == other[1].get(name, 0) for name in NAMES)
    )


@given(terms)
def test_only_variables_with_a_coefficient_belong_to_a_form(one):
    assert form(*one).variables == {name for name, c in one[1].items() if c}


@given(terms, assignments)
def test_a_printed_form_reads_as_its_value(one, assignment):
    printed = str(form(*one))
    assert re.fullmatch(r"-?\w+([+-]\w+)*", printed)
    python = re.sub(r"(?<=\d)(?=[A-Za-z])", "*", printed)
    assert eval(python, {}, assignment) == plain(*one, assignment)


@pytest.mark.parametrize(
    ("constant", "coefficients", "printed"),
    [
        (0, {}, "0"),
        (-3, {}, "-3"),
        (0, {"t": 1}, "t"),
        (-1, {"t": 1}, "t-1"),
        (2, {"t": -1}, "-t+2"),
        (1, {"t": 3}, "3t+1"),
        (0, {"k": -2, "t": 1}, "-2k+t"),
        (0, {"T": 1, "j": -1}, "T-j"),
    ],
)
def test_how_forms_are_printed(constant, coefficients, printed):
    assert str(form(constant, coefficients)) == printed


def test_a_variable_without_a_value_is_a_key_error():
    with pytest.raises(KeyError, match="k"):
        form(1, {"t": 1, "k": 2}).value({"t": 3})
