"""Server-sent events (HTML standard, 9.2): the records of :mod:`mythos.wire.client` as an event stream.

No ``event:`` field is sent, so that a browser's ``onmessage`` hears all. A record has an id, ``<epoch>.<s>``; what has
no number (hello, done, refused) has none and leaves the client's last id as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mythos.errors import WireError
from mythos.wire.client import head, tail
from mythos.wire.message import Message

__all__ = ["BadPosition", "Position", "comment", "data", "event", "parse_position", "record_event", "retry"]

_POSITION: Final = re.compile(r"([A-Za-z0-9_-]{1,64})\.([0-9]{1,16})")


@dataclass(frozen=True, slots=True)
class Position:
    """What a client has seen: ``s`` is the last record, of this epoch."""

    epoch: str
    s: int


class BadPosition(WireError):
    """Neither ``Last-Event-ID`` nor ``last=`` looks like this."""


def event(record: bytes, epoch: str, s: int) -> bytes:
    """One numbered record. ``record`` is one line of JSON, as :mod:`client` makes them."""
    return b"id: %b.%d\ndata: %b\n\n" % (epoch.encode(), s, record)


def record_event(message: Message, epoch: str, s: int, prev: int | None = None) -> bytes:
    """:func:`client.record` as an event, with the tail shared by all who get the message."""
    return b"id: %b.%d\ndata: %b%b\n\n" % (epoch.encode(), s, head(s, prev), tail(message))


def data(record: bytes) -> bytes:
    """A record without a number."""
    return b"data: %b\n\n" % record


def comment(text: str = "hb") -> bytes:
    """What keeps proxies awake and fires nothing. ``text``: one line."""
    return b": %b\n\n" % text.encode()


def retry(milliseconds: int) -> bytes:
    """How long the browser waits before it comes back; sent once at the start."""
    return b"retry: %d\n\n" % milliseconds


def parse_position(value: str) -> Position:
    """Read ``<epoch>.<s>`` from ``Last-Event-ID`` or ``last=``.

    :raises BadPosition: it is anything else
    """
    found = _POSITION.fullmatch(value.strip())
    if found is None or int(found[2]) >= 2**53:
        raise BadPosition("not <epoch>.<s>")
    return Position(found[1], int(found[2]))
