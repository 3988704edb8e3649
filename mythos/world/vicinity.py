"""What lies about somebody: the rooms that a few steps lead to, and where the compass puts them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from mythos.ids import RoomId
from mythos.world import perception
from mythos.world.state import Body, World
from mythos.world.zones import COMPASS

__all__ = ["Place", "vicinity"]


@dataclass(frozen=True, slots=True)
class Place:
    """A room in reach.

    :ivar path: directions that lead there from here, by the fewest steps
    :ivar at: columns eastward and rows northward from here; None: no way by the compass leads there, or a nearer room
        has that place
    :ivar ways: directions that somebody here knows to lead on from it -> the room
    :ivar shut: those of its ways that a closed door is in
    """

    room: RoomId
    path: tuple[str, ...]
    at: tuple[int, int] | None
    ways: Mapping[str, RoomId]
    shut: frozenset[str]


def vicinity(world: World, body: Body, steps: int) -> list[Place]:
    """The room somebody is in, and those that up to ``steps`` ways lead to, the nearest first.

    Ways that were not found and closed doors end what is known.
    """
    found: dict[RoomId, Place] = {}
    taken: set[tuple[int, int]] = set()
    wave: deque[tuple[RoomId, tuple[str, ...], tuple[int, int] | None]] = deque([(body.room, (), (0, 0))])
    while wave:
        room, path, at = wave.popleft()
        if room in found:
            continue
        if at is not None:
            at = None if at in taken else at
            taken |= {at} if at is not None else set()
        exits = perception.exits_seen(world, body, room)
        shut = {exit.direction for exit in exits if (door := world.door(room, exit)) is not None and door.closed}
        found[room] = Place(room, path, at, {exit.direction: exit.to for exit in exits}, frozenset(shut))
        if len(path) < steps:
            for exit in exits:
                if exit.direction not in shut:
                    wave.append((exit.to, (*path, exit.direction), _beside(at, exit.direction)))
    return list(found.values())


def _beside(at: tuple[int, int] | None, direction: str) -> tuple[int, int] | None:
    step = COMPASS.get(direction)
    return (at[0] + step[0], at[1] + step[1]) if at is not None and step is not None else None
