"""The parts of a prompt that players may choose, in short for the eye and in words for the ear.

A prompt shows what its connection was told by states, and nothing else: what is not on disk yet is not in it either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from mythos.play.narrate.phrase import capital
from mythos.play.narrate.seeing import FULL

__all__ = ["STATES", "spoken", "written"]

#: The states that parts are made of.
STATES = ("Char.Vitals", "Room.Info")

_Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Part:
    """:ivar state: what it is made of; :ivar brief: for the eye, :ivar full: for the ear; empty: nothing to say"""

    state: str
    brief: Callable[[_Told], str]
    full: Callable[[_Told], str]


def _exits(told: _Told) -> str:
    return " ".join(told["exits"]) or "no exits"


def _exits_in_full(told: _Told) -> str:
    ways = [FULL.get(way, way) for way in told["exits"]]
    return f"exits {', '.join(ways)}" if ways else "no exits"


def _fight(told: _Told) -> str:
    return "fighting" if told["fighting"] else ""


_VITALS, _ROOM = STATES
_PARTS: Mapping[str, _Part] = MappingProxyType(
    {
        "health": _Part(
            _VITALS,
            lambda told: f"{told['hp']}/{told['maxhp']} health",
            lambda told: f"health {told['hp']} of {told['maxhp']}",
        ),
        "gold": _Part(_VITALS, lambda told: f"{told['gold']} gold", lambda told: f"gold {told['gold']}"),
        "level": _Part(_VITALS, lambda told: f"level {told['level']}", lambda told: f"level {told['level']}"),
        "xp": _Part(_VITALS, lambda told: f"{told['xp']} xp", lambda told: f"experience {told['xp']}"),
        "fight": _Part(_VITALS, _fight, _fight),
        "room": _Part(_ROOM, lambda told: str(told["name"]), lambda told: str(told["name"])),
        "exits": _Part(_ROOM, _exits, _exits_in_full),
    }
)


def written(parts: Iterable[str], told: Mapping[str, _Told]) -> str:
    """``20/20 health, 5 gold> ``. ``told``: the newest states by name; a part whose state was not told is left out."""
    return ", ".join(_shown(parts, told, attrgetter("brief"))) + "> "


def spoken(parts: Iterable[str], told: Mapping[str, _Told]) -> str:
    """``Health 20 of 20, gold 5.`` Empty, if there is nothing to say."""
    words = ", ".join(_shown(parts, told, attrgetter("full")))
    return f"{capital(words)}." if words else ""


def _shown(
    parts: Iterable[str], told: Mapping[str, _Told], how: Callable[[_Part], Callable[[_Told], str]]
) -> list[str]:
    known = [_PARTS[name] for name in parts if _PARTS[name].state in told]
    return [words for part in known if (words := how(part)(told[part.state]))]
