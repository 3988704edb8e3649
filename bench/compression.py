"""What clients that compress make of a stream: MCCP2 over telnet, permessage-deflate on a WebSocket."""

from __future__ import annotations

import re
import zlib
from typing import Final

__all__ = ["AGREED", "OFFER", "Mccp", "deflated", "inflated"]

#: What a WebSocket's client offers, as browsers do, and what stands in the answer of a server that agrees.
OFFER: Final = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
AGREED: Final = b"permessage-deflate; server_no_context_takeover; client_no_context_takeover"

_DO, _DONT, _WILL, _WONT = b"\xff\xfd", b"\xff\xfe", b"\xff\xfb", b"\xff\xfc"
_MCCP2: Final = b"\x56"
_START: Final = b"\xff\xfa\x56\xff\xf0"
_COMMAND: Final = re.compile(rb"\xff(?:[\xfb-\xfe].|\xfa.*?\xff\xf0|[\xf1-\xf9])", re.DOTALL)
_BROKEN_OFF: Final = re.compile(rb"\xff(?:[\xfb-\xfe]|\xfa(?:(?!\xff\xf0).)*)?\Z", re.DOTALL)


class Mccp:
    """A telnet client that agrees to MCCP2 when it is offered, and refuses all else.

    :ivar on: what comes is compressed
    :ivar replies: what it answers; the caller sends and empties it
    """

    __slots__ = ("_held", "_inflate", "replies")

    def __init__(self) -> None:
        self.replies = bytearray()
        self._inflate: zlib._Decompress | None = None
        self._held = b""

    @property
    def on(self) -> bool:
        return self._inflate is not None

    def plain(self, data: bytes) -> bytes:
        """The words in what came, without telnet's commands."""
        if self._inflate is not None:
            data = self._inflate.decompress(data)
        data = self._held + data
        if b"\xff" not in data:
            self._held = b""
            return data
        broken = _BROKEN_OFF.search(data)
        whole = broken.start() if broken else len(data)
        data, self._held = data[:whole], data[whole:]
        words, at = [], 0
        for found in _COMMAND.finditer(data):
            words.append(data[at : found.start()])
            at = found.end()
            if found[0] == _START:
                rest, self._held = data[at:] + self._held, b""
                self._inflate = zlib.decompressobj()
                return b"".join(words) + self.plain(rest)
            self._answer(found[0])
        return b"".join([*words, data[at:]])

    def _answer(self, command: bytes) -> None:
        verb, option = command[:2], command[2:3]
        if verb == _WILL:
            self.replies += (_DO if option == _MCCP2 else _DONT) + option
        elif verb == _DO:
            self.replies += _WONT + option


def deflated(payload: bytes) -> bytes:
    """A message on its own (RFC 7692, 7.2.1)."""
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return (deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflated(payload: bytes) -> bytes:
    """The same the other way."""
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(payload + b"\x00\x00\xff\xff")
