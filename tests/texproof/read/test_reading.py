r"""What a person reads is what is verified: attacks on the reader, with what stands on the page.

Each attack is false, or unclear, for whoever reads the page, and true for a reader of LaTeX that sees
something else. ``FALSE`` means read as a person reads it, and refuted; a text is part of the message
with which it is refused.
"""

# ruff: noqa: E501  (a table)

import re
from pathlib import Path

import pytest

from texproof.check import check_chapter
from texproof.compare.claims import compare
from texproof.compare.model import Model
from texproof.errors import ClaimFailed, EquationError, Source
from texproof.mean.vocabulary import Vocabulary
from texproof.numbers.arithmetic import ComplexStep
from texproof.read.chapter import Chapter
from texproof.report.session import Session

BOOK = Path(__file__).parents[3] / "book"

SHAPES = r"""x_t \in \mathbb{R}^{m}, \quad a_t, h_t \in \mathbb{R}^{n}, \quad W \in \mathbb{R}^{n \times m}, \quad
    U, A, B \in \mathbb{R}^{n \times n}, \quad b, u, v \in \mathbb{R}^{n}, \quad p_t, q_t, r_t, p, q, r, d, e, x, g_k, \mathbf{p} \in \mathbb{R}"""
NETWORK = r"""\begin{aligned}
    a_t &= W x_t + U h_{t-1} + b, \\
    h_t &= \tanh(a_t), \\
    L &= \sum_{t=1}^{T} \ell(h_t)
    \end{aligned}"""

HOLDS, FALSE = "holds", "false"
BRACES = "braces are no parentheses"
WHERE = "does this belong to the denominator"
ACTS = "does this derivative act"
NUMBER = "a number behind another factor"
NO_POWER = "a superscript in parentheses is no power"
NO_FUNCTION = "is no function"
STATEMENT = "not an equation"
BEGINS = "begins a new statement"
LABEL = "the label of a brace is not checked"
ENDS = "without the beginning that it ends"
ROW = "this row could continue"
FOREIGN = "this character is no mathematics in LaTeX"
FONT = "prints this as it is without it"
OPTION = "begins an option, not mathematics"
LETTERS = "is read as letters, or as a function"
NOTE = "may say where or whether this holds"
IN_SUM = "does this belong to the sum over k"
OWN_ROW = "a row of its own reads as a statement"

