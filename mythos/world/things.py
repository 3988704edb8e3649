"""Taking, dropping, giving, putting away, wearing and lighting things.

What is conserved moves first: if the world is sealed, the refusal leaves everything as it was.
"""

from __future__ import annotations

from mythos.errors import Refusal
from mythos.ids import EntityId
from mythos.world.facts import (
    Dropped,
    Fact,
    Gave,
    GaveGold,
    Got,
    GotGold,
    LightChanged,
    Put,
    Removed,
    Wore,
)
from mythos.world.state import GOLD, Character, Item, World

__all__ = [
    "CARRIED",
    "drop",
    "drop_gold",
    "get",
    "get_gold",
    "give",
    "give_gold",
    "put",
    "put_gold",
    "remove",
    "room_for",
    "set_light",
    "wear",
]

#: Stacks and single things that one can carry.
CARRIED = 60


def room_for(world: World, who: EntityId, proto: str, stackable: bool, count: int = 1) -> bool:
    """Whether somebody can carry ``count`` more of a thing."""
    shelf = world.contents.get(who, {})
    if stackable:
        count = 0 if any(item.proto.id == proto for item in shelf.values()) else 1
    return len(shelf) + count <= CARRIED


# ── to oneself ──────────────────────────────────────────────────────────────────────────────────


def get(world: World, who: EntityId, item: Item, count: int) -> list[Fact]:
    """Take ``count`` of a stack from the floor or out of a container.

    :raises Refusal: it cannot be taken, or one carries too much
    """
    body = world.body(who)
    proto = item.proto
    if not proto.takeable:
        raise Refusal(f"You cannot take the {proto.name}.")
    if not room_for(world, who, proto.id, proto.stackable):
        raise Refusal("You cannot carry more things.")
    source = None if item.place == body.room else EntityId(item.place)
    taken = world.move_item(item, who, count)
    return [Got(who, taken.id, proto.id, count, body.room, source)]


def get_gold(world: World, who: EntityId, amount: int, box: Item | None = None) -> list[Fact]:
    """Take gold from the floor or out of a container; amount 0: all of it. :raises Refusal: there is less"""
    body = world.body(who)
    place = body.room if box is None else box.id
    there = world.gold_at(place)
    if not there:
        raise Refusal("You see no gold here." if box is None else f"There is no gold in the {box.proto.name}.")
    if amount > there:
        raise Refusal(f"There is only {there} gold.")
    amount = amount or there
    world.move_gold(place, who, amount)
    return [GotGold(who, amount, body.room, None if box is None else box.id)]


# ── away from oneself ───────────────────────────────────────────────────────────────────────────


def _free(item: Item) -> None:
    if item.worn:
        raise Refusal(f"You are using the {item.proto.name}. To put it by first, type: remove {item.proto.words[-1]}")


def _own(world: World, who: EntityId, amount: int) -> int:
    """How much gold is meant of one's own; 0 stands for all."""
    purse = world.gold_at(who)
    if not purse:
        raise Refusal("You have no gold.")
    if amount > purse:
        raise Refusal(f"You have only {purse} gold.")
    return amount or purse


def drop(world: World, who: EntityId, item: Item, count: int) -> list[Fact]:
    """:raises Refusal: it is worn"""
    _free(item)
    room = world.body(who).room
    world.move_item(item, room, count)
    return [Dropped(who, item.proto.id, count, room)]


def drop_gold(world: World, who: EntityId, amount: int) -> list[Fact]:
    """:param amount: 0: all. :raises Refusal: one has less"""
    amount = _own(world, who, amount)
    room = world.body(who).room
    world.move_gold(who, room, amount)
    return [Dropped(who, GOLD, amount, room)]


