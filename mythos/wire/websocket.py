"""RFC 6455 frames as a server sends them: unmasked and whole."""

from __future__ import annotations

from struct import Struct
from typing import Final

from mythos.wire.client import head, tail
from mythos.wire.message import Message

__all__ = ["DEFLATED", "TEXT", "frame_header", "record_frame", "text_frame"]

#: First bytes of frames: FIN and opcode 1; and with RSV1, which says that permessage-deflate made the payload.
TEXT: Final = 0x81
DEFLATED: Final = 0xC1

_SHORT: Final = {first: tuple(bytes((first, length)) for length in range(126)) for first in (TEXT, DEFLATED)}
_MEDIUM: Final = Struct("!BBH")
_LONG: Final = Struct("!BBQ")


def frame_header(length: int, first: int = TEXT) -> bytes:
    """The header of a frame whose payload has ``length`` bytes (section 5.2)."""
    if length < 126:
        return _SHORT[first][length]
    if length < 65_536:
        return _MEDIUM.pack(first, 126, length)
    return _LONG.pack(first, 127, length)


def text_frame(payload: bytes) -> bytes:
    """``payload`` (UTF-8) as one text frame."""
    return frame_header(len(payload)) + payload


def record_frame(message: Message, s: int, prev: int | None = None) -> bytes:
    """:func:`client.record` as one text frame, with the tail shared by all who get the message."""
    start, shared = head(s, prev), tail(message)
    return b"%b%b%b" % (frame_header(len(start) + len(shared)), start, shared)
