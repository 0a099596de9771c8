"""The computational graphs say what the equations say."""

import pytest

from nndl_rnn.figures.diagrams import (
    _gru_step_edges,
    _gru_step_nodes,
    _lstm_step_edges,
    _lstm_step_nodes,
    _rnn_edges,
    _rnn_nodes,
)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_every_edge_joins_two_drawn_nodes(steps):
    nodes = _rnn_nodes(steps)
    for start, end, _ in _rnn_edges(steps):
        assert start in nodes
        assert end in nodes


def test_edges_are_the_arguments_of_the_forward_equations():
    arguments = {}
    for start, end, _ in _rnn_edges(3):
        arguments.setdefault(end, set()).add(start)
    assert arguments["a2"] == {"x2", "h1"}
    assert arguments["h2"] == {"a2"}
    assert arguments["s2"] == {"h2"}
    assert arguments["loss2"] == {"s2", "y2"}
    assert arguments["L"] == {"loss1", "loss2", "loss3"}


def test_the_same_weights_appear_once_per_time_step():
    weights = [weight for _, _, weight in _rnn_edges(4)]
    assert [weights.count(name) for name in ("$W$", "$U$", "$V$")] == [4, 4, 4]


def test_nodes_do_not_overlap():
    places = [(node.x, node.y) for node in _rnn_nodes(4).values()]
    assert len(set(places)) == len(places)


def test_lstm_edges_are_the_arguments_of_the_forward_equations():
    arguments = {}
    for start, end, _, _ in _lstm_step_edges():
        arguments.setdefault(end, set()).add(start)
    assert set().union(*arguments.values(), arguments) == set(_lstm_step_nodes())
    for gate in "ifgo":
        assert arguments[f"a{gate}"] == {"x", "h-"}
        assert arguments[gate] == {f"a{gate}"}
    assert arguments["c"] == {"c-", "i", "f", "g"}
    assert arguments["h"] == {"c", "o"}


def test_gru_edges_are_the_arguments_of_the_forward_equations():
    arguments = {}
    for start, end, _, _ in _gru_step_edges():
        arguments.setdefault(end, set()).add(start)
    assert set().union(*arguments.values(), arguments) == set(_gru_step_nodes())
    assert arguments["az"] == arguments["ar"] == {"x", "h-"}
    assert arguments["p"] == {"h-", "r"}
    assert arguments["ah"] == {"x", "p"}
    assert arguments["h"] == {"h-", "z", "h~"}
