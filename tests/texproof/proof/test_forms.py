"""Names are never captured, and what is equal has one form."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texproof.mean.linear import Linear
from texproof.proof.algebra import Algebra
from texproof.proof.forms import (
    NOWHERE,
    Entry,
    Mono,
    Scope,
    atom,
    bind,
    canonical,
    combine,
    entails,
    free,
    guard,
    identify,
    infeasible,
    mul,
    put,
)

A, B, C = (Entry("n", name) for name in "abc")
T, S, R = map(Linear.variable, ("T", "s", "r"))


def entry(key, *entries):
    return atom("ref", key, (), entries)


def time(key, *times):
    return atom("ref", key, times, ())


U_V = bind(mul(entry("U", A, B), entry("v", B)), (B,))
"""Entry a of U v."""


def test_an_index_that_is_put_in_is_not_captured_by_a_sum():
    [m] = put(U_V, {A: B})
    assert free(m) == {B}
    assert B not in m.bound
    assert combine((m,)) == combine(bind(mul(entry("U", B, C), entry("v", C)), (C,)))


def test_an_index_that_is_put_in_is_not_captured_inside_of_a_function():
    inside = atom("fn", "exp", 0, U_V)
    assert free(put(inside, {A: B})) == {B}
    assert free(put(Scope((B,), entry("U", A, B)), {A: B})) == {B}


def test_an_index_that_a_sum_no_longer_binds_may_be_another_one_that_it_binds():
    [m] = bind(mul(entry("u", A), entry("v", B)), (A, B))
    same = identify(m, {A: B})
    assert combine((same,)) == combine(bind(mul(entry("u", C), entry("v", C)), (C,)))


def test_the_sums_of_two_factors_stay_two():
    product = mul(bind(entry("u", A), (A,)), bind(entry("v", A), (A,)))
    assert combine(product) == combine(bind(mul(entry("u", A), entry("v", B)), (A, B)))
    assert combine(product) != combine(bind(mul(entry("u", A), entry("v", A)), (A,)))


def test_canonical_names_do_not_capture_free_ones():
    outer = canonical(bind(mul(entry("u", A), atom("fn", "exp", 0, U_V)), (A,))[0])
    assert outer == canonical(outer)
    assert not free(outer)
    [inner] = [f[3] for f in outer.factors if f[0] == "fn"]
    assert set(inner[0].bound).isdisjoint(outer.bound)


def test_names_of_a_sum_are_kept_apart_from_those_of_the_domain_around_it():
    # [s >= 3] around a sum over another s, from 1 to 2, which is not empty
    summed = bind(guard(time("p", S), S - Linear(1), Linear(2) - S), ("s",))
    [alone] = Algebra(()).tidy(summed)
    assert Algebra(()).tidy(summed, frozenset({S - Linear(3)})) == (alone,)


def test_a_sum_over_every_second_time_is_not_counted_as_one_over_all():
    # 2 s >= 2 and T >= 2 s: half as many as T
    m = Mono(Fraction(1), ("s",), frozenset({S.times(2) - Linear(2), T - S.times(2)}), ())
    assert all("num" not in [f[0] for f in x.factors] for x in Algebra(()).simplify(m))


def test_equal_summands_are_counted():
    summed = bind(guard(time("p", R), S - Linear(1), T - S), ("s",))
    [m] = Algebra(()).tidy(summed)
    assert [f[0] for f in m.factors] == ["num", "ref"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_factors_and_the_names_of_indices_do_not_matter(order):
    names = (A, B, C)
    i, j, k = (names[n] for n in order)
    factors = [entry("U", i, j), entry("U", j, k), entry("v", k)]
    product = mul(mul(factors[order[0]], factors[order[1]]), factors[order[2]])
    usual = mul(mul(entry("U", A, B), entry("U", B, C)), entry("v", C))
    assert combine(bind(product, (j, k))) == combine(put(bind(usual, (B, C)), {A: i}))


forms = st.builds(
    lambda c, a, b: Linear(c) + Linear.variable("a").times(a) + Linear.variable("b").times(b),
    *[st.integers(-4, 4)] * 3,
)


@given(st.frozensets(forms, max_size=4), forms)
def test_what_is_said_to_follow_holds_at_all_points(given_forms, c):
    points = [{"a": a, "b": b} for a in range(-6, 7) for b in range(-6, 7)]
    there = [p for p in points if all(g.value(p) >= 0 for g in given_forms)]
    assert not (infeasible(given_forms) and there)
    assert not entails(given_forms, c) or all(c.value(p) >= 0 for p in there)


def test_two_bounds_of_one_time_contradict_each_other_only_where_no_time_satisfies_both():
    bounds = [Linear(c) + S.times(k) for c in range(-4, 5) for k in range(-3, 4)]
    there = {b: {s for s in range(-9, 10) if b.value({"s": s}) >= 0} for b in bounds}
    for one, other in itertools.combinations(bounds, 2):
        assert not (infeasible(frozenset((one, other))) and there[one] & there[other])


def test_nothing_is_said_to_follow_from_nothing():
    assert not infeasible(NOWHERE)
