"""The store in PostgreSQL: one connection for the world, one for accounts and jobs.

What changes or reads the world goes through one connection, in order, as through SQLite's one thread; logins do not
wait for it. Unlike a file's, PostgreSQL's lock on who may write goes with a connection, and connections break. So there
are two things: an advisory lock, by which a server that starts sees that another one runs; and the fence, a number that
each start raises and each batch looks at. A server that another one took the place of can do nothing more, whatever it
still has on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import Logger, LogLevel

from mythos.errors import MythosError
from mythos.flow.jobs import JobRow
from mythos.ids import AccountId, EntityId, SessionId
from mythos.play.commits import Batch
from mythos.play.ports import Account, BadBatch, Contents, NameTaken, RefreshGrant, StoredEntities, StoreDown, Traces
from mythos.store import rows as rows_
from mythos.store.postgres import statements as say
from mythos.store.postgres.connection import DEADLINE, NOTHING, Connection, Cursor, OutcomeUnknown
from mythos.store.postgres.schema import HOLDER, LOCK, PostgresError, Target, Unreachable, in_use, prepare
from mythos.store.rows import Rows
from mythos.world.state import World

__all__ = ["FenceLost", "PostgresStore", "open_postgres"]

_log = Logger()

#: Seconds that reading a whole world may take.
_LOAD: Final = 600.0
#: Seconds that a start waits for the end of a server that was there before: one that was killed is gone in no time.
_HELD: Final = 3.0
#: Seconds between two tries of a start.
_AGAIN: Final = 0.25


class FenceLost(MythosError):
    """Another server has taken this one's place."""


async def open_postgres(
    target: Target,
    reactor: Any,
    *,
    patience: float,
    wait: float,
    tell: Callable[[str], None],
    lost: Callable[[str], None] = lambda why: None,
) -> PostgresStore:
    """A store that is connected, on today's schema, and nobody else's.

    :param patience: seconds that work waits for a connection that was lost
    :param wait: seconds that a database may take to come up
    :param tell: hears once that it is waited for
    :param lost: see :class:`PostgresStore`
    :raises SchemaError: it cannot be used; with what to do
    """
    end, told = reactor.seconds() + wait, False
    while True:
        try:
            await deferToThread(prepare, target)
            break
        except Unreachable as error:
            if reactor.seconds() >= end:
                raise
            if not told:
                told = True
                tell(f"{error} Waiting for it, {wait:.0f} seconds at most.")
        await deferLater(reactor, _AGAIN)
    store = PostgresStore(target, reactor, patience=patience)
    store.lost = lost
    try:
        await store.take()
    except BaseException:
        store.close()
        raise
    return store


