"""RFC 6455 frames as a server sends them, unmasked and whole; and those that clients send most."""

from __future__ import annotations

import zlib
from struct import Struct
from typing import Final

from mythos.wire.client import head, tail
from mythos.wire.message import Message

__all__ = ["BINARY", "DEFLATED", "TEXT", "frame_header", "read_text", "record_frame", "text_frame"]

#: First bytes of frames: FIN and opcode 1 or 2; and with RSV1, which says that permessage-deflate made the payload.
TEXT: Final = 0x81
BINARY: Final = 0x82
DEFLATED: Final = 0xC1

_SHORT: Final = {first: tuple(bytes((first, length)) for length in range(126)) for first in (TEXT, BINARY, DEFLATED)}
_MEDIUM: Final = Struct("!BBH")
_LONG: Final = Struct("!BBQ")
_MASKED: Final = 6  # bytes of the shortest header of a client
_FLUSHED: Final = b"\x00\x00\xff\xff"  # what permessage-deflate leaves out


def frame_header(length: int, first: int = TEXT) -> bytes:
    """The header of a frame whose payload has ``length`` bytes (section 5.2)."""
    if length < 126:
        return _SHORT[first][length]
    if length < 65_536:
        return _MEDIUM.pack(first, 126, length)
    return _LONG.pack(first, 127, length)


def read_text(data: bytes, at: int, most: int, *, deflate: bool = False) -> tuple[bytes, int] | None:
    """The client's text frame that begins at ``at``: its payload (UTF-8), and where it ends.

    None: it is not whole, longer than ``most`` or 65,535 bytes, part of a longer message, another frame, or wrong in
    any way.

    :param deflate: it may be compressed, by itself
    """
    if len(data) - at < _MASKED or not (data[at] == TEXT or (deflate and data[at] == DEFLATED)):
        return None
    size, begin = data[at + 1] - 0x80, at + _MASKED
    if size == 126:
        size, begin = int.from_bytes(data[at + 2 : at + 4], "big"), begin + 2
        if size < 126:
            return None
    elif not 0 <= size < 126:
        return None
    end = begin + size
    if size > most or end > len(data):
        return None
    mask = (data[begin - 4 : begin] * (size // 4 + 1))[:size]
    payload = (int.from_bytes(data[begin:end], "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big")
    try:
        if data[at] == DEFLATED:
            payload = _inflated(payload, most)
        payload.decode()
    except ValueError:
        return None
    return payload, end


def _inflated(payload: bytes, most: int) -> bytes:
    """What permessage-deflate compressed. :raises ValueError: it did not, or it is more than ``most`` bytes"""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = inflate.decompress(payload, most + 1)
        inflate.decompress(_FLUSHED)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(found) > most:
        raise ValueError("too long")
    return found


def text_frame(payload: bytes) -> bytes:
    """``payload`` (UTF-8) as one text frame."""
    return frame_header(len(payload)) + payload


def record_frame(message: Message, s: int, prev: int | None = None) -> bytes:
    """:func:`client.record` as one text frame, with the tail shared by all who get the message."""
    start, shared = head(s, prev), tail(message)
    return b"%b%b%b" % (frame_header(len(start) + len(shared)), start, shared)
