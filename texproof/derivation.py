"""The interface that chapters use: declare, define and verify what is printed."""

from __future__ import annotations

import difflib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from texproof.code.anchor import compare_with_torch
from texproof.code.layout import GATES, Layout
from texproof.code.program import run_against_package
from texproof.compare.levels import Finding, check_all, decide, show_sizes
from texproof.compare.model import Model
from texproof.errors import ClaimFailed, EquationError, Inline, ShapeMismatch, Source
from texproof.mean import definitions
from texproof.mean.claims import Claim
from texproof.mean.notation import Notation
from texproof.mean.printed import printed, printed_definition
from texproof.mean.reach import names_in
from texproof.mean.terms import Reference
from texproof.mean.vocabulary import Vocabulary
from texproof.mutants.judge import judge
from texproof.mutants.mutate import mutants, sample
from texproof.mutants.repair import SECONDS, repair
from texproof.numbers.arithmetic import CentralDifference, ComplexStep
from texproof.report.explain import explain
from texproof.report.report import MutationScore, Result, Results
from texproof.report.session import current

if TYPE_CHECKING:
    import sympy

MAX_SIZE = 100
"""Of T and of each dimension: a few steps and entries tell as much, and it must end."""


class Derivation:
    r"""The printed mathematics of one or more chapters, read from their LaTeX.

    Args:
        *chapters: Markdown files whose labelled equations are meant, relative to the notebook's
            folder. Where one is missing, the notebook of the same name is read.
        T: the number of time steps to unroll, 2 to 100.
        indices: index letters, time first.
        notation: how the chapters print times, transposes, products and names, where that is not
            the notation of this book; what was read is shown beside the verdicts.
        **sizes: a size for every dimension letter, 1 to 100, distinct ones so that no shape fits by
            accident.

    Wherever a label is expected, an inline formula of the chapters may stand too, between dollar
    signs: ``page.define("$h_t = w h_{t-1}$")``.

    Raises:
        TypeError: a name is no text, or a size is not an integer.
        ValueError: no chapter or no index letter is named, or a size is out of range.
        EquationError: a chapter cannot be read.
    """

    def __init__(
        self,
        *chapters: str,
        T: int = 3,
        indices: str = "t k j",
        notation: Notation | None = None,
        **sizes: int,
    ):
        notation = Notation() if notation is None else notation
        if not isinstance(notation, Notation):
            raise TypeError(f"notation: expected Notation(...), got {notation!r}")
        if not chapters:
            raise ValueError("chapters: expected at least one Markdown file, got none")
        for chapter in chapters:
            _require_text("chapters", chapter, "names of Markdown files")
        _require_text("indices", indices, "letters with spaces between them")
        if not indices.split():
            raise ValueError(f"indices: expected at least the letter of time, got {indices!r}")
        for name, size in {"T": T, **sizes}.items():
            if not isinstance(size, int) or isinstance(size, bool):
                raise TypeError(f"{name}: expected an integer, got {size!r}")
            least = 2 if name == "T" else 1
            if size < least:
                raise ValueError(f"{name}: expected at least {least}, got {size}")
            if size > MAX_SIZE:
                raise ValueError(f"{name}: expected at most {MAX_SIZE}, got {size}")
        if both := sorted(set(notation.times) & sizes.keys()):
            raise ValueError(
                f"notation: expected times that are no dimensions, got {', '.join(both)}"
            )
        self._session = current()
        self._chapters = chapters
        self._sources = self._read_chapters()
        names = Vocabulary(tuple(indices.split()), notation=notation)
        self.model = Model(names, T, sizes, self._session.macros())
        self._session.models.append(self.model)
        self._steps = self._session.begin(T, indices, sizes, notation)
        self._used: dict[str, str] = {}
        self._learned: dict[str, Source] = {}
        self._unread: dict[str, Source] = {}
        self._layout: Callable[[], Layout] | None = None

    def _read_chapters(self) -> dict[str, Source]:
        """The equations of the chapters by label, as they are saved now."""
        sources: dict[str, Source] = {}
        for chapter in self._chapters:
            read = self._session.chapter(chapter)
            for formula in read.inline:
                sources.setdefault(formula.label, formula)
            for label, source in read.by_label.items():
                if label in sources:
                    first = sources[label]
                    raise EquationError(f"the label stands in {first.place} too", None, source)
                sources[label] = source
        return sources

    def _refresh(self) -> None:
        """Follow an author who edits: where a declaration or definition changed, learn all of them anew."""
        self._sources = self._read_chapters()
        if any(self._sources.get(label) != source for label, source in self._learned.items()):
            self._learn_anew()

    def _learn_anew(self) -> None:
        learned = {label: self._find(label) for label in self._learned}
        old = self.model
        names = Vocabulary(old.names.indices, notation=old.names.notation)
        names.scalar_functions.update(old.names.scalar_functions)
        names.activations.update(old.names.activations)
        model = Model(names, old.last, old.sizes, old.macros)
        for label, source in learned.items():
            model.learn(source, self._used[label])
        models = self._session.models
        models[:] = [model if known is old else known for known in models]
        self.model, self._learned = model, learned

    def source(self, label: str) -> Source:
        """The printed equation with this label.

        Raises:
            TypeError: the label is no text.
            EquationError: there is none in the derivation's chapters.
        """
        _require_text("label", label, "the label of an equation")
        self._refresh()
        return self._find(label)

    def _find(self, label: str) -> Source:
        if label not in self._sources:
            near = difflib.get_close_matches(label, self._sources, 3)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise EquationError(
                f"no equation is labelled {label!r} in {', '.join(self._chapters)}{hint}"
            )
        return self._sources[label]

    def _claim_label(self, label: str, use: str) -> Source:
        source = self.source(label)
        claimed = use in ("verified", "refuted") and label not in self._learned
        if claimed and definitions.names_first(source, self.model.names, self.model.macros):
            self._learn_name(label, source)
        before = self._used.setdefault(label, use)
        if before != use:
            raise EquationError(
                f"the equation is {before} already, it cannot be {use} too", None, source
            )
        self._steps.append((use, source))
        return source

    def _report(self, judge: Callable[[str], Result], labels: tuple[str, ...]) -> Results:
        """Judge all of some equations, then raise what was wrong with any of them."""
        results: list[Result] = []
        errors: list[EquationError] = []
        for label in labels:
            try:
                results.append(judge(label))
            except EquationError as error:
                if self._session.quick:
                    raise
                errors.append(error)
                if self._session.on_error:
                    self._session.on_error(error, label)
        self._session.results.extend(results)
        if errors and not self._session.on_error:
            errors[0].others = errors[1:]
            raise errors[0]
        return Results(results)

    # ---------------------------------------------------------------- meaning

    def declare(self, *labels: str) -> Results:
        r"""Read shapes, ``x_t \in \mathbb{R}^{m}``, and constraints of leaves, ``\mathbf{1}^\top y_t = 1``."""
        return self._report(lambda label: self._learn(label, "declared"), labels)

    def _learn(self, label: str, use: str) -> Result:
        """Take in what an equation says, unless it is known: a cell may be run again."""
        source = self._claim_label(label, use)
        if label not in self._learned:
            try:
                self.model.learn(source, use)
            except EquationError:
                self._unread[label] = source
                self._learn_anew()  # without the half that was understood
                raise
            self._learned[label] = source
            self._unread.pop(label, None)
        assumed = [q.key for q in self.model.names.quantities.values() if q.assumed_in == source]
        detail = (
            f"an assumption about {', '.join(f'${key}$' for key in assumed)}" if assumed else ""
        )
        return Result(source, use, detail or self._definitions_read(source))

    def _learn_name(self, label: str, source: Source) -> None:
        r"""Take in what a claim names by the way, ``\delta_t`` of ``\delta_t = \partial L / \partial h_t = ...``."""
        self._steps.append(("defined", source))
        try:
            self.model.learn(source, "defined")
        except EquationError:
            self._learn_anew()
            raise
        self._learned[label] = source

    def _definitions_read(self, source: Source) -> str:
        """What was defined, in the house notation, if the chapters have another one."""
        names = self.model.names
        if names.notation.is_plain:
            return ""
        own = [q for q in names.quantities.values() if q.source == source and q.definition]
        told = [f"${printed_definition(q, names)}$" for q in own]
        return f"read as {', '.join(told)}" if told else ""

    def _claims_read(self, claims: list[Claim], found: Finding) -> str:
        """What is claimed, in the house notation, if the chapters have another one, and where it says nothing."""
        names = self.model.names
        if names.notation.is_plain:
            return ""
        told = [" = ".join(printed(side, names) for side in claim.sides) for claim in claims]
        missing = found.comparison.left_out if found.comparison else ()
        times = "; ".join(f"${time}$" for time in missing)
        but = f"; not at {times}, where a time before 0 would be needed" if missing else ""
        return f"read as {', '.join(f'${text}$' for text in told)}{but}"

    def function(self, *names: str) -> None:
        r"""Say that ``\ell(...)`` is an unknown scalar function, differentiable in all its arguments."""
        for name in names:
            _require_text("names", name, r"names such as \ell")
            known = self.model.names.function_name(name)
            self._steps.append(("function", known))
            self.model.names.scalar_functions.add(known)

    def activation(self, *names: str) -> None:
        r"""Say that ``\phi(...)`` is an unknown differentiable function of one variable, applied to each entry."""
        for name in names:
            _require_text("names", name, r"names such as \phi")
            known = self.model.names.function_name(name)
            self._steps.append(("activation", known))
            self.model.names.activations.add(known)

    def define(self, *labels: str) -> Results:
        """Read definitions ``name = expression``; a definition needs no check, and cannot be verified.

        It holds at all times from 1 to T, whether or not that is printed beside it. Of a chain, ``a = b =
        c``, the beginning defines a new name, and the rest is verified.

        Raises:
            ClaimFailed: what a chain says behind a definition is false.
            EquationError: not a definition, or one that names a thing twice, leaves an index open, or
                is restricted by a condition.
        """
        return self._report(self._defined, labels)

    def _defined(self, label: str) -> Result:
        learned = self._learn(label, "defined")
        source, model = learned.source, self.model
        if not definitions.goes_on(source, model.names, model.macros):
            return learned
        self._steps.append(("verified", source))
        result = self._judged(source)
        told = [learned.detail, result.detail]
        return replace(result, detail="; then ".join(filter(None, told)))

    # ---------------------------------------------------------------- truth

    def verify(self, *labels: str) -> Results:
        """Check that printed equations hold, at every level, in every entry and at every time step.

        Raises:
            ClaimFailed: an equation is false.
            EquationError: an equation cannot be read, or claims nothing.
        """
        if not labels:
            raise ValueError("labels: expected at least one equation to verify, got none")
        return self._report(self._verified, labels)

    def _verified(self, label: str) -> Result:
        return self._judged(self._claim_label(label, "verified"))

    def _judged(self, source: Source) -> Result:
        """What the levels find of the claims of an equation."""
        start = time.perf_counter()
        if self._session.quick:
            claims = self._claims(source)
            _, found = decide(self.model, claims)
            return Result(source, "verified", self._claims_read(claims, found))
        try:
            claims = self._claims(source)
            findings = tuple(check_all(self.model, claims))
        except EquationError as error:
            error.remarks = self._remarks(error, source)
            raise
        score = self._mutation_score(source)
        read, seconds = self._claims_read(claims, findings[0]), time.perf_counter() - start
        return Result(source, "verified", read, findings, score, seconds)

    def _claims(self, source: Source) -> list[Claim]:
        """What an equation claims; all definitions that it depends on are used now."""
        claims = self.model.claims(source)
        for claim in claims:
            self._session.note_use(names_in(claim.sides), self.model.names)
        return claims

    def _remarks(self, error: EquationError, source: Source) -> list[str]:
        """Where a wrong equation holds all the same, its values, and what its author may have meant."""
        if self._unread:
            return [f"it may need {', '.join(self._unread)}, which cannot be read"]
        remarks, blamed = [], error.span
        if error.source != source:  # but a definition that cannot be evaluated so early
            remarks, blamed = [f"this was met in checking {source.label}"], None
        elif isinstance(error, ClaimFailed):
            remarks = [*self._not_defined(source), *explain(error, self.model, source)]
        start = time.process_time()
        proposal = repair(self.model, source, blamed, min(SECONDS, self._session.patience))
        self._session.patience -= time.process_time() - start
        return [*remarks, *([proposal] if proposal else [])]

    def _not_defined(self, source: Source) -> list[str]:
        """A remark where an equation that fails may be the definition of a name that has none."""
        firsts = (claim.sides[0] for claim in self.model.claims(source))
        quantities = self.model.names.quantities
        leaves = {
            s.key for s in firsts if isinstance(s, Reference) and not quantities[s.key].definition
        }
        return [
            f"{key} is declared and not defined: is this its definition? Then define it"
            for key in sorted(leaves)
        ]

    def _mutation_score(self, source: Source) -> MutationScore | None:
        """How the equation's one-place mutants fare: a check that accepts them would be worth nothing."""
        session = self._session
        if session.mutants == 0 or isinstance(source, Inline):
            return None
        tried = sample(
            mutants(source, self.model.names, self.model.macros), session.mutants, session.seed
        )
        verdicts = [judge(self.model, mutant) for mutant in tried]
        count = Counter(verdict.outcome for verdict in verdicts)
        survivors = [verdict.mutant for verdict in verdicts if verdict.outcome == "survived"]
        unexplained = [m for m in survivors if m.identity not in session.equivalent_mutants]
        return MutationScore(
            count["value"],
            count["shape"],
            count["unreadable"],
            len(survivors) - len(unexplained),
            tuple(f"{mutant.identity} {mutant}" for mutant in unexplained),
        )

    def anchor(
        self,
        architecture: str,
        *,
        input: str,
        output: str,
        initial: Mapping[str, str],
        weights: Mapping[str, str],
        **options: Any,
    ) -> Results:
        """Check that the printed forward pass is that of a ``torch.nn`` layer.

        Args:
            architecture: ``"torch.nn.RNN"``, ``"torch.nn.LSTM"`` or ``"torch.nn.GRU"``.
            input, output: the printed names, such as ``"x_t"`` and ``"h_t"``.
            initial: printed initial states, ``{"h_0": "h", "c_0": "c"}``.
            weights: PyTorch's arrays for the printed ones, ``{"W_f": "weight_ih[f]", "b_f":
                "bias_ih[f] + bias_hh[f]"}``.
            **options: passed to the layer.

        Raises:
            ClaimFailed: the two forward passes differ.
            ModuleNotFoundError: PyTorch is not installed.
        """

        def compared(name: str) -> Result:
            self.layout(name, input=input, output=output, initial=initial, weights=weights)
            assert self._layout is not None
            self._session.note_use([self._layout().output.key], self.model.names)
            gap = compare_with_torch(self.model, self._layout(), **options)
            sizes = show_sizes(self.model.last, self.model.sizes)
            detail = f"the printed forward pass is {name} ({sizes}), to {gap:.1e}"
            return Result(Source("", self._chapters[0], 1, name), "anchored", detail)

        return self._report(compared, (architecture,))

    def _read_layout(
        self,
        architecture: str,
        input: str,
        output: str,
        initial: Mapping[str, str],
        weights: Mapping[str, str],
    ) -> Layout:
        for argument, text in (
            ("architecture", architecture),
            ("input", input),
            ("output", output),
        ):
            _require_text(argument, text, "a text")
        for argument, texts in (("initial", initial), ("weights", weights)):
            pairs = texts.items() if isinstance(texts, Mapping) else [(texts, None)]
            if not all(isinstance(text, str) for pair in pairs for text in pair):
                raise TypeError(f"{argument}: expected a dict from text to text, got {texts!r}")
        name = architecture.removeprefix("torch.nn.")
        if name not in GATES:
            raise ValueError(
                f"architecture: expected one of {', '.join(GATES)}, got {architecture!r}"
            )
        return Layout.read(self.model, name, input, output, initial, weights)

    def layout(
        self,
        architecture: str,
        *,
        input: str,
        output: str,
        initial: Mapping[str, str],
        weights: Mapping[str, str],
    ) -> None:
        """Say how printed names correspond to arrays, as :meth:`anchor` does, where ``torch.nn`` has no such layer."""
        self._refresh()
        read = partial(self._read_layout, architecture, input, output, initial, weights)
        read()
        self._layout = read  # anew for each use: the author may edit in between

    def run_backward(self, *labels: str, module: str, loss: str = "L", **options: Any) -> Results:
        """Run printed backward equations as a program, and compare it with a module of this
        package.

        The correspondence of names is that of :meth:`anchor` or :meth:`layout`, called before.

        Args:
            *labels: the equations; together they compute the gradients of all weights, inputs and
                initial states.
            module: ``"nndl_rnn.lstm"`` or the like.
            loss: the printed name of the loss.
            **options: passed to the module's ``forward``.

        Raises:
            EquationError: the equations are circular, or leave a gap.
            ClaimFailed: a gradient differs.
        """
        if self._layout is None:
            raise ValueError(
                "run_backward: expected anchor(...) or layout(...) to be called before, found neither"
            )
        layout = self._layout

        def run(name: str) -> Result:
            claims = [claim for label in labels for claim in self._claims(self.source(label))]
            count, gap = run_against_package(self.model, claims, loss, layout(), name, **options)
            program = f"{len(claims)} printed equations, run as a program,"
            detail = f"{program} give all {count} gradients of {name}.backward, to {gap:.1e}"
            return Result(Source("", self._chapters[0], 1, name), "program", detail)

        return self._report(run, (module,))

    def refute(self, *labels: str, because: str) -> Results:
        """Check that equations, quoted because they are wrong, are false.

        Args:
            *labels: the equations.
            because: what is wrong with them, for the reader.

        Raises:
            EquationError: an equation cannot be read, or it holds after all.
        """
        _require_reason(because)
        return self._report(lambda label: self._refuted(label, because), labels)

    def _refuted(self, label: str, because: str) -> Result:
        source = self._claim_label(label, "refuted")
        try:
            claims = self._claims(source)
            for finding in check_all(self.model, claims):
                if finding.level != ComplexStep.name:  # the others are for what holds
                    break
        except ClaimFailed as error:
            return Result(source, "refuted", f"{because} ({error.message})")
        except ShapeMismatch as error:
            raise ShapeMismatch(
                f"quoted as wrong, but here its shapes do not fit, so no value shows it: {error.message}. "
                "It may be right where shapes are others: use unchecked(..., because=...)",
                error.span,
                source,
            ) from None
        raise ClaimFailed("this equation is quoted as wrong, but it holds", None, source)

    def unchecked(self, *labels: str, because: str) -> Results:
        """Say openly that equations are not checked, and why.

        Args:
            *labels: the equations.
            because: the reason, for the reader.
        """
        _require_reason(because)
        return self._report(
            lambda label: Result(self._claim_label(label, "unchecked"), "unchecked", because),
            labels,
        )

    # ---------------------------------------------------------------- to look at

    def symbolic(self, label: str, **indices: int) -> list[sympy.Eq]:
        """The last side of each printed equality as SymPy expressions in the entries of the
        printed vectors.

        Args:
            label: a claim.
            **indices: values of its free indices, such as ``t=2``.

        Raises:
            TypeError: the value of an index is no integer.
            EquationError: an index is missing, or its value does not satisfy the printed
                conditions.
            ModuleNotFoundError: SymPy is not installed.
        """
        sympy = _import_sympy()
        from texproof.compare.symbols import SymbolNetwork

        for letter, value in indices.items():
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{letter}: expected an integer, got {value!r}")
        source = self.source(label)
        numbers = self.model.network(CentralDifference)
        shown = []
        for claim in self.model.claims(source):
            chosen = [
                e
                for e in claim.instances(self.model.last, self.model.sizes)
                if all(e[k] == v for k, v in indices.items() if k in e)
            ]
            letters = (*claim.indices, *claim.units)
            missing = [letter for letter in letters if letter not in indices]
            if missing or not chosen:
                what = (
                    f"give a value for {', '.join(missing)}"
                    if missing
                    else f"no instance of it has {indices}"
                )
                raise EquationError(f"{what} ({show_sizes(self.model.last, {})})", None, source)
            network = SymbolNetwork(numbers, keep_unknown=True)
            left, right = (
                sympy.Matrix(network.evaluate(side, chosen[0]).rows)
                for side in (claim.sides[0], claim.sides[-1])
            )
            shown.append(sympy.Eq(left, right, evaluate=False))
        # As a cell shows it: what was computed from an equation is an account for that output.
        printed = (replace(source, text=rf"\displaystyle {sympy.latex(eq)}") for eq in shown)
        self._session.results.extend(Result(text, "computed") for text in printed)
        return shown


def _import_sympy() -> Any:
    """SymPy, or an error that says how to install it."""
    try:
        import sympy
    except ImportError as error:
        raise ModuleNotFoundError(
            'The checker writes equations as SymPy expressions: pip install "nndl-rnn[texproof]"'
        ) from error
    return sympy


def _require_text(name: str, value: object, expected: str) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected {expected}, got {value!r}")


def _require_reason(because: str) -> None:
    if not isinstance(because, str) or len(because.strip()) < 10:
        raise ValueError(f"because: expected a reason that a reader understands, got {because!r}")
