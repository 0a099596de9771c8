"""Other libraries: weights to and from them, and PyTorch as a reference."""

from typing import TYPE_CHECKING

from nndl_rnn._packages import lazy_modules

__all__ = [
    "converters",
    "torch_reference",
]

if TYPE_CHECKING:
    from nndl_rnn.peers import converters, torch_reference
else:
    __getattr__, __dir__ = lazy_modules(__name__, __all__)
