"""The rows of a store, read whole and written whole, from either kind of database into either.

What is copied is the world, its ledger, sessions, accounts and jobs; not what a database keeps for itself (its steps of
the schema, and the fence). One side is read as of one instant, while a server may go on; the other is written in one
transaction, and compared with the first row for row before it ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, Protocol

import psycopg2
from psycopg2 import sql
from psycopg2.extras import execute_values

from mythos.errors import Fault
from mythos.store.file import explained, why
from mythos.store.migrate import SchemaError, migrate, refuse_foreign
from mythos.store.postgres.connection import sentence
from mythos.store.postgres.schema import Target, connected, prepare, take_lock
from mythos.store.sqlite import connect

__all__ = ["TABLES", "CopyError", "SQLiteSide", "Side", "Table", "copy", "counts", "differences", "fill", "reading"]

#: Rows that go at once.
_MANY: Final = 5000

Row = tuple[Any, ...]


class CopyError(Fault):
    """Nothing was copied; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Table:
    """:ivar made: rows have an order of their own, that in which they were made; else by their first columns"""

    name: str
    columns: tuple[str, ...]
    made: bool = False
    key: int = 1


def _table(name: str, columns: str, *, made: bool = False, key: int = 1) -> Table:
    return Table(name, tuple(columns.split()), made, key)


#: In an order in which they can be filled.
TABLES: Final = (
    _table("meta", "key value"),
    _table("batch", "incarnation number"),
    _table("entity", "id kind proto zone place stack rev data", made=True),
    _table("balance", "holder asset amount rev", key=2),
    _table("ledger", "tx kind session c asked at"),
    _table("ledger_line", "tx holder asset delta", key=4),
    _table("session", "id character epoch head floor next_c asked undone tokens cursors seen log since"),
    _table("account", "id key name password character keeper leaves"),
    _table("refresh_grant", "hash family session account expires state"),
    _table("former_name", "digest ends"),
    _table("job", "id kind priority payload made tries error died"),
)


class Side(Protocol):
    """A database in a transaction."""

    def rows(self, table: Table) -> Generator[Row, None, None]:
        """All of them, in the table's order."""

    def count(self, table: Table) -> int: ...

    def fill(self, table: Table, rows: Iterable[Row]) -> None:
        """Add rows in their order."""

    def ready(self) -> None:
        """Everything is filled: what the next row needs is put right."""


class SQLiteSide:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def rows(self, table: Table) -> Generator[Row, None, None]:
        order = "rowid" if table.made else ", ".join(table.columns[: table.key])
        query = f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {order}"  # noqa: S608  (ours)
        yield from self._database.execute(query)

    def count(self, table: Table) -> int:
        (found,) = self._database.execute(f"SELECT count(*) FROM {table.name}").fetchone()  # noqa: S608  (ours)
        return int(found)

    def fill(self, table: Table, rows: Iterable[Row]) -> None:
        marks = ", ".join("?" for _ in table.columns)
        insert = f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({marks})"  # noqa: S608  (ours)
        self._database.executemany(insert, rows)

    def ready(self) -> None:
        """SQLite counts on from the rows themselves."""


class PostgresSide:
    def __init__(self, database: Any) -> None:
        self._database = database

    def rows(self, table: Table) -> Generator[Row, None, None]:
        order = ("made",) if table.made else table.columns[: table.key]
        query = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
            _names(table.columns), sql.Identifier(table.name), _names(order)
        )
        with self._database.cursor(f"rows_{table.name}") as cursor:  # with a name, rows come in portions
            cursor.itersize = _MANY
            cursor.execute(query)
            yield from cursor

    def count(self, table: Table) -> int:
        with self._database.cursor() as cursor:
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table.name)))
            return int(cursor.fetchone()[0])

    def fill(self, table: Table, rows: Iterable[Row]) -> None:
        insert = sql.SQL("INSERT INTO {} ({}) VALUES %s").format(sql.Identifier(table.name), _names(table.columns))
        with self._database.cursor() as cursor:
            execute_values(cursor, insert, rows, page_size=1000)

    def ready(self) -> None:
        with self._database.cursor() as cursor:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('account', 'id'), max(id)) FROM account HAVING max(id) > 0"
            )
            cursor.execute("ANALYZE")


