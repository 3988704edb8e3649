"""PostgreSQL that stops, hangs or is taken away under people who play: nothing is told that is not written."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mythos.store import fsck
from mythos.store.postgres.schema import Target
from tests.chaos.houses import fair
from tests.chaos.test_store_faults import answer, guest, ready, typed, until
from tests.postgres import Cluster


@pytest.fixture
def fragile(postgres: Path) -> Iterator[Cluster]:
    """One that may be stopped."""
    made = Cluster(postgres)
    made.start()
    yield made
    made.remove()


def stopped(cluster: Cluster) -> Callable[[], None]:
    """As by a crash; returns what makes it good again."""
    cluster.stop(signal.SIGQUIT)
    return cluster.start


def hung(cluster: Cluster) -> Callable[[], None]:
    """Every process that serves the server of the world."""
    pids = [pid for (pid,) in cluster.ask("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'mythos%'")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    cluster.ask("ALTER DATABASE world1 ALLOW_CONNECTIONS false")  # else the next connection would do

    def wake() -> None:
        cluster.ask("ALTER DATABASE world1 ALLOW_CONNECTIONS true")
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    return wake


def full(cluster: Cluster) -> Callable[[], None]:
    """Its disk."""
    cluster.ask(
        "CREATE FUNCTION brim() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;"
        "CREATE TRIGGER brim BEFORE INSERT ON ledger FOR EACH STATEMENT EXECUTE FUNCTION brim()",
        database="world1",
    )

    def empty() -> None:
        cluster.ask("DROP TRIGGER brim ON ledger", database="world1")

    return empty


@pytest.mark.parametrize(
    ("trouble", "said"), [(stopped, "PostgreSQL"), (hung, "no answer within"), (full, "No space left on device")]
)
def test_trouble_delays_words_and_loses_nothing(
    tmp_path: Path, fragile: Cluster, trouble: Callable[[Cluster], Callable[[], None]], said: str
) -> None:
    """Nobody is told of a thing that is not written, everybody is told why; then everything is told, once."""
    url = fragile.url_of(fragile.make())
    with fair(tmp_path, url=url) as house:
        ann, bob = guest(house), guest(house)
        ann.command("get pebble")
        bob.until("gets a pebble.")
        good_again = trouble(fragile)
        dropped = typed(ann, "drop pebble")
        for one in (ann, bob):
            one.until("ledger cannot be written")
        assert not ready(house)
        assert not any("drop" in line for line in (*ann.lines, *bob.lines))
        good_again()
        assert answer(ann, dropped)["t"] == "done"
        bob.until("drops a pebble.")
        until(lambda: ready(house))
        assert ann.command("get pebble")["t"] == "done"
        assert Counter(ann.lines)["You drop a pebble."] == 1
        assert Counter(ann.lines)["You get a pebble."] == 2
        log = house.log.read_text()
        assert said in log
        assert "Traceback" not in log
        assert log.count("the store does not take batch") == 1
        house.stop()
    assert list(fsck.check_postgres(Target(url))) == []
    held = "SELECT sum(delta) FROM ledger_line WHERE asset = 'fair:pebble' AND holder LIKE 'c%'"
    assert fragile.ask(held, database="world1") == [(1,)]


def test_another_server_takes_over(tmp_path: Path, fragile: Cluster) -> None:
    """The first one stops by itself, and has told nobody anything since."""
    url = fragile.url_of(fragile.make())
    with fair(tmp_path, url=url) as house:
        ann = guest(house)
        ann.command("get pebble")
        fragile.ask("UPDATE fence SET epoch = epoch + 1", database="world1")
        typed(ann, "drop pebble")
        assert house.wait() == 78
        log = house.log.read_text()
        assert log.count("Another server has taken over the world of this one") >= 1
        assert "Traceback" not in log
        assert not any("drop" in line for line in ann.lines)
    with fair(tmp_path, url=url) as house:
        assert ready(house)
