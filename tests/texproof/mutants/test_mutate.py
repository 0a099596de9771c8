r"""Mutation of printed equations: every kind of edit occurs, and what says the same is never refuted."""

# ruff: noqa: E501  (tables)

import hashlib
import json
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from texproof.compare.claims import compare
from texproof.errors import Source
from texproof.mutants.judge import judge
from texproof.mutants.mutate import Mutant, equal_rewrites, mutants, sample
from texproof.mutate_chapter import MutationReport, mutate_chapter, total
from texproof.numbers.arithmetic import ComplexStep
from texproof.report.report import MutationScore

KINDS = {
    "sign",
    "drop term",
    "drop factor",
    "operator",
    "order",
    "transpose",
    "function",
    "index",
    "symbol",
    "bound",
    "power",
    "constant",
    "condition",
    "direct",
    "exchange",
    "held",
    "letter",
    "parenthesis",
    "plus",
    "prime",
    "sum",
}


def mutants_of(derivation, label="eq-claim"):
    return mutants(derivation.source(label), derivation.model.names)


def edited(rnn, claim):
    """The mutants of one equation, as kind and text."""
    return {(m.kind, " ".join(m.source.text.split())) for m in mutants_of(rnn(claim))}


# An equation in an unusual print, and one of the edits that must be among its mutants.
EDITS = [
    (r"h_t = (U^2)^\top b", ("transpose", r"h_t = {(U^{2})} b")),
    (r"h_t = \left( U U \right)^\top b", ("transpose", r"h_t = {(UU)} b")),
    (r"h_t = - \bigl( b \bigr)", ("sign", r"h_t = + \bigl( b \bigr)")),
    (r"h_t = \left( b \right)", ("sign", r"h_t = -\left( b \right)")),
    (r"h_t = U \left( b - a_t \right)", ("order", r"h_t = \left( b - a_t \right) U")),
    (r"h_t = \tanh^2(b)", ("power", r"h_t = \tanh^{3}(b)")),
    (r"h_t = 1 - b", ("constant", r"h_t = 2 - b")),
    (r"h_t = b, \quad t \in \{2, \dots, T\}", ("condition", r"h_t = b, \quad t \in \{1, \dots, T\}")),
    (r"h_t = b, \quad k < t, \quad t > 2", ("condition", r"h_t = b, \quad t > 2")),
    (r"\begin{aligned} h_t &= b, & t &= 1 \\ a_t &= b \end{aligned}", ("condition", r"\begin{aligned} h_t &= b \\ a_t &= b \end{aligned}")),
    (r"\left. \frac{\partial L}{\partial h_t} \right|_{a_t} = b", ("held", r"\frac{\partial L}{\partial h_t} = b")),
    (r"h_t = \sum_{j=k}^{t} a_{t-j}", ("letter", r"h_t = \sum_{j=k}^{t} {a_{-j+k}}")),
    (r"h_t = (b - a_t) \odot b", ("parenthesis", r"h_t = (b - a_t \odot b )")),
    (r"h_t = b - \bigl( a_t - b \bigr)", ("parenthesis", r"h_t = \bigl( b - a_t - b \bigr)")),
    (r"h_t = \tanh \left( a_t \right) + b", ("parenthesis", r"h_t = \tanh \left( a_t + b \right)")),
]  # fmt: skip


