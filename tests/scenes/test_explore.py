"""Looking, moving, doors, following: what is typed, and who hears what."""

from __future__ import annotations

import pytest

from mythos.ids import RoomId
from mythos.world.zones import Atlas, Door, Exit, ItemProto, NpcProto, Room, Spawn, Zone
from tests.scenes.people import typed
from tests.scenes.scene import Scene

_H, _N, _V = RoomId("m:hall"), RoomId("m:nook"), RoomId("m:vault")
_OAK = Door("oak door", closed=True, shuts_after=30.0)
_IRON = Door("iron door", key="m:key", closed=True, locked=True)
_ZONE = "m"


def _room(id: RoomId, *exits: Exit, **more: object) -> Room:
    text = f"This is the {id.partition(':')[2]}."
    return Room(id, _ZONE, id.partition(":")[2].capitalize(), text, {e.direction: e for e in exits}, **more)  # type: ignore[arg-type]


ATLAS = Atlas(
    title="Manor",
    start=_H,
    home=_H,
    zones={_ZONE: Zone(_ZONE, "Manor", _H, (Spawn("m:cat", "m:cat", _H), Spawn("m:sign", "m:sign", _H)))},  # type: ignore[dict-item, arg-type]
    rooms={
        _H: _room(
            _H,
            Exit("north", _N, _OAK),
            Exit("east", _V, _IRON),
            Exit("down", _V, hidden=True),
            details={"tapestry": "A hunt, and the boar is winning.", "net": "Full of holes."},
            found="Behind the tapestry is a stair.",
        ),
        _N: _room(_N, Exit("south", _H, _OAK), details={}, dark=True),
        _V: _room(_V, Exit("west", _H, _IRON), Exit("up", _H), details={}),
    },
    items={
        "m:key": ItemProto("m:key", "iron key", ("key", "iron"), "Heavy."),
        "m:lamp": ItemProto("m:lamp", "brass lamp", ("lamp", "brass"), "Round.", light=True),
        "m:sign": ItemProto("m:sign", "sign", ("sign",), "A board.", lies="A sign stands here.", read="Keep out."),
    },
    npcs={"m:cat": NpcProto("m:cat", "a cat", ("cat",), "It looks at you.", stands="A cat sleeps.")},
)


def manor(people: str = "Ann Bob") -> Scene:
    return Scene(ATLAS, people)


def given(scene: Scene, who: str, *protos: str) -> None:
    for proto in protos:
        scene.world.mint_item(ATLAS.items[proto], scene.me(who).id)


def test_what_is_lit_is_not_counted_with_what_is_not() -> None:
    scene = manor()
    given(scene, "Ann", "m:lamp", "m:lamp")
    scene.type("Ann", "light lamp")
    scene.hear_all()
    assert typed(scene, "Ann", "inventory")["Ann"][1:3] == ["A brass lamp (lit).", "A brass lamp."]


def test_look() -> None:
    """Title, text, ways out with their doors, things, people; only who looks is told."""
    assert typed(manor(), "Ann", "look") == {
        "Ann": [
            "Hall",
            "This is the hall.",
            "Exits: north (closed oak door), east (closed iron door).",
            "A sign stands here.",
            "A cat sleeps.",
            "Bob is here.",
        ]
    }


def test_room_info() -> None:
    """What mapping clients draw: numbers, short keys, doors; not what is hidden."""
    scene = manor()
    scene.type("Ann", "look")
    scene.hear("Ann")
    info = scene.ears["Ann"].states["Room.Info"]
    assert info["name"] == "Hall"
    assert info["exits"].keys() == {"n", "e"}
    assert info["doors"] == {"n": "closed", "e": "locked"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("look tapestry", "A hunt, and the boar is winning."),
        ("l at the tapestry", "A hunt, and the boar is winning."),
        ("x tap", "A hunt, and the boar is winning."),
        ("examine net", "Full of holes."),
        ("look cat", "It looks at you."),
        ("x sign", "A board."),
        ("read sign", 'It reads: "Keep out."'),
        ("look bob", "Bob is of level 1."),
        ("look me", "You are of level 1."),
        ("x oak door", "The oak door leads north. It is closed."),
        ("look north", "The oak door is closed."),
        ("look dragon", "You see no dragon here."),
        ("look tapestri", "You see no tapestri here."),
        ("look sgin", "You see no sgin here. Did you mean sign?"),
        ("examine", "Examine what? Type, for example: examine door"),
        ("read cat", "There is nothing to read on that."),
        ("exits", "Exits: north (closed oak door), east (closed iron door)."),
    ],
)
def test_looking_at(line: str, words: str) -> None:
    heard = typed(manor(), "Ann", line)
    assert heard.keys() == {"Ann"}
    assert heard["Ann"][0] == words


def test_doors() -> None:
    """Opened on one side, open on both; heard on both."""
    scene = manor("Ann Bob Cid")
    cid = scene.me("Cid")
    scene.world.place_body(cid, _N)
    assert typed(scene, "Ann", "north") == {"Ann": ["The oak door is closed."]}
    assert typed(scene, "Ann", "open oak") == {
        "Ann": ["You open the oak door."],
        "Bob": ["Ann opens the oak door."],
        "Cid": ["The oak door opens."],
    }
    assert typed(scene, "Ann", "open door") == {
        "Ann": ["Which do you mean: the oak door (north) or the iron door (east)?"]
    }
    assert typed(scene, "Ann", "open n") == {"Ann": ["The oak door is open already."]}
    assert typed(scene, "Cid", "close door")["Cid"] == ["You close the oak door."]
    assert typed(scene, "Ann", "close oak door") == {"Ann": ["The oak door is closed already."]}


