"""permessage-deflate (RFC 7692) on a WebSocket: what is agreed on, and what clients compress.

No message of either side refers to one before it. So a connection keeps nothing: a window of zlib would be 40 KB.
Frames from us are made by :mod:`mythos.wire.deflate`. This module alone touches a private part of Autobahn; where that
is missing, Autobahn's own decompressor stays and keeps its window, and ``tests/net/test_deflate.py`` fails.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

from autobahn.exception import PayloadCorruptError, PayloadExceededError
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept

from mythos.wire.deflate import WINDOW

__all__ = ["accept", "agreed", "inflate_by_message"]

_NAME = "permessage-deflate"
_FLUSHED = b"\x00\x00\xff\xff"


class _Accepted(PerMessageDeflateOfferAccept):
    """Says that we keep no context though the client did not ask for that: it need not keep a window either."""

    def get_extension_string(self) -> str:
        said = f"{_NAME}; server_no_context_takeover; client_no_context_takeover"
        asked = self.offer.request_max_window_bits
        return f"{said}; server_max_window_bits={WINDOW}" if asked else said


def accept(offers: Iterable[Any]) -> PerMessageDeflateOfferAccept | None:
    """The first offer of a client that our frames keep to; Autobahn asks."""
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer) and offer.request_max_window_bits in (0, *range(WINDOW, 16)):
            return _Accepted(offer, request_no_context_takeover=True, no_context_takeover=True)
    return None


def agreed(socket: Any) -> bool:
    """Compressed frames may be sent to it."""
    return bool(socket.websocket_extensions_in_use)


def inflate_by_message(socket: Any) -> None:
    """Keep no decompressor between the messages of a WebSocket that has agreed."""
    if getattr(socket, "_perMessageCompress", None) is not None:
        socket._perMessageCompress = _Inflation()


class _Inflation:
    """Autobahn's seam of a decompressor (``PerMessageCompress``): a message as its frames come."""

    __slots__ = ("_inflate",)

    EXTENSION_NAME = _NAME

    def __init__(self) -> None:
        self._inflate: Any = None

    def start_decompress_message(self) -> None:
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)

    def decompress_message_data(self, data: bytes, max_output_len: int) -> bytes:
        """:param max_output_len: bytes that the message may still have; less than 0: its compressed ones are too many
        :raises PayloadExceededError: it has more; no more than that was inflated
        :raises PayloadCorruptError: it is not compressed so
        """
        try:
            found: bytes = self._inflate.decompress(data, max(max_output_len, 0) + 1)
        except zlib.error as error:
            raise PayloadCorruptError(f"not deflate: {error}") from error
        if len(found) > max_output_len:
            raise PayloadExceededError("longer than a message may be")
        return found

    def end_decompress_message(self) -> None:
        inflate, self._inflate = self._inflate, None
        try:
            inflate.decompress(_FLUSHED)
        except zlib.error as error:
            raise PayloadCorruptError(f"not deflate: {error}") from error
