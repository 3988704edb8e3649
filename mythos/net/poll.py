"""The reactor's poll, for a server of many small lines.

Twisted's epoll reactor puts a logging context around each read and looks through its timers around each poll, and what
is to be done behind the reads of a turn takes a delayed call, its heap and its cancellation: together that costs as
much as a small command. :class:`Poll` gives the reactor another way through its own parts: a plain read is called
directly, polls follow each other as long as no timer is due, and :meth:`Poll.behind` is a list. Everything else
(writes, hang-ups, errors, calls of threads) goes Twisted's way. A reactor without these parts stays as it is, and
``tests/net/test_poll.py`` fails.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Any, Final

from twisted.logger import Logger
from twisted.python import log

__all__ = ["Poll"]

_log = Logger()

#: What of the reactor is used that is not public.
_PARTS: Final = (
    *("_poller", "_selectables", "_doReadOrWrite", "_disconnectSelectable", "_justStopped"),
    *("_newTimedCalls", "_pendingTimedCalls", "threadCallQueue"),
)
#: Seconds that are nothing special to the operating system.
_LONGEST: Final = 1e6


class Poll:
    """What is done between two polls of a reactor.

    :ivar fast: it is Twisted's epoll reactor; of any other, ``behind`` is a delayed call
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._behind: list[Callable[[], object]] = []
        self.fast = all(hasattr(reactor, part) for part in _PARTS)
        if self.fast:
            reactor.doIteration = self._iterate

    @classmethod
    def of(cls, reactor: Any) -> Poll:
        """The one of this reactor."""
        found = getattr(getattr(reactor, "doIteration", None), "__self__", None)
        return found if isinstance(found, Poll) else cls(reactor)

    def behind(self, work: Callable[[], object]) -> None:
        """Call ``work`` once, when all that is ready has been read, and before the next poll waits."""
        if self.fast:
            self._behind.append(work)
        else:
            self._reactor.callLater(0, work)

    def _iterate(self, timeout: float | None) -> None:
        """One poll, and more of them until the reactor has something else to do.

        :param timeout: seconds; None: until something happens
        """
        reactor = self._reactor
        selectables, poll = reactor._selectables, reactor._poller.poll
        if self._behind:
            timeout = 0
        while True:
            for fd, event in poll(timeout, len(selectables) or 1):
                selectable = selectables.get(fd)
                if selectable is None:
                    continue  # it went while others were read
                if event == select.EPOLLIN:
                    try:
                        why = selectable.doRead()
                    except Exception as error:
                        _log.failure("a read broke")
                        why = error
                    if why:
                        log.callWithLogger(selectable, reactor._disconnectSelectable, selectable, why, True)
                else:
                    log.callWithLogger(selectable, reactor._doReadOrWrite, selectable, fd, event)
            behind, self._behind = self._behind, []
            for work in behind:
                try:
                    work()
                except Exception:
                    _log.failure("work behind the reads of a turn broke")
            if not timeout or reactor._newTimedCalls or reactor.threadCallQueue:
                return
            if reactor._justStopped or not reactor.running:
                return
            timed = reactor._pendingTimedCalls
            timeout = timed[0].time - reactor.seconds() if timed else None
            if self._behind or timeout is None or not 0.0 < timeout < _LONGEST:
                return
