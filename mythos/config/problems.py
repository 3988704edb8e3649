"""What is wrong with a file someone wrote: every mistake with its place, reported all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from mythos.errors import MythosError

__all__ = ["DocumentError", "Place", "Problem", "Problems", "Spot", "near"]


class Place(Protocol):
    """Anything that knows where it was written."""

    @property
    def path(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Spot:
    """A place: a file with line and column, both from 1 (0: not known), or the name of a variable or an option."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join([self.path, *(str(part) for part in (self.line, self.column) if part)])


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake, in the form every editor can jump to: ``path:line:column: error: message``."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{Spot(self.path, self.line, self.column)}: error: {self.message}"


class DocumentError(MythosError):
    """The writer's: what was read cannot be used. ``problems`` has every mistake, in the order of their places."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Problems:
    """The mistakes found so far. Readers add and go on with a default, so that one run names them all."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def add(self, place: Place, message: str) -> None:
        """Note a mistake; the same one at the same place (a shared anchor) counts once."""
        self._found[Problem(place.path, place.line, place.column, message)] = None

    def __iter__(self) -> Iterator[Problem]:
        return iter(sorted(self._found))

    def __len__(self) -> int:
        return len(self._found)

    def check(self, error: type[DocumentError] = DocumentError) -> None:
        """:raises DocumentError: (or the subclass given) if there are any."""
        if self._found:
            raise error(self)


def near(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'exits'?``, or nothing when no known word is close."""
    from difflib import get_close_matches  # for mistakes alone: it need not be in memory

    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""
