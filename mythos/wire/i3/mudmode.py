"""Mudmode: frames of a four-byte big-endian length and so many bytes of LPC text.

The text ends with a NUL that is counted, or a CR, or nothing, by who sends it; several packets may stand in one frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mythos.errors import WireError

__all__ = ["LIMIT", "FrameReader", "FrameTooLong", "frame"]

#: Longest frame that is read; a mud list comes in frames of some kilobytes, and routers allow up to this.
LIMIT: Final = 2 * 2**20
#: Longest that is sent, so that everybody reads it.
SEND_LIMIT: Final = 65_535
_HEADER = 4


class FrameTooLong(WireError):
    """A length of 0 or beyond the limit: there is no way to find the next frame, and the connection is to be closed."""

    def __init__(self, size: int) -> None:
        super().__init__(f"a frame of {size} bytes")
        self.size = size


class FrameReader:
    """Cuts a byte stream into frames.

    :param limit: longest frame, in bytes; refused before it is buffered
    """

    __slots__ = ("_buffer", "limit")

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._buffer: bytes | bytearray = b""

    def receive(self, data: bytes) -> None:
        if not self._buffer:
            self._buffer = data  # most often whole frames: they are not copied
        else:
            if isinstance(self._buffer, bytes):
                self._buffer = bytearray(self._buffer)
            self._buffer += data

    def frames(self) -> Iterator[bytes]:
        """What has come whole. :raises FrameTooLong: at the frame that is, after the good ones."""
        buffer, at = self._buffer, 0
        try:
            while len(buffer) - at >= _HEADER:
                size = int.from_bytes(buffer[at : at + _HEADER], "big")
                if not 0 < size <= self.limit:
                    raise FrameTooLong(size)
                end = at + _HEADER + size
                if len(buffer) < end:
                    return
                payload = bytes(buffer[at + _HEADER : end])
                at = end
                yield payload
        finally:
            if isinstance(buffer, bytes):
                self._buffer = buffer[at:]
            else:
                del buffer[:at]


def frame(text: bytes) -> bytes:
    """:raises FrameTooLong: more than everybody reads"""
    if len(text) + 1 > SEND_LIMIT:
        raise FrameTooLong(len(text) + 1)
    return b"%b%b\0" % ((len(text) + 1).to_bytes(_HEADER, "big"), text)