# Equations, each with all of its edits. What stands in the left column names the kind.
ALL_EDITS = r"""
-b - b = U \exp(2) b
    sign          +b - b = U \exp(2) b
    drop term     - b = U \exp(2) b
    sign          -b + b = U \exp(2) b
    drop term     -b = U \exp(2) b
    sign          -b - b = -U \exp(2) b
    drop factor   -b - b = \exp(2) b
    transpose     -b - b = {U}^\top \exp(2) b
    drop factor   -b - b = U b
    function      -b - b = U \tanh(2) b
    constant      -b - b = U \exp(3) b
    drop factor   -b - b = U \exp(2)
    parenthesis   -b - b = U \exp(2 b )

b = -U b + b, \qquad 2 \le t \le T
    sign          b = +U b + b, \qquad 2 \le t \le T
    drop term     b = b, \qquad 2 \le t \le T
    drop factor   b = -b + b, \qquad 2 \le t \le T
    transpose     b = -{U}^\top b + b, \qquad 2 \le t \le T
    drop factor   b = -U + b, \qquad 2 \le t \le T
    operator      b = -U \odot b + b, \qquad 2 \le t \le T
    order         b = - b U + b, \qquad 2 \le t \le T
    sign          b = -U b - b, \qquad 2 \le t \le T
    drop term     b = -U b , \qquad 2 \le t \le T
    condition     b = -U b + b
    condition     b = -U b + b, \qquad 3 \le t \le T
    condition     b = -U b + b, \qquad 1 \le t \le T
    condition     b = -U b + b, \qquad 2 \le t \le T-1

b = U^\top b \cdot (b^\top b)
    sign          b = -U^\top b \cdot (b^\top b)
    drop factor   b = b \cdot (b^\top b)
    transpose     b = {U} b \cdot (b^\top b)
    drop factor   b = U^\top \cdot (b^\top b)
    operator      b = U^\top \odot b \cdot (b^\top b)
    order         b = b U^\top \cdot (b^\top b)
    drop factor   b = U^\top b
    drop factor   b = U^\top b \cdot (b)
    transpose     b = U^\top b \cdot ({b} b)
    drop factor   b = U^\top b \cdot (b^\top)
    operator      b = U^\top b \cdot (b^\top \odot b)
    order         b = U^\top b \cdot ( b b^\top)
    parenthesis   b = U^\top b \cdot b^\top b
    parenthesis   b = U^\top ( b \cdot b^\top b)

b = V^\top \odot W x_{t-1}
    sign          b = -V^\top \odot W x_{t-1}
    drop factor   b = W x_{t-1}
    transpose     b = {V} \odot W x_{t-1}
    drop factor   b = V^\top x_{t-1}
    operator      b = V^\top \cdot W x_{t-1}
    transpose     b = V^\top \odot {W}^\top x_{t-1}
    drop factor   b = V^\top \odot W
    operator      b = V^\top \odot W \odot x_{t-1}
    order         b = V^\top \odot x_{t-1} W
    index         b = V^\top \odot W {x_{t}}
    index         b = V^\top \odot W {x_{t-2}}
    plus          b = V^\top + W x_{t-1}

b = b \odot \tanh(b) \circ b
    sign          b = -b \odot \tanh(b) \circ b
    drop factor   b = \tanh(b) \circ b
    drop factor   b = b \circ b
    operator      b = b \cdot \tanh(b) \circ b
    function      b = b \odot \sigma(b) \circ b
    drop factor   b = b \odot \tanh(b)
    operator      b = b \odot \tanh(b) \cdot b
    swap factors  b = \tanh(b) \odot b \circ b
    swap factors  b = b \odot b \circ \tanh(b)
    plus          b = b + \tanh(b) \circ b
    prime         b = b \odot \tanh'(b) \circ b
    plus          b = b \odot \tanh(b) + b
    parenthesis   b = b \odot \tanh(b \circ b )

U = b \otimes \phi'(b)
    transpose     {U}^\top = b \otimes \phi'(b)
    sign          U = -b \otimes \phi'(b)
    drop factor   U = \phi'(b)
    drop factor   U = b
    operator      U = b \odot \phi'(b)
    order         U = \phi'(b) \otimes b
    function      U = b \otimes \phi (b)

b = \sum_{j=1}^{t} (\partial b / \partial x_j) x_j
    sign          b = -\sum_{j=1}^{t} (\partial b / \partial x_j) x_j
    bound         b = \sum_{j=2}^{t} (\partial b / \partial x_j) x_j
    bound         b = \sum_{j=0}^{t} (\partial b / \partial x_j) x_j
    bound         b = \sum_{j=1}^{t+1} (\partial b / \partial x_j) x_j
    bound         b = \sum_{j=1}^{t-1} (\partial b / \partial x_j) x_j
    drop factor   b = \sum_{j=1}^{t} x_j
    index         b = \sum_{j=1}^{t} (\partial b / \partial {x_{j+1}}) x_j
    index         b = \sum_{j=1}^{t} (\partial b / \partial {x_{j-1}}) x_j
    drop factor   b = \sum_{j=1}^{t} (\partial b / \partial x_j)
    operator      b = \sum_{j=1}^{t} (\partial b / \partial x_j) \odot x_j
    order         b = \sum_{j=1}^{t} x_j (\partial b / \partial x_j)
    index         b = \sum_{j=1}^{t} (\partial b / \partial x_j) {x_{j+1}}
    index         b = \sum_{j=1}^{t} (\partial b / \partial x_j) {x_{j-1}}
    sum           b = \prod_{j=1}^{t} (\partial b / \partial x_j) x_j
    direct        b = \sum_{j=1}^{t} (\partial^{+} b / \partial x_j) x_j
    letter        b = \sum_{j=1}^{t} (\partial b / \partial {x_{t}}) x_j
    letter        b = \sum_{j=1}^{t} (\partial b / \partial x_j) {x_{t}}
    parenthesis   b = \sum_{j=1}^{t} \partial b / \partial x_j x_j
    parenthesis   b = \sum_{j=1}^{t} (\partial b / \partial x_j x_j )

b = \partial L / \partial b \odot b
    sign          b = -\partial L / \partial b \odot b
    drop factor   b = b
    drop factor   b = \partial L / \partial b
    operator      b = \partial L / \partial b \cdot b
    swap factors  b = b \odot \partial L / \partial b
    direct        b = \partial^{+} L / \partial b \odot b
    plus          b = \partial L / \partial b + b

b = \sum_{j} \phi'(b) \odot \phi'(x_j)
    sign          b = -\sum_{j} \phi'(b) \odot \phi'(x_j)
    drop factor   b = \sum_{j} \phi'(x_j)
    drop factor   b = \sum_{j} \phi'(b)
    operator      b = \sum_{j} \phi'(b) \cdot \phi'(x_j)
    function      b = \sum_{j} \phi (b) \odot \phi'(x_j)
    function      b = \sum_{j} \phi'(b) \odot \phi (x_j)
    index         b = \sum_{j} \phi'(b) \odot \phi'({x_{j+1}})
    index         b = \sum_{j} \phi'(b) \odot \phi'({x_{j-1}})
    swap factors  b = \sum_{j} \phi'(x_j) \odot \phi'(b)
    sum           b = \prod_{j} \phi'(b) \odot \phi'(x_j)
    plus          b = \sum_{j} \phi'(b) + \phi'(x_j)
    parenthesis   b = \sum_{j} \phi'(b \odot \phi'(x_j) )

U = U \diag(b)
    transpose     {U}^\top = U \diag(b)
    sign          U = -U \diag(b)
    drop factor   U = \diag(b)
    drop factor   U = U
    transpose     U = {U}^\top \diag(b)
    operator      U = U \odot \diag(b)
    order         U = \diag(b) U
    function      U = U (b)

b = + b - U b
    sign          b = - b - U b
    drop term     b = - U b
    sign          b = + b + U b
    drop term     b = + b
    transpose     b = + b - {U}^\top b
    drop factor   b = + b - b
    drop factor   b = + b - U
    operator      b = + b - U \odot b
    order         b = + b - b U

\frac{\partial}{\partial b} L = \tanh'(b) \operatorname{diag}(b)
    sign          \frac{\partial}{\partial b} L = -\tanh'(b) \operatorname{diag}(b)
    drop factor   \frac{\partial}{\partial b} L = \operatorname{diag}(b)
    function      \frac{\partial}{\partial b} L = \tanh (b) \operatorname{diag}(b)
    function      \frac{\partial}{\partial b} L = \sigma'(b) \operatorname{diag}(b)
    drop factor   \frac{\partial}{\partial b} L = \tanh'(b)
    operator      \frac{\partial}{\partial b} L = \tanh'(b) \odot \operatorname{diag}(b)
    order         \frac{\partial}{\partial b} L = \operatorname{diag}(b) \tanh'(b)
    function      \frac{\partial}{\partial b} L = \tanh'(b) (b)
    parenthesis   \frac{\partial}{\partial b} L = \tanh'(b \operatorname{diag}(b) )

\left. \frac{\partial^{+} b}{\partial x_t} \right|_{x_{t-1}} = U
    index         \left. \frac{\partial^{+} b}{\partial {x_{t+1}}} \right|_{x_{t-1}} = U
    index         \left. \frac{\partial^{+} b}{\partial {x_{t-1}}} \right|_{x_{t-1}} = U
    index         \left. \frac{\partial^{+} b}{\partial x_t} \right|_{{x_{t}}} = U
    index         \left. \frac{\partial^{+} b}{\partial x_t} \right|_{{x_{t-2}}} = U
    sign          \left. \frac{\partial^{+} b}{\partial x_t} \right|_{x_{t-1}} = -U
    transpose     \left. \frac{\partial^{+} b}{\partial x_t} \right|_{x_{t-1}} = {U}^\top
    held          \frac{\partial^{+} b}{\partial x_t} = U
    direct        \left. \frac{\partial b}{\partial x_t} \right|_{x_{t-1}} = U
    exchange      \left. \frac{\partial^{+} x_t }{\partial b} \right|_{x_{t-1}} = U

\partial^{+} b / \partial x_t = \frac{\partial}{\partial x_k} b
    index         \partial^{+} b / \partial {x_{t+1}} = \frac{\partial}{\partial x_k} b
    index         \partial^{+} b / \partial {x_{t-1}} = \frac{\partial}{\partial x_k} b
    sign          \partial^{+} b / \partial x_t = -\frac{\partial}{\partial x_k} b
    index         \partial^{+} b / \partial x_t = \frac{\partial}{\partial {x_{k+1}}} b
    index         \partial^{+} b / \partial x_t = \frac{\partial}{\partial {x_{k-1}}} b
    direct        \partial b / \partial x_t = \frac{\partial}{\partial x_k} b
    letter        \partial^{+} b / \partial {x_{k}} = \frac{\partial}{\partial x_k} b
    letter        \partial^{+} b / \partial x_t = \frac{\partial}{\partial {x_{t}}} b

U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k (U V^\top V)
    transpose     {U}^\top = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k (U V^\top V)
    sign          U = -\prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k (U V^\top V)
    bound         U = \prod_{j=k+2}^{t} U = \overleftarrow{\prod}_{j=1}^k (U V^\top V)
    bound         U = \prod_{j=k}^{t} U = \overleftarrow{\prod}_{j=1}^k (U V^\top V)
    bound         U = \prod_{j=k+1}^{t+1} U = \overleftarrow{\prod}_{j=1}^k (U V^\top V)
    bound         U = \prod_{j=k+1}^{t-1} U = \overleftarrow{\prod}_{j=1}^k (U V^\top V)
    order         U = \overleftarrow{\prod}_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k (U V^\top V)
    transpose     U = \prod_{j=k+1}^{t} {U}^\top = \overleftarrow{\prod}_{j=1}^k (U V^\top V)
    sign          U = \prod_{j=k+1}^{t} U = -\overleftarrow{\prod}_{j=1}^k (U V^\top V)
    bound         U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=2}^k (U V^\top V)
    bound         U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=0}^k (U V^\top V)
    bound         U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^{k+1} (U V^\top V)
    bound         U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^{k-1} (U V^\top V)
    order         U = \prod_{j=k+1}^{t} U = \prod_{j=1}^k (U V^\top V)
    drop factor   U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k (V^\top V)
    transpose     U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k ({U}^\top V^\top V)
    drop factor   U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k (U V)
    operator      U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k (U \odot V^\top V)
    order         U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k ( V^\top U V)
    transpose     U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k (U {V} V)
    drop factor   U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k (U V^\top)
    operator      U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k (U V^\top \odot V)
    order         U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k (U V V^\top)
    transpose     U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k (U V^\top {V}^\top)
    sum           U = \sum_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k (U V^\top V)
    sum           U = \prod_{j=k+1}^{t} U = \sum_{j=1}^k (U V^\top V)
    parenthesis   U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k U V^\top V
    parenthesis   U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k (U V^\top) V
    parenthesis   U = \prod_{j=k+1}^{t} U = \overleftarrow{\prod}_{j=1}^k U (V^\top V)

L = \mathop{\overleftarrow{\prod}}_{j=1}^{2} U
    sign          L = -\mathop{\overleftarrow{\prod}}_{j=1}^{2} U
    bound         L = \mathop{\overleftarrow{\prod}}_{j=2}^{2} U
    bound         L = \mathop{\overleftarrow{\prod}}_{j=0}^{2} U
    bound         L = \mathop{\overleftarrow{\prod}}_{j=1}^{3} U
    bound         L = \mathop{\overleftarrow{\prod}}_{j=1}^{1} U
    order         L = \prod_{j=1}^{2} U
    transpose     L = \mathop{\overleftarrow{\prod}}_{j=1}^{2} {U}^\top
    sum           L = \sum_{j=1}^{2} U

b = U^{T-t} b^2 = \log^{2}(b) - \sigma^{-1}(b)
    sign          b = -U^{T-t} b^2 = \log^{2}(b) - \sigma^{-1}(b)
    drop factor   b = b^2 = \log^{2}(b) - \sigma^{-1}(b)
    power         b = {U} b^2 = \log^{2}(b) - \sigma^{-1}(b)
    power         b = {U}^{T-t+1} b^2 = \log^{2}(b) - \sigma^{-1}(b)
    power         b = {U}^{T-t-1} b^2 = \log^{2}(b) - \sigma^{-1}(b)
    drop factor   b = U^{T-t} = \log^{2}(b) - \sigma^{-1}(b)
    operator      b = U^{T-t} \odot b^2 = \log^{2}(b) - \sigma^{-1}(b)
    order         b = b^2 U^{T-t} = \log^{2}(b) - \sigma^{-1}(b)
    power         b = U^{T-t} {b} = \log^{2}(b) - \sigma^{-1}(b)
    power         b = U^{T-t} {b}^{3} = \log^{2}(b) - \sigma^{-1}(b)
    power         b = U^{T-t} {b}^{1} = \log^{2}(b) - \sigma^{-1}(b)
    sign          b = U^{T-t} b^2 = -\log^{2}(b) - \sigma^{-1}(b)
    drop term     b = U^{T-t} b^2 = - \sigma^{-1}(b)
    power         b = U^{T-t} b^2 = \log^{3}(b) - \sigma^{-1}(b)
    power         b = U^{T-t} b^2 = \log^{1}(b) - \sigma^{-1}(b)
    function      b = U^{T-t} b^2 = \exp^{2}(b) - \sigma^{-1}(b)
    sign          b = U^{T-t} b^2 = \log^{2}(b) + \sigma^{-1}(b)
    drop term     b = U^{T-t} b^2 = \log^{2}(b)
    power         b = U^{T-t} b^2 = \log^{2}(b) - \sigma^{-2}(b)
    function      b = U^{T-t} b^2 = \log^{2}(b) - \tanh^{-1}(b)
    parenthesis   b = U^{T-t} b^2 = \log^{2}(b - \sigma^{-1}(b) )

L = \frac{3}{T} \exp(1)
    sign          L = -\frac{3}{T} \exp(1)
    drop factor   L = \exp(1)
    constant      L = \frac{4}{T} \exp(1)
    constant      L = \frac{3}{(T+1)} \exp(1)
    drop factor   L = \frac{3}{T}
    function      L = \frac{3}{T} \tanh(1)
    constant      L = \frac{3}{T} \exp(2)
    exchange      L = \frac{ T }{ 3} \exp(1)

W = b x_t^\top = b^T
    transpose     {W}^\top = b x_t^\top = b^T
    sign          W = -b x_t^\top = b^T
    drop factor   W = x_t^\top = b^T
    drop factor   W = b = b^T
    operator      W = b \odot x_t^\top = b^T
    order         W = x_t^\top b = b^T
    transpose     W = b {x_{t}} = b^T
    index         W = b {x_{t+1}}^{\top} = b^T
    index         W = b {x_{t-1}}^{\top} = b^T
    sign          W = b x_t^\top = -b^T
    power         W = b x_t^\top = {b}
    power         W = b x_t^\top = {b}^{T+1}
    power         W = b x_t^\top = {b}^{T-1}

b = [b; x_T] = \begin{bmatrix} b \\ x_{2t} \end{bmatrix}
    sign          b = -[b; x_T] = \begin{bmatrix} b \\ x_{2t} \end{bmatrix}
    index         b = [b; {x_{T+1}}] = \begin{bmatrix} b \\ x_{2t} \end{bmatrix}
    index         b = [b; {x_{T-1}}] = \begin{bmatrix} b \\ x_{2t} \end{bmatrix}
    sign          b = [b; x_T] = -\begin{bmatrix} b \\ x_{2t} \end{bmatrix}
    index         b = [b; x_T] = \begin{bmatrix} b \\ {x_{2t+1}} \end{bmatrix}
    index         b = [b; x_T] = \begin{bmatrix} b \\ {x_{2t-1}} \end{bmatrix}

s_t = -y_t^2 = a_t
    index         {s_{t+1}} = -y_t^2 = a_t
    index         {s_{t-1}} = -y_t^2 = a_t
    symbol        {y_{t}} = -y_t^2 = a_t
    symbol        {\delta^{s}_{t}} = -y_t^2 = a_t
    sign          s_t = +y_t^2 = a_t
    power         s_t = -{y_{t}} = a_t
    power         s_t = -{y_{t}}^{3} = a_t
    power         s_t = -{y_{t}}^{1} = a_t
    index         s_t = -{y_{t+1}}^{2} = a_t
    index         s_t = -{y_{t-1}}^{2} = a_t
    symbol        s_t = -{s_{t}}^{2} = a_t
    symbol        s_t = -{\delta^{s}_{t}}^{2} = a_t
    sign          s_t = -y_t^2 = -a_t
    index         s_t = -y_t^2 = {a_{t+1}}
    index         s_t = -y_t^2 = {a_{t-1}}
    symbol        s_t = -y_t^2 = {h_{t}}
    symbol        s_t = -y_t^2 = {\delta^{h}_{t}}
    symbol        s_t = -y_t^2 = {\delta^{a}_{t}}

\frac{\partial s_t}{\partial s_k} = V
    index         \frac{\partial {s_{t+1}}}{\partial s_k} = V
    index         \frac{\partial {s_{t-1}}}{\partial s_k} = V
    symbol        \frac{\partial {y_{t}}}{\partial s_k} = V
    symbol        \frac{\partial {\delta^{s}_{t}}}{\partial s_k} = V
    index         \frac{\partial s_t}{\partial {s_{k+1}}} = V
    index         \frac{\partial s_t}{\partial {s_{k-1}}} = V
    symbol        \frac{\partial s_t}{\partial {y_{k}}} = V
    symbol        \frac{\partial s_t}{\partial {\delta^{s}_{k}}} = V
    sign          \frac{\partial s_t}{\partial s_k} = -V
    transpose     \frac{\partial s_t}{\partial s_k} = {V}^\top
    direct        \frac{\partial^{+} s_t}{\partial s_k} = V
    exchange      \frac{\partial s_k }{\partial s_t} = V
    letter        \frac{\partial {s_{k}}}{\partial s_k} = V
    letter        \frac{\partial s_t}{\partial {s_{t}}} = V

b = W x_1 + (b + b \odot b) - U b
    sign          b = -W x_1 + (b + b \odot b) - U b
    drop term     b = (b + b \odot b) - U b
    drop factor   b = x_1 + (b + b \odot b) - U b
    transpose     b = {W}^\top x_1 + (b + b \odot b) - U b
    drop factor   b = W + (b + b \odot b) - U b
    operator      b = W \odot x_1 + (b + b \odot b) - U b
    order         b = x_1 W + (b + b \odot b) - U b
    index         b = W {x_{2}} + (b + b \odot b) - U b
    index         b = W {x_{0}} + (b + b \odot b) - U b
    sign          b = W x_1 - (b + b \odot b) - U b
    drop term     b = W x_1 - U b
    sign          b = W x_1 + (-b + b \odot b) - U b
    drop term     b = W x_1 + ( b \odot b) - U b
    sign          b = W x_1 + (b - b \odot b) - U b
    drop term     b = W x_1 + (b ) - U b
    drop factor   b = W x_1 + (b + b) - U b
    operator      b = W x_1 + (b + b \cdot b) - U b
    sign          b = W x_1 + (b + b \odot b) + U b
    drop term     b = W x_1 + (b + b \odot b)
    drop factor   b = W x_1 + (b + b \odot b) - b
    transpose     b = W x_1 + (b + b \odot b) - {U}^\top b
    drop factor   b = W x_1 + (b + b \odot b) - U
    operator      b = W x_1 + (b + b \odot b) - U \odot b
    order         b = W x_1 + (b + b \odot b) - b U
    swap terms    b = (b + b \odot b) + W x_1 - U b
    swap terms    b = W x_1 + ( b \odot b + b) - U b
    swap factors  b = W x_1 + (b + b \odot b) - U b
    plus          b = W x_1 + (b + b + b) - U b
    parenthesis   b = W x_1 + b + b \odot b - U b
    parenthesis   b = W x_1 + (b + b \odot b - U b )
    parenthesis   b = ( W x_1 + b + b \odot b) - U b

b = b \odot U b \odot b \odot b, \qquad t = 1
    sign          b = -b \odot U b \odot b \odot b, \qquad t = 1
    drop factor   b = U b \odot b \odot b, \qquad t = 1
    drop factor   b = b b \odot b \odot b, \qquad t = 1
    operator      b = b \cdot U b \odot b \odot b, \qquad t = 1
    transpose     b = b \odot {U}^\top b \odot b \odot b, \qquad t = 1
    drop factor   b = b \odot U \odot b \odot b, \qquad t = 1
    operator      b = b \odot U \odot b \odot b \odot b, \qquad t = 1
    order         b = b \odot b U \odot b \odot b, \qquad t = 1
    drop factor   b = b \odot U b \odot b, \qquad t = 1
    operator      b = b \odot U b \cdot b \odot b, \qquad t = 1
    operator      b = b \odot U b \odot b \cdot b, \qquad t = 1
    swap factors  b = b \odot U b \odot b \odot b, \qquad t = 1
    plus          b = b + U b \odot b \odot b, \qquad t = 1
    plus          b = b \odot U b + b \odot b, \qquad t = 1
    plus          b = b \odot U b \odot b + b, \qquad t = 1
    condition     b = b \odot U b \odot b \odot b
    condition     b = b \odot U b \odot b \odot b, \qquad t = 2
    condition     b = b \odot U b \odot b \odot b, \qquad t = 0

b = (b + U b - b)^\top b, \qquad t = 1, \dots, T - 1
    sign          b = -(b + U b - b)^\top b, \qquad t = 1, \dots, T - 1
    drop factor   b = b, \qquad t = 1, \dots, T - 1
    transpose     b = {(b+Ub-b)} b, \qquad t = 1, \dots, T - 1
    sign          b = (-b + U b - b)^\top b, \qquad t = 1, \dots, T - 1
    drop term     b = ( U b - b)^\top b, \qquad t = 1, \dots, T - 1
    sign          b = (b - U b - b)^\top b, \qquad t = 1, \dots, T - 1
    drop term     b = (b - b)^\top b, \qquad t = 1, \dots, T - 1
    drop factor   b = (b + b - b)^\top b, \qquad t = 1, \dots, T - 1
    transpose     b = (b + {U}^\top b - b)^\top b, \qquad t = 1, \dots, T - 1
    drop factor   b = (b + U - b)^\top b, \qquad t = 1, \dots, T - 1
    operator      b = (b + U \odot b - b)^\top b, \qquad t = 1, \dots, T - 1
    order         b = (b + b U - b)^\top b, \qquad t = 1, \dots, T - 1
    sign          b = (b + U b + b)^\top b, \qquad t = 1, \dots, T - 1
    drop term     b = (b + U b )^\top b, \qquad t = 1, \dots, T - 1
    drop factor   b = (b + U b - b)^\top, \qquad t = 1, \dots, T - 1
    operator      b = (b + U b - b)^\top \odot b, \qquad t = 1, \dots, T - 1
    order         b = b (b + U b - b)^\top, \qquad t = 1, \dots, T - 1
    parenthesis   b = b + U b - b ^\top b, \qquad t = 1, \dots, T - 1
    parenthesis   b = (b + U b - b b )^\top, \qquad t = 1, \dots, T - 1
    parenthesis   b = (b + U b)^\top - b b, \qquad t = 1, \dots, T - 1
    parenthesis   b = b + (U b - b)^\top b, \qquad t = 1, \dots, T - 1
    condition     b = (b + U b - b)^\top b
    swap terms    b = ( U b + b - b)^\top b, \qquad t = 1, \dots, T - 1
    condition     b = (b + U b - b)^\top b, \qquad t = 2, \dots, T - 1
    condition     b = (b + U b - b)^\top b, \qquad t = 0, \dots, T - 1
    condition     b = (b + U b - b)^\top b, \qquad t = 1, \dots, T
    condition     b = (b + U b - b)^\top b, \qquad t = 1, \dots, T-2

b = b - \left( x_t x_k \right) b, \quad k < t, \quad \forall t
    sign          b = -b - \left( x_t x_k \right) b, \quad k < t, \quad \forall t
    drop term     b = - \left( x_t x_k \right) b, \quad k < t, \quad \forall t
    sign          b = b + \left( x_t x_k \right) b, \quad k < t, \quad \forall t
    drop term     b = b , \quad k < t, \quad \forall t
    drop factor   b = b - b, \quad k < t, \quad \forall t
    drop factor   b = b - \left( x_k \right) b, \quad k < t, \quad \forall t
    index         b = b - \left( {x_{t+1}} x_k \right) b, \quad k < t, \quad \forall t
    index         b = b - \left( {x_{t-1}} x_k \right) b, \quad k < t, \quad \forall t
    letter        b = b - \left( {x_{k}} x_k \right) b, \quad k < t, \quad \forall t
    drop factor   b = b - \left( x_t \right) b, \quad k < t, \quad \forall t
    operator      b = b - \left( x_t \odot x_k \right) b, \quad k < t, \quad \forall t
    order         b = b - \left( x_k x_t \right) b, \quad k < t, \quad \forall t
    index         b = b - \left( x_t {x_{k+1}} \right) b, \quad k < t, \quad \forall t
    index         b = b - \left( x_t {x_{k-1}} \right) b, \quad k < t, \quad \forall t
    letter        b = b - \left( x_t {x_{t}} \right) b, \quad k < t, \quad \forall t
    drop factor   b = b - \left( x_t x_k \right), \quad k < t, \quad \forall t
    operator      b = b - \left( x_t x_k \right) \odot b, \quad k < t, \quad \forall t
    order         b = b - b \left( x_t x_k \right), \quad k < t, \quad \forall t
    parenthesis   b = b - x_t x_k b, \quad k < t, \quad \forall t
    parenthesis   b = b - \left( x_t x_k b \right), \quad k < t, \quad \forall t
    parenthesis   b = \left( b - x_t x_k \right) b, \quad k < t, \quad \forall t
    condition     b = b - \left( x_t x_k \right) b, \quad \forall t
    condition     b = b - \left( x_t x_k \right) b, \quad k < t+1, \quad \forall t
    condition     b = b - \left( x_t x_k \right) b, \quad k < t-1, \quad \forall t
    condition     b = b - \left( x_t x_k \right) b, \quad k < t

b = \phi(b + b) \odot b, \qquad (2 \le t \le T)
    sign          b = -\phi(b + b) \odot b, \qquad (2 \le t \le T)
    drop factor   b = b, \qquad (2 \le t \le T)
    prime         b = \phi'(b + b) \odot b, \qquad (2 \le t \le T)
    sign          b = \phi(-b + b) \odot b, \qquad (2 \le t \le T)
    drop term     b = \phi( b) \odot b, \qquad (2 \le t \le T)
    sign          b = \phi(b - b) \odot b, \qquad (2 \le t \le T)
    drop term     b = \phi(b ) \odot b, \qquad (2 \le t \le T)
    drop factor   b = \phi(b + b), \qquad (2 \le t \le T)
    operator      b = \phi(b + b) \cdot b, \qquad (2 \le t \le T)
    plus          b = \phi(b + b) + b, \qquad (2 \le t \le T)
    parenthesis   b = \phi(b + b \odot b ), \qquad (2 \le t \le T)
    condition     b = \phi(b + b) \odot b
    swap terms    b = \phi( b + b) \odot b, \qquad (2 \le t \le T)
    swap factors  b = b \odot \phi(b + b), \qquad (2 \le t \le T)
    condition     b = \phi(b + b) \odot b, \qquad (3 \le t \le T)
    condition     b = \phi(b + b) \odot b, \qquad (1 \le t \le T)
    condition     b = \phi(b + b) \odot b, \qquad (2 \le t \le T-1)
"""


