r"""Back-propagation through time, over any architecture of this package.

An architecture is anything with the functions ``forward`` and ``backward`` of the package's
interface: ``nndl_rnn.rnn``, ``nndl_rnn.lstm``, ``nndl_rnn.gru``, or one of them with its options
bound. What travels back through time starts at the loss, so each function of this module takes
``d_h``, the *direct* gradient :math:`\partial^{+} L / \partial h_t` at every step, in one of two
forms:

- an array ``(T, B, H)``, when it is known beforehand;
- a function of the hidden states ``h``, ``(T, B, H)``, that returns ``(loss, d_h)``, or
  ``(loss, d_h, d_readout)`` when it has parameters of its own, such as a read-out. A loss of
  ``nndl_rnn.losses`` on the hidden states themselves is such a function.

The function sees all hidden states at once, so a loss may join several time steps.

:func:`full` follows every path. The others trade some of the paths for less memory, or for a
gradient that is ready before the sequence ends. Each multiplies the path from step k to the loss
at step t by a weight :math:`\omega_{t,k}`:

==================== ====================================================================
:func:`windowed`     1 if :math:`t - k < \tau`, else 0
:func:`chunked`      1 if k is not before the first step that the chunk of t reaches, else 0
:func:`reweighted`   :math:`\prod_{j=k+1}^{t} \xi_j` for given factors :math:`\xi_j`
:func:`randomized`   the same, with independent :math:`\xi_j` of mean 1
==================== ====================================================================

They take the arguments of :func:`full`, with the same meaning, and settings by keyword, so that
``functools.partial(chunked, k1=20, k2=20)`` can stand wherever :func:`full` does. What :func:`full`
raises they raise too. ``d_state`` counts as a loss term of the last step.

:func:`checkpointed` follows every path as :func:`full` does, and gives the same bits. It trades
time for memory: a second forward pass for a cache of one segment instead of the whole sequence.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np

from nndl_rnn._fast.sequences import CHUNK
from nndl_rnn._validation import (
    Array,
    Count,
    Params,
    Rng,
    Size,
    State,
    check_array,
    checked,
    fail,
    is_array,
    type_name,
)

__all__ = [
    "Architecture",
    "Gradients",
    "Head",
    "checkpointed",
    "chunked",
    "draw_factors",
    "full",
    "kept_bytes",
    "randomized",
    "reweighted",
    "windowed",
]

Head = Callable[[Array], tuple[Any, ...]]


class Architecture(Protocol):
    """The part of an architecture's interface that a whole sequence needs."""

    def forward(
        self, params: Params, x: Array, state: State | None = None, **options: Any
    ) -> tuple[Array, State, Any]: ...

    def backward(
        self,
        cache: Any,
        d_h: Array,
        d_state: State | None = None,
        *,
        into: Params | None = None,
    ) -> tuple[Params, Array, State]: ...


@dataclass(frozen=True, slots=True)
class Gradients:
    """What a forward pass and a pass back through time give."""

    loss: Any
    """Value of the loss; ``None`` where ``d_h`` was an array."""
    d_params: Params = field(repr=False)
    """Gradient by each parameter, same names and shapes."""
    d_x: Array = field(repr=False)
    """Gradient by the inputs, ``(T, B, D)``."""
    d_state: State = field(repr=False)
    """Gradient by the initial state, a tuple of ``(B, H)``."""
    d_readout: Any = field(repr=False)
    """Whatever the function ``d_h`` returned beside loss and gradient; ``None`` without it."""
    h: Array = field(repr=False)
    """Hidden states, ``(T, B, H)``."""
    state: State = field(repr=False)
    """Last state, a tuple of ``(B, H)``."""


