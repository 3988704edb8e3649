"""A token bucket that is told the time."""

from __future__ import annotations

from collections.abc import Hashable

__all__ = ["Bucket", "Buckets"]


class Bucket:
    """Holds up to ``burst``; fills by ``rate`` a second.

    A spend may overdraw while anything is left, so that a cost above ``burst`` is paid for by a longer wait
    instead of never being allowed.
    """

    __slots__ = ("_at", "_left", "burst", "rate")

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = burst
        self._left = burst
        self._at = 0.0

    def take(self, now: float, cost: float = 1.0) -> float:
        """Spend ``cost``. Return 0.0, or the seconds to wait (and spend nothing)."""
        burst = self.burst
        left = self._left + (now - self._at) * self.rate
        if left > burst:
            left = burst
        self._at = now
        need = cost if cost < burst else burst
        if left < need:
            self._left = left
            return (need - left) / self.rate
        self._left = left - cost
        return 0.0

    @property
    def left(self) -> float:
        """What was left at the last :meth:`take`."""
        return self._left

    def put_back(self, cost: float) -> None:
        """What was spent for something that has to wait after all."""
        self._left = min(self.burst, self._left + cost)


class Buckets:
    """A bucket for each of many names; of more than ``most`` the one made first is forgotten, and begins full again."""

    __slots__ = ("_buckets", "_burst", "_most", "_rate")

    def __init__(self, rate: float, burst: float, most: int) -> None:
        self._rate = rate
        self._burst = burst
        self._most = most
        self._buckets: dict[Hashable, Bucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, name: Hashable, now: float, cost: float = 1.0) -> float:
        """Spend of a name's. Return 0.0, or the seconds to wait (and spend nothing)."""
        bucket = self._buckets.get(name)
        if bucket is None:
            if len(self._buckets) >= self._most:
                del self._buckets[next(iter(self._buckets))]
            bucket = self._buckets[name] = Bucket(self._rate, self._burst)
        return bucket.take(now, cost)

    def change(self, rate: float, burst: float) -> None:
        """From now on; every bucket begins full again."""
        self._rate, self._burst = rate, burst
        self._buckets.clear()

    def left(self, name: Hashable) -> float:
        """Of a name that has taken: what was left then."""
        return self._buckets[name].left