def _names(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


# ── opening ─────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def reading(store: Path | Target, *, alone: bool = False) -> Iterator[Side]:
    """A store as of one instant.

    :param alone: no server may run on it meanwhile, as far as PostgreSQL knows
    :raises PostgresError: PostgreSQL refuses, or a server runs on it
    :raises SchemaError: the file is another program's, or no database
    :raises sqlite3.Error: what is in it cannot be read
    """
    if isinstance(store, Path):
        database = sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            database.execute("BEGIN")
            with explained(store):
                refuse_foreign(database)
            yield SQLiteSide(database)
        finally:
            database.close()
        return
    with connected(store.run) as database:
        if alone:
            take_lock(database, store)
        database.set_session(isolation_level="REPEATABLE READ", readonly=True)
        yield PostgresSide(database)


@contextmanager
def _writing(store: Path | Target, *, replace: bool = False) -> Iterator[Side]:
    """A store on today's schema, to be filled: all of it or, after an error, nothing.

    :param replace: what is in PostgreSQL goes first, and is there again after an error
    :raises SchemaError: it cannot be brought to today's schema, or a server runs on it
    """
    if isinstance(store, Path):
        with explained(store):
            database = connect(str(store))
        try:
            with explained(store):
                migrate(database)
                database.execute("BEGIN IMMEDIATE")
            yield SQLiteSide(database)
            database.execute("COMMIT")
        except sqlite3.OperationalError as error:  # its own: whatever else is wrong, is so with the other side
            raise SchemaError(why(store, error)) from error
        finally:
            database.close()
        return
    prepare(store, grant=True)
    with connected(store.owner) as database:
        take_lock(database, store)
        if replace:
            tables = _names([table.name for table in TABLES])
            database.cursor().execute(sql.SQL("TRUNCATE {}").format(tables))
        yield PostgresSide(database)
        database.commit()


# ── copying and comparing ───────────────────────────────────────────────────────────────────────


def counts(side: Side) -> dict[str, int]:
    """How many rows each table has."""
    return {table.name: side.count(table) for table in TABLES}


def fill(source: Side, target: Side) -> dict[str, int]:
    """Every row from one side to the other; returns how many each table has."""
    done: dict[str, int] = {}

    def counted(name: str, rows: Iterator[Row]) -> Iterator[Row]:
        done[name] = 0
        for row in rows:
            done[name] += 1
            yield row

    for table in TABLES:
        with closing(source.rows(table)) as rows:  # before its side is, though it may not come to its end
            target.fill(table, counted(table.name, rows))
    target.ready()
    return done


def differences(one: Side, other: Side) -> Iterator[str]:
    """Where two stores are not the same, row for row and in their order; the first of each table."""
    for table in TABLES:
        with closing(one.rows(table)) as here, closing(other.rows(table)) as there:
            for number, (mine, theirs) in enumerate(zip_longest(here, there), 1):
                if mine != theirs:
                    key = (mine or theirs)[: table.key]
                    yield f"row {number} of {table.name}, {' '.join(map(str, key))}, is not the same"
                    break


def copy(source: Path | Target, target: Path | Target, *, replace: bool = False) -> dict[str, int]:
    """Fill an empty store with what another one holds; returns how many rows each table has.

    :param replace: if it is PostgreSQL it need not be empty: what is there goes
    :raises CopyError: the target is not empty, or the copy is not the same; nothing was written
    :raises SchemaError: one of them cannot be used
    :raises sqlite3.Error: or the file cannot
    """
    made = target if isinstance(target, Path) and not target.exists() else None
    try:
        with reading(source, alone=True) as old, _writing(target, replace=replace) as new:
            if there := [f"{count} in {name}" for name, count in counts(new).items() if count]:
                raise CopyError(f"{target} is not empty: it has {', '.join(there)}. Nothing was copied.")
            done = fill(old, new)
            for difference in differences(old, new):
                raise CopyError(f"The copy is not the same: {difference}. Nothing was copied.")
            return done
    except BaseException as error:
        if made is not None:
            for part in ("", "-wal", "-shm"):
                made.with_name(made.name + part).unlink(missing_ok=True)
        if isinstance(error, psycopg2.Error):
            raise CopyError(f"PostgreSQL broke it off: {sentence(error)}. Nothing was copied.") from error
        raise
