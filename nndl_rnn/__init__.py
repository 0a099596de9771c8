"""Recurrent networks and their gradients in NumPy, as derived in the accompanying book.

One module per architecture (``rnn``, ``lstm``, ``gru``), each with the same five functions:
``init_params``, ``step``, ``step_backward``, ``forward`` and ``backward``.
"""

__version__ = "0.1.0"
