"""Where memory goes: the lines of code that hold most of it, told to the log."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from twisted.application.internet import TimerService
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

__all__ = ["EVERY", "LINES", "MemoryProfile"]

#: Seconds between two reports, and lines of code in each.
EVERY = 60.0
LINES = 10

_Held: TypeAlias = Sequence[tracemalloc.Statistic]
_log = Logger()


class MemoryProfile(TimerService):
    """Traces memory from now on, and reports every `EVERY` seconds while it runs.

    :param in_thread: calls a function beside the reactor: to count a large heap takes seconds
    """

    def __init__(self, clock: IReactorTime, in_thread: Callable[[Callable[[], _Held]], Deferred[_Held]]) -> None:
        super().__init__(EVERY, lambda: in_thread(_largest).addCallbacks(_tell, _failed))
        self.clock = clock
        tracemalloc.start()

    def stopService(self) -> Deferred[None]:
        """Fires when no report is being made any more; nothing is traced then."""
        stopped: Deferred[None] = super().stopService()
        return stopped.addCallback(lambda _: tracemalloc.stop())


def _largest() -> _Held:
    return tracemalloc.take_snapshot().statistics("lineno")[:LINES]


def _tell(held: _Held) -> None:
    now, most = tracemalloc.get_traced_memory()
    _log.info("{now} KB are held, at most it were {most} KB", now=now // 1024, most=most // 1024)
    for one in held:
        frame = one.traceback[0]
        place = "/".join(Path(frame.filename).parts[-3:])
        _log.info("{held} KB in {blocks} blocks by {place}:{line}",
                  held=one.size // 1024, blocks=one.count, place=place, line=frame.lineno)  # fmt: skip


def _failed(failure: Failure) -> None:
    _log.failure("memory cannot be counted", failure)
