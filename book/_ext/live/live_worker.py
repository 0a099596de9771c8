"""What the worker of a web page calls: questions about equations of pages, answered in JSON."""

import gc
import json
from dataclasses import asdict

from texproof.live import LiveEquation

KEPT = 3
"""Equations: each holds the numbers of a whole network, and WebAssembly's memory never shrinks."""

_pages: dict = {}
_equations: dict = {}


def add_page(name: str, text: str, macros: str) -> None:
    """Take in what a page's cells did, as :func:`texproof.live.written` gives it, in JSON."""
    _pages[name] = json.loads(text), json.loads(macros)


def equation(page: str, label: str) -> LiveEquation:
    key = page, label
    chapter, macros = _pages[page]
    found = _equations.pop(key, None) or LiveEquation(chapter, label, macros)
    _equations[key] = found
    if len(_equations) > KEPT:
        del _equations[next(iter(_equations))]
        gc.collect()
    return found


def check(page: str, label: str, text: str) -> str:
    return json.dumps(asdict(equation(page, label).check(text)))


def repair(page: str, label: str, text: str, blamed: str, count: int) -> str:
    span = json.loads(blamed)
    return json.dumps(equation(page, label).look_for_repair(text, span and tuple(span), count))


def mistake(page: str, label: str, seed: int) -> str:
    return json.dumps({"text": equation(page, label).mistake(seed)})
