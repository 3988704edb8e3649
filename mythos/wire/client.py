"""``mythos.v1``: JSON records between our server and its clients over WebSocket and SSE.

From the client, one object in each text frame; a member that is not named here is refused:

* ``{"t":"attach","token":T}`` first of all; with ``"epoch":E,"last":N`` to resume after record N;
* ``{"c":n,"line":"look"}`` a command, numbered from 1; ``"a":N`` beside it acknowledges too;
* ``{"a":N}`` all records up to N have been seen.

From the server:

* ``{"t":"hello","session":S,"epoch":E,"resumed":B,"reason":R|null,"missed":k,"next":c,"token":T}`` answers attach;
* records, ``s`` rising by one, ``p`` (the record before) only after a hole that a replaced state left::

    {"s":N,"t":"line","kind":"say","text":"Ann says, hello","spans":[["Ann","player"],[" says, hello",null]]}
    {"s":N,"p":M,"t":"state","name":"Char.Vitals","data":{...}}
    {"s":N,"t":"gap","missed":k}

  A span is an array of two: the words and their :class:`~mythos.wire.message.Role`, or null for plain prose;
  all spans put together are ``text``.
* ``{"t":"done","c":n}`` or ``{"t":"refused","c":n,"error":E}`` answers a command (``"dup":true``: once more;
  error ``gap`` comes with ``"expect":n``);
* ``{"t":"error","error":E,"message":M}`` a frame was no good; ``{"t":"bye","reason":R}`` do not come back by yourself;
  ``{"t":"reconnect","after_ms":n}`` come back, to another door.

A record is a small head of the session's own and a tail that is encoded once and shared by all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from mythos.errors import WireError
from mythos.wire.message import Line, Message, keep

__all__ = [
    "LINE_LIMIT",
    "SUBPROTOCOL",
    "Ack",
    "Attach",
    "BadFrame",
    "ClientFrame",
    "Command",
    "bye",
    "decode",
    "done",
    "error",
    "gap",
    "head",
    "hello",
    "reconnect",
    "record",
    "refused",
    "tail",
]

SUBPROTOCOL: Final = "mythos.v1"
#: Longest command line, in bytes of UTF-8.
LINE_LIMIT: Final = 4096

_encode: Final = msgspec.json.Encoder().encode
#: Key of the encoded tail in ``Message.rendered``.
_TAIL: Final = SUBPROTOCOL


# ── from the server ──────────────────────────────────────────────────────────────────────────────


def tail(message: Message) -> bytes:
    """The part of a record that all who get ``message`` share: everything behind ``s`` and ``p``."""
    encoded = message.rendered.get(_TAIL)
    if encoded is None:
        encoded = _encode(_body(message))[1:]
        keep(message, _TAIL, encoded)
    return encoded


def _body(message: Message) -> dict[str, Any]:
    if isinstance(message, Line):
        spans = [(span.text, span.colour) for span in message.spans]
        return {"t": "line", "kind": message.kind, "text": message.text, "spans": spans}
    return {"t": "state", "name": message.name, "data": message.data}


def head(s: int, prev: int | None = None) -> bytes:
    """The part of a record that is the session's own. ``prev``: the record before, if that is not ``s - 1``."""
    return b'{"s":%d,' % s if prev is None else b'{"s":%d,"p":%d,' % (s, prev)


def record(message: Message, s: int, prev: int | None = None) -> bytes:
    """One numbered record."""
    return head(s, prev) + tail(message)


def gap(s: int, missed: int) -> bytes:
    """``missed`` records before ``s`` are lost for this client; a snapshot follows."""
    return b'{"s":%d,"t":"gap","missed":%d}' % (s, missed)


def hello(
    session: str, epoch: str, *, resumed: bool, reason: str | None, missed: int, next_c: int, token: str
) -> bytes:
    """The answer to attach. ``next_c``: the command number expected; ``token``: resumes next time."""
    return _encode(
        {
            "t": "hello",
            "session": session,
            "epoch": epoch,
            "resumed": resumed,
            "reason": reason,
            "missed": missed,
            "next": next_c,
            "token": token,
        }
    )


def done(c: int, *, dup: bool = False) -> bytes:
    """Command ``c`` was carried out; ``dup``: already earlier."""
    return b'{"t":"done","c":%d,"dup":true}' % c if dup else b'{"t":"done","c":%d}' % c


