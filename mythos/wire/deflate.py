"""permessage-deflate (RFC 7692) from us: long records, compressed once for all who get them.

A compressed record is the session's own head as a stored block, and behind it a unit: the tail of the message as raw
deflate that ends in a full flush. A unit refers to nothing before it, so it follows any head in any connection; that
is ``server_no_context_takeover``. The last four bytes of a flush are not sent (section 7.2.1).

In a unit is one message and nothing else. A token, which goes out in ``hello``, is never beside words that others
chose: from the length of what was compressed with it, it could be guessed.
"""

from __future__ import annotations

import zlib
from typing import Final

from mythos.wire.client import SUBPROTOCOL, head, tail
from mythos.wire.message import Message, keep
from mythos.wire.websocket import DEFLATED, frame_header

__all__ = ["LEAST", "WINDOW", "Units"]

#: A tail of fewer bytes goes as it is. Compressed, those of 100 bytes lose a tenth, of 200 a third, from here on half
#: and more; a unit takes 3 to 9 us.
LEAST: Final = 256
#: Bits of our window. A client that asks for less than this has nothing compressed.
WINDOW: Final = 12

_MEMORY: Final = 5  # zlib's memLevel: with more each full flush clears more, and nothing gets smaller
_UNIT: Final = f"{SUBPROTOCOL} deflate"
_FLUSH: Final = 4


def _stored(size: int) -> bytes:
    """The header of a stored block (RFC 1951, 3.2.4) that begins at a byte and is not the last."""
    return b"\0" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little")


_STORED: Final = tuple(map(_stored, range(64)))


class Units:
    """The compressor of all WebSockets."""

    __slots__ = ("_compressed", "_deflate", "_plain")

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(wbits=-WINDOW, memLevel=_MEMORY)
        self._plain = 0
        self._compressed = 0

    def sizes(self) -> dict[str, int]:
        """Bytes of the records framed since the start, and what they became; both without a frame's header."""
        return {"plain": self._plain, "compressed": self._compressed}

    def record_frame(self, message: Message, s: int, prev: int | None = None) -> bytes:
        """:func:`mythos.wire.websocket.record_frame`, compressed."""
        start, shared = head(s, prev), tail(message)
        unit = message.rendered.get(_UNIT)
        if unit is None:
            deflate = self._deflate
            unit = (deflate.compress(shared) + deflate.flush(zlib.Z_FULL_FLUSH))[:-_FLUSH]
            keep(message, _UNIT, unit)
        stored = _STORED[len(start)]
        size = len(stored) + len(start) + len(unit)
        self._plain += len(start) + len(shared)
        self._compressed += size
        return b"%b%b%b%b" % (frame_header(size, DEFLATED), stored, start, unit)
