"""What every server of ours is, whatever its roles: it starts whole or says why not, keeps time, and stops in order."""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable, Iterable
from typing import Any

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.log import ILogObserver

from mythos import __version__
from mythos.app.doors import Doors
from mythos.app.files import EX_CONFIG, clock_behind, open_data, os_sentence
from mythos.app.notify import Notifier
from mythos.app.settings import Settings
from mythos.config import Config
from mythos.errors import MythosError, Refusal
from mythos.net.poll import Poll
from mythos.telemetry.health import Health
from mythos.telemetry.logs import Observer
from mythos.telemetry.tail import Tail

__all__ = ["Server", "SystemClock"]

_log = Logger()


class SystemClock:
    """Implements ``Clock``: monotonic for waiting, the wall for what is stored."""

    def seconds(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()


class Server(Service):
    """Nothing is opened before :meth:`startService`.

    :param say: prints a line for the person at the terminal
    :param fail: called with a sentence if the start fails
    :ivar beside: a service that starts and stops with it
    :ivar tail: the last lines of its log
    :ivar settings: its configuration, if that can be read again
    :ivar notifier: tells systemd, if that started it
    :ivar borrowed: what it has opened is another process's still: if it ends, it closes and says nothing
    :ivar live: keys of settings that can change while it runs, and what puts each into force
    """

    beside: IService | None = None
    tail: Tail | None = None
    settings: Settings | None = None
    notifier = Notifier({})
    borrowed = False

    def __init__(
        self,
        config: Config,
        reactor: Any,
        *,
        say: Callable[[str], None],
        fail: Callable[[str], None],
        observer: Observer | None = None,
    ) -> None:
        self.config = config
        self.doors = Doors(reactor, config.data)
        self._reactor = reactor
        self._say = say
        self._fail = fail
        self._observer = observer
        self._clock = SystemClock()
        self._poll = Poll.of(reactor)
        self._lock = -1
        self._timers: list[LoopingCall] = []
        self._still = False  # periodic jobs wait
        self._stopping: IDelayedCall | None = None
        self._hangups: list[Callable[[], object]] = []
        self._hangup: Any = None  # what SIGHUP did before
        self.live: dict[str, list[Callable[[Config], object]]] = {}
        self.follow(("log.level", "log.levels"), self._set_levels)
        self.health = Health(__version__, self._clock.wall, self.connections)

    @property
    def ports(self) -> dict[str, int]:
        return self.doors.ports

    def setServiceParent(self, parent: Any) -> None:
        """Also says where twistd's log goes."""
        if self._observer is not None and hasattr(parent, "setComponent"):
            parent.setComponent(ILogObserver, self._observer)
        if self.beside is not None:
            self.beside.setServiceParent(parent)
        super().setServiceParent(parent)

    # ── what a server of one kind or another does ───────────────────────────────────────────────

    def connections(self) -> int:
        """Open ones, through all doors."""
        raise NotImplementedError

    async def start(self) -> None:
        """Everything, with the data directory locked. :raises MythosError: with the sentence for the operator"""
        raise NotImplementedError

    def warn(self, seconds: float, reason: str) -> None:
        """Tell everybody that it stops."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Everything that :meth:`start` began, but for doors and timers, which are closed by then."""
        raise NotImplementedError

    # ── start ───────────────────────────────────────────────────────────────────────────────────

    def startService(self) -> None:
        super().startService()
        Deferred.fromCoroutine(self._start()).addErrback(self._did_not_start)

    async def _start(self) -> None:
        behind = clock_behind(self.config.data, self._clock.wall())
        self._lock = self.take_data()
        if behind:
            self._say(behind)
        if self._observer is not None:
            self.at_hangup(self._observer.reopen)
        self.at_hangup(self._reload_at_hangup)
        await self.start()
        if gc.isenabled():  # not when it took over: everybody waits, and systemd was told by the process of before
            gc.collect()
            self.notifier.tell("READY=1")
        gc.freeze()  # what is there now stays: collections need not look at it
        gc.enable()
        if self.notifier.watchdog:
            self.every(self.notifier.watchdog / 2, self._watch)

    def _watch(self) -> None:
        self.notifier.tell("WATCHDOG=1")

    def take_data(self) -> int:
        """The lock on the data directory. :raises MythosError: it is not to be had"""
        return open_data(self.config.data)

    def _did_not_start(self, failure: Any) -> None:
        error = failure.value
        if isinstance(error, MythosError):
            self._fail(str(error))
        elif isinstance(error, OSError):
            self._fail(f"The server could not start. {os_sentence(error)}")
        else:
            _log.failure("the server could not start", failure)
            self._fail(f"The server could not start: {error}")
        if self.borrowed:
            os._exit(EX_CONFIG)

    def every(self, seconds: float, job: Callable[[], object]) -> None:
        """Run ``job`` every ``seconds`` until the server stops; its errors are logged and do not end it."""

        def attempt() -> None:
            if self._still:
                return
            try:
                job()
            except Exception:  # a periodic job goes on
                _log.failure("{job} failed", job=getattr(job, "__name__", "job"))

        timer = LoopingCall(attempt)
        timer.clock = self._reactor
        timer.start(seconds, now=False)
        self._timers.append(timer)

    def at_hangup(self, job: Callable[[], object]) -> None:
        """Run ``job`` at SIGHUP, behind those that were given before."""
        self._hangups.append(job)
        if self._hangup is None:
            self._hangup = signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self._hung_up))

    def _hung_up(self) -> None:
        self.notifier.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        for job in self._hangups:
            try:
                job()
            except Exception:  # a periodic job goes on
                _log.failure("{job} failed", job=getattr(job, "__name__", "job"))

        self.notifier.tell("READY=1")

    def hold_still(self, still: bool) -> None:
        """Let all periodic jobs wait, or go on."""
        self._still = still

    # ── what can change while it runs ───────────────────────────────────────────────────────────

    def follow(self, keys: Iterable[str], job: Callable[[Config], object]) -> None:
        """Run ``job`` when one of these settings has changed."""
        for key in keys:
            self.live.setdefault(key, []).append(job)

    def _set_levels(self, config: Config) -> None:
        if self._observer is not None:
            self._observer.set_levels(config.log.level.value, config.log.levels)

    def reload_config(self, dry_run: bool = False) -> str:
        """Read the configuration again; returns what changed, and what needs a restart.

        :raises MythosError: it holds a mistake; nothing changed
        """
        if self.settings is None:
            raise Refusal("The configuration of this server cannot be read again.")
        try:
            change, config, settle = self.settings.again(self.live)
        except MythosError as error:
            raise Refusal(f"Nothing was changed. {error}") from error
        if not dry_run:
            settle()
            self.config = config
            for job in dict.fromkeys(job for key in change.changed for job in self.live[key]):
                job(config)
        return str(change)

    def _reload_at_hangup(self) -> None:
        if self.settings is None:
            return
        try:
            _log.info("the configuration was read again. {change}", change=self.reload_config())
        except Refusal as refusal:
            _log.error("the configuration was read again. {refusal}", refusal=refusal)

    # ── stop ────────────────────────────────────────────────────────────────────────────────────

    def stop_in(self, seconds: float, reason: str) -> None:
        """Tell everybody, and stop the process after ``seconds``; a later word on it counts, not an earlier one."""
        self.warn(seconds, reason)
        if self._stopping is not None and self._stopping.active():
            self._stopping.cancel()
        self._stopping = self._reactor.callLater(seconds, self._reactor.stop)

    @property
    def stopping(self) -> bool:
        """It is about to stop."""
        return self._stopping is not None and self._stopping.active()

    def stay(self) -> bool:
        """Do not stop after all. False: it was not about to."""
        if self._stopping is None or not self._stopping.active():
            return False
        self._stopping.cancel()
        return True

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self.borrowed:
            os._exit(EX_CONFIG)
        if self._lock < 0:
            return
        self.health.state = "draining"
        self.notifier.tell("STOPPING=1")
        await self.doors.close()
        for timer in self._timers:
            if timer.running:
                timer.stop()
        await self.stop()
        if self._hangup is not None:
            signal.signal(signal.SIGHUP, self._hangup)
        self.doors.gone()
        os.close(self._lock)
        self._lock = -1
