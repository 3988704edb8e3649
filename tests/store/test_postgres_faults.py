"""What can happen to PostgreSQL and to the way to it: nothing is lost, nothing is done twice."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg2
import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from mythos.flow.breaker import Breaker, State
from mythos.ids import AccountId, EntityId, SessionId
from mythos.play.ports import BadBatch, NameTaken, RefreshGrant, StoreDown
from mythos.store.postgres.connection import WAITING, OutcomeUnknown
from mythos.store.postgres.schema import PostgresError, Target, connected, prepare
from mythos.store.postgres.store import PostgresStore, open_postgres
from mythos.world.state import MINT, Item
from tests.postgres import Cluster
from tests.store.batches import ANN, BOB, ask, batch, paid, write
from tests.store.proxy import Proxy
from tests.store.test_contract import SESSION, account, contents, grant
from tests.world.town import ITEMS, YARD

#: Seconds that a transaction may take in these tests, and that one waits for a connection.
DEADLINE, PATIENCE = 2.0, 5.0


async def opened(target: Target, patience: float = PATIENCE) -> PostgresStore:
    store = PostgresStore(target, reactor, patience=patience, deadline=DEADLINE)
    await store.take()
    return store


async def _store(target: Target) -> AsyncIterator[PostgresStore]:
    prepare(target)
    made = await opened(target)
    yield made
    made.close()


async def _proxy(cluster: Cluster) -> AsyncIterator[Proxy]:
    with TemporaryDirectory(prefix="mythos-") as home:
        made = Proxy(Path(home), cluster.home)
        yield made
        await made.close()


async def _far(target: Target, proxy: Proxy, cluster: Cluster) -> AsyncIterator[PostgresStore]:
    prepare(target)
    made = await opened(Target(target.url.replace(str(cluster.home), str(proxy.home))))
    yield made
    made.close()


#: With short deadlines; and the same behind a proxy.
near: Any = pytest_twisted.async_yield_fixture(name="near")(_store)
proxy: Any = pytest_twisted.async_yield_fixture(name="proxy")(_proxy)
far: Any = pytest_twisted.async_yield_fixture(name="far")(_far)


async def gold(store: PostgresStore) -> list[tuple[Any, ...]]:
    """Amount and number of writes of the balances; there is a batch that paid 5."""
    return await ask(store, "SELECT amount, rev FROM balance")


def pays(number: int = 1) -> Any:
    return batch(number, paid(number, MINT, ANN, 5), entities=[Item(EntityId("i1"), ITEMS[0], YARD)])


async def pid(store: PostgresStore) -> int:
    """Of the server's process for the world."""
    ((found,),) = await ask(store, "SELECT pg_backend_pid()")
    return int(found)


async def eventually(condition: Callable[[], Any]) -> Any:
    """What it comes to, as soon as that is something."""
    for _ in range(3000):
        if found := condition():
            return found
        await deferLater(reactor, 0.01)
    raise AssertionError("it never came true")


async def while_it_waits(cluster: Cluster, name: str) -> int:
    """The process of a connection that waits for another's lock, as soon as it does."""
    waits = "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
    ((found,),) = await eventually(lambda: cluster.ask(waits, name))
    return int(found)


@pytest.fixture
def locked(target: Target) -> Iterator[Any]:
    """Somebody who can hold the counters, so that a batch gets stuck in its last statement."""
    with connected(target.run) as database:
        yield database


def lock(locked: Any) -> None:
    locked.cursor().execute("LOCK TABLE meta")


# ── connections that end ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["mythos world", "mythos accounts"])
async def test_a_process_that_is_ended_while_idle(near: PostgresStore, cluster: Cluster, name: str) -> None:
    """The next who asks does not notice."""
    for _ in range(3):
        cluster.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", name)
        await write(near, pays())
        assert await near.by_key("ann") is None
    assert await gold(near) == [(5, 1)]


