"""``mythosctl db``: looks at the store, brings it to today's schema, copies it into another one."""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click
import psycopg2
from psycopg2 import sql

from mythos.app.files import os_sentence
from mythos.app.stores import target
from mythos.config import Config
from mythos.config.types import STORE, StoreUrl
from mythos.ctl.remote import FAILED, configuration, data_option, fail, json_option
from mythos.errors import MythosError
from mythos.store.copying import copy as copy_rows
from mythos.store.copying import counts, reading
from mythos.store.file import explained, why
from mythos.store.migrate import applied_in, migrate, steps
from mythos.store.postgres.schema import HOLDER, TABLES, Target, connected, prepare, schema_of
from mythos.store.sqlite import connect

__all__ = ["db"]


@click.group()
def db() -> None:
    """Look at the store, upgrade it, copy it, tidy it."""


@contextmanager
def _said(where: object) -> Iterator[None]:
    """What goes wrong is a sentence."""
    try:
        yield
    except MythosError as error:
        fail(str(error))
    except OSError as error:
        fail(os_sentence(error))
    except sqlite3.Error as error:
        fail(why(where, error) if isinstance(where, Path) else f"{where} cannot be used: {error}.")
    except psycopg2.Error as error:
        fail(f"{where} cannot be used: {' '.join(str(error).split())}.")


def _configured(config: Config) -> Path | Target:
    database = config.database
    if database.url.postgres:
        return target(database)
    if database.path is None:
        fail("The configuration keeps everything in memory: there is no store.")
    return database.path


# ── status ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Status:
    """:ivar server: who runs on it, in words; empty if nobody does"""

    store: str
    software: str
    schema: int
    newest: int
    bytes: int
    server: str
    rows: Mapping[str, int]


@db.command()
@data_option
@json_option
def status(data: str | None, as_json: bool) -> None:
    """Say what the store is, its schema, its rows, and who uses it. Exit 1 if it has to be upgraded."""
    config = configuration(data)
    where = _configured(config)
    with _said(where):
        found = _of_postgres(where) if isinstance(where, Target) else _of_sqlite(where, config.data)
    if as_json:
        members = {name: getattr(found, name) for name in ("store", "software", "schema", "newest", "bytes", "server")}
        click.echo(json.dumps({**members, "rows": found.rows}, indent=2, ensure_ascii=False))
    else:
        rows = ", ".join(f"{count} {name}" for name, count in found.rows.items())
        click.echo(f"{found.store}: {found.software}, {found.bytes / 2**20:.1f} MB")
        click.echo(f"schema: {found.schema} of {found.newest}")
        click.echo(f"used by: {found.server or 'nobody'}")
        click.echo(f"rows: {rows or 'none'}")
    if found.schema < found.newest:
        click.echo("It has to be upgraded: a start does that, or mythosctl db upgrade.", err=True)
        raise SystemExit(FAILED)


def _of_sqlite(path: Path, data: Path) -> _Status:
    known = steps()
    if not path.exists():
        fail(f"There is no {path}: the server makes it at its first start, or mythosctl db upgrade.")
    with explained(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        schema = applied_in(database, known)
    size = sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*") if part.name in _parts(path))
    found: dict[str, int] = {}
    if schema:
        with reading(path) as side:
            found = counts(side)
    server = f"a server on {data}" if _is_held(data) else ""
    return _Status(str(path), f"SQLite {sqlite3.sqlite_version}", schema, known[-1].number, size, server, found)


def _parts(path: Path) -> tuple[str, ...]:
    return path.name, f"{path.name}-wal", f"{path.name}-shm"


def _of_postgres(where: Target) -> _Status:
    known = steps("postgresql")
    with connected(where.run) as database:
        cursor = database.cursor()
        schema, _ = schema_of(cursor, known)
        cursor.execute("SELECT pg_database_size(current_database()), current_setting('server_version')")
        size, version = cursor.fetchone()
        holder = None
        if schema:
            cursor.execute(HOLDER)
            holder = cursor.fetchone()
    server = "" if holder is None else f"a server from {holder[1]} since {holder[2]}, process {holder[0]}"
    found: dict[str, int] = {}
    if schema:
        with reading(where) as side:
            found = counts(side)
    return _Status(str(where), f"PostgreSQL {version.split()[0]}", schema, known[-1].number, int(size), server, found)


def _is_held(directory: Path) -> bool:
    """Whether a server runs on a data directory."""
    with suppress(FileNotFoundError), (directory / "lock").open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


# ── upgrade ─────────────────────────────────────────────────────────────────────────────────────


@db.command()
@data_option
def upgrade(data: str | None) -> None:
    """Bring the store to today's schema, as the owner that database.direct_url names, if it does.

    A start does the same, if the server's user may. In PostgreSQL the server's user gets its rights on the rows.
    """
    config = configuration(data)
    where = _configured(config)
    if isinstance(where, Path):
        _refuse_running(where, config.data)
    with _said(where):
        number = prepare(where, grant=True) if isinstance(where, Target) else _upgrade_file(where)
    click.echo(f"{where} has schema {number}.")


def _upgrade_file(path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with explained(path), closing(connect(str(path))) as database:
        return migrate(database)


def _refuse_running(path: Path, *directories: Path) -> None:
    for directory in (path.parent, *directories):
        if _is_held(directory):
            fail(f"A server runs on {directory}: stop it first. Nothing was changed.")


# ── vacuum ──────────────────────────────────────────────────────────────────────────────────────


@db.command()
@data_option
@json_option
def vacuum(data: str | None, as_json: bool) -> None:
    """Give back the room that deleted rows took, and count anew what is in the tables.

    Of SQLite no server may run on it; PostgreSQL does it beside one, and only marks the room as free.
    """
    config = configuration(data)
    where = _configured(config)
    if isinstance(where, Path):
        if not where.exists():
            fail(f"There is no {where}: the server makes it at its first start, or mythosctl db upgrade.")
        _refuse_running(where, config.data)
    with _said(where):
        before, after = _vacuum_postgres(where) if isinstance(where, Target) else _vacuum_file(where)
    if as_json:
        click.echo(json.dumps({"store": str(where), "bytes_before": before, "bytes": after}, indent=2))
        return
    click.echo(f"{where}: {after / 2**20:.1f} MB, before {before / 2**20:.1f} MB.")


def _vacuum_file(path: Path) -> tuple[int, int]:
    """Bytes before and after."""
    before = path.stat().st_size
    with closing(connect(str(path))) as database:
        database.execute("VACUUM")
        database.execute("ANALYZE")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before, path.stat().st_size


def _vacuum_postgres(where: Target) -> tuple[int, int]:
    with connected(where.owner) as database:
        database.autocommit = True
        cursor = database.cursor()

        def size() -> int:
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])

        before = size()
        for table in TABLES:
            cursor.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
        return before, size()


