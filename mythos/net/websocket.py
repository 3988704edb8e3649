"""WebSocket: the first road of browsers. The shell around :mod:`mythos.wire.client`.

The client's first frame is ``attach``; what follows is commands and acknowledgements. Everything from us goes out
through the session's :class:`~mythos.net.outlet.Link`, as frames made of a head of its own and a tail shared by all.

A client that offers a subprotocol of :mod:`mythos.wire.mudstandards` instead is at the door of telnet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from sys import maxsize
from typing import Any, Protocol

from autobahn.twisted.websocket import WebSocketServerFactory
from autobahn.websocket.types import ConnectionDeny
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IProtocolFactory, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mythos.errors import Refusal, WireError
from mythos.flow.bucket import Bucket
from mythos.flow.log import Entry, Gap
from mythos.net import deflate
from mythos.net.doorman import Doorman
from mythos.net.farewell import bid_farewell
from mythos.net.framed import Framed
from mythos.net.frames import Frames
from mythos.net.origins import Origins
from mythos.net.outlet import Link, Outlet
from mythos.net.transport import HOLD, beneath, direct, tune
from mythos.play.accounts import Accounts
from mythos.play.ports import Busy, StoreDown
from mythos.play.realm import Attached, Realm
from mythos.play.sessions import Session
from mythos.wire import client
from mythos.wire.clean import sanitize
from mythos.wire.deflate import LEAST, Units
from mythos.wire.message import Message
from mythos.wire.mudstandards import STREAMS, SUBPROTOCOLS, speech
from mythos.wire.websocket import frame_header, record_frame, text_frame

__all__ = ["GameSocket", "SocketFactory"]

_log = Logger()

#: The first of these that a client offers is spoken.
_SUBPROTOCOLS = (client.SUBPROTOCOL, *SUBPROTOCOLS)
#: Seconds from the handshake to the first frame; it stands for a place at the door, so nobody may keep it for nothing.
ATTACH = 10.0


class SocketLink(Link):
    """A WebSocket of a session.

    :param units: compresses what is long for it; None: it did not agree to that
    """

    __slots__ = ("_least", "_socket", "_units")

    kind = "websocket"

    def __init__(
        self, socket: GameSocket, outlet: Outlet, realm: Realm, session: Session, address: str, units: Units | None
    ) -> None:
        super().__init__(outlet, realm, session, address)
        self._socket = socket
        self._units = units
        self._least = maxsize if units is None else LEAST

    def encode(self, entries: list[Entry], before: int) -> bytes:
        frames = []
        least = self._least
        for number, _, message in entries:
            shared = message.rendered.get("mythos.v1")  # type: ignore[attr-defined]
            if shared is not None and number == before + 1 and len(shared) < least:
                start = b'{"s":%d,' % number
                frames.append(frame_header(len(start) + len(shared)))
                frames.append(start)
                frames.append(shared)
            else:
                frames.append(self._record(message, number, None if number == before + 1 else before))  # type: ignore[arg-type]
            before = number
        return b"".join(frames)

    def _record(self, message: Message, number: int, prev: int | None) -> bytes:
        if self._units is not None and len(client.tail(message)) >= LEAST:
            return self._units.record_frame(message, number, prev)
        return record_frame(message, number, prev)

    def encode_gap(self, gap: Gap, before: int) -> bytes:
        return text_frame(client.gap(gap.to, gap.missed))

    def encode_answer(self, c: int, error: str, expect: int, dup: bool) -> bytes:
        if not error:
            return text_frame(client.done(c, dup=dup))
        numbered = error in ("gap", "taken")
        return text_frame(client.refused(c, error, expect=expect if numbered else None, dup=dup))

    def send(self, data: bytes) -> None:
        socket = self._socket
        if socket.state == socket.STATE_OPEN:
            direct(socket.transport, data)

    @property
    def transport(self) -> Any:
        return self._socket.transport

    def abort(self) -> None:
        self._socket.abort()

    def shutdown(self, code: int, reason: str) -> None:
        bid_farewell(self._socket, code, reason)

    def parcel(self) -> tuple[Any, dict[str, Any]] | None:
        return self._socket.parcel()

    def pause(self) -> None:
        self._socket.hold("queue")

    def resume(self) -> None:
        self._socket.release("queue")


class GameSocket(Frames):
    """One WebSocket."""

    factory: SocketFactory
    transport: Any

    def __init__(self) -> None:
        super().__init__()
        self._link: SocketLink | None = None
        self._attaching = False
        self._deadline: IDelayedCall | None = None
        self._holds: set[str] = set()
        self._bucket: Bucket | None = None
        self._owed = 0  # frames beyond the pace
        self._address = ""
        self._admitted = False
        self._subprotocol = client.SUBPROTOCOL
        self._framed: Framed | None = None  # of a client of telnet
        self._replaying = False  # the handshake that another process of this server has answered

    # ── Autobahn's ──────────────────────────────────────────────────────────────────────────────

    def onConnect(self, request: Any) -> str | None:
        factory = self.factory
        if not self._replaying and not factory.admits(request):
            raise ConnectionDeny(403, "this origin may not open a WebSocket here")
        if not request.protocols:
            return None
        for subprotocol in _SUBPROTOCOLS:
            if subprotocol in request.protocols:
                self._subprotocol = subprotocol
                return subprotocol
        raise ConnectionDeny(400, f"speak {' or '.join(_SUBPROTOCOLS)}")

    def onOpen(self) -> None:
        deflate.inflate_by_message(self)
        if self._replaying:
            return
        transport = self.transport
        if hasattr(transport, "getHandle"):
            tune(transport, self.factory.outlet.idle)
        factory = self.factory
        self._address = factory.address_of(self)
        if self._subprotocol != client.SUBPROTOCOL:
            self._bucket = factory.bucket()
            self._framed = factory.framed(self, self._subprotocol, self._address)
            self._framed.start()
            return
        refusal = factory.doorman.admit(self._address, factory.clock.seconds())
        if refusal:
            bid_farewell(self, 1013, refusal)
            return
        self._admitted = True
        self._bucket = factory.bucket()
        self._deadline = factory.clock.callLater(ATTACH, self._too_late)

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        if not self._replaying:
            super().sendData(data, sync, chopsize)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self._bucket is None or self.state != self.STATE_OPEN:  # what comes behind our close is not heeded
            return
        if self._framed is not None:
            self._framed.message(payload, binary=isBinary)
            return
        if isBinary:
            bid_farewell(self, 1003, "text frames only")
            return
        try:
            frame = client.decode(payload)
        except WireError as error:
            self.sendMessage(client.error("bad_frame", str(error)), doNotCompress=True)
            bid_farewell(self, 1008, "bad frame")
            return
        link = self._link
        if isinstance(frame, client.Attach):
            self._attach(frame)
        elif link is None or not link.ready:
            bid_farewell(self, 1008, "attach first")
        else:
            self._obey(link, frame)

    def onPing(self, payload: bytes) -> None:
        if self._link is None or not self._link.shut:  # one that takes nothing is owed no pongs
            super().onPing(payload)
        self.frame_read()

    def onPong(self, payload: bytes) -> None:
        super().onPong(payload)
        self.frame_read()

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        if self._admitted:
            self._admitted = False
            self.factory.doorman.leave(self._address)
        self._in_time()
        link, self._link = self._link, None
        if link is not None:
            link.detached()
        if self._framed is not None:
            self._framed.lost(Failure(ConnectionDone()))

    # ── ours ────────────────────────────────────────────────────────────────────────────────────

    def frame_read(self) -> None:
        """Every frame has its price, whatever it carries. A read may bring thousands: what they owe is waited for
        behind it, by one timer."""
        bucket = self._bucket
        if bucket is None:
            return
        wait = bucket.take(self.factory.clock.seconds())
        if wait:
            self._owed += 1
            if "pace" not in self._holds:
                self.hold("pace")
                self.factory.clock.callLater(wait, self._pay)

    def _pay(self) -> None:
        bucket = self._bucket
        if bucket is None or self.state != self.STATE_OPEN:
            return
        wait = bucket.take(self.factory.clock.seconds(), min(self._owed, bucket.burst))
        if wait:
            self.factory.clock.callLater(wait, self._pay)
        else:
            self._owed = 0
            self.release("pace")

    # ── from one process to another ─────────────────────────────────────────────────────────────

    def parcel(self) -> tuple[Any, dict[str, Any]] | None:
        """Its transport, and where everything stands; None: nobody has attached, or it is in the middle of a frame."""
        link, framed = self._link, self._framed
        state = link.kept() if link is not None else framed.kept() if framed is not None else None
        if state is None or self.state != self.STATE_OPEN or self.current_frame or self.inside_message:
            return None
        return self.transport, {
            "door": "websocket",
            "request": self.http_request_data,
            "unread": self.data,
            "deflate": deflate.agreed(self),
            "address": self._address,
            "framed" if link is None else "link": state,
        }

    def adopt(self, transport: Any, state: Mapping[str, Any]) -> None:
        """Go on where another process stood: what :meth:`parcel` gave, into a new one. The handshake is read again, and
        not answered; nothing else is written.

        :raises KeyError: some of it is missing, or its session
        :raises ValueError: this server does not agree to what the other agreed to
        """
        factory = self.factory
        self._replaying = True
        self.makeConnection(transport)
        self.dataReceived(state["request"])
        self._replaying = False
        if self.state != self.STATE_OPEN or deflate.agreed(self) != state["deflate"]:
            raise ValueError("another handshake")
        self._address, self._attaching, self._bucket = state["address"], True, factory.bucket()
        if "framed" in state:
            self._framed = factory.framed(self, self._subprotocol, self._address)
            self._framed.adopt(state["framed"])
        else:
            session = factory.realm.session(state["link"]["session"])
            if session is None:
                raise KeyError(state["link"]["session"])
            units = factory.units if state["deflate"] else None
            link = self._link = SocketLink(self, factory.outlet, factory.realm, session, self._address, units)
            factory.doorman.readmit(self._address)
            self._admitted = True
            link.restore(state["link"])
            beneath(transport).bufferSize = HOLD
            transport.registerProducer(link, True)
        self.data = state["unread"]

    def went_on(self) -> None:
        """What the other process had read, and not in whole, is looked at again."""
        if self._framed is not None:
            connection: Any = self._framed.wrappedProtocol
            connection.went_on()
        if self.data:
            self.dataReceived(b"")

    def _too_late(self) -> None:
        self._deadline = None
        bid_farewell(self, 1008, "attach first")

    def _in_time(self) -> None:
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline.cancel()

    def _attach(self, frame: client.Attach) -> None:
        if self._attaching:
            bid_farewell(self, 1008, "attached already")
            return
        self._attaching = True
        self._in_time()
        Deferred.fromCoroutine(self._attach_with(frame)).addErrback(self._broke)

    async def _attach_with(self, frame: client.Attach) -> None:
        factory = self.factory
        try:
            session = await factory.accounts.session_by(frame.token)
        except (Busy, StoreDown):
            bid_farewell(self, 1011, "come back in a moment")
            return
        except Refusal as refusal:
            self.sendMessage(client.error("token", str(refusal)), doNotCompress=True)
            bid_farewell(self, 1008, "token")
            return
        if self.state != self.STATE_OPEN:
            return
        units = factory.units if deflate.agreed(self) else None
        link = SocketLink(self, factory.outlet, factory.realm, session, self._address, units)

        def hello(attached: Attached) -> None:
            self._greet(link, attached)

        factory.realm.attach(link, session, epoch=frame.epoch, last=frame.last, shown=frame.token, then=hello)

    def _greet(self, link: SocketLink, attached: Attached) -> None:
        if self.state != self.STATE_OPEN:
            link.realm.detach(link, link.session)
            return
        self._link = link
        link.send(
            text_frame(
                client.hello(
                    attached.session,
                    attached.epoch,
                    resumed=attached.resumed,
                    reason=attached.reason or None,
                    missed=attached.missed,
                    next_c=attached.next_c,
                    token=attached.token,
                )
            )
        )
        transport = self.transport
        beneath(transport).bufferSize = HOLD
        transport.unregisterProducer()  # the HTTP channel it came by is still registered
        transport.registerProducer(link, True)
        link.attached()

    def _obey(self, link: SocketLink, frame: client.Command | client.Ack) -> None:
        session = link.session
        link.heard_from()
        ack = frame.a if isinstance(frame, client.Ack) else frame.ack
        if ack is not None and not session.log.ack(link.cursor, ack):
            bid_farewell(self, 1008, "acknowledged what was not sent")
            return
        if isinstance(frame, client.Command):
            at_once = link.realm.submit(session, frame.c, sanitize(frame.line))
            if at_once is not None:
                error, expect, dup = at_once
                link.realm.commits.after(lambda: link.answer(frame.c, error, expect, dup), lasting=True)

    def _broke(self, failure: Any) -> None:
        _log.failure("a WebSocket could not be attached", failure)
        bid_farewell(self, 1011, "our fault")

    def send(self, frames: bytes) -> None:
        if self.state == self.STATE_OPEN:
            direct(self.transport, frames)

    def bid_farewell(self, code: int, reason: str) -> None:
        bid_farewell(self, code, reason)

    def abort(self) -> None:
        self.dropConnection(abort=True)

    def hold(self, why: str) -> None:
        """Read no more until every reason is gone."""
        if not self._holds:
            self.transport.pauseProducing()
        self._holds.add(why)

    def release(self, why: str) -> None:
        self._holds.discard(why)
        if not self._holds and self.state == self.STATE_OPEN:
            self.transport.resumeProducing()


class Door(Protocol):
    """The door of telnet."""

    def framed(self, *, utf8: bool) -> IProtocolFactory:
        """For what frames carry. ``utf8``: nothing else fits in there."""


class SocketFactory(WebSocketServerFactory):
    """:param origins: pages of other sites that may open one
    :param permessage_deflate: take that offer of clients
    :param telnet: the door that clients of telnet come to
    """

    protocol: Any = GameSocket

    def __init__(
        self,
        *,
        realm: Realm,
        accounts: Accounts,
        outlet: Outlet,
        clock: IReactorTime,
        origins: Origins,
        frames_per_second: float,
        address_of: Callable[[Any], str],
        doorman: Doorman,
        permessage_deflate: bool,
        telnet: Door,
    ) -> None:
        super().__init__(protocols=list(_SUBPROTOCOLS), server="Mythos", reactor=clock)
        self.realm = realm
        self.accounts = accounts
        self.outlet = outlet
        self.clock = clock
        self.address_of = address_of
        self.doorman = doorman
        self.units = Units()
        self.frames_per_second = frames_per_second
        self._streams, self._terminals = telnet.framed(utf8=False), telnet.framed(utf8=True)
        self._origins = origins
        self.setProtocolOptions(
            autoPingInterval=25,
            autoPingTimeout=10,
            autoPingRestartOnAnyTraffic=True,
            maxMessagePayloadSize=65_536,
            maxFramePayloadSize=65_536,
            openHandshakeTimeout=5,
            closeHandshakeTimeout=2,
            failByDrop=False,
            utf8validateIncoming=True,
            webStatus=False,
            tcpNoDelay=True,
            perMessageCompressionAccept=deflate.accept if permessage_deflate else None,
        )

    def bucket(self) -> Bucket:
        """The pace of one connection."""
        return Bucket(self.frames_per_second, self.frames_per_second * 4)

    def framed(self, socket: GameSocket, subprotocol: str, address: str) -> Framed:
        """What a WebSocket carries that speaks this subprotocol of telnet."""
        door = self._streams if subprotocol in STREAMS else self._terminals
        connection = door.buildProtocol(IPv4Address("TCP", address, 0))
        assert connection is not None
        return Framed(socket, speech(subprotocol), connection, address, self.clock)

    def admits(self, request: Any) -> bool:
        """No ``Origin`` is no browser; else it is this host, or one that the operator named."""
        return self._origins.admits(request.headers.get("origin", ""), request.headers.get("host", ""))
