"""What a client draws beside the words: its character's figures and tasks, what it carries, who and what is around it.

Each fact is gathered once, into a state of the session's log, when it is not what the log was told last; for who has no
client that draws, nothing is. A state is whole, and a later one of its name replaces it, so that a page that comes back
has them as it has its lines. The web client draws the states. Clients of GMCP are told what differs from what their
connection was told before (:class:`Told`).

============ ==================================================================================================
Mythos.Here  ``{"dark": B, "people": [{"name", "word", "npc"}], "more": k, "things": [{"name", "word", "take"}],
             "gold": n}``: shared by all in the room, who are among its people; ``more``: people that are not named
Mythos.Bag   ``{"things": [{"name", "word", "worn", "lit"}]}``; ``worn`` is a slot, or empty
Mythos.Tasks ``{"open": [{"title", "text"}], "offered": [{"title", "text"}], "done": [title]}``
Char.Status  ``{"level", "xp", "gold", "title"}``
============ ==================================================================================================

``word`` is what a command may call the thing or person.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from mythos.flow.newest import keep
from mythos.ids import EntityId, PlaceId, RoomId
from mythos.play.narrate.moving import crowded
from mythos.play.narrate.phrase import a, alike, capital
from mythos.values import value
from mythos.wire.message import State
from mythos.world import quests
from mythos.world.perception import is_dark
from mythos.world.state import GOLD, Character, World
from mythos.world.zones import ItemProto, NpcProto

__all__ = ["LISTED", "Panels", "Surroundings", "Told", "contents_of"]

#: Most things, and most people, that one list of GMCP names.
LISTED: Final = 100
#: Most people and most kinds of things that a state names.
_NAMED, _KINDS = 20, 60
#: More differences than this are told as a new list.
_FEW: Final = 8
#: Rooms whose view is kept.
_ROOMS: Final = 512
#: In a crowd somebody comes or goes all the time: who stands in one is shown it once in so many seconds.
_CROWD_REST: Final = 1.0

_CAPTIONS: Final = {"level": "Level", "xp": "Experience", "gold": "Gold", "title": "Title"}

#: A message of GMCP: its name and its data.
Message = tuple[str, Any]


# ── the facts ───────────────────────────────────────────────────────────────────────────────────


@value
class Thing:
    """An item as it is drawn; the fields are those of :class:`~mythos.world.state.Item`."""

    id: EntityId
    proto: ItemProto
    stack: int
    worn: str
    lit: bool


@value
class Here:
    """What everybody in a room sees; nothing, in the dark.

    :ivar folk: those who live there; ``players``: the others, each by id
    :ivar more: players that are not among them
    """

    room: RoomId
    dark: bool
    things: tuple[Thing, ...] = ()
    gold: int = 0
    folk: tuple[tuple[EntityId, NpcProto], ...] = ()
    players: tuple[tuple[EntityId, str], ...] = ()
    more: int = 0


def _here(world: World, room: RoomId) -> Here:
    if is_dark(world, room):
        return Here(room, True)
    folk = world.folk.get(room, {})
    people = world.people.get(room, {})
    players = ((body.id, body.name) for body in people.values() if body.id not in folk)
    named = tuple(islice(players, LISTED))
    return Here(
        room,
        False,
        _things(world, room),
        world.hoards.get(room, 0),
        tuple([(npc.id, npc.proto) for npc in islice(folk.values(), LISTED)]),
        named,
        len(people) - len(folk) - len(named),
    )


def _things(world: World, place: PlaceId) -> tuple[Thing, ...]:
    shelf = world.contents.get(place, {}).values()
    return tuple([Thing(item.id, item.proto, item.stack, item.worn, item.lit) for item in shelf])


# ── as states ───────────────────────────────────────────────────────────────────────────────────


def _here_state(here: Here) -> State:
    people = [{"name": proto.name, "word": _word(proto), "npc": True} for _, proto in here.folk[:_NAMED]]
    left = _NAMED - len(people)
    people += [{"name": name, "word": name.lower(), "npc": False} for _, name in here.players[:left]]
    more = len(here.folk) + len(here.players) + here.more - len(people)
    things = [{"name": name, "word": _word(one.proto), "take": one.proto.takeable} for name, one in _kinds(here.things)]
    data = {"dark": here.dark, "people": people, "more": more, "things": things, "gold": here.gold}
    return State("Mythos.Here", data, here)


def _bag(things: tuple[Thing, ...]) -> State:
    kinds = [{"name": name, "word": _word(one.proto), "worn": one.worn, "lit": one.lit} for name, one in _kinds(things)]
    return State("Mythos.Bag", {"things": kinds}, things)


def _tasks(world: World, me: Character) -> State:
    journal = quests.journal(world, me)
    return State(
        "Mythos.Tasks",
        {
            "open": [{"title": entry.title, "text": entry.text} for entry in journal.open],
            "offered": [{"title": entry.title, "text": entry.text} for entry in journal.offered],
            "done": [entry.title for entry in journal.done],
        },
    )


def _word(proto: ItemProto | NpcProto) -> str:
    """What the thing or person may be called: the last word of its name, if that is one."""
    last = proto.name.split()[-1].lower()
    return last if last in proto.words else proto.words[-1]


def _kinds(things: tuple[Thing, ...]) -> Iterator[tuple[str, Thing]]:
    """The things by name, those that look alike counted together."""
    return ((a(one.proto, count), one) for one, count in alike(things)[:_KINDS])


class Surroundings:
    """The states of rooms that somebody draws. Two looks with nothing changed in between give the same object."""

    __slots__ = ("_rooms",)

    def __init__(self) -> None:
        self._rooms: dict[RoomId, tuple[World, int, State]] = {}

    def of(self, world: World, room: RoomId) -> State:
        known = self._rooms.get(room)
        if known is None or known[0] is not world or known[1] != world.changes:
            here = _here(world, room)
            state = known[2] if known is not None and known[2].panel == here else _here_state(here)
            known = world, world.changes, state
        keep(self._rooms, room, known, _ROOMS)
        return known[2]


class Panels:
    """What one session's log was told last. A new one has told nothing."""

    __slots__ = ("_changes", "_flags", "_here", "_seen_at", "_status", "_tasks", "_things", "_world")

    def __init__(self) -> None:
        self._world: World | None = None
        self._changes = -1
        self._status: tuple[Any, ...] = ()
        self._things: tuple[Thing, ...] | None = None
        self._flags: Mapping[str, int] | bool | None = False  # not those of anybody
        self._tasks: Mapping[str, Any] | None = None
        self._here: State | None = None
        self._seen_at = 0.0

    def stale(self, world: World) -> bool:
        """Whether anything has changed since the last look."""
        return world.changes != self._changes or world is not self._world

    def look(self, world: World, me: Character, surroundings: Surroundings, now: float) -> list[State]:
        """The states that are not what was told last."""
        self._world, self._changes = world, world.changes
        told: list[State] = []
        status = me.level, me.xp, me.gold, me.title
        if status != self._status:
            self._status = status
            told.append(State("Char.Status", dict(zip(_CAPTIONS, status, strict=True))))
        things = _things(world, me.id)
        if things != self._things:
            self._things = things
            told.append(_bag(things))
        if me.flags is not self._flags:
            self._flags = me.flags
            tasks = _tasks(world, me)
            if tasks.data != self._tasks:
                self._tasks = tasks.data
                told.append(tasks)
        if self._rests(world, me, now):
            self._changes = -1  # look again
        else:
            here = surroundings.of(world, me.room)
            if here is not self._here:
                self._here, self._seen_at = here, now
                told.append(here)
        return told

    def _rests(self, world: World, me: Character, now: float) -> bool:
        """It stands in a crowd that it was shown just now."""
        here = self._here
        return (
            here is not None
            and now - self._seen_at < _CROWD_REST
            and crowded(world, me.room)
            and here.panel.room == me.room
        )