async def test_a_process_that_is_ended_at_work(near: PostgresStore, cluster: Cluster, locked: Any) -> None:
    """In the middle of a batch: it is done again, whole, and once."""
    lock(locked)
    writing = Deferred.fromCoroutine(write(near, pays()))
    cluster.ask("SELECT pg_terminate_backend(%s)", await while_it_waits(cluster, "mythos world"))
    locked.rollback()
    await writing
    assert await gold(near) == [(5, 1)]
    assert near._locked


async def test_a_process_that_hangs(near: PostgresStore, cluster: Cluster) -> None:
    """It does not keep the next from going on; when it wakes, it is ended, and what it was asked is not done again."""
    hung = await pid(near)
    rows = near.encode(pays())
    os.kill(hung, signal.SIGSTOP)
    try:
        with pytest.raises(StoreDown, match="no answer within 2 s"):
            await near.write(rows)
        await near.write(rows)
        assert await gold(near) == [(5, 1)]
        assert not near._locked
    finally:
        os.kill(hung, signal.SIGCONT)
    await eventually(lambda: not cluster.ask("SELECT 1 FROM pg_stat_activity WHERE pid = %s", hung))
    await write(near, batch(2))
    assert near._locked
    assert await gold(near) == [(5, 1)]


async def test_a_process_that_hangs_in_a_batch(near: PostgresStore, cluster: Cluster, locked: Any) -> None:
    """Whether it will be written nobody knows while it hangs: the same batch waits, for as long as that takes."""
    rows = near.encode(pays())
    lock(locked)
    writing = Deferred.fromCoroutine(near.write(rows))
    hung = await while_it_waits(cluster, "mythos world")
    os.kill(hung, signal.SIGSTOP)
    try:
        locked.rollback()
        with pytest.raises(StoreDown, match="no answer within"):
            await writing
        with pytest.raises(StoreDown, match=r"no answer within|lock timeout"):
            await near.write(rows)
    finally:
        os.kill(hung, signal.SIGCONT)
    await eventually(lambda: not cluster.ask("SELECT 1 FROM pg_stat_activity WHERE pid = %s", hung))
    await near.write(rows)
    assert await gold(near) == [(5, 1)]


async def test_a_network_that_is_cut(far: PostgresStore, proxy: Proxy, cluster: Cluster) -> None:
    """PostgreSQL does not know that its process serves nobody any more: it is ended, and the next has the lock."""
    old = await pid(far)
    proxy.keeps = True
    proxy.cut_all()
    await write(far, pays())
    await eventually(lambda: not cluster.ask("SELECT 1 FROM pg_stat_activity WHERE pid = %s", old))
    await write(far, batch(2))
    assert far._locked
    assert await gold(far) == [(5, 1)]


async def test_a_host_by_its_name(target: Target, proxy: Proxy) -> None:
    """One that has an address where nobody listens too, as localhost has; and again after the line was lost."""
    far = Target(f"postgresql://postgres@localhost:{proxy.port}/{target.run['dbname']}")
    store = await open_postgres(far, reactor, patience=PATIENCE, wait=0.0, tell=print)
    await write(store, pays())
    proxy.cut_all()
    await write(store, pays())
    assert await gold(store) == [(5, 1)]
    store.close()


async def test_several_hosts(target: Target, proxy: Proxy, cluster: Cluster, tmp_path: Path) -> None:
    """It goes to the first that is there and takes writes, also when that is another one than before."""
    hosts = f"{tmp_path},{proxy.home},{cluster.home}"
    far = Target(f"postgresql:///{target.run['dbname']}?user=postgres&host={hosts}&target_session_attrs=read-write")
    store = await open_postgres(far, reactor, patience=PATIENCE, wait=0.0, tell=print)
    await write(store, pays())
    assert proxy.asked
    await proxy.close()
    await write(store, pays())
    assert await gold(store) == [(5, 1)]
    assert not store.trouble()
    store.close()