def test_a_door_shuts_by_itself() -> None:
    scene = manor()
    scene.type("Ann", "open oak")
    scene.hear_all()
    scene.tick(31)
    assert scene.hear_all() == {"Ann": ["The oak door falls shut."], "Bob": ["The oak door falls shut."]}
    assert typed(scene, "Ann", "north") == {"Ann": ["The oak door is closed."]}


def test_locks() -> None:
    scene = manor()
    assert typed(scene, "Ann", "open iron") == {"Ann": ["The iron door is locked."]}
    assert typed(scene, "Ann", "unlock iron door") == {"Ann": ["You have no key that fits the iron door."]}
    given(scene, "Ann", "m:key")
    assert typed(scene, "Ann", "unlock iron door with key")["Ann"] == ["You unlock the iron door."]
    assert "Vault" in typed(scene, "Ann", "open iron", "e")["Ann"]
    assert scene.me("Ann").room == _V
    assert typed(scene, "Ann", "lock w") == {"Ann": ["The iron door is open."]}
    assert typed(scene, "Bob", "unlock oak") == {"Bob": ["The oak door is not locked."]}


def test_walking_is_seen() -> None:
    scene = manor("Ann Bob Cid")
    scene.world.place_body(scene.me("Cid"), _V)
    given(scene, "Ann", "m:key")
    scene.type("Ann", "unlock iron", "open iron")
    scene.hear_all()
    heard = typed(scene, "Ann", "east")
    assert heard["Bob"] == ["Ann leaves east."]
    assert heard["Cid"] == ["Ann arrives from the west."]
    assert heard["Ann"][0] == "Vault"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("south", "You cannot go south from here."),
        ("down", "You cannot go down from here."),
        ("go", "Go where? Type a direction, such as north or n."),
        ("go sideways", "You cannot go sideways from here."),
        ("enter moon", "You cannot enter moon."),
        ("enter", "There is nothing here to enter."),
        ("follow me", "You cannot follow yourself."),
        ("unfollow", "You follow nobody."),
        ("open", "Open what? Type: open <door or direction>"),
        ("open window", "There is no window here that opens or closes."),
    ],
)
def test_refusals(line: str, words: str) -> None:
    scene = manor()
    assert typed(scene, "Ann", line) == {"Ann": [words]}
    assert scene.me("Ann").room == _H


def test_search() -> None:
    """A hidden way is found by one, and stays hidden from others."""
    scene = manor()
    assert typed(scene, "Ann", "search") == {"Ann": ["Behind the tapestry is a stair.", "You find a way down."]}
    assert typed(scene, "Bob", "down") == {"Bob": ["You cannot go down from here."]}
    assert typed(scene, "Ann", "down")["Ann"][0] == "Vault"


def test_the_dark() -> None:
    """Nobody sees; a light that anybody carries helps all."""
    scene = manor()
    scene.type("Ann", "open oak", "north")
    scene.type("Bob", "north")
    heard = scene.hear_all()
    assert heard["Ann"][-3:] == ["In the dark", "It is too dark to see anything.", "Someone arrives from the south."]
    assert typed(scene, "Ann", "x bob") == {"Ann": ["It is too dark to see that."]}
    assert typed(scene, "Ann", "exits")["Ann"][0].startswith("It is too dark")
    assert typed(scene, "Ann", "search") == {"Ann": ["It is too dark to search."]}
    given(scene, "Bob", "m:lamp")
    heard = typed(scene, "Bob", "light lamp")
    assert heard["Ann"] == ["Bob lights a brass lamp."]
    assert typed(scene, "Ann", "look")["Ann"] == ["Nook", "This is the nook.", "Exits: south.", "Bob is here."]


def test_following() -> None:
    """Whoever follows comes along, over others too; nobody follows in a ring."""
    scene = manor("Ann Bob Cid")
    assert typed(scene, "Bob", "follow ann") == {"Bob": ["You follow Ann now."], "Ann": ["Bob follows you now."]}
    scene.type("Cid", "follow bob")
    scene.hear_all()
    assert typed(scene, "Ann", "follow cid") == {"Ann": ["Cid follows you."]}
    scene.type("Ann", "open oak", "north")
    assert [scene.me(name).room for name in ("Ann", "Bob", "Cid")] == [_N] * 3
    scene.type("Bob", "unfollow")
    scene.type("Ann", "south")
    assert [scene.me(name).room for name in ("Ann", "Bob", "Cid")] == [_H, _N, _N]


def test_brief() -> None:
    """Short rooms on the way; the whole text when it is asked for."""
    scene = manor()
    scene.type("Ann", "settings brief on", "open oak", "search", "down")
    assert scene.hear("Ann")[-2:] == ["Vault", "Exits: west (closed iron door), up."]
    assert "This is the vault." in typed(scene, "Ann", "look")["Ann"]
