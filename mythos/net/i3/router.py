"""A small Intermud-3 router: the shell around :mod:`mythos.net.i3.exchange`, and its memory on disk."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from mythos.errors import WireError
from mythos.net.i3.exchange import Exchange, Seat
from mythos.net.i3.state import read, saved, set_aside
from mythos.net.transport import address_of, buffered, direct, tune
from mythos.net.turn import Turn
from mythos.wire.i3 import lpc
from mythos.wire.i3.lpc import Value
from mythos.wire.i3.mudmode import FrameReader, FrameTooLong, frame

__all__ = ["RouterFactory", "password"]

_log = Logger()

#: Bytes that may wait for a MUD before it is dropped; seconds a connection may take to say who it is.
BACKLOG = 4 * 2**20
STARTUP_SECONDS = 30.0


class RouterConnection(Protocol):
    """One MUD."""

    factory: RouterFactory
    transport: Any

    def connectionMade(self) -> None:
        if hasattr(self.transport, "getHandle"):
            tune(self.transport)
        self._reader = FrameReader()
        self._out: list[bytes] = []
        self._seat = Seat(self._send, self._close, address_of(self.transport))
        self._late = self.factory.clock.callLater(STARTUP_SECONDS, self._unnamed)

    def dataReceived(self, data: bytes) -> None:
        self.factory.turn.during(self._read, data)

    def _read(self, data: bytes) -> None:
        factory = self.factory
        self._reader.receive(data)
        try:
            for payload in self._reader.frames():
                found, error = lpc.decode(payload)
                for value in found:
                    factory.exchange.received(self._seat, value, factory.clock.seconds())
                if error is not None:
                    factory.exchange.refused += 1
                    _log.info("{mud} sent no LPC: {error}", mud=self._seat.mud or "?", error=error)
        except FrameTooLong as error:
            _log.info("{mud} broke the protocol: {error}", mud=self._seat.mud or "?", error=error)
            self.transport.abortConnection()
        factory.keep()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._late.active():
            self._late.cancel()
        if self._seat.mud:
            _log.info("{mud} is gone", mud=self._seat.mud)
        self._out.clear()
        self.factory.turn.during(self.factory.exchange.left, self._seat)

    def _send(self, value: list[Value]) -> None:
        """What fits no frame is not passed on: who sent it must not harm whom it would go to."""
        try:
            data = frame(lpc.encode(value))
        except WireError as error:
            if value[0] == "error" and value[-1]:
                self._send([*value[:-1], 0])  # it is about a packet that is too large to come along
                return
            self.factory.exchange.refused += 1
            _log.info("a {kind} for {mud} cannot be sent: {error}", kind=value[0], mud=self._seat.mud, error=error)
            return
        self._out.append(data)
        if len(self._out) == 1:
            self.factory.turn.wake(self._flush)

    def _flush(self) -> None:
        out, self._out = self._out, []
        if not out:
            return
        if buffered(self.transport) > BACKLOG:
            _log.info("{mud} does not read: dropped", mud=self._seat.mud)
            self.transport.abortConnection()
            return
        direct(self.transport, b"".join(out))

    def _close(self) -> None:
        self._flush()
        self.transport.loseConnection()

    def _unnamed(self) -> None:
        if not self._seat.mud:
            self.transport.abortConnection()


class RouterFactory(Factory):
    """:param path: where passwords, channels and their lists are kept; None: nowhere"""

    protocol: Any = RouterConnection
    noisy = False

    def __init__(self, exchange: Exchange, clock: IReactorTime, path: Path | None = None) -> None:
        self.exchange = exchange
        self.clock = clock
        self.turn = Turn()
        self._path = path
        if path is not None and (kept := read(path)):
            try:
                exchange.remember(kept)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, WireError) as error:
                set_aside(path, error)

    def buildProtocol(self, addr: IAddress | None) -> Any:
        connection = RouterConnection()
        connection.factory = self
        return connection

    def keep(self) -> None:
        """Write what changed, before the peers hear more of it."""
        if self._path is not None and self.exchange.changed and not saved(self.exchange.kept(), self._path):
            self.exchange.changed = True  # it is written with the next change


def password() -> int:
    """Random, positive, not 0."""
    return secrets.randbelow(2**31 - 2) + 1
