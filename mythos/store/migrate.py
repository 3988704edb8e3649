"""Brings a database to today's schema: numbered steps, forward only, each whole or not at all.

A step and the row that says it was done are one transaction, statement by statement (``executescript`` would commit
in between). A step that was changed after it was applied is refused by its checksum.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from importlib import resources

from mythos.errors import Fault

__all__ = ["SchemaError", "Step", "migrate", "steps"]


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


def steps() -> list[Step]:
    """All steps for SQLite, in order: ``schema/NNNN_name.sqlite.sql``."""
    found = []
    for file in resources.files("mythos.store").joinpath("schema").iterdir():
        if file.name.endswith(".sqlite.sql"):
            number, _, name = file.name.removesuffix(".sqlite.sql").partition("_")
            found.append(Step(int(number), name, file.read_text("utf-8")))
    return sorted(found, key=lambda step: step.number)


def migrate(database: sqlite3.Connection, known: list[Step] | None = None) -> int:
    """Apply what is missing; returns the schema's number.

    :raises SchemaError: the database is newer than this server, or an applied step has changed since
    """
    known = steps() if known is None else known
    database.execute(
        "CREATE TABLE IF NOT EXISTS schema_version (number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
        " checksum TEXT NOT NULL, min_compat INTEGER NOT NULL)"
    )
    applied = dict(database.execute("SELECT number, checksum FROM schema_version"))
    newest = max(applied, default=0)
    oldest_able = database.execute("SELECT coalesce(max(min_compat), 0) FROM schema_version").fetchone()[0]
    ours = max((step.number for step in known), default=0)
    if oldest_able > ours:
        raise SchemaError(
            f"this database has schema {newest}, which this version of Mythos cannot read: start a newer version"
        )
    for step in known:
        if step.number not in applied:
            _apply(database, step)
        elif applied[step.number] != step.checksum:
            raise SchemaError(f"schema step {step.number} ({step.name}) was changed after it was applied")
    return max(newest, ours)


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
