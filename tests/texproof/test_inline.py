"""Inline formulas: which of them state something, and what the check says of them."""

import json

import pytest

from texproof.check import as_json, check_chapter
from texproof.command import main
from texproof.read.chapter import Chapter
from texproof.read.inline import states_something

STATEMENTS = [
    r"h_t = o_t \odot \tanh(c_t)",
    r"L = v^\top h_T",
    r"\sigma(-a) = 1 - \sigma(a)",
    r"\tanh' = 1 - \tanh^2",
    r"c = 2 n^2 + n",
    r"\delta^{h}_t := \partial L / \partial h_t",
    r"\delta_{T+1} = 0",
    r"\lVert \partial h_t / \partial h_k \rVert \le 1",
    r"\frac{d L}{d u} \approx 1",
    r"\nabla L \ne 0",
]
NO_STATEMENTS = [
    r"T = 4",
    r"h_0 = 0",
    r"n = m = 1",
    r"t = 1, \dots, T",
    r"k = t - 1, t",
    r"T - k \ge 2",
    r"x_t \in \mathbb{R}^{m}",
    r"n \times m",
    r"f^{100} = 1/2",
    r"W_{\partial + \delta} = 1",
    r"\gamma < 1",
    r"\lvert c_t \rvert \le 1 - z",
    r"\partial L / \partial U",
    r"(1 + \gamma)^T \approx 3",
]


@pytest.mark.parametrize("latex", STATEMENTS)
def test_a_formula_states_something(latex):
    assert states_something(latex)


@pytest.mark.parametrize("latex", NO_STATEMENTS)
def test_a_formula_states_nothing(latex):
    assert not states_something(latex)


PROSE = r"""---
title: $no = a b$
---

# A title with $t_1 = a b$

Prose $t_2 = a
b$, \$5 and `$no = a b$`, {math}`t_3 = a b`. <!-- $no = a b$ -->

```{admonition} Title $t_4 = a b$
Inside $t_5 = a b$.
```

```{code-cell} ipython3
no = "$no = a b$"
```

- item $t_6 = a b$ and
  > $t_7 = a b$

Before $t_8 = a b$ $$
no = a b
$$ (eq-no)
"""


def test_inline_formulas_are_those_of_prose_with_their_lines():
    found = Chapter.parse(PROSE, "page.md").inline
    names = {formula.text.split(" ")[0]: formula for formula in found}
    assert sorted(names) == [f"t_{number}" for number in range(1, 9)]
    lines = PROSE.split("\n")
    assert all(name in lines[formula.line - 1] for name, formula in names.items())
    assert names["t_2"].label == "$t_2 = a b$"


@pytest.fixture
def page(tmp_path, rnn_chapter):
    """Write ``rnn.md`` with a sentence, and perhaps a last cell that says something of it."""

    def write(prose, code=""):
        cell = f"```{{code-cell}} ipython3\n:tags: [derivation]\n\n{code}\n```\n"
        path = tmp_path / "rnn.md"
        path.write_text(f"{rnn_chapter}\n{prose}\n\n{cell * bool(code)}", encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("formula", "status", "detail"),
    [
        (r"s_t = V h_t", "displayed", "as eq-forward"),
        (r"\delta^{s}_t = \frac{\partial L}{\partial s_t}", "displayed", "as eq-deltas"),
        (r"\delta^{s}_t := \partial L / \partial s_t", "displayed", "as a definition says"),
        (r"a_{t+1} = W x_{t+1} + U h_t + b", "verified", ""),
        (r"h_{t-1} = \tanh(W x_{t-1} + U h_{t-2} + b)", "verified", ""),
        (
            r"\delta^{a}_t = (1 - h_t^2) \odot (V^\top \delta^{s}_t + U^\top \delta^{a}_{t+1})",
            "verified",
            "",
        ),
        (r"\sigma(-a) = 1 - \sigma(a)", "verified", "for any numbers"),
        (r"E = v^\top h_T", "unchecked", "unknown symbol E"),
    ],
)
def test_an_inline_statement_is_tried_without_being_named(page, formula, status, detail):
    check = check_chapter(page(f"So ${formula}$."))
    assert check.problems == []
    [account] = check.inline
    assert account.status == status
    assert account.detail.startswith(detail)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (r"s_t = V h_{t-1}", "the equation does not hold here"),
        (r"s_t = V h_t + b", "cannot add shapes q x 1 and n x 1"),
        (r"\delta^{s}_t = V \partial L / \partial h_t", "the equation does not hold here"),
        (r"\delta^{s}_t = V Q", "unknown symbol Q"),
        (r"\sigma(-a) = 1 + \frac{d E}{d a}", "unknown symbol"),
        (r"\partial L / \partial s_t \le 1", "only equations can be verified"),
    ],
)
def test_a_false_or_unreadable_statement_is_refused_with_its_place(page, formula, message):
    path = page(f"First line.\nSo ${formula}$.")
    [problem] = check_chapter(path).problems
    first, where, shown, caret, *_ = problem.split("\n")
    assert first.startswith(f"${formula}$: {message}")
    assert f"verify({f'${formula}$'!r})" in first
    line = path.read_text(encoding="utf-8").split("\n").index(f"So ${formula}$.") + 1
    assert where == f"rnn.md:{line}"
    assert shown.strip() == formula
    assert caret.strip("^ ") == ""