# ── downgrade ───────────────────────────────────────────────────────────────────────────────────


@db.command("downgrade-check")
@click.argument("schema", type=click.IntRange(min=0))
@data_option
@json_option
def downgrade_check(schema: int, data: str | None, as_json: bool) -> None:
    """Say whether a version of Mythos whose newest schema is SCHEMA could use the store. Exit 1 if not.

    mythosctl db status of that version names its newest schema.
    """
    config = configuration(data)
    where = _configured(config)
    with _said(where):
        needs = _oldest_schema(where)
    good = needs <= schema
    if as_json:
        click.echo(json.dumps({"ok": good, "store": str(where), "needs": needs, "schema": schema}, indent=2))
    elif good:
        click.echo(f"A version with schema {schema} can use {where}: it needs {needs} at least.")
    if not good:
        fail(f"A version with schema {schema} cannot use {where}, which needs {needs}: restore a backup of before.")


def _oldest_schema(where: Path | Target) -> int:
    """The oldest schema whose servers can work with a store; 0 if it is empty."""
    query = "SELECT coalesce(max(min_compat), 0) FROM schema_version"
    if isinstance(where, Target):
        with connected(where.run) as database:
            cursor = database.cursor()
            if not schema_of(cursor, steps("postgresql"))[0]:
                return 0
            cursor.execute(query)
            return int(cursor.fetchone()[0])
    if not where.exists():
        return 0
    with closing(sqlite3.connect(f"{where.absolute().as_uri()}?mode=ro", uri=True)) as file:
        if not file.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone():
            return 0
        return int(file.execute(query).fetchone()[0])


# ── copy ────────────────────────────────────────────────────────────────────────────────────────


@db.command()
@click.argument("source")
@click.argument("to")
@json_option
def copy(source: str, to: str, as_json: bool) -> None:
    """Copy the store SOURCE into the empty store TO, row for row, and compare them.

    Each is sqlite:///FILE or postgresql://USER@HOST/DATABASE; DB_PASSWORD counts for one without a password. No server
    may run on either. All of it is copied, or nothing.
    """
    password = configuration().database.password
    old, new = (_store(text, password) for text in (source, to))
    if isinstance(old, Path) and not old.exists():
        fail(f"There is no {old}. Nothing was copied.")
    for one in (old, new):
        if isinstance(one, Path):
            _refuse_running(one)
    if isinstance(new, Path):
        new.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _said(new):
        done = copy_rows(old, new)
    if as_json:
        click.echo(json.dumps({"ok": True, "rows": done}, indent=2))
        return
    for name, count in done.items():
        click.echo(f"{name}: {count}")
    click.echo(f"{new} holds the same as {old}, row for row. The data directory has more: see docs/postgresql.md.")


def _store(text: str, password: str) -> Path | Target:
    try:
        url: StoreUrl = STORE.read(text)
    except ValueError as error:
        _usage(str(error))
    if url.postgres:
        return Target(url.url, "", password)
    if url.path is None:
        _usage("there is nothing to copy from or to memory:")
    return Path.cwd() / url.path


def _usage(message: str) -> NoReturn:
    raise click.UsageError(message)
