"""What a look, an examination and a search show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any

from mythos.flow.newest import keep
from mythos.ids import EntityId, PlaceId, RoomId
from mythos.play.audience import Heard, Only
from mythos.play.narrate import mapping, phrase
from mythos.play.narrate.talking import named, subject
from mythos.play.settings import chosen
from mythos.wire.message import Line, Message, Role, Span, State, line
from mythos.world import calendar, perception
from mythos.world.facts import Examined, Fact, Found, Looked
from mythos.world.state import Body, Character, Item, World
from mythos.world.zones import SLOTS, Exit, ItemProto, NpcProto, Room

__all__ = ["FULL", "NARRATORS", "SHORT", "contents", "exits_line", "room_info", "room_state", "worn"]

#: Direction -> the short key that mapping clients expect.
SHORT: Mapping[str, str] = MappingProxyType(
    {
        "north": "n",
        "northeast": "ne",
        "east": "e",
        "southeast": "se",
        "south": "s",
        "southwest": "sw",
        "west": "w",
        "northwest": "nw",
        "up": "u",
        "down": "d",
    }
)
FULL: Mapping[str, str] = MappingProxyType({short: way for way, short in SHORT.items()})
#: So many players are all named; of a larger crowd, the first few, and the others are counted.
_ALL_NAMED, _NAMED = 20, 5

#: Parts of a look that stand still: kept by room, newest last, a bounded number of them.
_STILL: dict[tuple[Any, ...], tuple[Room, Line, Line, Line, State]] = {}
_MOST_STILL = 4096
#: Things that lie about, by prototype, number and light; people who stand about, by prototype.
_LYING: dict[tuple[str, int, bool], tuple[ItemProto, Line]] = {}
_STANDING: dict[str, tuple[NpcProto, Line]] = {}
#: For a few lookers, the line of the other players in their room: (world, room, how often that was stirred, the line).
_MOST_CROWDS = 256
_CROWDS: dict[EntityId, tuple[World, RoomId, int, Line]] = {}

_DARK = (
    line("room", Span("In the dark", Role.TITLE)),
    line("room", "It is too dark to see anything."),
)


# ── looking round ───────────────────────────────────────────────────────────────────────────────


def _looked(world: World, fact: Looked) -> Iterable[Heard]:
    only = Only(fact.who)
    body = world.body(fact.who)
    _, title, text, exits, info = _still(world, body, fact.room)
    if perception.is_dark(world, fact.room):
        return [(only, one) for one in ((*_DARK,) if fact.again else (*_DARK, info))]
    brief = fact.arriving and isinstance(body, Character) and body.settings and chosen(body, "brief") == "on"
    seen: list[Message] = [title, exits] if brief else [title, text, exits]
    if isinstance(body, Character) and body.settings:
        seen += mapping.about(world, body)
    if fact.room in world.contents or fact.room in world.hoards:
        seen += _lying(world, fact.room)
    if len(world.people.get(fact.room, ())) > 1:
        seen += _standing(world, fact.room, fact.who)
    if not fact.again:
        seen.append(info)
    return [(only, one) for one in seen]


def _still(world: World, body: Body, room: RoomId) -> tuple[Room, Line, Line, Line, State]:
    """The room, its title, text, ways out and mapper's view: the same objects until something of it changes."""
    here = world.atlas.rooms[room]
    night = bool(here.night) and calendar.is_night(world.now)
    doors: tuple[Any, ...] = ()
    hidden: tuple[str, ...] = ()
    for exit in here.varying:
        if exit.door is not None and (state := world.doors.get((room, exit.direction))) is not None:
            doors += (state.closed, state.locked)
        if exit.hidden and isinstance(body, Character) and f"{room} {exit.direction}" in (body.seen or ()):
            hidden += (exit.direction,)
    key = (room, night, doors, hidden)
    known = _STILL.get(key)
    if known is None or known[0] is not here:
        ways = [exit for exit in here.exits.values() if not exit.hidden or exit.direction in hidden]
        known = (
            here,
            line("room", Span(here.title, Role.TITLE)),
            line("room", here.night if night else here.text),
            exits_line(world, room, ways),
            State("Room.Info", _info(world, here, ways)),
        )
        keep(_STILL, key, known, _MOST_STILL)
    return known


