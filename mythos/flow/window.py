"""So many within any second: stricter than a bucket, which lets its burst and its rate fall into one second."""

from __future__ import annotations

from collections import deque

__all__ = ["Window"]


class Window:
    """:param most: spends within any ``span`` seconds"""

    __slots__ = ("_spent", "most", "span")

    def __init__(self, most: int, span: float = 1.0) -> None:
        self.most = most
        self.span = span
        self._spent: deque[float] = deque(maxlen=most)

    def take(self, now: float) -> float:
        """Spend one. Return 0.0, or the seconds to wait (and spend nothing)."""
        spent = self._spent
        if len(spent) == self.most and (wait := spent[0] + self.span - now) > 0.0:
            return wait
        spent.append(now)
        return 0.0

    def use(self, now: float, count: int) -> None:
        """Spend as many as that, whether there are any left or not."""
        self._spent.extend([now] * count)
