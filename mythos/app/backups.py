"""Backups by the clock: each is made and verified by a process of its own, which players need not wait for."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

import mythos
from mythos.config import Config
from mythos.store.shelf import Kept, shelf

__all__ = ["Backups"]

_log = Logger()

#: Seconds between two looks at what is there.
_LOOK: Final = 10.0
#: Seconds that a backup may take, at most, before the last one counts as old.
_LATE: Final = 7200.0
#: Seconds after which one that failed is tried again, at most.
_AGAIN: Final = 3600.0
#: Seconds that a file's time may be ahead.
_AHEAD: Final = 120.0
#: Variables that the process needs of ours.
_OURS: Final = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL")


class Backups:
    """Makes them, and says how old the last good one is.

    :param wall: unix time, through its ``wall``
    :ivar jobs: (seconds, what is to be done so often)
    :ivar failures: how many could not be made or verified
    """

    def __init__(self, config: Config, reactor: Any, clock: Any) -> None:
        self._config = config
        self._reactor = reactor
        self._wall = clock.wall
        self._began = clock.wall()
        self._tried = 0.0
        self._wrong = ""
        self._there: list[Kept] = []
        self._ahead = ""  # a file that is dated ahead of the clock, and so tells nothing
        self._process: Any = None
        self.failures = 0
        self.jobs = ((_LOOK, self.look),) if config.backup.every else ()

    def look(self) -> None:
        """Look at what is there, and make one if the last one is old enough."""
        self._list()
        every = self._config.backup.every
        pause = min(every, _AGAIN) if self._wrong else every
        last = max((one.made.timestamp() for one in self._there), default=0.0)
        if self._process is None and self._wall() - max(last, self._tried) >= pause:
            self._tried = self._wall()
            self._process = self._reactor.spawnProcess(_Making(self._made), *self._command())
            with suppress(OSError):  # players wait for the processor, nobody for this
                os.sched_setscheduler(self._process.pid, os.SCHED_IDLE, os.sched_param(0))

    def start(self) -> None:
        """Begin, if there are to be any."""
        if self.jobs:
            self.look()

    def _list(self) -> None:
        try:
            found = shelf(self._config.backup.dir)
        except OSError:  # the process that is to write there says what it is
            found = []
        latest = self._wall() + _AHEAD
        self._there = [one for one in found if one.made.timestamp() <= latest]
        self._ahead = found[-1].path.name if len(found) > len(self._there) else ""

    def stop(self) -> None:
        """One that is being made is broken off, and leaves nothing."""
        if self._process is not None:
            with suppress(ProcessExitedAlready):
                self._process.signalProcess("INT")

    def _command(self) -> tuple[str, list[str], dict[str, str], str]:
        """Program, words, variables, directory: all that this server's configuration says of it, and nothing else."""
        config, database = self._config, self._config.database
        words = ["backup", str(config.backup.dir), "--data", str(config.data), "--keep", f"{config.backup.keep:.0f}"]
        if config.backup.encrypt is not None:
            words += ["--encrypt", str(config.backup.encrypt)]
        environ = {name: value for name, value in os.environ.items() if name in _OURS or name.startswith("PG")}
        environ["PYTHONPATH"] = str(Path(mythos.__file__).parents[1])
        environ["DATABASE_URL"] = database.url.url
        if database.password:
            environ["DB_PASSWORD"] = database.password
        return sys.executable, [sys.executable, "-m", "mythos.ctl", *words], environ, str(config.data)

    def _made(self, code: int | None, said: str) -> None:
        self._process = None
        if code:
            self._failed(said)
        elif code == 0:
            self._wrong = ""
            _log.info("backup: {said}", said=said)
        self._list()

    def _failed(self, why: str) -> None:
        self.failures += 1
        if self._wrong != why:
            self._wrong = why
            _log.error("ALERT the backup failed: {why}", why=why)

    # ── how it is ───────────────────────────────────────────────────────────────────────────────

    @property
    def verified(self) -> tuple[float, int] | None:
        """Unix time and bytes of the last one that was verified."""
        for one in reversed(self._there):
            if one.verified:
                try:
                    return one.made.timestamp(), one.path.stat().st_size
                except OSError:  # it was taken away since the last look
                    return None
        return None

    def trouble(self) -> str:
        """For health: what is not as it should be."""
        if self._wrong:
            return "The last backup failed: see the log."
        if self._ahead:
            return f"{self._ahead} is dated ahead of the clock: set the clock, or move that file away."
        verified = self.verified
        every = self._config.backup.every
        if self._wall() - max(verified[0] if verified else 0.0, self._began) > every + min(every, _LATE):
            return f"The last verified backup is of {_when(verified[0])}." if verified else "None was verified."
        if self._process is None and self._there and not self._there[-1].verified:
            return f"The newest one, of {_when(self._there[-1].made.timestamp())}, was not verified."
        return ""

    def detail(self) -> Mapping[str, Any]:
        """For health: numbers."""
        verified = self.verified
        return {
            "count": len(self._there),
            "verified": sum(one.verified for one in self._there),
            "last_verified": _when(verified[0]) if verified else None,
            "bytes": verified[1] if verified else 0,
        }


def _when(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds")


class _Making(ProcessProtocol):
    """Hears what the process says, and tells how it ended: its exit code, None if it was broken off."""

    def __init__(self, told: Any) -> None:
        self._told = told
        self._said = bytearray()

    def outReceived(self, data: bytes) -> None:
        if len(self._said) < 4096:
            self._said += data

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        self._told(getattr(reason.value, "exitCode", None), " ".join(self._said.decode(errors="replace").split()))
