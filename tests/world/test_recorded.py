"""The same seed gives the same game, to the last blow."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.world import recorded


def _digest(hash_seed: str) -> str:
    """What a game says of itself in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tests.world.recorded"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def test_a_game_can_be_played_again() -> None:
    """10,000 ticks with fights, deaths, wanderers and trade: two processes that hash differently tell the same."""
    first, second = _digest("1"), _digest("2")
    assert first == second
    digest, kinds = recorded.play(7)
    assert first.startswith(digest)
    assert kinds.keys() >= {
        "Hit",
        "Missed",
        "Died",
        "Returned",
        "Left",
        "Gave",
        "GaveGold",
        "DayTurned",
        "Reset",
        "Fled",
    }


def test_another_seed_is_another_game() -> None:
    """The control: the digest does see what happens."""
    assert recorded.play(8)[0] != recorded.play(7)[0]