def refused(c: int, error: str, *, expect: int | None = None, dup: bool = False) -> bytes:
    """Command ``c`` was not carried out. ``expect``: with error ``gap``, the number that is due."""
    body: dict[str, Any] = {"t": "refused", "c": c, "error": error}
    if expect is not None:
        body["expect"] = expect
    if dup:
        body["dup"] = True
    return _encode(body)


def error(code: str, message: str) -> bytes:
    """Something other than a command was no good; ``code`` for programs, ``message`` for people."""
    return _encode({"t": "error", "error": code, "message": message})


def bye(reason: str) -> bytes:
    """The connection ends and the client should stay away until its player acts."""
    return _encode({"t": "bye", "reason": reason})


def reconnect(after_ms: int) -> bytes:
    """The connection ends; the client should come back after ``after_ms`` milliseconds, with jitter of its own."""
    return b'{"t":"reconnect","after_ms":%d}' % after_ms


# ── from the client ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Attach:
    """Start with a token, or resume: then ``epoch`` and ``last`` are both there."""

    token: str
    epoch: str | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A line typed. It is as the client sent it: :func:`mythos.wire.clean.sanitize` is still to come."""

    c: int
    line: str
    ack: int | None = None


@dataclass(frozen=True, slots=True)
class Ack:
    """Everything up to record ``a`` was seen."""

    a: int


ClientFrame = Attach | Command | Ack


class BadFrame(WireError):
    """A frame that is not of this protocol.

    :ivar field: the member that is wrong; empty if it is the frame as a whole
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field


_Count = Annotated[int, Meta(ge=0, lt=2**53)]  # a JavaScript number holds no larger integer
_Token = Annotated[str, Meta(min_length=1, max_length=4096)]
_Epoch = Annotated[str, Meta(min_length=1, max_length=64)]


class _Frame(Struct, forbid_unknown_fields=True):
    t: str | UnsetType = UNSET
    token: _Token | UnsetType = UNSET
    epoch: _Epoch | UnsetType = UNSET
    last: _Count | UnsetType = UNSET
    c: Annotated[int, Meta(ge=1, lt=2**53)] | UnsetType = UNSET
    line: str | UnsetType = UNSET
    a: _Count | UnsetType = UNSET


_decode: Final = msgspec.json.Decoder(_Frame).decode
_FIELD: Final = re.compile(r"`\$\.(\w+)|unknown field `([^`]*)`")


def decode(data: bytes) -> ClientFrame:
    """Read one frame, or the body of a posted command.

    :raises BadFrame: for anything else, naming the member
    """
    try:
        frame = _decode(data)
    except (ValueError, RecursionError) as wrong:  # msgspec's errors and UnicodeDecodeError are ValueErrors
        found = _FIELD.search(str(wrong))
        raise BadFrame((found[1] or found[2]) if found else "", str(wrong)) from None
    if frame.t is not UNSET:
        return _attach(frame)
    for name in ("token", "epoch", "last"):
        if getattr(frame, name) is not UNSET:
            raise BadFrame(name, "belongs to an attach frame")
    if frame.c is not UNSET:
        return _command(frame.c, frame)
    if frame.line is not UNSET:
        raise BadFrame("c", "a line has a number")
    if frame.a is UNSET:
        raise BadFrame("", "neither attach nor command nor acknowledgement")
    return Ack(frame.a)


def _command(c: int, frame: _Frame) -> Command:
    if frame.line is UNSET:
        raise BadFrame("line", "a command has a line")
    if len(frame.line.encode()) > LINE_LIMIT:
        raise BadFrame("line", f"longer than {LINE_LIMIT} bytes")
    return Command(c, frame.line, None if frame.a is UNSET else frame.a)


def _attach(frame: _Frame) -> Attach:
    if frame.t != "attach":
        raise BadFrame("t", "not a kind of frame that a client sends")
    for name in ("c", "line", "a"):
        if getattr(frame, name) is not UNSET:
            raise BadFrame(name, "does not belong to an attach frame")
    if frame.token is UNSET:
        raise BadFrame("token", "attach has a token")
    if frame.epoch is UNSET and frame.last is UNSET:
        return Attach(frame.token)
    if frame.epoch is UNSET:
        raise BadFrame("epoch", "resuming names the epoch")
    if frame.last is UNSET:
        raise BadFrame("last", "resuming names the last record seen")
    return Attach(frame.token, frame.epoch, frame.last)
