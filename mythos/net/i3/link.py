"""Our link to an Intermud-3 router: found again whenever it is lost, and never faster than routers allow.

Routers are tried in the order of the configuration, with a growing pause. A router's password is kept as soon as it is
told, in a file of its own that nobody else reads. The session is up when the router has let us in, not before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from typing import Protocol as Shape

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from mythos.errors import WireError
from mythos.flow.window import Window
from mythos.net.i3.waiting import Waiting
from mythos.net.transport import direct, tune
from mythos.net.turn import Turn
from mythos.telemetry.metrics import I3Numbers
from mythos.wire.i3 import lpc, packets
from mythos.wire.i3.directory import Directory
from mythos.wire.i3.mudmode import FrameReader, frame
from mythos.wire.i3.packets import BadPacket, Packet, parse, values

__all__ = ["Identity", "Resident", "Router", "RouterLink"]

_log = Logger()

#: Seconds until a router that is silent at startup is given up; longest pause between tries.
STARTUP: Final = 30.0
LONGEST: Final = 300.0
#: A second with a margin: on their way packets come closer together than they were sent.
SECOND: Final = 1.1
#: Packets that a startup counts for with routers that throw out who sends too many.
STARTUP_COUNTS: Final = 6
#: Seconds a session has to hold before the pauses begin anew.
HEALTHY: Final = 60.0
#: Seconds that a router has to read the last of it when we stop.
LEAVING: Final = 2.0
#: Heartbeats without a word after which the router is asked whether it is there, and questions until it is given up.
SILENCE: Final = 4
QUESTIONS: Final = 3
_LISTS: Final = (packets.MudList, packets.ChannelList)


@dataclass(frozen=True, slots=True)
class Router:
    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Identity:
    """What a router and other MUDs are told of us."""

    name: str
    player_port: int
    admin_email: str
    services: tuple[str, ...]
    mudlib: str = "Mythos"
    base_mudlib: str = "Mythos"
    driver: str = "Mythos"
    kind: str = "Mythos"
    status: str = "open for public"


class Resident(Shape):
    """The MUD whose link it is."""

    def up(self, router: str) -> None:
        """The router let us in."""

    def down(self) -> None:
        """The router is lost, or we left it."""

    def received(self, packet: Packet) -> None:
        """Anything that came while up; the lists too, which the link's directory knows by then."""


class _Connection(Protocol):
    """One TCP connection to a router; a frame may hold several packets."""

    transport: Any

    def __init__(self, link: RouterLink) -> None:
        self._link = link
        self._reader = FrameReader()

    def connectionMade(self) -> None:
        tune(self.transport)
        self.transport.protocol = self  # and not the endpoint's wrapper, which passes every read on
        self._link.connected(self)

    def dataReceived(self, data: bytes) -> None:
        self._link.turn.during(self._read, data)

    def _read(self, data: bytes) -> None:
        link = self._link
        self._reader.receive(data)
        try:
            for payload in self._reader.frames():
                if payload.startswith(link.echoes) and payload.find(b"({", 2) < 0:  # and no packet behind it
                    link.alive()
                    continue
                found, error = lpc.decode(payload)
                for value in found:
                    link.received(value)
                if error is not None:
                    link.refused(error)
        except WireError as error:
            _log.warn("the router broke the protocol: {error}", error=error)
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._link.lost(self)