async def test_a_host_that_does_not_answer(target: Target, cluster: Cluster, tmp_path: Path) -> None:
    """A machine that has lost its power takes a moment, and then the next host is asked."""
    silent = socket.socket(socket.AF_UNIX)
    silent.bind(str(tmp_path / ".s.PGSQL.5432"))
    silent.listen()
    prepare(target)
    hosts = f"{tmp_path},{cluster.home}"
    far = Target(f"postgresql:///{target.run['dbname']}?user=postgres&host={hosts}")
    store = PostgresStore(far, reactor, patience=20.0)
    await store.take()
    await write(store, pays())
    assert await gold(store) == [(5, 1)]
    store.close()
    silent.close()


async def test_a_host_that_nobody_knows(target: Target) -> None:
    store = PostgresStore(Target("postgresql://nobody.invalid/d"), reactor, patience=0.5)
    with pytest.raises(StoreDown, match=r"the host nobody\.invalid is not known: "):
        await store.by_key("ann")
    store.close()


async def test_logins_do_not_wait_for_batches(near: PostgresStore, locked: Any) -> None:
    lock(locked)
    writing = Deferred.fromCoroutine(write(near, pays()))
    assert await near.by_key("ann") is None
    assert not writing.called
    locked.rollback()
    await writing


async def test_who_stops_waiting_leaves_it_to_its_end(near: PostgresStore, locked: Any) -> None:
    """Giving up on an answer does not break off a transaction, nor the connection."""
    lock(locked)
    writing = Deferred.fromCoroutine(write(near, pays()))
    writing.addErrback(lambda failure: None)
    writing.cancel()
    locked.rollback()
    assert await gold(near) == [(5, 1)]


async def test_a_queue_has_an_end(near: PostgresStore, locked: Any) -> None:
    lock(locked)
    waiting = [Deferred.fromCoroutine(write(near, pays())) for _ in range(WAITING + 1)]
    with pytest.raises(StoreDown, match=f"^Connection pool exhausted: more than {WAITING} wait"):
        await write(near, pays())
    locked.rollback()
    for one in waiting:
        await one
    assert await gold(near) == [(5, 1)]


# ── an answer that is lost ──────────────────────────────────────────────────────────────────────


def cut_at(proxy: Proxy, *cuts: tuple[bytes, str]) -> None:
    """Cut the line at the next query with these words, then at the next with those."""
    left = list(cuts)

    def cut(query: bytes) -> str | None:
        return left.pop(0)[1] if left and left[0][0] in query else None

    proxy.cut = cut


@pytest.mark.parametrize("how", ["before", "after"])
async def test_a_batch_whose_line_is_cut(far: PostgresStore, proxy: Proxy, how: str) -> None:
    """All of it goes in one message. Where it was written and nobody could say so it is found; it is there once."""
    cut_at(proxy, (b"EXECUTE sure_batch", how))
    await write(far, pays())
    assert [b"COMMIT" in query for query in proxy.asked if b"EXECUTE " in query and b"_batch" in query] == [True, False]
    assert far.outcomes == {"written": int(how == "after"), "repeated": int(how == "before")}
    assert await gold(far) == [(5, 1)]
    assert await ask(far, "SELECT rev FROM entity") == [(1,)]


@pytest.mark.parametrize(
    ("words", "how"), [(w, h) for w in (b"EXECUTE begin_batch", b"COMMIT") for h in ("before", "after")]
)
async def test_a_batch_whose_line_is_cut_again(far: PostgresStore, proxy: Proxy, words: bytes, how: str) -> None:
    """While it is found out what became of the first try."""
    cut_at(proxy, (b"EXECUTE sure_batch", "before"), (words, how))
    await write(far, pays())
    written = (words, how) == (b"COMMIT", "after")
    assert far.outcomes == {"written": int(written), "repeated": int(not written)}
    assert await gold(far) == [(5, 1)]


async def test_a_batch_whose_line_is_cut_until_it_is_given_up(far: PostgresStore, proxy: Proxy) -> None:
    """The next who writes the same batch finds out; one that was never in doubt is not told of."""
    rows = far.encode(pays())
    cut_at(proxy, *[(b"COMMIT", "after")], *[(b"EXECUTE begin_batch", "before")] * 2)
    with pytest.raises(OutcomeUnknown):
        await far.write(rows)
    assert far.outcomes == {"written": 0, "repeated": 0}
    await far.write(rows)
    await write(far, batch(2))
    assert far.outcomes == {"written": 1, "repeated": 0}
    assert await gold(far) == [(5, 1)]


