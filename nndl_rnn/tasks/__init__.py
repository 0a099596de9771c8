"""Tasks on which recurrent networks are trained: made by rule, so that every answer is known.

- Binary subtraction, one bit at a time: :func:`encode_subtraction`. The memory that is needed is one
  bit, the borrow.
- The adding problem: :func:`adding_problem`. Two numbers, marked among many, are to be added.
- Sentences whose last word depends on an early one: :func:`sample_sentences`. Any number of words
  can be put in between.

Every array has time as its first axis. Everything random is drawn from the generator that is
handed in.
"""

from typing import TYPE_CHECKING

from nndl_rnn._packages import lazy_modules
from nndl_rnn.tasks.adding import ADDING_BASELINE, adding_problem
from nndl_rnn.tasks.sentences import (
    COUNTRY_POSITION,
    DISTRACTOR_WORDS,
    LANGUAGES,
    VOCABULARY,
    decode_sentences,
    encode_sentences,
    sample_sentences,
)
from nndl_rnn.tasks.splits import split_indices
from nndl_rnn.tasks.subtraction import (
    encode_subtraction,
    format_subtraction,
    from_bits,
    sample_subtraction_pairs,
    subtraction_borrows,
    subtraction_pairs,
    to_bits,
)

__all__ = [
    "ADDING_BASELINE",
    "COUNTRY_POSITION",
    "DISTRACTOR_WORDS",
    "LANGUAGES",
    "VOCABULARY",
    "adding_problem",
    "decode_sentences",
    "encode_sentences",
    "encode_subtraction",
    "format_subtraction",
    "from_bits",
    "sample_sentences",
    "sample_subtraction_pairs",
    "split_indices",
    "subtraction_borrows",
    "subtraction_pairs",
    "text",
    "to_bits",
]

if TYPE_CHECKING:
    from nndl_rnn.tasks import text
else:
    __getattr__, __dir__ = lazy_modules(__name__, ["text"])
