"""Going round many things a part at a time, so that no look at all of them holds up who waits. Told the time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

__all__ = ["PART", "Rounds"]

#: Things looked at in one go: a few milliseconds.
PART = 500

T = TypeVar("T")


class Rounds(Generic[T]):
    """A round begins every ``seconds`` at most, with what ``everything`` gives then."""

    __slots__ = ("_begins", "_everything", "_left", "_seconds")

    def __init__(self, seconds: float, everything: Callable[[], Iterable[T]]) -> None:
        self._seconds = seconds
        self._everything = everything
        self._begins = float("-inf")
        self._left: list[T] = []

    def part(self, now: float) -> list[T]:
        """The next of this round, or the first of the next if that is due; by then some may be gone."""
        if not self._left:
            if now < self._begins:
                return []
            self._begins = now + self._seconds
            self._left = list(self._everything())
        part, self._left = self._left[:PART], self._left[PART:]
        return part
