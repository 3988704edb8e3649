"""What MSDP calls variables: a character's figures and the room it stands in, by their usual names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from mythos.play.narrate.seeing import room_info
from mythos.world import calendar
from mythos.world.combat import threshold
from mythos.world.state import Character, World

__all__ = ["VARIABLES"]


def _room(world: World, me: Character) -> dict[str, Any]:
    """The same as GMCP's Room.Info, as MSDP's mappers read it."""
    info = room_info(world, me)
    return {
        "VNUM": info["num"],
        "NAME": info["name"],
        "AREA": info["area"],
        "TERRAIN": info["terrain"],
        "COORDS": {axis.upper(): place for axis, place in info["coord"].items()},
        "EXITS": info["exits"],
    }


def _opponent(world: World, me: Character) -> str:
    return world.body(me.fighting).name if me.fighting is not None else ""


VARIABLES: Mapping[str, Callable[[World, Character], Any]] = MappingProxyType(
    {
        "CHARACTER_NAME": lambda world, me: me.name,
        "EXPERIENCE": lambda world, me: me.xp,
        "EXPERIENCE_MAX": lambda world, me: threshold(me.level + 1),
        "HEALTH": lambda world, me: me.hp,
        "HEALTH_MAX": lambda world, me: me.max_hp,
        "LEVEL": lambda world, me: me.level,
        "MONEY": lambda world, me: me.gold,
        "OPPONENT_NAME": _opponent,
        "ROOM": _room,
        "WORLD_TIME": lambda world, me: calendar.clock(world.now),
    }
)
