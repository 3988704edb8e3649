"""What the operating system says of this process: its memory and its time on the processor."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["Cpu", "memory_limit", "resident"]

_PAGE = os.sysconf("SC_PAGE_SIZE")
#: Of the machine's memory, where nothing limits the process.
_SHARE = 0.75
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def resident() -> int:
    """Bytes of memory it has now; where that is not told, the most it ever had."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def memory_limit() -> int:
    """Bytes it may have: what its container allows, or 75 % of the machine's."""
    machine = os.sysconf("SC_PHYS_PAGES") * _PAGE
    for path in _LIMITS:
        try:
            allowed = int(path.read_text("ascii"))
        except (OSError, ValueError):  # not there, or "max"
            continue
        if allowed < machine:
            return allowed
    return int(machine * _SHARE)


class Cpu:
    """How much of one processor it used between the last two samples.

    :ivar percent: of one processor
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._at = seconds()
        self._used = time.process_time()
        self.percent = 0.0

    def sample(self) -> None:
        now, used = self._seconds(), time.process_time()
        if now > self._at:
            self.percent = 100.0 * (used - self._used) / (now - self._at)
        self._at, self._used = now, used
