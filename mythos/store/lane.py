"""The lane: drives the commit queue over a store, one batch at a time, in order."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mythos.play.commits import Batch, Commits
from mythos.play.ports import BadBatch, Store, StoreDown

__all__ = ["Lane"]

_log = Logger()

#: Seconds between tries of a batch that failed for a passing reason: doubled from the first up to the second.
RETRY = (0.05, 1.0)


class Lane:
    """Takes what the queue has gathered, writes it, says so; again and again until it goes through.

    :ivar held: nothing is written, for the store is another process's still
    :ivar down: called with True when a batch has to wait for the store, with False when the store answered it
    :ivar broken: called with a batch that can never be written, after the queue has given it up; any failure of the
        store but :class:`StoreDown` counts as that, for a lane that stood still would hold back all words for ever
    :ivar seconds: how long each commit took, for metrics
    """

    def __init__(self, commits: Commits, store: Store, clock: IReactorTime) -> None:
        self._commits = commits
        self._store = store
        self._clock = clock
        self._busy = False
        self._idle: list[Deferred[None]] = []
        self.held = False
        self.down: Callable[[bool], None] = lambda down: None
        self.broken: Callable[[Batch, BadBatch], None] = lambda batch, error: None
        self.seconds: Callable[[float], None] = lambda seconds: None
        commits.wake = self.wake

    def wake(self) -> None:
        if not self._busy and not self.held:
            self._busy = True
            Deferred.fromCoroutine(self._drive()).addErrback(lambda failure: _log.failure("lane stopped", failure))

    def release(self) -> None:
        """It is held no more."""
        self.held = False
        if self._commits.pending:
            self.wake()

    def settled(self) -> Deferred[None]:
        """Fires when nothing is gathered or on its way."""
        done: Deferred[None] = Deferred()
        if not self._busy and not self._commits.pending:
            done.callback(None)
        else:
            self._idle.append(done)
        return done

    async def _drive(self) -> None:
        while (batch := self._commits.take()) is not None:
            try:
                await self._write(batch)
            except BadBatch as error:
                await self._give_up(batch, error)
            except Exception as error:
                _log.failure("the store broke on batch {number}", number=batch.number)
                await self._give_up(batch, BadBatch(f"batch {batch.number}: {error!r}"))
            else:
                try:
                    self._commits.written()
                except Exception:
                    _log.failure("batch {number} is written, but not all of it was told", number=batch.number)
        self._busy = False
        idle, self._idle = self._idle, []
        for done in idle:
            done.callback(None)

    async def _give_up(self, batch: Batch, error: BadBatch) -> None:
        # Not in the turn that closed the batch: its own words are not submitted yet, and must be discarded too.
        await deferLater(self._clock, 0)
        self._commits.failed()
        self.broken(batch, error)

    async def _write(self, batch: Batch) -> None:
        """:raises BadBatch:"""
        rows = self._store.encode(batch)
        wait, failed = RETRY[0], False
        try:
            while True:
                started = self._clock.seconds()
                try:
                    await self._store.write(rows)
                except StoreDown as error:
                    if not failed:
                        failed = True
                        _log.error(
                            "the store does not take batch {number}: {error}; trying again",
                            number=batch.number,
                            error=error,
                        )
                        self.down(True)
                    await deferLater(self._clock, wait)
                    wait = min(wait * 2, RETRY[1])
                else:
                    self.seconds(self._clock.seconds() - started)
                    return
        finally:
            if failed:
                _log.info("the store answers again, to batch {number}", number=batch.number)
                self.down(False)
