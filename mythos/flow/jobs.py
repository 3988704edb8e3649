"""Which job runs next, and how many at once: a synchronous state machine that is told the time and runs nothing.

A *job* is work that is no turn and that nobody's command waits for in its turn. It has one of four priorities, from
which lanes choose by weight: with all four waiting, of fifteen jobs eight are critical and one is low, so that none
starves. A *lane* is room for one job that runs. There are as many as the work of the last seconds wants, between two
bounds. A job that is to be tried again waits outside the lanes, and keeps its place in the bound of its priority.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Generic, Protocol, TypeVar

__all__ = ["COOLDOWN", "LOOK", "WEIGHTS", "JobRow", "JobStore", "Priority", "Scheduler"]

T = TypeVar("T")


class Priority(IntEnum):
    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


WEIGHTS: Final[Mapping[Priority, int]] = {
    Priority.CRITICAL: 8,
    Priority.HIGH: 4,
    Priority.NORMAL: 2,
    Priority.LOW: 1,
}

#: Seconds between two looks at how busy the lanes are, and between two changes of their number.
LOOK, COOLDOWN = 10.0, 30.0
#: Lanes that come and go at once; jobs that wait, from which on more are wanted; and the share of lanes in use below
#: which fewer are.
_MORE, _FEWER = 5, 2
_DEEP: Final = 1000
_IDLE: Final = 0.2


class Scheduler(Generic[T]):
    """See the module. Times are monotonic seconds.

    :param bound: jobs of one priority: those that wait, run, or are to be tried again
    :param least: lanes at least; ``most``: at most
    :param threshold: share of lanes in use above which there are to be more
    :ivar lanes: how many there are; while their number falls, more may be in use
    :ivar running: by priority, those that are in a lane
    """

    def __init__(self, now: float, *, bound: int, least: int, most: int, threshold: float) -> None:
        self._bound = bound
        self._least = least
        self._most = max(least, most)
        self._threshold = threshold
        self._queues: dict[Priority, deque[T]] = {priority: deque() for priority in Priority}
        self._credit = dict.fromkeys(Priority, 0)
        self._places = dict.fromkeys(Priority, 0)
        self._later: list[tuple[float, int, Priority, T]] = []
        self._order = 0
        self._busy = 0.0  # seconds of lanes in use, since the last look
        self._counted = self._looked = now
        self._changed = now - COOLDOWN
        self.lanes = least
        self.running = dict.fromkeys(Priority, 0)
        self.utilisation = 0.0

    # ── jobs come ───────────────────────────────────────────────────────────────────────────────

    def reserve(self, priority: Priority) -> bool:
        """Take a place for a job; it is either :meth:`put` there or the place is given back by :meth:`forget`. False:
        there is none."""
        if self._places[priority] >= self._bound:
            return False
        self._places[priority] += 1
        return True

    def put(self, job: T, priority: Priority) -> None:
        """Into the place that was reserved for it."""
        self._queues[priority].append(job)

    def forget(self, priority: Priority) -> None:
        """The place is not needed after all."""
        self._places[priority] -= 1

    # ── jobs run ────────────────────────────────────────────────────────────────────────────────

    def take(self, now: float) -> tuple[T, Priority] | None:
        """The next job, into a lane. None: no lane is free, or no job waits. Whoever takes it says at its end
        :meth:`done` or :meth:`again`."""
        while self._later and self._later[0][0] <= now:
            _, _, priority, job = heapq.heappop(self._later)
            self._queues[priority].append(job)
        waiting = [priority for priority, queue in self._queues.items() if queue]
        if not waiting or self.busy >= self.lanes:
            return None
        for priority in waiting:
            self._credit[priority] += WEIGHTS[priority]
        chosen = max(waiting, key=lambda priority: (self._credit[priority], -priority))
        self._credit[chosen] -= sum(WEIGHTS[priority] for priority in waiting)
        job = self._queues[chosen].popleft()
        if not self._queues[chosen]:
            self._credit[chosen] = 0  # nobody waits for it: what it is owed, or owes, is not for those who come later
        self._count(now)
        self.running[chosen] += 1
        return job, chosen

    def done(self, now: float, priority: Priority) -> None:
        """It has left its lane for good."""
        self._leave(now, priority)
        self._places[priority] -= 1

    def again(self, now: float, job: T, priority: Priority, due: float) -> None:
        """It has left its lane, and is to run once more."""
        self._leave(now, priority)
        self._order += 1
        heapq.heappush(self._later, (due, self._order, priority, job))

    def _leave(self, now: float, priority: Priority) -> None:
        self._count(now)
        self.running[priority] -= 1

    # ── lanes ───────────────────────────────────────────────────────────────────────────────────

    def look(self, now: float) -> None:
        """Have more lanes, or fewer, for how busy they were since the last look."""
        self._count(now)
        span = now - self._looked
        self.utilisation = self._busy / (span * self.lanes) if span > 0.0 else 0.0
        self._busy, self._looked = 0.0, now
        if now - self._changed < COOLDOWN:
            return
        lanes = self.lanes
        if self.utilisation > self._threshold or sum(self.queued.values()) > _DEEP:
            lanes = min(self._most, lanes + _MORE)
        elif self.utilisation < _IDLE:
            lanes = max(self._least, lanes - _FEWER)
        if lanes != self.lanes:
            self.lanes, self._changed = lanes, now

    def _count(self, now: float) -> None:
        self._busy += self.busy * (now - self._counted)
        self._counted = now

    # ── how it is ───────────────────────────────────────────────────────────────────────────────

    @property
    def busy(self) -> int:
        return sum(self.running.values())

    @property
    def queued(self) -> dict[Priority, int]:
        """Those that wait for a lane."""
        return {priority: len(queue) for priority, queue in self._queues.items()}

    @property
    def delayed(self) -> dict[Priority, int]:
        """Those that wait to be tried again."""
        found = dict.fromkeys(Priority, 0)
        for _, _, priority, _ in self._later:
            found[priority] += 1
        return found

    @property
    def due(self) -> float | None:
        """The second at which the first of those may run."""
        return self._later[0][0] if self._later else None

    @property
    def fullest(self) -> float:
        """The share of its bound that the fullest priority has in use."""
        return max(self._places.values()) / self._bound


# ── what outlives the process ───────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as it is stored: one that has to outlive a restart, or a dead letter.

    :ivar id: of 28 letters, rising with time; the job keeps it through all tries
    :ivar payload: a JSON object
    :ivar made: unix second
    :ivar tries: that failed
    :ivar error: what the last one said
    :ivar died: unix second at which it was given up; None: it is to run
    """

    id: str
    kind: str
    priority: Priority
    payload: str = field(repr=False)
    made: float
    tries: int = 0
    error: str = ""
    died: float | None = None


class JobStore(Protocol):
    """Raises as a store does; every implementation passes one contract suite (``tests/store``)."""

    async def put_job(self, row: JobRow) -> None:
        """In the place of one of the same id."""

    async def drop_jobs(self, ids: Sequence[str]) -> None:
        """Those that are there."""

    async def job(self, id: str) -> JobRow | None: ...

    async def jobs(self, *, dead: bool, most: int) -> Sequence[JobRow]:
        """The oldest that are to run, or the newest dead letters; each in the order of their ids."""

    async def trim_dead_jobs(self, most: int) -> int:
        """Keep no more dead letters than this, the newest; how many went."""
