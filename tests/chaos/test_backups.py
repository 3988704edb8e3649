"""Backups while bots trade: each is one instant, whole, and sound."""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mythos.store import backup as backups
from mythos.store.fsck import check, check_postgres
from mythos.store.postgres.schema import Target
from tests.chaos.bots import Bot, aside, play
from tests.chaos.houses import fair
from tests.house.server import Server, select_nothing
from tests.postgres import Cluster

_SHORT, _LONG = 5, 50
_BOTS = 20

_LINES = "SELECT tx, holder, asset, delta FROM ledger_line ORDER BY 1, 2, 3, 4"


@pytest.fixture(params=["sqlite", "postgresql"])
def cluster_or_none(request: pytest.FixtureRequest) -> Cluster | None:
    """Where the store is; None: in a file."""
    found: Cluster | None = request.getfixturevalue("cluster") if request.param == "postgresql" else None
    return found


@pytest.fixture
def url(cluster_or_none: Cluster | None) -> Iterator[str]:
    """Of the store; empty: a file."""
    if cluster_or_none is None:
        yield ""
        return
    name = cluster_or_none.make()
    yield cluster_or_none.url_of(name)
    cluster_or_none.drop(name)


def _trade(house: Server, end: threading.Event) -> None:
    bots = []
    for number in range(_BOTS):
        granted = house.post("/api/v1/guest")
        bots.append(Bot(granted["name"], random.Random(number), granted["token"]))
    while not end.is_set():
        aside(play(bots, house.ports["http"], 10))


def _told(what: str, done: int, total: int) -> None:
    assert 0 <= done <= total, what


def _lines(store: Path) -> list[tuple[int, str, str, int]]:
    with closing(sqlite3.connect(store)) as database:
        return database.execute(_LINES).fetchall()


def test_backups_under_load(tmp_path: Path, long: bool, url: str) -> None:
    """Each restores and is sound; its ledger is the beginning of the next one's, to a whole transaction."""
    count = _LONG if long else _SHORT
    data = tmp_path / "data"
    store = Target(url) if url else data / "mythos.db"
    made: list[Path] = []
    with fair(tmp_path, "never:-1", url=url) as house:
        end = threading.Event()
        trade = threading.Thread(target=_trade, args=(house, end))
        trade.start()
        try:
            for _ in range(count):
                select_nothing(0.3)
                now = datetime.now(UTC)
                made.append(backups.back_up(store, data, tmp_path / "kept", now=now, key=b"k" * 32, tell=_told)[0])
        finally:
            end.set()
            trade.join()
        house.stop()
    sizes = []
    before: list[tuple[int, str, str, int]] = []
    for number, path in enumerate(made):
        _, broken = backups.verify(path, b"k" * 32, tell=_told)
        assert broken == []
        place = tmp_path / f"back{number}"
        place.mkdir()
        backups.restore(path, b"k" * 32, place / "mythos.db", place, dry_run=False, tell=_told)
        assert list(check(place / "mythos.db")) == []
        lines = _lines(place / "mythos.db")
        assert lines[: len(before)] == before
        before = lines
        sizes.append(len(lines))
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0] + count  # they traded meanwhile


def test_a_restored_world_is_played_in(tmp_path: Path, cluster: Cluster) -> None:
    """From the file of one server into the PostgreSQL of another: who was there comes back with what they had."""
    with fair(tmp_path / "one") as house:
        granted = house.post("/api/v1/guest")
        bot = Bot(granted["name"], random.Random(1), granted["token"])
        aside(play([bot], house.ports["http"], 30))
        house.stop()
    old = tmp_path / "one" / "data"
    path, _ = backups.back_up(
        old / "mythos.db", old, tmp_path / "kept", now=datetime.now(UTC), key=b"k" * 32, tell=_told
    )
    name = cluster.make()
    url = cluster.url_of(name)
    new = tmp_path / "two" / "data"
    new.mkdir(parents=True)
    backups.restore(path, b"k" * 32, Target(url), new, dry_run=False, tell=_told)
    with fair(tmp_path / "two", "never:-1", url=url) as house:
        done = bot.done
        aside(play([bot], house.ports["http"], 5))  # with the token of the other server
        assert bot.done == done + 5
        assert list(check_postgres(Target(url))) == []
        house.stop()
    cluster.drop(name)
