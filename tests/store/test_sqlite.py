"""What only the store with a file and a thread has: its settings, its failures, its end."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads

from mythos.ids import EntityId
from mythos.play.ports import BadBatch, StoreDown
from mythos.store.memory import MemoryStore
from mythos.store.sqlite import SQLiteStore, connect, use_wal
from mythos.world.state import MINT, Item
from tests.store.batches import ANN, ask, batch, everything, paid, write
from tests.world.town import ITEMS, YARD


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("trusted_schema", 0), ("secure_delete", 1)],
)
async def test_settings(sqlite: SQLiteStore, pragma: str, value: object) -> None:
    """A commit that was acknowledged outlives a power cut: never less than FULL (2)."""
    assert await ask(sqlite, f"PRAGMA {pragma}") == [(value,)]


@pytest.mark.parametrize("table", ["entity", "balance", "ledger", "ledger_line", "session", "account", "meta"])
async def test_columns_hold_what_they_say(sqlite: SQLiteStore, table: str) -> None:
    """A number that is too large would become another number, silently."""
    (sql,) = (await ask(sqlite, "SELECT sql FROM sqlite_schema WHERE name = ?", table))[0]
    assert sql.endswith(("STRICT", "STRICT, WITHOUT ROWID"))


def test_a_file_that_two_open_at_once(tmp_path: Path) -> None:
    """The one that SQLite turns away asks again, though not for ever."""
    asked: list[str] = []
    database, other = (sqlite3.connect(tmp_path / "db", isolation_level=None, timeout=0.0) for _ in range(2))
    database.set_trace_callback(asked.append)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        use_wal(database, tries=3)
    assert len(asked) == 3

    def leave(statement: str) -> None:
        asked.append(statement)
        if len(asked) == 5:
            other.execute("ROLLBACK")

    database.set_trace_callback(leave)
    use_wal(database, tries=3)
    assert len(asked) == 5
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()
    other.close()


async def test_one_thread_of_its_own(sqlite: SQLiteStore) -> None:
    """Every job runs in it, one after the other, and never in the reactor's."""
    ran: list[tuple[int, str]] = []
    jobs = [
        sqlite._run(lambda database, n=n: ran.append((n, threading.current_thread().name)))  # type: ignore[misc]
        for n in range(20)
    ]
    for job in jobs:
        await job
    assert ran == [(n, "store") for n in range(20)]


async def test_answers_come_in_the_reactor(sqlite: SQLiteStore) -> None:
    await write(sqlite, batch(1))
    assert threading.current_thread() is threading.main_thread()


# ── failures that pass, and those that do not ───────────────────────────────────────────────────


async def test_a_full_disk_passes(local: SQLiteStore) -> None:
    """Nothing of the batch is written; the same rows go through when there is room again."""
    (pages,) = (await ask(local, "PRAGMA page_count"))[0]
    await ask(local, f"PRAGMA max_page_count = {pages}")
    before = await everything(local)
    things = [Item(EntityId(f"i{n}"), ITEMS[0], YARD) for n in range(400)]
    rows = local.encode(batch(1, paid(1, MINT, ANN, 5), entities=things))
    for _ in range(2):
        with pytest.raises(StoreDown, match="full"):
            await local.write(rows)
        assert await everything(local) == before
    await ask(local, "PRAGMA max_page_count = 100000")
    await local.write(rows)
    assert await ask(local, "SELECT count(*) FROM entity") == [(400,)]


async def test_a_disk_that_cannot_be_written_passes(local: SQLiteStore) -> None:
    """Read-only is what Linux makes of a disk with errors: the operator's to put right, not the batch's fault."""
    await ask(local, "PRAGMA query_only = ON")
    rows = local.encode(batch(1, paid(1, MINT, ANN, 5)))
    with pytest.raises(StoreDown):
        await local.write(rows)
    local._database.execute("PRAGMA query_only = OFF")  # a job of the store would begin by writing
    await local.write(rows)
    assert await ask(local, "SELECT amount FROM balance") == [(5,)]


async def test_a_lock_passes(sqlite: SQLiteStore, tmp_path: Path) -> None:
    """Somebody else writes, a backup for one."""
    await ask(sqlite, "PRAGMA busy_timeout = 0")
    rows = sqlite.encode(batch(1, paid(1, MINT, ANN, 5)))
    other = connect(str(tmp_path / "db"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreDown, match="locked"):
        await sqlite.write(rows)
    other.execute("ROLLBACK")
    await sqlite.write(rows)
    assert other.execute("SELECT amount FROM balance").fetchall() == [(5,)]
    other.close()


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("SELECT * FROM nowhere", ()),
        ("INSERT INTO balance VALUES ('c1', 'gold', -1, 1)", ()),
        ("SELECT ?", (object(),)),
        ("SELECT ?", (2**63,)),
        ("SELECT ?", ("\ud800",)),
    ],
)
async def test_what_never_passes(local: SQLiteStore, sql: str, values: tuple[object, ...]) -> None:
    """It is told apart from what passes, and the connection is good for the next."""
    with pytest.raises(BadBatch):
        await ask(local, sql, *values)
    await write(local, batch(1, paid(1, MINT, ANN, 5)))
    assert await ask(local, "SELECT amount FROM balance") == [(5,)]


async def test_an_error_of_the_work_is_its_own(local: SQLiteStore) -> None:
    """It comes out as it is, and what the work did is undone."""

    def work(database: sqlite3.Connection) -> None:
        database.execute("INSERT INTO meta VALUES ('half', 'done')")
        raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        await local._run(work)
    assert await ask(local, "SELECT * FROM meta") == []


# ── the end ─────────────────────────────────────────────────────────────────────────────────────


async def test_close_waits_for_what_is_queued(tmp_path: Path) -> None:
    """Everything that was asked for before is written and answered, and the file is whole without its log."""
    store = SQLiteStore(tmp_path / "db", IReactorFromThreads(reactor))
    writes = [Deferred.fromCoroutine(write(store, batch(n, paid(n, MINT, ANN, 1)))) for n in range(1, 31)]
    store.close()
    for written in writes:
        await written
    assert [one.name for one in tmp_path.iterdir()] == ["db"]
    again = SQLiteStore(tmp_path / "db", IReactorFromThreads(reactor))
    assert await ask(again, "SELECT amount, rev FROM balance") == [(30, 30)]
    again.close()


async def test_memory_ends_with_the_store() -> None:
    """Two of them share nothing."""
    one, other = MemoryStore(), MemoryStore()
    await write(one, batch(1, paid(1, MINT, ANN, 1)))
    assert await ask(other, "SELECT * FROM ledger") == []
    one.close()
    other.close()


def test_memory_answers_at_once() -> None:
    """A test with a fake clock sees a commit in the turn that made it."""
    store, done = MemoryStore(), list[object]()
    Deferred.fromCoroutine(write(store, batch(1, paid(1, MINT, ANN, 1)))).addCallback(done.append)
    assert done == [None]
    store.close()
