"""kill -9 in the middle of trade: whatever anybody was told has happened, and nobody is told twice."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mythos.store import fsck
from mythos.store.postgres.schema import Target
from tests.chaos import world
from tests.chaos.bots import Bot, Verdict, aside, judge, play
from tests.chaos.houses import fair
from tests.house.server import Server
from tests.postgres import Cluster

#: Kills of one data directory, and what each bot types between two.
_SHORT, _LONG = 10, 200
_BOTS, _COMMANDS = 30, 40
_MOMENTS = ("before", "during", "after")


def _new_bots(house: Server, dice: random.Random) -> list[Bot]:
    bots = []
    for _ in range(_BOTS):
        granted = house.post("/api/v1/guest")
        bots.append(Bot(granted["name"], random.Random(dice.random()), granted["token"]))
        bots[-1].character = "c" + granted["name"].removeprefix("Guest")
    return bots


def _storm(
    place: Path, kills: int, *, unsafe: bool = False, cluster: Cluster | None = None
) -> tuple[list[Bot], int, Verdict]:
    """Play, die around a batch, start again, go on. Returns the bots, how many died in a batch, the verdict.

    :param cluster: where the store is; else it is a file
    """
    name = cluster.make() if cluster else ""
    url = cluster.url_of(name) if cluster else ""
    dice = random.Random(7)
    bots: list[Bot] = []
    on_its_way = 0
    for kill in range(kills):
        die = f"{_MOMENTS[kill % 3]}:{dice.randint(10, 60)}"
        house = fair(place, die, unsafe=unsafe, url=url).start()
        try:
            if not bots:
                bots = _new_bots(house, dice)
            aside(play(bots, house.ports["http"], _COMMANDS))
            died = place / "data.died"
            if died.exists():
                on_its_way += 1
                died.unlink()
                house.wait()
        finally:
            house.kill()
    with fair(place, "never:0", unsafe=unsafe, url=url) as house:
        aside(play(bots, house.ports["http"], 2))
        house.stop()
    lines = "SELECT holder, asset, delta FROM ledger_line"
    if cluster:
        assert unsafe or list(fsck.check_postgres(Target(url))) == []
        return bots, on_its_way, judge(bots, cluster.ask(lines, database=name), world.NAMES)
    with closing(sqlite3.connect(place / "data" / "mythos.db")) as database:
        return bots, on_its_way, judge(bots, database.execute(lines), world.NAMES)


def test_nothing_is_lost(tmp_path: Path, long: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """The server dies before, during and after batches that are on their way; the ledger holds all that was told."""
    kills = _LONG if long else _SHORT
    bots, on_its_way, verdict = _storm(tmp_path, kills)
    typed, resumed = sum(bot.done for bot in bots), sum(sum(bot.resumed) for bot in bots)
    with capsys.disabled():
        print(
            f"\n{kills} kills, {on_its_way} with a batch on its way; {len(bots)} bots, {typed} commands,"
            f" {verdict.told} things told, {len(verdict.lost)} lost; {resumed} resumed"
        )
    assert on_its_way >= kills * 8 // 10
    assert verdict.told > kills * 20
    assert verdict.lost == []
    assert list(fsck.check(tmp_path / "data" / "mythos.db")) == []


def test_nothing_is_lost_in_postgresql(tmp_path: Path, long: bool, cluster: Cluster) -> None:
    """The same, with what is written in another process, which lives on."""
    kills = _LONG if long else _SHORT // 2
    _, on_its_way, verdict = _storm(tmp_path, kills, cluster=cluster)
    assert on_its_way >= kills * 8 // 10
    assert verdict.told > kills * 20
    assert verdict.lost == []


def test_without_the_horizon_things_are_lost(tmp_path: Path) -> None:
    """The control: a server that tells before it has written loses what it told."""
    _, _, verdict = _storm(tmp_path, 4, unsafe=True)
    assert verdict.lost


def test_without_the_horizon_things_are_lost_in_postgresql(tmp_path: Path, cluster: Cluster) -> None:
    """The control there."""
    _, _, verdict = _storm(tmp_path, 4, unsafe=True, cluster=cluster)
    assert verdict.lost
