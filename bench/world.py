"""A generated world: a hundred rooms of the same kind, so that a crowd can spread.

From the first room ten ways lead to ten halls, from each hall ten ways to ten rooms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.doors import GUEST, Step

__all__ = ["ROOMS", "generated", "path", "title", "walk"]

ROOMS: Final = 100
_WAYS: Final = ("north", "south", "east", "west", "northeast", "northwest", "southeast", "southwest", "up", "down")


def title(number: int) -> str:
    """The name of a room."""
    return f"Bench room {number % ROOMS:02d}"


def path(number: int) -> Sequence[str]:
    """The way of a newcomer from the first room to its own."""
    tens, ones = divmod(number % ROOMS, 10)
    return _WAYS[tens], _WAYS[ones]


def walk(number: int) -> Sequence[Step]:
    """The same for telnet, from the name prompt on; it ends at the prompt in the room."""
    ask, (prompt, _) = GUEST
    first, second = (way.encode() + b"\r\n" for way in path(number))
    hall = re.compile(rb"Bench hall .*> $", re.DOTALL)
    room = re.compile(rb"%b\r\n.*> $" % title(number).encode(), re.DOTALL)
    return ask, (prompt, first), (hall, second), (room, b"")


@contextmanager
def generated() -> Iterator[Path]:
    """The world in a directory of its own, which is gone afterwards."""
    with TemporaryDirectory(prefix="mythos-bench-world-") as home:
        zone = Path(home, "zones", "bench")
        zone.mkdir(parents=True)
        Path(home, "world.yaml").write_text("title: Bench\nstart: bench:first\nhome: bench:first\nzones: [bench]\n")
        (zone / "zone.yaml").write_text("title: Bench\nrecall: first\n")
        (zone / "items.yaml").write_text("items:\n  token:\n    name: token\n    text: A round token of tin.\n")
        (zone / "rooms.yaml").write_text("rooms:\n" + "".join(_rooms()))
        yield Path(home)


def _rooms() -> Iterator[str]:
    yield _room("first", "Bench square", {way: f"hall-{tens}" for tens, way in enumerate(_WAYS)})
    for tens in range(len(_WAYS)):
        ways = {way: f"room-{tens}{ones}" for ones, way in enumerate(_WAYS)}
        yield _room(f"hall-{tens}", f"Bench hall {tens}", {**ways, "out": "first"})
    for number in range(ROOMS):
        yield _room(f"room-{number:02d}", title(number), {"out": f"hall-{number // 10}"}, "[{proto: token, every: 1s}]")


def _room(id: str, name: str, exits: Mapping[str, str], items: str = "[]") -> str:
    ways = ", ".join(f"{way}: {to}" for way, to in exits.items())
    return (
        f"  {id}:\n    title: {name}\n    text: A plain room of grey stone, swept every morning.\n"
        f"    exits: {{{ways}}}\n    items: {items}\n"
    )
