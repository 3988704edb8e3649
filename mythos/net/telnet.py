"""Telnet: the door of MUD clients, terminals and netcat. The shell around :mod:`mythos.wire.telnet`.

A connection negotiates, asks for a name, and then reads a session's log like every other door. What the client has
is learnt from acknowledgements: ``Mythos.Ack`` over GMCP, else TIMING-MARK, else what its TCP has acknowledged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime, ISSLTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from mythos.errors import Refusal, WireError
from mythos.flow.bucket import Bucket
from mythos.flow.log import Entry, Gap
from mythos.net.doorman import Doorman
from mythos.net.login import Login
from mythos.net.outlet import Link, Outlet
from mythos.net.packages import Packages
from mythos.net.reports import Reports
from mythos.net.status import Status, Table
from mythos.net.transport import HOLD, beneath, direct, tune, unsent
from mythos.play.accounts import Accounts
from mythos.play.narrate import prompting
from mythos.play.realm import Attached, Realm
from mythos.play.sessions import Session
from mythos.play.settings import PARTS, choose
from mythos.wire import ansi, gmcp, msdp
from mythos.wire.ansi import Colours, Style
from mythos.wire.charset import charset_named, encode, sanitize
from mythos.wire.mccp import START, Incoming, Outgoing, Units
from mythos.wire.message import TALK, Line, Role, Span, State, line
from mythos.wire.negotiation import Change, Options, Policy, Side
from mythos.wire.subnegotiation import LINEMODE_EDIT, MXP_START, TTYPE_SEND
from mythos.wire.telnet import (
    END_OF_RECORD,
    GO_AHEAD,
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
    escape,
    subnegotiate,
)
from mythos.wire.terminal import Evidence, Preferences
from mythos.world.state import Character, World

__all__ = ["TelnetConnection", "TelnetFactory"]

_log = Logger()
_POLICY = Policy.standard()
_PROMPT = b"> "
_SILENT = "Screen reader? Type sr for speech-friendly text."
_SPOKEN = "Screen reader mode is on. To be without it, type sr off."

#: Bytes a connection may send before it has a session, and seconds it may take.
BEFORE_LOGIN = 16_384
LOGIN_SECONDS = 300.0
SILENT_SECONDS = 60.0
#: Seconds to wait for a client to say what it is, before the first words.
WAIT = 0.5
WAIT_FOR_NAME = 1.0
#: Seconds of silence after which a NOP keeps routers awake.
QUIET = 30.0
#: Lines that wait for a password to be checked.
BACKLOG = 64
#: Subnegotiations that are heeded, a second and at once; what one AYT or AO counts for; the rest is passed over.
SUBNEGOTIATIONS, CODE_COST = (50.0, 100.0), 25.0
#: Seconds a subnegotiation may stand open without a byte; then what follows is text again.
OPEN_SECONDS = 10.0
#: Seconds a peer has to take our last words.
LEAVE_SECONDS = 5.0
#: Seconds without a byte after the end of our compression: Mudlet loses plain bytes that it reads together with it.
AFTER_COMPRESSION = 0.25


class TelnetLink(Link):
    """A telnet connection of a session."""

    __slots__ = ("_connection", "_mark", "_marks", "_number", "_packages", "at_prompt")

    kind = "telnet"

    def __init__(
        self, connection: TelnetConnection, outlet: Outlet, realm: Realm, session: Session, address: str
    ) -> None:
        super().__init__(outlet, realm, session, address)
        self._connection = connection
        self.at_prompt = False
        self._mark: tuple[int, int] | None = None  # (bytes written, number sent) at the last sweep
        self._number = 0  # what the client was told by Mythos.Seq
        self._marks: Sequence[tuple[int, bytes]] = ()  # (command, reply): DO TIMING-MARK that waits for it
        self._packages: Packages | None = None  # until its client says what it draws

    def encode(self, entries: list[Entry], before: int) -> bytes:
        connection = self._connection
        style = connection.style
        words: list[bytes] = []
        states: list[bytes] = []
        asked = False
        if connection.rounds:
            entries = [(0, 0.0, message) for message in ansi.in_rounds([entry[2] for entry in entries])]  # type: ignore[misc]
        for _, _, message in entries:
            rendered = message.rendered.get(style)  # type: ignore[attr-defined]
            if rendered is not None:
                words.append(rendered)
            elif type(message) is Line:
                words.append(ansi.render(message, style))
            elif type(message) is State:
                asked = asked or message.name == "Mythos.Ask"
                if connection.parts and message.name in prompting.STATES:
                    connection.told[message.name] = message.data
                if connection.wants(message.name):
                    states.append(gmcp.render(message))
        if self._packages is not None:
            if connection.wants("Comm.Channel.Text"):
                states += [gmcp.render_talk(one) for _, _, one in entries if type(one) is Line and one.kind in TALK]
            self._tell(self._packages.look(connection.modules))
        self.report()
        if not words and not asked:
            return b"".join(states)
        if self.at_prompt and connection.prompted and not connection.prompt_mark:
            words.insert(0, b"\r\n")
        self.at_prompt = False
        return b"".join(states + words) if states else b"".join(words)

    def encode_gap(self, gap: Gap, before: int) -> bytes:
        return ansi.render(
            line("system", Span(f"-- about {gap.missed} lines could not be kept for you --", Role.WARNING)),
            self._connection.style,
        )

    def fits(self, lines: Sequence[Line]) -> int:
        """As many as fill the screen with the prompt below them."""
        rows = self._connection.height - 1
        for count, one in enumerate(lines):
            rows -= ansi.render(one, self._connection.style).count(b"\r\n")
            if rows < 0:
                return max(count, 1)
        return len(lines)

    def answer(self, c: int, error: str, expect: int, dup: bool) -> None:
        """Telnet does not count commands; but this one may have been ``settings``, or a mark may wait for it."""
        self._connection.look_at_settings()
        while self._marks and self._marks[0][0] <= c:
            (_, reply), *self._marks = self._marks
            self.write_behind(reply)

    def draw(self, *, anew: bool) -> None:
        """Send all that the client draws; ``anew``: states that stand in the log too."""
        modules = self._connection.modules
        if modules:
            if anew:
                self.realm.snapshot(self.session)
            self._packages = Packages(self.realm, self.session)
            self._tell(self._packages.look(modules))

    def asked(self, message: gmcp.Gmcp) -> None:
        """A message of GMCP that is about the game; one that comes while the client takes nothing is passed over."""
        if self._packages is not None and not self.shut:
            self._tell(self._packages.asked(message.name, message.data, self._connection.modules))

    def report(self) -> None:
        """What changed of the variables its client wants to be told of."""
        if (reports := self._connection.reports) is not None and not self.shut:
            self._tell(reports.changed(self.who, self.realm.clock.seconds()))

    @property
    def who(self) -> tuple[World, Character]:
        return self.realm.world, self.session.me

    def configure(self, pairs: Iterable[tuple[str, Any]], *, json: bool) -> None:
        """What its client asks by MSDP; while it takes nothing, that is passed over."""
        if (reports := self._connection.reports) is not None and not self.shut:
            self._tell(reports.asked(pairs, self.who, self.realm.clock.seconds(), json=json))

    def _tell(self, frames: bytes) -> None:
        """What shows the world goes out when the world is on disk as it shows it."""
        if frames:
            self.realm.commits.after(lambda: self.write_behind(frames))

    def mark(self, reply: bytes) -> None:
        """Answer DO TIMING-MARK behind the words of all commands before it (RFC 860)."""
        if self.session.done_c + 1 >= self.session.next_c:
            self.write_behind(reply)
        else:
            self._marks = [*self._marks, (self.session.next_c - 1, reply)]

    def after_flush(self) -> bytes:
        """The position, for a client that wants it, and then the prompt."""
        connection = self._connection
        position = b""
        if connection.counts and self.cursor.sent != self._number:
            self._number = self.cursor.sent
            position = gmcp.encode("Mythos.Seq", {"e": self.session.log.epoch, "s": self._number})
        if self.at_prompt:
            return position
        self.at_prompt = True
        return position + connection.prompt()

    def send(self, data: bytes) -> None:
        self._connection.send(data)

    def abort(self) -> None:
        transport = self._connection.transport
        if transport is not None:
            transport.abortConnection()

    def shutdown(self, code: int, reason: str) -> None:
        self._connection.goodbye(code, reason)

    def pause(self) -> None:
        self._connection.stop_reading()

    def resume(self) -> None:
        self._connection.read_on()

    def sweep(self, now: float) -> None:
        super().sweep(now)
        connection = self._connection
        cursor = self.cursor
        if cursor.acked < cursor.sent and not connection.counts and not connection.probe(cursor.sent):
            self._ask_tcp()
        connection.keep_alive(now)
        self.report()

    def _ask_tcp(self) -> None:
        """What the peer's TCP has acknowledged, it has: bytes written, less what stands in queues."""
        connection = self._connection
        arrived = connection.written - unsent(connection.transport)
        if self._mark is not None and arrived >= self._mark[0]:
            self.session.log.ack(self.cursor, self._mark[1])
            self._mark = None
        if self._mark is None and self.cursor.acked < self.cursor.sent:
            self._mark = (connection.written, self.cursor.sent)
            if arrived >= connection.written:
                self.session.log.ack(self.cursor, self.cursor.sent)
                self._mark = None