async def test_a_batch_that_was_rolled_back_was_never_in_doubt(
    near: PostgresStore, cluster: Cluster, target: Target
) -> None:
    failing(cluster, target, "40001", 2)
    await write(near, pays())
    assert near.outcomes == {"written": 0, "repeated": 0}


async def test_a_batch_without_a_name_would_be_written_twice(far: PostgresStore, proxy: Proxy) -> None:
    """The control: the same lines under another number, which is what a store without names would send."""
    proxy.once(b"COMMIT", "after")
    await write(far, pays())
    await write(far, replace(pays(2), entities=()))
    assert await gold(far) == [(10, 2)]


@pytest.mark.parametrize("how", ["before", "after"])
async def test_an_account_whose_line_is_cut(far: PostgresStore, proxy: Proxy, how: str) -> None:
    """Who registers is not told that the name is taken, by themselves."""
    proxy.once(b"COMMIT", how)
    ann = await far.add(account("Ann"))
    assert await ask(far, "SELECT id, name FROM account") == [(ann.id, "Ann")]
    with pytest.raises(NameTaken):
        await far.add(account("Ann", BOB))


@pytest.mark.parametrize("how", ["before", "after"])
async def test_a_refresh_token_whose_line_is_cut(far: PostgresStore, proxy: Proxy, how: str) -> None:
    """It counts as used by who shows it, not as stolen; shown again, it does."""
    await far.add_grant(grant("h1"))
    proxy.once(b"COMMIT", how)
    assert await far.use_grant("h1", 500.0) == grant("h1")
    await far.add_grant(grant("h2"))
    assert await far.use_grant("h1", 500.0) is None
    assert await far.use_grant("h2", 500.0) is None


@pytest.mark.parametrize(("words", "how"), [(b"COMMIT", "after"), (b"log = NULL", "before"), (b"log = NULL", "after")])
async def test_logs_whose_line_is_cut(far: PostgresStore, proxy: Proxy, words: bytes, how: str) -> None:
    """What sessions missed is handed out, once, though the line breaks while it is."""
    await write(far, batch(1, sessions=[replace(SESSION, log=())]))
    proxy.once(words, how)
    assert [one.log for one in (await contents(far)).sessions] == [()]
    assert [one.log for one in (await contents(far)).sessions] == [None]


async def test_grants_are_made_once(far: PostgresStore, proxy: Proxy) -> None:
    proxy.once(b"INTO refresh_grant", "after")
    await far.add_grant(RefreshGrant("h1", "one", SessionId("a1"), AccountId(1), 1000.0))
    assert await ask(far, "SELECT hash, state FROM refresh_grant") == [("h1", "good")]


# ── a server that refuses ───────────────────────────────────────────────────────────────────────


def failing(cluster: Cluster, target: Target, code: str, times: int) -> None:
    """Writes to balances fail so often, with this code."""
    database = target.run["dbname"]
    cluster.ask(
        f"""
        CREATE SEQUENCE failures;
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('failures') <= {times} THEN RAISE EXCEPTION 'on purpose' USING ERRCODE = '{code}'; END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER failing BEFORE INSERT ON balance FOR EACH STATEMENT EXECUTE FUNCTION fail();
        """,
        database=database,
    )


@pytest.mark.parametrize("code", ["40001", "40P01", "57P01", "XX000", "08006"])
async def test_what_passes_at_once(near: PostgresStore, cluster: Cluster, target: Target, code: str) -> None:
    """Rolled back for another's sake, or the connection is to blame: it is tried twice more before it is said."""
    failing(cluster, target, code, 2)
    await write(near, pays())
    assert await gold(near) == [(5, 1)]


