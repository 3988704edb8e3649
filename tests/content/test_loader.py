"""What builders are told: every mistake by file, line and column, all of them at once."""

from __future__ import annotations

import pytest

from mythos.content import load
from mythos.content.loader import WorldError

GOOD = {
    "world.yaml": "id: w\ntitle: World\nstart: z:hall\nhome: z:hall\nzones: [z]\n",
    "zones/z/zone.yaml": "title: Zone\nrecall: hall\n",
    "zones/z/items.yaml": "items:\n  key: {name: iron key, text: Heavy.}\n  pin: {name: pin, text: Thin., price: 2}\n",
    "zones/z/npcs.yaml": """npcs:
  marta:
    name: Marta
    text: Old.
    shop: {sells: [pin]}
    topics:
      - {say: Hello.}
      - {words: [work], say: Go., when: not flag met and has 2 pin, do: [task job:begun, give-item key]}
""",
    "zones/z/quests.yaml": "quests:\n  job:\n    title: Job\n    steps: [{name: begun, text: Begin.}]\n",
    "zones/z/rooms.yaml": """rooms:
  hall:
    title: Hall
    text: A hall.
    details: {"wall, walls": Grey.}
    exits: {north: {to: nook, door: oak door, key: key, locked: yes}}
    npcs: [marta]
    items: [{proto: pin, keep: 3}]
  nook:
    title: Nook
    text: A nook.
    exits: {south: hall}
""",
    "help/start.md": "---\ntitle: Start\nwords: start, begin\n---\nType look.\n",
}


def told(path: str, old: str, new: str) -> list[str]:
    """What is said of the good world with one place changed."""
    assert old in GOOD[path], old
    with pytest.raises(WorldError) as wrong:
        load({**GOOD, path: GOOD[path].replace(old, new, 1)})
    return str(wrong.value).splitlines()


def test_a_good_world() -> None:
    atlas = load(GOOD)
    hall = atlas.rooms[atlas.start]
    assert hall.details == {"wall": "Grey.", "walls": "Grey."}
    door = hall.exits["north"].door
    assert door is not None
    assert (door.name, door.key, door.closed, door.locked) == ("oak door", "z:key", True, True)
    nook = atlas.rooms[hall.exits["north"].to]
    assert nook.exits["south"].door == door
    assert nook.coords == (0, 1, 0)
    assert [(spawn.proto, spawn.keep) for spawn in atlas.zones[hall.zone].spawns] == [("z:pin", 3), ("z:marta", 1)]
    greeting, work = atlas.npcs["z:marta"].topics
    assert (greeting.words, work.words) == ((), ("work",))
    assert [(one.what, one.name, one.amount, one.negated) for one in work.when] == [
        ("flag", "z:met", 0, True),
        ("has", "z:pin", 2, False),
    ]
    assert [(one.what, one.name) for one in work.do] == [("task", "z:job:begun"), ("give-item", "z:key")]
    assert atlas.help["begin"] == "Start\n\nType look."


_ROOMS, _NPCS, _ITEMS = "zones/z/rooms.yaml", "zones/z/npcs.yaml", "zones/z/items.yaml"
_QUESTS = "zones/z/quests.yaml"


