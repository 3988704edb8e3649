"""What other MUDs answered a moment ago: who plays there, and what is known of somebody.

Whoever asks the same again within a minute, here or at a server that shares the Redis, is told that, and the network is
not asked. A MUD answers for itself alone: what it says of others is not kept for them.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from mythos.errors import WireError
from mythos.net.cache import Cache
from mythos.wire.i3 import lpc, packets
from mythos.wire.i3.packets import FingerReply, FingerRequest, Packet, WhoReply, WhoRequest

__all__ = ["FRESH", "Answers"]

#: Seconds for which an answer is told again, at most.
FRESH: Final = 60.0
_WHO, _FINGER = "i3-who", "i3-finger"


class Answers:
    """Implements ``Answers`` of :mod:`mythos.play.intermud`."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    @property
    def shared(self) -> bool:
        """Other servers may know more than is here."""
        return self._cache.shelf is not None

    def here(self, request: Packet) -> Packet | None:
        """The answer to a question, as if it came now; None: it is not known here."""
        place = _asked(request)
        found = None if place is None else self._cache.here(*place)
        return None if found is None else _read(found, request)

    async def find(self, request: Packet) -> Packet | None:
        """The same from here or from other servers; None: nobody asked that lately."""
        place = _asked(request)
        if place is None:
            return None
        found = await self._cache.find(*place)
        return None if found is None else _read(found, request)

    def keep(self, reply: Packet) -> None:
        """One that came from the network."""
        place = _told(reply)
        if place is not None:
            self._cache.put(*place, lpc.encode(packets.values(reply)), FRESH)


def _asked(request: Packet) -> tuple[str, str] | None:
    if isinstance(request, WhoRequest):
        return _WHO, request.to_mud.lower()
    if isinstance(request, FingerRequest):
        return _FINGER, f"{request.user}@{request.to_mud}".lower()
    return None


def _told(reply: Packet) -> tuple[str, str] | None:
    if isinstance(reply, WhoReply):
        return _WHO, reply.from_mud.lower()
    if isinstance(reply, FingerReply) and reply.visname:
        return _FINGER, f"{reply.visname}@{reply.from_mud}".lower()
    return None


def _read(found: bytes, request: Packet) -> Packet | None:
    """None: it is no answer to that; whoever can write to Redis can put anything there."""
    values, error = lpc.decode(found)
    if error is not None or len(values) != 1:
        return None
    try:
        reply = packets.parse(values[0])
    except WireError:
        return None
    if _told(reply) != _asked(request):
        return None
    return replace(reply, to_mud=request.from_mud, to_user=request.from_user)