@pytest.mark.parametrize(("code", "times"), [("40001", 3), ("53100", 1), ("53200", 1), ("58030", 1), ("57014", 1)])
async def test_what_passes_later(near: PostgresStore, cluster: Cluster, target: Target, code: str, times: int) -> None:
    """A full disk, an error of the disk, a statement that took too long: said in one line, nothing done, and the same
    rows go through when it is over."""
    failing(cluster, target, code, times)
    rows = near.encode(pays())
    with pytest.raises(StoreDown) as raised:
        await near.write(rows)
    assert "\n" not in str(raised.value)
    assert await gold(near) == []
    await near.write(rows)
    assert await gold(near) == [(5, 1)]


@pytest.mark.parametrize("code", ["23514", "22003", "P0001", "42P01"])
async def test_what_never_passes(near: PostgresStore, cluster: Cluster, target: Target, code: str) -> None:
    """It is told apart, at its first try, and the next batch goes through."""
    failing(cluster, target, code, 1)
    with pytest.raises(BadBatch, match="on purpose"):
        await write(near, pays())
    await write(near, pays(2))
    assert await gold(near) == [(5, 1)]


@pytest.mark.parametrize(
    ("sql", "value"),
    [("SELECT ?::text", "\ud800"), ("SELECT ?::text", "\0"), ("SELECT ?::bigint", 2**70), ("SELECT ?", object())],
)
async def test_values_without_a_column(near: PostgresStore, sql: str, value: object) -> None:
    with pytest.raises(BadBatch):
        await ask(near, sql, value)
    await write(near, pays())
    assert await gold(near) == [(5, 1)]


async def test_an_error_of_the_work_is_its_own(near: PostgresStore) -> None:
    """It comes out as it is, and what the work did is undone."""

    async def work(cursor: Any, _: Any) -> None:
        await cursor.run("INSERT INTO meta VALUES ('half', 'done')")
        raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        await near.world.run(work)
    assert await ask(near, "SELECT * FROM meta") == []


async def test_rights_that_are_taken_away(near: PostgresStore, cluster: Cluster, target: Target) -> None:
    """The operator's to put right; then the same rows go through."""
    database = target.run["dbname"]
    cluster.ask("CREATE ROLE poor LOGIN")
    near.close()
    try:
        with connected(target.run) as owner:
            owner.cursor().execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO poor")
            owner.commit()
        poor = await opened(Target(cluster.url_of(database, "poor")))
        rows = poor.encode(pays())
        cluster.ask("REVOKE INSERT ON balance FROM poor", database=database)
        with pytest.raises(StoreDown, match="permission denied for table balance"):
            await poor.write(rows)
        cluster.ask("GRANT INSERT ON balance TO poor", database=database)
        await poor.write(rows)
        assert await gold(poor) == [(5, 1)]
        poor.close()
    finally:
        cluster.ask("DROP OWNED BY poor", database=database)
        cluster.ask("DROP ROLE poor")


async def test_an_old_server(target: Target, cluster: Cluster, proxy: Proxy) -> None:
    """It is refused by its version, before anything is asked of it."""
    proxy.change = lambda data: data.replace(b"server_version\x0015.", b"server_version\x0012.")
    far = Target(target.url.replace(str(cluster.home), str(proxy.home)))
    with pytest.raises(PostgresError, match="is version 12; Mythos needs 13 or newer"):
        await open_postgres(far, reactor, patience=PATIENCE, wait=0.0, tell=print)
    assert cluster.ask("SELECT 1 FROM pg_tables WHERE schemaname = 'public'", database=target.run["dbname"]) == []


# ── who may write ───────────────────────────────────────────────────────────────────────────────


async def usurped(near: PostgresStore, target: Target, cluster: Cluster) -> tuple[PostgresStore, list[str]]:
    """Let another server take the place of one whose line is down: the other one, and what the first says."""
    said: list[str] = []
    near.lost = said.append
    process = await pid(near)
    near.world._closed = True  # it is suspended, as it were
    cluster.ask("SELECT pg_terminate_backend(%s)", process)
    other = await opened(target)
    near.world._closed = False
    near.world.start()
    return other, said