# ── as GMCP ─────────────────────────────────────────────────────────────────────────────────────


class Told:
    """What one connection was told last. A new one was told nothing, and is told all."""

    __slots__ = ("_here", "_status", "_things")

    def __init__(self) -> None:
        self._status: Mapping[str, Any] = {}
        self._things: tuple[Thing, ...] | None = None
        self._here: Here | None = None

    def differences(self, me: EntityId, state: State, modules: Container[str]) -> Iterator[Message]:
        """What is new in a state.

        :param modules: those the client listed, lower case
        """
        if state.name == "Char.Status" and "char" in modules:
            before, self._status = self._status, state.data
            if not before:
                yield "Char.StatusVars", _CAPTIONS
            if changed := {name: told for name, told in state.data.items() if before.get(name) != told}:
                yield "Char.Status", changed
        elif state.name == "Mythos.Tasks" and "char.tasks" in modules:
            yield "Char.Tasks.List", _journal(state.data)
        elif state.panel is None:
            return  # it was stored; who attaches is told a new one
        elif state.name == "Mythos.Bag":
            had, self._things = self._things, state.panel
            if "char.items" in modules:
                yield from _listed("inv", None if had is None else _carried(had), _carried(state.panel))
        else:
            yield from self._moved(me, state.panel, modules)

    def _moved(self, me: EntityId, here: Here, modules: Container[str]) -> Iterator[Message]:
        before, self._here = self._here, here
        if before is not None and before.room != here.room:
            before = None
        if "char.items" in modules:
            yield from _listed("room", None if before is None else _seen(before), _seen(here))
        if "room" in modules:
            yield from _players(me, None if before is None else dict(before.players), dict(here.players))

    def again(self, location: str) -> Message | None:
        """The list of ``inv`` or ``room`` as it was told last; None: it was not."""
        if location == "inv":
            return None if self._things is None else _list("inv", _carried(self._things))
        return None if self._here is None else _list("room", _seen(self._here))


