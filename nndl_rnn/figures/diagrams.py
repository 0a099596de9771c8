"""Computational graphs of the book, drawn with matplotlib.

Each public function builds one figure and returns it; nothing is shown or saved.
Layout is data (a node is a name, a place and a label), drawing is two small helpers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from nndl_rnn._packages import extra
from nndl_rnn._validation import Array, Size, checked, fail

with extra("figures", __name__):
    from matplotlib.axes import Axes
    from matplotlib.patches import FancyBboxPatch, Rectangle

    from nndl_rnn.figures._svg import Diagram
    from nndl_rnn.figures.plotting import BACKGROUND, TEXT

GIVEN = "#f0f0f0"  # inputs, targets and the initial state: nothing upstream
COMPUTED = "#cfe3f5"
LOSS = "#fbdcc4"
EDGE = "#444444"
SHARED = "#a33b00"  # what is the same at every time step

CARRIED = "#0b5394"  # the path along the cell
THROUGH_HIDDEN = "#a33b00"  # a path through the hidden state

NODE_WIDTH = 0.78
NODE_HEIGHT = 0.56
INCHES = 0.88  # of one unit of length


@dataclass(frozen=True)
class Node:
    """A variable of a computational graph: where it stands and how it is written."""

    x: float
    y: float
    label: str
    colour: str


MAX_STEPS = 30  # columns of a drawing; more cannot be read


@checked
def unrolled_rnn(steps: Size = 3) -> Diagram:
    r"""Draw the recurrent network as a graph without cycles, one column per time step.

    The columns repeat :math:`a_t = W x_t + U h_{t-1} + b`, :math:`h_t = \tanh(a_t)`,
    :math:`s_t = V h_t + b_s`, :math:`\ell(s_t, y_t)`; every loss feeds :math:`L`.

    Args:
        steps: the number of columns, 1 to 30.

    Returns:
        The figure, made without pyplot, so that nothing keeps it open.

    Raises:
        TypeError: ``steps`` is not an integer.
        ValueError: ``steps`` is below 1, or above 30.

    >>> figure = unrolled_rnn(steps=2)
    >>> labels = {text.get_text() for text in figure.axes[0].texts}
    >>> "$h_{1}$" in labels, "$h_{2}$" in labels, "$h_{3}$" in labels
    (True, True, False)
    """
    if steps > MAX_STEPS:
        raise fail(ValueError, "steps", f"at most {MAX_STEPS} columns", steps)
    nodes = _rnn_nodes(steps)
    figure = Diagram(figsize=(1.0 + 1.9 * steps, 5.8))
    axes = figure.add_axes((0, 0, 1, 1))
    for start, end, weight in _rnn_edges(steps):
        _draw_edge(axes, nodes[start], nodes[end], weight)
    for node in nodes.values():
        _draw_node(axes, node)
    axes.set(xlim=(-0.5, 2 * steps + 0.75), ylim=(-0.35, 6.1), aspect="equal")
    axes.axis("off")
    return figure


def _rnn_nodes(steps: int) -> dict[str, Node]:
    """The variables of the unrolled network, keyed by name and time, for example ``h2``."""
    nodes = {"h0": Node(0, 2.3, "$h_{0}$", GIVEN)}
    for t in range(1, steps + 1):
        x = 2.0 * t
        nodes[f"x{t}"] = Node(x, 0, f"$x_{{{t}}}$", GIVEN)
        nodes[f"a{t}"] = Node(x, 1.15, f"$a_{{{t}}}$", COMPUTED)
        nodes[f"h{t}"] = Node(x, 2.3, f"$h_{{{t}}}$", COMPUTED)
        nodes[f"s{t}"] = Node(x, 3.45, f"$s_{{{t}}}$", COMPUTED)
        nodes[f"loss{t}"] = Node(x, 4.6, rf"$\ell_{{{t}}}$", LOSS)
        nodes[f"y{t}"] = Node(x - 1.0, 4.6, f"$y_{{{t}}}$", GIVEN)
    nodes["L"] = Node(steps + 1.0, 5.75, "$L$", LOSS)
    return nodes


def _rnn_edges(steps: int) -> list[tuple[str, str, str]]:
    """Start, end and shared weight of every edge, in the direction of the forward pass."""
    edges = []
    for t in range(1, steps + 1):
        edges += [
            (f"x{t}", f"a{t}", "$W$"),
            (f"h{t - 1}", f"a{t}", "$U$"),
            (f"a{t}", f"h{t}", r"$\tanh$"),
            (f"h{t}", f"s{t}", "$V$"),
            (f"s{t}", f"loss{t}", ""),
            (f"y{t}", f"loss{t}", ""),
            (f"loss{t}", "L", ""),
        ]
    return edges


def lstm_step() -> Diagram:
    r"""Draw one step of the LSTM as a graph, every edge with its local derivative.

    Elementwise factors stand beside the edges, for example :math:`f_t` beside
    :math:`c_{t-1} \to c_t`; an edge into a pre-activation carries a weight matrix.

    Examples
    --------
    >>> labels = {text.get_text() for text in lstm_step().axes[0].texts}
    >>> "$c_{t+1}$" in labels
    True
    """
    return _local_derivatives(_lstm_step_nodes(), _lstm_step_edges())


def _lstm_step_nodes() -> dict[str, Node]:
    """The variables of step t and their neighbours in the steps before and after."""
    nodes = {
        "c-": Node(0.0, 5.0, "$c_{t-1}$", GIVEN),
        "h-": Node(0.0, 2.9, "$h_{t-1}$", GIVEN),
        "x": Node(0.0, 0.6, "$x_{t}$", GIVEN),
        "c": Node(6.6, 5.0, "$c_{t}$", COMPUTED),
        "h": Node(9.1, 2.0, "$h_{t}$", COMPUTED),
        "c+": Node(11.6, 5.0, "$c_{t+1}$", COMPUTED),
        "a+": Node(11.6, 2.0, "$a^{*}_{t+1}$", COMPUTED),
        "loss": Node(11.6, 0.2, r"$\ell(h_t)$", LOSS),
    }
    for row, gate in enumerate("ogif"):
        nodes[f"a{gate}"] = Node(2.3, 0.2 + 1.2 * row, f"$a^{{{gate}}}_{{t}}$", COMPUTED)
        nodes[gate] = Node(4.4, 0.2 + 1.2 * row, f"${gate}_{{t}}$", COMPUTED)
    return nodes


def _lstm_step_edges() -> list[tuple[str, str, str, str]]:
    """Start, end, local derivative and colour of every edge, in the forward direction."""
    edges = [
        ("c-", "c", "$f_t$", CARRIED),
        ("c", "c+", "$f_{t+1}$", CARRIED),
        ("f", "c", "$c_{t-1}$", EDGE),
        ("i", "c", "$g_t$", EDGE),
        ("g", "c", "$i_t$", EDGE),
        ("o", "h", r"$\tanh(c_t)$", EDGE),
        ("c", "h", r"$o_t\,(1-\tanh^2 c_t)$", EDGE),
        ("h", "a+", "$U_{*}$", THROUGH_HIDDEN),
        ("h", "loss", "", EDGE),
    ]
    for gate in "figo":
        edges += [
            ("h-", f"a{gate}", f"$U_{gate}$", THROUGH_HIDDEN),
            ("x", f"a{gate}", "", EDGE),
            (f"a{gate}", gate, r"$\tanh'$" if gate == "g" else r"$\sigma'$", EDGE),
        ]
    return edges


def lstm_two_questions() -> Diagram:
    r"""Draw the two places of the LSTM's backward pass that readers ask about.

    Left: the cell :math:`c_t` has two arrows out of it, so its gradient is a sum. Right:
    :math:`h_{t-1}` and :math:`c_{t-1}` enter step t side by side; the arrow between them belongs
    to step t - 1 and is followed there, once.

    Examples
    --------
    >>> lstm_two_questions().axes[0].get_title()
    '1. Two arrows leave the cell'
    """
    figure = Diagram(figsize=(10.5, 3.4), narrow=Diagram(figsize=(6.0, 6.8)))
    assert figure.narrow is not None
    _draw_both(figure.subplots(1, 2, width_ratios=(1.0, 1.35)))
    _draw_both(figure.narrow.subplots(2, 1))
    return figure


def _draw_both(panels: Array) -> None:
    _draw_two_exits(panels[0])
    _draw_two_inputs(panels[1])
    for axes in panels:
        axes.set(aspect="equal")
        axes.axis("off")


def _draw_two_exits(axes: Axes) -> None:
    cell = Node(0.0, 2.6, "$c_{t}$", COMPUTED)
    hidden = Node(0.0, 0.4, "$h_{t}$", COMPUTED)
    later = Node(4.2, 2.6, "$c_{t+1}$", COMPUTED)
    factor = r"$\delta^{h}_t \odot o_t \odot (1-\tanh^2 c_t)$"
    _draw_edge(axes, cell, hidden, "", THROUGH_HIDDEN)
    _write(axes, (0.2, 1.5), factor, size=15, colour=THROUGH_HIDDEN, align="left")
    _draw_edge(axes, cell, later, "", CARRIED)
    _write(axes, (2.1, 3.0), r"$\delta^{c}_{t+1} \odot f_{t+1}$", size=15, colour=CARRIED)
    for node in (cell, hidden, later):
        _draw_node(axes, node)
    axes.set(xlim=(-0.6, 4.8), ylim=(-0.7, 3.5))
    axes.set_title("1. Two arrows leave the cell", size=13)


def _draw_two_inputs(axes: Axes) -> None:
    nodes = {
        "c-": Node(1.2, 2.6, "$c_{t-1}$", COMPUTED),
        "h-": Node(1.2, 0.4, "$h_{t-1}$", COMPUTED),
        "a": Node(4.6, 1.5, "$a^{*}_{t}$", COMPUTED),
        "c": Node(7.2, 2.6, "$c_{t}$", COMPUTED),
        "h": Node(7.2, 0.4, "$h_{t}$", COMPUTED),
    }
    for start, end in (("h-", "a"), ("a", "c"), ("a", "h"), ("c", "h")):
        _draw_edge(axes, nodes[start], nodes[end], "")
    _draw_edge(axes, nodes["c-"], nodes["h-"], "", THROUGH_HIDDEN)
    _draw_edge(axes, nodes["c-"], nodes["c"], "", CARRIED)
    _write(axes, (5.0, 3.0), r"$\delta^{c}_t \odot f_t$", size=15, colour=CARRIED)
    for node in nodes.values():
        _draw_node(axes, node)
    for left, right, label in ((0.3, 2.1, "step $t-1$"), (3.7, 8.1, "step $t$")):
        frame = Rectangle((left, -0.1), right - left, 3.5, fill=False, edgecolor=EDGE, ls="--")
        axes.add_patch(frame)
        _write(axes, ((left + right) / 2, -0.4), label, size=13)
    axes.set(xlim=(0.1, 8.3), ylim=(-0.7, 3.5))
    axes.set_title("2. The arrow from $c_{t-1}$ to $h_{t-1}$ belongs to step $t-1$", size=13)


def gru_step() -> Diagram:
    r"""Draw one step of the GRU as a graph, every edge with its local derivative.

    The reset gate stands before the matrix product, :math:`p_t = r_t \odot h_{t-1}`, and the update
    gate keeps. A factor stands on its edge, for example :math:`z_t` on :math:`h_{t-1} \to h_t`.

    >>> labels = {text.get_text() for text in gru_step().axes[0].texts}
    >>> "$h_{t-1}$" in labels, "$1-z_t$" in labels
    (True, True)
    """
    return _local_derivatives(_gru_step_nodes(), _gru_step_edges())


def _gru_step_nodes() -> dict[str, Node]:
    """The variables of step t and what its state reaches in the step after."""
    return {
        "h-": Node(0.0, 5.0, "$h_{t-1}$", GIVEN),
        "x": Node(0.0, 0.0, "$x_{t}$", GIVEN),
        "az": Node(2.9, 4.2, "$a^{z}_{t}$", COMPUTED),
        "ar": Node(2.9, 1.1, "$a^{r}_{t}$", COMPUTED),
        "z": Node(5.1, 3.8, "$z_{t}$", COMPUTED),
        "p": Node(6.2, 2.3, "$p_{t}$", COMPUTED),
        "r": Node(4.7, 1.1, "$r_{t}$", COMPUTED),
        "ah": Node(7.2, 0.9, "$a^{h}_{t}$", COMPUTED),
        "h~": Node(9.3, 2.4, r"$\tilde{h}_{t}$", COMPUTED),
        "h": Node(10.9, 5.0, "$h_{t}$", COMPUTED),
        "h+": Node(13.2, 5.0, "$h_{t+1}$", COMPUTED),
        "p+": Node(13.2, 3.7, "$p_{t+1}$", COMPUTED),
        "a+": Node(13.2, 2.4, "$a^{*}_{t+1}$", COMPUTED),
        "loss": Node(13.2, 1.1, r"$\ell(h_t)$", LOSS),
    }


def _gru_step_edges() -> list[tuple[str, str, str, str]]:
    """Start, end, local derivative and colour of every edge, in the forward direction."""
    return [
        ("h-", "az", "$U_z$", THROUGH_HIDDEN),
        ("h-", "p", "$r_t$", EDGE),
        ("h-", "ar", "$U_r$", THROUGH_HIDDEN),
        ("x", "az", "$W_z$", EDGE),
        ("x", "ar", "$W_r$", EDGE),
        ("x", "ah", "$W_h$", EDGE),
        ("az", "z", r"$\sigma'$", EDGE),
        ("ar", "r", r"$\sigma'$", EDGE),
        ("r", "p", "$h_{t-1}$", EDGE),
        ("p", "ah", "$U_h$", THROUGH_HIDDEN),
        ("ah", "h~", r"$\tanh'$", EDGE),
        ("z", "h", r"$h_{t-1}-\tilde{h}_t$", EDGE),
        ("h~", "h", "$1-z_t$", EDGE),
        ("h-", "h", "$z_t$", CARRIED),
        ("h", "h+", "$z_{t+1}$", CARRIED),
        ("h", "p+", "$r_{t+1}$", EDGE),
        ("h", "a+", "$U_{*}$", THROUGH_HIDDEN),
        ("h", "loss", "", EDGE),
    ]


def _local_derivatives(nodes: dict[str, Node], edges: list[tuple[str, str, str, str]]) -> Diagram:
    """A graph with a factor on each edge. Time runs to the right, and downwards on a phone."""
    turned = {name: replace(node, x=node.y, y=-0.8 * node.x) for name, node in nodes.items()}
    figure, figure_narrow = (_sized(which.values()) for which in (nodes, turned))
    figure.narrow = figure_narrow
    for drawing, places in ((figure, nodes), (figure_narrow, turned)):
        axes = drawing.axes[0]
        for start, end, factor, colour in edges:
            _draw_edge(axes, places[start], places[end], "", colour)
            _write_on_edge(axes, places[start], places[end], factor, colour)
        for node in places.values():
            _draw_node(axes, node)
    return figure


def _sized(nodes: Iterable[Node]) -> Diagram:
    """An empty drawing with room for these nodes."""
    x, y = zip(*((node.x, node.y) for node in nodes), strict=True)
    left, right, low, high = min(x) - 0.5, max(x) + 0.5, min(y) - 0.4, max(y) + 0.4
    figure = Diagram(figsize=(INCHES * (right - left), INCHES * (high - low)))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(left, right), ylim=(low, high), aspect="equal")
    axes.axis("off")
    return figure


def _draw_node(axes: Axes, node: Node, width: float = NODE_WIDTH) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (node.x - width / 2, node.y - NODE_HEIGHT / 2),
            width,
            NODE_HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.16",
            facecolor=node.colour,
            edgecolor=EDGE,
            linewidth=1.2,
        )
    )
    _write(axes, (node.x, node.y), node.label, size=19)


def _draw_edge(axes: Axes, start: Node, end: Node, weight: str, colour: str = EDGE) -> None:
    """Draw an arrow between the borders of two nodes, with the weight beside its middle."""
    dx, dy = end.x - start.x, end.y - start.y
    # The fraction of the way at which a line from the centre leaves the box around it.
    leave = min(
        NODE_WIDTH / 2 / abs(dx) if dx else 1.0,
        NODE_HEIGHT / 2 / abs(dy) if dy else 1.0,
    )
    tail = (start.x + leave * dx, start.y + leave * dy)
    head = (end.x - leave * dx, end.y - leave * dy)
    arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=head, xytext=tail, arrowprops=arrow)
    if weight:
        _write(
            axes,
            ((tail[0] + head[0]) / 2 + 0.1, (tail[1] + head[1]) / 2 + 0.04),
            weight,
            size=15,
            colour=EDGE if "tanh" in weight else SHARED,
            align="left",
        )


def _write_on_edge(axes: Axes, start: Node, end: Node, factor: str, colour: str) -> None:
    """Write a local derivative across the middle of an edge, on a white ground."""
    if factor:
        middle = ((start.x + end.x) / 2, (start.y + end.y) / 2)
        _write(axes, middle, factor, size=15, colour=colour, ground=BACKGROUND)


def _write(
    axes: Axes,
    place: tuple[float, float],
    label: str,
    size: int,
    colour: str = TEXT,
    align: str = "center",
    ground: str = "none",
) -> None:
    """Write in the typeface of the printed equations."""
    axes.text(
        *place,
        label,
        ha=align,
        va="center",
        fontsize=size,
        color=colour,
        math_fontfamily="cm",
        bbox={"facecolor": ground, "edgecolor": "none", "pad": 1.5},
    )
