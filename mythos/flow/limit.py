"""How much of a thing somebody may do: counted here, and over all servers where they share a Redis.

A limit asks its own bucket first: what is too much here is too much everywhere, and costs no question. While the others
cannot be asked, each spend counts several times here, so that all servers together let no more through than one would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mythos.flow.bucket import Buckets

__all__ = ["Limit", "Shared", "Spend", "Taken"]


@dataclass(frozen=True, slots=True)
class Spend:
    """One of what ``name`` may do ``rate`` times a second, and ``burst`` times at once."""

    name: str
    rate: float
    burst: float


@dataclass(frozen=True, slots=True)
class Taken:
    """:ivar wait: seconds to wait; 0.0: it is spent
    :ivar left: how many more there may be at once
    """

    wait: float
    left: float


class Shared(Protocol):
    """What all servers count together.

    :ivar up: it can be asked
    :ivar servers: that count there, or did when it could be asked last; 2 at least, for who can tell
    """

    @property
    def up(self) -> bool: ...

    @property
    def servers(self) -> int: ...

    async def take(self, spends: Sequence[Spend]) -> Taken | None:
        """Spend all of them, or none. ``left`` is of the first. None: it cannot be asked."""

    def charge(self, spend: Spend, count: int) -> float:
        """Spend so many that were let through already, some time soon. Returns at once: the seconds for which, as was
        said to charges of before, there is nothing left."""

    async def marked(self, name: str) -> bool:
        """Whether it is remembered; no, if it cannot be asked."""

    def mark(self, name: str, seconds: float) -> None:
        """Remember it for so long, if it can be asked. Returns at once."""

    def forget(self, name: str) -> None:
        """What was spent under a name. Returns at once."""


class Limit:
    """A limit for each of many names.

    :param kind: what is limited: a word
    :param most: names that are remembered here
    :ivar shared: None: only here
    :ivar refused: how often it was too much
    :ivar alone: how often the others could not be asked
    """

    def __init__(self, kind: str, rate: float, burst: float, most: int) -> None:
        self.kind = kind
        self._rate, self._burst = rate, burst
        self._here = Buckets(rate, burst, most)
        self.shared: Shared | None = None
        self.refused = 0
        self.alone = 0

    def change(self, rate: float, burst: float) -> None:
        """From now on; what was spent here does not count."""
        self._rate, self._burst = rate, burst
        self._here.change(rate, burst)

    async def take(self, who: str, now: float) -> Taken:
        """Spend one of somebody's, or none if there is to wait."""
        taken = await self._take(who, now)
        self.refused += taken.wait > 0.0
        return taken

    async def _take(self, who: str, now: float) -> Taken:
        shared = self.shared
        if shared is not None and not shared.up:
            return self._alone(who, now, shared.servers)
        wait = self._here.take(who, now)
        if wait or shared is None:
            return Taken(wait, self._here.left(who))
        found = await shared.take((Spend(f"{self.kind}:{who}", self._rate, self._burst),))
        return found if found is not None else self._alone(who, now, shared.servers, spent=1)

    def _alone(self, who: str, now: float, times: int, spent: int = 0) -> Taken:
        """:param times: how often it counts; ``spent`` of them are already"""
        self.alone += 1
        wait = self._here.take(who, now, float(times - spent))
        return Taken(wait, max(0.0, self._here.left(who) // times))
