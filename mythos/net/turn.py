"""Writes that belong together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from twisted.logger import Logger

__all__ = ["Turn"]

_log = Logger()
T = TypeVar("T")


class Turn:
    """All that one read of a connection brings about is written at its end, with one write for each connection.

    What has to be on disk before is, if whoever writes asks for it: see :meth:`ready`.
    """

    __slots__ = ("_first", "_going", "_woken")

    def __init__(self) -> None:
        self._going = False
        self._woken: list[Callable[[], None]] = []
        self._first: list[Callable[[], None]] = []

    def first(self, work: Callable[[], None]) -> None:
        """Do ``work`` before the next write; at once, if nothing goes on."""
        if self._going:
            self._first.append(work)
        else:
            work()

    def ready(self) -> None:
        """To be called before anything is written: what comes first is done."""
        if self._first:
            first, self._first = self._first, []
            for work in first:
                work()

    def wake(self, flush: Callable[[], None]) -> None:
        """Call ``flush`` at the end of the work that goes on; at once, if none does."""
        if self._going:
            self._woken.append(flush)
        else:
            flush()

    def during(self, work: Callable[[T], object], data: T) -> None:
        """Do work, and then write what it brought about, also if it failed."""
        if self._going:
            work(data)
            return
        self._going = True
        try:
            work(data)
        finally:
            self._going = False
            woken, self._woken = self._woken, []
            for flush in (self.ready, *woken):
                try:
                    flush()
                except Exception:  # a frame handler: it costs this connection only
                    _log.failure("a connection broke while it was written to")
