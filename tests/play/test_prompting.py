"""What a prompt tells, in short and in words."""

from __future__ import annotations

import pytest

from mythos.play.narrate.fights import vitals
from mythos.play.narrate.prompting import spoken, written
from mythos.play.settings import PARTS
from tests.world.town import SQUARE, person, town

TOLD = {
    "Char.Vitals": {**vitals(person(town(), "Ann", SQUARE)).data, "fighting": True, "gold": 7, "level": 2},
    "Room.Info": {"name": "The Quay", "exits": {"n": 1, "ashore": 2}},
}


@pytest.mark.parametrize(
    ("part", "brief", "full"),
    [
        ("health", "20/20 health> ", "Health 20 of 20."),
        ("gold", "7 gold> ", "Gold 7."),
        ("level", "level 2> ", "Level 2."),
        ("xp", "0 xp> ", "Experience 0."),
        ("fight", "fighting> ", "Fighting."),
        ("room", "The Quay> ", "The Quay."),
        ("exits", "n ashore> ", "Exits north, ashore."),
    ],
)
def test_a_part(part: str, brief: str, full: str) -> None:
    assert part in PARTS
    assert written([part], TOLD) == brief
    assert spoken([part], TOLD) == full


def test_all_parts() -> None:
    """In the order they were chosen in; none of what was not told, or is nothing."""
    assert written(PARTS, TOLD).count(",") == len(PARTS) - 1
    assert written(["gold", "health"], TOLD) == "7 gold, 20/20 health> "
    assert written(PARTS, {}) == "> "
    assert spoken(PARTS, {}) == ""
    assert spoken(["exits", "fight"], {"Room.Info": {"exits": {}}, "Char.Vitals": {"fighting": False}}) == "No exits."
