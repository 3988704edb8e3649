"""What can be seen: light, and what stands and lies about."""

from __future__ import annotations

from collections.abc import Iterable

from mythos.ids import PlaceId, RoomId
from mythos.world import calendar
from mythos.world.state import Body, Character, Item, World
from mythos.world.zones import Exit

__all__ = ["exits_seen", "is_dark"]


def is_dark(world: World, room: RoomId) -> bool:
    """No light of its own, no daylight, and nobody there carries a lit light: then nobody sees anything."""
    here = world.atlas.rooms[room]
    if not (here.dark or (here.outdoors and not here.lit and calendar.is_night(world.now))):
        return False
    places: list[PlaceId] = [room, *world.people.get(room, ())]
    return not any(_shines(world.contents.get(place, {}).values()) for place in places)


def _shines(items: Iterable[Item]) -> bool:
    return any(item.lit for item in items)


def exits_seen(world: World, body: Body, where: RoomId | None = None) -> list[Exit]:
    """The ways out that somebody knows of, in the builder's order: hidden ones only once they were found.

    :param where: the room; None: the one they are in
    """
    seen = body.seen or () if isinstance(body, Character) else ()
    room = world.room(where or body.room)
    return [exit for exit in room.exits.values() if not exit.hidden or f"{room.id} {exit.direction}" in seen]
