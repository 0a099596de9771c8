"""Recurrent networks and their gradients in NumPy, as derived in the accompanying book.

One module per architecture (``rnn``, ``residual``, ``lstm``, ``gru``), each with the same five
functions: ``init_params``, ``step``, ``step_backward``, ``forward`` and ``backward``. Over any of
them: ``bptt``, ``jacobians``, ``gradient_flow``, ``training``. The printed equations of the book are
read and checked by ``derivation``.
"""

__version__ = "0.1.0"
