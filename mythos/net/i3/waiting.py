"""Packets that wait for their turn on a link: a bounded queue, in which no service keeps another from being heard."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from mythos.wire.i3 import packets
from mythos.wire.i3.packets import Packet

__all__ = ["QUEUE", "Waiting"]

#: Packets that wait at most, and how many of them may be neither tells nor lines: most such are answers to other MUDs,
#: which ask as they please.
QUEUE: Final = 200
OTHERS: Final = 100
_TELLS: Final = (packets.Tell, packets.EmoteTo)
_CHANNEL: Final = (packets.ChannelMessage, packets.ChannelEmote, packets.ChannelTargetedEmote)


class Waiting:
    """Three queues, served in turn: tells, lines on channels, and everything else. Each keeps its order.

    :param tells_changed: called when a tell has come, or is taken
    """

    __slots__ = ("_queues", "_tells_changed", "_turn")

    def __init__(self, tells_changed: Callable[[], None]) -> None:
        self._tells_changed = tells_changed
        self._queues: tuple[deque[tuple[Packet, bytes]], ...] = (deque(), deque(), deque())
        self._turn = 0

    def __len__(self) -> int:
        return sum(map(len, self._queues))

    def __bool__(self) -> bool:
        tells, lines, others = self._queues
        return bool(tells or lines or others)

    def put(self, packet: Packet, data: bytes) -> Packet | None:
        """Behind those of its kind. When it is full, the oldest line on a channel makes room for anything else.
        Returns the one that has no place any more: this one, or that line."""
        which = _which(packet)
        lost = None
        if which == 2 and len(self._queues[2]) >= OTHERS:
            return packet
        if len(self) >= QUEUE:
            if which == 1 or not self._queues[1]:
                return packet
            lost, _ = self._queues[1].popleft()
        self._queues[which].append((packet, data))
        if which == 0:
            self._tells_changed()
        return lost

    def take(self) -> bytes:
        """The next one. There is one."""
        while True:
            self._turn = (self._turn + 1) % 3
            if self._queues[self._turn]:
                _, data = self._queues[self._turn].popleft()
                if self._turn == 0:
                    self._tells_changed()
                return data

    def keep_tells(self) -> None:
        """Drop what is worth nothing later: chatter and questions of minutes ago."""
        for queue in self._queues[1:]:
            queue.clear()

    @property
    def tells_wait(self) -> bool:
        return bool(self._queues[0])

    def tells(self) -> Iterator[Packet]:
        for packet, _ in self._queues[0]:
            yield packet


def _which(packet: Packet) -> int:
    return 0 if isinstance(packet, _TELLS) else 1 if isinstance(packet, _CHANNEL) else 2
