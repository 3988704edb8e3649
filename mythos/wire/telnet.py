"""Telnet (RFC 854, 855, 1123): bytes from a client cut into events; commands put into bytes.

Bytes cross two layers. The outer one, here, takes IAC commands out, wherever they stand; the inner one,
:mod:`mythos.wire.lines`, assembles lines from what is left. Each layer keeps a small state of its own, so input may
be cut at any byte.

======================  ========================================================================================
``bytes``               a line without its end, not decoded; the only event that is not telnet's own
:class:`Code`           IAC AYT, IP, AO ...; EC, EL, IP, BRK, ABORT and SUSP have already edited the pending line
:class:`Negotiation`    IAC WILL, WONT, DO or DONT and an option
:class:`Subnegotiation` IAC SB option payload IAC SE, payload with 255 undone
:class:`Markup`         an MXP client's answer, ``ESC[1z<VERSION ...>``: never a command
:class:`LineTooLong`    a line that broke :attr:`Parser.limit`: its beginning
:class:`PayloadTooLong` a subnegotiation that broke its limit and was thrown away
======================  ========================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeAlias

from mythos.values import kept, restore
from mythos.wire.lines import LINE_LIMIT, LOGIN_LINE_LIMIT, LineEvent, Lines, LineTooLong, Markup

__all__ = [
    "END_OF_RECORD",
    "GO_AHEAD",
    "IAC",
    "LINE_LIMIT",
    "LOGIN_LINE_LIMIT",
    "NOP",
    "TOO_OFTEN",
    "Code",
    "Event",
    "LineTooLong",
    "Markup",
    "Negotiation",
    "Option",
    "Parser",
    "PayloadTooLong",
    "Subnegotiation",
    "Verb",
    "escape",
    "negotiate",
    "subnegotiate",
]


class Verb(IntEnum):
    WILL = 251
    WONT = 252
    DO = 253
    DONT = 254


class Code(IntEnum):
    """Commands without an option."""

    EOF = 236
    SUSP = 237
    ABORT = 238
    EOR = 239
    NOP = 241
    DM = 242
    BRK = 243
    IP = 244
    AO = 245
    AYT = 246
    EC = 247
    EL = 248
    GA = 249


class Option(IntEnum):
    """The options that Mythos knows by name; peers may send any of 0-255."""

    BINARY = 0
    ECHO = 1
    SGA = 3
    TIMING_MARK = 6
    TTYPE = 24
    EOR = 25
    NAWS = 31
    LINEMODE = 34
    NEW_ENVIRON = 39
    CHARSET = 42
    MSDP = 69
    MSSP = 70
    MCCP2 = 86
    MCCP3 = 87
    MXP = 91
    GMCP = 201


IAC: Final = 255
_SB: Final = 250
_SE: Final = 240

#: Ends a prompt for those who agreed to EOR; GA for those who speak telnet and did not (and SGA is off).
END_OF_RECORD: Final = bytes((IAC, Code.EOR))
GO_AHEAD: Final = bytes((IAC, Code.GA))
NOP: Final = bytes((IAC, Code.NOP))

#: Longest subnegotiation payload in bytes, 255 undone.
_PAYLOAD_LIMITS: Final = {Option.GMCP.value: 16_384, Option.MSDP.value: 4096, Option.NEW_ENVIRON.value: 4096}
_PAYLOAD_LIMIT: Final = 512
#: This many payloads over the limit are reason to close.
TOO_OFTEN: Final = 3


@dataclass(frozen=True, slots=True)
class Negotiation:
    verb: Verb
    option: int


@dataclass(frozen=True, slots=True)
class Subnegotiation:
    option: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class PayloadTooLong:
    """``count``: how many there were on this connection; at :data:`TOO_OFTEN` close it."""

    option: int
    count: int


Event: TypeAlias = LineEvent | Code | Negotiation | Subnegotiation | PayloadTooLong


def escape(data: bytes) -> bytes:
    """Double each 255, the last step before compression or the transport."""
    return data.replace(b"\xff", b"\xff\xff")


def negotiate(verb: Verb, option: int) -> bytes:
    return bytes((IAC, verb, option))


def subnegotiate(option: int, payload: bytes) -> bytes:
    """``payload`` framed, 255 doubled in it."""
    return b"%b%b\xff\xf0" % (bytes((IAC, _SB, option)), escape(payload))


# States of the outer layer.
_DATA, _COMMAND, _VERB, _OPTION, _PAYLOAD, _PAYLOAD_IAC = range(6)
#: All bytes that are simply part of a line or its end.
_PLAIN: Final = b"\r\n" + bytes([byte for byte in range(0x20, 0xFF) if byte != 0x7F])
_NOT_PLAIN: Final = re.compile(rb"[\x00-\x1f\x7f\xff]")
#: Commands after which nothing that was typed on this line counts.
_CLEARING: Final = frozenset({Code.EL, Code.IP, Code.BRK, Code.ABORT, Code.SUSP})
_CODES: Final = {code.value: code for code in Code}
_VERBS: Final = {verb.value: verb for verb in Verb}
_NO_OPTION: Final = -1
#: What there is to know of a parser.
_KEPT: Final = (
    *("limit", "char_mode", "_inner", "_pending", "_long", "_markup"),
    *("speaks_telnet", "stops_at", "_outer", "_code", "_payload", "_count"),
)


class Parser(Lines):
    """Cut what one client sends into events.

    :ivar speaks_telnet: has sent an IAC command; until then it may be netcat and must get none
    :ivar stops_at: events end with a subnegotiation of this option: what follows it is not telnet, see :meth:`rest`
    """

    __slots__ = ("_code", "_count", "_outer", "_payload", "_rest", "speaks_telnet", "stops_at")

    def __init__(self, limit: int = LOGIN_LINE_LIMIT) -> None:
        super().__init__(limit)
        self.speaks_telnet = False
        self.stops_at: int | None = None
        self._rest = b""
        self._outer = _DATA
        self._code = 0  # the verb, or the option of the open subnegotiation
        self._payload: bytearray | None = None  # None inside a subnegotiation: it is being thrown away
        self._count = 0

    def kept(self) -> dict[str, Any]:
        """Where it stands, half a line and half a subnegotiation included, for another process."""
        return kept(self, _KEPT)

    def restore(self, state: Mapping[str, Any]) -> None:
        """What :meth:`kept` gave, into a new one. :raises KeyError: some of it is missing"""
        restore(self, _KEPT, state)
        for name in ("_pending", "_payload"):
            part = getattr(self, name)
            setattr(self, name, None if part is None else bytearray(part))

    @property
    def subnegotiating(self) -> bool:
        """A subnegotiation is open; after 10 s of that call :meth:`abandon`."""
        return self._outer in (_OPTION, _PAYLOAD, _PAYLOAD_IAC)

    def abandon(self) -> None:
        """Give an open subnegotiation up: what follows is text."""
        if self.subnegotiating:
            self._outer, self._payload = _DATA, None

    def receive(self, data: bytes) -> Sequence[Event]:
        """Take bytes, return the events that are complete, in order. Never raises."""
        if self._pending is None and not self._outer and not self._inner and not data.translate(None, _PLAIN):
            text = data.replace(b"\r\n", b"\n")
            if b"\r" not in text:
                lines = text.split(b"\n")
                if len(text) <= self.limit or max(map(len, lines)) <= self.limit:
                    if rest := lines.pop():
                        self._pending = bytearray(rest)
                    return lines
        return self._slow(data)

    def rest(self) -> bytes:
        """What of the last bytes came behind the subnegotiation of :attr:`stops_at`; given out once."""
        rest, self._rest = self._rest, b""
        return rest

    def _slow(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        at = 0
        while at < len(data):
            if self._outer == _DATA:
                at = self._text(data, at, events)
            elif self._outer == _PAYLOAD:
                at = self._collect(data, at)
            else:
                self._command(data[at], events)
                at += 1
                if self.stops_at is not None and events and self._ends(events[-1]):
                    self._rest = data[at:]
                    break
        return events

    def _ends(self, event: Event) -> bool:
        return type(event) is Subnegotiation and event.option == self.stops_at and self._outer == _DATA

    def _command(self, byte: int, events: list[Event]) -> None:
        """One byte in any state but DATA and PAYLOAD."""
        if self._outer == _COMMAND:
            self._after_iac(byte, events)
        elif self._outer == _VERB:
            self._outer = _DATA
            events.append(Negotiation(_VERBS[self._code], byte))
        elif self._outer == _OPTION:
            if byte == IAC:
                self._code, self._outer = _NO_OPTION, _PAYLOAD_IAC
            else:
                self._open(byte)
        elif byte == _SE:
            self._close(events)
        elif self._code == _NO_OPTION and (byte == IAC or byte < _SE):
            self._open(IAC)  # option 255, doubled or not
            if byte != IAC:
                self._keep(bytes((byte,)))
        elif byte == IAC:
            self._keep(b"\xff")
        elif byte < _SE:  # the peer forgot to double
            self._keep(bytes((IAC, byte)))
        else:  # SE went missing
            self._close(events)
            self._after_iac(byte, events)

    def _after_iac(self, byte: int, events: list[Event]) -> None:
        self._outer = _DATA
        if byte == IAC:
            self._character(IAC)
            return
        self.speaks_telnet = self.speaks_telnet or byte >= Code.EOF
        if byte in _VERBS:
            self._code, self._outer = byte, _VERB
        elif byte == _SB:
            self._outer = _OPTION
        elif (code := _CODES.get(byte)) is not None:
            if code in _CLEARING:
                self._clear()
            elif code is Code.EC:
                self._rub_out()
            events.append(code)

    def _open(self, option: int) -> None:
        self._code, self._outer, self._payload = option, _PAYLOAD, bytearray()

    def _collect(self, data: bytes, at: int) -> int:
        end = data.find(b"\xff", at)
        if end < 0:
            self._keep(data[at:])
            return len(data)
        self._keep(data[at:end])
        self._outer = _PAYLOAD_IAC
        return end + 1

    def _keep(self, part: bytes) -> None:
        self._outer = _PAYLOAD
        if self._payload is None:
            return
        if len(self._payload) + len(part) > _PAYLOAD_LIMITS.get(self._code, _PAYLOAD_LIMIT):
            self._payload = None
        else:
            self._payload += part

    def _close(self, events: list[Event]) -> None:
        if self._code != _NO_OPTION:
            if self._payload is None:
                self._count += 1
                events.append(PayloadTooLong(self._code, self._count))
            else:
                events.append(Subnegotiation(self._code, bytes(self._payload)))
        self._outer, self._payload = _DATA, None

    def _text(self, data: bytes, at: int, events: list[Event]) -> int:
        """Text from ``at`` on, up to where something special was dealt with; returns where."""
        if not self._inner:
            special = _NOT_PLAIN.search(data, at)
            end = special.start() if special else len(data)
            if end > at:
                self._add(data[at:end])
                return end
        if data[at] == IAC:
            self._outer = _COMMAND
        elif (event := self._character(data[at])) is not None:
            events.append(event)
        return at + 1
