"""What a build knows of its pages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from fnmatch import fnmatch

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from texproof.site.accounts import Checked, Page

LEDGER, COUNTS = "ledger:", "counts:"
"""What the digest of a page begins with that shows a ledger, or only counts equations."""


def state(env: BuildEnvironment) -> dict[str, tuple[Page, str]]:
    """What each page prints and, if it shows what was found, the digest of what that was made from."""
    if not hasattr(env, "texproof"):
        env.texproof = {}  # type: ignore[attr-defined]
    pages: dict[str, tuple[Page, str]] = env.texproof  # type: ignore[attr-defined]
    return pages


def digest(checked: Mapping[str, Checked]) -> str:
    """A hash of all that was found."""
    shown = {name: dict(found, seconds=0) for name, found in checked.items()}
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def reason_not_to_check(app: Sphinx, docname: str) -> str | None:
    """Why a page is left out: ``texproof_unchecked_pages`` has patterns of names, with reasons."""
    patterns: dict[str, str] = app.config.texproof_unchecked_pages
    return next((why for p, why in patterns.items() if fnmatch(docname, p)), None)
