"""What lies about somebody, by the ways they know."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from mythos.ids import EntityId, RoomId
from mythos.world.state import DoorState, World
from mythos.world.vicinity import vicinity
from mythos.world.zones import COMPASS, OPPOSITE, Exit, Room
from tests.world.town import ATLAS, DEN, INN, MOOR, SQUARE, TOWN, YARD, Loaded, person, town


def seen(world: World, room: RoomId, steps: int) -> dict[RoomId, tuple[tuple[str, ...], tuple[int, int] | None]]:
    return {place.room: (place.path, place.at) for place in vicinity(world, person(world, "Ann", room), steps)}


def built(*rooms: tuple[str, dict[str, str]]) -> World:
    """Rooms by name, with exits by direction; a name in brackets is behind a hidden exit."""
    made = {}
    for name, ways in rooms:
        exits = {way: Exit(way, RoomId(to.strip("()")), hidden=to.startswith("(")) for way, to in ways.items()}
        made[RoomId(name)] = Room(RoomId(name), TOWN, name, name, exits, {})
    return World(replace(ATLAS, rooms={**ATLAS.rooms, **made}), Loaded(0), now=240.0)


def test_the_nearest_first_by_the_shortest_way() -> None:
    assert seen(town(), SQUARE, 1) == {SQUARE: ((), (0, 0)), YARD: (("north",), (0, 1)), INN: (("east",), (1, 0))}
    assert seen(town(), MOOR, 1) == {MOOR: ((), (0, 0)), SQUARE: (("west",), (-1, 0))}
    assert seen(town(), SQUARE, 0) == {SQUARE: ((), (0, 0))}


def test_a_closed_door_ends_what_is_known() -> None:
    world = town()
    gate = world.doors[YARD, "north"] = world.doors[DEN, "south"] = DoorState(EntityId("d"), True, False)
    yard = next(place for place in vicinity(world, person(world, "Ann", SQUARE), 3) if place.room == YARD)
    assert yard.shut == {"north"}
    assert yard.ways["north"] == DEN
    assert DEN not in seen(world, SQUARE, 3)
    gate.closed = False
    assert seen(world, SQUARE, 3)[DEN] == (("north", "north"), (0, 2))


def test_a_way_that_was_not_found_leads_nowhere() -> None:
    world = built(("a", {"north": "b"}), ("b", {"east": "(c)"}), ("c", {}))
    me = person(world, "Ann", RoomId("a"))
    assert [place.room for place in vicinity(world, me, 9)] == ["a", "b"]
    me.seen = {"b east"}
    assert [place.room for place in vicinity(world, me, 9)] == ["a", "b", "c"]


def test_what_has_no_place() -> None:
    """Above, behind a way with a name, and where a nearer room is already; what lies beyond has none either."""
    world = built(
        ("a", {"up": "b", "ashore": "c", "north": "d"}),
        ("b", {"north": "e"}),
        ("c", {}),
        ("d", {"south": "f"}),
        ("e", {}),
        ("f", {}),
    )
    found = seen(world, RoomId("a"), 2)
    assert {room: at for room, (_, at) in found.items()} == {
        "a": (0, 0),
        "b": None,
        "c": None,
        "d": (0, 1),
        "e": None,
        "f": None,
    }


@given(st.integers(2, 12), st.integers(0, 30), st.integers(0, 5), st.randoms(use_true_random=False))
def test_any_maze(rooms: int, ways: int, steps: int, chance: Random) -> None:
    """Every room once, its path leads to it, no two in one place, and none farther than the steps."""
    exits: dict[str, dict[str, str]] = {f"r{n}": {} for n in range(rooms)}
    for _ in range(ways):
        source, target = chance.choice([*exits]), chance.choice([*exits])
        way = chance.choice([*OPPOSITE, "ashore"])
        exits[source][way] = target
    world = built(*exits.items())
    places = vicinity(world, person(world, "Ann", RoomId("r0")), steps)
    assert len({place.room for place in places}) == len(places)
    drawn = [place.at for place in places if place.at is not None]
    assert len({*drawn}) == len(drawn)
    assert [len(place.path) for place in places] == sorted(len(place.path) for place in places)
    for place in places:
        room, at = RoomId("r0"), (0, 0)
        for way in place.path:
            room = world.room(room).exits[way].to
            step = COMPASS.get(way, (0, 0))
            at = at[0] + step[0], at[1] + step[1]
        assert room == place.room
        assert place.at in (at, None)
        assert len(place.path) <= steps
