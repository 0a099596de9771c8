"""Recurrent networks and their gradients in NumPy, as derived in the accompanying book.

One module per architecture (``rnn``, ``residual``, ``lstm``, ``gru``; ``peephole``, ``coupled``,
``clockwork``, ``mingru``), each with the same five functions: ``init_params``, ``step``,
``step_backward``, ``forward`` and ``backward``. Over any of them: ``bptt``, ``jacobians``,
``gradient_flow``, ``training``; and ``diagnose`` says which term of a reader's own gradient is
wrong. A module is imported when it is first named, so that ``import nndl_rnn`` costs next to nothing.

>>> import nndl_rnn
>>> nndl_rnn.lstm.init_params
<function init_params at ...>
"""

from typing import TYPE_CHECKING

from nndl_rnn._packages import lazy_modules

__version__ = "0.1.0"

__all__ = [
    "activations",
    "bptt",
    "clockwork",
    "costs",
    "coupled",
    "diagnose",
    "figures",
    "gradcheck",
    "gradient_flow",
    "gru",
    "initialisers",
    "jacobians",
    "layers",
    "losses",
    "lstm",
    "mingru",
    "parameters",
    "peephole",
    "peers",
    "residual",
    "rnn",
    "tasks",
    "training",
    "unrolled",
]

if TYPE_CHECKING:
    from nndl_rnn import (
        activations,
        bptt,
        clockwork,
        costs,
        coupled,
        diagnose,
        figures,
        gradcheck,
        gradient_flow,
        gru,
        initialisers,
        jacobians,
        layers,
        losses,
        lstm,
        mingru,
        parameters,
        peephole,
        peers,
        residual,
        rnn,
        tasks,
        training,
        unrolled,
    )
else:
    __getattr__, __dir__ = lazy_modules(__name__, __all__)