def all_edits(table):
    """The equations of a table, each with its edits as pairs of kind and text."""
    for block in table.strip("\n").split("\n\n"):
        equation, *edits = block.split("\n")
        pairs = [(edit[4:18].rstrip(), edit[18:]) for edit in edits]
        yield pytest.param(equation, pairs, id=equation)


def kinds_and_texts(found):
    return sorted((mutant.kind, " ".join(mutant.source.text.split())) for mutant in found)


@pytest.mark.parametrize(("equation", "edits"), list(all_edits(ALL_EDITS)))
def test_the_edits_of_an_equation_are_these_and_no_others(rnn, equation, edits):
    names = rnn().model.names
    swaps = [edit for edit in edits if edit[0].startswith("swap")]
    assert kinds_and_texts(mutants(Source(equation), names)) == sorted(set(edits) - set(swaps))
    assert kinds_and_texts(equal_rewrites(Source(equation), names)) == sorted(swaps)


TWO_INDICES = r"\delta_{t,k}, e_{t,k} \in \mathbb{R}^{n}"
SIMILAR = r"h_t, c_t, \delta^{ai}_t, \delta^{af}_t, \delta^{ag}_t, \delta^{c}_t \in \mathbb{R}^{n}"
# Of names that look alike, the three that look most like it.
EDITS_OF_NAMES = r"""
0 = \delta_{t,k-1}
    constant      1 = \delta_{t,k-1}
    index         0 = {\delta_{t+1,k-1}}
    index         0 = {\delta_{t,k-2}}
    index         0 = {\delta_{t,k}}
    index         0 = {\delta_{t-1,k-1}}
    letter        0 = {\delta_{k,k-1}}
    letter        0 = {\delta_{t,t-1}}
    order         0 = {\delta_{k-1,t}}
    sign          0 = -\delta_{t,k-1}
    symbol        0 = {e_{t,k-1}}

0 = e_{t,t}
    constant      1 = e_{t,t}
    index         0 = {e_{t+1,t}}
    index         0 = {e_{t,t+1}}
    index         0 = {e_{t,t-1}}
    index         0 = {e_{t-1,t}}
    sign          0 = -e_{t,t}
    symbol        0 = {\delta_{t,t}}

0 = \delta^{af}_1
    constant      1 = \delta^{af}_1
    index         0 = {\delta^{af}_{0}}
    index         0 = {\delta^{af}_{2}}
    sign          0 = -\delta^{af}_1
    symbol        0 = {\delta^{ag}_{1}}
    symbol        0 = {\delta^{ai}_{1}}
    symbol        0 = {\delta^{c}_{1}}
"""