ATTACKS = [
    # braces are no parentheses
    (r"\frac{\partial L}{\partial a_t} = {1 - h_t^2} \odot \frac{\partial L}{\partial h_t}", "1 minus h² ⊙ dL/dh", BRACES),
    (r"(p + q)^2 = {p + q}^2", "p + q²", BRACES),
    (r"{p + q} r = (p + q) r", "p + q r", BRACES),
    (r"r {p + q} = r (p + q)", "r p + q", BRACES),
    (r"r ({p + q}) = r (p + q)", "r (p + q)", HOLDS),
    (r"{A B}^\top = B^\top A^\top", "A times the transpose of B", BRACES),
    (r"{p q}^2 = p^2 q^2", "p q²", BRACES),
    (r"\mathstrut{p + q} r = (p + q) r", "p + q r", BRACES),
    (r"\strut{p + q} r = (p + q) r", "p + q r", BRACES),
    (r"p_t {- q_t} = - p_t q_t", "p − q", BRACES),
    (r"p - {q + r} = p - (q + r)", "p − q + r", BRACES),
    (r"p - {q - r} = p - q + r", "p − q − r", BRACES),
    (r"p + {q + r} = p + q + r", "p + q + r", HOLDS),
    (r"{p} + {q} = {q + p}", "p + q = q + p", HOLDS),
    (r"{p q} r = p q r", "p q r", HOLDS),
    (r"{u \odot A v} = (u \odot (A v))", "u ⊙ A v", HOLDS),
    (r"A {u \odot v} = A (u \odot v)", "A u ⊙ v", BRACES),
    (r"{p / q} r = r p / q", "p / q r", BRACES),
    (r"r {p / q} = r p / q", "r p / q", BRACES),
    (r"\tanh{(p)} = \tanh(p)", "tanh(p)", HOLDS),
    (r"\tanh {p + q} = \tanh(p + q)", "tanh p + q", BRACES),
    (r"\tanh {p q} = \tanh(p q)", "tanh p q", "where does the argument of \\tanh end"),
    (r"\sum_{t=1}^{T} {p_t + q} = \sum_{t=1}^{T} (p_t + q)", "Σ p + q", BRACES),
    (r"{\sum_{t=1}^{T} p_t} q_1 = q_1 \sum_{t=1}^{T} p_t", "Σ p q, q in the sum or not", BRACES),
    (r"{p}^{2} = p p", "p²", HOLDS),
    (r"{p_t}^2 = p_t p_t", "p²", HOLDS),
    (r"{p^2}_t = p_t", "p with 2 above and t below", FALSE),
    (r"{p^1}^1 = p", "p¹¹", "two powers behind each other"),
    (r"{p q}_t = p q", "p q with the index t", BRACES),
    (r"{p_t}_t = p_t", "p with two indices", "two subscripts"),
    (r"\boxed{p + q} r = (p + q) r", "a box round p + q, then r", BRACES),
    (r"\boxed{p + q} = q + p", "p + q = q + p", HOLDS),
    (r"\frac{{p + q}}{r} = (p + q) / r", "(p + q) over r", HOLDS),
    # colours, and what is not seen at all
    (r"- p_t q_t = p_t \textcolor{red}{- q_t}", "p − q", FALSE),
    (r"\textcolor{blue}{p + q} r = p + q r", "p + q r", HOLDS),
    (r"\textcolor{blue}{p + q} r = (p + q) r", "p + q r", FALSE),
    (r"(p + q)^2 = \textcolor{blue}{p + q}^2", "p + q²", FALSE),
    (r"p \textcolor{white}{+ q} = p + q", "p = p + q", "may not see this colour"),
    (r"p {\color{white} + q} = p + q", "p = p + q", "may not see this colour"),
    (r"p = p \phantom{+ q} q", "p = p, and q after a gap", "a \\phantom is a gap"),
    (r"p q = p \hphantom{mmmm} q", "p, and q after a gap", "a \\phantom is a gap"),
    (r"p q = p \vphantom{\sum} q", "p q", HOLDS),
    (r"p \!\!\!\!\!\! q = p q", "p and q printed over each other", "negative space"),
    (r"p \, q = p q", "p q", HOLDS),
    (r"p = p % + q", "p = p", HOLDS),
    (r"p = p \tag{$+ q$}", "p = p (+ q)", "a tag is a number or a word"),
    (r"p - q = - q + p \tag{3}", "p − q = −q + p (3)", HOLDS),
    (r"p - q = p \tag{= q}", "(= q)", "a tag is a number or a word"),
    (r"p^\, 2 = p p", "p, a raised space, 2", "put over a space"),
    (r"p^~2 = p p", "p, a raised space, 2", "put over a space"),
    (r"p_\;t = p", "p, a lowered space, t", "put over a space"),
    (r"p^\displaystyle 2 = p p", "an error", "put over a space"),
    (r"p^\textcolor{red}{2} = p p", "an error", "put over a space"),
    (r"\mathbf\, 1^\top u = \mathbf{1}^\top u", "1 u", "put over a space"),
    ("p_t q_t = q_t\u3000p_t", "p q = q, and p after a gap", FOREIGN),
    ("p q = q\u200bp", "p q = q p, if that stands there", FOREIGN),
    ("2 p = \u0662 p", "2 p = an Arabic 2 p", FOREIGN),
    ("p_t = p_t \u00a7 q_t = q_t", "a section mark", FOREIGN),
    ("p \u2212 q = p - q", "a minus that is no hyphen", FOREIGN),
    ("u^\\top v = v^\\top u\n% a note\np q = q p", "uᵀv = vᵀu p q = q p", FALSE),
    ("p q = q p\n% a note\n- q + q", "p q = q p − q + q", HOLDS),
    ("p q = q p + q % a note\n\n- q\n+ p - p", "p q = q p + q + p − p, as the note swallows a row", "swallows"),
    # letters that look alike
    (r"\mathit{p} q = q p", "p q = q p", FONT),
    (r"\bm{p} q = q \boldsymbol p", "p q = q p, bold", "unknown symbol"),
    (r"\mathbf{p} q = q p", "bold p", FALSE),
    (r"\mathbf{\mathit p} q = q p", "p q = q p, not bold", FONT),
    (r"\mathcal{p} q = q p", "p q = q p, not curved", FONT),
    (r"\mathsf{\gamma} q = q p", "γ", FONT),
    (r"\textit{p} q = q p", "p q = q p", "unknown symbol"),
    # labels of braces
    (r"\overbrace{q + p}^{0} = p + q", "q + p is 0", LABEL),
    (r"\underbrace{q + p}_{p} + r = p + q + r", "q + p is p", LABEL),
    (r"\underbrace{q + p}_{\mathrm{p}} + r = p + q + r", "q + p is p", LABEL),
    (r"\underbrace{q + p}_{\text{from the cell}} + r = p + q + r", "q + p + r", HOLDS),
    (r"r \underbrace{p + q}_{\text{both}} = r (p + q)", "r p + q, or r (p + q)", BRACES),
    (r"r - \underbrace{p - q}_{\text{both}} = r - (p - q)", "r − p − q, or r − (p − q)", BRACES),
    # gaps and rows part statements
    (r"p_t q_t = q_t \quad p_t", "p q = q, and p", STATEMENT),
    (r"p_t q_t = q_t \hspace{3em} p_t", "p q = q, and p", STATEMENT),
    (r"p_t q_t = q_t ~~~~ p_t", "p q = q, and p", STATEMENT),
    (r"p_t q_t = q_t \;\;\;\; p_t", "p q = q, and p", STATEMENT),
    (r"p_t q_t = q_t \enspace\enspace p_t", "p q = q, and p", STATEMENT),
    (r"p_t q_t = q_t \hspace*{40pt} p_t", "p q = q, and p", STATEMENT),
    ("p_t q_t = q_t\n\np_t", "p q = q, and p in the next row", STATEMENT),
    ("p_t q_t = q_t\n  \n p_t", "p q = q, and p in the next row", STATEMENT),
    ("p_t = q_t\n\n+ p_t - q_t", "p = q + p − q, in two rows", HOLDS),
    (r"(p_t \quad q_t) = p_t q_t", "p and q in parentheses", BEGINS),
    (r"p_t q_t \qquad q_t p_t", "p q, and q p", STATEMENT),
    (r"\begin{aligned} p_t &= p_t + q_t \\ - q_t &= p_t \end{aligned}", "p = p + q, and −q = p", FALSE),
    (r"\begin{aligned} p_t &= p_t + q_t \\ + 0 &= p_t + q_t - q_t \end{aligned}", "p = p + q, and 0 = p", FALSE),
    (r"\begin{gathered} p_t = p_t + q_t \\ - q_t = p_t \end{gathered}", "p = p + q, and −q = p", FALSE),
    (r"\begin{aligned} p_t + q_t &= p_t \\ &\quad + q_t \end{aligned}", "p + q = p + q", HOLDS),
    (r"\begin{aligned} p_t + q_t - r &= q_t - r \\ &+ p_t \end{aligned}", "p + q − r = q − r + p", HOLDS),
    (r"\begin{aligned} p &= p & q r &= r \\ && &+ q r - r \end{aligned}", "which row goes on?", ROW),
    (r"\begin{aligned} p_t &= q_t - 1 + p_t, \quad t > 1 \\ &- q_t + 1 \end{aligned}", "p = q − 1 + p − q + 1, t > 1", ROW),
    (r"p \begin{aligned} q &= q p \\ r &= r \end{aligned}", "p beside two rows", "what stands beside several rows"),
    (r"\begin{aligned} p q &= q p \end{aligned} + 1 - 1", "+ 1 − 1 beside the rows", STATEMENT),
    (r"\begin{aligned}[t] p_t &= t p_t \end{aligned}", "p = t p", OPTION),
    (r"\begin{bmatrix} [t] \end{bmatrix} = \begin{bmatrix} t \end{bmatrix} p", "t in brackets, or nothing", OPTION),
    (r"\begin{aligned} p_t &= t p_t \\[t] q r &= r q \end{aligned}", "an error", OPTION),
    (r"\begin{aligned} q r &= r q \\ &[u, v]^\top b = b^\top [u, v] \end{aligned}", "brackets", "columns in brackets, transposed"),
    (r"\begin{aligned} p q &= q p \\[-2em] q r &= r q \end{aligned}", "a row over a row", OPTION),
    (r"\begin{aligned} p q &= q p \\[-2pt] q r &= r q \end{aligned}", "two rows", HOLDS),
    # what derivatives act on
    (r"\frac{\partial}{\partial p_t} p_t p_t = p_t", "2 p", ACTS),
    (r"\nabla_{p_t} p_t p_t = p_t", "2 p", ACTS),
    (r"\frac{\partial}{\partial p_t} p_t \odot u = u", "d (p u) / dp", ACTS),
    (r"\frac{\partial}{\partial p_t} p_t / q = 1 / q", "d (p / q) / dp", ACTS),
    (r"\frac{\partial}{\partial p_t} (p_t p_t) = 2 p_t", "2 p", HOLDS),
    (r"\frac{\partial}{\partial p_t} \tanh(p_t) q_t = q_t \tanh'(p_t)", "d (tanh(p) q) / dp", ACTS),
    (r"\partial L / \partial b u^\top = \frac{\partial L}{\partial b} u^\top", "over b uᵀ?", WHERE),
    (r"\partial p_t / \partial p_t / q = 1 / q", "over p / q?", WHERE),
    (r"\partial p_t q_t / \partial p_t = q_t", "d p q / dp", "a lone"),
    (r"\frac{d p}{d q} = \frac{p}{q}", "dp / dq", "reads as a derivative"),
    # what stands below a slash
    (r"\frac{1}{2} p_t q_t = p_t / 2 q_t", "p over 2 q", WHERE),
    (r"p / q r = p r / q", "p over q r", WHERE),
    (r"p / q \cdot r = p r / q", "p over q r?", WHERE),
    (r"p / q / r = p / (q r)", "p / q / r", WHERE),
    (r"p r / q = p \frac{r}{q}", "p r / q", HOLDS),
    (r"p / (q r) = \frac{p}{q r}", "p over q r", HOLDS),
    (r"(\frac{p}{q})^2 = \frac{p p}{q q}", "(p over q)²", HOLDS),
    # numbers
    (r"2 p_t = 1 2 p_t", "12 p", NUMBER),
    (r"2\,000 p = 0", "2000 p", NUMBER),
    (r"2 p = p 2", "p 2, or p₂", NUMBER),
    (r"\frac{1}{2} p = 1 \frac{1}{2} p", "one and a half", NUMBER),
    (r"2 \frac12 p = p", "two and a half", NUMBER),
    (r"p_t^{1 1} = p_t", "p¹¹", NUMBER),
    (r"p_1 = p_{1 1}", "p with 11 below", NUMBER),
    (r"p^10 = p 0", "p¹ times 0", "only the 1 of 10"),
    (r"2^{10} p = 1024 p", "2¹⁰ p", HOLDS),
    (r"p_t = p_t + q_10", "q₁ 0", "only the 1 of 10"),
    (r"2 \cdot 3 p = 6 p", "2 · 3 p", HOLDS),
    (r"\frac12 p + \frac12 p = p", "½ p + ½ p", HOLDS),
    # superscripts
    (r"\sigma^{(1)}(a_t) = \sigma(a_t)", "the derivative of σ, or σ of layer 1", NO_POWER),
    (r"\sigma^{(2)}(a_t) = \sigma(a_t) \odot \sigma(a_t)", "the second derivative, or layer 2", NO_POWER),
    (r"A^{(2)} = A A", "A of layer 2", NO_POWER),
    (r"p^{[2]} = p p", "p of layer 2", NO_POWER),
    (r"\tanh(p)^{(2)} = \tanh(p) \tanh(p)", "the second derivative", NO_POWER),
    (r"b^{(t)} = b^{(t)} + 0 u", "b at time t", NO_POWER),
    (r"b^t \odot b = b^{t+1}", "b at time t, times b, is b at time t + 1", "could be a time step"),
    (r"p^t p = p^{t+1}", "a power of a number", HOLDS),
    (r"U^t U = U^{t+1}", "a power of a matrix", HOLDS),
    (r"p^1^1 = p", "cannot be typeset", "two superscripts"),
    (r"\exp(A) = \exp(A) \odot \exp(0 A)", "the matrix exponential", "of a matrix could be meant"),
    (r"\log(A) = \log(A) + 0 A", "the logarithm of a matrix", "of a matrix could be meant"),
    (r"\operatorname{softmax}(A) = \operatorname{softmax}(A) + 0 A", "row by row?", "of a matrix could be meant"),
    (r"\tanh^2(A) = \tanh(A) \odot \tanh(A)", "tanh(A) tanh(A)?", "matrix function"),
    (r"\tanh(A) = \tanh(A) + 0 A", "the matrix function", "of a square matrix could be meant"),
    (r"\sigma(-A)^\top = \sigma(-A^\top)", "the matrix function", "of a square matrix could be meant"),
    (r"\tanh'(A) = 1 - \tanh(A) \odot \tanh(A)", "the derivative of a matrix function", "of a square matrix could be meant"),
    (r"\tanh(A v) = \tanh(A v) + 0 v", "tanh of each entry", HOLDS),
    # what stands beside a fraction
    (r"\frac{p}{q}^2 = \frac{p p}{q q}", "p squared over q, or all squared", "beside a fraction"),
    (r"\frac{p}{q}^2 = \frac{p p}{q}", "p squared over q, or all squared", "beside a fraction"),
    (r"{\frac{p}{q}}^2 = \frac{p p}{q q}", "p squared over q, or all squared", "beside a fraction"),
    (r"\tfrac12^2 p = \frac{p}{4}", "1/2, or 1/2 squared", "beside a fraction"),
    (r"\frac{\partial L}{\partial b}^\top v = v^\top \frac{\partial L}{\partial b}", "of L, or of all?", "beside a fraction"),
    (r"\left( \frac{p}{q} \right)^2 = \frac{p p}{q q}", "all squared", HOLDS),
    (r"\frac{p^2}{q} = \frac{p p}{q}", "p squared over q", HOLDS),
    # what is not read, with what to write instead
    (r"p = \sqrt{p p}", "the root, which is the absolute value of p", FALSE),
    (r"u^\top u = \|u\|^2", "the norm", "a bar without its partner, or a norm"),
    (r"u^\top u = \lVert u \rVert^2", "the norm", "a norm is not read"),
    (r"u^\top u = \left\| u \right\|^2", "the norm", "a bar without its partner, or a norm"),
    (r"p p = |p|^2", "the absolute value", HOLDS),
    (r"|p| q |p| = p p q", "|p| times q times |p|, or |p q| in bars", "a bar without its partner"),
    (r"A^{-1} A = I", "the inverse", "an inverse is not read"),
    (r"\frac{1}{n} p n = p", "the mean over n entries", "n is a size"),
    (r"p_t q_t = q_t p_t \text{ for all } t", "at all times", "words stand behind"),
    (r"p_t q_t = q_t p_t, \quad \text{for all } t", "at all times", "a letter alone is no condition"),
    (r"p_t q_t = q_t p_t, \quad \forall t \in \{1, \dots, T\}", "at all times", HOLDS),
    (r"h_t = 0 u, \quad \forall t \in \{1, \dots, T\}", "at all times", FALSE),
    (r"p_t = p_T, \quad \forall t \in \{1, 2\}", "at two times", FALSE),
    (r"p^{-1} q = \frac{q}{p}", "q over p", "a negative power is not read"),
    # matrices without brackets
    (r"\begin{matrix} p & q \end{matrix} \begin{matrix} p \\ q \end{matrix} = p p + q q", "p q p over q", "write bmatrix"),
    (r"2 \begin{matrix} p \\ q \end{matrix} = \begin{bmatrix} 2 p \\ 2 q \end{bmatrix}", "2 p over q", "write bmatrix"),
    # powers and functions, as they are printed
    (r"u^\top v^2 = (u^\top v)^2", "u with the squares of v", FALSE),
    (r"A v^2 = (A v)^2", "A times the squares of v", FALSE),
    (r"-p^2 = p p", "minus p squared", FALSE),
    (r"\tanh (p)^2 = \tanh(p p)", "the square of tanh(p)", FALSE),
    (r"\tanh A v = \tanh(A v)", "tanh(A) v?", "where does the argument"),
    (r"\tanh \frac{p}{q} r = \tanh(\frac{p}{q}) r", "tanh of all?", "where does the argument"),
    (r"\sum_{k=1}^{T} p_k - q_k = \sum_{k=1}^{T} (p_k - q_k)", "the sum of p, minus one q, or of both", IN_SUM),
    (r"\sum_{k=1}^{T} p_k - q_j = \sum_{k=1}^{T} (p_k - q_j)", "the sum of p, minus one q", FALSE),
    (r"\sum_{k=1}^{T} p_k + \sum_{k=1}^{T} q_k = \sum_{k=1}^{T} (p_k + q_k)", "two sums", HOLDS),
    (r"r \sum_k p_k + (q + p_k) = q", "r Σ p, plus q + p, in it or not", IN_SUM),
    (r"\sum_k p_k^2 = (\sum_k p_k)^2", "the sum of squares", FALSE),
    (r"\prod_{k=1}^{T} p_k q_k = q_k \prod_{k=1}^{T} p_k", "the product of all p q", FALSE),
    (r"\prod_{k=1}^{T} 2 p_k = 2 \prod_{k=1}^{T} p_k", "the product of all 2 p", "belong to the product"),
    (r"p / q / r = \frac{p}{q r}", "p over q/r?", "does this belong to the denominator"),
    (r"p - q - r = p - (q - r)", "from left to right", FALSE),
    (r"A \cdot B = A \odot B", "the matrix product", FALSE),
    (r"u \cdot v = u^\top v", "the scalar product, or entry by entry", "product of shapes"),
    (r"\frac{\partial p + q}{\partial p} = 1", "dp + q, over dp", "must be followed by what it acts on"),
    (r"\frac{\partial A u}{\partial u} = A^\top", "the Jacobian, A", FALSE),
    (r"\operatorname{diag}(u) v^2 = (u \odot v)^2", "u times the squares of v", FALSE),
    (r"p_{2t} = p_t", "p at time 2 t", FALSE),
    (r"10^-2 p = p", "10 to the power -, then 2", "a number behind another factor"),
    (r"1,000 p = p", "a thousand p", "has no meaning here"),
    (r"p = q \; \text{if } p = q", "a conditional", "unknown symbol"),
    # numbers in brackets
    (r"[p, q] = [p, q] + 0 [p, q]", "an interval, a row or a column", "numbers in brackets"),
    (r"[p, q] = p q - q p", "the commutator, 0", "numbers in brackets"),
    (r"[p, q]^\top [p, q] = p p + q q", "a column times itself, or a row?", "numbers in brackets"),
    (r"\begin{bmatrix} p \\ q \end{bmatrix}^\top \begin{bmatrix} p \\ q \end{bmatrix} = p p + q q", "a column with itself", HOLDS),
    # names, functions and lists
    (r"exp(p + q) = x p e (p + q)", "exp(p + q)", LETTERS),
    (r"e x p = p x e", "e x p, or the function exp", LETTERS),
    (r"e p x = p x e", "e p x", HOLDS),
    (r"L(p_t) = p_t L", "L of p", NO_FUNCTION),
    (r"p (q) = q p", "p of q", NO_FUNCTION),
    (r"p (q r) = p q r", "p (q r)", HOLDS),
    (r"L (q r) = q r L", "L of q r", NO_FUNCTION),
    (r"p \left( q \right) = q p", "p of q", NO_FUNCTION),
    (r"A (v) = A v", "A of v", NO_FUNCTION),
    (r"p (q)^2 = p q q", "p of q, squared", NO_FUNCTION),
    (r"p [q] = p q", "p at q", NO_FUNCTION),
    (r"p (q + r) = p q + p r", "p (q + r)", HOLDS),
    (r"v (u^\top b) = v u^\top b", "v (uᵀ b)", HOLDS),
    (r"h_{t-1} (h_t)^\top = (h_t h_{t-1}^\top)^\top", "a column times a row", HOLDS),
    (r"[A, B] = \begin{bmatrix} A \\ B \end{bmatrix}", "the commutator, or side by side", "matrices in brackets"),
    (r"[A, B] u = [A, B] u", "the commutator times u", "matrices in brackets"),
    # ranges
    (r"L = L + \sum_{t=T}^{1} p_t", "the sum of all p", "runs upwards"),
    (r"p_t = p_t + \sum_{k=t}^{1} p_k", "p₁ to p_t", "runs upwards"),
    (r"p_t = p_t + \sum_{k=t+1}^{t} p_k", "from t + 1 to t", "runs upwards"),
    (r"p_t = p_t \prod_{k=T}^{1} (p_k)", "the product of all p", "runs upwards"),
    (r"\sum_{k=1}^{t} p_k = p_t + \sum_{k=1}^{t-1} p_k", "p₁ to p_t", HOLDS),
    (r"\sum_{k=1}^{T} \sum_{k=1}^{T} p_k = T \sum_{k=1}^{T} p_k", "two letters, or one?", "index of the sum or product around"),
    (r"\sum_{k=1}^{T} g_k = T g_k", "g₁ + g₂ + ...", "part of this name and the index of the sum"),
    (r"\sum_{t=1}^{T} p_t \sum_{t=1}^{T} q_t = 0 p", "two letters, or one?", "index of the sum or product around"),
    # what cannot be typeset
    (r"\begin{aligned} p q &= q p", "an error", "is never closed"),
    (r"p q = q p \end{aligned}", "an error", ENDS),
    (r"\begin{aligned} p q &= q p \end{gathered}", "an error", ENDS),
    (r"\left( p q = q p", "an error", "is never closed"),
    (r"p q = q \left( p \right", "an error", "stands in front of a parenthesis"),
    (r"p q = q (p \right)", "an error", ENDS),
    (r"p q = \bigl q p", "an error", "stands in front of a parenthesis"),
    (r"p q = {q p", "an error", "is never closed"),
    (r"\begin{aligned} p q &= \left( q \\ p \right) \end{aligned}", "an error", "cannot be typeset"),
    (r"\begin{aligned} p {q &= q} p \end{aligned}", "an error", "cannot be typeset"),
    (r"p = \begin{cases} p & t = 1 \\ p & t > 1 \end{cases}", "two cases", "two cases are read, by the sign of a number"),
    (r"\begin{array}{c} p = p \end{array}", "a table", "write bmatrix"),
    (r"\begin{foo} p q = q p \end{foo}", "an error", "is not read"),
    # conditions and what an author may write
    (r"p_t q_t = q_t p_t, \qquad t = T, \dots, 1", "at all times, the last first", HOLDS),
    (r"p_t q_t = q_t p_t, \qquad t = T, T-1, \dots, 1", "at all times, the last first", HOLDS),
    (r"h_t = 0 u, \qquad t = T, \dots, 1", "at all times, the last first", FALSE),
    (r"p_t q_t = q_t p_t \quad \forall t", "at all times", HOLDS),
    (r"h_t = 0 u, \quad \forall t", "at all times", FALSE),
    (r"p_t q_t = q_t p_t, \quad t \in \{1, \dots, T\}", "at all times", HOLDS),
    (r"h_t = 0 u, \quad t \in \{1, \dots, T\}", "at all times", FALSE),
    (r"p_t q_t = q_t p_t \quad (t = T), \qquad p_t = p_T", "p q = q p at the end, and p constant", FALSE),
    (r"p_t = p_T \quad (t = T), \qquad p_t q_t = q_t p_t", "p is p at the end, and p q = q p", HOLDS),
    (r"t = T, \quad p_t = p_T, \quad q_t = q_T", "at the end, both", HOLDS),
    (r"p_t = p_T, \quad q_t = q_T, \quad t = T", "at the end, both", HOLDS),
    (r"p_t = p_T, \quad t = T, \quad q_t = q_1, \quad t = 1", "at the end, and at the beginning", HOLDS),
    (r"p_t = p_T, \quad t = T, \quad q_t = q_1, \quad t > 1", "at the end, and after the beginning", FALSE),
    (r"\begin{aligned} p_t &= p_T \\ t &= T \end{aligned}", "p is constant, and t = T", OWN_ROW),
    ("p_t = p_T\n\nT = t", "p is constant, and T = t", OWN_ROW),
    (r"\begin{aligned} p_t &= p_T \\ t &\ge T \\ q r &= r q \end{aligned}", "which row is restricted?", OWN_ROW),
    (r"\begin{aligned} p_t q_t &= q_t p_t \\ &t = 1, \dots, T \end{aligned}", "p q = q p at all times", HOLDS),
    (r"h_t = \tanh(a_t) + 0 u, \quad t > -1", "at time 0, too", "lies outside"),
    (r"h_t = \tanh(a_t) + 0 u, \quad t > 0", "at all times", HOLDS),
    (r"a_{t-1} + u = a_{t-1} + v", "false, whatever a is at time 0", FALSE),
    (r"a_{t-1} + 2 u = a_{t-1} + u + u", "at all times, but there is no a at time 0", "lies outside"),
    (r"a_{t-1} + 2 u = a_{t-1} + u + u, \quad t \ge 2", "from time 2 on", HOLDS),
    (r"\frac{\partial L}{\partial h_t} = \frac{\partial \ell(h_t)}{\partial h_t} + 0 u, \quad t = T, T+1", "one step too far", FALSE),
    (r"\frac{\partial L}{\partial h_t} = \frac{\partial \ell(h_t)}{\partial h_t} + 0 u, \quad t = T, \dots, T+1", "one step too far", FALSE),
    (r"\begin{aligned} p + q ={}& q \\ &+ p \end{aligned}", "p + q = q + p", HOLDS),
    # what stands round an equation in print
    (r"p q = q p \quad (11)", "p q = q p, equation 11", HOLDS),
    (r"p = q \quad (11a),", "p = q, equation 11a", FALSE),
    (r"p q = q p (11)", "p q = 11 q p", NO_FUNCTION),
    (r"p q = q p \quad (q)", "p q = q p, and q", STATEMENT),
    (r"p = q \quad \text{(chain rule)}", "p = q, by the chain rule", FALSE),
    (r"\begin{aligned} p q &= q p && \text{(product rule)} \\ p &= q \end{aligned}", "two rows, a note", FALSE),
    (r"h_t = 0 u \quad \text{(for all } t \text{)}", "at all times", "cannot read"),
    (r"\begin{aligned} p q &= q p && \text{(product rule)} \\ &= p && \text{(magic)} \end{aligned}", "p q = q p = p", FALSE),
    (r"\begin{bmatrix} p & (2) \end{bmatrix} = \begin{bmatrix} p & 2 \end{bmatrix}", "a row", HOLDS),
    (r"\begin{bmatrix} p & \text{(sic)} \end{bmatrix} = \begin{bmatrix} p \end{bmatrix}", "a row of two", "words stand behind"),
    (r"p q = q p \quad \text{(only if you like)}", "a condition", NOTE),
    (r"p q = q p \quad \text{(false)}", "no claim", NOTE),
    (r"p q = q p \quad \text{(scalar case)}", "a condition", NOTE),
    (r"p q = q p \quad \text{(t > 2)}", "a condition", NOTE),
    (r"p q = q p \quad \text{( )}", "nothing", "an empty note"),
    (r"\boxed{p q = q p}", "p q = q p", HOLDS),
    (r"\boxed{p = q}", "p = q", FALSE),
    (r"r + \boxed{p = q}", "r + p, = q?", STATEMENT),
    (r"r + \boxed{p = q} = r", "r + p, = q?", "has no meaning here"),
    (r"\boxed{p q = q p} \quad \boxed{p = q}", "two statements", FALSE),
    (r"A \mathbf I = A", "A", HOLDS),
    (r"A \mathbf{I} = \mathbf{I}", "A is the identity", FALSE),
    (r"\begin{bmatrix} p \\ q \\ \end{bmatrix} = \begin{bmatrix} q \\ p \end{bmatrix}", "a column", FALSE),
    (r"p q = q p \cr p = q", "two rows", FALSE),
    (r"\begin{alignat}{2} p q &= q p \quad && q p && = p \end{alignat}", "p q = q p, and q p = p", FALSE),
    (r"\prod_{k=1}^{T} \tanh(p_k) = \tanh(p_1) \prod_{k=2}^{T} \tanh(p_k)", "the product of all tanh(p)", HOLDS),
    (r"\prod_{k=1}^{T} \tanh(p) p_k = p", "tanh(p) in it, or not?", "belong to the product"),
]  # fmt: skip


