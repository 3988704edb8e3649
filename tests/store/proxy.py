"""A proxy before PostgreSQL that listens to what is said, and cuts the line where a test wants it cut."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.interfaces import IReactorTCP, IReactorUNIX
from twisted.internet.protocol import Protocol, ServerFactory

__all__ = ["Proxy"]

_SOCKET = ".s.PGSQL.5432"


class Proxy:
    """Listens on a socket in ``home`` and on a TCP port, for the server whose socket is in ``server``.

    :ivar cut: asked for each query, before it is sent on: None to leave it, ``before`` to lose it, ``after`` to lose
        its answer
    :ivar change: what the server says, on its way
    :ivar asked: every query, in order
    :ivar keeps: the server is not told that who asked is gone, as by a network that is cut
    """

    def __init__(self, home: Path, server: Path) -> None:
        self.home = home
        self.cut: Callable[[bytes], str | None] = lambda query: None
        self.change: Callable[[bytes], bytes] = lambda data: data
        self.asked: list[bytes] = []
        self.keeps = False
        self._server = server
        factory = ServerFactory()
        factory.protocol = lambda: _Client(self)
        self._ports = [
            IReactorUNIX(reactor).listenUNIX(str(home / _SOCKET), factory),
            IReactorTCP(reactor).listenTCP(0, factory, interface="127.0.0.1"),
        ]
        self.lines: list[_Client] = []

    @property
    def port(self) -> int:
        return int(self._ports[1].getHost().port)  # type: ignore[attr-defined]

    def once(self, words: bytes, how: str) -> None:
        """Cut at the next query with these words, and at no other."""

        def cut(query: bytes) -> str | None:
            if words not in query:
                return None
            self.cut = lambda query: None
            return how

        self.cut = cut

    def cut_all(self) -> None:
        """Break off every line from who asks."""
        for line in self.lines:
            if line.transport is not None:
                line.transport.abortConnection()  # type: ignore[attr-defined]

    def connect(self, client: _Client) -> Any:
        where = UNIXClientEndpoint(reactor, str(self._server / _SOCKET))
        return connectProtocol(where, _Server(client))

    async def close(self) -> None:
        for port in self._ports:
            await maybeDeferred(port.stopListening)
        for line in self.lines:
            line.end()


class _Client(Protocol):
    """The line to who asks. Its first message has no letter; all others are a letter, a length and the rest."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.server: _Server | None = None
        self._data = b""
        self._begun = False
        self._early = b""
        self.deaf = False

    def connectionMade(self) -> None:
        self.proxy.lines.append(self)
        self.proxy.connect(self).addErrback(lambda failure: self.end())

    def joined(self, server: _Server) -> None:
        self.server = server
        early, self._early = self._early, b""
        self._take(early)

    def dataReceived(self, data: bytes) -> None:
        if self.server is None:
            self._early += data
        else:
            self._take(data)

    def _take(self, data: bytes) -> None:
        self._data += data
        while (size := self._whole()) is not None:
            message, self._data = self._data[:size], self._data[size:]
            self._pass(message)

    def _whole(self) -> int | None:
        """The size of the message that is all here."""
        letter = 1 if self._begun else 0
        if len(self._data) < letter + 4:
            return None
        size = letter + int.from_bytes(self._data[letter : letter + 4], "big")
        return size if len(self._data) >= size else None

    def _pass(self, message: bytes) -> None:
        assert self.server is not None and self.server.transport is not None
        how = None
        if self._begun and message[:1] == b"Q":
            self.proxy.asked.append(message[5:-1])
            how = self.proxy.cut(message)
        self._begun = self._begun or message[4:8] == b"\0\3\0\0"
        if how == "before":
            self.end()
            return
        self.deaf = how == "after"
        self.server.transport.write(message)

    def answered(self, data: bytes) -> None:
        if self.deaf:  # the server has done it: now nobody will know
            self.end()
        elif self.transport is not None:
            self.transport.write(self.proxy.change(data))

    def end(self) -> None:
        for one in (self, self.server):
            if one is not None and one.transport is not None:
                one.transport.abortConnection()  # type: ignore[attr-defined]

    def connectionLost(self, reason: Any = None) -> None:
        if self.server is not None and self.server.transport is not None and not self.proxy.keeps:
            self.server.transport.loseConnection()


class _Server(Protocol):
    def __init__(self, client: _Client) -> None:
        self._client = client

    def connectionMade(self) -> None:
        self._client.joined(self)

    def dataReceived(self, data: bytes) -> None:
        self._client.answered(data)

    def connectionLost(self, reason: Any = None) -> None:
        if self._client.transport is not None:
            self._client.transport.loseConnection()
