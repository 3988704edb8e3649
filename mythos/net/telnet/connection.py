"""One telnet connection, from its first byte to its last; and the factory of them all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import copy
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any

from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime, ISSLTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from mythos.errors import WireError
from mythos.flow.bucket import Bucket
from mythos.flow.throttle import unmapped
from mythos.net.doorman import Doorman
from mythos.net.outlet import Outlet
from mythos.net.status import Status, Table
from mythos.net.telnet.entrance import MESSAGES, Entrance, Return
from mythos.net.telnet.link import TelnetLink
from mythos.net.telnet.negotiator import CODE_COST, Negotiator
from mythos.net.telnet.outofband import OutOfBand
from mythos.net.telnet.pipe import Pipe
from mythos.net.telnet.screen import Screen
from mythos.net.transport import HOLD, address_of, beneath, part, tune
from mythos.play.accounts import Accounts
from mythos.play.realm import Attached, Realm
from mythos.play.sessions import Session
from mythos.values import kept, restore
from mythos.wire import gmcp, msdp
from mythos.wire.mccp import Units
from mythos.wire.negotiation import Options, Policy
from mythos.wire.telnet import (
    LINE_LIMIT,
    NOP,
    TOO_OFTEN,
    Code,
    LineTooLong,
    Negotiation,
    Option,
    Parser,
    PayloadTooLong,
    Subnegotiation,
)

__all__ = ["TelnetConnection", "TelnetFactory"]

_log = Logger()
_POLICY = Policy.standard()
#: What browsers and scanners begin with, instead of a name.
_HTTP = re.compile(r"[A-Z]{3,7} (/|\*|https?:|[^ ]+ HTTP/)")
_TLS = b"\x16"

#: Bytes a connection may send before it has a session, and seconds it may take.
BEFORE_LOGIN = 16_384
LOGIN_SECONDS = 300.0
SILENT_SECONDS = 60.0
#: Seconds before that in which it is told so.
WARNING = 20.0
#: Seconds of silence after which a NOP keeps routers awake.
QUIET = 30.0
#: Subnegotiations that are heeded, a second and at once; the rest is passed over.
SUBNEGOTIATIONS = (50.0, 100.0)
#: Seconds a subnegotiation may stand open without a byte; then what follows is text again.
OPEN_SECONDS = 10.0
#: Seconds a peer has to take our last words.
LEAVE_SECONDS = 5.0
#: What another process needs of a connection itself.
_KEPT = ("address", "_opened", "_heard", "_received", "_quiet_since")


class TelnetConnection(Protocol):
    """See the module.

    :ivar address: of the client, as far as it is known
    :ivar entrance: until a session is attached; None too if it was refused
    :ivar link: of its session
    """

    __slots__ = (
        "_heard",
        "_leaving",
        "_opened",
        "_options",
        "_pace",
        "_parser",
        "_quiet_at",
        "_quiet_since",
        "_received",
        "_warned",
        "address",
        "entrance",
        "link",
        "negotiator",
        "outofband",
        "pipe",
        "screen",
    )

    factory: TelnetFactory
    transport: Any  # a TCP or TLS transport; tests use StringTransport
    pipe: Pipe  # from connectionMade on
    outofband: OutOfBand
    negotiator: Negotiator

    def __init__(self, policy: Policy = _POLICY, *, utf8: bool = False) -> None:
        self.address = ""
        self.entrance: Entrance | None = None
        self.link: TelnetLink | None = None
        self._parser = Parser()
        self._options = Options(policy)
        self.screen = Screen(self._options, self._parser, utf8=utf8)
        self._pace = Bucket(*SUBNEGOTIATIONS)
        self._opened = 0.0
        self._heard = 0.0
        self._received = 0
        self._warned = 0.0  # of the end of its time, which is then
        self._quiet_at = 0
        self._quiet_since = 0.0
        self._leaving: IDelayedCall | None = None

    # ── its life ────────────────────────────────────────────────────────────────────────────────

    def connectionMade(self) -> None:
        factory = self.factory
        transport = self.transport
        now = self._opened = self._heard = self._quiet_since = factory.clock.seconds()
        tune(transport, factory.outlet.idle)
        self._furnish()
        self.address = address_of(transport)
        refusal = factory.doorman.admit(self.address, now)
        if refusal:
            transport.write(refusal.encode("ascii", "replace") + b"\r\n")
            self._close()
            return
        self.send(self._options.open(now))
        self._wait_at_the_entrance()

    def _furnish(self) -> None:
        """With what stands between it and its transport."""
        factory, transport = self.factory, self.transport
        beneath(transport).bufferSize = HOLD
        self.pipe = Pipe(self, transport, factory.clock)
        self.outofband = OutOfBand(self._options, self.screen.evidence, factory.server)
        self.negotiator = Negotiator(self, self._options, self._parser, factory, self._pace)

    def _wait_at_the_entrance(self) -> Entrance:
        factory = self.factory
        factory.waiting.add(self)
        self.entrance = Entrance(self, self.screen, factory.accounts, factory.status, factory.greeting, factory.clock)
        return self.entrance

    def connectionLost(self, reason: Failure = Failure) -> None:  # type: ignore[assignment]
        self.pipe.lost()
        if self._leaving is not None and self._leaving.active():
            self._leaving.cancel()
        if self.entrance is None and self.link is None:
            return  # it was refused
        self.factory.doorman.leave(self.address)
        self.factory.waiting.discard(self)
        if self.entrance is not None:
            self.entrance.close()
        self.entrance = None
        link, self.link = self.link, None
        if link is not None:
            link.detached()

    def parcel(self) -> tuple[Any, dict[str, Any]] | None:
        """Its transport, and where everything stands, for another process; None: it cannot be handed over."""
        wrapped = getattr(self.transport, "parcel", None)
        if wrapped is not None:
            return wrapped()  # type: ignore[no-any-return]
        state = self.kept()
        return None if state is None else (self.transport, {"door": "telnet", **state})

    def kept(self) -> dict[str, Any] | None:
        """See :meth:`parcel`."""
        pipe, entrance, link = self.pipe.kept(), self.entrance, self.link
        waiting = entrance.kept() if entrance is not None else None
        if self._leaving is not None or pipe is None or (waiting is None and (link is None or not link.ready)):
            return None
        return {
            **kept(self, _KEPT),
            "parser": self._parser.kept(),
            "options": self._options.kept(),
            "screen": self.screen.kept(),
            "reports": self.outofband.kept(),
            "negotiator": self.negotiator.kept(),
            "pipe": pipe,
            "entrance": waiting,
            "link": link.kept() if link is not None else None,
        }

    def adopt(self, transport: Any, state: Mapping[str, Any]) -> None:
        """Go on where another process stood: what :meth:`kept` gave, into a new one. Nothing is written.

        :raises KeyError: some of it is missing, or its session
        """
        factory = self.factory
        self.transport, self.connected = transport, 1
        self._furnish()
        restore(self, _KEPT, state)
        self._parser.restore(state["parser"])
        self._options.restore(state["options"])
        link = None
        if state["link"] is not None:
            session = factory.realm.session(state["link"]["session"])
            if session is None:
                raise KeyError(state["link"]["session"])
            link = self.link = TelnetLink(self, factory.outlet, factory.realm, session)
        self.screen.restore(state["screen"], link.session.me.settings if link is not None else None)
        self.outofband.restore(state["reports"])
        self.negotiator.restore(state["negotiator"])
        self.pipe.restore(state["pipe"], factory.units)
        factory.doorman.readmit(self.address)
        if link is None:
            self._wait_at_the_entrance().restore(state["entrance"])
        else:
            link.restore(state["link"])
            transport.registerProducer(link, True)
            if state["pipe"]["held"] is not None:
                self.hold()

    def went_on(self) -> None:
        """This process is the server now."""
        if self.link is not None:
            self.link.follow_settings()

    def attach(self, session: Session, returned: Return) -> None:
        factory = self.factory
        link = self.link = TelnetLink(self, factory.outlet, factory.realm, session)
        factory.waiting.discard(self)
        self.screen.remember_speech(factory.realm.world, session.me)
        factory.realm.attach(
            link,
            session,
            epoch=returned.epoch,
            last=returned.last,
            returning=returned.last is None,
            token=self.outofband.counts or self._keeps_token(),
            shown=returned.shown,
            then=lambda attached: self._attached(link, attached),
        )
        if self.entrance is not None:  # the disk is waited for; what is typed meanwhile can wait too
            self.pipe.stop_reading()

    def _attached(self, link: TelnetLink, attached: Attached) -> None:
        if self.link is not link:  # the connection was lost meanwhile
            link.realm.detach(link, link.session)
            return
        entrance, self.entrance = self.entrance, None
        self._parser.limit = LINE_LIMIT
        link.follow_settings()
        self.send(link.hello(attached, keeps_token=self._keeps_token()))
        if self._options.us(Option.GMCP) and self.screen.evidence.terminal().client.upper().startswith("MUDLET"):
            self.send(b"".join([gmcp.encode(name, data) for name, data in self.factory.downloads.items()]))
        self.transport.registerProducer(link, True)
        link.attached()
        link.draw(anew=attached.resumed)
        link.report()
        self.pipe.read_on()
        for text in entrance.lines if entrance is not None else ():
            link.line(text)

    def _keeps_token(self) -> bool:
        """Char.Login 2: the client keeps a token to come back with. Not over a line that others may read."""
        return self.outofband.modules.get("char.login", 0) > 1 and ISSLTransport.providedBy(self.transport)

    def hang_up(self, reason: str) -> None:
        self._say(reason)
        self._close()

    def goodbye(self, code: int, reason: str) -> None:
        if code != 1000:
            self._say(f"-- {reason} --")
        if self._options.us(Option.GMCP):
            self.send(gmcp.encode("Core.Goodbye", reason))
        self._close(code, reason)

    def _close(self, code: int = 1000, reason: str = "") -> None:
        """Close, after what was sent; a peer that does not take it is not waited for."""
        if self._leaving is not None:
            return
        if self.entrance is not None:
            self.entrance.close()
        transport, link = self.transport, self.link
        self._leaving = self.factory.clock.callLater(LEAVE_SECONDS, transport.abortConnection)
        self.pipe.finish()
        if link is not None and link.ready:
            link.pauseProducing()
            transport.unregisterProducer()  # TLS would wait for its last word
        part(transport, code, reason)

    def abort(self) -> None:
        self.transport.abortConnection()

    # ── what goes out ───────────────────────────────────────────────────────────────────────────

    def send(self, data: bytes) -> None:
        self.pipe.send(data)

    def _say(self, text: str) -> None:
        if self._leaving is None:
            self.send(self.screen.words(text))

    def hide_typing(self, hide: bool) -> None:
        self.negotiator.hide_typing(hide)

    def probe(self) -> bytes | None:
        return self.negotiator.probe()

    def hold(self) -> None:
        if self.link is not None and not self.link.shut:
            self.link.pauseProducing()

    def go_on(self) -> None:
        if self.link is not None:
            self.link.resumeProducing()

    # ── what comes in ───────────────────────────────────────────────────────────────────────────

    def dataReceived(self, data: bytes) -> None:
        if self._leaving is not None:
            return
        self._heard = self.factory.clock.seconds()
        if self.link is None:
            self._received += len(data)
            if self._received > BEFORE_LOGIN:
                self.hang_up("That was too much before you said who you are.")
                return
            if self._received == len(data) and data.startswith(_TLS):
                self._close()
                return
        try:
            self.pipe.receive(data)
        except WireError as error:
            _log.info("{address} broke the telnet protocol: {error}", address=self.address, error=error)
            self._close()

    def _wrong_door(self) -> None:
        page = b"This is a telnet port. The web client is at " + self.factory.web_address.encode() + b"\r\n"
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(page), page)
        )
        self._close()

    def heed(self, data: bytes) -> bytes:
        for event in self._parser.receive(data):
            if type(event) is bytes:
                self._line(event)
            else:
                self._event(event)
        if self.entrance is not None:
            self.entrance.go_on()
        return self._parser.rest()

    def inflated(self) -> None:
        self.negotiator.inflated()

    def _line(self, raw: bytes) -> None:
        if self._leaving is not None:  # of what came in one piece, what is behind a last word counts no more
            return
        text = self.screen.evidence.encoding.decode(raw)
        if self.entrance is None:
            if self.link is not None:
                self.link.line(text)
        elif _HTTP.match(text) and not self.entrance.secret and not self.entrance.lines:
            self._wrong_door()
        else:
            self.entrance.line(text)

    def _event(self, event: Any) -> None:
        if type(event) is Negotiation:
            self.negotiator.received(event, self._heard)
        elif type(event) is Subnegotiation:
            if event.option == Option.MCCP3 and self._options.us(Option.MCCP3):
                self._parser.stops_at = None
                self.pipe.inflate()
            elif self._options.agreed(event.option) and not self._pace.take(self._heard):
                self._subnegotiated(event)
        elif type(event) is Code:
            if event is Code.AYT and not self._pace.take(self._heard, CODE_COST):
                self.send(b"\r\n[Yes]\r\n")
            elif event is Code.AO and not self._pace.take(self._heard, CODE_COST):
                self.send(bytes((255, Code.DM)))
        elif type(event) is LineTooLong:
            self._line(event.line)
            self._say("That line was too long: its end was cut off.")
        elif type(event) is PayloadTooLong and event.count >= TOO_OFTEN:
            raise WireError("too many oversized subnegotiations")

    def _subnegotiated(self, event: Subnegotiation) -> None:
        evidence = self.screen.evidence
        try:
            if event.option == Option.GMCP:
                self._gmcp(gmcp.decode(event.payload))
            elif event.option == Option.MSDP:
                self._msdp(msdp.decode(event.payload))
            else:
                self.send(evidence.heard(event.option, event.payload))
                if event.option == Option.NEW_ENVIRON:
                    self._believe(evidence.variable("IPADDRESS"))
        except WireError:
            return  # dropped, as telnet clients expect; the parser counts what is too long
        self.negotiator.learnt()
        if self.link is not None:
            self.screen.remember_speech(self.factory.realm.world, self.link.session.me)

    def _believe(self, said: str | None) -> None:
        """A proxy that is trusted says once, before anybody has come in, for whom it speaks."""
        peer = address_of(self.transport)
        if self.link is not None or self.address != peer or not self.factory.trusts(peer):
            return
        try:
            address = unmapped(str(ip_address(said or "")))
        except ValueError:
            return
        doorman = self.factory.doorman
        if refusal := doorman.admit(address, self._heard):
            self.hang_up(refusal)
            return
        doorman.leave(self.address)
        self.address = address

    # ── messages of GMCP and MSDP ───────────────────────────────────────────────────────────────

    def _gmcp(self, message: gmcp.Gmcp) -> None:
        name, data = message.name, message.data
        if name == "core.ping":
            self.send(gmcp.encode("Core.Ping"))
        elif name == "core.hello":
            self.screen.evidence.core(message)
        elif name.startswith("core.supports."):
            self._supported(self.outofband.supported(message), anew=name.endswith(".set"))
        elif name == "msdp" and isinstance(data, dict):
            self._msdp(list(data.items()), json=True)
        elif name in MESSAGES:
            if self.entrance is not None and isinstance(data, dict):
                self.entrance.told(name, data)
        elif self.link is None:
            return
        elif name == "mythos.ack":
            epoch = data.get("e") if isinstance(data, dict) else None
            number = data.get("s") if isinstance(data, dict) else data
            if type(number) is int:
                self.link.arrival.acknowledged(number, epoch)
        else:
            self.link.asked(message)

    def _supported(self, before: Mapping[str, int], *, anew: bool) -> None:
        """The client said which modules it supports; ``anew``: what it draws is owed to it even if it had it."""
        modules = self.outofband.modules
        if self.link is not None and self.link.ready:
            if anew or not modules.keys() <= before.keys():
                self.link.draw(anew=True)
        elif self.entrance is not None and (version := modules.get("char.login")) and "char.login" not in before:
            self.entrance.offer(version)

    def _msdp(self, pairs: list[tuple[str, Any]], *, json: bool = False) -> None:
        reports = self.outofband.configured(pairs)
        if self.link is not None and self.link.ready:
            self.link.configure(pairs, json=json)
        else:
            self.send(reports.asked(pairs, None, self._heard, json=json))

    # ── now and then ────────────────────────────────────────────────────────────────────────────

    def keep_alive(self, now: float) -> None:
        """Each second: what waits too long for the peer is given up, and a silent line is kept open."""
        self.negotiator.look(now)
        self._give_up_open(now)
        if self.pipe.written != self._quiet_at:
            self._quiet_at, self._quiet_since = self.pipe.written, now
        elif now - self._quiet_since > QUIET and self._parser.speaks_telnet and self.screen.keeps_alive:
            self.send(NOP)

    def _give_up_open(self, now: float) -> None:
        if self._parser.subnegotiating and now - self._heard > OPEN_SECONDS:
            self._parser.abandon()

    def wait(self, now: float) -> None:
        """Each second until somebody is in: for too long nobody has said who they are."""
        self._give_up_open(now)
        end = min(self._opened + LOGIN_SECONDS, self._heard + SILENT_SECONDS)
        if now > end:
            self.hang_up("You took too long to say who you are. Come again.")
        elif now > end - WARNING and self._warned != end and self.entrance is not None:
            self._warned = end
            self.entrance.hurry(int(WARNING))


class TelnetFactory(Factory):
    """:ivar waiting: connections that have not said who they are
    :ivar server: variables of MSDP that do not depend on who asks: name -> what gives its value

    :param status: makes the table of MSSP
    :param policy: which options there are
    :param trusts: whether an address is that of a proxy whose word on a client's address is believed
    :param downloads: messages of GMCP for Mudlet, by name: what it may fetch
    :param mccp2: offer to compress what is sent; ``mccp3``: and take what clients compress
    """

    noisy = False
    _utf8 = False

    def __init__(
        self,
        *,
        realm: Realm,
        accounts: Accounts,
        outlet: Outlet,
        clock: IReactorTime,
        doorman: Doorman,
        greeting: list[str],
        web_address: str,
        status: Callable[[], Table],
        downloads: Mapping[str, Any] = MappingProxyType({}),
        mccp2: bool = True,
        mccp3: bool = False,
        policy: Policy = _POLICY,
        trusts: Callable[[str], bool] = lambda address: False,
    ) -> None:
        self.realm = realm
        self.accounts = accounts
        self.outlet = outlet
        self.clock = clock
        self.doorman = doorman
        self.greeting = greeting
        self.web_address = web_address
        self.status = Status(status, clock.seconds)
        self.server: Mapping[str, Callable[[], Any]] = {
            "SERVER_ID": lambda: self.status.name,
            "SERVER_TIME": lambda: int(realm.clock.wall()),
        }
        self.downloads = downloads
        self.mccp2 = mccp2
        self.mccp3 = mccp3
        self.units = Units()
        self.policy = policy
        self.trusts = trusts
        self.waiting: set[TelnetConnection] = set()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        connection = TelnetConnection(self.policy, utf8=self._utf8)
        connection.factory = self
        return connection

    def framed(self, *, utf8: bool) -> TelnetFactory:
        """The same door for what frames carry, which compress it themselves. ``utf8``: nothing else fits in there."""
        door = copy(self)
        door.mccp2 = door.mccp3 = False
        door._utf8 = utf8
        return door

    def sweep(self, now: float) -> None:
        """Let go of those who have not said who they are."""
        for connection in tuple(self.waiting):
            connection.wait(now)
