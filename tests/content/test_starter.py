"""The world that comes with the server: whole, described to the last noun, playable from its first room to its end."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from mythos.commands.table import VERBS
from mythos.content import load
from mythos.ids import EntityId, RoomId
from mythos.play.verbs import Rank
from mythos.world.zones import DIRECTIONS, Atlas, Exit
from tests.scenes.scene import Scene

_BASE = Path(str(files("mythos.content"))) / "starter"

#: Words of the texts that name nothing one could look at: particles, verbs, qualities, numbers. A new noun is not among
#: them, and needs a detail.
_NO_NOUNS = frozenset(
    """
    aboard across after again against ahead along always and answer anywhere are around astern back bare been
    behind below bent beside between black blackened blue boiled both breathes bring broken built burning burns
    but can case climb climbs close cold come comes crooked dark drops each empty even ever every explains face
    faces far fight finds for forgot found from frozen gives goes great green grey had hang hangs has have here
    hold holds into its keeps large laughs lean lie lies like line lists little live long looks loses low mark
    nailed never nobody not nothing odo once one only open opens other outside over overhead read rises rolls
    run runs sale see seen set shines ship's shored shut six small somebody something somewhere speak stand
    stands stirs stone stops sunk swings take takes that the their them there they thick things ticks tied
    together told touch two under until use wait wants was washed wet what when where who whoever winks with
    without written you your yours
    """.split()
)
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
#: What a text tells newcomers to type.
_TYPED = re.compile(r"\b[Tt]ype:? [^.]*")


def _files() -> dict[str, str]:
    return {str(path.relative_to(_BASE)): path.read_text("utf-8") for path in _BASE.rglob("*") if path.is_file()}


ATLAS = load(_files())


# ── what can be seen ────────────────────────────────────────────────────────────────────────────


def _not_to_be_seen(atlas: Atlas, id: RoomId) -> set[str]:
    """Words of a room's texts, not known to be no nouns, at which somebody with a light looks in vain.

    What can be taken, killed or walks away is not there: the text still names it then.
    """
    scene = Scene(atlas, "Ann", room=id)
    world = scene.world
    for npc in list(world.npcs.values()):
        if npc.proto.fights or npc.proto.wanders:
            world.lift_body(npc)
    for item in list(world.held(id)):
        world.burn_item(item, item.stack)
    world.mint_item(atlas.items["ferry:lantern"], scene.me("Ann").id)
    scene.type("Ann", "light lantern")
    scene.hear("Ann")
    room = atlas.rooms[id]
    unseen = set()
    for word in set(_WORD.findall(_TYPED.sub("", f"{room.text} {room.night}").lower())):
        if len(word) > 2 and word not in _NO_NOUNS and word not in DIRECTIONS:
            scene.type("Ann", f"look {word}")
            if any(line.startswith("You see no") for line in scene.hear("Ann")):
                unseen.add(word)
    return unseen


@pytest.mark.parametrize("id", ATLAS.rooms)
def test_every_noun_can_be_looked_at(id: RoomId) -> None:
    assert _not_to_be_seen(ATLAS, id) == set()


def test_a_noun_without_a_detail_is_noticed() -> None:
    """The control: by day, by night, and with a capital letter."""
    inn = ATLAS.rooms[RoomId("saltreach:inn")]
    more = replace(inn, text=inn.text + " A harp stands in the Corner.", night="A moth circles.")
    atlas = replace(ATLAS, rooms={**ATLAS.rooms, inn.id: more})
    assert _not_to_be_seen(atlas, inn.id) == {"harp", "corner", "moth", "circles"}


# ── what there is ───────────────────────────────────────────────────────────────────────────────


def test_its_size() -> None:
    """A ferry, a town, people to talk to, one shop, tasks."""
    town = [room for room in ATLAS.rooms.values() if room.zone == "saltreach"]
    assert 12 <= len(town) <= 14
    assert 6 <= len(ATLAS.rooms) - len(town) <= 9
    assert sum(1 for npc in ATLAS.npcs.values() if len(npc.topics) > 2) >= 4
    shops = [npc.shop for npc in ATLAS.npcs.values() if npc.shop]
    assert [len(shop.sells) for shop in shops] == [8]
    assert len(ATLAS.quests) == 2


def test_beginners_cannot_lose_to_the_first_foe() -> None:
    rat = ATLAS.npcs["ferry:bilge-rat"]
    assert (rat.hp, rat.damage, rat.aggressive) == (4, (1, 1), False)


def _within(start: RoomId, goes: Callable[[Exit], bool]) -> set[RoomId]:
    seen, wave = {start}, deque([start])
    while wave:
        for exit in ATLAS.rooms[wave.popleft()].exits.values():
            if goes(exit) and exit.to not in seen:
                seen.add(exit.to)
                wave.append(exit.to)
    return seen


def test_every_room_is_reached() -> None:
    assert _within(ATLAS.start, lambda exit: True) == set(ATLAS.rooms)


@pytest.mark.parametrize("id", ATLAS.rooms)
def test_nobody_can_be_locked_in(id: RoomId) -> None:
    """Without a key, and without a search, every room leads home: doors lock again behind people."""
    assert ATLAS.home in _within(id, lambda exit: not exit.hidden and not (exit.door and exit.door.key))


def test_what_comes_again_without_a_fight_is_not_worth_gathering() -> None:
    """No gold is made by taking and selling what the ferry and the streets lay out for everybody; a shell is a find."""
    bought = {id for npc in ATLAS.npcs.values() if npc.shop for id in npc.shop.buys}
    laid = {spawn.proto for zone in ATLAS.zones.values() for spawn in zone.spawns}
    assert bought & laid == {"saltreach:shell"}


# ── help ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [path for path in _files() if path.startswith("help/")])
def test_a_help_page(path: str) -> None:
    """Short enough to be heard, and found by each of its words."""
    _, head, body = _files()[path].split("---\n")
    title, words = re.fullmatch(r"title: (.+)\nwords: (.+)\n", head).groups()  # type: ignore[union-attr]
    assert len(body.split()) <= 200
    for word in words.split(", "):
        assert ATLAS.help[word] == f"{title}\n\n{body.strip()}"


def test_no_help_page_has_the_name_of_a_command() -> None:
    commands = {name for verb in VERBS.allowed(Rank.KEEPER) for name in (verb.name, *verb.aliases)}
    assert len(ATLAS.help) >= 15
    assert commands & set(ATLAS.help) == set()


# ── played ──────────────────────────────────────────────────────────────────────────────────────


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
    _does(scene, "down", "north", "get bag", "up", "s", "s", "give bag to odo")
    assert scene.me("Ann").gold == 10  # it is paid for once
    _does(scene, "north", "north", "ashore")
    assert scene.me("Ann").room == "saltreach:quay"
    assert "Done: The Crossing." in _does(scene, "tasks")


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


def test_what_the_chandler_buys() -> None:
    """The tails of rats, and nothing that lies about for everybody."""
    scene = _ann()
    _does(scene, "s", "open door", "e", "get lantern", "light lantern", "w", "d")
    _fights(scene, "rat")
    _does(scene, "get tail", "u", "n", "ashore", "n", "w")
    assert "Hesper does not want the tin lantern." in _does(scene, "sell lantern")
    assert "You sell a rat tail to Hesper for 2 gold." in _does(scene, "sell tail")


@pytest.mark.parametrize(
    ("outside", "key", "door", "inward", "back", "out", "free"),
    [
        ("ferry:hold", "ferry:locker-key", "stout locker", "north", "south", "up", "ferry:deck"),
        ("saltreach:lamp-hall", "saltreach:store-key", "painted door", "east", "west", "south", "saltreach:lane"),
    ],
)
def test_locked_rooms_let_people_out(
    outside: str, key: str, door: str, inward: str, back: str, out: str, free: str
) -> None:
    """Ann leaves the key outside, and the door shuts and locks behind her."""
    scene = Scene(ATLAS, "Ann", room=outside)
    me, items = scene.me("Ann"), scene.world.atlas.items
    for proto in (key, "ferry:lantern"):
        scene.world.mint_item(items[proto], me.id)
    _does(scene, "light lantern", f"unlock {door}", f"open {door}", "drop key", inward)
    scene.tick(310)
    scene.hear("Ann")
    assert f"The {door} is closed." in _does(scene, back)
    assert f"You have no key that fits the {door}." in _does(scene, f"unlock {door}")
    _does(scene, out)
    assert me.room == free


def test_the_hidden_passage() -> None:
    """What is found by searching leads from the cellar to the wall, in the light of a candle that was bought."""
    scene = _ann()
    scene.world.move_gold(EntityId("mint"), scene.me("Ann").id, 1)
    _does(scene, "ashore", "n", "w", "buy candle", "light candle", "e", "e", "d")
    assert "You cannot go south from here." in _does(scene, "south")
    assert "You find a way south." in _does(scene, "search")
    _does(scene, "south", "up")
    assert scene.me("Ann").room == "saltreach:tidewall"
