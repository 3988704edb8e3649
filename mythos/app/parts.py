"""The parts of the house that are small: chance, what watches the game, what runs its commands."""

from __future__ import annotations

import random
import secrets
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from mythos.app.network import Network
from mythos.app.sharing import Sharing
from mythos.app.stores import OpenStore
from mythos.app.work import Work
from mythos.net.outlet import Outlet
from mythos.net.poll import Poll
from mythos.net.telnet import TelnetFactory
from mythos.net.websocket import SocketFactory
from mythos.play.accounts import Accounts
from mythos.play.commits import Commits
from mythos.play.realm import Realm
from mythos.store.lane import Lane
from mythos.store.passwords import Argon2Hasher

__all__ = ["Chance", "Parts", "Pump", "Starter", "Watcher"]

_log = Logger()


class Chance:
    """Implements ``Dice`` with a generator of its own."""

    def __init__(self, seed: int | None) -> None:
        self._random = random.Random(secrets.randbits(64) if seed is None else seed)

    def below(self, sides: int) -> int:
        return self._random.randrange(sides)


class Starter:
    """Implements ``Runner``."""

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        Deferred.fromCoroutine(work).addErrback(lambda failure: _log.failure("work of a command broke", failure))


class Watcher:
    """Implements ``Observer`` of the game: counts and logs what it does not.

    :ivar turn: :meth:`mythos.telemetry.metrics.Metrics.turn` itself: it is called after every command
    """

    def __init__(self) -> None:
        self.faults = 0
        self.turn: Callable[[str, float], None] = lambda verb, seconds: None

    def fault(self, what: str, error: BaseException) -> None:
        self.faults += 1
        _log.error("{what} broke: {error!r}\n{trace}", what=what, error=error, trace=_trace(error))


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


class Pump:
    """Runs the realm's commands, once in a reactor turn while there are any."""

    def __init__(self, reactor: Any, poll: Poll, realm: Realm, outlet: Outlet) -> None:
        self._reactor = reactor
        self._poll = poll
        self._realm = realm
        self._outlet = outlet
        self._next: IDelayedCall | None = None
        self._at_once = False
        realm.wake = self.wake

    def wake(self) -> None:
        if not self._at_once:
            self._at_once = True
            self._poll.behind(self._run)

    def _late(self) -> None:
        self._next = None
        self._run()

    def _run(self) -> None:
        self._at_once = False
        delay = self._outlet.during(self._realm.pump)
        if delay is None or self._at_once:
            return
        if delay <= 0.0:
            self.wake()
        else:
            if self._next is not None:
                self._next.cancel()
            self._next = self._reactor.callLater(delay, self._late)

    def stop(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None


@dataclass(slots=True)
class Parts:
    """Everything that :class:`House` puts together at start, so that it can take it apart again."""

    store: OpenStore
    hasher: Argon2Hasher
    commits: Commits
    lane: Lane
    realm: Realm
    accounts: Accounts
    outlet: Outlet
    pump: Pump
    telnet: TelnetFactory
    sockets: SocketFactory
    work: Work
    sharing: Sharing
    network: Network | None = None
