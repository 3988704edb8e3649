"""What telnet options say inside IAC SB ... IAC SE: NAWS, TTYPE, CHARSET, NEW-ENVIRON, LINEMODE, MSSP.

Readers take the payload of a :class:`telnet.Subnegotiation` and raise :class:`BadPayload`; writers return whole
frames. GMCP has a module of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from mythos.errors import WireError
from mythos.wire.charset import Charset, charset_named
from mythos.wire.telnet import Option, Verb, subnegotiate

__all__ = [
    "LINEMODE_EDIT",
    "MXP_START",
    "NEW_ENVIRON_SEND",
    "TTYPE_SEND",
    "BadPayload",
    "CharsetAnswer",
    "CharsetVerb",
    "charset_accept",
    "charset_reject",
    "charset_request",
    "linemode_answer",
    "mssp",
    "mssp_lines",
    "read_charset",
    "read_environ",
    "read_terminal_type",
    "read_window",
]


class BadPayload(WireError):
    """A subnegotiation that is not what its option says."""

    def __init__(self, option: Option, reason: str) -> None:
        super().__init__(f"{option.name}: {reason}")
        self.option = option


# ── NAWS (RFC 1073), TTYPE (RFC 1091), LINEMODE (RFC 1184) ───────────────────────────────────────

TTYPE_SEND: Final = subnegotiate(Option.TTYPE, b"\x01")
#: MODE EDIT | TRAPSIG: the client edits its lines and turns ^C into IP.
LINEMODE_EDIT: Final = subnegotiate(Option.LINEMODE, b"\x01\x03")
#: MXP begins, and its lines are locked at once: no tag counts that we did not let through.
MXP_START: Final = subnegotiate(Option.MXP, b"") + b"\x1b[7z"
_TERMINAL_TYPE_LIMIT: Final = 40


_FORWARDMASK: Final = 2


def linemode_answer(payload: bytes) -> bytes:
    """What a client's LINEMODE is answered with: FORWARDMASK is refused; MODE and SLC are its own affair."""
    refusals = {Verb.WILL.value: Verb.DONT, Verb.DO.value: Verb.WONT}
    if len(payload) > 1 and payload[0] in refusals and payload[1] == _FORWARDMASK:
        return subnegotiate(Option.LINEMODE, bytes((refusals[payload[0]], _FORWARDMASK)))
    return b""


def read_window(payload: bytes) -> tuple[int, int]:
    """NAWS: (width, height) in characters, as sent; 0 is "unknown".

    :raises BadPayload: it is not four bytes
    """
    if len(payload) != 4:
        raise BadPayload(Option.NAWS, f"{len(payload)} bytes instead of 4")
    return int.from_bytes(payload[:2], "big"), int.from_bytes(payload[2:], "big")


def read_terminal_type(payload: bytes) -> str:
    """TTYPE IS: the name, upper case, at most 40 printable ASCII characters.

    :raises BadPayload: it is not IS
    """
    if payload[:1] != b"\x00":
        raise BadPayload(Option.TTYPE, "not IS")
    name = bytes([byte for byte in payload[1:] if 0x20 <= byte < 0x7F]).decode("ascii")
    return name.upper().strip()[:_TERMINAL_TYPE_LIMIT]


# ── CHARSET (RFC 2066) ───────────────────────────────────────────────────────────────────────────


class CharsetVerb(Enum):
    REQUEST = 1
    ACCEPTED = 2
    REJECTED = 3
    TTABLE_IS = 4
    TTABLE_REJECTED = 5


@dataclass(frozen=True, slots=True)
class CharsetAnswer:
    """``charsets``: those of them that we speak, in the peer's order; empty where the verb has none."""

    verb: CharsetVerb
    charsets: tuple[Charset, ...] = ()


#: Clients keep what they accept in their settings, so the list is short and starts with what we want.
_OFFERED: Final = (b"UTF-8", b"ISO-8859-1")
_WRITTEN: Final = {Charset.UTF8: b"UTF-8", Charset.LATIN1: b"ISO-8859-1", Charset.ASCII: b"US-ASCII"}


def charset_request() -> bytes:
    """Ask, once the peer has answered our WILL with DO."""
    return subnegotiate(Option.CHARSET, b"\x01;" + b";".join(_OFFERED))


def charset_accept(charset: Charset) -> bytes:
    """From the next byte on both directions use it."""
    return subnegotiate(Option.CHARSET, b"\x02" + _WRITTEN[charset])


