"""Who hears a message: a handful of audiences for each fact, never a call for each observer."""

from __future__ import annotations

from dataclasses import dataclass

from mythos.ids import EntityId, RoomId, ZoneId
from mythos.wire.message import Message

__all__ = ["Audience", "Everyone", "Heard", "InRoom", "InZone", "Listeners", "Only"]


@dataclass(frozen=True, slots=True)
class Only:
    """One character; nothing happens if it has no session."""

    who: EntityId


@dataclass(frozen=True, slots=True)
class InRoom:
    """All in a room, without those of ``but``."""

    room: RoomId
    but: tuple[EntityId, ...] = ()


@dataclass(frozen=True, slots=True)
class InZone:
    zone: ZoneId
    but: tuple[EntityId, ...] = ()


@dataclass(frozen=True, slots=True)
class Listeners:
    """All who listen to a channel."""

    channel: str


@dataclass(frozen=True, slots=True)
class Everyone:
    """All who play."""


Audience = Only | InRoom | InZone | Listeners | Everyone

#: One message and those who hear it.
Heard = tuple[Audience, Message]
