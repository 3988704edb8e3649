"""What of a world is shown to those who have not been there."""

from __future__ import annotations

from dataclasses import replace

from mythos.ids import RoomId
from mythos.world.charted import charted, open_ways
from mythos.world.zones import Atlas, Exit
from tests.world.town import ATLAS, DEN, FAR, INN, MOOR, SQUARE, TOWN, YARD


def with_ways(room: RoomId, *ways: Exit) -> Atlas:
    """The town, with other ways out of one room."""
    changed = replace(ATLAS.rooms[room], exits={way.direction: way for way in ways})
    return replace(ATLAS, rooms={**ATLAS.rooms, room: changed})


def ids(atlas: Atlas) -> dict[str, list[RoomId]]:
    return {zone: [room.id for room in rooms] for zone, rooms in charted(atlas).items()}


def test_what_no_way_leads_to_is_not_shown() -> None:
    """Closed doors hide nothing; a zone that only a spell leads to is not on the map."""
    assert ids(ATLAS) == {TOWN: [SQUARE, YARD, DEN, INN]}


def test_a_hidden_way_hides_what_is_behind_it() -> None:
    atlas = with_ways(YARD, Exit("south", SQUARE), Exit("north", DEN, hidden=True))
    assert ids(atlas) == {TOWN: [SQUARE, YARD, INN]}
    assert [way.direction for way in open_ways(atlas.rooms[YARD])] == ["south"]


def test_home_is_known_though_nothing_leads_there() -> None:
    atlas = with_ways(SQUARE, Exit("north", YARD))
    assert ids(atlas) == {TOWN: [SQUARE, YARD, DEN, INN]}


def test_ways_that_lead_round_and_out() -> None:
    assert ids(with_ways(DEN, Exit("out", MOOR)))[FAR] == [MOOR]
