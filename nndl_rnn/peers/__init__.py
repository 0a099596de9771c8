"""Other libraries and programs: weights to and from them, and PyTorch as a reference."""

from typing import TYPE_CHECKING

from nndl_rnn._packages import lazy_modules

__all__ = [
    "converters",
    "layouts",
    "torch_reference",
]

if TYPE_CHECKING:
    from nndl_rnn.peers import converters, layouts, torch_reference
else:
    __getattr__, __dir__ = lazy_modules(__name__, __all__)