def charset_reject(verb: CharsetVerb = CharsetVerb.REQUEST) -> bytes:
    """Refuse the peer's request (also when it crosses ours), or its translation table."""
    return subnegotiate(Option.CHARSET, b"\x05" if verb is CharsetVerb.TTABLE_IS else b"\x03")


def read_charset(payload: bytes) -> CharsetAnswer:
    """Read what the peer says of charsets. To a REQUEST the answer is UTF-8 if it is there, else Latin-1, else no.

    :raises BadPayload: unknown verb, or a request without a list
    """
    try:
        verb = CharsetVerb(payload[0])
    except (IndexError, ValueError):
        raise BadPayload(Option.CHARSET, "unknown verb") from None
    names: list[bytes] = []
    if verb is CharsetVerb.REQUEST:
        offered = payload[1:]
        if offered.startswith(b"[TTABLE]"):
            offered = offered[9:]  # and one byte of version
        if len(offered) < 2:
            raise BadPayload(Option.CHARSET, "a request without names")
        names = offered[1:].split(offered[:1])
    elif verb is CharsetVerb.ACCEPTED:
        names = [payload[1:]]
    charsets = [charset_named(name.decode("ascii", "replace")) for name in names]
    return CharsetAnswer(verb, tuple([charset for charset in charsets if charset is not None]))


# ── NEW-ENVIRON (RFC 1572) ───────────────────────────────────────────────────────────────────────

NEW_ENVIRON_SEND: Final = subnegotiate(Option.NEW_ENVIRON, b"\x01")
_VAR, _VALUE, _ESC, _USERVAR = range(4)
_VARIABLE_LIMIT: Final = 64
_VALUE_LIMIT: Final = 256


def read_environ(payload: bytes) -> dict[str, str | None]:
    """NEW-ENVIRON IS or INFO: variables of both kinds, names upper case; None is "undefined".

    At most 64 are read; a longer value than 256 bytes leaves its variable out.

    :raises BadPayload: neither IS nor INFO, or it does not begin with a variable
    """
    if payload[:1] not in (b"\x00", b"\x02"):
        raise BadPayload(Option.NEW_ENVIRON, "neither IS nor INFO")
    variables: dict[str, str | None] = {}
    name = ""
    for kind, raw in _pieces(payload):
        text = raw.decode("utf-8", "replace")
        if kind != _VALUE:
            name = text.upper()
            if len(raw) <= _VALUE_LIMIT:
                variables.setdefault(name, None)
        elif name in variables:
            if len(raw) <= _VALUE_LIMIT:
                variables[name] = text
            else:
                del variables[name]
        if len(variables) > _VARIABLE_LIMIT:
            del variables[name]
            break
    return variables


def _pieces(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """(VAR, VALUE or USERVAR, its text with ESC undone), in order."""
    if len(payload) > 1 and payload[1] not in (_VAR, _USERVAR):
        raise BadPayload(Option.NEW_ENVIRON, "does not begin with a variable")
    kind, text, escaped = -1, bytearray(), False
    for byte in payload[1:]:
        if not escaped and byte == _ESC:
            escaped = True
        elif not escaped and byte <= _USERVAR:
            if kind >= 0:
                yield kind, bytes(text)
            kind, text = byte, bytearray()
        else:
            text.append(byte)
            escaped = False
    if kind >= 0:
        yield kind, bytes(text)


# ── MSSP (Mud Server Status Protocol) ────────────────────────────────────────────────────────────


def mssp(table: Mapping[str, str | Sequence[str]]) -> bytes:
    """The status table for crawlers, sent for each DO MSSP, also before login."""
    parts = []
    for name, value in table.items():
        values = [value] if isinstance(value, str) else value
        parts.append(b"\x01" + _mssp_text(name) + b"".join([b"\x02" + _mssp_text(text) for text in values]))
    return subnegotiate(Option.MSSP, b"".join(parts))


def _mssp_text(text: str) -> bytes:
    return text.translate({0: None, 1: None, 2: None}).encode("utf-8", "replace")


def mssp_lines(table: Mapping[str, str | Sequence[str]]) -> bytes:
    """The same in plain text, the answer to the line ``MSSP-REQUEST`` at the name prompt."""
    rows = ["", "MSSP-REPLY-START"]
    for name, value in table.items():
        rows.append("\t".join([name, value] if isinstance(value, str) else [name, *value]))
    return "\r\n".join([*rows, "MSSP-REPLY-END", ""]).encode("utf-8", "replace")
