"""From SQLite into PostgreSQL and back: the same rows in the same order, or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet import reactor

from mythos.ids import EntityId
from mythos.store.copying import TABLES, CopyError, copy, counts, differences, reading
from mythos.store.fsck import check, check_postgres
from mythos.store.migrate import migrate
from mythos.store.postgres.schema import PostgresError, Target, connected, prepare
from mythos.store.postgres.store import open_postgres
from mythos.store.sqlite import connect
from tests.postgres import Cluster
from tests.store.batches import batch, write
from tests.store.test_contract import HARD_WORDS, SESSION, account, contents
from tests.store.test_fsck import BREAKS, named, played


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world that was played in: something of everything, with words that are hard to keep."""
    path = tmp_path_factory.mktemp("original") / "mythos.db"
    store = played().store
    file = connect(str(path))
    store._database.backup(file)
    store.close()
    for number, word in enumerate(HARD_WORDS):
        file.execute(
            "INSERT INTO session SELECT ?, character, ?, head, floor, next_c, asked, undone, tokens, cursors,"
            " seen + 0.1, log, since FROM session LIMIT 1",
            (f"s{number}", word.replace("\0", "") + "x"),
        )
    file.execute("INSERT INTO refresh_grant VALUES ('h', 'f', 's1', NULL, 1800000000.123456789, 'spent')")
    file.execute("INSERT INTO former_name VALUES ('digest', 1800000000.123456789)")
    file.execute("INSERT INTO job VALUES ('j1', 'webhook', 2, '{}', 1800000000.123456789, 3, 'It is silent.', NULL)")
    file.execute("INSERT INTO batch VALUES ('another life', 9007199254740993)")
    file.close()
    return path


@pytest.fixture(scope="module")
def _copied(cluster: Cluster, original: Path) -> Iterator[tuple[str, dict[str, int]]]:
    name = cluster.make()
    done = copy(original, Target(cluster.url_of(name)))
    yield name, done
    cluster.drop(name)


@pytest.fixture
def copied(cluster: Cluster, _copied: tuple[str, dict[str, int]]) -> Iterator[Target]:
    """A copy of its own."""
    name = f"{_copied[0]}_again"
    cluster.ask(f"CREATE DATABASE {name} TEMPLATE {_copied[0]}")
    yield Target(cluster.url_of(name))
    cluster.drop(name)


def dump(path: Path) -> list[str]:
    file = sqlite3.connect(path)
    try:
        return list(file.iterdump())
    finally:
        file.close()


def test_there_and_back(original: Path, _copied: tuple[str, dict[str, int]], copied: Target, tmp_path: Path) -> None:
    """Every row of every table, in its order, to the last digit; the file that comes back is the one that went."""
    _, done = _copied
    file = sqlite3.connect(original)
    tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {table.name for table in TABLES} == tables - {"schema_version"}
    for table in TABLES:
        columns = tuple(row[1] for row in file.execute(f"PRAGMA table_info({table.name})"))
        assert columns == table.columns
        assert done[table.name] > 0
    file.close()
    with reading(original) as one, reading(copied) as other:
        assert counts(other) == done
        assert list(differences(one, other)) == []
    back = tmp_path / "back.db"
    assert copy(copied, back) == done
    assert sorted(dump(back)) == sorted(dump(original))  # lines of one transaction have no order
    assert list(check(back)) == list(check_postgres(copied)) == []