@pytest.mark.parametrize(
    ("path", "old", "new", "words"),
    [
        (_ROOMS, "south: hall", "south: hal", "there is no room 'z:hal'; did you mean 'z:hall'?"),
        (_ROOMS, "south: hall", "South: hall", "'South' is no direction; did you mean 'south'?"),
        (_ROOMS, "south: hall", "suoth: hall", "'suoth' is no direction; did you mean 'south'?"),
        (_NPCS, "{sells: [pin]}", "{sells: [pin], buys: [pin], pays: 0}", "the keeper buys, and pays nothing"),
        (
            _ROOMS,
            "    exits: {south: hall}\n",
            "",
            "nothing leads back from 'z:nook': write 'one-way: yes' if that is meant",
        ),
        (_ROOMS, "to: nook", "to: hall", "an exit leads to its own room"),
        (_ROOMS, ", key: key", "", "the oak door is locked and has no key"),
        (
            _ROOMS,
            "text: A nook.",
            "text: A nook...",
            "'text' has three signs in a row, which a screen reader spells out",
        ),
        (_ROOMS, "text: A nook.", "text: " + "word " * 91, "'text' has 91 words; at most 90 are read"),
        (_ROOMS, "npcs: [marta]", "npcs: [martha]", "there is no npc 'z:martha'; did you mean 'z:marta'?"),
        (_ROOMS, "  nook:", "  Nook:", "'Nook' is no id: small letters, digits and hyphens"),
        (_NPCS, "{sells: [pin]}", "{sells: [pin], pays: 100}", "money could be pumped out of the shop"),
        (_NPCS, "sells: [pin]", "sells: [key]", "'z:key' is sold and has no price"),
        (_NPCS, "not flag met", "not flagg met", "'not flagg met' is no condition"),
        (_NPCS, "not flag met and", "not and", "'not' is no condition"),
        (_NPCS, "has 2 pin", "has ² pin", "'has ² pin' is no condition"),
        (_NPCS, "has 2 pin", "gold ²", "'gold ²' is no condition"),
        (_NPCS, "give-item key", "give-itm key", "'give-itm' is no effect; did you mean 'give-item'?"),
        (_NPCS, "give-item key", "give-item key, give-gold 0", "'give-gold' of 0 is nothing"),
        (_NPCS, "give-item key", "give-item 0 key", "'give-item' of 0 is nothing"),
        (_NPCS, "give-item key", "give-item 1001 key", "'give-item' of 1001 is too much: at most 1000 at once"),
        (_NPCS, "text: Old.", f"text: Old.\n    gold: {2**53}", "expected at most 1000000000000000"),
        (_QUESTS, "[{name: begun, text: Begin.}]", "[]", "a task has steps"),
        (
            _QUESTS,
            "{name: begun, text: Begin.}",
            "{name: begun, text: Begin.}, {name: begun, text: Go on.}",
            "the step 'begun' is there twice",
        ),
        (_NPCS, "task job:begun, ", "", "nothing marks the step 'z:job:begun': the task can never be done"),
        (_NPCS, ", give-item key", "", "the key 'z:key' is nowhere to be had"),
        (_ITEMS, "text: Heavy.", "txet: Heavy.", "txet"),
        ("world.yaml", "zones: [z]", "zones: [z, y]", "there is no directory zones/y"),
        ("help/start.md", "---\ntitle", "title", "a topic begins with a title and words between two lines of ---"),
    ],
)
def test_a_mistake(path: str, old: str, new: str, words: str) -> None:
    """Named in its file, with line and column."""
    lines = told(path, old, new)
    found = [line for line in lines if words in line]
    assert found, lines
    assert found[0].startswith(f"{path}:") or path == "world.yaml" or "nothing" in words or "key" in words
    assert all(part.isdigit() for part in found[0].split(": ")[0].split(":")[1:3])


@pytest.mark.parametrize("name", ["gangway", "ashore", "gate", "upstairs", "outdoors", "west-gate", "stile"])
def test_ways_of_their_own(name: str) -> None:
    """A word that is no misspelt direction is a way by itself."""
    rooms = GOOD[_ROOMS].replace("exits: {north:", f"exits: {{{name}: {{to: nook, one-way: yes}}, north:")
    atlas = load({**GOOD, _ROOMS: rooms})
    assert atlas.rooms[atlas.start].exits[name].to == "z:nook"


def test_more_of_one_kind_in_a_room_than_anybody_counts() -> None:
    """Each has an id of its own."""
    rooms = GOOD[_ROOMS].replace("npcs: [marta]", f"npcs: [{', '.join(['marta'] * 1200)}]")
    atlas = load({**GOOD, _ROOMS: rooms})
    ids = [spawn.id for zone in atlas.zones.values() for spawn in zone.spawns if spawn.proto == "z:marta"]
    assert len(set(ids)) == 1200


def test_all_mistakes_at_once() -> None:
    files = {
        **GOOD,
        _ROOMS: GOOD[_ROOMS].replace("south: hall", "south: hal").replace("A hall.", "A hall!!!"),
        _ITEMS: GOOD[_ITEMS].replace("price: 2", "price: two"),
    }
    with pytest.raises(WorldError) as wrong:
        load(files)
    assert len(str(wrong.value).splitlines()) >= 3


def test_nothing_at_all() -> None:
    with pytest.raises(WorldError, match=r"there is no world\.yaml"):
        load({})
