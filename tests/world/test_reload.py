"""New files in a world that goes on: what is gone, and what becomes of those it was home to."""

from __future__ import annotations

from dataclasses import replace

from mythos.ids import EntityId, RoomId
from mythos.world.facts import Looked, Summoned
from mythos.world.reload import change_atlas
from mythos.world.state import MINT, World
from mythos.world.zones import Atlas
from tests.world.town import ATLAS, DEN, RAT, SQUARE, YARD, minted, person, town, wealth


def without_knives() -> Atlas:
    return replace(
        ATLAS,
        items={id: proto for id, proto in ATLAS.items.items() if id != "knife"},
        zones={
            id: replace(zone, spawns=tuple([one for one in zone.spawns if one.proto != "knife"]))
            for id, zone in ATLAS.zones.items()
        },
    )


def without_the_den() -> Atlas:
    yard = ATLAS.rooms[YARD]
    rooms = {id: room for id, room in ATLAS.rooms.items() if id != DEN}
    rooms[YARD] = replace(yard, exits={"south": yard.exits["south"]})
    zones = {
        id: replace(zone, spawns=tuple([one for one in zone.spawns if one.room != DEN]))
        for id, zone in ATLAS.zones.items()
    }
    return replace(ATLAS, rooms=rooms, zones=zones)


def lying(world: World, room: RoomId) -> list[str]:
    return [item.proto.id for item in world.held(room)]


def test_a_kind_that_is_gone() -> None:
    """What was made of it stays what it is, until there is nothing of it; the atlas knows it as long."""
    world = town()
    (knife,) = [item for item in world.held(DEN) if item.proto.id == "knife"]
    change_atlas(world, without_knives())
    assert world.atlas.items["knife"] is knife.proto
    change_atlas(world, without_knives())
    assert world.atlas.items["knife"] is knife.proto
    world.burn_item(knife)
    change_atlas(world, without_knives())
    assert "knife" not in world.atlas.items


def test_a_kind_that_was_changed() -> None:
    """What was made of it is the new one at once."""
    world = town()
    blunt = replace(ATLAS.items["knife"], text="Blunt.")
    change_atlas(world, replace(ATLAS, items={**ATLAS.items, "knife": blunt}))
    assert {item.proto.text for item in world.items.values() if item.proto.id == "knife"} == {"Blunt."}


def test_a_room_that_is_gone() -> None:
    """Its people and its things are in the recall of its zone; nothing is lost, nothing made."""
    world = town()
    ann = person(world, "Ann", DEN)
    sleeper = person(world, "Bob", DEN)
    world.lift_body(sleeper)
    world.move_gold(MINT, DEN, 7)
    world.place_body(world.npcs[RAT], DEN)
    before = wealth(world)
    minted(world)
    facts = change_atlas(world, without_the_den())
    assert [type(fact) for fact in facts if fact.who == ann.id] == [Summoned, Looked]
    assert (ann.room, sleeper.room, world.gold_at(SQUARE)) == (SQUARE, SQUARE, 7)
    assert world.npcs[RAT].room == SQUARE
    assert EntityId(ann.id) in world.people[SQUARE]
    assert lying(world, DEN) == []
    assert {"tail", "knife"} <= set(lying(world, SQUARE))
    assert (wealth(world), minted(world)) == (before, {})
    assert (YARD, "north") not in world.doors
