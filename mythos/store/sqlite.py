"""SQLite: one writer thread, one connection, every batch one transaction that is on disk when it answers.

Always WAL with ``synchronous=FULL``: with group commit there is nothing to gain from less, and an
acknowledged commit would not survive a power cut.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool

from mythos.flow.jobs import JobRow
from mythos.ids import AccountId, EntityId, SessionId
from mythos.play.commits import Batch
from mythos.play.ports import (
    Account,
    BadBatch,
    Contents,
    NameTaken,
    RefreshGrant,
    StoredEntities,
    StoreDown,
    Traces,
)
from mythos.store import rows as rows_
from mythos.store.file import explained
from mythos.store.migrate import migrate, refuse_foreign
from mythos.store.rows import Rows
from mythos.world.state import World

__all__ = ["SQLiteStore", "apply", "connect", "use_wal"]

T = TypeVar("T")

#: Errors that pass, for they are the disk's or the machine's and not the batch's: the same may go through later.
_PASSING = (
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
)

_UPSERT = (
    "INSERT INTO entity (id, kind, proto, zone, place, stack, data) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET proto = excluded.proto, zone = excluded.zone, place = excluded.place,"
    " stack = excluded.stack, data = excluded.data, rev = rev + 1"
)
_BALANCE = (
    "INSERT INTO balance (holder, asset, amount, rev) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (holder, asset) DO UPDATE SET amount = amount + excluded.amount, rev = rev + excluded.rev"
)
_BALANCE_DOWN = "UPDATE balance SET amount = amount + ?3, rev = rev + ?4 WHERE holder = ?1 AND asset = ?2"
#: Counters only rise: a batch that had to be tried again may come behind an account that took a newer id.
_META = (
    "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
    " WHERE CAST(excluded.value AS NUMERIC) > CAST(meta.value AS NUMERIC)"
)
_SESSIONS = (
    "SELECT id, character, epoch, head, floor, next_c, asked, undone, tokens, cursors, seen, log, since FROM session"
)
_SESSION = (
    "INSERT INTO session (id, character, epoch, head, floor, next_c, asked, undone, tokens, cursors, seen, log, since)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, head = excluded.head, floor = excluded.floor,"
    " next_c = excluded.next_c, asked = excluded.asked, undone = excluded.undone, tokens = excluded.tokens,"
    " cursors = excluded.cursors, seen = excluded.seen, log = excluded.log, since = excluded.since"
)
_LEDGER = "INSERT INTO ledger (tx, kind, session, c, asked, at) VALUES (?, ?, ?, ?, ?, ?)"
#: Commands that the ledger knows of and their session's row does not: it was written before.
_LATER_COMMANDS = (
    "SELECT session.id, ledger.c, ledger.asked FROM session JOIN ledger ON ledger.session = session.id"
    " AND ledger.c >= session.next_c ORDER BY ledger.c"
)
#: Characters that no session could bring back; guests among them are nobody's any more.
_IDLE = (
    "SELECT id, data FROM entity WHERE kind = 'c'"
    " AND id NOT IN (SELECT character FROM session) AND id NOT IN (SELECT character FROM account) ORDER BY rowid"
)
#: All entities that no character is or holds, in the order they were made; and the coins of all such holders.
_WORLD = (
    "WITH RECURSIVE held (id) AS (SELECT id FROM entity WHERE kind = 'c'"
    " UNION SELECT entity.id FROM entity JOIN held ON entity.place = held.id)"
    " SELECT id, kind, proto, zone, place, stack, data FROM entity"
    " WHERE id NOT IN (SELECT id FROM held) ORDER BY rowid"
)
_WORLD_GOLD = (
    "WITH RECURSIVE held (id) AS (SELECT id FROM entity WHERE kind = 'c'"
    " UNION SELECT entity.id FROM entity JOIN held ON entity.place = held.id)"
    " SELECT holder, amount FROM balance WHERE asset = 'gold' AND amount > 0 AND holder NOT IN (SELECT id FROM held)"
)
#: One character and all it holds, however deep; and the coins in there.
_CHARACTER = (
    "WITH RECURSIVE held (id) AS (SELECT id FROM entity WHERE kind = 'c' AND id = ?"
    " UNION SELECT entity.id FROM entity JOIN held ON entity.place = held.id)"
    " SELECT id, kind, proto, zone, place, stack, data FROM entity"
    " WHERE id IN (SELECT id FROM held) ORDER BY rowid"
)
_CHARACTER_GOLD = (
    "WITH RECURSIVE held (id) AS (SELECT id FROM entity WHERE kind = 'c' AND id = ?"
    " UNION SELECT entity.id FROM entity JOIN held ON entity.place = held.id)"
    " SELECT holder, amount FROM balance WHERE asset = 'gold' AND amount > 0 AND holder IN (SELECT id FROM held)"
)
#: A token used twice at once: its family may be revoked before the first use has made its successor.
_GRANT = (
    "INSERT INTO refresh_grant (hash, family, session, account, expires, state) SELECT ?, ?, ?, ?, ?,"
    " CASE WHEN EXISTS (SELECT 1 FROM refresh_grant WHERE family = ? AND state = 'revoked')"
    " THEN 'revoked' ELSE 'good' END"
)
_ACCOUNT_BY_ID = rows_.ACCOUNTS + " WHERE id = ?"
_ACCOUNT_BY_KEY = rows_.ACCOUNTS + " WHERE key = ?"
_ACCOUNT_OF = rows_.ACCOUNTS + " WHERE character = ?"
_LEAVING = rows_.ACCOUNTS + " WHERE leaves > 0 AND leaves <= ? ORDER BY id"
#: An account plays in one session after another: the grants of those before are as good as those of the last.
_REVOKE = (
    "UPDATE refresh_grant SET state = 'revoked' WHERE session = ?1 OR account ="
    " (SELECT account.id FROM account JOIN session USING (character) WHERE session.id = ?1)"
)


def connect(path: str) -> sqlite3.Connection:
    """A connection with the settings that every user of the file must have.

    :raises SchemaError: the file is another program's, and stays as it is
    """
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        refuse_foreign(database)
        use_wal(database)
        # A checkpoint takes a millisecond and more: one in some three hundred commits (16 MB), not one in seventy.
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF", "wal_autocheckpoint=4000"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("PRAGMA secure_delete=ON")  # what is deleted of a person must not be read from the file
    except BaseException:
        database.close()
        raise
    return database


def use_wal(database: sqlite3.Connection, tries: int = 20) -> None:
    """Make the file's log a WAL; it stays one.

    Two that open a new file at the same time want the same lock, and SQLite fails one of them without any wait.
    """
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            tries -= 1
            if not tries or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise


def apply(database: sqlite3.Connection, batch: Rows) -> None:
    """Write a batch, once, however often it comes. The caller has begun a transaction."""
    run, many = database.execute, database.executemany
    done = run("SELECT number FROM batch WHERE incarnation = ?", (batch.incarnation,)).fetchone()
    if done is not None and done[0] >= batch.number:
        return
    run("INSERT OR REPLACE INTO batch VALUES (?, ?)", (batch.incarnation, batch.number))
    if batch.gone:
        many("DELETE FROM entity WHERE id = ?", [(id,) for id in batch.gone])
    if batch.entities:
        _each(database, "entity", _UPSERT, batch.entities)
    if batch.ledger:
        _each(database, "ledger", _LEDGER, batch.ledger)
        _each(database, "ledger_line", "INSERT INTO ledger_line VALUES (?, ?, ?, ?)", batch.lines)
        # An upsert checks the row it would insert first, and a fall is no row of its own: ups and downs apart.
        sums = [(holder, asset, total, n) for (holder, asset), (total, n) in batch.balances.items()]
        _each(database, "balance", _BALANCE, [row for row in sums if row[2] >= 0])
        downs = [row for row in sums if row[2] < 0]
        if _each(database, "balance", _BALANCE_DOWN, downs) != len(downs):
            raise BadBatch(f"batch {batch.number} takes from a holder that has nothing: {_without(database, downs)}")
    if batch.sessions:
        _each(database, "session", _SESSION, batch.sessions)
    if batch.ended:
        many("DELETE FROM session WHERE id = ?", [(id,) for id in batch.ended])
    many(_META, batch.meta)


def _each(database: sqlite3.Connection, table: str, sql: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """Run ``sql`` for each row; returns how many it changed. An error says which row it was."""
    row: tuple[Any, ...] = ()

    def one_by_one() -> Iterator[tuple[Any, ...]]:
        nonlocal row
        for row in rows:  # noqa: UP028
            yield row

    try:
        return database.executemany(sql, one_by_one()).rowcount if rows else 0
    except (sqlite3.Error, OverflowError, ValueError) as error:
        error.add_note(f"{table} {' '.join([repr(part) for part in row[:3]])}")
        raise


def _without(database: sqlite3.Connection, downs: Sequence[tuple[Any, ...]]) -> str:
    """Who of those that something is taken from has no balance."""
    known = "SELECT 1 FROM balance WHERE holder = ? AND asset = ?"
    return ", ".join([f"{row[1]} of {row[0]}" for row in downs if not database.execute(known, row[:2]).fetchone()])


def _sentence(error: Exception) -> str:
    """What broke, and on which row."""
    return ": ".join([*getattr(error, "__notes__", ()), str(error)])


class SQLiteStore:
    """All in one file. Implements ``Store`` and ``AccountStore`` of :mod:`mythos.play.ports`, and ``JobStore``."""

    def __init__(self, path: Path, reactor: Any) -> None:
        """:raises SchemaError: it cannot be used; with the file and what to do"""
        self._path = path
        self._reactor = reactor
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        with explained(path):
            self._database = connect(str(path))
            try:
                migrate(self._database)
            except BaseException:
                self._database.close()
                raise
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """After the jobs that are queued. Blocks for them: called when the reactor has nothing else to do."""
        self._jobs.put(None)
        self._thread.join()

    async def release(self) -> None:
        """A file is anybody's who has the lock on the data directory; so only what was asked is waited for."""
        while not self._jobs.empty():
            await self._run(lambda database: None)
        await self._run(lambda database: None)

    async def take(self) -> None:
        """See :meth:`release`."""

    def trouble(self) -> str:
        """What is wrong with it while nobody writes: a file says so only then."""
        return ""

    # ── the thread ──────────────────────────────────────────────────────────────────────────────

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
        self._database.close()

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> Deferred[T]:
        """Do ``work`` in the writer thread, in one transaction, behind everything asked before."""
        answer: Deferred[T] = Deferred()

        def job() -> None:
            try:
                result = self._transact(work)
            except BaseException as error:
                self._reactor.callFromThread(answer.errback, error)
            else:
                self._reactor.callFromThread(answer.callback, result)

        self._jobs.put(job)
        return answer

    def _aside(self, work: Callable[[sqlite3.Connection], T]) -> Deferred[T]:
        """Read in another thread, as of one instant: nobody else waits for that."""

        def read() -> T:
            with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)) as database:
                database.execute("BEGIN")
                return work(database)

        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), read)

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        database = self._database
        try:
            database.execute("BEGIN IMMEDIATE")
            result = work(database)
            database.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE)  # the module's own errors have none
            if code & 0xFF in _PASSING:
                raise StoreDown(str(error)) from error
            raise BadBatch(_sentence(error)) from error
        except (OverflowError, ValueError) as error:  # a value that no column holds
            self._roll_back()
            raise BadBatch(_sentence(error)) from error
        except BaseException:
            self._roll_back()
            raise
        return result

    def _roll_back(self) -> None:
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")

    # ── Store ───────────────────────────────────────────────────────────────────────────────────

    def encode(self, batch: Batch) -> Rows:
        return rows_.encode(batch)

    async def write(self, rows: Rows) -> None:
        await self._run(lambda database: apply(database, rows))

    async def load(self, world: World) -> Contents:
        def work(database: sqlite3.Connection) -> tuple[Any, ...]:
            entities = database.execute(_WORLD).fetchall()
            gold = dict(database.execute(_WORLD_GOLD).fetchall())
            sessions = database.execute(_SESSIONS).fetchall()
            database.execute("UPDATE session SET log = NULL, cursors = '[]'")
            later = database.execute(_LATER_COMMANDS).fetchall()
            idle = database.execute(_IDLE).fetchall()
            return entities, gold, sessions, later, idle, dict(database.execute("SELECT key, value FROM meta"))

        return rows_.decode_contents(world, *await self._run(work))

    async def load_character(self, world: World, character: EntityId) -> StoredEntities:
        def work(database: sqlite3.Connection) -> tuple[Any, ...]:
            entities = database.execute(_CHARACTER, (character,)).fetchall()
            gold = dict(database.execute(_CHARACTER_GOLD, (character,)).fetchall())
            return entities, gold, database.execute(_ACCOUNT_OF, (character,)).fetchone()

        return rows_.decode_character(world, *await self._run(work))

    # ── AccountStore ────────────────────────────────────────────────────────────────────────────

    async def add(self, account: Account) -> Account:
        def work(database: sqlite3.Connection) -> int | None:
            row = database.execute(
                "INSERT INTO account (key, name, password, character, keeper) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (key) DO NOTHING RETURNING id",
                (account.key, account.name, account.password, account.character, account.keeper),
            ).fetchone()
            if row is None:
                return None
            # The character's own row comes with a later batch: were that lost, its id must not be given to another.
            database.execute(
                "INSERT INTO meta VALUES ('next_id', ?) ON CONFLICT (key) DO UPDATE"
                " SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))",
                (int(account.character[1:]) + 1,),
            )
            return int(row[0])

        number = await self._run(work)
        if number is None:
            raise NameTaken(f"The name {account.name} is taken.")
        return Account(
            AccountId(number), account.name, account.key, account.password, account.character, account.keeper
        )

    async def by_key(self, key: str) -> Account | None:
        return await self._run(
            lambda database: rows_.decode_account(database.execute(_ACCOUNT_BY_KEY, (key,)).fetchone())
        )

    async def by_id(self, account: AccountId) -> Account | None:
        return await self._run(
            lambda database: rows_.decode_account(database.execute(_ACCOUNT_BY_ID, (account,)).fetchone())
        )

    async def some(self, behind: AccountId, most: int) -> list[Account]:
        return await self._accounts(rows_.SOME_ACCOUNTS.format("?", "?"), (behind, most))

    async def _accounts(self, sql: str, values: tuple[Any, ...]) -> list[Account]:
        def work(database: sqlite3.Connection) -> list[Account]:
            rows = database.execute(sql, values)
            return [account for row in rows if (account := rows_.decode_account(row)) is not None]

        return await self._run(work)

    async def set_password(self, account: AccountId, password: str) -> None:
        await self._run(
            lambda database: database.execute("UPDATE account SET password = ? WHERE id = ?", (password, account))
        )

    async def set_keeper(self, account: AccountId, keeper: bool) -> None:
        await self._run(
            lambda database: database.execute("UPDATE account SET keeper = ? WHERE id = ?", (keeper, account))
        )

    async def any_keeper(self) -> bool:
        return await self._run(
            lambda database: database.execute("SELECT 1 FROM account WHERE keeper LIMIT 1").fetchone() is not None
        )

    async def set_leaves(self, account: AccountId, leaves: float) -> None:
        await self._run(
            lambda database: database.execute("UPDATE account SET leaves = ? WHERE id = ?", (leaves, account))
        )

    async def leaving(self, wall: float) -> list[Account]:
        return await self._accounts(_LEAVING, (wall,))

    async def remove(self, account: AccountId, name: str, wall: float, ends: float) -> None:
        def work(database: sqlite3.Connection) -> None:
            database.execute("DELETE FROM former_name WHERE ends <= ?", (wall,))
            database.execute("DELETE FROM refresh_grant WHERE account = ?", (account,))
            if database.execute("DELETE FROM account WHERE id = ?", (account,)).rowcount:
                database.execute("INSERT OR REPLACE INTO former_name VALUES (?, ?)", (name, ends))

        await self._run(work)

    async def is_held(self, name: str, wall: float) -> bool:
        return await self._run(
            lambda database: (
                database.execute("SELECT 1 FROM former_name WHERE digest = ? AND ends > ?", (name, wall)).fetchone()
                is not None
            )
        )

    async def traces(self, account: AccountId, character: EntityId, most: int) -> Traces:
        def work(database: sqlite3.Connection) -> Traces:
            logins = database.execute(rows_.LOGINS.format("?"), (account,)).fetchall()
            return Traces(logins, database.execute(rows_.POSTINGS.format("?", "?"), (character, most)).fetchall())

        return await self._aside(work)

    async def add_grant(self, grant: RefreshGrant) -> None:
        await self._run(
            lambda database: database.execute(
                _GRANT, (grant.hash, grant.family, grant.session, grant.account, grant.expires, grant.family)
            )
        )

    async def use_grant(self, hash: str, wall: float) -> RefreshGrant | None:
        def work(database: sqlite3.Connection) -> RefreshGrant | None:
            row = database.execute(
                "SELECT family, session, account, expires, state FROM refresh_grant WHERE hash = ?", (hash,)
            ).fetchone()
            if row is None:
                return None
            family, session, account, expires, state = row
            if state != "good":
                database.execute("UPDATE refresh_grant SET state = 'revoked' WHERE family = ?", (family,))
                return None
            database.execute("UPDATE refresh_grant SET state = 'spent' WHERE hash = ?", (hash,))
            database.execute("DELETE FROM refresh_grant WHERE expires < ?", (wall,))
            if expires < wall:
                return None
            return RefreshGrant(
                hash, family, SessionId(session), None if account is None else AccountId(account), expires
            )

        return await self._run(work)

    async def revoke_account(self, account: AccountId) -> None:
        await self._run(
            lambda database: database.execute(
                "UPDATE refresh_grant SET state = 'revoked' WHERE account = ?", (account,)
            )
        )

    async def revoke_session(self, session: SessionId) -> None:
        await self._run(lambda database: database.execute(_REVOKE, (session,)))

    # ── JobStore ────────────────────────────────────────────────────────────────────────────────

    async def put_job(self, row: JobRow) -> None:
        await self._run(lambda database: database.execute(rows_.PUT_JOB.format("?"), rows_.encode_job(row)))

    async def drop_jobs(self, ids: Sequence[str]) -> None:
        await self._run(lambda database: database.executemany("DELETE FROM job WHERE id = ?", [(id,) for id in ids]))

    async def job(self, id: str) -> JobRow | None:
        row = await self._run(lambda database: database.execute(rows_.JOB.format("?"), (id,)).fetchone())
        return None if row is None else rows_.decode_job(row)

    async def jobs(self, *, dead: bool, most: int) -> list[JobRow]:
        sql = (rows_.DEAD_JOBS if dead else rows_.WAITING_JOBS).format("?")
        return [rows_.decode_job(row) for row in await self._run(lambda db: db.execute(sql, (most,)).fetchall())]

    async def trim_dead_jobs(self, most: int) -> int:
        return len(await self._run(lambda db: db.execute(rows_.TRIM_JOBS.format("?"), (most,)).fetchall()))
