"""A hundred people change doors while their lines drop: each hears every line once, in order."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.chaos.bots import aside
from tests.chaos.hoppers import Hopper
from tests.house.server import Server

_PEOPLE, _COMMANDS = 100, 60
#: Of the control.
_FEW = 15
_FREE = {"RATE_LIMIT_PER_PLAYER_PER_MINUTE": "100000", "RATE_LIMIT_ENABLED": "false"}
#: A hundred people in one room who come and go all the time are a crowd: each hears of each.
_ROOMY = {"MYTHOS_SESSIONS_LOG_EVENTS": "65536", "MYTHOS_SESSIONS_LOG_BYTES": "16MB"}
#: So little that the same storm must lose lines.
_TIGHT = {"MYTHOS_SESSIONS_LOG_EVENTS": "16", "MYTHOS_SESSIONS_LOG_BYTES": "4096"}


def _storm(place: Path, settings: dict[str, str], count: int, commands: int, patience: float = 30.0) -> list[Hopper]:
    dice = random.Random(11)
    with Server(place / "data", env=_FREE | settings) as house:
        people = [
            Hopper(house.post("/api/v1/guest")["token"], random.Random(dice.random()), patience) for _ in range(count)
        ]

        async def play() -> None:
            await asyncio.gather(*[one.play(house.ports, commands) for one in people])

        aside(asyncio.wait_for(play(), 120))
    return people


def test_every_line_once(tmp_path: Path, long: bool, capsys: pytest.CaptureFixture[str]) -> None:
    commands = _COMMANDS * (10 if long else 1)
    people = _storm(tmp_path, _ROOMY, _PEOPLE, commands)
    visits = {door: sum(one.visits.get(door, 0) for one in people) for door in ("websocket", "sse", "telnet")}
    cut, resumed = sum(one.cut for one in people), sum(one.resumed for one in people)
    wrong = [one.heard for one in people if one.heard != list(range(1, one.heard[-1] + 1))]
    with capsys.disabled():
        print(
            f"\n{len(people)} people, {cut} lines cut, {visits}, {resumed} resumed; {len(wrong)} heard something else"
        )
    assert wrong == []
    assert min(visits.values()) > _PEOPLE
    assert [one for one in people if one.gaps or one.stalled] == []


def test_without_a_log_lines_are_lost(tmp_path: Path) -> None:
    """The control: where next to nothing is kept, the same storm loses lines, and says so."""
    people = _storm(tmp_path, _TIGHT, _FEW, _COMMANDS, 0.5)
    lost = [one for one in people if one.heard != list(range(1, one.heard[-1] + 1))]
    assert lost
    assert all(one.heard == sorted(set(one.heard)) for one in people)
