"""A WebSocket as the transport of a telnet connection: its bytes go through a :class:`~mythos.wire.mudstandards.Speech`
into frames, and messages come back as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IProtocol, IReactorTime
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from zope.interface import directlyProvides, providedBy

from mythos.errors import WireError
from mythos.wire.mudstandards import Speech

__all__ = ["Framed"]


class Socket(Protocol):
    """What carries it."""

    transport: Any

    def send(self, frames: bytes) -> None: ...

    def hold(self, why: str) -> None: ...

    def release(self, why: str) -> None: ...

    def abort(self) -> None: ...

    def bid_farewell(self, code: int, reason: str) -> None: ...

    def parcel(self) -> Any: ...


class Framed(ProtocolWrapper):
    """:param address: of the client"""

    transport: Any  # what carries the WebSocket

    def __init__(
        self, socket: Socket, speech: Speech, connection: IProtocol, address: str, clock: IReactorTime
    ) -> None:
        self._socket = socket
        self._speech = speech
        self._address = address
        self._clock = clock
        self._answering = False
        self.wrappedProtocol = connection
        self.transport = socket.transport
        directlyProvides(self, providedBy(socket.transport))

    def start(self) -> None:
        self.wrappedProtocol.makeConnection(self)  # type: ignore[arg-type]

    def kept(self) -> dict[str, Any] | None:
        """Where the speech and the telnet connection stand, for another process; None: it cannot be handed over."""
        connection: Any = self.wrappedProtocol
        state = None if self._answering else connection.kept()
        return None if state is None else {"speech": self._speech.kept(), "telnet": state}

    def parcel(self) -> Any:
        """The WebSocket's."""
        return self._socket.parcel()

    def adopt(self, state: Mapping[str, Any]) -> None:
        """What :meth:`kept` gave, into a new one. :raises KeyError: some of it is missing"""
        self._speech.restore(state["speech"])
        connection: Any = self.wrappedProtocol
        connection.adopt(self, state["telnet"])

    def message(self, payload: bytes, *, binary: bool) -> None:
        """One from the client."""
        try:
            data = self._speech.heard(payload, binary=binary)
        except WireError as error:
            self._socket.bid_farewell(1003, str(error))
            return
        if data:
            self.wrappedProtocol.dataReceived(data)

    def lost(self, reason: Failure) -> None:
        self.wrappedProtocol.connectionLost(reason)

    # ── ITransport, as the telnet door uses it ──────────────────────────────────────────────────

    def write(self, data: bytes) -> None:
        frames = self._speech.sent(data)
        if frames:
            self._socket.send(frames)
        if self._speech.replies and not self._answering:
            self._answering = True
            self._clock.callLater(0, self._answer)  # the door may be in the middle of something

    def _answer(self) -> None:
        self._answering = False
        replies = bytes(self._speech.replies)
        self._speech.replies.clear()
        if not self.disconnecting:
            self.wrappedProtocol.dataReceived(replies)

    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", self._address, 0)

    def bid_farewell(self, code: int, reason: str) -> None:
        self.disconnecting = True
        self._socket.bid_farewell(code, reason)

    def loseConnection(self) -> None:
        self.bid_farewell(1000, "")

    def abortConnection(self) -> None:
        self.disconnecting = True
        self._socket.abort()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.transport.unregisterProducer()  # the HTTP channel it came by is still registered
        self.transport.registerProducer(producer, streaming)

    def pauseProducing(self) -> None:
        self._socket.hold("door")

    def resumeProducing(self) -> None:
        self._socket.release("door")