def contents_of(world: World, me: Character, id: str) -> Message | None:
    """What is in a container that somebody carries or stands beside; None: there is no such thing."""
    item = world.items.get(EntityId(id))
    if item is None or not item.proto.capacity or item.place not in (me.id, me.room):
        return None
    if item.place == me.room and is_dark(world, me.room):
        return None
    return _list(f"rep{id}", _carried(_things(world, item.id), world.hoards.get(item.id, 0)))


def _journal(tasks: Mapping[str, Any]) -> list[dict[str, str]]:
    """Each task with how it stands: ``open``, ``offered`` or ``done``, which has no ``desc``."""
    begun = [
        {"name": task["title"], "desc": task["text"], "status": how}
        for how in ("open", "offered")
        for task in tasks[how]
    ]
    return begun + [{"name": title, "desc": "", "status": "done"} for title in tasks["done"]]


#: What a list names, by id: a thing, who lives there, or so many coins.
_Listed = dict[str, Thing | NpcProto | int]


def _carried(things: tuple[Thing, ...], gold: int = 0) -> _Listed:
    listed: _Listed = {one.id: one for one in things[:LISTED]}
    if gold:
        listed[GOLD] = gold
    return listed


def _seen(here: Here) -> _Listed:
    return {**_carried(here.things, here.gold), **dict(here.folk)}


def _shown(id: str, what: Thing | NpcProto | int) -> dict[str, str]:
    """Letters of ``attrib`` as IRE's clients know them: worn, wearable, wielded, container, takeable, mobile."""
    if isinstance(what, int):
        return {"id": id, "name": f"{what} gold", "attrib": "t"}
    if isinstance(what, NpcProto):
        return {"id": id, "name": capital(what.name), "attrib": "m"}
    proto = what.proto
    worn = "l" if what.worn == "hand" else "w" if what.worn else "W" if proto.slot not in ("", "hand") else ""
    name = f"{a(proto, what.stack)} (lit)" if what.lit else a(proto, what.stack)
    return {"id": id, "name": name, "attrib": worn + ("c" if proto.capacity else "") + ("t" if proto.takeable else "")}


def _list(location: str, listed: _Listed) -> Message:
    return "Char.Items.List", {"location": location, "items": [_shown(id, what) for id, what in listed.items()]}


def _listed(location: str, before: _Listed | None, now: _Listed) -> Iterator[Message]:
    if before is None:
        yield _list(location, now)
        return
    gone = [(id, what) for id, what in before.items() if id not in now]
    new = [(id, what) for id, what in now.items() if id not in before]
    other = [(id, what) for id, what in now.items() if before.get(id, what) != what]
    if len(gone) + len(new) + len(other) > _FEW:
        yield _list(location, now)
        return
    for verb, some in (("Remove", gone), ("Add", new), ("Update", other)):
        for id, what in some:
            yield f"Char.Items.{verb}", {"location": location, "item": _shown(id, what)}


def _players(me: EntityId, before: Mapping[EntityId, str] | None, now: Mapping[EntityId, str]) -> Iterator[Message]:
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
