"""What is kept to be told again: bytes by namespace and key, for a time, within so many bytes.

Told the time. What was used longest ago goes first; what is large is kept packed, if that is smaller. Nothing may be
kept here that cannot be made again.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Kept", "Space", "pack", "unpack"]

#: What an entry takes besides its key and its value, in bytes.
OVERHEAD = 250
#: The first byte of what is packed, and of what is as it was.
_PACKED, _PLAIN = b"z", b"-"


def pack(value: bytes, over: int) -> bytes:
    """As it is kept: one byte that says how, and the value.

    :param over: bytes from which it is packed, if that is smaller
    """
    if len(value) >= over:
        packed = zlib.compress(value, 6)
        if len(packed) < len(value):
            return _PACKED + packed
    return _PLAIN + value


def unpack(kept: bytes, most: int) -> bytes | None:
    """The value; None: it is none that :func:`pack` made, or larger than ``most`` bytes."""
    how, body = kept[:1], kept[1:]
    if how == _PLAIN:
        return body if len(body) <= most else None
    if how != _PACKED:
        return None
    reader = zlib.decompressobj()
    try:
        value = reader.decompress(body, most)
    except zlib.error:
        return None
    return value if reader.eof and not reader.unused_data else None


@dataclass(slots=True)
class Space:
    """One namespace. ``hits`` and ``misses`` since the start; ``shared``: hits that came from what servers share;
    ``evicted`` for want of room, ``expired`` for their age, ``dropped`` as they were not true any more."""

    entries: int = 0
    bytes: int = 0
    hits: int = 0
    shared: int = 0
    misses: int = 0
    evicted: int = 0
    expired: int = 0
    dropped: int = 0

    @property
    def rate(self) -> float:
        """Of all that was looked for, what was there: 0.0 to 1.0; 1.0 if nothing was."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 1.0


class _Entry(NamedTuple):
    kept: bytes
    size: int
    ends: float


class Kept:
    """See the module.

    :param room: bytes, with what the entries themselves take
    :param most: entries
    :param over: bytes from which a value is packed
    :ivar size: bytes in use
    :ivar spaces: by name
    """

    def __init__(self, room: int, most: int = 10_000, over: int = 1024) -> None:
        self.room = room
        self._most = most
        self._over = over
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()  # used last at the end
        self._spaces: dict[str, Space] = {}
        self.size = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def spaces(self) -> Mapping[str, Space]:
        return self._spaces

    def space(self, name: str) -> Space:
        found = self._spaces.get(name)
        if found is None:
            found = self._spaces[name] = Space()
        return found

    def total(self) -> Space:
        """All of them together."""
        names = Space.__dataclass_fields__
        return Space(*[sum(getattr(one, name) for one in self._spaces.values()) for name in names])

    def find(self, space: str, key: str, now: float) -> bytes | None:
        """The value, if it is there and not too old. Whoever asks counts it as hit or as miss, in :meth:`space`."""
        entry = self._entries.get((space, key))
        if entry is None:
            return None
        if entry.ends <= now:
            self._remove((space, key))
            self._spaces[space].expired += 1
            return None
        self._entries.move_to_end((space, key))
        kept = entry.kept
        return kept[1:] if kept[:1] == _PLAIN else zlib.decompress(kept[1:])

    def put(self, space: str, key: str, value: bytes, now: float, seconds: float) -> None:
        """Keep it from now on for so long, unless it takes more than an eighth of the room."""
        self._remove((space, key))
        kept = pack(value, self._over)
        size = len(kept) + len(key) + OVERHEAD
        if size > self.room // 8:
            return
        counts = self.space(space)
        self._entries[space, key] = _Entry(kept, size, now + seconds)
        self.size += size
        counts.entries += 1
        counts.bytes += size
        self._make_room()

    def drop(self, space: str, key: str = "") -> int:
        """Forget one entry, or all of a namespace: it is not true any more. Returns how many those were."""
        gone = [one for one in self._entries if one[0] == space and (not key or one[1] == key)]
        for one in gone:
            self._remove(one)
        if gone:
            self._spaces[space].dropped += len(gone)
        return len(gone)

    def sweep(self, now: float) -> None:
        """Forget what is too old."""
        for one in [one for one, entry in self._entries.items() if entry.ends <= now]:
            self._remove(one)
            self._spaces[one[0]].expired += 1

    def resize(self, room: int) -> None:
        """It may take so many bytes from now on; 0: none at all."""
        self.room = room
        self._make_room()

    def _make_room(self) -> None:
        while self._entries and (self.size > self.room or len(self._entries) > self._most):
            oldest = next(iter(self._entries))
            self._remove(oldest)
            self._spaces[oldest[0]].evicted += 1

    def _remove(self, one: tuple[str, str]) -> None:
        entry = self._entries.pop(one, None)
        if entry is not None:
            counts = self._spaces[one[0]]
            counts.entries -= 1
            counts.bytes -= entry.size
            self.size -= entry.size