@pytest.mark.parametrize(("equation", "edits"), list(all_edits(EDITS_OF_NAMES)))
def test_edits_of_names_with_two_indices_and_of_names_that_look_alike(derive, equation, edits):
    derivation = derive({"eq-shapes": SIMILAR if "af" in equation else TWO_INDICES}, n=3)
    derivation.declare("eq-shapes")
    assert kinds_and_texts(mutants(Source(equation), derivation.model.names)) == edits


def test_macros_are_expanded_in_edits_and_rewrites(rnn):
    names, macros = rnn().model.names, {"had": r"\odot", "two": ("#1 + #1", 1)}
    source = Source(r"b = b \had U b - b")
    assert ("sign", r"b = b \had U b + b") in kinds_and_texts(mutants(source, names, macros))
    source = Source(r"b = b \had b")
    assert kinds_and_texts(equal_rewrites(source, names, macros)) == [
        ("swap factors", r"b = b \had b")
    ]


def test_a_mutant_says_what_was_replaced_and_where():
    text = "h_t = b + a_t - U a_{t-1} + V^\\top s_t"
    start = text.index("- U")
    mutant = Mutant("sign", (start, start + 1), "+", Source(text, "page.md", 7, "eq-a"))
    assert str(mutant) == r"sign: 't = b + a_t - U a_{t-1} +' -> 't = b + a_t + U a_{t-1} +'"
    assert str(Mutant("drop", (0, 4), "", Source("h_t = b"))) == "drop: 'h_t = b' -> ' = b'"
    near = Mutant("sign", (6, 7), "-", Source("h_t = +b"))
    assert str(near) == "sign: 'h_t = +b' -> 'h_t = - b'"
    assert mutant.source == Source(text.replace("- U", "+ U"), "page.md", 7, "eq-a")


