"""A loop that stands still: nobody can move then. A thread beside it sees that, and what it was that took so long.

What runs is read from the loop's own stack while it stands still, so the loop pays nothing for it but one assignment
for each beat of its timer.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from twisted.application.service import Service
from twisted.logger import Logger

__all__ = ["BEAT", "HANGS", "STALL", "Stall", "place_of"]

_log = Logger()

#: Seconds between two beats of the loop, and between two looks of the thread.
BEAT = 0.25
_LOOK = 0.1
#: Seconds without a beat, beyond the time of one, that are a stall; and after which it is told while it still lasts.
STALL = 0.5
HANGS = 10.0
_OURS = str(Path(__file__).parents[1])


class Stall(Service):
    """Watches the thread that starts it.

    :param seconds: the clock, monotonic; the thread asks it too
    :param name_of: what a stack is doing; for the log
    :param cpu: the seconds that the loop's own thread has computed
    :ivar count: stalls since the start; ``total``: their seconds
    :ivar last: (the second at which it ended, the seconds it took, in what) of the last one in which the loop computed
        for most of the time: in others it waited, for a disk or for the machine
    """

    def __init__(
        self,
        seconds: Callable[[], float],
        name_of: Callable[[FrameType], str],
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        self._seconds = seconds
        self._name_of = name_of
        self._cpu = cpu
        self._computed = 0.0
        self._beat = 0.0
        self._caught = ""
        self._told = False
        self._stopped = threading.Event()
        self._watched = 0
        self._thread: threading.Thread | None = None
        self.count = 0
        self.total = 0.0
        self.last: tuple[float, float, str] | None = None

    def startService(self) -> None:
        super().startService()
        self._watched = threading.get_ident()
        self._beat = self._seconds()
        self._computed = self._cpu()
        self._stopped.clear()
        self._thread = threading.Thread(target=self._watch, name="stall", daemon=True)
        self._thread.start()

    def stopService(self) -> None:
        super().stopService()
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def beat(self, late: float) -> None:
        """The loop turns.

        :param late: seconds by which its timer was late
        """
        what, self._caught, self._told = self._caught or "something that is over", "", False
        now, cpu = self._seconds(), self._cpu()
        if late > STALL:
            self.count += 1
            self.total += late
            computed = cpu - self._computed
            if computed > late / 2:
                self.last = now, late, what
            _log.error(
                "ALERT the server stood still for {seconds:.1f} s in {what}; it computed for {computed:.1f} s of them",
                seconds=late,
                what=what,
                computed=computed,
            )
        self._beat, self._computed = now, cpu

    def look(self) -> None:
        """What the thread does: see whether the loop stands still, and in what."""
        still = self._seconds() - self._beat - BEAT
        if still <= STALL:
            return
        if not self._caught:
            frame = sys._current_frames().get(self._watched)
            self._caught = self._name_of(frame) if frame is not None else ""
        elif still > HANGS and not self._told:
            self._told = True
            _log.error("ALERT the server stands still, for {seconds:.0f} s by now, in {what}",
                       seconds=still, what=self._caught)  # fmt: skip

    def _watch(self) -> None:
        while not self._stopped.wait(_LOOK):
            self.look()


def place_of(frame: FrameType | None) -> str:
    """The innermost line of ours on a stack: ``mythos/world/step.py:40 (tick)``."""
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(_OURS) and path != __file__:
            return f"mythos{path[len(_OURS) :]}:{frame.f_lineno} ({frame.f_code.co_name})"
        frame = frame.f_back
    return "the reactor"
