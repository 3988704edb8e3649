"""A PostgreSQL database from nothing to today's schema, whoever may do what in it; or one sentence why not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import psycopg2
import pytest

from mythos.store.migrate import SchemaError, Step, steps
from mythos.store.postgres.schema import TABLES, PostgresError, Target, Unreachable, connected, prepare, schema_of
from tests.postgres import Cluster

FIRST = Step(1, "first", "CREATE TABLE person (name text);")
#: Its second statement fails.
BROKEN = Step(2, "second", "CREATE TABLE pet (name text); INSERT INTO nowhere VALUES (1);")
NEWEST = len(steps())


@pytest.fixture
def roles(cluster: Cluster) -> Iterator[None]:
    """``owner`` may make tables, ``runner`` may not; both come without a password."""
    for role in ("owner", "runner"):
        cluster.ask(f"CREATE ROLE {role} LOGIN")
    yield
    for role in ("owner", "runner"):
        cluster.ask(f"DROP ROLE {role}")


@pytest.fixture
def owned(cluster: Cluster, roles: None) -> Iterator[Target]:
    """An empty database of ``owner`` that a server of ``runner`` shall use."""
    name = cluster.make(owner="owner")
    cluster.ask("REVOKE CREATE ON SCHEMA public FROM PUBLIC", database=name)
    yield Target(cluster.url_of(name, "runner"), cluster.url_of(name, "owner"))
    cluster.drop(name)


#: Of all steps that ship.
NEWEST = steps()[-1].number


def tables(target: Target) -> set[str]:
    with connected(target.owner) as database:
        cursor = database.cursor()
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name for (name,) in cursor.fetchall()}


def test_from_nothing_to_newest(target: Target) -> None:
    """All steps that ship; then there is nothing left to do."""
    assert prepare(target) == steps("postgresql")[-1].number == steps()[-1].number
    assert tables(target) == {*TABLES, "schema_version"}
    with connected(target.run) as database:
        assert schema_of(database.cursor(), steps("postgresql")) == (NEWEST, [])
    assert prepare(target) == NEWEST


def test_steps_are_those_of_sqlite() -> None:
    """A step for one database and not for the other would be a schema of its own."""
    assert [(one.number, one.name) for one in steps("postgresql")] == [(one.number, one.name) for one in steps()]


def test_a_step_is_whole_or_not_at_all(target: Target) -> None:
    with pytest.raises(psycopg2.errors.UndefinedTable):
        prepare(target, [FIRST, BROKEN])
    assert tables(target) == {"person", "schema_version"}
    with connected(target.run) as database:
        assert schema_of(database.cursor(), [FIRST, BROKEN]) == (1, [BROKEN])


def test_a_newer_database_is_refused(target: Target) -> None:
    prepare(target, [*steps("postgresql"), Step(99, "future", "CREATE TABLE flying (car text);")])
    with pytest.raises(SchemaError, match=r"schema 99, which this version .* cannot read: start a newer version"):
        prepare(target)


def test_a_changed_step_is_refused(target: Target) -> None:
    prepare(target)
    changed = replace(steps("postgresql")[0], sql="SELECT 1")
    with pytest.raises(SchemaError, match=r"step 1 \(first\) was changed"):
        prepare(target, [changed, *steps("postgresql")[1:]])


_PREPARE = """
import sys
from mythos.store.postgres.schema import Target, prepare
sys.stdin.readline()
print(prepare(Target(sys.argv[1])))
"""


def test_several_at_once(target: Target) -> None:
    """All of them end well, and each step was done once."""
    together = [
        subprocess.Popen(
            [sys.executable, "-c", _PREPARE, target.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for one in together:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    assert [(one.communicate(timeout=60)[0], one.returncode) for one in together] == [(f"{NEWEST}\n", 0)] * 4
    assert tables(target) == {*TABLES, "schema_version"}


# ── rights ──────────────────────────────────────────────────────────────────────────────────────


def test_the_server_needs_no_right_to_change_the_schema(owned: Target) -> None:
    """Who owns the tables makes them and lets the server's user use them; from then on it needs the owner no more."""
    assert prepare(owned) == NEWEST
    alone = Target(owned.url)
    assert prepare(alone) == NEWEST
    with connected(alone.run) as database:
        cursor = database.cursor()
        cursor.execute("INSERT INTO account (key, name, password, character) VALUES ('a', 'a', '', 'c1')")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("CREATE TABLE mine (name text)")


def test_who_may_not_make_tables_says_so(owned: Target) -> None:
    """And what to do about it."""
    with pytest.raises(PostgresError, match=r"may not make it \(.*\): run mythosctl db upgrade with"):
        prepare(Target(owned.url))


def test_who_may_not_write_says_so(owned: Target) -> None:
    prepare(Target(owned.direct))
    with connected(owned.owner) as database:
        database.cursor().execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO runner")
        database.commit()
    with pytest.raises(PostgresError, match=r"user runner may not INSERT in meta: run .* or GRANT"):
        prepare(Target(owned.url))
    assert prepare(owned, grant=True) == NEWEST
    assert prepare(Target(owned.url)) == NEWEST


# ── what is no database for a world ─────────────────────────────────────────────────────────────


def test_another_encoding(cluster: Cluster) -> None:
    name = cluster.make(options="ENCODING 'LATIN1' TEMPLATE template0")
    with pytest.raises(PostgresError, match="is encoded in LATIN1: make a database with ENCODING 'UTF8'"):
        prepare(Target(cluster.url_of(name)))
    cluster.drop(name)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dbname": "nowhere"}, r'refuses: database "nowhere" does not exist\. See database.url\.'),
        ({"user": "nobody"}, 'refuses: role "nobody" does not exist'),
        ({"sslmode": "loud"}, r"refuses: .*invalid sslmode"),
    ],
)
def test_an_address_that_is_refused(cluster: Cluster, change: dict[str, str], said: str) -> None:
    """It is not tried again: nothing would change."""
    parts = {"host": str(cluster.home), "user": "postgres", **change}
    address = "&".join([f"{name}={value}" for name, value in parts.items()])
    with pytest.raises(PostgresError, match=said) as raised:
        prepare(Target(f"postgresql:///?{address}"))
    assert not isinstance(raised.value, Unreachable)


def test_an_address_that_is_none() -> None:
    with pytest.raises(PostgresError, match=r"address of the database is no good: .*colour"):
        prepare(Target("postgresql://h/d?colour=red"))


def test_nobody_there() -> None:
    """It may come up yet."""
    with pytest.raises(Unreachable, match=r"PostgreSQL at 127.0.0.1:1 cannot be reached: .*refused"):
        prepare(Target("postgresql://127.0.0.1:1/d"))
