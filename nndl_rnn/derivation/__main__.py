"""``python -m nndl_rnn.derivation check book/*.md``: check chapters without executing the rest of their notebooks."""

from __future__ import annotations

import sys

from .command import main

sys.exit(main())
