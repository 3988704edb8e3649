"""New files of the builders in a world that goes on: definitions are swapped, everything alive keeps its state."""

from __future__ import annotations

from dataclasses import replace

from mythos.ids import EntityId, RoomId
from mythos.world import movement, npcs
from mythos.world.facts import Fact, Looked, Summoned
from mythos.world.state import Body, Character, World
from mythos.world.zones import Atlas

__all__ = ["change_atlas"]


def change_atlas(world: World, atlas: Atlas) -> list[Fact]:
    """Put a checked atlas in the place of the old one.

    What stands in a room that is gone wakes up in the recall of its zone, and its things with it. A prototype
    that is gone lives on in the things already made of it, and in the atlas as long as there are any.
    """
    made = {item.proto.id: item.proto for item in world.items.values()}
    atlas = replace(atlas, items={**made, **atlas.items})
    old, world.atlas = world.atlas, atlas
    for item in world.items.values():
        item.proto = atlas.items[item.proto.id]
    for npc in world.npcs.values():
        npc.proto = atlas.npcs.get(npc.proto.id, npc.proto)
        npc.name = npc.proto.name
    facts: list[Fact] = []
    for room in [room for room in old.rooms if room not in atlas.rooms]:
        zone = atlas.zones.get(old.rooms[room].zone)
        refuge = zone.recall if zone is not None else atlas.home
        facts += _move_all(world, room, refuge)
    world.doors = {side: state for side, state in world.doors.items() if _has_door(atlas, *side)}
    movement.build_doors(world)
    npcs.populate(world)
    return facts


def _move_all(world: World, room: RoomId, refuge: RoomId) -> list[Fact]:
    facts: list[Fact] = []
    for body in tuple(world.people.get(room, {}).values()):
        body.fighting = None
        world.place_body(body, refuge)
        if isinstance(body, Character):
            facts += [Summoned(body.id, None, refuge, "goto"), Looked(body.id, refuge)]
    for sleeper in _sleepers(world, room):
        sleeper.room = refuge
    for item in world.held(room):
        world.move_item(item, refuge)
    if gold := world.gold_at(EntityId(room)):
        world.move_gold(EntityId(room), refuge, gold)
    return facts


def _sleepers(world: World, room: RoomId) -> list[Body]:
    """Bodies that stand nowhere and would come back there."""
    everyone: list[Body] = [*world.characters.values(), *world.npcs.values()]
    return [body for body in everyone if body.room == room]


def _has_door(atlas: Atlas, room: RoomId, direction: str) -> bool:
    known = atlas.rooms.get(room)
    return known is not None and direction in known.exits and known.exits[direction].door is not None
