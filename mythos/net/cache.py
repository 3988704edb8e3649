"""The cache: what is kept in memory, and of some of it what servers keep for each other.

Only what can be made again is in it. What a server finds in the part they share is not trusted: it may be of another
version, or of anybody who can write there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from mythos.errors import Refusal
from mythos.flow.kept import Kept, Space

__all__ = ["Cache", "Shelf"]

#: Reads before the hit rate says anything, and below what it is too low.
READS, LOW = 1_000, 0.5
#: Parts of its room that are much, and too much.
MUCH, FULL = 0.7, 0.9


class Shelf(Protocol):
    """Where servers keep things for each other. What is not there, or cannot be asked, is None."""

    async def find(self, space: str, key: str) -> tuple[bytes, float] | None:
        """The value, and the seconds for which it is good."""

    def put(self, space: str, key: str, value: bytes, seconds: float) -> None:
        """Some time soon; returns at once."""

    def drop(self, space: str, key: str = "") -> None:
        """One, or all of a namespace; returns at once."""


class Cache:
    """See the module.

    :param seconds: the clock, monotonic
    :param ttl: seconds for which something is kept, if nothing else is said
    :ivar shelf: None: there is none
    """

    def __init__(self, kept: Kept, seconds: Callable[[], float], ttl: float) -> None:
        self.kept = kept
        self.ttl = ttl
        self.shelf: Shelf | None = None
        self._seconds = seconds
        self._room = kept.room

    # ── in memory alone ─────────────────────────────────────────────────────────────────────────

    def made(self, space: str, key: str, make: Callable[[], bytes | None]) -> bytes | None:
        """What takes no longer to make than to ask others for.

        :param make: None: there is no such thing, which is neither kept nor counted
        """
        now = self._seconds()
        counts = self.kept.space(space)
        value = self.kept.find(space, key, now)
        if value is not None:
            counts.hits += 1
        elif (value := make()) is not None:
            counts.misses += 1
            self.kept.put(space, key, value, now, self.ttl)
        return value

    # ── in both parts ───────────────────────────────────────────────────────────────────────────

    def here(self, space: str, key: str) -> bytes | None:
        """In memory; a miss is counted only if nowhere else is to be looked."""
        value = self.kept.find(space, key, self._seconds())
        counts = self.kept.space(space)
        if value is not None:
            counts.hits += 1
        elif self.shelf is None:
            counts.misses += 1
        return value

    async def find(self, space: str, key: str) -> bytes | None:
        """In memory, else in the part that servers share. Counted."""
        now = self._seconds()
        value = self.kept.find(space, key, now)
        counts = self.kept.space(space)
        if value is None and self.shelf is not None:
            found = await self.shelf.find(space, key)
            if found is not None:
                value, left = found
                counts.shared += 1
                self.kept.put(space, key, value, self._seconds(), left)
        if value is None:
            counts.misses += 1
        else:
            counts.hits += 1
        return value

    def put(self, space: str, key: str, value: bytes, seconds: float) -> None:
        seconds = min(seconds, self.ttl)
        self.kept.put(space, key, value, self._seconds(), seconds)
        if self.shelf is not None:
            self.shelf.put(space, key, value, seconds)

    def drop(self, space: str, key: str = "") -> int:
        """It is not true any more: one entry, or all of a namespace. Returns how many were in memory."""
        if self.shelf is not None:
            self.shelf.drop(space, key)
        return self.kept.drop(space, key)

    # ── care ────────────────────────────────────────────────────────────────────────────────────

    def sweep(self) -> None:
        """Forget what is too old."""
        self.kept.sweep(self._seconds())

    def shed(self, short: bool) -> None:
        """Memory is short: keep nothing in it. Or it is not any more."""
        self.kept.resize(0 if short else self._room)

    def clear(self, space: str) -> int:
        """What an operator orders. :raises Refusal: there is no such namespace"""
        if space not in self.kept.spaces:
            known = ", ".join(sorted(self.kept.spaces)) or "none yet"
            raise Refusal(f"There is no namespace {space!r} in the cache. There is: {known}.")
        return self.drop(space)

    def shown(self) -> dict[str, Any]:
        """For operators."""
        total = self.kept.total()
        return {
            "namespaces": {name: _shown(one) for name, one in sorted(self.kept.spaces.items())},
            "total": _shown(total),
            "room": self.kept.room,
            "shared": self.shelf is not None,
        }

    def low(self) -> str:
        """For health: what is not as it should be."""
        total, used, room = self.kept.total(), self.kept.size, self.kept.room
        if not room:
            return ""
        if used > MUCH * room:
            word = "Critical: " if used > FULL * room else ""
            return f"{word}{100 * used / room:.0f} % of its room is in use: raise cache.max_memory."
        if total.hits + total.misses >= READS and total.rate < LOW:
            return f"Of all that is looked for {100 * total.rate:.0f} % is there: see mythosctl cache show."
        return ""


def _shown(one: Space) -> Mapping[str, Any]:
    return {
        "entries": one.entries,
        "bytes": one.bytes,
        "hits": one.hits,
        "shared": one.shared,
        "misses": one.misses,
        "hit_rate": round(one.rate, 4),
        "evictions": one.evicted,
        "expired": one.expired,
        "dropped": one.dropped,
    }