@pytest.fixture(scope="module")
def model():
    model = Model(Vocabulary(("t", "k", "j")), 3, {"n": 3, "m": 2})
    model.names.scalar_functions.add(r"\ell")
    model.declare(Source(SHAPES))
    model.define(Source(NETWORK))
    return model


def outcome(model, latex):
    try:
        compare(model.claims(Source(latex)), model.network(ComplexStep))
    except ClaimFailed:
        return FALSE
    except EquationError as error:
        same = "its two sides are the same expression" in error.message
        return HOLDS if same else error.message
    return HOLDS


@pytest.mark.parametrize(("latex", "person", "expected"), ATTACKS)
def test_what_is_read_is_what_a_person_reads(model, latex, person, expected):
    assert expected in outcome(model, latex), person


# ---------------------------------------------------------------- names

READ_OUT = {
    "eq-shapes": r"""x_t \in \mathbb{R}^{m}, \quad h_t \in \mathbb{R}^{n}, \quad W_{in} \in \mathbb{R}^{n \times m},
        \quad U_{att} \in \mathbb{R}^{n \times n}, \quad b_{tanh} \in \mathbb{R}^{n},
        \quad W_{out} \in \mathbb{R}^{q \times n}, \quad y_t \in \mathbb{R}^{q}""",
    "eq-network": r"""\begin{aligned}
        a_t &= W_{in} x_t + U_{att} h_{t-1} + b_{tanh}, \\
        h_t &= \tanh(a_t), \\
        y_t &= W_{out} h_t, \\
        L &= \sum_{t=1}^{T} \ell(y_t)
        \end{aligned}""",
}


