"""The jobs service: runs work that is no turn, in lanes, with time-outs, tries and dead letters.

A *kind* of job is declared once, with the coroutine function that does it; a job is then asked for by its kind and a
payload. It is tried again after 1, 2, 5, 10 and 30 seconds; after that it is a dead letter, a row in the store that an
operator looks at, runs once more or deletes. A kind that is *lasting* has a row from the beginning: it is run at least
once, under the same id, whatever happens to the server between. Commands of players never come this way.
"""

from __future__ import annotations

import json
import os
import secrets
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from twisted.internet.defer import CancelledError, Deferred, TimeoutError, fail
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from mythos.errors import MythosError, Refusal
from mythos.flow.backoff import pause
from mythos.flow.jobs import JobRow, JobStore, Priority, Scheduler
from mythos.play.ports import BadBatch, Busy, Clock, StoreDown
from mythos.telemetry.histogram import Histogram
from mythos.telemetry.logs import redact
from mythos.telemetry.metrics import JobsNumbers

__all__ = ["GiveUp", "Job", "Jobs", "Lanes"]

_log = Logger()
T = TypeVar("T")

#: Dead letters that are kept; the oldest go.
DEAD: Final = 1_000
#: Rows that the store could not take yet, beyond which they are let go.
_OWED: Final = 1_000
#: Letters of an error that are kept.
_ERROR: Final = 300
#: Seconds that a stop waits for jobs that run, and for lasting ones that wait.
_STOPPING: Final = 2.0
#: Share of its bound from which on a queue is nearly full.
_NEARLY: Final = 0.8
#: Threads for work that blocks.
_THREADS: Final = min(8, (os.cpu_count() or 1) + 4)
#: Bytes of chance in an id, behind the milliseconds that it begins with.
_CHANCE: Final = 8


