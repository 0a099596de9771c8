"""What printed names mean, and the networks in which claims about them are evaluated."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from texproof.compare.network import Network
from texproof.errors import Source
from texproof.mean import definitions
from texproof.mean.claims import Claim, Known, read_claims
from texproof.mean.vocabulary import Vocabulary
from texproof.numbers.arithmetic import Arithmetic
from texproof.read.typography import Macros


@dataclass
class Model:
    """What printed names mean, and the sizes at which claims about them are tried.

    Attributes:
        names: names with their shapes and definitions.
        last: the number of time steps, ``T``.
        sizes: a size for every dimension letter.
        macros: LaTeX macros of the book.
        sources: the declarations and definitions read so far.
    """

    names: Vocabulary
    last: int
    sizes: dict[str, int]
    macros: Macros = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    _networks: dict[object, Network] = field(default_factory=dict)
    _known: Known = field(default_factory=dict)

    def declare(self, source: Source) -> None:
        """Read declarations; see :func:`~texproof.mean.definitions.declare`."""
        self._networks.clear()
        self._known.clear()
        self.sources.append(source)
        definitions.declare(source, self.names, self.macros)

    def define(self, source: Source) -> None:
        """Read definitions; see :func:`~texproof.mean.definitions.define`."""
        self._networks.clear()
        self._known.clear()
        self.sources.append(source)
        definitions.define(source, self.names, self.macros, self.last)

    def learn(self, source: Source, use: str) -> None:
        """Read an equation as what it is used for: ``declared`` or ``defined``."""
        self.declare(source) if use == "declared" else self.define(source)

    def claims(self, source: Source) -> list[Claim]:
        """The claims that an equation makes; see :func:`~texproof.mean.claims.read_claims`."""
        return read_claims(source, self.names, self.macros)

    def claims_of_mutant(self, source: Source) -> list[Claim]:
        """The claims of an edited equation, quickly: the places in them may be those of another edit."""
        return read_claims(source, self.names, self.macros, self._known)

    def seed(self, *more: object) -> int:
        """What chooses a random point: it changes with every declaration and definition, and with ``more``.

        So nobody can print an equation that holds at this point alone.
        """
        texts = [*(source.text for source in self.sources), *map(str, more)]
        return int(hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16], 16)

    def network(
        self,
        kind: Callable[[int], Arithmetic] | Arithmetic,
        last: int | None = None,
        sizes: Mapping[str, int] | None = None,
        draw: int = 0,
    ) -> Network:
        """The unrolled network in one kind of numbers.

        That of a kind is kept, so that claims share what was computed; that of given numbers is new.
        ``draw`` counts random points, should one not do.
        """
        last, sizes = last or self.last, dict(sizes or self.sizes)
        if isinstance(kind, Arithmetic):
            return Network(self.names, kind, last, sizes)
        key = (kind, last, draw, *sorted(sizes.items()))
        if key not in self._networks:
            self._networks[key] = Network(self.names, kind(self.seed(draw)), last, sizes)
        return self._networks[key]
