"""What printed names mean, and the networks in which claims about them are evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from texproof.compare.network import Network
from texproof.errors import Source
from texproof.mean import definitions
from texproof.mean.claims import Claim, read_claims
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

    def declare(self, source: Source) -> None:
        """Read declarations; see :func:`~texproof.mean.definitions.declare`."""
        self._networks.clear()
        self.sources.append(source)
        definitions.declare(source, self.names, self.macros)

    def define(self, source: Source) -> None:
        """Read definitions; see :func:`~texproof.mean.definitions.define`."""
        self._networks.clear()
        self.sources.append(source)
        definitions.define(source, self.names, self.macros, self.last)

    def claims(self, source: Source) -> list[Claim]:
        """The claims that an equation makes; see :func:`~texproof.mean.claims.read_claims`."""
        return read_claims(source, self.names, self.macros)

    def network(
        self,
        kind: Callable[[], Arithmetic] | Arithmetic,
        last: int | None = None,
        sizes: Mapping[str, int] | None = None,
    ) -> Network:
        """The unrolled network in one kind of numbers.

        That of a kind is kept, so that claims share what was computed; that of given numbers is new.
        """
        last, sizes = last or self.last, dict(sizes or self.sizes)
        if isinstance(kind, Arithmetic):
            return Network(self.names, kind, last, sizes)
        key = (kind, last, *sorted(sizes.items()))
        if key not in self._networks:
            self._networks[key] = Network(self.names, kind(), last, sizes)
        return self._networks[key]
