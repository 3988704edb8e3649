"""What grows until it hurts: memory and disks, with steps at which something is done about it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Disk", "Steps", "disk_of", "watermarks"]

#: Percent by which a value has to fall below a step before that step is left.
SLACK = 3.0


class Steps:
    """Which of several rising marks a value has passed. It leaves a step only when it is well below its mark.

    :param marks: in percent, rising
    :ivar step: how many of them are passed
    """

    def __init__(self, marks: Sequence[float]) -> None:
        self._marks = tuple(marks)
        self.step = 0

    def take(self, percent: float) -> bool:
        """Look at a value; True if the step is another one now."""
        before = self.step
        while self.step < len(self._marks) and percent >= self._marks[self.step]:
            self.step += 1
        while self.step and percent < self._marks[self.step - 1] - SLACK:
            self.step -= 1
        return self.step != before


def watermarks(first: float) -> tuple[float, float, float]:
    """The three marks of memory, in percent, from the first of them: 80, 90 and 95, as long as that is in order."""
    return first, max(90.0, first), max(95.0, first)


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system of a directory, in bytes. ``free``: what others than root may still write."""

    size: int
    free: int

    @property
    def free_percent(self) -> float:
        return 100.0 * self.free / self.size if self.size else 100.0


def disk_of(directory: Path, look: Callable[[str], os.statvfs_result] = os.statvfs) -> Disk | None:
    """None: it cannot be asked, or does not know."""
    try:
        found = look(str(directory))
    except OSError:
        return None
    if not found.f_blocks:
        return None
    return Disk(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)
