"""What is done before memory or a disk is full, and who is named when the server stands still."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from twisted.logger import Logger

from mythos.app.parts import Parts
from mythos.config import Config
from mythos.play.turns import Turns
from mythos.telemetry.process import memory_limit, resident
from mythos.telemetry.stall import Stall, place_of
from mythos.telemetry.watch import Disk, Steps, disk_of, watermarks

__all__ = ["Watching", "doing"]

_log = Logger()

#: Seconds between two looks at the disk.
_DISK = 5.0
#: Of all connections, those that are dropped at one look while memory is short.
_SHARE = 0.1
#: Seconds for which health tells of a stall.
_RECENT = 60.0

_FULL = "This world is full just now. Come back in a while."
#: What is told to the log at each step of memory, from none.
_MEMORY = (
    "memory is {percent:.0f} % of what it may be again: all may come in",
    "ALERT memory is {percent:.0f} % of what it may be: no new guests are let in, and nothing is cached",
    "ALERT memory is {percent:.0f} % of what it may be: the slowest readers are dropped",
    "ALERT memory is {percent:.0f} % of what it may be: nobody new is let in, those who play go on",
)


class Watching:
    """See the module.

    :param seal: called with True when the disk of the store is full, with False when there is room again
    :ivar jobs: (seconds, what is to be done so often)
    """

    def __init__(self, config: Config, parts: Parts, seal: Callable[[bool], None]) -> None:
        self._config = config
        self._parts = parts
        self._seal = seal
        self._limit = config.memory.max_mb * 2**20 or memory_limit()
        self._steps = Steps(watermarks(config.memory.alert_percent))
        self._place = config.data if config.database.path is None else config.database.path.parent
        self._has_store = config.database.path is not None
        self._full = False
        self.disk: Disk | None = None
        self.stall = Stall(parts.realm.clock.seconds, doing)
        jobs: list[tuple[float, Callable[[], object]]] = [(_DISK, self._look_at_disk)]
        if config.memory.monitor:
            jobs.append((config.memory.interval, self._look_at_memory))
        self.jobs = tuple(jobs)

    def first(self) -> None:
        """Look at once: a start on a full disk says so."""
        for _, job in self.jobs:
            job()

    # ── memory ──────────────────────────────────────────────────────────────────────────────────

    @property
    def memory(self) -> tuple[int, int]:
        """Bytes in use, and allowed."""
        return resident(), self._limit

    @property
    def step(self) -> int:
        """How many marks of memory are passed."""
        return self._steps.step

    def _look_at_memory(self) -> None:
        accounts = self._parts.accounts
        percent = self._percent()
        if self._steps.take(percent):
            step = self._steps.step
            (_log.error if step else _log.info)(_MEMORY[step], percent=percent)
            self._parts.sharing.cache.shed(step >= 1)
            accounts.no_guests = _FULL if step >= 1 else ""
            accounts.closed = _FULL if step >= 3 else ""
        if self._steps.step >= 2:
            self._parts.outlet.drop_slowest(_SHARE)

    def _percent(self) -> float:
        used, allowed = self.memory
        return 100.0 * used / allowed

    def memory_low(self) -> str:
        """For health: what is not as it should be."""
        return f"{self._percent():.0f} % of what it may be is in use." if 1 <= self._steps.step < 3 else ""

    def memory_out(self) -> str:
        """For health: why nobody new is let in."""
        return f"{self._percent():.0f} % of what it may be is in use." if self._steps.step >= 3 else ""

    def memory_detail(self) -> Mapping[str, Any]:
        used, allowed = self.memory
        return {"used": used, "limit": allowed, "percent": round(100.0 * used / allowed, 1)}

    # ── the disk ────────────────────────────────────────────────────────────────────────────────

    def _look_at_disk(self) -> None:
        self.disk = disk_of(self._place)
        full = self.disk is not None and self.disk.free < self._config.disk.seal
        if full != self._full and self._has_store:
            self._full = full
            if full:
                assert self.disk is not None
                _log.error(
                    "ALERT {free} MB are free on the disk of the store: nothing changes hands until there is room",
                    free=self.disk.free // 2**20,
                )
            else:
                _log.info("there is room on the disk of the store again")
            self._seal(full)

    def disk_low(self) -> str:
        """As of memory."""
        disk = self.disk
        if disk is None or disk.free_percent >= self._config.disk.warn_percent:
            return ""
        return f"{disk.free_percent:.0f} % of it is free, {disk.free // 2**20} MB."

    def disk_out(self) -> str:
        """As of memory."""
        return "It is full: nothing can change hands." if self._full else ""

    def disk_detail(self) -> Mapping[str, Any]:
        disk = self.disk
        return {} if disk is None else {"free": disk.free, "size": disk.size, "percent": round(disk.free_percent, 1)}

    # ── the loop ────────────────────────────────────────────────────────────────────────────────

    def stalled(self) -> str:
        """For health: whether it stood still a moment ago."""
        last = self.stall.last
        if last is None:
            return ""
        ended, seconds, what = last
        ago = self._parts.realm.clock.seconds() - ended
        return f"It stood still for {seconds:.1f} s, {ago:.0f} s ago, in {what}." if ago < _RECENT else ""


_TURN = Turns._turn.__code__


def doing(frame: FrameType | None) -> str:
    """What a stack of the server's does: the command if it is one, and the innermost line of ours."""
    place, command = place_of(frame), ""
    while frame is not None:
        if frame.f_code is _TURN:
            command = f"the command {frame.f_locals.get('name', '?')}, "
        frame = frame.f_back
    return command + place