def test_a_mutants_name_is_a_hash_of_label_and_text():
    # The names stand in book/equivalent_mutants.yml.
    text = "h_t = b\n +  a_t"
    mutant = Mutant("sign", (9, 10), "-", Source(text, label="eq-claim"))
    assert mutant.source.text == text.replace("+", "-")
    assert mutant.identity == hashlib.sha256(b"eq-claim h_t = b - a_t").hexdigest()[:10]


@pytest.mark.parametrize(("claim", "edit"), EDITS)
def test_expected_edits_are_among_the_mutants(rnn, claim, edit):
    assert edit in edited(rnn, claim)


def test_every_kind_of_edit_has_an_example():
    kinds = {kind for example in all_edits(ALL_EDITS) for kind, _ in example.values[1]}
    assert kinds == KINDS | {"swap terms", "swap factors"}


def test_every_kind_of_edit_occurs_in_the_backward_pass(rnn):
    derivation = rnn(
        r"""\frac{\partial L}{\partial h_k} = \sum_{t=k}^{T} (\overleftarrow{\prod}_{j=k+1}^{t} (\operatorname{diag}(1 -
        \tanh^2(a_j)) U))^\top V^\top \delta^{s}_t = \sum_{t=k}^{T} \left( \frac{\partial h_t}{\partial h_k}
        \right)^\top V^\top (\delta^{s}_t \odot \mathbf{1}), \qquad k \le T"""
    )
    derivation.verify("eq-claim")
    labels = ["eq-claim", "eq-backward", "eq-weights", "eq-inputs"]
    assert {m.kind for label in labels for m in mutants_of(derivation, label)} == (
        KINDS - {"held", "prime"}
    )


