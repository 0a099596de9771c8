r"""How a page prints what this checker prints otherwise, said once by its author."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

TIMES = ("subscript", "superscript", "argument", "bare superscript")
SIGNS = ("*", "\\cdot", "\\times", "juxtaposed")


@dataclass(frozen=True, kw_only=True)
class Notation:
    r"""The notation of a page that others wrote, as ``Derivation("page.md", notation=Notation(transpose="T"))``.

    Nothing is guessed: what is not said here is read as on any other page, and what stays ambiguous is
    refused. What was read is shown beside each verdict, with the signs of the last column.

    ===================================== ============================================ ======================
    said                                  on the page                                  read as
    ===================================== ============================================ ======================
    ``time="superscript"``                ``h^{(t)}, h^{[t]}, h^{\langle t \rangle}``  ``h_t``
    ..                                    ``\Gamma_f^{(t-1)}``                         ``\Gamma_{f,t-1}``
    ``time="bare superscript"``           ``h^t, b^{t-1}``, names with a time          ``h_t, b_{t-1}``
    ``gates=["f"]``                       ``z_{ft}, z_{f_t}, \delta_{z_{ft}}``         ``z_{f,t}, \delta_{z_{f,t}}``
    ``time="argument"``                   ``h(t-1)``                                   ``h_{t-1}``
    ``times={r"\tau": "T"}``              ``\sum_{t=1}^{\tau} h_{\tau}``               ``\sum_{t=1}^{T} h_T``
    ``times={"next": "t+1"}``             ``h_{next}, h_{\text{next}}``                ``h_{t+1}``
    ``transpose="T"``                     ``U^T``, and no T in a power                 ``U^\top``
    ``elementwise=["*"]``                 ``a * b``                                    ``a \odot b``
    ``elementwise=[r"\cdot"]``            ``a \cdot b``                                ``a \odot b``
    ``elementwise=["juxtaposed"]``        ``i_t (1 - i_t)``, vectors of one shape      ``i_t \odot (1 - i_t)``
    ``by_shape=["*"]``                    ``a * b``, or ``U * b``                      ``a \odot b``, ``U b``
    ``matrix=[r"\times"]``                ``U \times b``                               ``U b``
    ``names=["dh", r"\delta\text{pre}"]`` ``dh_t, \delta\text{pre}_t``                 each one name
    ``derivative="d"``                    ``\frac{dL}{dU}``                            with ``\mathrm{d}``
    ``partial="local"``                   ``\frac{\partial a_t}{\partial h_{t-1}}``     with ``\partial^{+}``
    ``partial="arguments"``               ``\frac{\partial f(h_t, w)}{\partial w}``     with ``\partial^{+}``
    ``layout="rows"``                     ``\frac{\partial L}{\partial h_t}``           a row, if h is a column
    ``layout="denominator"``              ``\frac{\partial a_t}{\partial h_t}``         its transpose
    ``untimed=["dU"]``                    ``dU = \delta_t h_{t-1}^\top``               ``dU_t = ...``
    ``loop="backward"``                   ``r \gets U^\top \delta_t``, r untimed       ``r_{t-1} = ...``
    ``loop="forward"``                    ``r \gets \tanh(U r)``, r untimed            ``r_{t+1} = ...``
    ``loop``, either                      ``g += \delta_t``                            ``g = \sum_{t=1}^{T} ...``
    ``arrows="names"``                    ``a_t - y_t \rightarrow dz_t``               ``a_t - y_t = dz_t``
    ``sums="mention"``                    ``\sum_t a_t - b_t``                         ``\sum_t (a_t - b_t)``
    ``slices="from 0"``                   ``z_t[0{:}n], W[:, n{:}2n]``                 as Python does
    ``slices="from 1"``                   ``z_t[1{:}n], z_t[n+1{:}2n]``                with the last
    ``parts={"f": "n:2n"}``               ``(W x_t + b)_f``                            ``(W x_t + b)[n{:}2n]``
    ``brackets="beside"``                 ``[a_t \; b_t]``, of rows or matrices        side by side
    ``broadcast="rows"``                  ``X_t W + b``, b a row, X many               ``X_t W + \mathbf{1} b``
    ``single=["batch"]``                  ``\sum_{batch} \delta_t``                    ``\delta_t``
    ``units="i j"``                       ``u_{ij}, W_{ij}, x_{t,i}, (h_t)_j``         ``[U]_{ij}, [h_t]_j``
    ..                                    ``\sum_{j=1}^{n}, \sum_j``                   ``\sum_{j=1}^{n}``
    ``units={"h": "H", "k": "K"}``        ``w_{hk}`` beside another ``w_{ih}``         ``[w_{hk}]_{hk}``
    ``kronecker=r"\delta"``               ``\delta_{ij}, 1_{i=j}``                      ``[I_n]_{ij}``
    ===================================== ============================================ ======================

    Subscripts are read as times, too, where times are printed as superscripts or arguments. The value of an
    untimed name at time t is the one that it has when the step of a loop for t begins.

    Args:
        time: where a time step stands, ``"subscript"``, ``"superscript"`` in parentheses, ``"bare superscript"`` with
            or without them, or ``"argument"``.
        times: words and letters that stand for a time, each with the time.
        gates: letters that tell quantities apart in a subscript, with a time behind or below: ``"f"``, ``r"\tilde c"``.
        transpose: the superscript of a transpose.
        elementwise: signs of the elementwise product: ``"*"``, ``r"\cdot"``, ``r"\times"`` or ``"juxtaposed"``.
        matrix: signs of the matrix product, beside ``\cdot`` and nothing: ``r"\times"`` or ``"*"``.
        by_shape: signs that stand for the elementwise and for the matrix product, whichever has a shape.
        names: names of several letters, without their scripts.
        derivative: an italic letter that is printed for the d of a derivative.
        partial: where ``\partial`` is a direct derivative: ``"local"`` for all that has a time, but not for the loss
            of all steps, and of functions by an argument; ``"arguments"`` for these alone.
        layout: ``"rows"`` where a number's derivative by a column is a row, ``"denominator"`` where a vector's
            derivative has a row for each entry of what stands below.
        untimed: names that are printed without a time, and have another value at each.
        loop: the way through time of a program's loop, ``"forward"`` or ``"backward"``.
        arrows: ``"names"`` where an arrow at the end of an equation gives a name to what stands before it.
        sums: ``"mention"`` where a sum reaches to the last term that mentions its index.
        slices: whether ``[a:b]`` counts ``"from 0"``, without b, or ``"from 1"``, with b.
        parts: subscripts on parentheses that stand for a slice, each with its range.
        brackets: ``"beside"`` where terms in brackets with spaces between them stand side by side.
        broadcast: ``"rows"`` where a row is added to each row of a batch.
        units: letters that number entries, ``"i j"``, or a dict to the size that each numbers on all of the page,
            empty where it varies. An equation with such letters holds for all units. Names that share a letter are
            told apart by the sizes.
        kronecker: a letter with two letters of units that is 1 where they are equal, else 0.
        single: words under a sum over examples, of which the page's formulas have one.

    Raises:
        TypeError: an option is no text, or no texts.
        ValueError: an option has none of its values.

    >>> Notation(time="superscript", times={r"\tau": "T"}).transpose
    ''
    """

    time: str = "subscript"
    times: Mapping[str, str] = field(default_factory=dict)
    gates: Sequence[str] = ()
    transpose: str = ""
    elementwise: Sequence[str] = ()
    matrix: Sequence[str] = ()
    by_shape: Sequence[str] = ()
    names: Sequence[str] = ()
    derivative: str = ""
    partial: str = ""
    layout: str = ""
    untimed: Sequence[str] = ()
    loop: str = ""
    sums: str = ""
    arrows: str = ""
    single: Sequence[str] = ()
    units: Mapping[str, str] | str = field(default_factory=dict)
    kronecker: str = ""
    slices: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    brackets: str = ""
    broadcast: str = ""

    def __post_init__(self) -> None:
        for name in (
            "time",
            "transpose",
            "derivative",
            "partial",
            "layout",
            "loop",
            "sums",
            "arrows",
            "slices",
            "brackets",
            "broadcast",
            "kronecker",
        ):
            _require_texts(name, [getattr(self, name)], "a text", getattr(self, name))
        for name in ("gates", "elementwise", "matrix", "by_shape", "names", "untimed", "single"):
            given = getattr(self, name)
            listed = [given] if isinstance(given, str) else given
            _require_texts(name, listed, "a list of texts", given)
            object.__setattr__(self, name, tuple(listed))
        if isinstance(self.units, str):
            object.__setattr__(self, "units", dict.fromkeys(self.units.split(), ""))
        for name in ("times", "parts", "units"):
            given = getattr(self, name)
            told = given.items() if isinstance(given, Mapping) else None
            pairs = None if told is None else [text for pair in told for text in pair]
            _require_texts(name, pairs, "a dict from text to text", given)
        if self.time not in TIMES:
            raise ValueError(f"time: expected one of {', '.join(TIMES)}, got {self.time!r}")
        if self.transpose and (len(self.transpose) > 1 or not self.transpose.isalpha()):
            raise ValueError(f"transpose: expected a letter such as 'T', got {self.transpose!r}")
        for name, values in (
            ("derivative", ("d",)),
            ("partial", ("local", "arguments")),
            ("layout", ("rows", "denominator")),
            ("loop", ("forward", "backward")),
            ("sums", ("mention",)),
            ("arrows", ("names",)),
            ("slices", ("from 0", "from 1")),
            ("brackets", ("beside",)),
            ("broadcast", ("rows",)),
        ):
            if getattr(self, name) not in ("", *values):
                expected = " or ".join(map(repr, values))
                raise ValueError(f"{name}: expected {expected}, got {getattr(self, name)!r}")
        meanings = ("elementwise", "matrix", "by_shape")
        for name in meanings:
            if unknown := set(getattr(self, name)) - set(SIGNS):
                raise ValueError(f"{name}: expected {', '.join(SIGNS)}, got {sorted(unknown)}")
        for other, name in itertools.combinations(meanings, 2):
            if both := set(getattr(self, other)) & set(getattr(self, name)):
                raise ValueError(f"{name}: {sorted(both)} is said to be {other}, too")

    @property
    def is_plain(self) -> bool:
        """Whether nothing is said."""
        return not any(getattr(self, option.name) for option in fields(self)[1:]) and (
            self.time == "subscript"
        )


def _require_texts(name: str, texts: object, expected: str, given: object) -> None:
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{name}: expected {expected}, got {given!r}")
