"""The world that comes with the server: whole, described to the last noun, playable from its first room to its end."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from mythos.commands.table import VERBS
from mythos.content import load
from mythos.ids import EntityId, RoomId
from mythos.play.verbs import Rank
from mythos.world.zones import Atlas, Room
from tests.scenes.scene import Scene

_BASE = Path(str(files("mythos.content"))) / "starter"

#: Words of the texts that name nothing one could look at: particles, verbs, qualities, numbers. A new noun is not among
#: them, and needs a detail.
_NO_NOUNS = frozenset(
    """
    aboard across after again against ahead along always and answer anywhere are around astern back bare been
    behind below bent beside between black blackened blue boiled both breathes bring broken built burning
    burns but can case climb climbs close cold come comes crooked dark down each empty even ever every
    explains face faces far finds for forgot found from frozen gives goes great green grey had hang hangs has
    have here him hold holds into its keeps large laughs lean lie lies like line lists little live long looks
    loses low mark nailed never nobody not nothing odo one only open other out outside over overhead read
    rises rolls run runs sale see seen set shines ship's shored shut six small somebody something somewhere
    speak stand stands stirs stone stops sunk swings take takes that the their them there they thick things
    ticks tied together told touch two under until use wait wants was washed wet what when where who winks
    with without written you your yours
    """.split()
)
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")


def _atlas() -> Atlas:
    return load({str(path.relative_to(_BASE)): path.read_text("utf-8") for path in _BASE.rglob("*") if path.is_file()})


ATLAS = _atlas()


def _nouns_without_details(atlas: Atlas, room: Room) -> set[str]:
    """Words of a room's texts that are no detail, nobody and nothing there, no way out, and not known to be no noun."""
    known = set(_NO_NOUNS)
    for name in room.details:
        known |= set(_WORD.findall(name))
    for exit in room.exits.values():
        known |= {exit.direction, *(_WORD.findall(exit.door.name) if exit.door else ())}
    for spawn in atlas.zones[room.zone].spawns:
        if spawn.room == room.id:
            known |= set((atlas.items.get(spawn.proto) or atlas.npcs[spawn.proto]).words)
    text = f"{room.text} {room.night}"
    text = re.sub(r"Type: .*|[Tt]ype [^.]*|as in: [^.]*|fought with: .*|opens with: .*", "", text)
    names = set(_WORD.findall(re.sub(r"(?<=[a-z,;:] )[A-Z]\w+", "", text).lower()))
    return {word for word in names if len(word) > 2 and not {word, word.removesuffix("s")} & known}


@pytest.mark.parametrize("room", ATLAS.rooms.values(), ids=lambda room: room.id)
def test_every_noun_can_be_looked_at(room: Room) -> None:
    assert _nouns_without_details(ATLAS, room) == set()


def test_a_noun_without_a_detail_is_noticed() -> None:
    """The control."""
    room = ATLAS.rooms[RoomId("saltreach:inn")]
    bare = Room(room.id, room.zone, room.title, room.text + " A harp leans in a corner.", room.exits, room.details)
    assert _nouns_without_details(ATLAS, bare) == {"harp", "corner"}


def test_its_size() -> None:
    """A ferry, a town of ten rooms and more, people to talk to, one shop, tasks."""
    town = [room for room in ATLAS.rooms.values() if room.zone == "saltreach"]
    assert len(town) >= 10
    assert len(ATLAS.rooms) - len(town) >= 5
    assert sum(1 for npc in ATLAS.npcs.values() if len(npc.topics) > 2) >= 3
    assert sum(1 for npc in ATLAS.npcs.values() if npc.shop) == 1
    assert len(ATLAS.quests) == 2


def test_no_help_page_hides_a_command() -> None:
    commands = {name for verb in VERBS.allowed(Rank.KEEPER) for name in (verb.name, *verb.aliases)}
    assert commands & set(ATLAS.help) == set()


def _ann() -> Scene:
    """Ann at the fore deck; the dice are such that she wins."""
    return Scene(ATLAS, "Ann", seed=3)


def _does(scene: Scene, *lines: str) -> list[str]:
    scene.type("Ann", *lines)
    return scene.hear("Ann")


def _fights(scene: Scene, foe: str) -> None:
    scene.type("Ann", f"attack {foe}")
    for _ in range(60):
        scene.tick()
        if scene.me("Ann").fighting is None:
            break


def test_the_tutorial() -> None:
    """What its texts tell a newcomer to type, in that order, ends on the quay with the passage paid."""
    scene = _ann()
    assert any("Welcome aboard" in line for line in _does(scene, "look board"))
    _does(scene, "south", "open door", "east")
    assert "You get a tin lantern." in _does(scene, "get lantern", "get coat", "wear coat")
    assert any("Lampwrights wanted" in line for line in _does(scene, "read bill"))
    _does(scene, "west", "south", "talk odo")
    assert any("locker key" in line for line in _does(scene, "ask odo about mail"))
    assert "It is too dark to see anything." in _does(scene, "north", "down")
    assert any("The Hold" in line for line in _does(scene, "light lantern", "look"))
    _fights(scene, "rat")
    assert scene.me("Ann").hp > 0
    assert scene.me("Ann").xp > 0
    _does(scene, "unlock locker", "open locker", "north", "get bag", "south", "up", "south")
    heard = _does(scene, "give bag to odo")
    assert any(line.startswith("Task done: The Crossing.") for line in heard), heard
    assert scene.me("Ann").gold == 10
    _does(scene, "north", "north", "ashore")
    assert scene.me("Ann").room == "saltreach:quay"


def test_the_tutorial_can_be_skipped() -> None:
    scene = _ann()
    _does(scene, "ashore")
    assert scene.me("Ann").room == "saltreach:quay"


def test_three_wicks() -> None:
    """The key from the chapel opens the store, three wicks from there earn a pin and gold, and only once."""
    scene = _ann()
    _does(scene, "ashore", "n", "n", "n", "talk ansel", "ask ansel about work")
    _does(scene, "s", "w", "get key", "e", "n", "unlock painted door", "open painted door", "e", "get wicks", "w")
    heard = _does(scene, "give wicks to ansel")
    assert any(line.startswith("Task done: Three Wicks.") for line in heard), heard
    me = scene.me("Ann")
    assert me.gold == 20
    assert "You put on a lampwright's pin." in _does(scene, "wear pin")
    scene.tick(200)  # the store has wicks again
    _does(scene, "unlock painted door", "open painted door", "e", "get wicks", "w", "give wicks to ansel")
    _does(scene, "ask ansel about work")
    assert me.gold == 20


def test_the_hidden_passage() -> None:
    """What is found by searching leads from the cellar to the wall, in the light of a candle that was bought."""
    scene = _ann()
    scene.world.move_gold(EntityId("mint"), scene.me("Ann").id, 1)
    _does(scene, "ashore", "n", "w", "buy candle", "light candle", "e", "e", "d")
    assert "You cannot go south from here." in _does(scene, "south")
    assert "You find a way south." in _does(scene, "search")
    _does(scene, "south", "up")
    assert scene.me("Ann").room == "saltreach:tidewall"
