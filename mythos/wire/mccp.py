"""MCCP: zlib (RFC 1950) around a telnet stream, from us (MCCP2, option 86) and from the client (MCCP3, option 87).

=============================  =================================================================================
``SB MCCP2 SE``                from us: the very next byte is compressed, and all that follow
``SB MCCP3 SE``                from the client: the same the other way
the end of the zlib stream     what follows is plain telnet again
=============================  =================================================================================

What many hear is compressed once. A unit is raw deflate that ends in a full flush: it refers to nothing before it, so
it fits into every client's stream at any place. A client's stream needs no compressor then, only its checksum.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final

from mythos.errors import WireError
from mythos.values import kept, restore
from mythos.wire.telnet import Option, subnegotiate

__all__ = ["PIECE", "START", "Incoming", "Outgoing", "Units"]

#: What comes right before our compressed stream; to be sent in one write of its own.
START: Final = subnegotiate(Option.MCCP2, b"")
#: Bytes that :meth:`Incoming.piece` returns at most.
PIECE: Final = 8192

_HEADER: Final = b"\x78\x9c"
#: What there is to know of a stream to a client: all else is shared.
_STATE: Final = ("_adler", "_begun")
#: An empty last block; the checksum follows.
_LAST: Final = b"\x03\x00"
#: Units that are kept for the next who hears the same, and how long, in bytes, such words may be.
_KEPT: Final = 256
_LONGEST: Final = 2048
#: A stream that grows more than this, over this many bytes out, is a bomb.
_RATIO: Final = 100
_WINDOW: Final = 65_536


class Units:
    """The compressor of all clients."""

    __slots__ = ("_compressed", "_deflate", "_made", "_plain")

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        self._made: dict[bytes, bytes] = {}
        self._plain = 0
        self._compressed = 0

    def sizes(self) -> dict[str, int]:
        """Bytes given to all streams since the start, and what they became."""
        return {"plain": self._plain, "compressed": self._compressed}

    def of(self, data: bytes) -> bytes:
        """``data`` as a unit."""
        unit = self._made.get(data)
        if unit is None:
            unit = self._deflate.compress(data) + self._deflate.flush(zlib.Z_FULL_FLUSH)
            if len(data) <= _LONGEST:
                if len(self._made) >= _KEPT:
                    self._made.clear()
                self._made[data] = unit
        self._plain += len(data)
        self._compressed += len(unit)
        return unit


class Outgoing:
    """The stream to one client."""

    __slots__ = ("_adler", "_begun", "_units")

    def __init__(self, units: Units) -> None:
        self._units = units
        self._adler = 1
        self._begun = False

    def write(self, data: bytes) -> bytes:
        """``data``, its 255 doubled, as bytes to send at once."""
        self._adler = zlib.adler32(data, self._adler)
        return self._head() + self._units.of(data)

    def kept(self) -> dict[str, Any]:
        """Where the stream stands, for another process that goes on with it."""
        return kept(self, _STATE)

    def restore(self, state: Mapping[str, Any]) -> None:
        """What :meth:`kept` gave, into a new one. :raises KeyError: some of it is missing"""
        restore(self, _STATE, state)

    def end(self) -> bytes:
        """What ends the stream: the next byte is plain."""
        return self._head() + _LAST + self._adler.to_bytes(4, "big")

    def _head(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        return _HEADER


class Incoming:
    """The stream from one client.

    :ivar ended: the client has ended it; ``rest`` came behind it and is plain
    :ivar more: there may be another piece without new input
    """

    __slots__ = ("_in", "_inflate", "_out", "_waiting", "more")

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj()
        self._waiting = b""
        self._in = self._out = 0
        self.more = False

    def receive(self, data: bytes) -> None:
        self._waiting += data
        self.more = True

    def piece(self) -> bytes:
        """The next bytes of what the client said, at most :data:`PIECE`; perhaps none.

        :raises WireError: it is no zlib stream, or a bomb
        """
        try:
            data = self._inflate.decompress(self._waiting, PIECE)
        except zlib.error as error:
            raise WireError(f"broken compression: {error}") from error
        self._in += len(self._waiting) - len(self._inflate.unconsumed_tail)
        self._out += len(data)
        self._waiting = self._inflate.unconsumed_tail
        self.more = not self.ended and (bool(self._waiting) or len(data) == PIECE)
        if self._out >= _WINDOW:
            if self._out > _RATIO * self._in:
                raise WireError("a compression bomb")
            self._in = self._out = 0
        return data

    @property
    def ended(self) -> bool:
        return self._inflate.eof

    @property
    def rest(self) -> bytes:
        return self._inflate.unused_data