async def test_a_server_whose_place_was_taken(near: PostgresStore, target: Target, cluster: Cluster) -> None:
    """It writes nothing any more, and says so once."""
    other, said = await usurped(near, target, cluster)
    for _ in range(2):
        with pytest.raises(StoreDown, match="Another server has taken over"):
            await write(near, pays())
    assert len(said) == 1
    assert await gold(other) == []
    await write(other, pays())
    other.close()


async def test_without_the_fence_it_writes(near: PostgresStore, target: Target, cluster: Cluster) -> None:
    """The control: a store that does not look at the fence writes into another server's world."""
    other, _ = await usurped(near, target, cluster)
    near._epoch = other._epoch
    await write(near, pays())
    assert await gold(other) == [(5, 1)]
    other.close()


async def test_a_batch_on_its_way_when_the_place_is_taken(
    near: PostgresStore, target: Target, cluster: Cluster
) -> None:
    """The fence is read in the batch's own transaction: it is not enough that it was ours when the line was opened."""
    cluster.ask("UPDATE fence SET epoch = epoch + 1", database=target.run["dbname"])
    with pytest.raises(StoreDown, match="Another server has taken over"):
        await write(near, pays())
    with connected(target.run) as database:
        cursor = database.cursor()
        cursor.execute("SELECT count(*) FROM balance")
        assert cursor.fetchone() == (0,)


async def test_the_fence_waits_for_a_batch(near: PostgresStore, target: Target, locked: Any, cluster: Cluster) -> None:
    """Nobody takes the place of a server in the middle of a batch: the other would not read what comes of it."""
    lock(locked)
    writing = Deferred.fromCoroutine(write(near, pays()))
    await while_it_waits(cluster, "mythos world")
    with connected(target.run) as other:
        cursor = other.cursor()
        cursor.execute("SET lock_timeout = '100ms'")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            cursor.execute("UPDATE fence SET epoch = epoch + 1")
    locked.rollback()
    await writing


async def test_a_second_server(near: PostgresStore, target: Target) -> None:
    """It is told where the first one is, and how to end what is left of one that is gone."""
    with pytest.raises(PostgresError, match=r"Another server .* this machine: .*pg_terminate_backend\(\d+\)"):
        await opened_and_closed(target)
    await write(near, pays())
    assert await gold(near) == [(5, 1)]


async def opened_and_closed(target: Target) -> None:
    store = PostgresStore(target, reactor, patience=PATIENCE, deadline=DEADLINE)
    try:
        await store.take()
    finally:
        store.close()


async def test_a_commit_is_on_disk(near: PostgresStore, cluster: Cluster, target: Target) -> None:
    """Also where the database is set to say so before it is."""
    cluster.ask(f"ALTER DATABASE {target.run['dbname']} SET synchronous_commit = off")
    cluster.ask("SELECT pg_terminate_backend(%s)", await pid(near))
    assert await ask(near, "SHOW synchronous_commit") == [("on",)]


# ── a cluster that stops ────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def fragile(postgres: Path) -> Iterator[Cluster]:
    """One that may be stopped."""
    made = Cluster(postgres)
    made.start()
    yield made
    made.remove()


async def _shaken(fragile: Cluster) -> AsyncIterator[PostgresStore]:
    target = Target(fragile.url_of(fragile.make()))
    prepare(target)
    made = await opened(target, patience=1.0)
    yield made
    made.close()


shaken: Any = pytest_twisted.async_yield_fixture(name="shaken")(_shaken)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])
async def test_a_cluster_that_stops_and_starts(shaken: PostgresStore, fragile: Cluster, how: signal.Signals) -> None:
    """While it is down everybody is told so soon; when it is back, it goes on by itself."""
    await write(shaken, pays())
    fragile.stop(how)
    await eventually(shaken.trouble)  # after SIGKILL what it had begun goes on for a moment
    for _ in range(2):
        with pytest.raises(StoreDown):
            await write(shaken, pays(2))
        with pytest.raises(StoreDown):
            await shaken.by_key("ann")
    assert shaken.trouble()
    fragile.start()
    await eventually(lambda: not shaken.trouble())
    await write(shaken, pays(2))
    assert await gold(shaken) == [(10, 2)]


