"""A generated world: a hundred rooms of the same kind, so that a crowd can spread.

From the first room ten ways lead to ten halls, from each hall ten ways to ten rooms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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
        yield Path(home)
