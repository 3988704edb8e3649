"""Brings a database to today's schema: numbered steps, forward only, each whole or not at all.

A step and the row that says it was done are one transaction, statement by statement (``executescript`` would commit
in between). A step that was changed after it was applied is refused by its checksum.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources

from mythos.errors import Fault

__all__ = ["SchemaError", "Step", "applied_in", "listed", "migrate", "missing", "refuse_foreign", "steps"]


class SchemaError(Fault):
    """The database is of another world of schemas: newer than this server, or changed by hand."""


@dataclass(frozen=True, slots=True)
class Step:
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def steps(of: str = "sqlite") -> list[Step]:
    """All steps for a kind of database (``sqlite``, ``postgresql``), in order: ``schema/NNNN_name.KIND.sql``."""
    found = []
    for file in resources.files("mythos.store").joinpath("schema").iterdir():
        if file.name.endswith(f".{of}.sql"):
            number, _, name = file.name.removesuffix(f".{of}.sql").partition("_")
            found.append(Step(int(number), name, file.read_text("utf-8")))
    return sorted(found, key=lambda step: step.number)


def missing(applied: Iterable[tuple[int, str, int]], known: list[Step]) -> list[Step]:
    """The known steps that were not applied.

    :param applied: number, checksum, and the oldest schema whose servers can work with it
    :raises SchemaError: the database is newer than this server, or an applied step has changed since
    """
    rows = list(applied)
    checksums = {number: checksum for number, checksum, _ in rows}
    if max((compat for *_, compat in rows), default=0) > max((step.number for step in known), default=0):
        raise SchemaError(
            f"this database has schema {max(checksums)}, which this version of Mythos cannot read:"
            " start a newer version, or restore a backup of before"
        )
    for step in known:
        if checksums.get(step.number, step.checksum) != step.checksum:
            raise SchemaError(
                f"schema step {step.number} ({step.name}) was changed after it was applied: restore a backup"
            )
    return [step for step in known if step.number not in checksums]


def migrate(database: sqlite3.Connection, known: list[Step] | None = None) -> int:
    """Apply what is missing; returns the schema's number.

    :raises SchemaError: the database is another program's, newer than this server, or an applied step has changed since
    """
    known = steps() if known is None else known
    refuse_foreign(database)
    database.execute(
        "CREATE TABLE IF NOT EXISTS schema_version (number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
        " checksum TEXT NOT NULL, min_compat INTEGER NOT NULL)"
    )
    for step in missing(database.execute("SELECT number, checksum, min_compat FROM schema_version"), known):
        _apply(database, step)
    (newest,) = database.execute("SELECT coalesce(max(number), 0) FROM schema_version").fetchone()
    return int(newest)


def applied_in(database: sqlite3.Connection, known: list[Step]) -> int:
    """The schema's number, 0 for an empty file; only reads.

    :raises SchemaError: as :func:`migrate`
    """
    if not refuse_foreign(database):
        return 0
    rows = database.execute("SELECT number, checksum, min_compat FROM schema_version").fetchall()
    missing(rows, known)
    return max((number for number, *_ in rows), default=0)


def refuse_foreign(database: sqlite3.Connection) -> bool:
    """Whether there is a schema already; only reads. :raises SchemaError: it is another program's"""
    found = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    ours = [row[1] for row in database.execute("PRAGMA table_info(schema_version)")]
    if found and ours != ["number", "name", "checksum", "min_compat"]:
        raise SchemaError(
            f"it belongs to another program, with the tables {listed(found)}: name another file with DATABASE_URL or"
            " DB_PATH"
        )
    return bool(found)


def listed(names: Sequence[str]) -> str:
    """The first of some tables' names."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _apply(database: sqlite3.Connection, step: Step) -> None:
    database.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been here between our look and our lock.
        done = database.execute("SELECT 1 FROM schema_version WHERE number = ?", (step.number,)).fetchone()
        if done is None:
            for statement in _statements(step.sql):
                database.execute(statement)
            database.execute(
                "INSERT INTO schema_version VALUES (?, ?, ?, ?)", (step.number, step.name, step.checksum, step.number)
            )
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:  # a full disk has ended it already
            database.execute("ROLLBACK")
        raise


def _statements(sql: str) -> list[str]:
    found, statement = [], ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            found.append(statement)
            statement = ""
    return [*found, statement]  # the last one may lack its semicolon; comments alone do nothing