class PostgresStore:
    """Implements ``Store`` and ``AccountStore`` of :mod:`mythos.play.ports`, and ``JobStore``; made by
    :func:`open_postgres`.

    :ivar lost: called once with a sentence when another server has taken this one's place; nothing can be written then
    :ivar outcomes: of batches whose ``COMMIT`` got no answer, and of which it is known by now: how many were
        ``written``, and how many were not and had to be ``repeated``; all of them are on disk
    """

    def __init__(self, target: Target, reactor: Any, *, patience: float, deadline: float = DEADLINE) -> None:
        self._reactor = reactor
        self._target = target
        self._epoch = 0
        self._locked = False
        self._pid = 0  # of the server process that holds the lock for us
        self._fenced = False
        self._unsure: tuple[str, int] | None = None  # the batch of which it is not known whether it is on disk
        self.outcomes = {"written": 0, "repeated": 0}
        self.lost: Callable[[str], None] = lambda why: None
        found = target.run
        self.world = Connection(
            "mythos world", found, reactor, ready=self._world_ready, patience=patience, deadline=deadline
        )
        self.accounts = Connection(
            "mythos accounts",
            found,
            reactor,
            ready=_ready,
            patience=patience,
            deadline=deadline,
            level=LogLevel.info,
        )
        self.world.start()
        self.accounts.start()

    def close(self) -> None:
        """What is still asked fails."""
        self.world.close()
        self.accounts.close()

    def trouble(self) -> str:
        return self.world.trouble or self.accounts.trouble

    async def release(self) -> None:
        """Let another process take it. Nothing may be written before :meth:`take`."""
        await self.accounts.query("SELECT 1")
        await self.world.query("SELECT pg_advisory_unlock_all()")
        self._epoch, self._locked = 0, False

    # ── who may write ───────────────────────────────────────────────────────────────────────────

    async def take(self) -> None:
        """Become the one server of this world.

        :raises PostgresError: another one runs on it, or it cannot be reached after all
        """
        end = self._reactor.seconds() + _HELD
        while True:
            try:
                self._epoch, holder = await self.world.run(self._take)
                if self._epoch:
                    await self._check_pooler()
                    return
            except StoreDown as error:
                raise PostgresError(f"{self._target} cannot be used: {error}.") from error
            if self._reactor.seconds() >= end:
                raise PostgresError(in_use(self._target, holder))
            await deferLater(self._reactor, _AGAIN)

    async def _check_pooler(self) -> None:
        """:raises PostgresError: one stands between that lends out connections for a transaction only: locks would be
        anybody's"""
        ours = await self.world.query("SELECT pg_backend_pid()")
        if await self.accounts.query("SELECT pg_backend_pid()") == ours:
            raise PostgresError(
                f"{self._target} is behind a pooler that shares connections: set pool_mode = session for it, or name"
                " PostgreSQL itself in database.url."
            )

    async def _take(self, cursor: Cursor, _: Any) -> tuple[int, tuple[Any, ...] | None]:
        """The new epoch, or 0 and who has the lock."""
        ((locked, pid),) = await cursor.rows(LOCK)
        if not locked:
            return 0, await cursor.row(HOLDER)
        self._locked, self._pid = True, pid
        found = await cursor.row("UPDATE fence SET epoch = epoch + 1 RETURNING epoch")
        if found is None:
            raise PostgresError(f"{self._target}: the table fence is empty. INSERT INTO fence (epoch) VALUES (0).")  # noqa: S608
        return int(found[0]), None

    async def _world_ready(self, cursor: Cursor) -> None:
        """A new connection: the lock went with the old one, unless the server has not noticed its end."""
        await cursor.run(say.SETTINGS)
        await cursor.run(say.PREPARE)
        if not self._epoch:
            return
        self._locked = False
        await self._check_fence(cursor)
        await self._lock(cursor)

    async def _lock(self, cursor: Cursor) -> None:
        """Take the lock again. That the fence is ours means that nobody has it but a process that hangs, and was ours:
        it is ended as soon as it does anything."""
        ((self._locked, pid),) = await cursor.rows(LOCK)
        if self._locked:
            self._pid = pid
        else:
            await cursor.rows("SELECT pg_terminate_backend(%s)", (self._pid,))

    async def _check_fence(self, cursor: Cursor) -> None:
        """:raises FenceLost:"""
        row = await cursor.row("SELECT epoch FROM fence")
        if row is not None and row[0] == self._epoch:
            return
        why = "Another server has taken over the world of this one, which can write nothing any more."
        if not self._fenced:
            self._fenced = True
            self.lost(why)
        raise FenceLost(why)

    # ── Store ───────────────────────────────────────────────────────────────────────────────────

    def encode(self, batch: Batch) -> Rows:
        return rows_.encode(batch)

    async def write(self, rows: Rows) -> None:
        name = rows.incarnation, rows.number
        unsure, tried = self._unsure == name, False

        async def work(cursor: Cursor, before: Any) -> bool:
            nonlocal unsure, tried
            unsure = unsure or before is not NOTHING
            looks, tried = unsure or tried, True
            return await self._write(cursor, rows, looks=looks)

        try:
            there = await self.world.run(work)
        except BadBatch as error:
            raise BadBatch(await self._blame(rows, error)) from error
        except FenceLost as error:
            raise StoreDown(str(error)) from error
        except OutcomeUnknown:
            self._unsure = name
            raise
        if unsure:
            self._unsure = None
            said = "was written" if there else "was not written, and is now"
            _log.info("what became of batch {number} was not known: it " + said, number=rows.number)
            self.outcomes["written" if there else "repeated"] += 1

    async def _write(self, cursor: Cursor, rows: Rows, *, looks: bool) -> bool:
        """True: it was there.

        :param looks: something is not as it should be, or it may be there: look first. Else all of it goes out in one
            message, with its commit
        """
        if self._locked and not looks:
            cursor.finish(*say.at_once(rows, self._epoch))
            return False
        takings = say.takings(rows)
        name = (rows.incarnation, rows.number, self._epoch)
        ((begun, took),) = await cursor.rows(say.BEGIN_BATCH, (*name, *say.taken(takings)))
        if not begun:
            await self._check_fence(cursor)
            return True
        if took != len(takings):
            raise BadBatch(f"batch {rows.number} takes from a holder that has nothing")
        if not self._locked:
            await self._lock(cursor)
        cursor.finish(*say.writes(rows))
        return False

    async def _blame(self, rows: Rows, error: BadBatch) -> str:
        """What broke, and on which row."""
        if row := say.misfit(rows):
            return f"{row}: {error}"
        changed = [(holder, asset, total, count) for (holder, asset), (total, count) in rows.balances.items()]
        if not changed:
            return str(error)
        try:
            found = await self.world.query(say.MISFITS, say.columns(changed))
        except (StoreDown, BadBatch):
            return str(error)
        if nothing := [f"{asset} of {holder}" for holder, asset, _, amount in found if amount is None]:
            return f"{error}: {', '.join(nothing)}"
        for holder, asset, total, _ in found:
            return f"balance {holder!r} {asset!r} {total}: {error}"
        return str(error)

    async def load(self, world: World) -> Contents:
        async def work(cursor: Cursor, _: Any) -> tuple[Any, ...]:
            await cursor.run("SET LOCAL statement_timeout = 0")
            entities = await cursor.rows(say.WORLD)
            gold = dict(await cursor.rows(say.WORLD_GOLD))
            sessions = await cursor.rows(say.SESSIONS)
            later = await cursor.rows(say.LATER_COMMANDS)
            idle = await cursor.rows(say.IDLE)
            return entities, gold, sessions, later, idle, dict(await cursor.rows("SELECT key, value FROM meta"))

        async def forget(cursor: Cursor, _: Any) -> None:
            await cursor.run("UPDATE session SET log = NULL, cursors = '[]'")

        found = await self.world.run(work, deadline=_LOAD)
        await self.world.run(forget)  # not before they are here: the answer to a commit may be lost
        return rows_.decode_contents(world, *found)

    async def load_character(self, world: World, character: EntityId) -> StoredEntities:
        async def work(cursor: Cursor, _: Any) -> tuple[Any, ...]:
            entities = await cursor.rows(say.CHARACTER, (character,))
            gold = dict(await cursor.rows(say.CHARACTER_GOLD, (character,)))
            return entities, gold, await cursor.row(say.ACCOUNT_OF, (character,))

        return rows_.decode_character(world, *await self.world.run(work))

    # ── AccountStore ────────────────────────────────────────────────────────────────────────────

    async def add(self, account: Account) -> Account:
        row = (account.key, account.name, account.password, account.character, int(account.keeper))

        async def work(cursor: Cursor, before: Any) -> int | None:
            if before is not NOTHING:  # it may be there already, and then it is ours
                found = await cursor.row("SELECT id FROM account WHERE id = %s AND key = %s", (before, account.key))
                if found is not None:
                    return int(found[0])
            made = await cursor.row(
                "INSERT INTO account (key, name, password, character, keeper) VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT (key) DO NOTHING RETURNING id",
                row,
            )
            if made is None:
                return None
            # The character's own row comes with a later batch: were that lost, its id must not be given to another.
            await cursor.run(
                "INSERT INTO meta VALUES ('next_id', %s) ON CONFLICT (key) DO UPDATE"
                " SET value = greatest(meta.value::bigint, excluded.value::bigint)",
                (str(int(account.character[1:]) + 1),),
            )
            return int(made[0])

        number = await self.accounts.run(work)
        if number is None:
            raise NameTaken(f"The name {account.name} is taken.")
        return Account(
            AccountId(number), account.name, account.key, account.password, account.character, account.keeper
        )

    async def by_key(self, key: str) -> Account | None:
        return await self._account(say.ACCOUNT_BY_KEY, key)

    async def by_id(self, account: AccountId) -> Account | None:
        return await self._account(say.ACCOUNT_BY_ID, account)

    async def _account(self, sql: str, value: str | int) -> Account | None:
        return rows_.decode_account(next(iter(await self.accounts.query(sql, (value,))), None))

    async def some(self, behind: AccountId, most: int) -> list[Account]:
        return await self._several(rows_.SOME_ACCOUNTS.format("%s", "%s"), behind, most)

    async def _several(self, sql: str, *values: float) -> list[Account]:
        rows = await self.accounts.query(sql, values)
        return [account for row in rows if (account := rows_.decode_account(row)) is not None]

    async def set_password(self, account: AccountId, password: str) -> None:
        await self.accounts.query("UPDATE account SET password = %s WHERE id = %s", (password, account))

    async def set_keeper(self, account: AccountId, keeper: bool) -> None:
        await self.accounts.query("UPDATE account SET keeper = %s WHERE id = %s", (int(keeper), account))

    async def any_keeper(self) -> bool:
        return bool(await self.accounts.query("SELECT 1 FROM account WHERE keeper = 1 LIMIT 1"))

    async def set_leaves(self, account: AccountId, leaves: float) -> None:
        await self.accounts.query("UPDATE account SET leaves = %s WHERE id = %s", (leaves, account))

    async def leaving(self, wall: float) -> list[Account]:
        return await self._several(say.LEAVING, wall)

    async def remove(self, account: AccountId, name: str, wall: float, ends: float) -> None:
        async def work(cursor: Cursor, _: Any) -> None:
            await cursor.run("DELETE FROM former_name WHERE ends <= %s", (wall,))
            await cursor.run("DELETE FROM refresh_grant WHERE account = %s", (account,))
            if await cursor.row("DELETE FROM account WHERE id = %s RETURNING id", (account,)) is not None:
                await cursor.run(
                    "INSERT INTO former_name VALUES (%s, %s) ON CONFLICT (digest) DO UPDATE SET ends = excluded.ends",
                    (name, ends),
                )

        await self.accounts.run(work)

    async def is_held(self, name: str, wall: float) -> bool:
        return bool(
            await self.accounts.query("SELECT 1 FROM former_name WHERE digest = %s AND ends > %s", (name, wall))
        )

    async def traces(self, account: AccountId, character: EntityId, most: int) -> Traces:
        async def work(cursor: Cursor, _: Any) -> Traces:
            logins = await cursor.rows(rows_.LOGINS.format("%s"), (account,))
            return Traces(logins, await cursor.rows(rows_.POSTINGS.format("%s", "%s"), (character, most)))

        return await self.accounts.run(work)

    async def add_grant(self, grant: RefreshGrant) -> None:
        values = (grant.hash, grant.family, grant.session, grant.account, grant.expires, grant.family)
        await self.accounts.query(say.GRANT, values)

    async def use_grant(self, hash: str, wall: float) -> RefreshGrant | None:
        async def work(cursor: Cursor, before: Any) -> RefreshGrant | None:
            row = await cursor.row(
                "SELECT family, session, account, expires, state FROM refresh_grant WHERE hash = %s FOR UPDATE", (hash,)
            )
            if row is None:
                return None
            family, session, account, expires, state = row
            if state == "spent" and isinstance(before, RefreshGrant):
                return before  # by us, though the answer was lost
            if state != "good":
                await cursor.run("UPDATE refresh_grant SET state = 'revoked' WHERE family = %s", (family,))
                return None
            await cursor.run("UPDATE refresh_grant SET state = 'spent' WHERE hash = %s", (hash,))
            await cursor.run("DELETE FROM refresh_grant WHERE expires < %s", (wall,))
            if expires < wall:
                return None
            who = None if account is None else AccountId(account)
            return RefreshGrant(hash, family, SessionId(session), who, expires)

        return await self.accounts.run(work)

    async def revoke_account(self, account: AccountId) -> None:
        await self.accounts.query("UPDATE refresh_grant SET state = 'revoked' WHERE account = %s", (account,))

    async def revoke_session(self, session: SessionId) -> None:
        await self.accounts.query(say.REVOKE, {"session": session})

    # ── JobStore ────────────────────────────────────────────────────────────────────────────────

    async def put_job(self, row: JobRow) -> None:
        await self.accounts.query(rows_.PUT_JOB.format("%s"), rows_.encode_job(row))

    async def drop_jobs(self, ids: Sequence[str]) -> None:
        await self.accounts.query("DELETE FROM job WHERE id = ANY(%s)", (list(ids),))

    async def job(self, id: str) -> JobRow | None:
        found = await self.accounts.query(rows_.JOB.format("%s"), (id,))
        return rows_.decode_job(found[0]) if found else None

    async def jobs(self, *, dead: bool, most: int) -> list[JobRow]:
        sql = (rows_.DEAD_JOBS if dead else rows_.WAITING_JOBS).format("%s")
        return [rows_.decode_job(row) for row in await self.accounts.query(sql, (most,))]

    async def trim_dead_jobs(self, most: int) -> int:
        return len(await self.accounts.query(rows_.TRIM_JOBS.format("%s"), (most,)))


async def _ready(cursor: Cursor) -> None:
    await cursor.run(say.SETTINGS)
