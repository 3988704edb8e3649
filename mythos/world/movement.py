"""Walking, doors, following; coming into the world and going out of it."""

from __future__ import annotations

from collections.abc import Iterator

from mythos.errors import Refusal
from mythos.ids import EntityId, RoomId
from mythos.world import combat, perception
from mythos.world.facts import (
    Arrived,
    Closed,
    Fact,
    Faded,
    FollowStarted,
    FollowStopped,
    Found,
    Left,
    Locked,
    Looked,
    Opened,
    Summoned,
    Unlocked,
)
from mythos.world.state import Body, Character, DoorState, World
from mythos.world.zones import OPPOSITE, Door, Exit

__all__ = [
    "DoorClosed",
    "NoSuchExit",
    "build_doors",
    "close_door",
    "enter",
    "follow",
    "leave",
    "lock_door",
    "open_door",
    "search",
    "unfollow",
    "unlock_door",
    "walk",
]


class NoSuchExit(Refusal):
    """There is no way out in that direction, or none that is known."""

    def __init__(self, room: RoomId, direction: str) -> None:
        super().__init__(f"You cannot go {direction} from here.")
        self.room, self.direction = room, direction


class DoorClosed(Refusal):
    def __init__(self, room: RoomId, direction: str, door: Door) -> None:
        super().__init__(f"The {door.name} is closed.")
        self.room, self.direction = room, direction


# ── walking ─────────────────────────────────────────────────────────────────────────────────────


def walk(world: World, who: EntityId, direction: str) -> list[Fact]:
    """Through an exit, and whoever follows comes too.

    :raises Refusal: no such exit, a closed door, or a fight that must be fled; the world is as it was
    """
    body = world.body(who)
    exit = _exit(world, body, direction)
    if body.fighting is not None:
        raise Refusal("You are in a fight. Flee first.")
    door = world.door(body.room, exit)
    if door is not None and door.closed and exit.door is not None:
        raise DoorClosed(body.room, direction, exit.door)
    left = body.room
    facts = _pass(world, body, exit)
    for follower in _followers(world, who, left):
        facts += _pass(world, follower, exit)
    return facts


def _pass(world: World, body: Body, exit: Exit) -> list[Fact]:
    left = body.room
    world.place_body(body, exit.to)
    facts: list[Fact] = [Left(body.id, left, exit.direction), Arrived(body.id, exit.to, _from(world, left, exit))]
    if isinstance(body, Character):
        facts.append(Looked(body.id, exit.to, arriving=True))
    return facts


def _from(world: World, left: RoomId, exit: Exit) -> str:
    """Where somebody comes from, as the room they come into sees it."""
    opposite = OPPOSITE.get(exit.direction, "")
    there = world.room(exit.to).exits
    if opposite in there and there[opposite].to == left:
        return opposite
    return next((back.direction for back in there.values() if back.to == left), "")


def _followers(world: World, leader: EntityId, room: RoomId) -> Iterator[Body]:
    """Everybody who follows, over any number of others, each once; fighters stay."""
    leaders = {leader}
    while True:
        found = [
            body
            for body in world.people.get(room, {}).values()
            if body.following in leaders and body.id not in leaders and body.fighting is None
        ]
        if not found:
            return
        for body in found:
            leaders.add(body.id)
            yield body


def _exit(world: World, body: Body, direction: str) -> Exit:
    for exit in perception.exits_seen(world, body):
        if exit.direction == direction:
            return exit
    raise NoSuchExit(body.room, direction)


# ── into the world and out of it ────────────────────────────────────────────────────────────────


def enter(world: World, character: Character, room: RoomId) -> list[Fact]:
    """A character comes into the world; into its home if the room is no more."""
    world.characters[character.id] = character
    world.place_body(character, room if room in world.atlas.rooms else world.atlas.home)
    return [Summoned(character.id, None, character.room, "enter"), Looked(character.id, character.room)]


def leave(world: World, who: EntityId, cause: str) -> list[Fact]:
    """A character goes out of the world, and stands nowhere; where it was is remembered."""
    body = world.body(who)
    combat.disengage(world, who)
    world.lift_body(body)
    for other in world.people.get(body.room, {}).values():
        if other.following == who:
            other.following = None
    body.following = None
    if isinstance(body, Character):
        world.touch(body)
    return [Faded(who, body.room, body.name, cause)]


def follow(world: World, who: EntityId, leader: EntityId) -> list[Fact]:
    """:raises Refusal: oneself, somebody elsewhere, or somebody who follows oneself"""
    body, other = world.body(who), world.body(leader)
    if who == leader:
        raise Refusal("You cannot follow yourself.")
    if body.following == leader:
        raise Refusal(f"You follow {other.name} already.")
    ahead: Body | None = other
    while ahead is not None and ahead.following is not None:
        if ahead.following == who:
            raise Refusal(f"{other.name} follows you.")
        ahead = world.characters.get(ahead.following) or world.npcs.get(ahead.following)
    facts: list[Fact] = [FollowStopped(who, body.following)] if body.following is not None else []
    body.following = leader
    return [*facts, FollowStarted(who, leader)]


