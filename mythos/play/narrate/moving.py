"""How coming, going and doors sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mythos.ids import EntityId, RoomId
from mythos.play.audience import Audience, Bustle, Heard, InRoom, Only
from mythos.play.narrate import seeing
from mythos.wire.message import Line, Role, Span, line
from mythos.world import perception
from mythos.world.facts import (
    Arrived,
    Closed,
    DoorFact,
    Fact,
    Faded,
    FollowStarted,
    FollowStopped,
    Left,
    Locked,
    Opened,
    Summoned,
    Unlocked,
)
from mythos.world.state import Character, Npc, World

__all__ = ["NARRATORS", "crowded", "who_is"]

#: Most people who notice each one that comes or goes; in a larger crowd they are told together.
_CROWD = 20


def who_is(world: World, who: EntityId, room: RoomId, first: bool = True) -> Span:
    """A name as the room knows it: in the dark, someone."""
    body = world.body(who)
    if perception.is_dark(world, room):
        return Span("Someone" if first else "someone")
    name = body.name[:1].upper() + body.name[1:] if first else body.name
    return Span(name, Role.NPC if isinstance(body, Npc) else Role.PLAYER)


def crowded(world: World, room: RoomId) -> bool:
    """So many that nobody is told of each one who comes or goes."""
    return len(world.people.get(room, ())) > _CROWD


def _others(world: World, room: RoomId, who: EntityId, came: bool) -> Audience:
    """Those who notice one who came into a room or went out of it."""
    return Bustle(room, who, came) if crowded(world, room) else InRoom(room, (who,))


def _way(direction: str) -> str:
    """``north``, but ``upward``: after a verb of motion."""
    return {"up": "upward", "down": "downward", "in": "inside", "out": "outside"}.get(direction, direction)


def _left(world: World, fact: Left) -> Iterable[Heard]:
    yield (
        _others(world, fact.room, fact.who, False),
        line("move", who_is(world, fact.who, fact.room), " leaves ", Span(_way(fact.direction), Role.EXIT), "."),
    )


def _arrived(world: World, fact: Arrived) -> Iterable[Heard]:
    origin = {"up": " from above", "down": " from below", "in": " from inside", "out": " from outside", "": ""}
    where = origin.get(fact.origin, f" from the {fact.origin}")
    yield (
        _others(world, fact.room, fact.who, True),
        line("move", who_is(world, fact.who, fact.room), f" arrives{where}."),
    )


def _summoned(world: World, fact: Summoned) -> Iterable[Heard]:
    who = fact.who
    if fact.left not in (None, fact.room) and fact.cause != "death":
        yield _others(world, fact.left, who, False), line("move", who_is(world, who, fact.left), " is gone.")
    if fact.cause == "summon":
        yield Only(who), line("move", "You are called away, and stand somewhere else.")
    yield _others(world, fact.room, who, True), line("move", who_is(world, who, fact.room), " appears.")


def _faded(world: World, fact: Faded) -> Iterable[Heard]:
    name = Span("Someone") if perception.is_dark(world, fact.room) else Span(fact.name, Role.PLAYER)
    text = {"linkdead": " fades away.", "kicked": " is sent away."}.get(fact.cause, " leaves the world.")
    yield _others(world, fact.room, fact.who, False), line("move", name, text)


def _follows(world: World, fact: FollowStarted) -> Iterable[Heard]:
    room = world.body(fact.who).room
    yield Only(fact.who), line("move", "You follow ", who_is(world, fact.leader, room, False), " now.")
    yield Only(fact.leader), line("move", who_is(world, fact.who, room), " follows you now.")


def _stops(world: World, fact: FollowStopped) -> Iterable[Heard]:
    room = world.body(fact.who).room
    yield Only(fact.who), line("move", "You stop following ", who_is(world, fact.leader, room, False), ".")
    yield Only(fact.leader), line("move", who_is(world, fact.who, room), " no longer follows you.")


def _door(you: str, others: str, far: str) -> Callable[[World, Any], Iterable[Heard]]:
    """``far``: how it is heard in the room behind it; empty: not at all."""

    def narrate(world: World, fact: DoorFact) -> Iterable[Heard]:
        door = world.room(fact.room).exits[fact.direction].door
        name = Span(f"the {door.name}" if door else "it", Role.EXIT)
        yield Only(fact.who), line("move", f"You {you} ", name, ".")
        yield InRoom(fact.room, (fact.who,)), line("move", who_is(world, fact.who, fact.room), f" {others} ", name, ".")
        if far:
            heard: Line = line("move", Span(f"The {door.name if door else 'door'}", Role.EXIT), f" {far}.")
            yield InRoom(fact.other, (fact.who,)), heard
        for room in (fact.room, fact.other):
            if not crowded(world, room):
                yield from _mapped(world, room)

    return narrate


def _mapped(world: World, room: RoomId) -> Iterable[Heard]:
    """The room anew for each one's mapper: not everybody knows of every way out."""
    for body in world.people.get(room, {}).values():
        if isinstance(body, Character):
            yield Only(body.id), seeing.room_state(world, body)


NARRATORS: dict[type[Fact], Callable[[World, Any], Iterable[Heard]]] = {
    Left: _left,
    Arrived: _arrived,
    Summoned: _summoned,
    Faded: _faded,
    FollowStarted: _follows,
    FollowStopped: _stops,
    Opened: _door("open", "opens", "opens"),
    Closed: _door("close", "closes", "closes"),
    Locked: _door("lock", "locks", "clicks"),
    Unlocked: _door("unlock", "unlocks", "clicks"),
}
