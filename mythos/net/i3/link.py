"""Our link to an Intermud-3 router: found again whenever it is lost, and never faster than routers allow.

Routers are tried in the order of the configuration, with a growing pause. A router's password is kept as soon as it is
told, in a file of its own that nobody else reads. The session is up when the router has let us in, not before.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from mythos.errors import WireError
from mythos.flow.bucket import Bucket
from mythos.net.i3.router import save
from mythos.net.outlet import tune
from mythos.play.intermud import SERVICES, Intermud
from mythos.telemetry.metrics import I3Numbers
from mythos.wire.i3 import lpc, packets
from mythos.wire.i3.mudmode import FrameReader, frame
from mythos.wire.i3.packets import BadPacket, Packet, parse, values

__all__ = ["Identity", "Router", "RouterLink"]

_log = Logger()

#: Seconds until a router that is silent at startup is given up; between tries, at first and at most.
STARTUP: Final = 30.0
PAUSES: Final = (5.0, 300.0)
#: Seconds a session has to hold before the pauses begin anew.
HEALTHY: Final = 60.0
#: Seconds without a word after which the router is asked whether it is there, and questions until it is given up.
SILENCE: Final = 240.0
QUESTIONS: Final = 3
#: Packets that wait for their turn.
QUEUE: Final = 200
_CHANNEL = (packets.ChannelMessage, packets.ChannelEmote, packets.ChannelTargetedEmote)


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
    version: str


class _Connection(Protocol):
    """One TCP connection to a router; a frame may hold several packets."""

    transport: Any

    def __init__(self, link: RouterLink) -> None:
        self._link = link
        self._reader = FrameReader()

    def connectionMade(self) -> None:
        tune(self.transport)
        self._link.connected(self)

    def dataReceived(self, data: bytes) -> None:
        link = self._link
        self._reader.receive(data)
        try:
            for payload in self._reader.frames():
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

    :param rate: packets a second, and at once; 0: as many as there are
    :param path: where passwords are kept, by router
    :param chance: a number from 0 to 1, so that MUDs do not all come back at the same instant
    :ivar sent: packets; ``heard`` likewise, ``bad``: what could not be read, ``dropped``: what found no place
    """

    def __init__(
        self,
        reactor: Any,
        routers: Sequence[Router],
        identity: Identity,
        *,
        rate: float,
        path: Path,
        chance: Callable[[], float],
    ) -> None:
        self.intermud: Intermud | None = None
        self.sent = self.heard = self.bad = self.dropped = 0
        self._reactor = reactor
        self._routers = routers
        self._identity = identity
        self._bucket = Bucket(rate, rate) if rate else None
        self._path = path
        self._chance = chance
        self._passwords = _read(path)
        self._queue: deque[Packet] = deque()
        self._connection: _Connection | None = None
        self._router = routers[0]
        self._next = 0
        self._pause = PAUSES[0]
        self._up_since = 0.0
        self._heard_at = 0.0
        self._questions = 0
        self._timers: dict[str, IDelayedCall] = {}
        self._stopped = False

    # ── from outside ────────────────────────────────────────────────────────────────────────────

    @property
    def up(self) -> bool:
        return bool(self.intermud and self.intermud.router)

    def numbers(self) -> I3Numbers:
        muds = self.intermud.muds.values() if self.intermud is not None else ()
        packets = {"sent": self.sent, "heard": self.heard, "bad": self.bad, "dropped": self.dropped}
        return I3Numbers(self.up, len(self._queue), sum([mud.up for mud in muds]), packets)

    def start(self) -> None:
        self._try()

    async def stop(self) -> None:
        """Say that we go, so that nobody waits for us."""
        self._stopped = True
        if self.up and self._connection is not None:
            self._write(packets.Shutdown(self._identity.name, "", self._router_name, "", 0))
        for timer in self._timers.values():
            if timer.active():
                timer.cancel()
        if self._connection is not None:
            self._gone: Deferred[None] = Deferred()
            self._connection.transport.loseConnection()
            await self._gone

    def send(self, packet: Packet) -> None:
        if not self.up:
            self.dropped += 1
            return
        if len(self._queue) >= QUEUE:
            self.dropped += 1
            spare = next((one for one in self._queue if isinstance(one, _CHANNEL)), None)
            if spare is None:
                return
            self._queue.remove(spare)
        self._queue.append(packet)
        self._drain()

    def _drain(self) -> None:
        while self._queue and self.up:
            wait = self._bucket.take(self._reactor.seconds()) if self._bucket is not None else 0.0
            if wait > 0.0:
                self._later("drain", wait, self._drain)
                return
            self._write(self._queue.popleft())

    def _write(self, packet: Packet) -> None:
        if self._connection is None:
            return
        try:
            data = frame(lpc.encode(values(packet)))
        except WireError as error:  # words of a player that no packet holds
            self.dropped += 1
            _log.info("a {kind} could not be sent: {error}", kind=type(packet).__name__, error=error)
            return
        self.sent += 1
        self._connection.transport.write(data)

    # ── the connection ──────────────────────────────────────────────────────────────────────────

    def _try(self) -> None:
        router = self._router = self._routers[self._next % len(self._routers)]
        self._next += 1
        where = TCP4ClientEndpoint(self._reactor, router.host, router.port, timeout=STARTUP)
        where.connect(Factory.forProtocol(lambda: _Connection(self))).addErrback(self._unreachable)

    def _unreachable(self, failure: Failure) -> None:
        _log.warn("router {name} is not reached: {error}", name=self._router.name, error=failure.getErrorMessage())
        self._again()

    def _again(self) -> None:
        if self._stopped:
            return
        wait = self._pause * (0.9 + 0.2 * self._chance())
        self._pause = min(self._pause * 2, PAUSES[1])
        self._later("try", wait, self._try)

    def connected(self, connection: _Connection) -> None:
        if self._stopped:
            connection.transport.abortConnection()
            return
        self._connection = connection
        me = self._identity
        self._write(
            packets.StartupRequest(
                *(me.name, "", self._router.name, ""),
                *(self._passwords.get(self._router.name, 0), 0, 0, me.player_port, 0, 0),
                *("Mythos", "Mythos", f"Mythos {me.version}", "Mythos", "open for public", me.admin_email),
                *(dict(SERVICES), {}),
            )
        )
        self._later("startup", STARTUP, connection.transport.abortConnection)

    def lost(self, connection: _Connection) -> None:
        if self._connection is not connection:
            return
        self._connection = None
        self._queue.clear()  # chatter of minutes ago is worth nothing later
        was_up = self.up
        if self.intermud is not None:
            self.intermud.down()
        for name in ("startup", "silence", "drain"):
            self._cancel(name)
        if self._stopped:
            self._gone.callback(None)
            return
        if was_up:
            _log.warn("the link to {name} is lost", name=self._router.name)
            if self._reactor.seconds() - self._up_since > HEALTHY:
                self._pause, self._next = PAUSES[0], 0
        self._again()

    # ── what the router says ────────────────────────────────────────────────────────────────────

    def refused(self, error: WireError) -> None:
        """Something that is no packet: it is counted, and the connection stays."""
        self.bad += 1
        _log.debug("not read: {error}", error=error)

    def received(self, value: Any) -> None:
        self.heard += 1
        self._heard_at = self._reactor.seconds()
        self._questions = 0
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
                self._pause = PAUSES[1]
        elif self.intermud is not None:
            try:
                self.intermud.received(packet)
            except Exception:  # a frame handler: one packet costs no other
                _log.failure("a {kind} from {mud} broke", kind=type(packet).__name__, mud=packet.from_mud)

    def _let_in(self, packet: packets.StartupReply) -> None:
        self._cancel("startup")
        self._router_name = packet.from_mud
        if self._passwords.get(self._router.name) != packet.password:
            self._passwords[self._router.name] = packet.password
            save(self._passwords, self._path)
        if self.up or self.intermud is None:
            return
        self._up_since = self._heard_at
        _log.info("connected to router {name}", name=packet.from_mud)
        self.intermud.up(packet.from_mud)
        self._later("silence", SILENCE / 4, self._listen_for_silence)

    _router_name = ""

    def _listen_for_silence(self) -> None:
        """A link that is half open would stay so for hours: ask ourselves through the router."""
        if self._reactor.seconds() - self._heard_at > SILENCE:
            if self._questions >= QUESTIONS and self._connection is not None:
                _log.warn("router {name} is silent", name=self._router.name)
                self._connection.transport.abortConnection()
                return
            self._questions += 1
            self._write(packets.AuthRequest(self._identity.name, "", self._identity.name, ""))
        self._later("silence", SILENCE / 4, self._listen_for_silence)

    # ── time ────────────────────────────────────────────────────────────────────────────────────

    def _later(self, name: str, seconds: float, work: Callable[[], Any]) -> None:
        self._cancel(name)
        self._timers[name] = self._reactor.callLater(seconds, work)

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None and timer.active():
            timer.cancel()


def _read(path: Path) -> dict[str, int]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        _log.error("{path} cannot be read: routers will give new passwords", path=path)
        return {}
    return {str(name): number for name, number in found.items() if type(number) is int} if type(found) is dict else {}
