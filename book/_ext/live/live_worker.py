"""What the worker of a web page calls: questions about equations of pages, answered in JSON."""

import gc
import json
from dataclasses import asdict

from texproof.errors import EquationError
from texproof.live import LiveEquation, read_all, verdict_of, what_if

KEPT = 3
"""Equations: each holds the numbers of a whole network, and WebAssembly's memory never shrinks."""

_pages: dict = {}
_equations: dict = {}


def add_page(name: str, text: str, macros: str) -> None:
    """Take in what a page's cells did, as :func:`texproof.live.written` gives it, in JSON."""
    _pages[name] = json.loads(text), json.loads(macros)


def equation(page: str, label: str, asked: int) -> LiveEquation:
    key = page, label, asked
    chapter, macros = _pages[page]
    found = _equations.pop(key, None) or LiveEquation(chapter, label, macros, asked)
    _equations[key] = found
    if len(_equations) > KEPT:
        del _equations[next(iter(_equations))]
        gc.collect()
    return found


def check(page: str, label: str, asked: int, text: str) -> str:
    return json.dumps(asdict(equation(page, label, asked).check(text)))


def prove(page: str, label: str, text: str) -> str:
    return json.dumps({"proved": equation(page, label, 0).is_proved(text)})


def repair(page: str, label: str, asked: int, text: str, blamed: str, count: int) -> str:
    span = json.loads(blamed)
    edit = equation(page, label, asked).look_for_repair(text, span and tuple(span), count)
    return json.dumps(edit)


def mistake(page: str, label: str, seed: int) -> str:
    return json.dumps({"text": equation(page, label, 0).mistake(seed)})


_judged: dict = {}


def next_claim(page: str, label: str, text: str, first: bool) -> str:
    """The next claim with its verdict, where a definition is another one; at the first, begin anew."""
    chapter, macros = _pages[page]
    if first:
        _judged["claims"] = what_if(chapter, label, text, macros)
    try:
        return json.dumps({"claim": next(_judged["claims"], None)})
    except EquationError as error:
        return json.dumps({"wrong": asdict(verdict_of(error, text))})


def read(page: str) -> str:
    """What of a derivation's declarations and definitions is wrong, and what nothing depends on."""
    wrong, unused = read_all(*_pages[page])
    told = {label: asdict(answer) for label, answer in wrong.items()}
    return json.dumps({"wrong": told, "unused": unused})
