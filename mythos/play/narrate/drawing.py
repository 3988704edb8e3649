"""States that the web client draws: who and what is here, what one carries, one's tasks.

They are part of the session's log, so that a page that comes back has them as it has its lines; what GMCP clients draw
is told otherwise (:mod:`mythos.play.panels`). Each is whole: a later one of its name replaces it. ``word`` is what a
command may call the thing or person.

* ``Mythos.Here``: ``{"dark": B, "people": [{"name", "word", "npc"}], "more": k, "things": [{"name", "word", "take"}],
  "gold": n}``. Shared by all in the room, who are among its people; ``more``: players that are not named. In a crowd it
  comes with a look only.
* ``Mythos.Bag``: ``{"things": [{"name", "word", "worn", "lit"}]}``; ``worn`` is a slot, or empty.
* ``Mythos.Tasks``: ``{"open": [{"title", "text"}], "offered": [{"title", "text"}], "done": [title]}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mythos.ids import EntityId, RoomId
from mythos.play.audience import Heard, InRoom, Only
from mythos.play.narrate import phrase, seeing
from mythos.play.narrate.moving import crowded
from mythos.wire.message import State
from mythos.world import perception, quests
from mythos.world.facts import (
    Arrived,
    Bought,
    Closed,
    Died,
    Dropped,
    Fact,
    Faded,
    Fled,
    Gave,
    Got,
    GotGold,
    Left,
    LightChanged,
    Locked,
    Looked,
    Opened,
    Put,
    Removed,
    Reset,
    Returned,
    Sold,
    Summoned,
    TaskDone,
    Unlocked,
    Wore,
)
from mythos.world.state import Character, Item, Npc, World
from mythos.world.zones import ItemProto, NpcProto

__all__ = ["DRAWN", "bag", "here", "in_room", "tasks"]

#: Most people and most kinds of things that are named, and tasks that are offered.
_NAMED, _KINDS, _OFFERS = 20, 60, 3


# ── the states ──────────────────────────────────────────────────────────────────────────────────


def here(world: World, room: RoomId) -> State:
    """Who and what can be seen in a room."""
    if perception.is_dark(world, room):
        return State("Mythos.Here", {"dark": True, "people": [], "more": 0, "things": [], "gold": 0})
    people: list[dict[str, Any]] = []
    more = 0
    for body in world.people.get(room, {}).values():
        if len(people) >= _NAMED:
            more += 1
        elif isinstance(body, Npc):
            people.append({"name": body.name, "word": _word(body.proto), "npc": True})
        else:
            people.append({"name": body.name, "word": body.name.lower(), "npc": False})
    things = [
        {"name": name, "word": _word(item.proto), "take": item.proto.takeable}
        for name, item in _kinds(world.contents.get(room, {}).values())
    ]
    return State(
        "Mythos.Here",
        {"dark": False, "people": people, "more": more, "things": things, "gold": world.hoards.get(room, 0)},
    )


def bag(world: World, who: EntityId) -> State:
    """What somebody carries and wears."""
    things = [
        {"name": name, "word": _word(item.proto), "worn": item.worn, "lit": item.lit}
        for name, item in _kinds(world.held(who))
    ]
    return State("Mythos.Bag", {"things": things})


def tasks(world: World, who: Character) -> State:
    """Tasks in hand and done; to somebody who has none in hand, some are offered."""
    entries = quests.journal(world, who)
    begun = [entry for entry in entries if entry.begun and not entry.ended]
    offered = [] if begun else [entry for entry in entries if not entry.begun][:_OFFERS]
    return State(
        "Mythos.Tasks",
        {
            "open": [{"title": entry.title, "text": entry.text} for entry in begun],
            "offered": [{"title": entry.title, "text": entry.text} for entry in offered],
            "done": [entry.title for entry in entries if entry.ended],
        },
    )


def _word(proto: ItemProto | NpcProto) -> str:
    """What the thing or person may be called: the last word of its name, if that is one."""
    last = proto.name.split()[-1].lower()
    return last if last in proto.words else proto.words[-1]


def _kinds(items: Iterable[Item]) -> list[tuple[str, Item]]:
    """The things by name, those that look alike counted together."""
    counts: dict[tuple[str, str, bool], tuple[Item, int]] = {}
    for item in items:
        kind = item.proto.id, item.worn, item.lit
        if kind in counts or len(counts) < _KINDS:
            _, count = counts.get(kind, (item, 0))
            counts[kind] = (item, count + item.stack)
    return [(phrase.a(item.proto, count), item) for item, count in counts.values()]


# ── when they change ────────────────────────────────────────────────────────────────────────────


def in_room(world: World, room: RoomId, *but: EntityId) -> list[Heard]:
    """:func:`here` for those in a room. In a crowd nobody is told, as somebody comes or goes all the time."""
    alone = len(world.people.get(room, ())) == len(world.folk.get(room, ()))
    return [] if alone or crowded(world, room) else [(InRoom(room, but), here(world, room))]


def _bags(world: World, *bodies: EntityId) -> list[Heard]:
    return [(Only(body), bag(world, body)) for body in bodies if body in world.characters]


def _looked(world: World, fact: Looked) -> Iterable[Heard]:
    return [] if fact.again else [(Only(fact.who), here(world, fact.room))]


def _stirred(world: World, fact: Any) -> Iterable[Heard]:
    return in_room(world, fact.room)


def _arrived(world: World, fact: Arrived) -> Iterable[Heard]:
    return in_room(world, fact.room, fact.who)  # whoever arrives looks round


def _summoned(world: World, fact: Summoned) -> Iterable[Heard]:
    left = fact.left
    return [*(in_room(world, left) if left not in (None, fact.room) else ()), *in_room(world, fact.room, fact.who)]


def _taken(world: World, fact: Got | GotGold) -> Iterable[Heard]:
    found = in_room(world, fact.room) if fact.source is None else []
    return found if isinstance(fact, GotGold) else [*found, *_bags(world, fact.who)]


def _dropped(world: World, fact: Dropped) -> Iterable[Heard]:
    return [*in_room(world, fact.room), *_bags(world, fact.who)]


def _lit(world: World, fact: LightChanged) -> Iterable[Heard]:
    return [*in_room(world, fact.room), *_bags(world, fact.who)]


def _gave(world: World, fact: Gave) -> Iterable[Heard]:
    return _bags(world, fact.who, fact.to)


def _carried(world: World, fact: Any) -> Iterable[Heard]:
    return _bags(world, fact.who)


def _task_done(world: World, fact: TaskDone) -> Iterable[Heard]:
    return [(Only(fact.who), tasks(world, world.characters[fact.who]))]


def _door(world: World, fact: Any) -> Iterable[Heard]:
    """Both rooms: not everybody knows of every way out."""
    for room in (fact.room, fact.other):
        if not crowded(world, room):
            for body in world.people.get(room, {}).values():
                if isinstance(body, Character):
                    yield Only(body.id), seeing.room_state(world, body)


#: Facts that change what is drawn -> the states, and who gets them.
DRAWN: dict[type[Fact], Callable[[World, Any], Iterable[Heard]]] = {
    Looked: _looked,
    Left: _stirred,
    Fled: _stirred,
    Faded: _stirred,
    Died: _stirred,
    Returned: _stirred,
    Reset: _stirred,
    Arrived: _arrived,
    Summoned: _summoned,
    Got: _taken,
    GotGold: _taken,
    Dropped: _dropped,
    LightChanged: _lit,
    Gave: _gave,
    Put: _carried,
    Wore: _carried,
    Removed: _carried,
    Bought: _carried,
    Sold: _carried,
    TaskDone: _task_done,
    Opened: _door,
    Closed: _door,
    Locked: _door,
    Unlocked: _door,
}