def room_info(world: World, body: Body) -> Mapping[str, Any]:
    """GMCP Room.Info of the room somebody stands in, with the ways out that they know."""
    info: Mapping[str, Any] = _still(world, body, body.room)[4].data
    return info


def room_state(world: World, who: Character) -> State:
    """The mapper's view of where somebody stands, with the ways out that they know of."""
    return _still(world, who, who.room)[4]


def exits_line(world: World, room: RoomId, ways: Iterable[Exit]) -> Line:
    """``Exits: north, east (closed oak door).``"""
    words: list[str | Span] = []
    for way in ways:
        words += [", " if words else "Exits: ", Span(way.direction, Role.EXIT, way.direction)]
        door = world.doors.get((room, way.direction))
        if way.door is not None and door is not None and door.closed:
            words.append(f" (closed {way.door.name})")
    return line("room", *words, ".") if words else line("room", "There is no way out that you can see.")


def _info(world: World, room: Room, ways: Iterable[Exit]) -> dict[str, Any]:
    """GMCP Room.Info as mapping clients read it: numbers for rooms, short keys for exits, ``y`` growing northward."""
    exits: dict[str, int] = {}
    doors: dict[str, str] = {}
    for way in ways:
        key = SHORT.get(way.direction, way.direction)
        exits[key] = world.atlas.rooms[way.to].place
        state = world.doors.get((room.id, way.direction))
        if way.door is not None and state is not None:
            doors[key] = "locked" if state.locked else "closed" if state.closed else "open"
    area = world.atlas.zones[room.zone].title
    x, y, z = room.coords
    info: dict[str, Any] = {
        "num": room.place,
        "id": room.id,
        "name": room.title,
        "area": area,
        "zone": area,
        "environment": room.terrain,
        "terrain": room.terrain,
        "coords": f"{area},{x},{y},{z}",
        "coord": {"x": x, "y": y, "z": z},
        "exits": exits,
    }
    if doors:
        info["doors"] = doors
    return info


def _lying(world: World, room: RoomId) -> Iterator[Line]:
    """What lies in a room, a line for each kind."""
    for item, count in phrase.alike(world.contents.get(room, {}).values()):
        yield _lies(item.proto, count, item.lit)
    if coins := world.hoards.get(room, 0):
        yield line("item", Span(f"{coins} gold", Role.ITEM), f" {'lies' if coins == 1 else 'lie'} here.")


def _lies(proto: ItemProto, count: int, lit: bool) -> Line:
    key = proto.id, count, lit
    known = _LYING.get(key)
    if known is None or known[0] is not proto:
        known = (proto, _lying_line(proto, count, lit))
        keep(_LYING, key, known, _MOST_STILL)
    return known[1]


def _lying_line(proto: ItemProto, count: int, lit: bool) -> Line:
    glow = " It gives light." if lit else ""
    look = f"look {proto.words[-1]}"
    if count == 1 and proto.lies:
        return line("item", Span(proto.lies, Role.ITEM, look), glow)
    name = phrase.capital(phrase.a(proto, count))
    return line("item", Span(name, Role.ITEM, look), f" {'lies' if count == 1 else 'lie'} here.", glow)


def _standing(world: World, room: RoomId, but: EntityId) -> list[Line]:
    """Who else is there: those who live there, a line each; players in one."""
    folk = world.folk.get(room, {})
    seen = []
    for npc in folk.values():
        foe = world.characters.get(npc.fighting) if npc.fighting is not None else None
        if foe is not None:
            fight = " is fighting ", "you" if foe.id == but else named(foe), "!"
            seen.append(line("room", subject(npc), *fight))
        else:
            seen.append(_stands(npc.proto))
    people = world.people[room]
    others = len(people) - len(folk) - (but in people)
    if others:
        stirred = world.stirred[room]
        known = _CROWDS.get(but)
        if known is None or known[2] != stirred or known[1] != room or known[0] is not world:
            players = (body.name for body in people.values() if body.id != but and body.id not in folk)
            shown = others if others <= _ALL_NAMED else _NAMED
            known = (world, room, stirred, _crowd([*islice(players, shown)], others - shown))
            keep(_CROWDS, but, known, _MOST_CROWDS)
        seen.append(known[3])
    return seen