class TelnetConnection(Protocol):
    """One telnet connection, from its first byte to its last.

    :ivar style: how lines are shown to it
    :ivar height: rows of its screen
    :ivar rounds: it is told a round of a fight in one line
    :ivar parts: of its prompt
    :ivar told: the newest states that parts are made of, by name; kept while there are parts
    :ivar prompted: its last prompt was words, behind which a line cannot begin
    :ivar counts: it acknowledges by ``Mythos.Ack``
    :ivar modules: of GMCP, that its client supports, lower case -> version
    :ivar reports: what its client asked for by MSDP; None: nothing
    :ivar written: bytes handed to the transport
    """

    __slots__ = (
        "_busy",
        "_evidence",
        "_greeting",
        "_heard",
        "_held",
        "_hidden",
        "_incoming",
        "_leaving",
        "_lines",
        "_link",
        "_login",
        "_next_piece",
        "_offered",
        "_opened",
        "_options",
        "_outgoing",
        "_pace",
        "_parser",
        "_probed",
        "_probes",
        "_quiet_at",
        "_quiet_since",
        "_received",
        "_release",
        "_said",
        "_settings",
        "_spoken",
        "_stopped",
        "address",
        "counts",
        "height",
        "modules",
        "parts",
        "prompt_mark",
        "prompted",
        "reports",
        "rounds",
        "style",
        "told",
        "written",
    )

    factory: TelnetFactory
    transport: Any  # a TCP or TLS transport; tests use StringTransport

    def __init__(self, policy: Policy = _POLICY) -> None:
        self.style: Style = ansi.style()
        self.height = 24
        self.rounds = False
        self.parts: Sequence[str] = ()
        self.told: dict[str, Mapping[str, Any]] = {}
        self.prompted = False
        self.counts = False
        self.modules: Mapping[str, int] = {}
        self.reports: Reports | None = None
        self.written = 0
        self.address = ""
        self.prompt_mark = b""
        self._parser = Parser()
        self._options = Options(policy)
        self._evidence = Evidence()
        self._login: Login | None = None
        self._link: TelnetLink | None = None
        self._greeting: IDelayedCall | None = None
        self._lines: deque[str] | None = None
        self._busy = False
        self._hidden = False
        self._said = ""  # the last prompt that was read out
        self._spoken: bool | None = None  # what was said of speech before there was a character to remember it
        self._probes = 0
        self._pace = Bucket(*SUBNEGOTIATIONS)
        self._probed = 0
        self._opened = 0.0
        self._heard = 0.0
        self._received = 0
        self._quiet_at = 0
        self._quiet_since = 0.0
        self._settings: dict[str, str] | None = None
        self._offered = False  # compression
        self._outgoing: Outgoing | None = None
        self._incoming: Incoming | None = None
        self._next_piece: IDelayedCall | None = None
        self._stopped = False  # no more input is wanted for now
        self._held: bytearray | None = None  # what waits for the pause behind the end of compression
        self._release: IDelayedCall | None = None
        self._leaving: IDelayedCall | None = None

    # ── the connection ──────────────────────────────────────────────────────────────────────────

    def connectionMade(self) -> None:
        factory = self.factory
        transport = self.transport
        now = self._opened = self._heard = self._quiet_since = factory.clock.seconds()
        tune(transport)
        beneath(transport).bufferSize = HOLD
        self.address = getattr(transport.getPeer(), "host", "local")
        refusal = factory.doorman.admit(self.address, now)
        if refusal:
            transport.write(refusal.encode("ascii", "replace") + b"\r\n")
            self._close()
            return
        factory.waiting.add(self)
        self.send(self._options.open(now))
        self._login = Login(self, factory.accounts)
        self._greeting = factory.clock.callLater(WAIT, self._greet)

    def connectionLost(self, reason: Failure = Failure) -> None:  # type: ignore[assignment]
        for waiting in (self._next_piece, self._release, self._leaving):
            if waiting is not None and waiting.active():
                waiting.cancel()
        if self._login is None and self._link is None:
            return  # it was refused
        self.factory.doorman.leave(self.address)
        self.factory.waiting.discard(self)
        self._cancel_greeting()
        self._login = None
        link, self._link = self._link, None
        if link is not None:
            link.detached()

    def dataReceived(self, data: bytes) -> None:
        now = self._heard = self.factory.clock.seconds()
        if self._link is None:
            self._received += len(data)
            if self._received > BEFORE_LOGIN:
                self.hang_up("That was too much before you said who you are.")
                return
            if self._received == len(data) and data.startswith((b"GET ", b"POST ", b"HEAD ", b"\x16\x03")):
                self._wrong_door(data)
                return
        try:
            self._take(data, now)
        except WireError as error:
            _log.info("{address} broke the telnet protocol: {error}", address=self.address, error=error)
            self._close()

    def _take(self, data: bytes, now: float) -> None:
        """Heed what came in: all of it if it is plain, else one piece in a reactor turn. :raises WireError:"""
        while data and self._incoming is None:
            self._heed(data, now)
            data = self._parser.rest()
        incoming = self._incoming
        if incoming is None:
            return
        if data:
            incoming.receive(data)
        try:
            piece = incoming.piece()
        except WireError:
            self._incoming = None
            self.send(self._options.drop_us(Option.MCCP3, now))
            raise
        self._heed(piece, now)
        if incoming.ended:
            self._incoming = None
            self.send(self._options.drop_us(Option.MCCP3, now))
            self._take(incoming.rest, now)
        elif incoming.more:
            self.transport.pauseProducing()
            self._read_on()

    def stop_reading(self) -> None:
        """The session wants no more for now."""
        self._stopped = True
        self.transport.pauseProducing()

    def read_on(self) -> None:
        self._stopped = False
        self._read_on()

    def _read_on(self) -> None:
        """Read again, unless there is a reason to wait; first what has been read and is still compressed."""
        if self._stopped or self._held is not None or self._next_piece is not None:
            return
        if self._incoming is not None and self._incoming.more:
            self._next_piece = self.factory.clock.callLater(0, self._take_next)
        else:
            self.transport.resumeProducing()

    def _take_next(self) -> None:
        self._next_piece = None
        if not self._stopped and self._held is None:
            self.dataReceived(b"")
            self._read_on()

    def _heed(self, data: bytes, now: float) -> None:
        for event in self._parser.receive(data):
            if type(event) is bytes:
                self._line(event)
            else:
                self._event(event, now)

    def send(self, data: bytes) -> None:
        if not data:
            return
        if self._held is not None:
            self._held += data
            return
        if self._outgoing is not None:
            data = self._outgoing.write(data)
        self.written += len(data)
        direct(self.transport, data)

    def _wrong_door(self, data: bytes) -> None:
        if data.startswith(b"\x16"):
            self._close()
            return
        page = b"This is a telnet port. The web client is at " + self.factory.web_address.encode() + b"\r\n"
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(page), page)
        )
        self._close()

    # ── what comes in ───────────────────────────────────────────────────────────────────────────

    def _line(self, raw: bytes) -> None:
        text = self._evidence.encoding.decode(raw)
        link = self._link
        if link is None:
            self._before(text)
            return
        link.at_prompt = False
        session = link.session
        question = session.question
        if question is not None and question.secret:
            self._show_echo(False)
        elif question is None or question.words:
            text = sanitize(text)
            if question is None and not text:
                self._said = ""
                self.send(self.prompt())
                link.at_prompt = True
                return
        link.realm.submit(session, 0, text)

    def _before(self, text: str) -> None:
        """A line at the name prompt; one at a time, the others wait for its answer."""
        if self._login is None:
            return
        if self._greeting is not None:
            self._greet()
        if self._lines is None:
            self._lines = deque()
        if len(self._lines) >= BACKLOG:
            self.hang_up("Too many lines before you said who you are.")
            return
        self._lines.append(text)
        if not self._busy:
            self._busy = True
            Deferred.fromCoroutine(self._converse()).addErrback(self._broke)

    async def _converse(self) -> None:
        while self._lines and self._login is not None and self._link is None:
            text = self._lines.popleft()
            if self._login.secret:
                self._show_echo(False)
            await self._login.line(text)
        self._busy = False

    def _broke(self, failure: Failure) -> None:
        _log.failure("the conversation at the name prompt broke", failure)
        self.hang_up("Something broke on our side. Please come again.")

    def _event(self, event: Any, now: float) -> None:
        if type(event) is Negotiation:
            reply, change = self._options.received(event.verb, event.option, now)
            if self._outgoing is not None and event.option == Option.MCCP2 and not self._options.us(Option.MCCP2):
                self._decompress(reply)
            elif reply and event.option == Option.TIMING_MARK and self._link is not None:
                self._link.mark(reply)
            else:
                self.send(reply)
            if change is not None:
                self._changed(change)
        elif type(event) is Subnegotiation:
            if event.option == Option.MCCP3 and self._options.us(Option.MCCP3):
                self._incoming, self._parser.stops_at = Incoming(), None
            elif self._options.agreed(event.option) and not self._pace.take(now):
                self._subnegotiated(event)
        elif type(event) is Code:
            if event is Code.AYT and not self._pace.take(now, CODE_COST):
                self.send(b"\r\n[Yes]\r\n")
            elif event is Code.AO and not self._pace.take(now, CODE_COST):
                self.send(bytes((255, Code.DM)))
        elif type(event) is LineTooLong:
            self._line(event.line)
            self.say("That line was too long: its end was cut off.")
        elif type(event) is PayloadTooLong and event.count >= TOO_OFTEN:
            raise WireError("too many oversized subnegotiations")

    def _changed(self, change: Change) -> None:
        option, side, on = change.option, change.side, change.on
        if option == Option.TIMING_MARK:
            self._probes += 1
            if self._link is not None and self._probed:
                self._link.session.log.ack(self._link.cursor, self._probed)
                self._probed = 0
        elif on and option == Option.TTYPE and side is Side.HIM:
            self.send(TTYPE_SEND)
            self._postpone_greeting()
        elif on and option == Option.NEW_ENVIRON and side is Side.HIM:
            self.send(subnegotiate(Option.NEW_ENVIRON, b"\x01"))
        elif on and option == Option.CHARSET and side is Side.US:
            self.send(self._evidence.request_charset())
        elif on and option == Option.MSSP:
            if not self._pace.take(self._heard, CODE_COST):
                self.send(self.factory.status.frame())
        elif on and option == Option.LINEMODE and side is Side.HIM:
            self.send(LINEMODE_EDIT)
        elif option == Option.GMCP and not on:
            self._evidence.supports, self.modules, self.counts = None, {}, False
            if self.reports is not None and self.reports.json:
                self.reports = None
        elif on and option == Option.MXP and not (self._options.us(option) and self._options.him(option)):
            self.send(MXP_START)
        elif option == Option.MSDP and not on:
            self.reports = None
        elif on and option == Option.MCCP2:
            self._compress()
        elif option == Option.SGA and side is Side.US:
            self._parser.char_mode = on
        self.refresh_style()
        self._greet_if_settled()

    def _subnegotiated(self, event: Subnegotiation) -> None:
        try:
            if event.option == Option.GMCP:
                self._gmcp(gmcp.decode(event.payload))
            elif event.option == Option.MSDP:
                self._msdp(msdp.decode(event.payload))
            else:
                self.send(self._evidence.heard(event.option, event.payload))
                if event.option == Option.NEW_ENVIRON:
                    self._believe(self._evidence.variable("IPADDRESS"))
        except WireError:
            return  # dropped, as telnet clients expect; the parser counts what is too long
        self.refresh_style()
        self._remember_speech()
        self._greet_if_settled()

    def _believe(self, said: str | None) -> None:
        """A proxy that is trusted says once, before anybody has come in, for whom it speaks."""
        peer = getattr(self.transport.getPeer(), "host", "local")
        if self._login is None or self.address != peer or not self.factory.trusts(peer):
            return
        try:
            address = str(ip_address(said or ""))
        except ValueError:
            return
        doorman = self.factory.doorman
        if refusal := doorman.admit(address, self._heard):
            self.hang_up(refusal)
            return
        doorman.leave(self.address)
        self.address = address

    def _gmcp(self, message: gmcp.Gmcp) -> None:
        name, data = message.name, message.data
        if name == "core.ping":
            self.send(gmcp.encode("Core.Ping"))
        elif name == "core.hello":
            self._evidence.core(message)
        elif name.startswith("core.supports."):
            self._evidence.core(message)
            self._supported(anew=name.endswith(".set"))
        elif name == "msdp" and isinstance(data, dict):
            self._msdp(list(data.items()), json=True)
        elif name == "mythos.ack" and self._link is not None:
            epoch = data.get("e") if isinstance(data, dict) else None
            number = data.get("s") if isinstance(data, dict) else data
            self._link.heard_from()
            log = self._link.session.log
            if type(number) is int and (epoch is None or epoch == log.epoch):
                log.ack(self._link.cursor, number)
        elif name == "mythos.resume" and self._link is None and isinstance(data, dict):
            self._resume(data)
        elif name in ("char.login.credentials", "char.login.reconnect") and isinstance(data, dict):
            self._identify(name, data)
        elif self._link is not None:
            self._link.asked(message)

    def _msdp(self, pairs: list[tuple[str, Any]], *, json: bool = False) -> None:
        for name, value in pairs:
            self._evidence.configured(name, value)
        if self.reports is None:
            status, clock = self.factory.status, self.factory.realm.clock
            self.reports = Reports({"SERVER_ID": lambda: status.name, "SERVER_TIME": lambda: int(clock.wall())})
        if self._link is not None and self._link.ready:
            self._link.configure(pairs, json=json)
        else:
            self.send(self.reports.asked(pairs, None, self._heard, json=json))

    def _supported(self, *, anew: bool) -> None:
        """The client said which modules it supports; ``anew``: what it draws is owed to it even if it had it."""
        before, self.modules = self.modules, self._evidence.supports or {}
        self.counts = "mythos" in self.modules
        if self._link is not None and self._link.ready:
            if anew or not self.modules.keys() <= before.keys():
                self._link.draw(anew=True)
        elif self._login is not None and (version := self.modules.get("char.login")) and "char.login" not in before:
            offered: dict[str, Any] = {"type": ["password-credentials"]}
            self.send(gmcp.encode("Char.Login.Default", offered | ({"version": 2} if version > 1 else {})))

    def _keeps_token(self) -> bool:
        """Char.Login 2: the client keeps a token to come back with. Not over a line that others may read."""
        return self.modules.get("char.login", 0) > 1 and ISSLTransport.providedBy(self.transport)

    def _identify(self, name: str, data: dict[str, Any]) -> None:
        """A program's way in: name and password, or the token it kept. Without either its player types."""
        account, secret = data.get("account"), data.get("password" if name.endswith("credentials") else "token")
        if self._busy or self._login is None or not (isinstance(account, str) and isinstance(secret, str)):
            return
        self._busy = True
        if name.endswith("reconnect"):
            work = self._reconnect(secret)
        else:
            work = self._admit(self._login, account.partition(":")[0], secret)
        Deferred.fromCoroutine(work).addErrback(self._broke)

    async def _admit(self, login: Login, name: str, password: str) -> None:
        try:
            session = await login.admit(name, password)
        except Refusal as refusal:
            self.send(gmcp.encode("Char.Login.Result", {"success": False, "message": str(refusal)}))
            session = None
        self._identified(session, "")

    async def _reconnect(self, token: str) -> None:
        try:
            session = await self.factory.accounts.session_by(token)
        except Refusal as refusal:
            self.send(gmcp.encode("Char.Login.Result", {"success": False, "message": str(refusal)}))
            self._identified(None, "")
        else:
            self._identified(session, token)

    def _identified(self, session: Session | None, shown: str) -> None:
        if session is not None and self.transport is not None and self._login is not None:
            self._show_echo(False)
            self.send(gmcp.encode("Char.Login.Result", {"success": True}))
            self._attach(session, None, None, shown)
        self._go_on()

    def _go_on(self) -> None:
        """Lines may have been typed meanwhile."""
        self._busy = False
        if self._lines and self._login is not None:
            self._busy = True
            Deferred.fromCoroutine(self._converse()).addErrback(self._broke)

    def _resume(self, data: dict[str, Any]) -> None:
        token, epoch, last = data.get("token"), data.get("e"), data.get("s")
        if self._busy or not isinstance(token, str):
            return
        self._busy = True
        place = (epoch, last) if isinstance(epoch, str) and type(last) is int else (None, None)
        Deferred.fromCoroutine(self._resume_with(token, *place)).addErrback(self._broke)

    async def _resume_with(self, token: str, epoch: str | None, last: int | None) -> None:
        try:
            session = await self.factory.accounts.session_by(token)
        except Refusal as refusal:
            self.send(gmcp.encode("Mythos.Refused", {"message": str(refusal)}))
        else:
            if self._login is not None:
                self._attach(session, epoch, last, token)
        self._go_on()

    # ── the name prompt (what net.login asks of it) ─────────────────────────────────────────────

    def _greet_if_settled(self) -> None:
        if self._greeting is not None and self._options.settled and self._has_said_what_it_is():
            self._greet()

    def _has_said_what_it_is(self) -> bool:
        return self._evidence.named or not self._options.him(Option.TTYPE)

    def _postpone_greeting(self) -> None:
        if self._greeting is not None:
            self._greeting.reset(WAIT_FOR_NAME)

    def _cancel_greeting(self) -> None:
        greeting, self._greeting = self._greeting, None
        if greeting is not None and greeting.active():
            greeting.cancel()

    def _greet(self) -> None:
        self._cancel_greeting()
        if self._login is not None and self._link is None:
            self.refresh_style()
            self.say(_SPOKEN if self.style.screen_reader else _SILENT, *self.factory.greeting)
            self._login.ask_name()

    def say(self, *lines: str) -> None:
        style = self.style
        self.send(b"".join([ansi.render(line("system", text), style) for text in lines]))

    def question(self, text: str, *, secret: bool = False) -> None:
        if secret:
            self._show_echo(True)
        self.send(escape(encode(text, self.style.charset)) + self._mark())

    def enter(self, session: Session) -> None:
        if self.transport is not None and self._login is not None:
            self._attach(session, None, None)

    def hang_up(self, reason: str) -> None:
        if self._leaving is None:
            self.say(reason)
            self._close()

    def show_status(self) -> None:
        self.send(escape(self.factory.status.text(self.address)))

    def read_aloud(self, on: bool) -> None:
        self._spoken = on
        self.refresh_style()

    def _attach(self, session: Session, epoch: str | None, last: int | None, shown: str = "") -> None:
        factory = self.factory
        link = TelnetLink(self, factory.outlet, factory.realm, session, self.address)
        self._link = link
        self._login = None
        factory.waiting.discard(self)
        self._cancel_greeting()
        self._remember_speech()
        factory.realm.attach(
            link,
            session,
            epoch=epoch,
            last=last,
            returning=last is None,
            token=self.counts or self._keeps_token(),
            shown=shown,
            then=lambda attached: self._greeted(link, attached),
        )

    def _remember_speech(self) -> None:
        """What the player said before there was a character, or what the client says, is the character's from now on;
        what the player chose before beats the client."""
        if self._link is None:
            return
        realm, me = self._link.realm, self._link.session.me
        if self._spoken is not None:
            choose(realm.world, me, "screenreader", "on" if self._spoken else "off")
            self._spoken = None
        elif self.style.screen_reader and "screenreader" not in (me.settings or {}):
            choose(realm.world, me, "screenreader", "on")

    def _greeted(self, link: TelnetLink, attached: Attached) -> None:
        if self._link is not link:  # the connection was lost meanwhile
            link.realm.detach(link, link.session)
            return
        self._parser.limit = LINE_LIMIT
        self.look_at_settings()
        if self.counts:
            self.send(
                gmcp.encode(
                    "Mythos.Session",
                    {
                        "session": attached.session,
                        "e": attached.epoch,
                        "resumed": attached.resumed,
                        "missed": attached.missed,
                        "next": attached.next_c,
                        "token": attached.token,
                    },
                )
            )
        elif attached.resumed and attached.missed:
            self.say(f"-- resumed: {attached.missed} lines while you were away --")
        if attached.token and self._keeps_token():
            name = link.session.me.name
            self.send(gmcp.encode("Char.Login.Token", {"account": name, "token": attached.token}))
        if self._options.us(Option.GMCP) and self._evidence.terminal().client.upper().startswith("MUDLET"):
            self.send(b"".join([gmcp.encode(name, data) for name, data in self.factory.downloads.items()]))
        self.transport.registerProducer(link, True)
        link.attached()
        link.draw(anew=attached.resumed)
        link.report()
        lines, self._lines = self._lines, None
        for text in lines or ():
            link.realm.submit(link.session, 0, sanitize(text))

    # ── what goes out ───────────────────────────────────────────────────────────────────────────

    def wants(self, name: str) -> bool:
        """The client listed this GMCP module."""
        return bool(self.modules) and self._options.us(Option.GMCP) and gmcp.wants(self.modules, name)

    def refresh_style(self) -> None:
        """Put together anew how lines are shown: by what the client said and what the player chose."""
        self._evidence.encoding.wanted = charset_named((self._settings or {}).get("charset", "auto"))
        terminal = self._evidence.terminal(
            _preferences(self._settings, spoken=self._spoken),
            speaks_telnet=self._parser.speaks_telnet,
            mxp=self._options.agreed(Option.MXP),
        )
        self.style = terminal.style
        self.height = terminal.height
        rounds = (self._settings or {}).get("rounds", "auto")
        self.rounds = self.style.screen_reader if rounds == "auto" else rounds == "on"
        self.prompt_mark = self._mark()

    def look_at_settings(self) -> None:
        """After each command of the player: it may have been ``settings``."""
        settings = self._link.session.me.settings if self._link is not None else None
        if settings != self._settings:
            self._settings = dict(settings) if settings else None
            self.refresh_style()
            self._choose_parts()

    def _choose_parts(self) -> None:
        chosen = (self._settings or {}).get("prompt", "on").split()
        parts = [part for part in chosen if part in PARTS]
        if parts and not self.parts and self._link is not None:
            self._link.realm.snapshot(self._link.session)  # what was told before was not kept
        self.parts = parts

    def _mark(self) -> bytes:
        """What ends a prompt: one of the two, never both, and nothing for a peer that speaks no telnet."""
        if not self._parser.speaks_telnet:
            return b""
        if self._options.us(Option.EOR):
            return END_OF_RECORD
        return b"" if self._options.us(Option.SGA) else GO_AHEAD

    def prompt(self) -> bytes:
        link = self._link
        question = link.session.question if link is not None else None
        self.prompted = question is not None
        if question is not None:
            if question.secret:
                self._show_echo(True)
            return escape(encode(question.text + " ", self.style.charset)) + self.prompt_mark
        if self.style.screen_reader:
            return self._spoken_prompt()
        if self._settings and self._settings.get("prompt") == "off":
            return b""
        self.prompted = True
        if not self.parts:
            return _PROMPT + self.prompt_mark
        return ansi.prompt(line("system", prompting.written(self.parts, self.told)), self.style.flat) + self.prompt_mark

    def _spoken_prompt(self) -> bytes:
        """A line of its own, and only when it says something new."""
        words = prompting.spoken(self.parts, self.told)
        if not words or words == self._said:
            return b""
        self._said = words
        return ansi.render(line("system", words), self.style) + self.prompt_mark

    def _show_echo(self, hide: bool) -> None:
        """IAC WILL ECHO around secrets, so that the client shows nothing; WONT ECHO and a new line after."""
        if hide == self._hidden:
            return
        self._hidden = hide
        now = self.factory.clock.seconds()
        if hide:
            self.send(self._options.offer_us(Option.ECHO, now))
        else:
            self.send(self._options.drop_us(Option.ECHO, now) + b"\r\n")

    def goodbye(self, code: int, reason: str) -> None:
        if code != 1000:
            self.say(f"-- {reason} --")
        if self._options.us(Option.GMCP):
            self.send(gmcp.encode("Core.Goodbye", reason))
        self._close()

    def _close(self) -> None:
        """Close, after what was sent; a peer that does not take it is not waited for."""
        if self._leaving is not None:
            return
        transport, link = self.transport, self._link
        self._leaving = self.factory.clock.callLater(LEAVE_SECONDS, transport.abortConnection)
        if self._held is not None:
            self._send_held()
        if self._outgoing is not None:
            self._end_compression()
        self._stopped = True
        if link is not None and link.ready:
            link.pauseProducing()
            transport.unregisterProducer()  # TLS would wait for its last word
        transport.loseConnection()

    # ── compression ─────────────────────────────────────────────────────────────────────────────

    def _offer_compression(self, now: float) -> None:
        """To a session's client, and once it has said what it is: some lose the thread when it comes between."""
        self._offered = True
        factory = self.factory
        if factory.mccp2:
            self.send(self._options.offer_us(Option.MCCP2, now))
        if factory.mccp3:
            self._parser.stops_at = Option.MCCP3
            self.send(self._options.offer_us(Option.MCCP3, now))

    def _compress(self) -> None:
        """From now on, unless something is still on its way: Mudlet sees the start only if it comes in one piece."""
        if self._outgoing is None and not unsent(self.transport):
            self.send(START)
            self._outgoing = Outgoing(self.factory.units)

    def _end_compression(self) -> None:
        assert self._outgoing is not None
        end, self._outgoing = self._outgoing.end(), None
        self.send(end)

    def _decompress(self, reply: bytes) -> None:
        """The client said DONT: end the stream, and go on with ``reply`` in plain after a pause."""
        self._end_compression()
        self._held = bytearray(reply)
        self.transport.pauseProducing()
        if self._link is not None and not self._link.shut:
            self._link.pauseProducing()
        self._release = self.factory.clock.callLater(AFTER_COMPRESSION, self._go_on_plain)

    def _go_on_plain(self) -> None:
        self._send_held()
        self._read_on()
        if self._link is not None:
            self._link.resumeProducing()

    def _send_held(self) -> None:
        held, self._held = self._held, None
        release, self._release = self._release, None
        if release is not None and release.active():
            release.cancel()
        self.send(bytes(held or b""))

    # ── now and then ────────────────────────────────────────────────────────────────────────────

    def probe(self, number: int) -> bool:
        """Ask by TIMING-MARK whether everything up to ``number`` arrived. False: this client does not answer twice."""
        if not self._parser.speaks_telnet:
            return False
        if self._probed:
            return self._probes >= 2
        mark = self._options.probe()
        if mark:
            self._probed = number
            self.send(mark)
        return self._probes >= 2

    def keep_alive(self, now: float) -> None:
        """Each second: what waits too long for the peer is given up, and a silent line is kept open."""
        self.send(self._options.expire(now))
        if self._options.us(Option.MCCP2):
            self._compress()
        elif not self._offered and self._parser.speaks_telnet and self._has_said_what_it_is():
            self._offer_compression(now)
        if self._parser.subnegotiating and now - self._heard > OPEN_SECONDS:
            self._parser.abandon()
        if self.written != self._quiet_at:
            self._quiet_at, self._quiet_since = self.written, now
        elif now - self._quiet_since > QUIET and self._parser.speaks_telnet and self._wants_nop():
            self.send(NOP)

    def _wants_nop(self) -> bool:
        return not self._settings or self._settings.get("keepalive") != "off"

    def overdue(self, now: float) -> bool:
        """It has not said who it is for too long."""
        return now - self._opened > LOGIN_SECONDS or now - self._heard > SILENT_SECONDS


