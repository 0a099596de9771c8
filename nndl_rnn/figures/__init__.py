"""Figures of the book: plots, diagrams, and figures with sliders."""

from typing import TYPE_CHECKING

from nndl_rnn._packages import lazy_modules

__all__ = [
    "diagrams",
    "interactive",
    "plotting",
]

if TYPE_CHECKING:
    from nndl_rnn.figures import diagrams, interactive, plotting
else:
    __getattr__, __dir__ = lazy_modules(__name__, __all__)
