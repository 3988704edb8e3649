"""A server that is killed at any statement of any step, from any schema there was: the next start ends at the newest,
and no row is missing."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg2
import pytest

from mythos.store.migrate import migrate, steps
from mythos.store.postgres.schema import Target, prepare
from mythos.store.sqlite import connect
from tests.postgres import Cluster, until

#: A row of each kind, in columns that the first schema had.
_ROWS = (
    "INSERT INTO meta (key, value) VALUES ('next_id', '5')",
    "INSERT INTO account (id, key, name, password, character, keeper) VALUES (1, 'ann', 'Ann', '-', 'c1', 1)",
    "INSERT INTO entity (id, kind, proto, place, stack, data) VALUES ('c1', 'c', '', 'town:yard', 1, '{}')",
    "INSERT INTO entity (id, kind, proto, place, stack, data) VALUES ('i1', 'i', 'town:lamp', 'c1', 2, '{}')",
    "INSERT INTO ledger (tx, kind, session, c, at) VALUES (1, 'give', 'a1', 1, 1.0)",
    "INSERT INTO ledger_line (tx, holder, asset, delta) VALUES (1, 'c1', 'town:lamp', 2)",
    "INSERT INTO balance (holder, asset, amount) VALUES ('c1', 'town:lamp', 2)",
    "INSERT INTO session (id, character, epoch, head, floor, next_c, asked, undone, tokens, cursors, seen)"
    " VALUES ('a1', 'c1', 'e', 3, 0, 2, '[]', '[]', '[]', '[]', 1.0)",
    "INSERT INTO refresh_grant (hash, family, session, expires) VALUES ('h', 'f', 'a1', 9.0)",
)
#: What of them is read again.
_READ = (
    "SELECT key, value FROM meta WHERE key = 'next_id'",
    "SELECT id, key, name, password, character, keeper FROM account",
    "SELECT id, kind, proto, place, stack, rev, data FROM entity ORDER BY id",
    "SELECT tx, kind, session, c, at FROM ledger",
    "SELECT tx, holder, asset, delta FROM ledger_line",
    "SELECT holder, asset, amount FROM balance",
    "SELECT id, character, epoch, head, next_c, tokens, seen FROM session",
    "SELECT hash, family, session, expires, state FROM refresh_grant",
)
_OLD = range(len(steps()))

# ── SQLite ──────────────────────────────────────────────────────────────────────────────────────

#: Migrates the file it is told, and kills itself before the statement with that number.
_DIES = """
import os, signal, sys
from mythos.store.migrate import migrate
from mythos.store.sqlite import connect
for line in sys.stdin:
    path, number = line.split()
    pid = os.fork()
    if pid == 0:
        left = int(number)
        def count(statement):
            global left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        database = connect(path)
        database.set_trace_callback(count)
        migrate(database)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@pytest.mark.parametrize("old", _OLD)
