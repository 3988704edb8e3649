"""What of a world may be shown to those who have not been there."""

from __future__ import annotations

from mythos.ids import RoomId, ZoneId
from mythos.world.zones import Atlas, Exit, Room

__all__ = ["charted", "open_ways"]


def charted(atlas: Atlas) -> dict[ZoneId, list[Room]]:
    """The rooms that can be reached from the start or from home on ways that are not hidden, whatever doors are
    between; by zone, both in their builder's order. Zones without such a room are left out."""
    seen: set[RoomId] = set()
    found = [atlas.start, atlas.home]
    while found:
        here = found.pop()
        if here not in seen:
            seen.add(here)
            found += [way.to for way in open_ways(atlas.rooms[here])]
    by_zone: dict[ZoneId, list[Room]] = {zone: [] for zone in atlas.zones}
    for room in atlas.rooms.values():
        if room.id in seen:
            by_zone[room.zone].append(room)
    return {zone: rooms for zone, rooms in by_zone.items() if rooms}


def open_ways(room: Room) -> list[Exit]:
    """Its exits that are not hidden."""
    return [way for way in room.exits.values() if not way.hidden]
