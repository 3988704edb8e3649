"""The gateway's two roads: WebSocket, one message in each text frame; and TCP, one on each line.

What one read brings about goes out as one write. A client that does not read is dropped; its session keeps what
it is told meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from autobahn.twisted.websocket import WebSocketServerFactory
from autobahn.websocket.types import ConnectionDeny
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from mythos.net.farewell import bid_farewell
from mythos.net.frames import Frames
from mythos.net.gateway.gateway import Gateway
from mythos.net.gateway.keys import admits
from mythos.net.gateway.talk import REST, Talk
from mythos.net.transport import address_of, buffered, direct, tune
from mythos.wire import jsonrpc
from mythos.wire.jsonrpc import Code, RpcError
from mythos.wire.websocket import text_frame

__all__ = ["Admission", "ApiSocketFactory", "LineFactory"]

_log = Logger()

#: Largest message, in bytes, and how much may wait for a client that does not read.
MESSAGE: Final = 65_536
BACKLOG: Final = 1_048_576
#: Bytes that are gathered in one turn, and seconds in which a client has to read the last of it.
TURN: Final = 4 * BACKLOG
LEAVING: Final = 5.0
#: Lines of one read that no client needs, however short they are.
LINES: Final = 3000
#: Seconds a connection may take to authenticate.
STRANGER: Final = 30.0
#: What proxies say of those for whom they speak.
_FORWARDED: Final = ("forwarded", "via", "x-forwarded-for", "x-real-ip")
_WELCOME = {
    "service": "i3-gateway",
    "version": "1.0.0",
    "protocol": "JSON-RPC 2.0",
    "authentication": "required",
}


class Admission:
    """Who may connect: by address, and by number.

    :param allow: networks; empty: all. ``deny`` counts more
    :ivar banned: the sentence for an address that may not come in; empty: it may
    """

    def __init__(self, allow: tuple[str, ...], deny: tuple[str, ...], most: int) -> None:
        self._allow = allow
        self._deny = deny
        self._most = most
        self.banned: Callable[[str], str] = lambda address: ""
        self.open = 0

    def change(self, allow: tuple[str, ...], deny: tuple[str, ...], most: int) -> None:
        """From now on; who is in stays."""
        self._allow, self._deny, self._most = allow, deny, most

    def admits(self, address: str) -> bool:
        """Whether an address may come at all."""
        return admits(address, self._allow, self._deny) and not self.banned(address)

    def refusal(self, address: str) -> str:
        """Why this address may not connect; empty if it may."""
        if not self.admits(address):
            return "this address may not connect"
        return "too many connections" if self.open >= self._most else ""


class _Road:
    """Both roads: a :class:`~mythos.net.gateway.session.Door` that gathers what is sent in a turn of the gateway."""

    def __init__(self, gateway: Gateway, clock: IReactorTime, address: str, *, alone: bool = True) -> None:
        self.address = address
        self.alone = alone
        self.talk = Talk(gateway, self)
        self.heard_at = clock.seconds()
        self._clock = clock
        self._turn = gateway.turn
        self._out: list[bytes] = []
        self._gathered = 0
        self._resting: IDelayedCall | None = None
        self._late: IDelayedCall | None = clock.callLater(STRANGER, self._unknown)

    def frame(self, message: bytes) -> bytes:
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        raise NotImplementedError

    def shut(self, code: int, reason: str) -> None:
        raise NotImplementedError

    @property
    def transport(self) -> Any:
        raise NotImplementedError

    def rest(self, seconds: float) -> None:
        if self._resting is None or not self._resting.active():
            self.transport.pauseProducing()
            self._resting = self._clock.callLater(seconds, self._go_on)

    def _go_on(self) -> None:
        self.transport.resumeProducing()

    def send(self, message: bytes) -> None:
        out = self._out
        out.append(self.frame(message))
        self._gathered += len(message)
        if self._gathered > TURN:
            self.flush()
        elif len(out) == 1:
            self._turn.wake(self.flush)

    def flush(self) -> None:
        out, self._out = self._out, []
        self._gathered = 0
        self._turn.ready()
        if out:
            self.write(b"".join(out))

    def close(self, code: int, reason: str) -> None:
        self.flush()
        self.shut(code, reason)

    def received(self, data: bytes) -> None:
        self.heard_at = self._clock.seconds()
        self.talk.received(data)

    def lost(self) -> None:
        for call in (self._late, self._resting):
            if call is not None and call.active():
                call.cancel()
        self.talk.left()

    def _unknown(self) -> None:
        self._late = None
        if self.talk.session is None:
            self.close(1008, "authenticate first")


# ── WebSocket ───────────────────────────────────────────────────────────────────────────────────


class _SocketRoad(_Road):
    def __init__(self, socket: ApiSocket, gateway: Gateway, clock: IReactorTime, address: str, *, alone: bool) -> None:
        super().__init__(gateway, clock, address, alone=alone)
        self._socket = socket

    @property
    def transport(self) -> Any:
        return self._socket.transport

    def frame(self, message: bytes) -> bytes:
        return text_frame(message)

    def write(self, data: bytes) -> None:
        socket = self._socket
        if socket.state != socket.STATE_OPEN:
            return
        if buffered(socket.transport) > BACKLOG:
            _log.info("a client of the gateway at {address} does not read: dropped", address=self.address)
            socket.dropConnection(abort=True)
            return
        direct(socket.transport, data)

    def shut(self, code: int, reason: str) -> None:
        bid_farewell(self._socket, code, reason)


class ApiSocket(Frames):
    """One WebSocket of a MUD."""

    factory: ApiSocketFactory
    transport: Any

    def __init__(self) -> None:
        super().__init__()
        self._road: _SocketRoad | None = None
        self._key = ""
        self._alone = False

    def onConnect(self, request: Any) -> str | None:
        factory = self.factory
        address = factory.address_of(self)
        refusal = factory.admission.refusal(address)
        if refusal:
            raise ConnectionDeny(403 if "address" in refusal else 503, refusal)
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        self._key = request.headers.get("x-api-key", "") or (bearer.strip() if scheme.lower() == "bearer" else "")
        self._alone = _alone(request.headers, address_of(self.transport), address)
        if self._key and factory.gateway.keys.find(self._key, address, alone=self._alone) is None:
            raise ConnectionDeny(401, "Invalid API key")
        return None

    def onOpen(self) -> None:
        factory = self.factory
        if hasattr(self.transport, "getHandle"):
            tune(self.transport)
        factory.admission.open += 1
        address = factory.address_of(self)
        self._road = _SocketRoad(self, factory.gateway, factory.clock, address, alone=self._alone)
        if self._key:
            self._road.talk.enter(self._key)
            self._key = ""

    def dataReceived(self, data: bytes) -> None:
        self.factory.gateway.turn.during(super().dataReceived, data)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        road = self._road
        if road is None or self.state != self.STATE_OPEN:
            return
        if isBinary:
            bid_farewell(self, 1003, "text frames only")
            return
        road.received(payload)

    def onPing(self, payload: bytes) -> None:
        """A pong, unless its client asks for more of them than it reads."""
        if buffered(self.transport) > BACKLOG:
            self.dropConnection(abort=True)
            return
        if self._road is not None:
            self._road.talk.in_vain()
        super().onPing(payload)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        road, self._road = self._road, None
        if road is not None:
            self.factory.admission.open -= 1
            road.lost()


def _alone(headers: Mapping[str, str], peer: str, address: str) -> bool:
    """Whether who connects is who speaks. A browser names the page that does; a proxy whose word is not believed
    names somebody else, and yet the address is its own."""
    return "origin" not in headers and not (peer == address and any(name in headers for name in _FORWARDED))


class ApiSocketFactory(WebSocketServerFactory):
    protocol: Any = ApiSocket

    def __init__(
        self,
        gateway: Gateway,
        clock: IReactorTime,
        admission: Admission,
        *,
        ping: tuple[float, float],
        address_of: Callable[[Any], str],
    ) -> None:
        super().__init__(server="Mythos", reactor=clock)
        self.gateway = gateway
        self.clock = clock
        self.admission = admission
        self.address_of = address_of
        self.setProtocolOptions(
            autoPingInterval=ping[0],
            autoPingTimeout=ping[1],
            autoPingRestartOnAnyTraffic=True,
            maxMessagePayloadSize=MESSAGE,
            maxFramePayloadSize=MESSAGE,
            openHandshakeTimeout=5,
            closeHandshakeTimeout=2,
            failByDrop=False,
            utf8validateIncoming=True,
            webStatus=False,
            tcpNoDelay=True,
        )


# ── TCP ─────────────────────────────────────────────────────────────────────────────────────────


class _LineRoad(_Road):
    def __init__(self, line: Line, gateway: Gateway, clock: IReactorTime, address: str) -> None:
        super().__init__(gateway, clock, address)
        self._line = line
        self._leaving: IDelayedCall | None = None

    @property
    def transport(self) -> Any:
        return self._line.transport

    def frame(self, message: bytes) -> bytes:
        return message + b"\n"

    def write(self, data: bytes) -> None:
        transport = self._line.transport
        if buffered(transport) > BACKLOG:
            _log.info("a client of the gateway at {address} does not read: dropped", address=self.address)
            transport.abortConnection()
            return
        direct(transport, data)

    def shut(self, code: int, reason: str) -> None:
        transport = self._line.transport
        transport.loseConnection()
        if self._leaving is None:
            self._leaving = self._clock.callLater(LEAVING, transport.abortConnection)

    def lost(self) -> None:
        if self._leaving is not None and self._leaving.active():
            self._leaving.cancel()
        super().lost()


class Line(Protocol):
    """One TCP connection of a MUD. Lines end in LF or CR LF; empty ones are not heeded."""

    factory: LineFactory
    transport: Any

    def __init__(self) -> None:
        self._road: _LineRoad | None = None
        self._buffer = bytearray()

    def connectionMade(self) -> None:
        factory = self.factory
        address = address_of(self.transport)
        if refusal := factory.admission.refusal(address):
            _log.info("{address} is not let in: {refusal}", address=address, refusal=refusal)
            self.transport.loseConnection()
            return
        if hasattr(self.transport, "getHandle"):
            tune(self.transport)
        factory.admission.open += 1
        factory.lines.add(self)
        self._road = _LineRoad(self, factory.gateway, factory.clock, address)
        self._road.send(jsonrpc.notification("welcome", _WELCOME))

    def dataReceived(self, data: bytes) -> None:
        self.factory.gateway.turn.during(self._read, data)

    def _read(self, data: bytes) -> None:
        road = self._road
        if road is None:
            return
        self._buffer += data
        if b"\n" in data:
            *lines, self._buffer = self._buffer.split(b"\n")
            if len(lines) > LINES:
                road.rest(REST)
            for line in filter(None, map(bytearray.strip, lines)):
                if self.transport.disconnecting:
                    return
                if len(line) > MESSAGE:
                    self._too_long(road)
                    return
                road.received(bytes(line))
        if len(self._buffer) > MESSAGE and not self.transport.disconnecting:
            self._too_long(road)

    def _too_long(self, road: _LineRoad) -> None:
        road.send(jsonrpc.error(RpcError(Code.INVALID, f"A line has at most {MESSAGE} bytes.")))
        road.close(1009, "too long")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        road, self._road = self._road, None
        if road is not None:
            self.factory.lines.discard(self)
            self.factory.admission.open -= 1
            road.lost()

    def look(self, idle: float) -> None:
        """Close it if it has been silent for more than ``idle`` seconds."""
        road = self._road
        if road is not None and self.factory.clock.seconds() - road.heard_at > idle:
            road.close(1000, "silent")


class LineFactory(ServerFactory):
    noisy = False

    def __init__(self, gateway: Gateway, clock: IReactorTime, admission: Admission, *, idle: float) -> None:
        self.gateway = gateway
        self.clock = clock
        self.admission = admission
        self.lines: set[Line] = set()
        self._idle = idle

    def buildProtocol(self, addr: IAddress | None) -> Any:
        line = Line()
        line.factory = self
        return line

    def sweep(self) -> None:
        """Close those that have been silent for too long; WebSockets have pings for that."""
        for line in tuple(self.lines):
            line.look(self._idle)