def test_the_order_of_scalars_is_not_edited(rnn):
    for claim in (r"h_t = b \prod_{j=1}^{T} (b^\top h_j)", r"h_t = (b^\top b) a_t"):
        kinds = {m.source.text for m in mutants_of(rnn(claim)) if m.kind == "order"}
        assert not any("overleftarrow" in text or "a_t (b" in text for text in kinds)


def test_conditions_are_edited_by_themselves(rnn):
    for kind, text in edited(rnn, r"h_t = b, \qquad t = 2, \dots, T"):
        assert (kind == "condition") != text.endswith(r", \qquad t = 2, \dots, T"), kind


def test_a_mutant_differs_from_its_original_in_one_place_and_in_more_than_space(rnn):
    derivation = rnn()
    for label in ("eq-backward", "eq-weights", "eq-inputs", "eq-forward"):
        original = derivation.source(label)
        found = mutants_of(derivation, label)
        assert len({m.source.text for m in found}) == len(found)
        assert len({m.identity for m in found}) == len(found)
        for mutant in found:
            start, end = mutant.span
            assert mutant.source.text.split() != original.text.split()
            assert mutant.source.text[:start] == original.text[:start]
            assert mutant.source.text.endswith(original.text[end:])
            assert (mutant.source.label, mutant.source.line) == (original.label, original.line)