def _preferences(settings: dict[str, str] | None, *, spoken: bool | None) -> Preferences:
    settings = settings or {}
    width = settings.get("width", "auto")
    reader = settings.get("screenreader")
    return Preferences(
        colours=_COLOURS.get(settings.get("colour", "auto")),
        width=int(width) if width.isdigit() else None,
        screen_reader=spoken if spoken is not None else None if reader is None else reader == "on",
    )


_COLOURS = {"none": Colours.NONE, "16": Colours.ANSI, "256": Colours.XTERM, "true": Colours.TRUE}


class TelnetFactory(Factory):
    """:ivar waiting: connections that have not said who they are

    :param status: makes the table of MSSP
    :param policy: which options there are
    :param trusts: whether an address is that of a proxy whose word on a client's address is believed
    :param downloads: messages of GMCP for Mudlet, by name: what it may fetch
    :param mccp2: offer to compress what is sent; ``mccp3``: and take what clients compress
    """

    noisy = False

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
        self.downloads = downloads
        self.mccp2 = mccp2
        self.mccp3 = mccp3
        self.units = Units()
        self.policy = policy
        self.trusts = trusts
        self.waiting: set[TelnetConnection] = set()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        connection = TelnetConnection(self.policy)
        connection.factory = self
        return connection

    def sweep(self, now: float) -> None:
        """Let go of those who have not said who they are."""
        for connection in [one for one in self.waiting if one.overdue(now)]:
            connection.hang_up("You took too long to say who you are. Come again.")
