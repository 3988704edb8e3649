"""What a client draws beside the words: its character's figures, what it carries, who and what is around it.

These are messages of GMCP, as (name, data). Nothing here is kept in a session's log: a connection whose client asked
for them looks after each of its flushes, is given what differs from what it was told before, and all of it anew
after it attached. What a room shows is made once for all who look at it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from mythos.ids import EntityId, PlaceId, RoomId
from mythos.play.channels import CHANNELS
from mythos.play.narrate.phrase import a, capital
from mythos.world.perception import is_dark
from mythos.world.state import GOLD, Character, Item, World

__all__ = ["LISTED", "Around", "Panels", "Surroundings", "contents_of"]

#: Most things, and most people, that one list names.
LISTED: Final = 100
#: More differences than this are told as a new list.
_FEW: Final = 8
#: Rooms whose view is kept.
_ROOMS: Final = 512

_CAPTIONS: Final = {"level": "Level", "xp": "Experience", "gold": "Gold", "title": "Title"}

Told = tuple[str, Any]
#: id -> what a client is told of it
Things = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Around:
    """What everybody in a room sees: things and those who live there by id, names of players by id."""

    things: Things
    players: dict[EntityId, str]


class Surroundings:
    """The views of rooms somebody draws. Two looks with nothing changed in between give the same object.

    :param turns: how many turns have ended: between two of them the world stands still
    """

    __slots__ = ("_rooms", "_turns")

    def __init__(self, turns: Callable[[], int]) -> None:
        self._turns = turns
        self._rooms: dict[RoomId, tuple[World, int, Around]] = {}

    def of(self, world: World, room: RoomId) -> Around:
        turn = self._turns()
        known = self._rooms.pop(room, None)
        if known is None or known[0] is not world or known[1] != turn:
            around = _around(world, room)
            if known is not None and known[2] == around:
                around = known[2]
            known = world, turn, around
        if len(self._rooms) >= _ROOMS:
            del self._rooms[next(iter(self._rooms))]
        self._rooms[room] = known
        return known[2]


class Panels:
    """What one connection was told last. A new one has told nothing."""

    __slots__ = ("_around", "_carried", "_room", "_signature", "_status", "_surroundings", "_world")

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._world: World | None = None
        self._forget()

    def _forget(self) -> None:
        self._room: RoomId | None = None
        self._around: Around | None = None
        self._carried: Things | None = None
        self._signature: tuple[Any, ...] = ()
        self._status: dict[str, Any] = {}

    def look(self, world: World, me: Character, modules: Container[str]) -> Iterator[Told]:
        """What is new since the last look.

        :param modules: those the client listed, lower case
        """
        if world is not self._world:  # at first, and when it was loaded again
            self._world = world
            self._forget()
            if "comm.channel" in modules:
                yield (
                    "Comm.Channel.List",
                    [{"name": name, "caption": name.capitalize(), "command": name} for name in CHANNELS],
                )
        if "char" in modules:
            yield from self._figures(me)
        if "char.items" in modules:
            yield from self._inventory(world, me)
        if "char.items" in modules or "room" in modules:
            yield from self._surrounding(world, me, modules)

    def _figures(self, me: Character) -> Iterator[Told]:
        status = {"level": me.level, "xp": me.xp, "gold": me.gold, "title": me.title}
        before, self._status = self._status, status
        if not before:
            yield "Char.StatusVars", _CAPTIONS
        if changed := {name: value for name, value in status.items() if before.get(name) != value}:
            yield "Char.Status", changed

    def _inventory(self, world: World, me: Character) -> Iterator[Told]:
        shelf = world.contents.get(me.id, {})
        signature = tuple([(item.id, item.stack, item.worn, item.lit) for item in islice(shelf.values(), LISTED)])
        if self._carried is not None and signature == self._signature:
            return
        self._signature = signature
        before, self._carried = self._carried, _things(world, me.id)
        yield from _differences("inv", before, self._carried)

    def _surrounding(self, world: World, me: Character, modules: Container[str]) -> Iterator[Told]:
        around = self._surroundings.of(world, me.room)
        if around is self._around and me.room == self._room:
            return
        before = self._around if me.room == self._room else None
        self._around, self._room = around, me.room
        if "char.items" in modules:
            yield from _differences("room", before.things if before else None, around.things)
        if "room" in modules:
            yield from _players(me.id, before.players if before else None, around.players)


def contents_of(world: World, me: Character, id: str) -> Told | None:
    """What is in a container that somebody carries or stands beside; None: there is no such thing."""
    item = world.items.get(EntityId(id))
    if item is None or not item.proto.capacity or item.place not in (me.id, me.room):
        return None
    if item.place == me.room and is_dark(world, me.room):
        return None
    return _list(f"rep{id}", _things(world, item.id))


def _list(location: str, things: Things) -> Told:
    return "Char.Items.List", {"location": location, "items": list(things.values())}


def _differences(location: str, before: Things | None, now: Things) -> Iterator[Told]:
    if before is None:
        yield _list(location, now)
        return
    gone = [id for id in before if id not in now]
    new = [thing for id, thing in now.items() if id not in before]
    other = [thing for id, thing in now.items() if before.get(id, thing) != thing]
    if len(gone) + len(new) + len(other) > _FEW:
        yield _list(location, now)
        return
    for id in gone:
        yield "Char.Items.Remove", {"location": location, "item": before[id]}
    for thing in new:
        yield "Char.Items.Add", {"location": location, "item": thing}
    for thing in other:
        yield "Char.Items.Update", {"location": location, "item": thing}


def _players(me: EntityId, before: Mapping[EntityId, str] | None, now: Mapping[EntityId, str]) -> Iterator[Told]:
    gone = [] if before is None else [name for id, name in before.items() if id != me and now.get(id) != name]
    came = [name for id, name in now.items() if id != me and (before is None or before.get(id) != name)]
    if before is None or len(gone) + len(came) > _FEW:
        yield "Room.Players", [_player(name) for id, name in now.items() if id != me]
        return
    for name in gone:
        yield "Room.RemovePlayer", name
    for name in came:
        yield "Room.AddPlayer", _player(name)


def _player(name: str) -> dict[str, str]:
    return {"name": name, "fullname": name}


def _around(world: World, room: RoomId) -> Around:
    if is_dark(world, room):
        return Around({}, {})
    things = _things(world, room)
    folk = world.folk.get(room, {})
    for npc in islice(folk.values(), LISTED):
        things[npc.id] = {"id": npc.id, "name": capital(npc.name), "attrib": "m"}
    people = islice(world.people.get(room, {}).values(), LISTED + len(folk))
    return Around(things, {body.id: body.name for body in people if body.id not in folk})


def _things(world: World, place: PlaceId) -> Things:
    things: Things = {}
    for item in islice(world.contents.get(place, {}).values(), LISTED):
        things[item.id] = {"id": item.id, "name": _name(item), "attrib": _attributes(item)}
    if coins := world.hoards.get(place, 0):
        things[GOLD] = {"id": GOLD, "name": f"{coins} gold", "attrib": "t"}
    return things


def _name(item: Item) -> str:
    return f"{a(item.proto, item.stack)} (lit)" if item.lit else a(item.proto, item.stack)


def _attributes(item: Item) -> str:
    """Letters as IRE's clients know them: worn, wearable, wielded, container, takeable."""
    proto = item.proto
    worn = "l" if item.worn == "hand" else "w" if item.worn else "W" if proto.slot not in ("", "hand") else ""
    return worn + ("c" if proto.capacity else "") + ("t" if proto.takeable else "")
