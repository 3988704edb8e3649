"""Brings a PostgreSQL database to today's schema, and says in one sentence why a server cannot use it.

Blocking: for ``mythosctl``, and for a thread of the server's. Each step is one transaction together with the row that
says it was done, under an advisory lock, so that of several who come at once one does it and the others find it done.
The user that a server runs as needs no right to change the schema: who made the tables gives it rights on their rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg2
from psycopg2 import sql

from mythos.store.migrate import SchemaError, Step, listed, missing, steps
from mythos.store.postgres.connection import parameters, sentence

__all__ = [
    "HOLDER",
    "LOCK",
    "OLDEST",
    "TABLES",
    "PostgresError",
    "Target",
    "Unreachable",
    "connected",
    "in_use",
    "prepare",
    "schema_of",
    "take_lock",
]

#: The oldest PostgreSQL that will do.
OLDEST: Final = 13
#: Seconds to connect, and to wait for another one who is at the schema just now.
_CONNECT, _WAIT = 5, 60
#: Of the advisory lock on the schema; any number that is always the same.
_SCHEMA: Final = 0x6D7974686F73
#: The advisory lock of a world, which its server has: by its own table, for each schema of a database may hold one.
LOCK: Final = "SELECT pg_try_advisory_lock('fence'::regclass::oid::int, 1), pg_backend_pid()"
#: Who has it: process, host, since.
HOLDER: Final = (
    "SELECT pid, coalesce(host(client_addr), 'this machine'), backend_start::timestamptz(0)::text"
    " FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND classid = 'fence'::regclass::oid AND objid = 1 AND objsubid = 2 AND granted"
)
#: Tables whose rows the server writes.
TABLES: Final = (
    *("meta", "batch", "fence", "entity", "balance", "ledger", "ledger_line"),
    *("session", "account", "refresh_grant", "former_name", "job"),
)
#: Words in what PostgreSQL says of a connection that it will refuse again.
_FOR_GOOD: Final = (
    *("authentication failed", "no password supplied", "does not exist", "pg_hba.conf", "permission denied"),
    *("certificate", "SSL", "not permitted", "invalid"),
)


class PostgresError(SchemaError):
    """The database cannot be used as it is; the sentence says what to do."""


class Unreachable(PostgresError):
    """There is no connection just now; there may be one later."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a world is kept.

    :ivar url: how the server comes to it; ``direct``: how who owns its tables does, if that is another way
    :ivar password: for a URL that has none
    """

    url: str
    direct: str = ""
    password: str = ""

    @property
    def run(self) -> dict[str, str]:
        """:raises PostgresError: the URL is no good"""
        return self._read(self.url)

    @property
    def owner(self) -> dict[str, str]:
        """:raises PostgresError: the URL is no good"""
        return self._read(self.direct or self.url)

    def _read(self, url: str) -> dict[str, str]:
        try:
            return parameters(url, self.password)
        except ValueError as error:
            raise PostgresError(f"The address of the database is no good: {error}. See database.url.") from error

    def __str__(self) -> str:
        found = self.run
        return f"PostgreSQL {found.get('dbname', '')} at {_place(found)}".replace("  ", " ")


def _place(found: Mapping[str, str]) -> str:
    host = found.get("host") or found.get("hostaddr") or "the usual socket"
    return f"{host}:{found['port']}" if "port" in found else host


@contextmanager
def connected(found: Mapping[str, str]) -> Iterator[Any]:
    """A connection of psycopg2, which begins a transaction with its first statement; closed at the end.

    :raises Unreachable: try again later
    :raises PostgresError: it is refused for good
    """
    try:
        database = psycopg2.connect(**{"connect_timeout": _CONNECT, "client_encoding": "utf8", **found})
    except psycopg2.Error as error:
        said = sentence(error).rpartition("FATAL: ")[2]
        if any(words in said for words in _FOR_GOOD) and "No such file" not in said:
            raise PostgresError(f"PostgreSQL at {_place(found)} refuses: {said}. See database.url.") from error
        raise Unreachable(f"PostgreSQL at {_place(found)} cannot be reached: {said}. See database.url.") from error
    try:
        yield database
    finally:
        database.close()


def prepare(target: Target, known: list[Step] | None = None, *, grant: bool = False) -> int:
    """Check that a server can use the database, after bringing it to the newest schema; returns the schema's number.

    :param grant: come as the owner also if nothing is missing, and give the server's user its rights again

    :raises Unreachable: try again later
    :raises PostgresError: what else is wrong with it
    :raises SchemaError: it is newer than this server, or an applied step has changed since
    """
    known = steps("postgresql") if known is None else known
    run, owner = target.run, target.owner
    with connected(run) as database:
        cursor = database.cursor()
        _check_server(cursor, database.server_version, target)
        newest, todo = schema_of(cursor, known)
        if not newest:
            _refuse_foreign(cursor, target)
        cursor.execute("SELECT current_user")
        (user,) = cursor.fetchone()
        database.rollback()
    if todo or (grant and run != owner):
        with connected(owner) as database:
            _upgrade(database, known, user)
    with connected(run) as database:
        _check_rights(database.cursor(), user)
    return max(newest, *(step.number for step in known))


def schema_of(cursor: Any, known: list[Step]) -> tuple[int, list[Step]]:
    """The number of a database's schema, 0 if it has none, and the steps that it lacks.

    :raises SchemaError: see :func:`~mythos.store.migrate.missing`
    """
    cursor.execute("SELECT to_regclass('schema_version') IS NOT NULL")
    applied: list[tuple[int, str, int]] = []
    if cursor.fetchone()[0]:
        cursor.execute("SELECT number, checksum, min_compat FROM schema_version")
        applied = cursor.fetchall()
    return max((number for number, *_ in applied), default=0), missing(applied, known)


def _check_server(cursor: Any, version: int, target: Target) -> None:
    if version < OLDEST * 10000:
        raise PostgresError(f"{target} is version {version // 10000}; Mythos needs {OLDEST} or newer.")
    cursor.execute("SELECT current_setting('server_encoding'), current_schema(), pg_is_in_recovery()")
    encoding, schema, standby = cursor.fetchone()
    if encoding != "UTF8":
        raise PostgresError(f"{target} is encoded in {encoding}: make a database with ENCODING 'UTF8'.")
    if schema is None:
        raise PostgresError(f"{target} has no schema that its search_path names: CREATE SCHEMA, or set search_path.")
    if standby:
        raise Unreachable(f"{target} is a standby, which takes no writes: name the primary in database.url.")


def _refuse_foreign(cursor: Any, target: Target) -> None:
    """:raises PostgresError: the schema that is to be ours has tables, and they are no extension's"""
    cursor.execute(
        "SELECT current_schema(), relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')"
        " ORDER BY relname"
    )
    if found := cursor.fetchall():
        raise PostgresError(
            f"{target} belongs to another program: its schema {found[0][0]} has the tables"
            f" {listed([name for _, name in found])}. Make a database for Mythos alone (createdb), or a schema that the"
            " user's search_path names."
        )