def _stands(proto: NpcProto) -> Line:
    known = _STANDING.get(proto.id)
    if known is None or known[0] is not proto:
        words = proto.stands or f"{phrase.capital(proto.name)} is here."
        known = _STANDING[proto.id] = (proto, line("room", Span(words, Role.NPC, f"look {proto.words[-1]}")))
    return known[1]


def _crowd(names: list[str], more: int) -> Line:
    """``Ann, Bob and Cid are here.``; ``Ann, Bob and 980 others are here.``"""
    words = phrase.together([Span(name, Role.PLAYER) for name in names], more)
    return line("room", *words, " is here." if len(names) + more == 1 else " are here.")


# ── one thing ───────────────────────────────────────────────────────────────────────────────────


def _examined(world: World, fact: Examined) -> Iterable[Heard]:
    only = Only(fact.who)
    return [(only, one) for one in _sight(world, fact)]


def _sight(world: World, fact: Examined) -> Iterator[Line]:
    target = fact.target
    if target is None:
        yield line("room", fact.text)
    elif (item := world.items.get(target)) is not None:
        yield line("item", item.proto.text)
        if item.proto.read:
            yield line("item", "Something is written on it. Type: ", Span(f"read {item.proto.words[-1]}", Role.COMMAND))
        if item.lit:
            yield line("item", "It is lit.")
        if item.proto.capacity:
            yield contents(world, item)
    elif (npc := world.npcs.get(target)) is not None:
        yield line("room", npc.proto.text)
        yield from _state_of(npc)
        if npc.proto.shop is not None:
            yield line("room", subject(npc), " trades. Type: ", Span("list", Role.COMMAND))
    else:
        yield from _player(world, world.characters[target], mine=target == fact.who)


def _player(world: World, other: Character, *, mine: bool) -> Iterator[Line]:
    who: str | Span = "You" if mine else Span(other.name, Role.PLAYER)
    title = f" {other.title}" if other.title else ""
    yield line("room", who, f"{title if not mine else ''} {'are' if mine else 'is'} of level {other.level}.")
    yield from _state_of(other)
    yield from (line("room", words) for words in worn(world, other.id))


def _state_of(body: Body) -> Iterator[Line]:
    share = body.hp / body.max_hp
    if share < 1.0:
        yield line(
            "combat",
            subject(body),
            " is scratched." if share > 0.7 else " is hurt." if share > 0.3 else " can hardly stand.",
        )


def worn(world: World, who: EntityId) -> Iterator[str]:
    """What somebody wears, in the order of the slots, a sentence for each."""
    by_slot = {item.worn: item for item in world.contents.get(who, {}).values() if item.worn}
    for slot in SLOTS:
        if (item := by_slot.get(slot)) is not None:
            where = "In hand" if slot == "hand" else "Held up" if slot == "light" else f"On the {slot}"
            yield f"{where}: {phrase.a(item.proto)}{' (lit)' if item.lit else ''}."


def contents(world: World, box: Item) -> Line:
    """What is in a container."""
    place: PlaceId = box.id
    names = [phrase.a(item.proto, count) for item, count in phrase.alike(world.held(place))]
    if coins := world.hoards.get(place, 0):
        names.append(f"{coins} gold")
    if not names:
        return line("item", "It is empty.")
    return line("item", "In it: ", Span(phrase.listing(names), Role.ITEM), ".")


def _found(world: World, fact: Found) -> Iterable[Heard]:
    only = Only(fact.who)
    heard: list[Heard] = []
    if fact.text:
        heard.append((only, line("room", fact.text)))
    if fact.direction:
        heard.append((only, line("room", "You find a way ", Span(fact.direction, Role.EXIT), ".")))
        heard.append((only, _still(world, world.body(fact.who), fact.room)[4]))
    if not heard:
        heard.append((only, line("room", "You search, and find nothing.")))
    return heard


NARRATORS: dict[type[Fact], Callable[[World, Any], Iterable[Heard]]] = {
    Looked: _looked,
    Examined: _examined,
    Found: _found,
}
