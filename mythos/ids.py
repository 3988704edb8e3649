"""How things are named."""

from __future__ import annotations

from typing import NewType

__all__ = ["AccountId", "EntityId", "PlaceId", "RoomId", "SessionId", "ZoneId"]

#: The slug of a zone: ``saltreach``.
ZoneId = NewType("ZoneId", str)
#: ``zone:room``, stable for the life of the world: ``saltreach:quay``.
RoomId = NewType("RoomId", str)
#: A character, NPC, item or fixture of the world: ``c7``, ``n:saltreach:marta``, ``i42``. Never used again.
EntityId = NewType("EntityId", str)
#: Whatever can hold things: a room or an entity.
PlaceId = RoomId | EntityId
#: 128 random bits in hex; one presence of a character.
SessionId = NewType("SessionId", str)
#: The row number of an account.
AccountId = NewType("AccountId", int)