def full(
    architecture: Architecture,
    params: Params,
    x: Array,
    d_h: Array | Head,
    state: State | None = None,
    *,
    d_state: State | None = None,
    **options: Any,
) -> Gradients:
    r"""The exact gradient: back through all T steps.

    Every path from a parameter to the loss is followed, over any number of steps:

    .. math::

        \frac{\partial L}{\partial \theta} = \sum_{t=1}^{T} \sum_{k=1}^{t}
        \left( \frac{\partial^{+} h_k}{\partial \theta} \right)^{\!\top}
        \left( \frac{\partial h_t}{\partial h_k} \right)^{\!\top}
        \frac{\partial^{+} L}{\partial h_t}

    (with the state in place of h where an architecture has more than h). The recursion of
    ``backward`` adds these :math:`T (T + 1) / 2` terms in T steps.

    Args:
        architecture: a module such as ``nndl_rnn.rnn``.
        params: its parameters.
        x: inputs, shape ``(T, B, D)``.
        d_h: direct gradient ``(T, B, H)``, or a function that returns it; see the module.
        state: initial state; ``None`` stands for zeros.
        d_state: further gradient by the last state; ``None`` stands for zeros.
        **options: handed to ``architecture.forward``, for example ``nonlinearity="identity"``.

    Raises:
        TypeError: ``architecture`` lacks one of the two functions, or the function ``d_h`` does
            not return a tuple; further what ``forward`` and ``backward`` raise.
        ValueError: the function ``d_h`` returns neither two nor three values; further what
            ``forward`` and ``backward`` raise.

    Source: P. J. Werbos, Backpropagation through time: what it does and how to do it, Proc. IEEE
    78 (1990).

    >>> import numpy as np
    >>> from nndl_rnn import losses, rnn
    >>> params = {"weight_ih": np.array([[1.0]]), "weight_hh": np.array([[0.5]])}
    >>> x, y = np.ones((3, 1, 1)), np.zeros((3, 1, 1))
    >>> head = lambda h: losses.squared_error(h, y, over_time="sum")
    >>> result = full(rnn, params, x, head, nonlinearity="identity")
    >>> float(result.loss), result.d_params["weight_hh"]
    (3.15625, array([[5.]]))
    """
    _check_architecture(architecture)
    h, last_state, cache = architecture.forward(params, x, state, **options)
    loss, direct, d_readout = _direct_gradient(d_h, h)
    d_params, d_x, d_initial = architecture.backward(cache, direct, d_state)
    return Gradients(loss, d_params, d_x, d_initial, d_readout, h, last_state)


