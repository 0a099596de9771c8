"""``python -m texproof check book/*.md``: check chapters without executing the rest of their notebooks."""

from __future__ import annotations

import sys

from texproof.command import main

sys.exit(main())