def test_a_name_of_a_mutant_depends_on_the_edit_and_the_label_and_not_on_line_breaks(rnn):
    def names(text, label="eq-claim"):
        model = rnn().model
        return {m.identity for m in mutants(Source(text, label=label), model.names)}

    assert names(r"h_t = b + a_t") == names("h_t =\n  b + a_t")
    assert not names(r"h_t = b + a_t") & names(r"h_t = b + a_t", "eq-other")
    assert len(names(r"h_t = b + a_t") & names(r"h_t = b - a_t")) <= 1


# ---------------------------------------------------------------- verdicts

BACKWARD = ["eq-backward", "eq-weights", "eq-inputs"]


def test_no_mutant_of_the_backward_pass_survives(rnn):
    derivation = rnn()
    outcomes = [
        judge(derivation.model, m) for label in BACKWARD for m in mutants_of(derivation, label)
    ]
    assert [str(v.mutant) for v in outcomes if v.outcome == "survived"] == []
    assert sum(v.outcome == "value" for v in outcomes) > 60
    assert sum(v.outcome == "shape" for v in outcomes) > 20
    assert sum(v.outcome == "unreadable" for v in outcomes) > 10


def test_an_equivalent_mutant_survives(rnn):
    derivation = rnn(r"h_t = \tanh(a_t) + 0 b")
    survivors = {
        " ".join(m.source.text.split())
        for m in mutants_of(derivation)
        if judge(derivation.model, m).outcome == "survived"
    }
    assert r"h_t = \tanh(a_t)" in survivors
    assert r"h_t = \tanh(a_t) - 0 b" in survivors
    assert r"h_t = \sigma(a_t) + 0 b" not in survivors


def test_a_mutant_that_holds_at_the_chapters_sizes_only_is_refuted(rnn):
    derivation = rnn(r"h_t = h_1 + (T - 2) b, \qquad t = 1")
    original = derivation.source("eq-claim")
    place = original.text.index("2")
    mutant = Mutant("constant", (place, place + 1), "3", original)  # true for T = 3
    assert judge(derivation.model, mutant).outcome == "value"


def test_a_sample_is_chosen_by_seed_and_label(rnn):
    derivation = rnn()
    found = mutants_of(derivation, "eq-backward")
    chosen = sample(found, 5, seed=3)
    assert len(chosen) == 5
    assert chosen == sample(found, 5, seed=3)
    assert chosen != sample(found, 5, seed=4)
    assert sample(found, None) == sample(found, len(found) + 1) == found
    assert sample(found, 5) == sample(found, 5, seed=0)
    assert sample([], 5) == sample(found[:1], 0) == []
    renamed = [replace(m, original=replace(m.original, label="eq-other")) for m in found]
    places = [found.index(m) for m in chosen]
    assert [renamed.index(m) for m in sample(renamed, 5, seed=3)] != places


# ---------------------------------------------------------------- equal rewrites never fail


def rewritten(source, names, generator, times):
    """Swap neighbouring terms and Hadamard factors, several times in a row."""
    for _ in range(times):
        choices = equal_rewrites(source, names)
        source = generator.choice(choices).source
    return source


EQUAL = {
    "eq-a": r"\delta^{h}_t = V^\top \delta^{s}_t + U^\top \delta^{a}_{t+1} + 0 \delta^{h}_t",
    "eq-b": r"""\delta^{a}_t = \delta^{h}_t \odot (1 + h_t) \odot (\mathbf{1} + \mathbf{1} + (-1) - h_t)
        = \delta^{h}_t \odot \tanh'(a_t) \odot \exp(\log(\exp(0 b)))""",
    "eq-c": r"""\frac{\partial L}{\partial U} = \sum_{t=1}^{T} (\delta^{h}_t \odot (1 - h_t^2)) (h_{t-1} + 0 b)^\top
        + \sum_{t=1}^{T} 0 (b \odot h_t) b^\top""",
}


@pytest.mark.parametrize("seed", range(100))
def test_swapped_terms_and_factors_never_fail(rnn, seed):
    derivation = rnn()
    generator = random.Random(seed)
    label = generator.choice(sorted(EQUAL))
    source = Source(EQUAL[label], label=label)
    swapped = rewritten(source, derivation.model.names, generator, generator.randint(1, 4))
    assert swapped.text != EQUAL[label]
    compare(derivation.model.claims(swapped), derivation.model.network(ComplexStep))


def test_conditions_are_not_rewritten_and_what_follows_them_is(rnn):
    rows = r"\begin{aligned} h_t &= b, & t &= k + j, \\ a_t &= b + U b \end{aligned}"
    found = equal_rewrites(Source(rows), rnn().model.names)
    assert kinds_and_texts(found) == [("swap terms", rows.replace("b + U b", "U b + b"))]


def test_rewrites_swap_both_terms_and_factors(rnn):
    derivation = rnn()
    found = [
        m for text in EQUAL.values() for m in equal_rewrites(Source(text), derivation.model.names)
    ]
    assert {m.kind for m in found} == {"swap terms", "swap factors"}