def test_a_cell_names_inline_formulas_as_it_names_labels(page):
    check = check_chapter(
        page(
            r"Let $u, v_t \in \mathbb{R}$ and $v_t = u v_{t-1}$. Then $\partial v_2 / \partial v_0 = u^2$, "
            r"not $\partial v_2 / \partial v_0 = 2 u$; and $\delta_0 = 0$.",
            'toy = Derivation("rnn.md")\n'
            r'toy.declare(r"$u, v_t \in \mathbb{R}$")' + "\n"
            'toy.define("$v_t = u v_{t-1}$")\n'
            r'toy.verify(r"$\partial v_2 / \partial v_0 = u^2$")' + "\n"
            r'toy.refute(r"$\partial v_2 / \partial v_0 = 2 u$", because="wrong power of u")' + "\n"
            r'toy.unchecked(r"$\delta_0 = 0$", because="a convention of this page")',
        )
    )
    assert check.problems == []
    statuses = [account.status for account in check.inline]
    assert statuses == ["declared", "defined", "verified", "refuted", "unchecked"]
    found = as_json(check)
    assert not any("$" in row["label"] for row in found["equations"])
    assert [row["derivative"] for row in found["inline"]] == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ('rnn.unchecked("$s_t = h_t$", because="no such formula here")', "no equation is labelled"),
        (r'rnn.refute("$s_t = V h_t$", because="but it is right")', "but it holds"),
        (r'rnn.verify(r"$L = V h_t$")', "shapes"),
    ],
)
def test_what_a_cell_says_of_a_formula_must_be_so(page, code, message):
    problems = check_chapter(page("Here $s_t = V h_t$ and $L = V h_t$.", code)).problems
    assert message in problems[0]


def test_a_false_statement_in_a_notebook_is_named_by_its_cell(tmp_path):
    code = 'from texproof import Derivation\nDerivation("page.ipynb").declare("$a \\\\in \\\\mathbb{R}$")'
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": [r"Let $a \in \mathbb{R}$."]},
        {"cell_type": "code", "metadata": {"tags": ["derivation"]}, "source": [code]},
        {"cell_type": "markdown", "metadata": {}, "source": ["One.\n", "So $2 a = 3 a$."]},
    ]
    path = tmp_path / "page.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}}), encoding="utf-8")
    [problem] = check_chapter(path).problems
    assert "page.ipynb: cell 3, line 2\n    2 a = 3 a\n" in problem


def test_the_command_counts_inline_statements(page, capsys):
    assert main(["check", str(page("So $s_t = V h_t$, as $E = V h_t$.")), "--jobs", "1"]) == 0
    told = "2 inline statements: 1 as displayed, 1 not checked (with a derivative or delta: 0, 0 not checked)"
    assert told in capsys.readouterr().out