def _upgrade(database: Any, known: list[Step], user: str) -> None:
    """Apply what is missing, as whoever owns the tables, and let ``user`` use them."""
    cursor = database.cursor()
    try:
        cursor.execute("SET lock_timeout = %s", (f"{_WAIT}s",))
        database.commit()
        for step in schema_of(cursor, known)[1]:
            database.rollback()
            _apply(cursor, step, known)
            database.commit()
        cursor.execute("SELECT current_user")
        (owner,) = cursor.fetchone()
        if owner != user:
            _grant(cursor, user)
        database.commit()
    except psycopg2.errors.InsufficientPrivilege as error:
        raise PostgresError(
            f"The database lacks a part of its schema, and its user may not make it ({sentence(error)}): run"
            " mythosctl db upgrade with database.direct_url naming the owner, or GRANT CREATE ON SCHEMA to the user."
        ) from error
    except psycopg2.errors.LockNotAvailable as error:
        raise Unreachable(f"Another one has been at the schema for more than {_WAIT} seconds.") from error
    except psycopg2.OperationalError as error:
        raise Unreachable(f"The schema could not be brought up to date: {sentence(error)}.") from error


def _apply(cursor: Any, step: Step, known: list[Step]) -> None:
    """In the transaction that begins here."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_SCHEMA,))
    cursor.execute(
        "CREATE TABLE IF NOT EXISTS schema_version (number bigint PRIMARY KEY, name text NOT NULL,"
        " checksum text NOT NULL, min_compat bigint NOT NULL)"
    )
    if step in schema_of(cursor, known)[1]:  # another one may have been here before we had the lock
        cursor.execute(step.sql)
        cursor.execute(
            "INSERT INTO schema_version VALUES (%s, %s, %s, %s)", (step.number, step.name, step.checksum, step.number)
        )


def _grant(cursor: Any, user: str) -> None:
    who = sql.Identifier(user)
    tables = sql.SQL(", ").join(map(sql.Identifier, TABLES))
    cursor.execute("SELECT current_schema()")
    schema = sql.Identifier(cursor.fetchone()[0])
    cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, who))
    cursor.execute(sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {}").format(tables, who))
    cursor.execute(sql.SQL("GRANT SELECT ON schema_version TO {}").format(who))


def _check_rights(cursor: Any, user: str) -> None:
    """:raises PostgresError: the user may not do with rows what a server does"""
    cursor.execute(
        "SELECT name, right_ FROM unnest(%s) AS name, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS right_"
        " WHERE NOT has_table_privilege(name, right_)",
        (list(TABLES),),
    )
    if found := cursor.fetchall():
        table, right = found[0]
        raise PostgresError(
            f"The database's user {user} may not {right} in {table}: run mythosctl db upgrade with database.direct_url"
            f" naming the owner, or GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}."
        )


def in_use(target: Target, holder: tuple[Any, ...] | None) -> str:
    """That a server has the world, and what to do.

    :param holder: a row of :data:`HOLDER`
    """
    pid, host, _ = holder or ("?", "somewhere", "")
    return (
        f"Another server runs on {target}, from {host}: stop it. If it is gone and PostgreSQL does not know it yet:"
        f" SELECT pg_terminate_backend({pid})."
    )


def take_lock(database: Any, target: Target) -> None:
    """Keep servers off a world for as long as the connection lasts.

    :raises PostgresError: one runs on it
    """
    cursor = database.cursor()
    cursor.execute(LOCK)
    if not cursor.fetchone()[0]:
        cursor.execute(HOLDER)
        raise PostgresError(in_use(target, cursor.fetchone()))
    database.commit()
