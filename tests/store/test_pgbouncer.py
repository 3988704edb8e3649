"""PostgreSQL behind pgbouncer, which lends out a connection for as long as it is asked for."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from mythos.ids import EntityId
from mythos.play.ports import StoreDown
from mythos.store.fsck import check_postgres
from mythos.store.postgres.schema import PostgresError, Target, prepare
from mythos.store.postgres.store import PostgresStore
from mythos.world.state import Character
from tests.chaos import world
from tests.house.clients import WebSocket
from tests.house.server import Server
from tests.postgres import Bouncer, Cluster
from tests.store.batches import ANN, ask, batch, write
from tests.store.test_contract import account, contents, empty_town, grant
from tests.store.test_postgres_faults import eventually, gold, opened, opened_and_closed, pays, pid
from tests.world.town import YARD


@pytest.fixture
def bouncer(pgbouncer: Path, cluster: Cluster) -> Iterator[Bouncer]:
    made = Bouncer(pgbouncer, cluster)
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture
def behind(bouncer: Bouncer, target: Target) -> Target:
    return Target(bouncer.url_of(target.run["dbname"]))


async def _store(behind: Target) -> AsyncIterator[PostgresStore]:
    prepare(behind)
    made = await opened(behind)
    yield made
    made.close()


store: Any = pytest_twisted.async_yield_fixture(name="store")(_store)


async def test_all_of_the_port(store: PostgresStore) -> None:
    """Batches, characters, accounts and tokens."""
    await write(store, pays())
    await write(store, batch(2, entities=[Character(ANN, "Ann", YARD)]))
    ann = await store.add(account("Ann"))
    assert await store.by_key("ann") == await store.by_id(ann.id) == ann
    assert [one.id for one in (await store.load_character(empty_town(), ANN)).entities] == [ANN]
    assert [one.id for one in (await contents(store)).entities.entities] == [EntityId("i1")]
    await store.add_grant(grant("h1"))
    assert await store.use_grant("h1", 0.0) == grant("h1")
    assert await gold(store) == [(5, 1)]


async def test_settings_stay(store: PostgresStore, cluster: Cluster, target: Target) -> None:
    """What is set for a connection is set for as long as it is ours."""
    cluster.ask(f"ALTER DATABASE {target.run['dbname']} SET synchronous_commit = off")
    cluster.ask("SELECT pg_terminate_backend(%s)", await pid(store))
    assert await ask(store, "SHOW synchronous_commit") == [("on",)]
    assert await ask(store, "SHOW lock_timeout") == [("1s",)]


async def test_one_server_for_one_world(store: PostgresStore, behind: Target, target: Target) -> None:
    """Through the pooler or past it; and when it ends, the lock does not stay with the pooler."""
    for other in (behind, target):
        with pytest.raises(PostgresError, match="Another server runs on"):
            await opened_and_closed(other)
    store.close()
    await opened_and_closed(behind)
    await opened_and_closed(target)


@pytest.mark.parametrize("what", ["process", "pooler"])
async def test_what_ends_at_work(store: PostgresStore, bouncer: Bouncer, cluster: Cluster, what: str) -> None:
    """A process of PostgreSQL, or the pooler: what was on its way is written, once."""
    for number in range(1, 4):
        writing = Deferred.fromCoroutine(write(store, pays(number)))
        if what == "process":
            cluster.ask("SELECT pg_terminate_backend(%s)", store._pid)
        else:
            bouncer.stop()
            bouncer.start()
        await writing
    assert await gold(store) == [(15, 3)]
    await eventually(lambda: not store.trouble())
    await write(store, batch(4))
    assert store._locked


async def test_a_process_that_hangs(store: PostgresStore, cluster: Cluster) -> None:
    """Behind the pooler nobody knows of it; it is ended when it wakes."""
    hung = await pid(store)
    rows = store.encode(pays())
    os.kill(hung, signal.SIGSTOP)
    try:
        with pytest.raises(StoreDown, match="no answer within"):
            await store.write(rows)
        await store.write(rows)
    finally:
        os.kill(hung, signal.SIGCONT)
    await eventually(lambda: not cluster.ask("SELECT 1 FROM pg_stat_activity WHERE pid = %s", hung))
    await write(store, batch(2))
    assert store._locked
    assert await gold(store) == [(5, 1)]


async def test_transactions_are_not_enough(pgbouncer: Path, cluster: Cluster, target: Target) -> None:
    """A pooler that lends out connections for one transaction is refused: a lock there would be anybody's."""
    sharing = Bouncer(pgbouncer, cluster, "transaction")
    try:
        sharing.start()
        prepare(target)
        with pytest.raises(PostgresError, match="shares connections: set pool_mode = session"):
            await opened_and_closed(Target(sharing.url_of(target.run["dbname"])))
    finally:
        sharing.remove()


def test_it_plays(tmp_path: Path, behind: Target, bouncer: Bouncer) -> None:
    """The whole server, killed, and started again at once."""
    files = world.write(tmp_path / "world")
    server = Server(tmp_path / "data", "--world", str(files), env={"DATABASE_URL": behind.url})
    with server:
        ann = WebSocket(server.ports["http"], server.post("/api/v1/guest")["token"])
        assert ann.command("get pebble")["t"] == "done"
        server.kill()
        server.start()
        again = WebSocket(server.ports["http"], ann.token, epoch=ann.epoch, last=ann.last)
        again.command("inventory")
        assert "A pebble." in again.lines
        assert server.stop() == 143
    assert "Traceback" not in server.log.read_text()
    assert list(check_postgres(behind)) == []