class GiveUp(MythosError):
    """It would fail again however often it is tried; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Job:
    """What the work of a job is told.

    :ivar id: the same at each try
    :ivar tries: that failed before
    """

    id: str
    payload: Mapping[str, Any]
    tries: int


#: Does a job. What it returns is what who submitted it gets; what it raises is a try that failed.
Work = Callable[[Job], Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    work: Work
    priority: Priority
    lasting: bool
    timeout: float


@dataclass(slots=True, eq=False)
class _Asked:
    """:ivar lasting: it has a row while it waits and runs"""

    kind: _Kind
    row: JobRow
    payload: Mapping[str, Any]
    lasting: bool
    answer: Deferred[Any] = field(default_factory=Deferred)


@dataclass(frozen=True, slots=True)
class Lanes:
    """How many jobs there may be, and how many at once. See :class:`~mythos.flow.jobs.Scheduler`.

    :ivar timeout: seconds that a try may take, for kinds that say nothing else
    """

    bound: int = 1_000
    least: int = 2
    most: int = 5
    threshold: float = 0.8
    timeout: float = 30.0


class Jobs:
    """See the module. It runs nothing before :meth:`start`.

    :param chance: from 0 up to 1, for the pauses between tries
    """

    def __init__(
        self, store: JobStore, reactor: Any, clock: Clock, chance: Callable[[], float], lanes: Lanes = Lanes()
    ) -> None:
        self._store = store
        self._reactor = reactor
        self._clock = clock
        self._chance = chance
        self._timeout = lanes.timeout
        self._scheduler: Scheduler[_Asked] = Scheduler(
            clock.seconds(), bound=lanes.bound, least=lanes.least, most=lanes.most, threshold=lanes.threshold
        )
        self._bound = lanes.bound
        self._kinds: dict[str, _Kind] = {}
        self._newest = 0
        self._live: dict[str, _Asked] = {}  # those that have a place, by their ids
        self._running: dict[_Asked, tuple[float, Deferred[Any]]] = {}
        self._next: IDelayedCall | None = None
        self._started = self._stopped = False
        self._idle: Deferred[None] | None = None
        self._pool: ThreadPool | None = None
        self._owed: dict[str, JobRow | None] = {}  # rows that the store has yet to take, or to drop
        self._seconds: dict[tuple[str, ...], Histogram] = {}
        self._done: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._retried: Counter[str] = Counter()
        self._dead: Counter[str] = Counter()

    # ── asking for work ─────────────────────────────────────────────────────────────────────────

    def kind(
        self,
        name: str,
        work: Work,
        *,
        priority: Priority = Priority.NORMAL,
        lasting: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Declare a kind, before :meth:`start`.

        :param timeout: seconds that a try may take; then it is cancelled
        """
        seconds = self._timeout if timeout is None else timeout
        self._kinds[name] = _Kind(name, work, priority, lasting, seconds)
        for counter in (self._done, self._failed, self._retried, self._dead):
            counter[name] = 0

    def submit(self, kind: str, payload: Mapping[str, Any], priority: Priority | None = None) -> Deferred[Any]:
        """Ask for a job. Fires with what its work returns; fails with what the last try failed with.

        :param payload: goes into JSON, for it is kept if the job is
        :param priority: if it is another one than its kind's

        Fails with `Busy` if too many of that priority are there already.
        """
        made = self._kinds[kind]
        wall = self._clock.wall()
        row = JobRow(self._name(wall), kind, made.priority if priority is None else priority, json.dumps(payload), wall)
        if self._stopped and not made.lasting:
            return fail(Busy("The server stops."))
        asked = self._admit(_Asked(made, row, payload, made.lasting))
        if asked is None:
            _log.warn("there is no place for a job: {kind}", kind=kind)
            return fail(Busy("Too much work waits just now. Try again in a while."))
        self._watch(self._enter(asked))
        return asked.answer

    def _name(self, wall: float) -> str:
        """An id, behind all before it."""
        self._newest = max(self._newest + 1, int(wall * 1000))
        return f"{self._newest:012x}{secrets.token_hex(_CHANCE)}"

    def _admit(self, asked: _Asked) -> _Asked | None:
        """Give it a place. None: there is none."""
        if not self._scheduler.reserve(asked.row.priority):
            return None
        self._live[asked.row.id] = asked
        return asked

    async def _enter(self, asked: _Asked) -> None:
        """Into its place, once it is on disk if it is to be; with a store that is away it waits for that in memory."""
        if asked.lasting:
            await self._write(asked.row.id, asked.row)
        self._put(asked)

    def _put(self, asked: _Asked) -> None:
        self._scheduler.put(asked, asked.row.priority)
        self._wake()

    async def in_thread(self, work: Callable[..., T], *words: Any) -> T:
        """For work of a job that blocks: do it in a thread. If the job's time is up it goes on to its end all the same,
        and nobody hears of it."""
        if self._pool is None:
            self._pool = ThreadPool(0, _THREADS, "jobs")
            self._pool.start()
        return await deferToThreadPool(self._reactor, self._pool, work, *words)

    # ── running ─────────────────────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        """Take up what the server before did not get to."""
        self._started = True
        for row in await self._store.jobs(dead=False, most=self._bound):
            if row.id in self._live:
                continue  # it was asked for since
            kind = self._kinds.get(row.kind)
            if kind is None:
                await self._write(row.id, replace(row, error="This server does no such work.", died=self._clock.wall()))
            elif asked := self._admit(_again(kind, row)):  # else it comes at the next start
                self._put(asked)
        self._wake()

    def _wake(self, delay: float = 0.0) -> None:
        """Give work to lanes, not within what runs now: turns of players come between."""
        if not self._started:
            return
        at = self._reactor.seconds() + delay
        if self._next is not None and self._next.active():
            if self._next.getTime() <= at:
                return
            self._next.cancel()
        self._next = self._reactor.callLater(delay, self._run)

    def _run(self) -> None:
        self._next = None
        scheduler, now = self._scheduler, self._clock.seconds()
        for _ in range(scheduler.lanes):
            taken = scheduler.take(now)
            if taken is None:
                break
            self._begin(taken[0], now)
        if scheduler.busy < scheduler.lanes:  # else the end of one goes on
            if any(scheduler.queued.values()):
                self._wake()
            elif scheduler.due is not None:
                self._wake(max(0.0, scheduler.due - now))

    def _begin(self, asked: _Asked, now: float) -> None:
        job = Job(asked.row.id, asked.payload, asked.row.tries)
        running = Deferred.fromCoroutine(asked.kind.work(job))
        self._running[asked] = now, running
        running.addTimeout(asked.kind.timeout, self._reactor)
        running.addBoth(self._ended, asked)

    def _ended(self, result: Any, asked: _Asked) -> None:
        now = self._clock.seconds()
        began, _ = self._running.pop(asked)
        self._seconds.setdefault((asked.kind.name,), Histogram()).observe(now - began)
        if not isinstance(result, Failure):
            self._leave(asked, now)
            self._done[asked.kind.name] += 1
            if asked.lasting:
                self._watch(self._write(asked.row.id, None))
            asked.answer.callback(result)
        elif self._stopped and result.check(CancelledError):  # its row is for the next server
            self._leave(asked, now)
            asked.answer.errback(result)
        else:
            self._failed[asked.kind.name] += 1
            self._try_again(result, asked, now)
        self._wake()
        self._tell()

    def _leave(self, asked: _Asked, now: float) -> None:
        self._scheduler.done(now, asked.row.priority)
        del self._live[asked.row.id]

    def _try_again(self, failure: Failure, asked: _Asked, now: float) -> None:
        if not failure.check(MythosError, TimeoutError, CancelledError):
            _log.failure("a job broke: {kind}", failure, kind=asked.kind.name)
        asked.row = replace(asked.row, tries=asked.row.tries + 1, error=_sentence(failure, asked.kind.timeout))
        wait = None if failure.check(GiveUp) else pause(asked.row.tries, self._chance())
        if wait is None:
            self._leave(asked, now)
            self._give_up(failure, asked)
            return
        self._retried[asked.kind.name] += 1
        self._scheduler.again(now, asked, asked.row.priority, now + wait)
        if asked.lasting:
            self._watch(self._write(asked.row.id, asked.row))

    def _give_up(self, failure: Failure, asked: _Asked) -> None:
        self._dead[asked.kind.name] += 1
        row = replace(asked.row, died=self._clock.wall())
        _log.error(
            "the job {id} ({kind}) is given up after {tries} tries: {error}",
            id=row.id,
            kind=row.kind,
            tries=row.tries,
            error=row.error,
        )
        self._watch(self._bury(row))
        asked.answer.errback(failure)

    async def _bury(self, row: JobRow) -> None:
        await self._write(row.id, row)
        with suppress(StoreDown):  # then the next one does it
            if gone := await self._store.trim_dead_jobs(DEAD):
                _log.warn("{gone} dead letters are let go: only the last {most} are kept", gone=gone, most=DEAD)

    # ── rows ────────────────────────────────────────────────────────────────────────────────────

    async def _write(self, id: str, row: JobRow | None) -> None:
        """Have the store keep a row, or drop it; it is owed if the store does not answer."""
        self._owed[id] = row
        try:
            await (self._store.drop_jobs([id]) if row is None else self._store.put_job(row))
        except StoreDown as error:
            _log.warn("the job {id} is written when the store answers: {error}", id=id, error=error)
            if len(self._owed) > _OWED:
                _log.error("the job {id} is not written: too many others wait for the store", id=id)
                self._owed.pop(id, None)
        except BadBatch as error:
            _log.error("the job {id} cannot be written: {error}", id=id, error=error)
            self._owed.pop(id, None)
        else:
            if id in self._owed and self._owed[id] is row:
                del self._owed[id]

    def look(self) -> None:
        """Fit the number of lanes to the work, and write what is owed. To be called every `LOOK` seconds."""
        self._scheduler.look(self._clock.seconds())
        self._watch(self._write_owed(list(self._owed.items())))
        self._wake()

    async def _write_owed(self, owed: Iterable[tuple[str, JobRow | None]]) -> None:
        for id, row in owed:
            if id in self._owed and self._owed[id] is row:
                await self._write(id, row)

    def _watch(self, work: Coroutine[Any, Any, Any]) -> None:
        Deferred.fromCoroutine(work).addErrback(lambda failure: _log.failure("a job could not be kept", failure))

    # ── dead letters ────────────────────────────────────────────────────────────────────────────

    async def letters(self, most: int) -> Sequence[JobRow]:
        """The newest dead letters, oldest first."""
        return await self._store.jobs(dead=True, most=most)

    async def letter(self, id: str) -> JobRow:
        """:raises Refusal: there is none"""
        row = await self._store.job(id)
        if row is None or row.died is None:
            raise Refusal(f"There is no dead letter {id!r}. To see them: mythosctl jobs list")
        return row

    async def replay(self, id: str) -> None:
        """Run a dead letter as if it had just been asked for, under its id. :raises Refusal: there is none, or no
        place"""
        row = await self.letter(id)
        kind = self._kinds.get(row.kind)
        if kind is None:
            raise Refusal(f"This server does no such work as {row.kind}: delete it with mythosctl jobs delete {id}")
        asked = None if id in self._live else self._admit(_again(kind, replace(row, tries=0, error="", died=None)))
        if asked is None:
            raise Refusal("It runs already, or too much work waits. Try again in a while.")
        await self._enter(asked)

    async def delete(self, id: str) -> None:
        """:raises Refusal: there is none"""
        await self.letter(id)
        await self._store.drop_jobs([id])

    # ── how it is ───────────────────────────────────────────────────────────────────────────────

    def numbers(self) -> JobsNumbers:
        scheduler = self._scheduler
        by_state = {"queued": scheduler.queued, "running": scheduler.running, "delayed": scheduler.delayed}
        states = {
            (state, priority.name.lower()): count
            for state, found in by_state.items()
            for priority, count in found.items()
        }
        return JobsNumbers(
            states,
            scheduler.lanes,
            scheduler.utilisation,
            self._done,
            self._failed,
            self._retried,
            self._dead,
            self._seconds,
        )

    def trouble(self) -> str:
        """For health: what is not as it should be."""
        if self._scheduler.fullest >= _NEARLY:
            return f"{100.0 * self._scheduler.fullest:.0f} % of the places of one priority are taken."
        now = self._clock.seconds()
        for asked, (began, _) in self._running.items():
            if now - began > 2.0 * asked.kind.timeout:
                return f"A job ({asked.kind.name}) has not ended {now - began:.0f} s after it began."
        if self._owed:
            return f"The store has yet to take {len(self._owed)} rows of jobs."
        return ""

    def detail(self) -> Mapping[str, Any]:
        """For health: numbers."""
        scheduler = self._scheduler
        return {
            "queued": sum(scheduler.queued.values()),
            "running": scheduler.busy,
            "delayed": sum(scheduler.delayed.values()),
            "lanes": scheduler.lanes,
            "utilisation": round(scheduler.utilisation, 2),
            "given_up": sum(self._dead.values()),
        }

    # ── the end ─────────────────────────────────────────────────────────────────────────────────

    async def stop(self) -> None:
        """Let what is under way come to its end, for a moment. What is lasting is taken up by the next server."""
        self._stopped = True
        self._idle = Deferred()
        self._idle.addTimeout(_STOPPING, self._reactor, onTimeoutCancel=lambda result, _: None)
        self._tell()
        await self._idle
        self._started = False
        if self._next is not None and self._next.active():
            self._next.cancel()
        for _, running in list(self._running.values()):
            running.cancel()
        if self._pool is not None:
            self._pool.stop()

    def _tell(self) -> None:
        """The one who waits for it, that nothing is under way."""
        if (
            self._idle is not None
            and len(self._live) == sum(self._scheduler.delayed.values())
            and not self._idle.called
        ):
            self._idle.callback(None)


def _again(kind: _Kind, row: JobRow) -> _Asked:
    """A job that has a row, and whose answer nobody waits for."""
    asked = _Asked(kind, row, json.loads(row.payload), True)
    asked.answer.addErrback(lambda _: None)
    return asked


def _sentence(failure: Failure, timeout: float) -> str:
    if failure.check(TimeoutError, CancelledError):
        return f"It was not done within {timeout:.3g} seconds."
    error = failure.value
    said = str(error) if isinstance(error, MythosError) else f"{type(error).__name__}: {error}"
    return redact(said)[:_ERROR]