def put(world: World, who: EntityId, item: Item, count: int, box: Item) -> list[Fact]:
    """Put ``count`` of a stack into a container. :raises Refusal: it does not fit"""
    _free(item)
    _holds(box)
    if item.proto.capacity:
        raise Refusal(f"The {item.proto.name} does not fit into the {box.proto.name}.")
    inside = world.contents.get(box.id, {})
    joins = item.proto.stackable and any(other.proto.id == item.proto.id for other in inside.values())
    if not joins and len(inside) >= box.proto.capacity:
        raise Refusal(f"The {box.proto.name} is full.")
    world.move_item(item, box.id, count)
    return [Put(who, item.proto.id, count, box.id, world.body(who).room)]


def put_gold(world: World, who: EntityId, amount: int, box: Item) -> list[Fact]:
    """:param amount: 0: all. :raises Refusal: one has less, or it holds nothing"""
    _holds(box)
    amount = _own(world, who, amount)
    world.move_gold(who, box.id, amount)
    return [Put(who, GOLD, amount, box.id, world.body(who).room)]


def _holds(box: Item) -> None:
    if not box.proto.capacity:
        raise Refusal(f"You cannot put anything into the {box.proto.name}.")


def give(world: World, who: EntityId, item: Item, count: int, to: EntityId) -> list[Fact]:
    """Hand a thing over. :raises Refusal: it is worn, or it is not wanted or cannot be carried"""
    _free(item)
    other = _receiver(world, who, to)
    if not room_for(world, to, item.proto.id, item.proto.stackable):
        raise Refusal(f"{other.name} cannot carry more things.")
    world.move_item(item, to, count)
    return [Gave(who, item.proto.id, count, to, other.room)]


def give_gold(world: World, who: EntityId, amount: int, to: EntityId) -> list[Fact]:
    """:param amount: 0: all. :raises Refusal: one has less, or it is not wanted"""
    other = _receiver(world, who, to)
    amount = _own(world, who, amount)
    world.move_gold(who, to, amount)
    return [GaveGold(who, amount, to, other.room)]


def _receiver(world: World, who: EntityId, to: EntityId) -> Character:
    """A player: those who live in the world take only what they ask for."""
    if who == to:
        raise Refusal("You have that already.")
    other = world.characters.get(to)
    if other is None:
        name = world.body(to).name
        raise Refusal(f"{name[:1].upper()}{name[1:]} does not want that.")
    return other


# ── in use ──────────────────────────────────────────────────────────────────────────────────────


def wear(world: World, who: EntityId, item: Item) -> list[Fact]:
    """Put on, or take in hand, what one carries. :raises Refusal: it is not for that, or there is something already"""
    slot = item.proto.slot
    if not slot:
        raise Refusal(f"You cannot wear the {item.proto.name}.")
    if item.worn:
        raise Refusal(f"You are using the {item.proto.name} already.")
    for other in world.contents.get(who, {}).values():
        if other.worn == slot:
            raise Refusal(f"There is the {other.proto.name} already. Type: remove {other.proto.words[-1]}")
    item.worn = slot
    world.touch(item)
    return [Wore(who, item.proto.id, slot, world.body(who).room)]


def remove(world: World, who: EntityId, item: Item) -> list[Fact]:
    """:raises Refusal: it is not worn"""
    if not item.worn:
        raise Refusal(f"You are not using the {item.proto.name}.")
    slot, item.worn = item.worn, ""
    world.touch(item)
    return [Removed(who, item.proto.id, slot, world.body(who).room)]


def set_light(world: World, who: EntityId, item: Item, lit: bool) -> list[Fact]:
    """Light or put out what one carries. :raises Refusal: it gives no light, or is so already"""
    if not item.proto.light:
        raise Refusal(f"The {item.proto.name} is nothing to light." if lit else f"The {item.proto.name} is not lit.")
    if item.lit == lit:
        raise Refusal(f"The {item.proto.name} is {'lit already' if lit else 'not lit'}.")
    item.lit = lit
    world.touch(item)
    return [LightChanged(who, item.proto.id, lit, world.body(who).room)]
