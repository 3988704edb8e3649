"""Circuit breakers: what fails again and again is left alone for a while, and whoever asks is told so at once.

Closed, it lets everything through. After so many failures in a row it opens and refuses; after a while it lets one
through at a time, and closes when two of those went well. One that fails opens it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from mythos.errors import Refusal

__all__ = ["Breaker", "BreakerOpen", "Breakers", "State"]

#: Successes in a row that close it.
_CLOSES: Final = 2


class State(IntEnum):
    """As the metric has it."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class BreakerOpen(Refusal):
    """Nothing was tried."""


class Breaker:
    """Told the time in monotonic seconds.

    :param failures: in a row, that open it
    :param open_for: seconds until one is let through again
    """

    def __init__(self, name: str, failures: int = 5, open_for: float = 60.0) -> None:
        self.name = name
        self._most = failures
        self._open_for = open_for
        self._failed = self._went_well = 0
        self._opened: float | None = None
        self._trial: float | None = None  # since when one is on its way that was let through to try

    def state(self, now: float) -> State:
        if self._opened is None:
            return State.CLOSED
        return State.HALF_OPEN if now - self._opened >= self._open_for else State.OPEN

    def enter(self, now: float) -> None:
        """Whoever was let through says afterwards how it went: :meth:`succeeded` or :meth:`failed`.

        :raises BreakerOpen:
        """
        if self._opened is None:
            return
        wait = self._opened + self._open_for - now
        if wait <= 0.0 and self._trial is not None:  # one that never said how it went does not keep others out for ever
            wait = self._trial + self._open_for - now
        if wait > 0.0:
            raise BreakerOpen(f"{self.name} has failed again and again: it is tried again in {wait:.0f} seconds.")
        self._trial = now

    def succeeded(self, now: float) -> None:
        state = self.state(now)
        if state is State.OPEN:  # it was under way when it opened
            return
        self._failed = 0
        self._trial = None
        if state is State.HALF_OPEN:
            self._went_well += 1
            if self._went_well >= _CLOSES:
                self.reset()

    def failed(self, now: float) -> None:
        if self.state(now) is State.OPEN:  # it was under way when it opened
            return
        self._failed += 1
        self._trial = None
        if self._opened is not None or self._failed >= self._most:
            self._opened, self._went_well = now, 0

    def hope(self, now: float) -> None:
        """It may work again: if it is open, one may try now and not later."""
        if self.state(now) is State.OPEN:
            self._opened = now - self._open_for

    def reset(self) -> None:
        """Close it."""
        self._failed = self._went_well = 0
        self._opened = self._trial = None


class Breakers:
    """All of a server, by name, each made when it is first asked for. What they are for is known to the configuration:
    their number is bounded by that."""

    def __init__(self, failures: int = 5, open_for: float = 60.0) -> None:
        self._failures = failures
        self._open_for = open_for
        self._all: dict[str, Breaker] = {}

    def of(self, name: str) -> Breaker:
        if name not in self._all:
            self._all[name] = Breaker(name, self._failures, self._open_for)
        return self._all[name]

    def states(self, now: float) -> Mapping[str, State]:
        return {name: one.state(now) for name, one in self._all.items()}

    def reset(self, name: str) -> None:
        """:raises KeyError: there is none of this name"""
        self._all[name].reset()