def unfollow(world: World, who: EntityId) -> list[Fact]:
    """:raises Refusal: one follows nobody"""
    body = world.body(who)
    if body.following is None:
        raise Refusal("You follow nobody.")
    leader, body.following = body.following, None
    return [FollowStopped(who, leader)]


# ── doors ───────────────────────────────────────────────────────────────────────────────────────


def build_doors(world: World) -> None:
    """Hang every door of the atlas that does not hang yet, one for both sides, as the builder left it."""
    for room in world.atlas.rooms.values():
        for exit in room.exits.values():
            if exit.door is None or (room.id, exit.direction) in world.doors:
                continue
            state = DoorState(
                EntityId(f"d:{room.id}:{exit.direction}"), exit.door.closed or exit.door.locked, exit.door.locked
            )
            world.doors[room.id, exit.direction] = state
            back = _back(world, room.id, exit)
            if back is not None:
                world.doors[exit.to, back.direction] = state


def _back(world: World, room: RoomId, exit: Exit) -> Exit | None:
    """The same door from its other side."""
    there = world.room(exit.to).exits
    opposite = there.get(OPPOSITE.get(exit.direction, ""))
    if opposite is not None and opposite.to == room and opposite.door is not None:
        return opposite
    return next((back for back in there.values() if back.to == room and back.door is not None), None)


def _door(world: World, who: EntityId, name: str) -> tuple[Body, Exit, Door, DoorState]:
    """A door by its direction or its name, in small letters. :raises Refusal: there is none, or several"""
    body = world.body(who)
    words = set(name.split())
    found = [
        (exit, exit.door)
        for exit in perception.exits_seen(world, body)
        if exit.door is not None and words <= {exit.direction, "door", *exit.door.name.lower().split()}
    ]
    if len(found) > 1:
        known = " or ".join(f"the {door.name} ({exit.direction})" for exit, door in found)
        raise Refusal(f"Which do you mean: {known}?")
    if found:
        exit, door = found[0]
        return body, exit, door, world.doors[body.room, exit.direction]
    if name in world.room(body.room).exits:
        raise Refusal(f"There is no door {name} of here.")
    raise Refusal(f"There is no {name} here that opens or closes.")


def _moved(world: World, state: DoorState, door: Door) -> None:
    as_built = state.closed == (door.closed or door.locked) and state.locked == door.locked
    state.resets = 0.0 if as_built or not door.shuts_after else world.now + door.shuts_after
    world.touch(state)


def open_door(world: World, who: EntityId, name: str) -> list[Fact]:
    body, exit, door, state = _door(world, who, name)
    if not state.closed:
        raise Refusal(f"The {door.name} is open already.")
    if state.locked:
        raise Refusal(f"The {door.name} is locked.")
    state.closed = False
    _moved(world, state, door)
    return [Opened(who, body.room, exit.direction, exit.to)]


def close_door(world: World, who: EntityId, name: str) -> list[Fact]:
    body, exit, door, state = _door(world, who, name)
    if state.closed:
        raise Refusal(f"The {door.name} is closed already.")
    state.closed = True
    _moved(world, state, door)
    return [Closed(who, body.room, exit.direction, exit.to)]


def lock_door(world: World, who: EntityId, name: str) -> list[Fact]:
    body, exit, door, state = _door(world, who, name)
    _needs_key(world, who, door)
    if not state.closed:
        raise Refusal(f"The {door.name} is open.")
    if state.locked:
        raise Refusal(f"The {door.name} is locked already.")
    state.locked = True
    _moved(world, state, door)
    return [Locked(who, body.room, exit.direction, exit.to)]


def unlock_door(world: World, who: EntityId, name: str) -> list[Fact]:
    body, exit, door, state = _door(world, who, name)
    if not state.locked:
        raise Refusal(f"The {door.name} is not locked.")
    _needs_key(world, who, door)
    state.locked = False
    _moved(world, state, door)
    return [Unlocked(who, body.room, exit.direction, exit.to)]


def _needs_key(world: World, who: EntityId, door: Door) -> None:
    if door.key is None:
        raise Refusal(f"The {door.name} has no lock.")
    if not any(item.proto.id == door.key for item in world.held(who)):
        raise Refusal(f"You have no key that fits the {door.name}.")


def search(world: World, who: EntityId) -> list[Fact]:
    """What the builder hid here; a hidden way that is found stays known. :raises Refusal: it is too dark"""
    body = world.body(who)
    if perception.is_dark(world, body.room):
        raise Refusal("It is too dark to search.")
    room = world.room(body.room)
    for exit in room.exits.values():
        mark = f"{room.id} {exit.direction}"
        if exit.hidden and isinstance(body, Character) and mark not in (body.seen or ()):
            body.seen = {*(body.seen or ()), mark}
            world.touch(body)
            return [Found(who, room.id, room.found, exit.direction)]
    return [Found(who, room.id, room.found)]
