"""The WebSocket subprotocols of MUD clients (https://mudstandards.org/websocket), as telnet and back.

======================================= ============================ ===========================================
subprotocol                             binary frames, both ways     text frames, both ways
======================================= ============================ ===========================================
``telnet.mudstandards.org``             the bytes of telnet          refused
``json.mudstandards.org``               words and ANSI, UTF-8        ``{"proto":"gmcp","id":name,"data":json}``
``gmcp.mudstandards.org``               words and ANSI, UTF-8        ``name json``
``terminal.mudstandards.org``           words and ANSI, UTF-8        from the client: a line
======================================= ============================ ===========================================

``telnet`` and ``binary`` are older names of the first, ``ascii`` of the last. Behind them is the door of telnet. To it,
a :class:`Terminal` is a client that shows 256 colours and UTF-8, and, if it takes text frames, speaks GMCP; none of its
negotiation goes over the WebSocket. A message is one or more lines, the last end of a line may be left out. In
``json`` a line may also be ``{"proto":"text","data":line}``.

The size of a terminal is said by GMCP, ``Client.Size {"cols":100,"rows":40}``, or in ``json`` by
``{"proto":"telnet_31","data":base64}`` with what NAWS (RFC 1073) says. When what is typed next is a secret, ``json``
says ``{"proto":"telnet_1","id":"ECHO","data":base64}`` with IAC WILL ECHO, and IAC WONT ECHO when it is over.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

import msgspec

from mythos.errors import WireError
from mythos.values import kept, restore
from mythos.wire.gmcp import Gmcp, decode
from mythos.wire.telnet import Option, Verb, escape, negotiate, subnegotiate
from mythos.wire.websocket import BINARY, frame_header, text_frame

__all__ = ["STREAMS", "SUBPROTOCOLS", "Speech", "Stream", "Terminal", "speech"]

_JSON: Final = "json.mudstandards.org"
_GMCP: Final = "gmcp.mudstandards.org"
#: Those that are telnet itself; and all, in the order in which they are preferred.
STREAMS: Final = ("telnet.mudstandards.org", "telnet", "binary")
SUBPROTOCOLS: Final = (_JSON, _GMCP, *STREAMS, "terminal.mudstandards.org", "ascii")

#: Bytes of words in one frame; a letter is never cut.
_FRAME: Final = 16_384
#: What a terminal calls itself, one answer to each question: ANSI, UTF-8 and 256 colours (MTTS).
_NAMES: Final = (b"WEBSOCKET", b"ANSI-256COLOR", b"MTTS 13")

_encode: Final = msgspec.json.Encoder().encode
_MARKS: Final = (0xEF, 0xF9)  # EOR and GA
_SUBNEGOTIATION: Final = 0xFA
_COMMAND: Final = re.compile(rb"\xff(?:\xfa(.)((?:[^\xff]|\xff\xff)*)\xff\xf0|[\xfb-\xfe].|.)", re.DOTALL)
_ENDS: Final = re.compile(rb"\r\n?|\n")


class Speech(Protocol):
    """How one WebSocket speaks.

    :ivar replies: what the door of telnet is to read next, beside what :meth:`heard` returns; to be taken and emptied
    """

    replies: bytearray

    def kept(self) -> dict[str, Any]:
        """Where it stands, for another process."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """What :meth:`kept` gave, into a new one. :raises KeyError: some of it is missing"""

    def sent(self, data: bytes) -> bytes:
        """What the door wrote, whole commands, as frames to send."""

    def heard(self, payload: bytes, *, binary: bool) -> bytes:
        """What the door is to read of a message; nothing, if it makes no sense.

        :raises WireError: there are no such messages here
        """


def speech(subprotocol: str) -> Speech:
    """:param subprotocol: one of :data:`SUBPROTOCOLS`"""
    if subprotocol in STREAMS:
        return Stream()
    return Terminal(_Json() if subprotocol == _JSON else _Gmcp() if subprotocol == _GMCP else None)


def _binary(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        end = min(at + _FRAME, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80 and end > at + _FRAME - 4:  # within a letter of UTF-8
            end -= 1
        yield frame_header(end - at, BINARY)
        yield data[at:end]
        at = end


class Stream:
    """Telnet itself, cut anywhere."""

    __slots__ = ("replies",)

    def __init__(self) -> None:
        self.replies = bytearray()

    def kept(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        pass

    def sent(self, data: bytes) -> bytes:
        return b"".join(_binary(data))

    def heard(self, payload: bytes, *, binary: bool) -> bytes:
        if not binary:
            raise WireError("binary frames only")
        return payload


class _Beside(Protocol):
    """What goes in text frames."""

    def gmcp(self, payload: bytes) -> bytes:
        """A frame of it."""

    def echo(self, verb: Verb) -> bytes: ...

    def heard(self, payload: bytes) -> bytes:
        """What it is in telnet. :raises WireError: it makes no sense"""


class _Gmcp:
    def gmcp(self, payload: bytes) -> bytes:
        return text_frame(payload)

    def echo(self, verb: Verb) -> bytes:
        return b""

    def heard(self, payload: bytes) -> bytes:
        return _message(payload)


class _Envelope(msgspec.Struct):
    proto: str
    data: Any = ""
    id: str | None = ""


_envelope: Final = msgspec.json.Decoder(_Envelope).decode


class _Json:
    def gmcp(self, payload: bytes) -> bytes:
        name, _, data = payload.decode().partition(" ")
        return text_frame(_encode({"proto": "gmcp", "id": name, "data": data}))

    def echo(self, verb: Verb) -> bytes:
        said = base64.b64encode(negotiate(verb, Option.ECHO)).decode()
        return text_frame(_encode({"proto": f"telnet_{Option.ECHO:d}", "id": "ECHO", "data": said}))

    def heard(self, payload: bytes) -> bytes:
        try:
            said = _envelope(payload)
            data = said.data if isinstance(said.data, str) else _encode(said.data).decode()
            if said.proto == "gmcp":
                return _message(f"{said.id or ''} {data}".encode())
            if said.proto == "text":
                return _lines(data.encode())
            if said.proto == f"telnet_{Option.NAWS:d}":
                return _window(base64.b64decode(data, validate=True))
        except (ValueError, RecursionError) as wrong:  # msgspec's, Unicode's and base64's errors are ValueErrors
            raise WireError(str(wrong)) from None
        raise WireError(f"{said.proto} means nothing here")


def _message(payload: bytes) -> bytes:
    """A message of GMCP. :raises BadGmcp:"""
    message = decode(payload)
    if message.name == "client.size":
        return _size(message)
    return subnegotiate(Option.GMCP, payload)


def _size(message: Gmcp) -> bytes:
    size = message.data if isinstance(message.data, dict) else {}
    said = [size.get("cols"), size.get("rows")]
    if not all(type(one) is int and 0 <= one < 65_536 for one in said):
        raise WireError("a size has cols and rows")
    return subnegotiate(Option.NAWS, struct.pack("!HH", *said))


def _window(said: bytes) -> bytes:
    """What NAWS says, or its whole frame."""
    framed = _COMMAND.fullmatch(said)
    if framed is not None and framed[1] == bytes((Option.NAWS,)):
        said = framed[2].replace(b"\xff\xff", b"\xff")
    if len(said) != 4:
        raise WireError("NAWS says four bytes")
    return subnegotiate(Option.NAWS, said)


def _lines(payload: bytes) -> bytes:
    lines = _ENDS.sub(b"\n", payload).removesuffix(b"\n")
    return escape(lines.replace(b"\n", b"\r\n") + b"\r\n")


class Terminal:
    """See the module."""

    __slots__ = ("_beside", "_named", "_prompted", "replies")

    def __init__(self, beside: _Beside | None) -> None:
        self._beside = beside
        self._named = 0
        self._prompted = False  # what comes next does not begin a row
        self.replies = bytearray()

    def kept(self) -> dict[str, Any]:
        return kept(self, ("_named", "_prompted"))

    def restore(self, state: Mapping[str, Any]) -> None:
        restore(self, ("_named", "_prompted"), state)

    def sent(self, data: bytes) -> bytes:
        frames: list[bytes] = []
        words: list[bytes] = []
        at = 0
        for found in _COMMAND.finditer(data):
            self._say(data[at : found.start()], words)
            at = found.end()
            command = found[0][1]
            if command in _MARKS:
                self._prompted = bool(words) and not words[-1].endswith(b"\n")
            elif command == _SUBNEGOTIATION:
                if (told := self._asked(found[1][0], found[2])) is not None:
                    frames += [*_binary(b"".join(words)), told]
                    words.clear()
            elif command in _ANSWERS:
                frames.append(self._negotiate(Verb(command), found[0][2]))
        self._say(data[at:], words)
        return b"".join([*frames, *_binary(b"".join(words))])

    def heard(self, payload: bytes, *, binary: bool) -> bytes:
        if not binary and self._beside is not None:
            try:
                return self._beside.heard(payload)
            except WireError:
                return b""  # as the door of telnet passes over what makes no sense
        self._prompted = False
        return _lines(payload)

    def _say(self, text: bytes, words: list[bytes]) -> None:
        if text:
            if self._prompted:
                words.append(b"\r\n")
                self._prompted = False
            words.append(text)

    def _asked(self, option: int, payload: bytes) -> bytes | None:
        """A frame, if it is something for the client."""
        if option == Option.GMCP and self._beside is not None:
            return self._beside.gmcp(payload.replace(b"\xff\xff", b"\xff"))
        if option == Option.TTYPE:
            self.replies += subnegotiate(Option.TTYPE, b"\0" + _NAMES[min(self._named, len(_NAMES) - 1)])
            self._named += 1
        return None

    def _negotiate(self, verb: Verb, option: int) -> bytes:
        """Answer; what the client is told of it."""
        if verb is Verb.DO and option == Option.TIMING_MARK:
            return b""  # it would vouch for what is still on its way
        wanted = option in (_HAS if verb is Verb.DO else _TAKES)
        if option == Option.GMCP:
            wanted = self._beside is not None
        answer, refusal = _ANSWERS[verb]
        self.replies += negotiate(answer if wanted else refusal, option)
        return self._beside.echo(verb) if option == Option.ECHO and self._beside is not None else b""


_HAS: Final = (Option.TTYPE, Option.NAWS)
_TAKES: Final = (Option.EOR, Option.ECHO)
_ANSWERS: Final = {
    Verb.WILL: (Verb.DO, Verb.DONT),
    Verb.WONT: (Verb.DONT, Verb.DONT),
    Verb.DO: (Verb.WILL, Verb.WONT),
    Verb.DONT: (Verb.WONT, Verb.WONT),
}