CHANGES = {
    "a row that is lost": ("DELETE FROM balance WHERE holder = 'c7' AND asset = 'gold'", "of balance, c7"),
    "a row that is new": ("INSERT INTO meta VALUES ('zzz', '1')", "row 4 of meta, zzz"),
    "one letter": ("UPDATE account SET name = 'Bob ' WHERE key = 'bob'", "of account"),
    "one coin": ("UPDATE ledger_line SET delta = delta + 1 WHERE tx = 1 AND delta > 0", "of ledger_line, 1"),
    "nothing instead of none": ("UPDATE session SET log = '' WHERE log IS NULL OR id = 's1'", "of session"),
    "another order": ("UPDATE entity SET made = made + 1000000 WHERE id = 'c7'", "of entity"),
    "a part of a second": ("UPDATE refresh_grant SET expires = expires + 1e-6", "of refresh_grant, h"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_comparison_sees(original: Path, copied: Target, cluster: Cluster, what: str) -> None:
    """The control: what a wrong copy would be is told apart, in the table that it is in, and there alone."""
    change, said = CHANGES[what]
    cluster.ask(change, database=copied.run["dbname"])
    with reading(original) as one, reading(copied) as other:
        (found,) = differences(one, other)
    assert said in found


async def test_a_server_goes_on_in_a_copy(copied: Target) -> None:
    """It finds what there was, and what it makes is new: no number is given twice."""
    store = await open_postgres(copied, reactor, patience=2.0, wait=0.0, tell=print)
    ann = await store.by_key("ann")
    assert ann is not None
    assert (await contents(store)).next_id > 8
    new = await store.add(account("Zoe", EntityId("c900")))
    assert new.id > ann.id
    store.close()
    assert list(check_postgres(copied)) == []


def test_only_into_an_empty_one(original: Path, copied: Target, tmp_path: Path) -> None:
    """What is there stays."""
    with reading(copied) as side:
        before = counts(side)
    with pytest.raises(CopyError, match=r"is not empty: it has \d+ in meta, .* Nothing was copied"):
        copy(original, copied)
    with reading(copied) as side:
        assert counts(side) == before
    file = tmp_path / "full.db"
    copy(copied, file)
    kept = file.read_bytes()
    with pytest.raises(CopyError, match="is not empty"):
        copy(copied, file)
    assert file.read_bytes() == kept


def test_all_or_nothing(original: Path, target: Target, cluster: Cluster, tmp_path: Path) -> None:
    """An error half-way leaves the target empty, or not there, and the source as it was."""
    prepare(target)
    cluster.ask("ALTER TABLE account ADD CHECK (key <> 'bob')", database=target.run["dbname"])
    before = original.read_bytes()
    with pytest.raises(CopyError, match=r"PostgreSQL broke it off: .*violates check constraint"):
        copy(original, target)
    with reading(target) as side:
        assert not any(counts(side).values())
    assert original.read_bytes() == before
    wrong = tmp_path / "wrong.db"
    broken = sqlite3.connect(wrong, isolation_level=None)
    migrate(broken)
    broken.execute("PRAGMA ignore_check_constraints = ON")
    broken.execute("INSERT INTO balance VALUES ('c1', 'gold', -1, 1)")
    broken.close()
    with pytest.raises(sqlite3.IntegrityError):
        copy(wrong, tmp_path / "new.db")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["wrong.db"]


async def test_not_under_a_server(original: Path, target: Target, tmp_path: Path) -> None:
    """Neither from nor to a database that one uses."""
    store = await open_postgres(target, reactor, patience=2.0, wait=0.0, tell=print)
    with pytest.raises(PostgresError, match="Another server runs on PostgreSQL"):
        copy(original, target)
    with pytest.raises(PostgresError, match="Another server runs on PostgreSQL"):
        copy(target, tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()
    store.close()


# ── fsck of PostgreSQL ──────────────────────────────────────────────────────────────────────────

#: Damages that are written the same way for both.
PORTABLE = [name for name, (sql, _) in BREAKS.items() if "rowid" not in sql and "json_set" not in sql]


def unguarded(cluster: Cluster, name: str) -> None:
    """Drop every constraint that would keep the rows whole."""
    for table, constraint in cluster.ask(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype IN ('c', 'f')"
        " AND conrelid::regclass::text <> 'fence' AND connamespace = 'public'::regnamespace",
        database=name,
    ):
        cluster.ask(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}", database=name)


@pytest.mark.parametrize("name", PORTABLE)
def test_broken(original: Path, copied: Target, cluster: Cluster, name: str) -> None:
    """Each kind of damage is named as in a file."""
    sql, expected = BREAKS[name]
    file = sqlite3.connect(original)
    names = named(file)
    file.close()
    unguarded(cluster, copied.run["dbname"])
    cluster.ask(sql.format(**names), database=copied.run["dbname"])
    assert expected.format(**names) in [str(one) for one in check_postgres(copied)]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("DROP TABLE schema_version", "I0: this is no database of Mythos"),
        ("INSERT INTO schema_version VALUES (900, 'later', 'x', 900)", "I0: this database has schema 900, which"),
        ("UPDATE schema_version SET checksum = 'x'", "I0: schema step 1 (first) was changed"),
    ],
)
def test_schema(copied: Target, cluster: Cluster, sql: str, message: str) -> None:
    """Of a schema that it does not know it says that, and judges nothing."""
    cluster.ask(sql, database=copied.run["dbname"])
    cluster.ask("DELETE FROM balance", database=copied.run["dbname"])
    (found,) = check_postgres(copied)
    assert str(found).startswith(message)


async def test_beside_a_server(copied: Target, cluster: Cluster) -> None:
    """It sees one committed instant, and holds nobody up."""
    store = await open_postgres(copied, reactor, patience=2.0, wait=0.0, tell=print)
    with connected(copied.run) as other:
        other.cursor().execute("DELETE FROM balance")
        assert list(check_postgres(copied)) == []
        other.commit()
    assert any(one.invariant == "I2" for one in check_postgres(copied))
    await write(store, batch(1, sessions=[SESSION]))
    store.close()
