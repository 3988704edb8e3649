"""From an older schema to today's: whole steps, in order, once, whoever else is at it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorFromThreads

from mythos.store.migrate import SchemaError, Step, migrate, steps
from mythos.store.sqlite import SQLiteStore, connect

FIRST = Step(1, "first", "-- people; and only people\nCREATE TABLE person (\n    name TEXT\n);\n-- the end;\n")
SECOND = Step(2, "second", "CREATE TABLE pet (name TEXT);\nINSERT INTO pet VALUES ('a;b');\nDROP TABLE person;\n")
#: Its second statement fails.
BROKEN = Step(2, "second", "CREATE TABLE pet (name TEXT);\nINSERT INTO nowhere VALUES (1);\n")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = connect(str(tmp_path / "db"))
    yield made
    made.close()


def tables(database: sqlite3.Connection) -> set[str]:
    found = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return {name for (name,) in found} - {"schema_version"}


def versions(database: sqlite3.Connection) -> list[tuple[int, str, str]]:
    return database.execute("SELECT number, name, checksum FROM schema_version ORDER BY number").fetchall()


def test_from_nothing_to_newest(database: sqlite3.Connection) -> None:
    """All steps that ship, each with its row; then there is nothing left to do."""
    newest = migrate(database)
    assert newest == steps()[-1].number
    assert versions(database) == [(step.number, step.name, step.checksum) for step in steps()]
    assert tables(database) >= {"entity", "balance", "ledger", "ledger_line", "session", "account", "meta"}
    before = list(database.iterdump())
    assert migrate(database) == newest
    assert list(database.iterdump()) == before


def test_steps_are_numbered_without_holes() -> None:
    """Two branches that both add a step meet here, not at an operator's."""
    assert [step.number for step in steps()] == list(range(1, len(steps()) + 1))


def test_only_what_is_missing(database: sqlite3.Connection) -> None:
    """A database of an older version keeps its rows and takes the later steps."""
    assert migrate(database, [FIRST]) == 1
    assert tables(database) == {"person"}
    assert migrate(database, [FIRST, SECOND]) == 2
    assert tables(database) == {"pet"}
    assert database.execute("SELECT name FROM pet").fetchall() == [("a;b",)]
    assert [number for number, _, _ in versions(database)] == [1, 2]


def test_a_step_is_whole_or_not_at_all(database: sqlite3.Connection) -> None:
    """One that fails half-way leaves the schema and its number as they were, and can be tried again."""
    migrate(database, [FIRST])
    before = list(database.iterdump())
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(database, [FIRST, BROKEN])
    assert list(database.iterdump()) == before
    assert not database.in_transaction
    assert migrate(database, [FIRST, SECOND]) == 2


def test_steps_before_the_broken_one_stay(database: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError):
        migrate(database, [FIRST, BROKEN])
    assert (tables(database), [number for number, _, _ in versions(database)]) == ({"person"}, [1])


def test_the_last_statement_counts_without_its_semicolon(database: sqlite3.Connection) -> None:
    migrate(database, [Step(1, "first", "CREATE TABLE person (name TEXT);\nCREATE TABLE pet (name TEXT)")])
    assert tables(database) == {"person", "pet"}


def test_numbers_may_have_holes(database: sqlite3.Connection) -> None:
    """What counts is the largest number, not how many there are."""
    sparse = [FIRST, Step(20, SECOND.name, SECOND.sql)]
    assert [migrate(database, sparse), migrate(database, sparse)] == [20, 20]


def test_a_newer_database_is_refused(database: sqlite3.Connection) -> None:
    """An older server says what to do, and touches nothing."""
    migrate(database, [FIRST, SECOND])
    before = list(database.iterdump())
    with pytest.raises(SchemaError, match=r"schema 2, which this version .* cannot read: start a newer version"):
        migrate(database, [FIRST])
    assert list(database.iterdump()) == before


def test_a_newer_database_that_older_servers_can_read(database: sqlite3.Connection) -> None:
    """A step may say that servers which do not know it can still work."""
    migrate(database, [FIRST, SECOND])
    database.execute("UPDATE schema_version SET min_compat = 1 WHERE number = 2")
    assert migrate(database, [FIRST]) == 2


def test_a_changed_step_is_refused(database: sqlite3.Connection) -> None:
    """Who edits a step that is in use learns of it here, by its name."""
    migrate(database, [FIRST])
    with pytest.raises(SchemaError, match=r"step 1 \(first\) was changed"):
        migrate(database, [Step(1, "first", FIRST.sql + "CREATE TABLE more (name TEXT);\n")])
    assert tables(database) == {"person"}


def test_a_store_of_the_future_is_not_opened(tmp_path: Path) -> None:
    """The store says so before it starts anything."""
    database = connect(str(tmp_path / "db"))
    migrate(database, [*steps(), Step(999, "future", "CREATE TABLE flying (car TEXT);")])
    database.close()
    with pytest.raises(SchemaError, match="schema 999"):
        SQLiteStore(tmp_path / "db", IReactorFromThreads(reactor))


def test_another_one_gets_there_first(database: sqlite3.Connection, tmp_path: Path) -> None:
    """Both have seen that a step is missing; who comes second finds it done."""
    migrate(database, [])
    other = connect(str(tmp_path / "db"))

    def overtake(statement: str) -> None:
        if statement.startswith("BEGIN"):
            database.set_trace_callback(None)
            migrate(other, [FIRST, SECOND])

    database.set_trace_callback(overtake)
    assert migrate(database, [FIRST, SECOND]) == 2
    assert tables(database) == {"pet"}
    assert [number for number, _, _ in versions(database)] == [1, 2]
    other.close()


_MIGRATE = """
import sys
from mythos.store.migrate import migrate
from mythos.store.sqlite import connect
print("ready", flush=True)
sys.stdin.readline()
print(migrate(connect(sys.argv[1])))
"""


def test_several_processes_at_once(tmp_path: Path) -> None:
    """On a file that is not there yet: all of them end well, and the schema is whole."""
    path = str(tmp_path / "db")
    together = [
        subprocess.Popen(
            [sys.executable, "-c", _MIGRATE, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for one in together:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in together:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    newest = steps()[-1].number
    assert [(one.communicate(timeout=60)[0], one.returncode) for one in together] == [(f"{newest}\n", 0)] * 4
    database = connect(path)
    assert [number for number, _, _ in versions(database)] == [step.number for step in steps()]
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