async def test_a_breaker_refuses_at_once(shaken: PostgresStore, fragile: Cluster) -> None:
    """What is asked of accounts, after failures in a row, and not batches; a new connection is tried at once."""
    breaker = shaken.accounts.breaker = Breaker("postgresql", failures=2, open_for=60.0)
    await write(shaken, pays())
    fragile.stop(signal.SIGQUIT)
    await eventually(shaken.trouble)
    for _ in range(2):
        with pytest.raises(StoreDown) as down:
            await shaken.by_key("ann")
        assert "again and again" not in str(down.value)
    refused = Deferred.fromCoroutine(shaken.by_key("ann"))
    assert refused.called
    with pytest.raises(StoreDown, match="postgresql has failed again and again: it is tried again in 60 seconds"):
        await refused
    for _ in range(3):
        with pytest.raises(StoreDown) as down:
            await write(shaken, pays(2))
        assert "again and again" not in str(down.value)
    fragile.start()
    await eventually(lambda: not shaken.trouble())
    for state in (State.HALF_OPEN, State.HALF_OPEN, State.CLOSED):
        assert breaker.state(reactor.seconds()) is state
        assert await shaken.by_key("ann") is None
    await write(shaken, pays(2))
    assert await gold(shaken) == [(10, 2)]


async def test_a_breaker_where_connections_are_good_and_answers_are_not(near: PostgresStore, locked: Any) -> None:
    """It opens all the same: each time one waits for the answer, and all others are told at once."""
    breaker = near.accounts.breaker = Breaker("postgresql", failures=2, open_for=60.0)
    locked.cursor().execute("LOCK TABLE account")
    for _ in range(2):
        with pytest.raises(StoreDown):
            await near.by_key("ann")
    await eventually(lambda: not near.trouble())
    assert breaker.state(reactor.seconds()) is State.HALF_OPEN
    waiting = Deferred.fromCoroutine(near.by_key("ann"))
    with pytest.raises(StoreDown, match="again and again"):
        await near.by_key("bob")
    assert not waiting.called
    locked.rollback()
    assert await waiting is None


async def test_what_is_refused_for_good_is_an_answer(near: PostgresStore) -> None:
    """It does not open the breaker."""
    near.accounts.breaker = Breaker("postgresql", failures=1)
    for _ in range(3):
        with pytest.raises(BadBatch):
            await near.accounts.query("SELECT nothing")
    assert await near.by_key("ann") is None


async def test_a_password_that_changes(fragile: Cluster) -> None:
    """At a start it is refused for good; later it is waited for, and said."""
    hba = fragile.data / "pg_hba.conf"
    hba.write_text("local all guarded scram-sha-256\n" + hba.read_text())
    fragile.ask("CREATE ROLE guarded LOGIN PASSWORD 'first'")
    fragile.ask("SELECT pg_reload_conf()")
    name = fragile.make(owner="guarded")
    url = fragile.url_of(name, "guarded")
    for password in ("", "wrong"):
        with pytest.raises(PostgresError, match=r"refuses: .*password"):
            await open_postgres(Target(url, password=password), reactor, patience=1.0, wait=60.0, tell=print)
    store = await open_postgres(Target(url, password="first"), reactor, patience=0.5, wait=0.0, tell=print)
    fragile.ask("ALTER ROLE guarded PASSWORD 'second'")
    process = await pid(store)
    fragile.ask("SELECT pg_terminate_backend(%s)", process)
    with pytest.raises(StoreDown, match='password authentication failed for user "guarded"'):
        await write(store, pays())
    fragile.ask("ALTER ROLE guarded PASSWORD 'first'")
    await eventually(lambda: not store.trouble())
    await write(store, pays())
    assert await gold(store) == [(5, 1)]
    store.close()