@pytest.mark.parametrize(
    ("claim", "true"),
    [
        (r"\frac{\partial L}{\partial W_{out}} = \sum_{t=1}^{T} \frac{\partial L}{\partial y_t} h_t^\top", True),
        (r"\frac{\partial L}{\partial W_{out}} = \frac{\partial L}{\partial y_t} h_t^\top", False),
        (r"\frac{\partial L}{\partial U_{att}} = \sum_{t=1}^{T} \frac{\partial L}{\partial a_t} h_{t-1}^\top", True),
        (r"\frac{\partial L}{\partial U_{att}} = \frac{\partial L}{\partial a_t} h_{t-1}^\top", False),
        (r"\frac{\partial L}{\partial b_{tanh}} = \sum_{t=1}^{T} \frac{\partial L}{\partial a_t}", True),
        (r"\frac{\partial L}{\partial b_{tanh}} = \frac{\partial L}{\partial a_t}", False),
    ],
)  # fmt: skip
def test_a_letter_of_a_word_is_no_time_index(derive, claim, true):
    page = derive({**READ_OUT, "eq-claim": claim}, n=3, m=2, q=4)
    page.declare("eq-shapes")
    page.define("eq-network")
    if true:
        page.verify("eq-claim")
    else:
        with pytest.raises(ClaimFailed):
            page.verify("eq-claim")


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        (r"x^{(t)} \in \mathbb{R}^{m}", "an index in a superscript is not supported"),
        (r"x^{(t-1)} \in \mathbb{R}^{m}", "an index in a superscript is not supported"),
        (r"x^t \in \mathbb{R}^{m}", "an index in a superscript is not supported"),
        (r"x^T \in \mathbb{R}^{m}", "an index in a superscript is not supported"),
        (r"x^{\langle t \rangle} \in \mathbb{R}^{m}", "an index in a superscript is not supported"),
        (r"x^{[t]}_i \in \mathbb{R}^{m}", "an index in a superscript is not supported"),
        (r"x^{(i,t)} \in \mathbb{R}^{m}", "an index in a superscript is not supported"),
        (r"x(t) \in \mathbb{R}^{m}", "is not a name"),
        (r"\relax \in \mathbb{R}^{m}", "no letter that a reader sees"),
        (r"x_{\relax} \in \mathbb{R}^{m}", "no letter that a reader sees"),
        (r"x_{\nobreak} \in \mathbb{R}^{m}", "no letter that a reader sees"),
        (r"{x y} \in \mathbb{R}^{m}", "is not a name"),
        (r"\tilde{x y} \in \mathbb{R}^{m}", "stands over one letter or word"),
        (r"x_12 \in \mathbb{R}^{m}", "only the 1 of 12"),
        (r"x^{2t} \in \mathbb{R}^{m}", "reads as a power"),
        (r"x^{tk} \in \mathbb{R}^{m}", "could have an index here that it does not"),
        (r"x^2 \in \mathbb{R}^{m}", "reads as a power"),
        (r"\tilde{x}^{-1}_t \in \mathbb{R}^{m}", "reads as a power"),
        (r"x^\ast \in \mathbb{R}^{m}", "no letter that a reader sees"),
        (r"x_{tk} \in \mathbb{R}^{m}", "could have an index here that it does not"),
        (r"z_{ft} \in \mathbb{R}^{m}", 'or say Notation(gates=["f"])'),
        (r"\delta_{z_{\tilde ct}} \in \mathbb{R}^{m}", r'or say Notation(gates=["\tilde{c}"])'),
        (r"x_{t'} \in \mathbb{R}^{m}", "could have an index here that it does not"),
        (r"x_{(t)} \in \mathbb{R}^{m}", "could have an index here that it does not"),
        (r"x_{\hat t} \in \mathbb{R}^{m}", "could have an index here that it does not"),
        (r"x_{t_1} \in \mathbb{R}^{m}", "could have an index here that it does not"),
        (r"x_{\mathrm{t}} \in \mathbb{R}^{m}", "could have an index here that it does not"),
        (r"x_{h,tk} \in \mathbb{R}^{m}", "could have an index here that it does not"),
        (r"x_{h / t} \in \mathbb{R}^{m}", "could have an index here that it does not"),
        (r"x_{\hat{h}_{tk}} \in \mathbb{R}^{m}", "could have an index here that it does not"),
        (r"x_{\hat{t}_1} \in \mathbb{R}^{m}", "could have an index here that it does not"),
        (r"\bar{x_{tk}} \in \mathbb{R}^{m}", "could have an index here that it does not"),
        (r"\mathbf{I} \in \mathbb{R}^{m}", "has a meaning of its own"),
        (r"I \in \mathbb{R}^{m}", "has a meaning of its own"),
        (r"T \in \mathbb{R}", "has a meaning of its own"),
        (r"k \in \mathbb{R}", "has a meaning of its own"),
        (r"\bm{1} \in \mathbb{R}", "has a meaning of its own"),
    ],
)
def test_what_cannot_name_a_quantity(derive, declaration, message):
    with pytest.raises(EquationError, match=re.escape(message)):
        derive({"eq-shapes": declaration}).declare("eq-shapes")


