"""Backward passes to diagnose: right ones in several styles, and wrong ones made by machine."""

import ast
import copy
import inspect
import textwrap
from types import SimpleNamespace

import numpy as np

from nndl_rnn import gru, lstm, rnn, unrolled
from nndl_rnn.diagnose._point import Point
from nndl_rnn.diagnose._reference import gradients
from nndl_rnn.parameters import GATES
from nndl_rnn.peers.layouts import from_gates

MODULES = {"rnn": rnn, "lstm": lstm, "gru": gru}
NETWORKS = [
    ("rnn", {}),
    ("lstm", {}),
    *(("gru", {"reset": r, "update": u}) for r in ("after", "before") for u in ("keep", "write")),
]


def with_mistakes(architecture, names, reset="after", update="keep"):
    """A backward pass with these entries of the dictionary."""

    def backward(p, x, state, d_h):
        point = Point(architecture, p, x, state, d_h, reset, update)
        found = gradients(point, [frozenset(names)])
        return {name: array[0] for name, array in found.items()}

    return backward


def of_package(architecture, step_backward=None, **options):
    """The package's clear backward pass, perhaps with another step."""
    module = MODULES[architecture]
    steps = SimpleNamespace(
        GATES=module.GATES,
        STATE_FIELDS=module.STATE_FIELDS,
        step=module.step,
        step_backward=step_backward or module.step_backward,
    )

    def backward(p, x, state, d_h):
        params = from_gates(architecture, p)
        cache = unrolled.forward(steps, params, x, state, **options)[2]
        d_params, d_x, d_state = unrolled.backward(cache, d_h)
        return book_names(architecture, d_params, options.get("reset")) | {
            "x": d_x,
            **dict(zip(("h_0", "c_0"), d_state, strict=False)),
        }

    return backward


def book_names(architecture, d_params, reset):
    """The gradients of each gate; here the bias is the input bias, not the sum of both."""
    gates = GATES[architecture]
    found = {}
    stacks = {"W": "weight_ih", "U": "weight_hh", "b": "bias_ih"}
    for symbol, name in stacks.items():
        for gate, part in zip(gates, np.split(d_params[name], len(gates)), strict=True):
            found[symbol if architecture == "rnn" else f"{symbol}_{gate}"] = part
    if reset == "after":
        found["beta_h"] = np.split(d_params["bias_hh"], 3)[-1]
    return found


# ---------------------------------------------------------------- one operator changed

SWAPS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div}


def mutants(architecture):
    """All ways to change one operator or constant in ``step_backward``, with the line's target."""
    source = textwrap.dedent(inspect.getsource(MODULES[architecture].step_backward))
    tree = ast.parse(source)
    for number, node in enumerate(ast.walk(tree)):
        for edit in _edits(node):
            changed = copy.deepcopy(tree)
            twin = list(ast.walk(changed))[number]
            edit(twin)
            statements = (s for s in ast.walk(changed) if isinstance(s, ast.Assign))
            statement = next((s for s in statements if twin in ast.walk(s)), None)
            if statement is None:
                continue
            namespace = dict(vars(MODULES[architecture]))
            exec(compile(ast.fix_missing_locations(changed), "mutant", "exec"), namespace)
            yield ast.unparse(statement), namespace["step_backward"]


def _edits(node):
    if isinstance(node, ast.BinOp) and type(node.op) in SWAPS:
        yield lambda n: setattr(n, "op", SWAPS[type(n.op)]())
        if isinstance(node.op, ast.Mult):
            yield lambda n: setattr(n, "op", ast.Add())
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        yield lambda n: setattr(n, "right", ast.Constant(3))
        yield lambda n: setattr(n, "op", ast.Mult())
    if isinstance(node, ast.Constant) and node.value == 1 and type(node.value) is int:
        yield lambda n: setattr(n, "value", 2)
