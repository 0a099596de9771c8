"""The modules of the package stand on floors: imports go down, and never in a circle."""

import nndl_rnn
from tests.imports import circle, imports_within

FLOORS = [
    ["_validation", "_packages", "_files", "_differences", "_doubts"],
    ["activations", "parameters"],
    [
        "_fast",
        "rnn",
        "lstm",
        "gru",
        "residual",
        "unrolled",
        "peephole",
        "coupled",
        "clockwork",
        "mingru",
    ],
    [
        "bptt",
        "costs",
        "gradcheck",
        "gradient_flow",
        "initialisers",
        "jacobians",
        "layers",
        "losses",
    ],
    ["training", "tasks", "peers", "figures"],
    ["diagnose"],
]


def floor(module):
    part = module.split(".")[1]
    [found] = [number for number, floor in enumerate(FLOORS) if part in floor]
    return found


def test_nothing_is_imported_from_above():
    reads = imports_within(nndl_rnn)
    reads.pop("nndl_rnn")  # it hands out all others, lazily
    wrong = [(a, b) for a, others in reads.items() for b in others if floor(b) > floor(a)]
    assert len(reads) > 30
    assert not wrong


def test_no_module_imports_itself_by_way_of_others():
    assert not circle(imports_within(nndl_rnn))


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]