# ---------------------------------------------------------------- whole chapters


def test_a_report_counts_mutants_and_shows_survivors_and_problems():
    good = MutationReport(
        Path("a.md"), MutationScore(7, 2, 2, 1), definitions=5, noticed=4, equivalent=1
    )
    assert good.ok
    assert str(good) == (
        "ok   a.md: claims: 9 of 10 readable mutants refuted (2 by shape), 1 equivalent; 2 unreadable; "
        "definitions: 4 of 5 mutants noticed, 1 equivalent; 0 unexplained"
    )
    survived = MutationReport(
        Path("b.md"), MutationScore(1), 2, survivors=["eq-a 01 sign", "eq-b 02 sign"]
    )
    assert not survived.ok
    assert str(survived) == (
        "FAIL b.md: claims: 1 of 1 readable mutants refuted; definitions: 0 of 2 mutants noticed, "
        "0 equivalent; 2 unexplained\n     survived: eq-a 01 sign\n     survived: eq-b 02 sign"
    )
    wrong = MutationReport(Path("c.md"), survivors=["eq-a 01 sign"], problems=["eq-c: no", "x"])
    assert str(wrong).splitlines()[1:] == ["     survived: eq-a 01 sign", "eq-c: no", "x"]
    assert not MutationReport(Path("d.md"), problems=["x"]).ok
    assert total([good, survived, wrong]) == ("20 mutants in 3 chapters, 3 survived unexplained")


def notebook_of(chapter):
    """A notebook with the cells of a chapter, each text and each code in a cell of its own."""
    cells = []
    for piece in re.split(r"(?ms)^(```\{code-cell\}.*?^```$)", chapter):
        code = re.fullmatch(r"(?s)```\{code-cell\}.*?\n(:tags: \[derivation\]\n)?(.*)\n```", piece)
        tags = ["derivation"] if code and code[1] else []
        kind, text = ("code", code[2]) if code else ("markdown", piece)
        cells.append({"cell_type": kind, "metadata": {"tags": tags}, "source": text})
    return json.dumps({"cells": cells, "metadata": {}})


def test_mutants_of_a_notebook_with_its_definitions(tmp_path, rnn_chapter):
    path = tmp_path / "rnn.ipynb"
    path.write_text(notebook_of(rnn_chapter), encoding="utf-8")
    report = mutate_chapter(path, count=2, seed=1)
    assert (report.problems, report.survivors) == ([], [])
    assert report.claims.refuted + report.claims.unreadable == report.claims.total == 6
    assert (report.definitions, report.noticed) == (8, 8)


def test_definitions_are_edited_in_their_own_chapter_once(tmp_path, rnn_chapter):
    (tmp_path / "rnn.md").write_text(rnn_chapter, encoding="utf-8")
    cell = (
        "```{{code-cell}}\n:tags: [derivation]\nfrom texproof import Derivation\n"
        "{0} = Derivation('two.md', 'rnn.md', T=3, n=3, m=2, q=4)\n"
        "{0}.declare('eq-shapes')\n{0}.define('eq-twice')\n{0}.verify('eq-{0}')\n```\n"
    )
    equations = {"eq-twice": "e = b + b", "eq-first": "e - b = b", "eq-second": "b = e - b"}
    text = "".join(f"$$\n{latex}\n$$ ({label})\n" for label, latex in equations.items())
    path = tmp_path / "two.md"
    path.write_text(cell.format("first") + cell.format("second") + text, encoding="utf-8")
    report = mutate_chapter(path, count=3)
    assert (report.claims.total, report.definitions, report.problems) == (6, 3, [])
    assert report.noticed + len(report.survivors) == 3


def test_mutants_of_a_chapter_with_its_definitions(tmp_path, rnn_chapter):
    path = tmp_path / "rnn.md"
    path.write_text(rnn_chapter, encoding="utf-8")
    report = mutate_chapter(path, count=4, seed=1)
    assert report.claims.refuted + report.claims.unreadable == report.claims.total == 12
    assert report.definitions == 16
    assert report.noticed + len(report.survivors) == 16
    assert str(report).startswith("ok" if report.ok else "FAIL")


def test_survivors_fail_unless_a_reason_is_given(tmp_path, rnn_chapter):
    path = tmp_path / "rnn.md"
    text = rnn_chapter.replace(r"+ U^\top \delta^{a}_{t+1}", r"+ U^\top \delta^{a}_{t+1} + 0 b")
    assert text != rnn_chapter
    path.write_text(text, encoding="utf-8")
    report = mutate_chapter(path)
    named = [line.split()[:2] for line in report.survivors]
    assert {label for label, _ in named} == {"eq-backward"}
    assert not report.ok
    lines = str(report).splitlines()[1:]
    assert lines == [f"     survived: {text}" for text in report.survivors]
    for line in lines:
        assert re.fullmatch(r"     survived: eq-\w+ [0-9a-f]{10} [a-z ]+: '.*' -> '.*'", line)

    reasons = {}
    for label, mutant in named:
        reasons.setdefault(label, []).append(
            {"mutants": [mutant], "reason": "a term with the factor zero"}
        )
    (tmp_path / "equivalent_mutants.yml").write_text(yaml.safe_dump(reasons), encoding="utf-8")
    explained = mutate_chapter(path)
    assert explained.ok
    assert explained.claims.equivalent + explained.equivalent == len(named)
    assert explained.claims.total == report.claims.total


def test_a_reason_is_required(tmp_path, rnn_chapter):
    (tmp_path / "rnn.md").write_text(rnn_chapter, encoding="utf-8")
    (tmp_path / "equivalent_mutants.yml").write_text(
        "eq-a:\n- mutants: [0123456789]\n  reason: so\n"
    )
    report = mutate_chapter(tmp_path / "rnn.md", count=1)
    assert report.problems == [
        "equivalent_mutants.yml: an entry of eq-a lacks its list of mutants or its reason: "
        "{'mutants': ['0123456789'], 'reason': 'so'}"
    ]
    assert (report.path, report.claims, report.ok) == (tmp_path / "rnn.md", MutationScore(), False)


def test_a_chapter_that_fails_its_check_fails_its_mutation_test(tmp_path, rnn_chapter):
    path = tmp_path / "rnn.md"
    path.write_text(rnn_chapter.replace(r"+ U^\top \delta", r"- U^\top \delta"), encoding="utf-8")
    report = mutate_chapter(path, count=1)
    assert not report.ok
    assert "does not hold here" in report.problems[0]