def test_a_file(tmp_path: Path, old: int) -> None:
    known, first = steps(), tmp_path / "first"
    with closing(connect(str(first))) as database:
        migrate(database, known[:old])
        if old:
            for statement in _ROWS:
                database.execute(statement)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    killed = 0
    with subprocess.Popen(
        [sys.executable, "-c", _DIES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        while True:
            path = tmp_path / f"killed{killed}"
            shutil.copy(first, path)
            child.stdin.write(f"{path} {killed + 1}\n")
            child.stdin.flush()
            status = int(child.stdout.readline())
            _check_file(path, with_rows=bool(old))
            if status == 0:
                break
            assert status == -signal.SIGKILL
            killed += 1
        child.stdin.close()
    assert killed > sum(step.sql.count(";\n") for step in known[old:])


def _check_file(path: Path, *, with_rows: bool) -> None:
    with closing(connect(str(path))) as database:
        assert migrate(database) == steps()[-1].number
        applied = database.execute("SELECT number, checksum FROM schema_version ORDER BY number").fetchall()
        assert applied == [(step.number, step.checksum) for step in steps()]
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if with_rows:
            assert all(database.execute(read).fetchall() for read in _READ)
            with closing(sqlite3.connect(":memory:")) as whole:
                migrate(whole)
                for statement in _ROWS:
                    whole.execute(statement)
                assert [database.execute(read).fetchall() for read in _READ] == [
                    whole.execute(read).fetchall() for read in _READ
                ]


# ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────────

#: Brings the database it is told to the newest schema, in a process that it says the number of.
_PREPARES = """
import os, sys
from mythos.store.postgres.schema import Target, prepare
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        prepare(Target(line.strip()))
        os._exit(0)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
#: Has the statement with this number, of those that change a schema, wait for ever.
_HOLD = """
CREATE SCHEMA held;
CREATE SEQUENCE held.seen;
CREATE FUNCTION held.hold() RETURNS event_trigger LANGUAGE plpgsql AS
$$ BEGIN IF nextval('held.seen') = {number} THEN PERFORM pg_sleep(600); END IF; END $$;
CREATE EVENT TRIGGER holding ON ddl_command_end EXECUTE FUNCTION held.hold();
"""
_HELD = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND wait_event = 'PgSleep'"


@pytest.fixture
def preparing() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", _PREPARES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        yield child
        assert child.stdin is not None
        child.stdin.close()


@pytest.mark.parametrize("old", _OLD)
def test_a_database(cluster: Cluster, preparing: subprocess.Popen[str], old: int) -> None:
    """Behind each statement that makes or changes a table it is killed, and what serves it is ended."""
    known, first = steps("postgresql"), cluster.make()
    if old:
        with suppress(psycopg2.errors.UndefinedTable):  # it misses those of today, behind its steps
            prepare(Target(cluster.url_of(first)), known[:old])
        for statement in _ROWS:
            cluster.ask(statement, database=first)
    rows = _read(cluster, first) if old else []
    killed = 0
    assert preparing.stdin is not None and preparing.stdout is not None
    while True:
        name = cluster.make(options=f"TEMPLATE {first}")
        cluster.ask(_HOLD.format(number=killed + 1), database=name)
        preparing.stdin.write(cluster.url_of(name) + "\n")
        preparing.stdin.flush()
        pid = int(preparing.stdout.readline())
        held = _held_or_done(cluster, name, len(known))
        if held:
            os.kill(pid, signal.SIGKILL)
            cluster.ask("SELECT pg_terminate_backend(%s)", held)
        status = int(preparing.stdout.readline())
        assert status == (-signal.SIGKILL if held else 0)
        cluster.ask("DROP EVENT TRIGGER holding; DROP SCHEMA held CASCADE", database=name)
        assert prepare(Target(cluster.url_of(name))) == known[-1].number
        assert cluster.ask("SELECT number, checksum FROM schema_version ORDER BY number", database=name) == [
            (step.number, step.checksum) for step in known
        ]
        assert not old or _read(cluster, name) == rows
        cluster.drop(name)
        if not held:
            break
        killed += 1
    cluster.drop(first)
    assert killed >= sum(step.sql.count("CREATE ") + step.sql.count("ALTER ") for step in known[old:])


def _read(cluster: Cluster, database: str) -> list[list[tuple[object, ...]]]:
    return [cluster.ask(read, database=database) for read in _READ]


def _held_or_done(cluster: Cluster, name: str, newest: int) -> int:
    """The process that is held; 0: the newest schema is reached."""
    found: list[int] = []

    def look() -> bool:
        found[:] = [pid for (pid,) in cluster.ask(_HELD, name)]
        if found:
            return True
        try:
            return cluster.ask("SELECT max(number) FROM schema_version", database=name) == [(newest,)]
        except psycopg2.errors.UndefinedTable:
            return False

    until(look)
    return found[0] if found else 0