@checked
def checkpointed(
    architecture: Architecture,
    params: Params,
    x: Array,
    d_h: Array | Head,
    state: State | None = None,
    *,
    segments: Size,
    d_state: State | None = None,
    **options: Any,
) -> Gradients:
    r"""The exact gradient, with the cache of one segment at a time: the bits of :func:`full`.

    The forward pass keeps the state at the beginning of each segment and no cache. On the way back
    each segment runs forward once more from there. If a step keeps k numbers and a state has s, S
    segments of T / S steps keep

    .. math:: M(S) = s S + \frac{k T}{S} \ge 2 \sqrt{s k T}, \qquad
        \text{with equality at } S = \sqrt{k T / s}

    numbers for each sequence of the batch, where :func:`full` keeps k T. The price is a second
    forward pass. Arguments and results, ``x``, ``h``, ``d_h`` and ``d_x``, are as large as ever.

    Segments begin at multiples of 16 steps, at which the passes over whole sequences start a new
    chunk of their own. So the last segment may be shorter, and there may be fewer than asked for.

    Args:
        architecture: one whose ``backward`` takes ``into``, as that of ``nndl_rnn.rnn`` does.
        segments: S, the number of segments, at least 1.

    Raises:
        TypeError, ValueError: ``segments`` is no integer of at least 1, or ``architecture`` is not
            as said.

    Source: T. Chen, B. Xu, C. Zhang and C. Guestrin, Training deep nets with sublinear memory cost,
    arXiv:1604.06174 (2016).

    >>> from nndl_rnn import rnn
    >>> rng = np.random.default_rng(0)
    >>> params = rnn.init_params(rng, input_size=2, hidden_size=3)
    >>> x, d_h = rng.normal(size=(40, 4, 2)), rng.normal(size=(40, 4, 3))
    >>> once = full(rnn, params, x, d_h)
    >>> again = checkpointed(rnn, params, x, d_h, segments=3)
    >>> bool(np.all(again.d_params["weight_hh"] == once.d_params["weight_hh"]))
    True
    """
    _check_architecture(architecture)
    if "into" not in inspect.signature(architecture.backward).parameters:
        expected = "one whose backward takes into, such as nndl_rnn.rnn"
        raise fail(TypeError, "architecture", expected, "one whose backward does not")
    steps = _steps(x)
    length = CHUNK * max(1, -(-steps // (segments * CHUNK)))
    starts = range(0, max(steps, length), length)  # one segment even if there is no step
    problem = _Problem(architecture, params, x, d_h, state, d_state, options)
    h, states, last_state = _run_through(problem, starts)

    loss, direct, d_readout = _direct_gradient(d_h, h)
    direct = check_array("d_h", direct, h.shape, h.dtype)
    d_params: Params | None = None
    d_x = np.empty_like(x, dtype=h.dtype)
    for start in reversed(starts):
        cut = slice(start, start + length)
        cache = problem.forward(cut, states[start])[2]
        d_params, d_x[cut], d_state = architecture.backward(
            cache, direct[cut], d_state, into=d_params
        )
        del cache  # before the next segment makes its own
    assert d_params is not None
    assert d_state is not None
    return Gradients(loss, d_params, d_x, d_state, d_readout, h, last_state)


def kept_bytes(cache: object) -> int:
    """Count the bytes that a cache keeps for the backward pass, parameters apart.

    Arrays that share their memory count once. The inputs ``x`` count: they stay in memory as long as
    the cache does, also where the caller has let go of them. The parameters do not: they are there
    anyway, once for all caches.

    Raises:
        TypeError: ``cache`` is not the cache of a forward pass.

    >>> from nndl_rnn import lstm
    >>> params = lstm.init_params(np.random.default_rng(0), input_size=3, hidden_size=2)
    >>> _, _, cache = lstm.forward(params, np.zeros((10, 4, 3)))
    >>> kept_bytes(cache) == 8 * 4 * (10 * (3 + 7 * 2) + 2 * 2)    # 8 B (T (D + 7 H) + 2 H)
    True
    """
    if not is_dataclass(cache) or isinstance(cache, type):
        raise fail(TypeError, "cache", "the cache of a forward pass", type_name(cache))
    sizes: dict[int, int] = {}
    for array in _kept_arrays(cache):
        owner = array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        sizes[id(owner)] = min(sizes.get(id(owner), 0) + array.nbytes, owner.nbytes)
    return sum(sizes.values())


@checked
def windowed(
    architecture: Architecture,
    params: Params,
    x: Array,
    d_h: Array | Head,
    state: State | None = None,
    *,
    tau: Size,
    d_state: State | None = None,
    **options: Any,
) -> Gradients:
    r"""Back from every loss term through its own step and the :math:`\tau - 1` steps before it.

    .. math::

        \sum_{t=1}^{T} \sum_{k=\max(1,\, t-\tau+1)}^{t}
        \left( \frac{\partial^{+} h_k}{\partial \theta} \right)^{\!\top}
        \left( \frac{\partial h_t}{\partial h_k} \right)^{\!\top}
        \frac{\partial^{+} L}{\partial h_t}

    Every loss term sees the same number of steps. The price is a backward pass of its own for
    each, :math:`T \tau` steps in all. This is ``chunked`` with ``k1=1``, ``k2=tau``. Equal to
    :func:`full` for :math:`\tau \ge T`.

    Args:
        tau: length of the window, at least 1; with 1 nothing is carried back.

    Raises:
        TypeError, ValueError: ``tau`` is no integer of at least 1.

    Source: the truncated back-propagation through time of R. J. Williams and J. Peng, An efficient
    gradient-based algorithm for on-line training of recurrent network trajectories, Neural
    Computation 2 (1990).

    >>> from nndl_rnn import rnn
    >>> params = {"weight_ih": np.array([[1.0]]), "weight_hh": np.array([[0.5]])}
    >>> x, d_h = np.ones((3, 1, 1)), np.ones((3, 1, 1))
    >>> for tau in (1, 2, 3):                     # h = 1, 1.5, 1.75; exact: 1 + 1.5 + 0.5
    ...     found = windowed(rnn, params, x, d_h, tau=tau, nonlinearity="identity")
    ...     print(tau, found.d_params["weight_hh"])
    1 [[2.5]]
    2 [[3.]]
    3 [[3.]]
    """
    return chunked(architecture, params, x, d_h, state, k1=1, k2=tau, d_state=d_state, **options)


@checked
def chunked(
    architecture: Architecture,
    params: Params,
    x: Array,
    d_h: Array | Head,
    state: State | None = None,
    *,
    k1: Size,
    k2: Size,
    d_state: State | None = None,
    **options: Any,
) -> Gradients:
    r"""Every ``k1`` steps, back-propagate the losses of these steps through the last ``k2`` steps.

    The sequence is cut into chunks of k1 steps; the last one may be shorter. Let t lie in the chunk
    that begins with step :math:`s_t`. Its loss reaches back to step :math:`s_t - (k_2 - k_1)`:

    .. math::

        \sum_{t=1}^{T} \sum_{k=\max(1,\, s_t-(k_2-k_1))}^{t}
        \left( \frac{\partial^{+} h_k}{\partial \theta} \right)^{\!\top}
        \left( \frac{\partial h_t}{\partial h_k} \right)^{\!\top}
        \frac{\partial^{+} L}{\partial h_t}, \qquad
        s_t = k_1 \left\lfloor \frac{t - 1}{k_1} \right\rfloor + 1

    With ``k1 == k2`` this is what detaching the state between chunks does. The forward pass is not
    cut: the state is carried on. Parameters stay as they are for the whole sequence; to update
    them after each chunk, call :func:`full` chunk by chunk and hand ``state`` on. Equal to
    :func:`full` if there is one chunk, or if no chunk's reach ends after the first step.

    Args:
        k1: steps from one backward pass to the next, at least 1.
        k2: steps of a backward pass, at least ``k1``, so that every loss reaches its own step.

    Raises:
        TypeError, ValueError: ``k1`` or ``k2`` is no such integer.

    Source: BPTT(h; h') of R. J. Williams and J. Peng (1990), with ``k2`` for h and ``k1`` for h'.

    >>> from nndl_rnn import rnn
    >>> params = {"weight_ih": np.array([[1.0]]), "weight_hh": np.array([[0.5]])}
    >>> x, d_h = np.ones((4, 1, 1)), np.ones((4, 1, 1))
    >>> cut = chunked(rnn, params, x, d_h, k1=2, k2=2, nonlinearity="identity")
    >>> whole = full(rnn, params, x, d_h, nonlinearity="identity")
    >>> cut.d_params["weight_hh"], whole.d_params["weight_hh"]
    (array([[5.]]), array([[5.75]]))
    """
    if k2 < k1:
        raise fail(ValueError, "k2", f"an integer of at least k1 = {k1}", k2)
    windows = _windows(_steps(x), k1, k2)
    problem = _Problem(architecture, params, x, d_h, state, d_state, options)
    return _back_in_windows(problem, windows)


def reweighted(
    architecture: Architecture,
    params: Params,
    x: Array,
    d_h: Array | Head,
    state: State | None = None,
    *,
    xi: Array,
    d_state: State | None = None,
    **options: Any,
) -> Gradients:
    r"""Multiply what goes back from step t to step t - 1 by a given factor :math:`\xi_t`.

    In place of :math:`\partial h_t / \partial \theta` this uses

    .. math::

        \zeta_t = \frac{\partial^{+} h_t}{\partial \theta}
        + \xi_t \frac{\partial^{+} h_t}{\partial h_{t-1}} \zeta_{t-1}, \qquad \zeta_0 = 0

    (with the state in place of h where an architecture has more than h). The recursion starts
    afresh wherever :math:`\xi_t = 0`, and no step before such a t is stored with those after it.
    Ones give :func:`full`; zeros at the first step of every chunk and ones elsewhere give
    :func:`chunked` with ``k1 == k2``.

    Args:
        xi: the factors :math:`\xi_1, \dots, \xi_T`, finite, shape ``(T,)``. All sequences of the
            batch share them. :math:`\xi_1` affects only the gradient by the initial state.

    Raises:
        TypeError, ValueError: ``xi`` is no such array.

    >>> from nndl_rnn import rnn
    >>> params = {"weight_ih": np.array([[1.0]]), "weight_hh": np.array([[0.5]])}
    >>> x, d_h = np.ones((3, 1, 1)), np.array([0.0, 0.0, 1.0]).reshape(3, 1, 1)
    >>> for xi_3 in (0.0, 1.0, 2.0):                     # h_2 + xi_3 0.5 h_1
    ...     xi = np.array([1.0, 1.0, xi_3])
    ...     found = reweighted(rnn, params, x, d_h, xi=xi, nonlinearity="identity")
    ...     print(found.d_params["weight_hh"])
    [[1.5]]
    [[2.]]
    [[2.5]]
    """
    steps = _steps(x)
    xi = check_array("xi", xi, (steps,))
    if xi.dtype.kind != "f":
        raise fail(TypeError, "xi", "a float array", f"dtype {xi.dtype}")
    starts = sorted({0, *np.flatnonzero(xi == 0).tolist()})
    windows = [_Window(start, start, stop) for start, stop in pairwise([*starts, steps])]
    problem = _Problem(architecture, params, x, d_h, state, d_state, options)
    return _back_in_windows(problem, windows, factors=xi)


def randomized(
    architecture: Architecture,
    params: Params,
    x: Array,
    d_h: Array | Head,
    state: State | None = None,
    *,
    pi: float | Array,
    rng: np.random.Generator,
    d_state: State | None = None,
    **options: Any,
) -> Gradients:
    r"""Truncate at random, and weight what is left so that the mean is the exact gradient.

    :func:`reweighted` with independent factors :math:`\xi_t` from :func:`draw_factors`, each of
    mean 1. As :math:`\xi_t` is independent of :math:`\zeta_{t-1}`, the mean of :math:`\zeta_t`
    obeys the recursion of :math:`\partial h_t / \partial \theta`, so the estimate is unbiased. For
    one unit, and :math:`\gamma_t` for :math:`\partial^{+} h_t / \partial h_{t-1}`, its variance obeys

    .. math::

        \operatorname{Var} \zeta_t = \frac{\gamma_t^2}{\pi_t} \left( \operatorname{Var} \zeta_{t-1}
        + (1 - \pi_t) \left( \frac{\partial h_{t-1}}{\partial \theta} \right)^{2} \right)

    Args:
        pi: probability to go on back from step t to step t - 1, above 0 and at most 1: a number, or
            one for each step, shape ``(T,)``. With 1, equal to :func:`full`.
        rng: source of the random numbers; T of them are drawn, also where ``params``, a state or
            ``d_h`` is refused after that.

    Raises:
        TypeError, ValueError: ``pi`` or ``rng`` is not as said.

    Source: C. Tallec and Y. Ollivier, Unbiasing truncated backpropagation through time,
    arXiv:1705.08209 (2017).

    >>> from nndl_rnn import rnn
    >>> rng = np.random.default_rng(0)
    >>> params = {"weight_ih": np.array([[1.0]]), "weight_hh": np.array([[0.5]])}
    >>> x, d_h = np.ones((3, 1, 1)), np.array([0.0, 0.0, 1.0]).reshape(3, 1, 1)
    >>> options = {"pi": 0.5, "rng": rng, "nonlinearity": "identity"}
    >>> draws = [randomized(rnn, params, x, d_h, **options) for _ in range(1000)]
    >>> values = np.array([draw.d_params["weight_hh"].item() for draw in draws])
    >>> np.unique(values), round(float(values.mean()), 1)         # exact: 2
    (array([1.5, 2.5]), 2.0)
    """
    xi = draw_factors(pi, _steps(x), rng)
    return reweighted(architecture, params, x, d_h, state, xi=xi, d_state=d_state, **options)


@checked
def draw_factors(pi: float | Array, steps: Count, rng: Rng) -> Array:
    r"""Draw independent :math:`\xi_1, \dots, \xi_T` with mean 1 that are often 0.

    .. math:: P(\xi_t = 1 / \pi_t) = \pi_t, \qquad P(\xi_t = 0) = 1 - \pi_t

    A :math:`\pi_t` of 0 is refused: :math:`\xi_t` would always be 0, and its mean not 1.

    Args:
        pi: above 0 and at most 1, a number or an array of shape ``(steps,)``.
        steps: T, at least 0.
        rng: source of the random numbers.

    Raises:
        TypeError, ValueError: an argument is not as said.

    >>> draw_factors(0.5, 6, np.random.default_rng(0))
    array([0., 2., 2., 2., 0., 0.])
    """
    expected = f"a number above 0 and at most 1, or an array of them of shape ({steps},)"
    try:
        probabilities = np.asarray(pi)
    except ValueError:  # lists of different lengths
        raise fail(TypeError, "pi", expected, type_name(pi)) from None
    if probabilities.dtype.kind not in "fiu" or isinstance(pi, np.ma.MaskedArray):
        got = f"an array of dtype {probabilities.dtype}" if is_array(pi) else type_name(pi)
        raise fail(TypeError, "pi", expected, got)
    if probabilities.shape not in ((), (steps,)):
        raise fail(ValueError, "pi", expected, f"shape {probabilities.shape}")
    outside = ~((probabilities > 0) & (probabilities <= 1))
    if outside.any():
        raise fail(ValueError, "pi", expected, probabilities[outside].flat[0])
    drawn = rng.random(steps) < probabilities
    factors = np.zeros(steps)
    np.divide(1, probabilities, out=factors, where=drawn, dtype=np.float64)
    return factors


class _Window(NamedTuple):
    """The steps of one backward pass, counted from 0; the losses from ``first_loss`` on are its own."""

    start: int
    first_loss: int
    stop: int


def _windows(steps: int, k1: int, k2: int) -> list[_Window]:
    """Lay out the backward passes of :func:`chunked`. Those that reach the first step are one."""
    # A chunk that begins at or before step k2 - k1 (from 0) reaches back to the first step.
    reaching = (k2 - k1) // k1 + 1
    first_stop = min(reaching * k1, steps)
    return [_Window(0, 0, first_stop)] + [
        _Window(begin - (k2 - k1), begin, min(begin + k1, steps))
        for begin in range(first_stop, steps, k1)
    ]


@dataclass(frozen=True)
class _Problem:
    """What all estimators are given: a layer, its inputs, and what reaches it from the loss."""

    architecture: Architecture
    params: Params
    x: Array
    d_h: Any  # an array, or a function that returns one
    state: State | None
    d_state: State | None
    options: dict[str, Any]

    def forward(self, steps: slice, state: State | None) -> tuple[Array, State, Any]:
        """Run over some of the steps, from a given state."""
        return self.architecture.forward(self.params, self.x[steps], state, **self.options)


def _run_through(
    problem: _Problem, starts: Iterable[int]
) -> tuple[Array, dict[int, State | None], State]:
    """The hidden states, the state before each of these steps, and the last one; no cache is kept."""
    steps = len(problem.x)
    h: Array | None = None
    state, states = problem.state, {}
    for start, stop in pairwise([*starts, steps]):
        states[start] = state
        piece, state = problem.forward(slice(start, stop), state)[:2]
        if h is None:
            h = np.empty((steps, *piece.shape[1:]), piece.dtype)
        h[start:stop] = piece
    assert h is not None  # there is at least one start
    assert state is not None
    return h, states, state


def _back_in_windows(
    problem: _Problem, windows: Sequence[_Window], factors: Array | None = None
) -> Gradients:
    """Add up the gradients of backward passes that know nothing of each other.

    Each window runs forward once more from the state at its start, so only one window's cache is in
    memory at a time.
    """
    _check_architecture(problem.architecture)
    x = problem.x
    h, states, last_state = _run_through(problem, [window.start for window in windows])

    loss, direct, d_readout = _direct_gradient(problem.d_h, h)
    direct = check_array("d_h", direct, h.shape, h.dtype)
    d_params: Params = {}
    d_x = np.zeros_like(x, dtype=h.dtype)
    for window in reversed(windows):
        steps = slice(window.start, window.stop)
        own = direct[steps].copy()
        own[: window.first_loss - window.start] = 0
        beyond = problem.d_state if window.stop == len(x) else None
        part = replace(problem, x=x[steps], d_h=own, state=states[window.start], d_state=beyond)
        share, share_x, reached = (
            _back_once(part) if factors is None else _back_weighted(part, factors[steps])
        )
        d_params = _add(d_params, share)
        d_x[steps] += share_x
    # The first window, which begins at the initial state, was the last one.
    return Gradients(loss, d_params, d_x, reached, d_readout, h, last_state)


def _back_once(problem: _Problem) -> tuple[Params, Array, State]:
    """Run forward and back over all steps; ``d_h`` is an array."""
    cache = problem.forward(slice(None), problem.state)[2]
    return problem.architecture.backward(cache, problem.d_h, problem.d_state)


def _back_weighted(problem: _Problem, factors: Array) -> tuple[Params, Array, State]:
    """Run forward and back step by step, to put the factors in between."""
    if len(factors) == 0:
        return _back_once(problem)
    steps = [slice(t, t + 1) for t in range(len(factors))]
    state, caches = problem.state, []
    for step in steps:
        _, state, cache = problem.forward(step, state)
        caches.append(cache)
    d_params: Params = {}
    d_h, d_state = problem.d_h, problem.d_state
    d_x = np.empty_like(problem.x, dtype=d_h.dtype)
    for step, factor in zip(reversed(steps), reversed(factors.tolist()), strict=True):
        share, d_x[step], reached = problem.architecture.backward(caches.pop(), d_h[step], d_state)
        # A Python float, which leaves float32 as it is.
        d_state = tuple(factor * part for part in reached)
        d_params = _add(d_params, share)
    assert d_state is not None  # there is at least one step
    return d_params, d_x, d_state


def _kept_arrays(value: Any) -> Iterator[Array]:
    """Find the arrays of a cache and of caches in it; not in dicts, which hold parameters."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _kept_arrays(part)
    elif is_dataclass(value):
        for entry in fields(value):
            yield from _kept_arrays(getattr(value, entry.name))


def _add(total: Params, share: Params) -> Params:
    """Add gradients; an empty total stands for zeros."""
    return {name: total.get(name, 0) + value for name, value in share.items()}


def _steps(x: Array) -> int:
    return len(check_array("x", x, ("T", "B", "D")))


def _check_architecture(architecture: object) -> None:
    for name in ("forward", "backward"):
        if not callable(getattr(architecture, name, None)):
            expected = "a module with the functions forward and backward, such as nndl_rnn.rnn"
            raise fail(TypeError, "architecture", expected, type_name(architecture))


def _direct_gradient(d_h: Array | Head, h: Array) -> tuple[Any, Array, Any]:
    """Return loss, direct gradient and read-out gradient from either form of ``d_h``."""
    if not callable(d_h):
        return None, d_h, None
    found = d_h(h)
    expected = "a function that returns (loss, d_h) or (loss, d_h, d_readout)"
    if not isinstance(found, tuple):
        raise fail(TypeError, "d_h", expected, f"one that returned {type_name(found)}")
    if len(found) not in (2, 3):
        raise fail(ValueError, "d_h", expected, f"one that returned {len(found)} values")
    loss, direct, d_readout = found if len(found) == 3 else (*found, None)
    return loss, direct, d_readout
