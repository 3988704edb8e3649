"""The new process of :mod:`mythos.app.handover`: it takes a server over from one that runs."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any

from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.web.server import Site

from mythos.app.doors import Doors
from mythos.app.files import StartError
from mythos.app.handover import FORMAT, identity
from mythos.app.notify import Notifier
from mythos.app.parts import Parts
from mythos.config import Config
from mythos.net.adopt import Adopted, adopt_connection, receive, send
from mythos.net.api import Api
from mythos.play import handover
from mythos.play.ports import Connection
from mythos.play.sessions import Session

__all__ = ["Succession"]

_log = Logger()
#: Most bytes of what was said to standard error meanwhile, which the process of before would have read.
_SAID = 65_536
_ALONE = "The process that was to hand its server over has ended before it did."


class Succession:
    """See the module. The steps in their order are its methods'.

    :param line: the socket to the process of before
    :ivar lock: the lock on the data directory
    :ivar pipe: tells what keeps the first process's place of the next; -1: systemd follows us
    """

    def __init__(self, line: int) -> None:
        self._line = socket.socket(fileno=line)
        self._message: dict[str, Any] = {}
        self._plugs: list[int] = []
        self._sessions: list[tuple[Session, Mapping[str, Any]]] = []
        self._players: list[Any] = []
        self._count = 0  # of connections
        self._stderr = -1
        self.lock = self.pipe = -1

    def wait(self, config: Config) -> None:
        """Say that all is ready, and block until the server comes. :raises StartError: it does not"""
        try:
            send(self._line, {"format": FORMAT, **identity(config)})
            self._message, self._plugs = receive(self._line)
        except (OSError, EOFError) as error:
            raise StartError(_ALONE) from error
        self.lock, self._stderr = self._take(2)
        if self._message["kept"]:
            (self.pipe,) = self._take(1)

    def _take(self, count: int) -> list[int]:
        taken, self._plugs = self._plugs[:count], self._plugs[count:]
        return taken

    def notifier(self, environ: Mapping[str, str]) -> Notifier:
        return Notifier(environ, heir=self.pipe < 0)

    def open(self, doors: Doors, reactor: Any) -> None:
        """Give the doors their listeners; those that are not configured any more are closed by :meth:`Doors.tell`."""
        for name, endpoint in self._message["doors"]:
            (plug,) = self._take(1)
            found = Adopted(reactor, plug, lambda context, factory: TLSMemoryBIOFactory(context, False, factory))
            doors.inherited[name] = endpoint, found

    async def take_up(self, parts: Parts) -> None:
        """The sessions. :raises MythosError: one cannot go on"""
        for state in self._message["sessions"]:
            if state["present"]:
                session = await parts.accounts.sleepers.awaken(state["id"])
                if session is None:
                    raise handover.NotWhole("the store does not know a session that is played")
                handover.take_up(parts.realm, session, state)
                self._sessions.append((session, state))

    def adopt(self, parts: Parts, api: Api, site: Site, reactor: Any) -> None:
        """The connections, and what else is known of who may come in. Nothing is written to them.

        :raises Exception: one cannot be gone on with; the other process goes on then
        """
        parts.accounts.draining = self._message["draining"]
        api.restore(self._message["tickets"])
        doors = {"telnet": parts.telnet, "websocket": parts.sockets, "http": site}
        for state in self._message["connections"]:
            (plug,) = self._take(1)
            try:
                transport = adopt_connection(reactor, plug, state)
            except OSError:
                continue  # its peer is gone
            factory: Any = doors[state["door"]]
            connection = factory.buildProtocol(transport.getPeer())
            transport.protocol = connection
            if factory is site:
                connection.makeConnection(transport)
            else:
                connection.adopt(transport, state)
                self._players.append(connection)
            if state["out"]:
                transport.write(state["out"])
            self._count += 1
        for plug in self._plugs:
            os.close(plug)

    def taken(self) -> None:
        """Say so, and block until the server is ours. :raises StartError: it is not, for the other process is gone"""
        try:
            send(self._line, {"connections": self._count})
            receive(self._line)
        except (OSError, EOFError) as error:
            raise StartError(_ALONE) from error

    def go_on(self, parts: Parts, now: float) -> None:
        """The server is ours: let everybody go on.

        :param now: monotonic second
        """
        for session, state in self._sessions:
            handover.type_on(parts.realm, session, state)
            for link in session.connections:
                _wake(link, full=handover.crowded(session))
        for connection in self._players:
            connection.went_on()
        pause = now - self._message["frozen"]
        said = os.pread(2, _SAID, 0)
        os.dup2(self._stderr, 2)
        os.close(self._stderr)
        if said:
            os.write(2, said)
        try:
            send(self._line, {"pause": pause})
        except OSError as error:
            _log.warn("the process of before is gone: {error}", error=error)
        self._line.close()
        _log.info("took the server over: {count} connections, {ms} ms", count=self._count, ms=round(pause * 1000))
        self._sessions.clear()
        self._players.clear()


def _wake(link: Connection, *, full: bool) -> None:
    if full:
        link.pause()
    link.wake()
