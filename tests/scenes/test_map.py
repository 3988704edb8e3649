"""Where the ways lead: pictures made of letters, and the same in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mythos.ids import RoomId
from mythos.world.zones import Exit, Room
from tests.scenes.people import in_town, typed
from tests.scenes.scene import Scene
from tests.world.town import ATLAS, SQUARE, TOWN, YARD


def drawn(scene: Scene, *lines: str) -> list[str]:
    return typed(scene, "Ann", *lines)["Ann"]


def maze(*rooms: tuple[str, dict[str, str]]) -> Scene:
    """Ann stands in room a; all exits as they are told."""
    made = {
        RoomId(name): Room(
            RoomId(name), TOWN, name.upper(), name, {way: Exit(way, RoomId(to)) for way, to in ways.items()}, {}
        )
        for name, ways in rooms
    }
    return Scene(replace(ATLAS, rooms={**ATLAS.rooms, **made}), "Ann", room="a")


def test_a_map() -> None:
    """The closed gate of the yard is a cross; behind it nothing is known."""
    scene = in_town(room=SQUARE)
    assert drawn(scene, "map") == ["+", "o", "|", "@-o"]
    typed(scene, "Ann", "north", "open gate")
    assert drawn(scene, "map") == ["o", "|", "@", "|", "o-o"]


def test_every_direction() -> None:
    """Ways that cross, rooms with stairs, and ways that have no place in the picture."""
    scene = maze(
        ("a", {"north": "n", "northeast": "ne", "east": "e", "southwest": "sw", "up": "u", "ashore": "s"}),
        ("n", {"southeast": "e", "down": "u"}),
        ("ne", {"up": "u"}),
        ("e", {"northwest": "n", "up": "u", "down": "u"}),
        ("sw", {"southwest": "a"}),
        ("u", {}),
        ("s", {}),
    )
    assert drawn(scene, "map") == [
        "  d u",
        "  |X",
        "  @-x",
        " /",
        "o",
        "Also: up to U, ashore to S.",
    ]


def test_in_words() -> None:
    """The nearest first, with the way to each; and what is behind closed doors."""
    scene = in_town(room=SQUARE)
    assert drawn(scene, "map words") == ["Near Square:", "Yard: north.", "Inn: east."]
    scene.me("Ann").settings = {"screenreader": "on"}
    assert drawn(scene, "map") == ["Near Square:", "Yard: north.", "Inn: east."]
    assert drawn(scene, "north", "map")[-4:] == [
        "Near Yard:",
        "Square: south.",
        "Inn: south, then east.",
        "Behind the closed iron gate: north.",
    ]


def test_ways_in_words() -> None:
    scene = maze(("a", {"north": "b"}), ("b", {"north": "c"}), ("c", {"up": "d"}), ("d", {"ashore": "e"}), ("e", {}))
    assert drawn(scene, "map words") == [
        "Near A:",
        "B: north.",
        "C: twice north.",
        "D: twice north, then up.",
        "E: twice north, then up, then ashore.",
    ]
    assert drawn(maze(("a", {})), "map words") == ["No way leads on from here that you can see."]
    assert drawn(maze(("a", {})), "map") == ["@"]


def test_in_the_dark() -> None:
    scene = in_town(room=YARD)
    scene.world.now = 790.0
    scene.me("Ann").settings = {"map": "on"}
    assert drawn(scene, "map") == ["It is too dark to see how the ways lie."]
    assert drawn(scene, "look") == ["In the dark", "It is too dark to see anything."]


def test_map_of_what() -> None:
    assert drawn(in_town(), "map moor") == ["Type: map, or map words"]


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        (None, []),
        ({"map": "off"}, []),
        ({"map": "on"}, ["+", "o", "|", "@-o"]),
        ({"map": "words"}, ["Near Square:", "Yard: north.", "Inn: east."]),
        ({"map": "on", "screenreader": "on"}, ["Near Square:", "Yard: north.", "Inn: east."]),
    ],
)
def test_a_map_with_each_look(settings: dict[str, str] | None, shown: list[str]) -> None:
    """Between the ways out and those who stand there; also for who walks in."""
    scene = in_town("Ann", room="t:inn")
    scene.me("Ann").settings = settings
    exits = "Exits: north, east."
    assert drawn(scene, "west") == ["Square", "The square.", exits, *shown, "Marta is here."]
    assert drawn(scene, "look") == ["Square", "The square.", exits, *shown, "Marta is here."]
