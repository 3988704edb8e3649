"""Who hears a message: a handful of audiences for each fact, never a call for each observer."""

from __future__ import annotations

from mythos.ids import EntityId, RoomId, ZoneId
from mythos.values import value
from mythos.wire.message import Message

__all__ = ["Audience", "Bustle", "Everyone", "Heard", "InRoom", "InZone", "Listeners", "Only"]


@value
class Only:
    """One character; nothing happens if it has no session."""

    who: EntityId


@value
class InRoom:
    """All in a room, without those of ``but``."""

    room: RoomId
    but: tuple[EntityId, ...] = ()


@value
class InZone:
    zone: ZoneId
    but: tuple[EntityId, ...] = ()


@value
class Listeners:
    """All who listen to a channel."""

    channel: str


@value
class Everyone:
    """All who play."""


@value
class Bustle:
    """All in a crowded room, of one who came or went: told together with others within a moment, or not at all if
    it came and went. The message is what would be told of it alone, and begins with its name.

    :ivar came: into the room; else out of it
    """

    room: RoomId
    who: EntityId
    came: bool


Audience = Bustle | Only | InRoom | InZone | Listeners | Everyone

#: One message and those who hear it.
Heard = tuple[Audience, Message]