@pytest.mark.parametrize(
    "declaration",
    [
        r"p_{hkt}, p_{h,t}, p_{x_t}, p_{\mathrm{out}} \in \mathbb{R}",
        r"p^{lstm} \in \mathbb{R}",
        r"\delta^{h}_t \in \mathbb{R}^{n}",
        r"x^{(1)} \in \mathbb{R}",
        r"\delta_{\widehat{h_t}}, \delta_{\tilde{c}_t} \in \mathbb{R}",
    ],
)
def test_words_and_numbers_in_scripts_are_names(derive, declaration):
    derive({"eq-shapes": declaration}).declare("eq-shapes")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (r"\hat p, \widehat{p}", "is declared"),
        (r"\bar p, \overline{p}", "is declared"),
        (r"\boldsymbol p, \bm{p}", "is declared"),
        (r"\mathrm{a b}, \operatorname{ab}", "is declared"),
        (r"\mathbf{\hat p}, \hat{\mathbf p}", "is declared"),
        (r"\gamma, \mathbf{\gamma}", FONT),
        (r"P, \mathbb{p}", FONT),
    ],
)
def test_two_names_that_look_alike_are_one(derive, names, message):
    first, second = (rf"{name} \in \mathbb{{R}}" for name in names.split(", "))
    page = derive({"eq-first": first, "eq-second": rf"{second}^{{n}}"})
    page.declare("eq-first")
    with pytest.raises(EquationError, match=message):
        page.declare("eq-second")


# ---------------------------------------------------------------- whole chapters


@pytest.mark.parametrize(("chapter", "misprints"), [("bptt", 1), ("lstm", 14), ("gru", 35)])
def test_no_equation_holds_whose_parentheses_are_braces(chapter, misprints):
    """Every ``(1 - ...)`` of a displayed equation in turn loses its parentheses on the page."""
    path = BOOK / f"{chapter}.md"
    session = Session(directory=BOOK, quick=True, mutants=0)
    assert check_chapter(path, session).ok
    models = session.models
    tried = 0
    for equation in {e.label: e for e in displayed(path)}.values():
        for found in re.finditer(r"\((1 - [^()]*)\)", equation.text):
            text = equation.text[: found.start()] + f"{{{found[1]}}}" + equation.text[found.end() :]
            misprint = Source(text, equation.file, equation.line, equation.label)
            for model in models:
                with pytest.raises(EquationError, match=BRACES):
                    compare(model.claims(misprint), model.network(ComplexStep))
            tried += 1
    assert tried >= misprints


def displayed(path):
    return Chapter.read(path).equations
