"""The anchor: the printed forward pass computes what ``torch.nn`` computes.

A forward equation and its backward equations can be wrong together, and then agree with each other
at every level. Only a comparison with somebody else's network notices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from texproof.code.layout import Layout, as_floats, import_numpy
from texproof.compare.graph import Node, show_node
from texproof.compare.model import Model
from texproof.compare.network import Network
from texproof.errors import ClaimFailed, EquationError
from texproof.numbers.arithmetic import ComplexStep, import_torch

if TYPE_CHECKING:
    from texproof.code.layout import FloatArray

TOLERANCE = 1e-12


def compare_with_torch(model: Model, layout: Layout, **options: Any) -> float:
    """The largest difference between the printed forward pass and PyTorch's, over all steps and
    final states.

    Raises:
        EquationError: a leaf of the printed forward pass has no counterpart.
        ClaimFailed: the two differ by more than ``TOLERANCE``.
    """
    np, torch = import_numpy(), import_torch()
    template = model.network(ComplexStep)
    hidden, inputs = layout.sizes(template)
    arrays = layout.random_arrays(
        model.seed(layout.architecture), hidden, inputs, layout.needs_bias()
    )
    network_class = getattr(torch.nn, layout.architecture)
    reference = network_class(
        inputs, hidden, bias=layout.needs_bias(), dtype=torch.float64, **options
    )
    reference.load_state_dict(
        {f"{name}_l0": torch.from_numpy(value) for name, value in arrays.items()}
    )

    kind = template.arithmetic
    printed = Network(
        model.names, kind, model.last, model.sizes, layout.leaves(kind, arrays, hidden)
    )
    steps = range(1, model.last + 1)

    def real(node: Node) -> FloatArray:
        return as_floats(printed.value(node)).reshape(-1)

    x = torch.from_numpy(np.stack([real((layout.input.key, (t,))) for t in steps]))
    initial = {role: torch.from_numpy(real(node))[None] for role, node in layout.initial.items()}
    state = (initial["h"], initial["c"]) if "c" in initial else initial["h"]
    with torch.no_grad():
        output, final = reference(x, state)

    expected = {(layout.output.key, (t,)): output[t - 1].numpy() for t in steps}
    if "c" in layout.initial:
        expected[layout.initial["c"][0], (model.last,)] = final[1][0].numpy()
    worst = 0.0
    for node, value in expected.items():
        gap = float(np.abs(real(node) - value).max())
        if not gap <= TOLERANCE:
            raise ClaimFailed(
                f"the printed forward pass is not torch.nn.{layout.architecture}: {show_node(node)} is off by {gap:.3g}"
            )
        worst = max(worst, gap)
    _require_all_mapped(printed, layout)
    return worst


def _require_all_mapped(printed: Network, layout: Layout) -> None:
    """Every parameter that the forward pass reads must come from PyTorch's weights."""
    known = {layout.input.key, *layout.weights, *(node[0] for node in layout.initial.values())}
    missing = sorted({node[0] for node in printed.nodes() if printed.is_leaf(node)} - known)
    if missing:
        raise EquationError(
            f"weights: no counterpart in torch.nn.{layout.architecture} is given for {', '.join(missing)}"
        )
