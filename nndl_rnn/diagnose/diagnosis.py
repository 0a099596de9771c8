"""From a program to an answer: the check, the forward pass, the dictionary, the probes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any

import numpy as np

from nndl_rnn._differences import constant_ratio, factor_text, where_wrong
from nndl_rnn._validation import Array, Count, Flag, OneOf, check_function, checked
from nndl_rnn.diagnose._equations import equations
from nndl_rnn.diagnose._explain import Case, explained
from nndl_rnn.diagnose._forms import SAME, Form, forms
from nndl_rnn.diagnose._given import given_gradients, given_layout, given_point, given_sizes
from nndl_rnn.diagnose._mistakes import mistakes
from nndl_rnn.diagnose._networks import forward as forward_values
from nndl_rnn.diagnose._point import Gradients, Point, at_last_step, block_names, draw
from nndl_rnn.diagnose._probe import locate
from nndl_rnn.diagnose._program import AtFault, Program
from nndl_rnn.diagnose._reference import gradients as reference
from nndl_rnn.diagnose._search import Search
from nndl_rnn.diagnose.answer import Diagnosis
from nndl_rnn.gradcheck import relative_error
from nndl_rnn.parameters import GATES
from nndl_rnn.peers.layouts import Layout

Architecture = Annotated[str, OneOf(tuple(GATES))]
Reset = Annotated[str, OneOf(("after", "before"))]
Update = Annotated[str, OneOf(("keep", "write"))]

EXACT, SINGLE = 1e-7, 1e-4
"""How far float64 and float32 programs may be off."""

SIZES = (4, 3, 5, 2), (5, 2, 3, 4)
LONG = (13, 2, 3, 4)
"""Long enough that a truncation to a few steps shows, where the short sequence agrees."""


@checked
def diagnose(
    architecture: Architecture,
    backward: Callable[..., Any],
    *,
    forward: Callable[..., Any] | None = None,
    layout: Layout | None = None,
    reset: Reset = "after",
    update: Update = "keep",
    sizes: tuple[int, int, int, int] | None = None,
    last_step: Flag = False,
    seed: Count = 0,
) -> Diagnosis:
    r"""Say which term of somebody's backward pass is wrong.

    ``backward`` is called with random weights, inputs, states and direct gradients of several
    sizes. What it returns is compared with the right gradients, with those of a dictionary of
    mistakes, alone, in pairs and block by block, with those of related networks, and with truncated
    ones. Each answer is confirmed at a second point. Where no entry fits, one-hot inputs show at
    which step and in which gate the deltas leave the truth. It never guesses.

    Args:
        architecture: ``"rnn"`` (with tanh), ``"lstm"`` or ``"gru"``.
        backward: ``backward(params, x, state, d_h)``, which returns a dict with the gradients of
            :math:`L = \sum_t d_h[t] \cdot h_t`, under the names of the parameters, and if it has
            them ``x``, ``h_0`` and ``c_0``; a leading ``d`` or ``d_`` is ignored. ``params`` are
            :math:`W_i, U_i, b_i, \dots` (``W, U, b`` for the simple network, ``r, z, h`` and
            ``beta_h`` for the GRU), ``x (T, B, D)``, ``d_h (T, B, H)``, ``state`` a tuple of
            ``(B, H)`` arrays.
        forward: ``forward(params, x, state)``, which returns h ``(T, B, H)`` or a tuple that
            begins with it; it is compared first.
        layout: how the program keeps these: see :func:`nndl_rnn.peers.layouts.layout`.
        reset, update: the form of a GRU: see :mod:`nndl_rnn.gru`.
        sizes: T, B, D and H, for a program that takes no others; ``None`` takes several.
        last_step: whether the program reads ``d_h`` at the last step alone, since its loss does;
            then it is 0 at all others.
        seed: of the random numbers.

    Raises:
        TypeError, ValueError: an argument of a wrong type or value; ``backward`` returns no
            gradients, or under other names or in other shapes.

    >>> def backward(p, x, state, d_h):
    ...     h = [state[0]]
    ...     for x_t in x:
    ...         h.append(np.tanh(x_t @ p["W"].T + h[-1] @ p["U"].T + p["b"]))
    ...     d, back = {name: 0 for name in p}, 0
    ...     for t in reversed(range(len(x))):
    ...         a = (d_h[t] + back) * (1 - h[t + 1] ** 2)
    ...         d["W"], d["U"], d["b"] = d["W"] + a.T @ x[t], d["U"] + a.T @ h[t + 1], d["b"] + a.sum(0)
    ...         back = a @ p["U"]
    ...     return d
    >>> print(diagnose("rnn", backward))
    rnn: wrong in 1 of 3 blocks
    1. dU uses h_t where h_{t-1} belongs
       in      U
       right   ∂L/∂W = Σ_t δa_t x_tᵀ, ...
       book    bptt.html#equation-eq-bptt-parameters
       repair  d_U += d_a.T @ h_prev
       shows   at T = 1 with h_0 = 0
    note: not returned, so not looked at: x, h_0
    """
    check_function("backward", backward)
    if forward is not None:
        check_function("forward", forward)
    own = given_layout(architecture, reset, layout)
    given = given_sizes(sizes)
    points = [
        draw(architecture, seed + k, given or default, reset=reset, update=update)
        for k, default in enumerate((*SIZES, LONG))
    ]
    if last_step:
        points = [at_last_step(point) for point in points]
    try:
        program = Program("backward", backward, own)
        form = SAME if forward is None else _form_of(Program("forward", forward, own), points[0])
        student = program.gradients(points[0])
        if not _same(student, program.gradients(points[0])):
            raise AtFault(
                "backward gives other gradients when it is called again with the same arguments: "
                "it draws random numbers or keeps something between calls"
            )
        return _answer(program, points, student, form, forward is not None)
    except AtFault as fault:
        return Diagnosis(architecture, "check", notes=(str(fault),))


@checked
def at_point(
    architecture: Architecture,
    gradients: Mapping[str, Array],
    params: Mapping[str, Array],
    x: Array,
    state: tuple[Array, ...],
    d_h: Array,
    *,
    reset: Reset = "after",
    update: Update = "keep",
) -> Diagnosis:
    """Say what is wrong with gradients that were computed once, as :func:`diagnose` does.

    One point is all there is, so nothing can be confirmed at another, and no probe is made. Mistakes
    that would not show at this point are listed.

    Args:
        architecture: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        gradients: of some or all of ``params``, and of ``x``, ``h_0`` and ``c_0``.
        params: under the names of the book, as ``split_gates`` returns them, with biases.
        x: shape ``(T, B, D)``.
        state: the initial state, a tuple of ``(B, H)`` arrays.
        d_h: the direct gradient, shape ``(T, B, H)``.
        reset, update: the form of a GRU.

    Raises:
        TypeError, ValueError: an argument of a wrong type, name, dtype or shape.

    >>> from nndl_rnn import rnn
    >>> params = rnn.init_params(np.random.default_rng(0), 3, 2)
    >>> x, state, d_h = np.ones((4, 2, 3)), (np.zeros((2, 2)),), np.ones((4, 2, 2))
    >>> _, _, cache = rnn.forward(params, x, state)
    >>> right = rnn.backward(cache, d_h)[0]["weight_ih"]
    >>> at_point("rnn", {"W": right / 4}, rnn.split_gates(params), x, state, d_h).names
    ('mean_T',)
    """
    point = given_point(architecture, params, x, state, d_h, reset, update)
    student = given_gradients(gradients, point)
    return _answer(None, [point], student, SAME, False)


def _answer(
    program: Program | None,
    points: list[Point],
    student: Gradients,
    form: Form,
    forward_known: bool,
) -> Diagnosis:
    """Go through all that may explain the gradients, and stop at the first that does."""
    notes = _notes(program, student, points[0])
    students = [student]
    if program:
        students += [program.gradients(point) for point in points[1:]]
    if not all(np.isfinite(a).all() for given in students for a in given.values()):
        raise AtFault("not all gradients are finite, at weights of size 1")
    limit = _clip(students)
    if limit < np.inf:
        notes.append(f"the gradients are clipped at {limit:.4g}, and were compared so: clip later")
    case = Case([form.point(point) for point in points], [form.student(s) for s in students], limit)
    if form.says:
        notes.append(f"the forward pass is another one: {form.says}")
    tolerance = EXACT
    if program is None or _is_single(program, points[0], student):
        tolerance = SINGLE
        if program:
            notes.append(f"compared to {SINGLE:.0e}: the program computes in float32")
    searches = case.searches()
    if not any(search.wrong_blocks(tolerance) for search in searches):
        return _agrees(case.points[0], student, notes, program is None)
    if not forward_known and not searches[0].together(1, tolerance):
        other = _other_form(points, students, limit, tolerance)
        if other:
            notes.append(f"these are the right gradients of another forward pass: {other.says}")
            return _agrees(points[0], student, notes, False)
    result = explained(case, searches, tolerance)
    wrong = tuple(sorted({n for s in searches for n in s.wrong_blocks(tolerance)}))
    right = tuple(name for name in student if name not in wrong)
    unexplained = {
        name: _in_common(case.students[0][name], reference(case.points[0])[name][0], tolerance)
        for name in (result.unexplained if result.findings else wrong)
        if name in wrong
    }
    location = None
    if unexplained and program and form == SAME:
        location = _located(program, points[0], tolerance)
    return Diagnosis(
        points[0].architecture,
        "wrong",
        tuple(result.findings),
        wrong,
        right,
        unexplained,
        location,
        tuple(notes),
    )


def _agrees(point: Point, student: Gradients, notes: list[str], blind: bool) -> Diagnosis:
    if blind:
        hidden = [
            name
            for name in mistakes(point.architecture, point.reset)
            if not Search(point, student).errors_over(frozenset([name]), EXACT)
        ]
        if hidden:
            notes.append(f"mistakes that would not show at this point: {', '.join(hidden)}")
    return Diagnosis(point.architecture, "agrees", right=tuple(student), notes=tuple(notes))


def _other_form(
    points: list[Point], students: list[Gradients], limit: float, tolerance: float
) -> Form | None:
    """The network whose right gradients these are, if it is not the one that was asked for."""
    for form in forms(points[0]):
        case = Case([form.point(p) for p in points], [form.student(s) for s in students], limit)
        if case.students[0] and not any(s.wrong_blocks(tolerance) for s in case.searches()):
            return form  # any() stops at the first point that tells it from the truth
    return None


def _form_of(program: Program, point: Point) -> Form:
    """The network that the forward pass computes."""
    h = program.hidden(point)
    for form in (SAME, *forms(point)):
        truth = forward_values(form.point(point))["h"][1:]
        if relative_error(h, truth) <= SINGLE:
            return form
    truth = forward_values(point)["h"][1:]
    T = len(point.x)
    first = next(t for t in range(T) if relative_error(h[t], truth[t]) > SINGLE)
    label = equations(point.architecture, point.reset)["forward"].label
    raise AtFault(
        f"the forward pass is none of {point.architecture}, {label}, in any order of gates: its h "
        f"differs from t = {first + 1} on, at the end by {relative_error(h[-1], truth[-1]):.1e}; the "
        "gradient of another network cannot be judged"
    )


def _notes(program: Program | None, student: Gradients, point: Point) -> list[str]:
    notes = []
    absent = [n for n in block_names(point.architecture, point.reset) if n not in student]
    absent = [n for n in absent if n != "beta_h" or program is None or _keeps_beta(program)]
    if absent:
        notes.append(f"not returned, so not looked at: {', '.join(absent)}")
    if program and program.written:
        written = ", ".join(sorted(program.written))
        notes.append(
            f"backward writes into its argument {written}: a numeric check that comes after it uses "
            "the changed array"
        )
    return notes


def _keeps_beta(program: Program) -> bool:
    return any("beta_h" in row for rows in program.layout.blocks.values() for row in rows)


def _located(program: Program, point: Point, tolerance: float) -> Any:
    """Where the deltas leave the truth; with as many features as steps, if the sizes are free."""
    T, B, D, H = point.sizes
    if D < T:
        options = {"reset": point.reset, "update": point.update}
        wider = draw(point.architecture, 11, (T, B, T, H), **options)  # type: ignore[arg-type]
        point = wider if np.any(point.d_h[:-1]) else at_last_step(wider)
    try:
        return locate(program, point, tolerance)
    except AtFault:
        return None


def _in_common(actual: Array, expected: Array, tolerance: float) -> str:
    """What there is to say of a block that is wrong for no known reason."""
    ratio = constant_ratio(actual, expected, tolerance)
    if ratio is not None:
        return f"{factor_text(ratio)} times what is right, in every entry"
    where = where_wrong(actual, expected, tolerance)
    error = f"relative error {relative_error(actual, expected):.1e}"
    return f"{error}, {where}" if where else error


def _clip(students: list[Gradients]) -> float:
    """The limit at which the gradients of all points are cut off, if they are."""
    arrays = [np.abs(array) for given in students for array in given.values()]
    limit = max(float(array.max(initial=0)) for array in arrays)
    at_limit = max(int(np.count_nonzero(array == limit)) for array in arrays)  # not copies of one
    return limit if limit > 0 and at_limit > 1 else np.inf


def _is_single(program: Program, point: Point, student: Gradients) -> bool:
    """Whether a program rounds to float32 somewhere: gradients are linear in d_h but for rounding."""
    if program.coarsest.itemsize < 8:
        return True
    factor = 1 + 1e-9 * np.sqrt(2)
    moved = program.gradients(replace(point, d_h=point.d_h * factor))
    errors = [relative_error(moved[name], factor * student[name]) for name in student]
    return 1e-12 < float(np.median(errors)) < SINGLE


def _same(one: Gradients, other: Gradients) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name], equal_nan=True) for name in one
    )
