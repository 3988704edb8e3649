"""The house that the scenarios of this package run: the fair, no limits of pace, and what only tests may ask for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tests.chaos import world
from tests.house.server import Server

__all__ = ["fair"]


def fair(
    place: Path,
    die: str = "never:0",
    *,
    unsafe: bool = False,
    guesses: bool = False,
    url: str = "",
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Server:
    """:param die: when it kills itself, see :mod:`tests.chaos.launch`
    :param unsafe: for controls: words are told before they are on disk
    :param guesses: for controls: a commit that got no answer is taken for written
    :param url: of its store, if that is not a file in ``place``
    :param settings: more of them, by the names of their variables
    """
    environ = {
        "CHAOS_DIE": die,
        **({"DATABASE_URL": url} if url else {}),
        **({"CHAOS_UNSAFE": "1"} if unsafe else {}),
        **({"CHAOS_GUESS": "1"} if guesses else {}),
        "RATE_LIMIT_PER_PLAYER_PER_MINUTE": "100000",
        "RATE_LIMIT_ENABLED": "false",
        **settings,
    }
    program = (sys.executable, "-m", "tests.chaos.launch")
    root = str(Path(__file__).parents[2])
    return Server(
        place / "data",
        "--world",
        str(world.write(place / "world")),
        env={**environ, "PYTHONPATH": root},
        program=program,
    )