class RouterLink:
    """Implements ``Port`` of :mod:`mythos.play.intermud`.

    :param directory: gives the lists of a router, by its name: links that share them ask only for what has changed
    :param passwords: by router; ``keep`` is called when there is a new one
    :param rate: packets within any second; 0: as many as there are
    :param times: seconds that a connection may take, of the first pause between tries, and between two heartbeats
    :param chance: a number from 0 to 1, so that MUDs do not all come back at the same instant
    :ivar resident: set before :meth:`start`
    :ivar turn: it writes with all who share it; set before :meth:`start`, or its own
    :ivar tells_changed: called when a tell begins to wait, and before one that waited is written
    :ivar up: the router has let us in; ``router`` is its name then
    :ivar sent: packets; ``heard`` likewise, ``bad``: what could not be read, ``dropped``: what found no place
    """

    def __init__(
        self,
        reactor: Any,
        routers: Sequence[Router],
        identity: Identity,
        *,
        rate: int,
        times: tuple[float, float, float] = (30.0, 5.0, 60.0),
        passwords: dict[str, int],
        keep: Callable[[], None],
        chance: Callable[[], float],
        directory: Callable[[str], Directory],
    ) -> None:
        self.resident: Resident
        #: How our own lines on channels begin when the router sends them back: residents do not want them.
        self.echoes = tuple(
            [
                b'({"%b",%d,%b,' % (kind.encode(), ttl, lpc.encode(identity.name))
                for kind in ("channel-m", "channel-e", "channel-t")
                for ttl in range(1, packets.TTL + 1)
            ]
        )
        self.turn = Turn()
        self.up = False
        self.router = ""
        self.sent = self.heard = self.bad = self.dropped = 0
        self._reactor = reactor
        self._routers = routers
        self._identity = identity
        self._pace = Window(rate, SECOND) if rate else None
        self._keep = keep
        self._chance = chance
        self._passwords = passwords
        self._directory = directory
        self.tells_changed: Callable[[], None] = lambda: None
        self._waiting = Waiting(lambda: self.tells_changed())
        self._out: list[bytes] = []
        self._connection: _Connection | None = None
        self._router = Router("", "", 0)
        self.directory = Directory()
        self._next = 0
        self._patience, self._first_pause, self._heartbeat = times
        self._pause = self._first_pause
        self._up_since = 0.0
        self._heard_at = 0.0
        self._questions = 0
        self._timers: dict[str, IDelayedCall] = {}
        self._stopped = False

    # ── from outside ────────────────────────────────────────────────────────────────────────────

    def numbers(self, mud: str) -> I3Numbers:
        """:param mud: whose link it is"""
        muds = self.directory.muds.values()
        packets = {"sent": self.sent, "heard": self.heard, "bad": self.bad, "dropped": self.dropped}
        return I3Numbers(mud, self.up, self.state, len(self._waiting), sum([mud.up for mud in muds]), packets)

    def start(self) -> None:
        self._try()

    async def stop(self) -> None:
        """Say that we go, so that nobody waits for us."""
        self._stopped = True
        if self.up and self._connection is not None:
            self._write(packets.Shutdown(self._identity.name, "", self.router, "", 0))
        for timer in self._timers.values():
            if timer.active():
                timer.cancel()
        if self._connection is not None:
            self._gone: Deferred[None] = Deferred()
            self._leave(self._connection)
            self._later("stop", LEAVING, self._connection.transport.abortConnection)
            await self._gone
            self._cancel("stop")

    def send(self, packet: Packet) -> bool:
        if not self.up:
            self.dropped += 1
            return False
        return self._put(packet)

    def _put(self, packet: Packet) -> bool:
        data = self._encoded(packet)
        if data and self.up and not self._waiting and self._free_in() == 0.0:
            self._transmit(data)
            return True
        lost = self._waiting.put(packet, data) if data else packet
        if lost is not None:
            self.dropped += 1
            if lost is packet:
                return False
        self._drain()
        return True

    def send_later(self, tell: Packet) -> None:
        """A tell that waited when the server stopped: it goes out as soon as a router is there."""
        self._put(tell)

    @property
    def tells_wait(self) -> bool:
        """Whether a tell that was sent just now waits, as all before it."""
        return self._waiting.tells_wait

    def unsent(self) -> list[Packet]:
        """Tells that wait."""
        return list(self._waiting.tells())

    def reconnect(self) -> None:
        """Leave the router, or a pause between two tries, and begin anew with the best router."""
        self._pause, self._next = self._first_pause, 0
        if self._connection is not None:
            if self.up:
                self._write(packets.Shutdown(self._identity.name, "", self.router, "", 1))
            self._leave(self._connection)
        elif "try" in self._timers:
            self._later("try", 0, self._try)

    @property
    def state(self) -> str:
        """Of the circuit to the routers: ``closed`` while one is there, ``half-open`` while one is tried, and ``open``
        during the pause between two tries."""
        if self.up:
            return "closed"
        return "open" if "try" in self._timers else "half-open"

    def _drain(self) -> None:
        while self.up and self._waiting:
            wait = self._free_in()
            if wait > 0.0:
                self._later("drain", wait, lambda: self.turn.during(RouterLink._drain, self))
                return
            self._transmit(self._waiting.take())

    def _free_in(self) -> float:
        """Seconds until a packet may go; 0.0: one goes now, and is counted."""
        return self._pace.take(self._reactor.seconds()) if self._pace is not None else 0.0

    def _encoded(self, packet: Packet) -> bytes:
        """As a frame; empty: words that no packet holds."""
        try:
            return frame(lpc.encode(values(packet)))
        except WireError as error:
            _log.info("a {kind} could not be sent: {error}", kind=type(packet).__name__, error=error)
            return b""

    def _write(self, packet: Packet) -> None:
        """Past the queue: what keeps the link itself going."""
        self._transmit(self._encoded(packet))

    def _transmit(self, data: bytes) -> None:
        if self._connection is not None and data:
            self.sent += 1
            self._out.append(data)
            if len(self._out) == 1:
                self.turn.wake(self._flush)

    def _flush(self) -> None:
        out, self._out = self._out, []
        self.turn.ready()
        if out and self._connection is not None:
            direct(self._connection.transport, b"".join(out))

    def _leave(self, connection: _Connection) -> None:
        """Close it, behind what was sent."""
        self._flush()
        connection.transport.loseConnection()

    # ── the connection ──────────────────────────────────────────────────────────────────────────

    def _try(self) -> None:
        self._timers.pop("try", None)
        if not self._routers:
            return  # none is configured: it stays down
        router = self._router = self._routers[self._next % len(self._routers)]
        self.directory = self._directory(router.name)
        self._next += 1
        where = TCP4ClientEndpoint(self._reactor, router.host, router.port, timeout=self._patience)
        where.connect(Factory.forProtocol(lambda: _Connection(self))).addErrback(self._unreachable)

    def _unreachable(self, failure: Failure) -> None:
        _log.warn("router {name} is not reached: {error}", name=self._router.name, error=failure.getErrorMessage())
        self._again()

    def _again(self) -> None:
        if self._stopped:
            return
        wait = self._pause * (0.9 + 0.2 * self._chance())
        self._pause = min(self._pause * 2, LONGEST)
        self._later("try", wait, self._try)

    def connected(self, connection: _Connection) -> None:
        if self._stopped:
            connection.transport.abortConnection()
            return
        self._connection = connection
        me = self._identity
        known = self._directory(self._router.name)
        self._write(
            packets.StartupRequest(
                *(me.name, "", self._router.name, ""),
                *(_fit(self._passwords.get(self._router.name, 0)), _fit(known.mudlist_id), _fit(known.chanlist_id)),
                *(me.player_port, 0, 0),
                *(me.mudlib, me.base_mudlib, me.driver, me.kind, me.status, me.admin_email),
                *(dict.fromkeys(me.services, 1), {}),
            )
        )
        if self._pace is not None:
            self._pace.use(self._reactor.seconds(), STARTUP_COUNTS)
        self._later("startup", STARTUP, connection.transport.abortConnection)

    def lost(self, connection: _Connection) -> None:
        if self._connection is not connection:
            return
        self._connection = None
        self._out.clear()
        self._waiting.keep_tells()
        was_up, self.up = self.up, False
        if was_up:
            self.resident.down()
        for name in ("startup", "silence", "drain"):
            self._cancel(name)
        if self._stopped:
            self._gone.callback(None)
            return
        if was_up:
            _log.warn("the link to {name} is lost", name=self._router.name)
            if self._reactor.seconds() - self._up_since > HEALTHY:
                self._pause, self._next = self._first_pause, 0
            else:
                self.directory.begin_anew()
        self._again()

    # ── what the router says ────────────────────────────────────────────────────────────────────

    def refused(self, error: WireError) -> None:
        """Something that is no packet: it is counted, and the connection stays."""
        self.bad += 1
        _log.debug("not read: {error}", error=error)

    def alive(self) -> None:
        """The router said something."""
        self.heard += 1
        self._heard_at = self._reactor.seconds()
        self._questions = 0

    def received(self, value: Any) -> None:
        self.alive()
        try:
            packet = parse(value)
        except BadPacket as error:
            self.refused(error)
            return
        if isinstance(packet, packets.StartupReply):
            self._let_in(packet)
        elif not self.up:
            if isinstance(packet, packets.Error):
                _log.error("router {name}: {message}", name=self._router.name, message=packet.message)
                self._pause = LONGEST
        else:
            if isinstance(packet, _LISTS):
                if packet.from_mud != self.router:
                    return
                self.directory.learn(packet)
            try:
                self.resident.received(packet)
            except Exception:  # a frame handler: one packet costs no other
                _log.failure("a {kind} from {mud} broke", kind=type(packet).__name__, mud=packet.from_mud)

    def _let_in(self, packet: packets.StartupReply) -> None:
        self._cancel("startup")
        if self._passwords.get(self._router.name) != packet.password:
            self._passwords[self._router.name] = packet.password
            self._keep()
        if self.up:
            return
        self.up, self.router = True, packet.from_mud
        self._up_since = self._heard_at
        _log.info("connected to router {name}", name=packet.from_mud)
        self.resident.up(packet.from_mud)
        self._drain()
        self._later("silence", self._heartbeat, self._listen_for_silence)

    def _listen_for_silence(self) -> None:
        """A link that is half open would stay so for hours: ask ourselves through the router."""
        if self._reactor.seconds() - self._heard_at > SILENCE * self._heartbeat:
            if self._questions >= QUESTIONS and self._connection is not None:
                _log.warn("router {name} is silent", name=self._router.name)
                self._connection.transport.abortConnection()
                return
            self._questions += 1
            self._write(packets.AuthRequest(self._identity.name, "", self._identity.name, ""))
        self._later("silence", self._heartbeat, self._listen_for_silence)

    # ── time ────────────────────────────────────────────────────────────────────────────────────

    def _later(self, name: str, seconds: float, work: Callable[[], Any]) -> None:
        self._cancel(name)
        self._timers[name] = self._reactor.callLater(seconds, work)

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None and timer.active():
            timer.cancel()


def _fit(number: int) -> int:
    """0 instead of a number that no router takes: one that it told us itself must not keep us from coming back."""
    return number if lpc.LOWEST <= number <= lpc.HIGHEST else 0
