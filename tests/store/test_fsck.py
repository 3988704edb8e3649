"""fsck: a store that was played in is sound, and each way of breaking it is named."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from mythos.ids import EntityId
from mythos.play.sessions import Session
from mythos.store.fsck import INVARIANTS, check, examine
from mythos.store.migrate import migrate, steps
from mythos.store.sqlite import connect
from mythos.world.state import MINT, Character
from tests.scenes.people import in_town
from tests.scenes.scene import Ear, Scene
from tests.world.town import ITEMS, YARD

_BAG = next(proto for proto in ITEMS if proto.id == "bag")
_TAIL = next(proto for proto in ITEMS if proto.id == "tail")


def enter(scene: Scene, name: str) -> Character:
    """Somebody with an account of their own."""
    done: list[Session] = []
    Deferred.fromCoroutine(scene.accounts.register_new(name, "a long password")).addCallback(done.append)
    (session,) = done
    scene.ears[name] = ear = Ear(session)
    scene.realm.attach(ear, session, token=False, then=lambda attached: None)
    return session.me


def played() -> Scene:
    """Ann (c7) has a bag with tails, and gold; Bob (c8) bought a flask; a guest came, took a thing and left."""
    scene = in_town(people="")
    world, ann, bob = scene.world, enter(scene, "Ann"), enter(scene, "Bob")
    bag = world.mint_item(_BAG, ann.id)
    world.mint_item(_TAIL, bag.id, 3)
    world.move_gold(MINT, ann.id, 30)
    world.move_gold(MINT, EntityId(bag.id), 7)
    scene.realm.happened((), "grant")
    scene.type("Ann", "give 12 gold to bob", "drop 2 gold")
    scene.type("Bob", "buy flask")
    scene.type("Ann", "north", "get flask", "drop flask")
    scene.arrive("Gus", room=YARD, guest=True)
    scene.type("Gus", "get flask", "quit")
    scene.tick(3)
    scene.realm.save(with_logs=True)
    assert (ann.gold, [item.proto.id for item in world.held(bob.id)]) == (16, ["flask"])
    return scene


@pytest.fixture(scope="module")
def sound() -> Iterator[sqlite3.Connection]:
    store = played().store
    yield store._database
    store.close()


@pytest.fixture
def database(sound: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A copy to break, with everything off that would keep it whole."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    sound.backup(copy)
    copy.execute("PRAGMA ignore_check_constraints = ON")
    yield copy
    copy.close()


@pytest.fixture
def file(sound: sqlite3.Connection, tmp_path: Path) -> Path:
    path = tmp_path / "mythos.db"
    copy = connect(str(path))
    sound.backup(copy)
    copy.close()
    return path


def found(database: sqlite3.Connection) -> list[str]:
    database.execute("PRAGMA ignore_check_constraints = OFF")
    return [str(one) for one in examine(database)]


def test_sound(database: sqlite3.Connection) -> None:
    """There is something of everything in the store, and nothing is wrong with it."""
    for table in ("entity", "balance", "ledger", "ledger_line", "session", "account", "meta"):
        assert database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 1, table  # noqa: S608
    assert found(database) == []
    assert not database.in_transaction


def test_empty(tmp_path: Path) -> None:
    """A store that nobody played in is sound, too."""
    path = tmp_path / "db"
    fresh = connect(str(path))
    migrate(fresh)
    fresh.close()
    assert list(check(path)) == []


#: What is done to a sound store, and a sentence that must be said of it; both with the names of :func:`named`.
BREAKS: dict[str, tuple[str, str]] = {
    "bad data": ("UPDATE entity SET data = '{{' WHERE id = 'c7'", "I0: the data of c7 is no JSON"),
    "unknown kind": (
        "UPDATE entity SET kind = 'x' WHERE kind = 's'",
        "I0: the file is damaged: CHECK constraint failed in entity",
    ),
    "session behind its floor": (
        "UPDATE session SET id = 'S', floor = head + 1 WHERE rowid = 1",
        "I0: the session S cannot be taken up again: its numbers or its log make no sense",
    ),
    "session with a torn log": (
        "UPDATE session SET id = 'S', log = '[[1' WHERE rowid = 1",
        "I0: the session S cannot be taken up again: its numbers or its log make no sense",
    ),
    "gold from nothing": (
        "INSERT INTO ledger_line VALUES (1, 'burn', 'gold', 5)",
        "I1: the lines of transaction 1 sum to 5 gold",
    ),
    "lines without a transaction": (
        "INSERT INTO ledger_line VALUES (0, 'mint', 'gold', -1), (0, 'burn', 'gold', 1)",
        "I1: there are lines of transaction 0, which is not in the ledger",
    ),
    "a balance too high": (
        "UPDATE balance SET amount = 1000 WHERE holder = 'c7' AND asset = 'gold'",
        "I2: c7 has 1000 gold, by the ledger 16",
    ),
    "a balance that is gone": (
        "DELETE FROM balance WHERE holder = 'c7' AND asset = 'gold'",
        "I2: c7 has 0 gold, by the ledger 16",
    ),
    "a balance without lines": (
        "INSERT INTO balance VALUES ('c8', 'crown', 1, 0)",
        "I2: c8 has 1 crown, by the ledger 0",
    ),
    "a thing in nothing": (
        "UPDATE entity SET place = 'i999' WHERE id = '{tails}'",
        "I3: {tails} is in i999, which does not exist",
    ),
    "a thing nowhere": (
        "UPDATE entity SET place = '' WHERE id = '{tails}'",
        "I3: {tails} is in no place, which does not exist",
    ),
    "a thing with an NPC who is no more": (
        "UPDATE entity SET place = 'n:t:nobody' WHERE id = '{tails}'",
        "I3: {tails} is in n:t:nobody, which does not exist",
    ),
    "a bag in itself": (
        "UPDATE entity SET place = id WHERE id = '{bag}'",
        "I3: {bag} lies in itself, or more than 16 deep",
    ),
    "gold in nothing": (
        "DELETE FROM entity WHERE id IN ('{bag}', '{tails}')",
        "I3: 7 gold is in {bag}, which does not exist",
    ),
    "a thing twice": (
        "INSERT INTO entity SELECT 'i0', kind, proto, zone, place, stack, rev, data FROM entity WHERE proto = 'bag'",
        "I4: c7 holds 2 bag, by the ledger 1",
    ),
    "a thing lost": (
        "DELETE FROM entity WHERE id = '{tails}'",
        "I4: {bag} holds 0 tail, by the ledger 3",
    ),
    "a thing moved past the ledger": (
        "UPDATE entity SET place = 'c8' WHERE id = '{bag}'",
        "I4: c8 holds 1 bag, by the ledger 0",
    ),
    "a stack grown": (
        "UPDATE entity SET stack = 4 WHERE id = '{tails}'",
        "I4: {bag} holds 4 tail, by the ledger 3",
    ),
    "a debt": (
        "UPDATE balance SET amount = -5 WHERE holder = 'c8' AND asset = 'gold'",
        "I5: c8 has -5 gold",
    ),
    "a stack of nothing": (
        "UPDATE entity SET stack = 0 WHERE id = '{tails}'",
        "I5: {tails} is a stack of 0",
    ),
    "a transaction number to be used again": (
        "UPDATE meta SET value = '2' WHERE key = 'next_tx'",
        "I6: transaction 2 is not below the next one, 2",
    ),
    "no counters": (
        "DELETE FROM meta",
        "I6: transaction 1 is not below the next one, 1",
    ),
    "an id to be used again": (
        "UPDATE meta SET value = '8' WHERE key = 'next_id'",
        "I6: c8 is not below the next id, 8: it would be given to somebody else",
    ),
    "an account's character to be used again": (
        "INSERT INTO account VALUES (99, 'new', 'New', '', 'c500', 0, 0)",
        "I6: c500 is not below the next id, {next_id}: it would be given to somebody else",
    ),
    "a row that went back": ("UPDATE entity SET rev = 0 WHERE id = 'c7'", "I6: c7 has revision 0"),
    "a write of a balance lost": (
        "UPDATE balance SET rev = rev - 1 WHERE holder = 'c7' AND asset = 'gold'",
        "I6: the gold of c7 has revision 2 after 3 lines",
    ),
    "a character in a bag": ("UPDATE entity SET place = '{bag}' WHERE id = 'c7'", "I7: c7 stands in {bag}"),
    "a character nowhere": ("UPDATE entity SET place = '' WHERE id = 'c7'", "I7: c7 stands in no room"),
    "a name filed wrong": (
        "UPDATE account SET name = 'Bób' WHERE key = 'ann'",
        "I7: the account Bób is filed as ann, and not as bob",
    ),
    "a character lost": (
        "UPDATE account SET character = 'c7' WHERE key = 'ann'; DELETE FROM entity WHERE id = 'c7'",
        "I7: the account Ann has lost its character c7",
    ),
    "a character of somebody else's account": (
        "UPDATE entity SET data = json_set(data, '$.account', 99) WHERE id = 'c7'",
        "I7: c7 says it is of account 99, which is not its own",
    ),
}


def named(database: sqlite3.Connection) -> dict[str, str]:
    """Ids of Ann's bag and of the tails in it, and the next one."""
    rows = database.execute(
        "SELECT 'bag', id FROM entity WHERE proto = 'bag' UNION ALL"
        " SELECT 'tails', thing.id FROM entity AS thing JOIN entity AS bag ON thing.place = bag.id"
        " WHERE bag.proto = 'bag' UNION ALL"
        " SELECT 'next_id', value FROM meta WHERE key = 'next_id'"
    )
    return dict(rows)


@pytest.mark.parametrize("name", BREAKS)
def test_broken(database: sqlite3.Connection, name: str) -> None:
    """Each kind of damage is named by what it is, with the thing it happened to."""
    sql, expected = BREAKS[name]
    names = named(database)
    database.executescript(sql.format(**names))
    assert expected.format(**names) in found(database)


def test_each_invariant_has_its_damage() -> None:
    assert {expected.split(":")[0] for _, expected in BREAKS.values()} == set(INVARIANTS)


def test_one_damage_is_one_complaint(database: sqlite3.Connection) -> None:
    """What still holds is not complained of."""
    database.execute("UPDATE entity SET stack = 4 WHERE id = ?", (named(database)["tails"],))
    assert len(found(database)) == 1


def test_an_account_whose_character_was_not_yet_made(database: sqlite3.Connection) -> None:
    """A server may die between the two; the login makes the character, and nothing is wrong."""
    next_id = int(named(database)["next_id"])
    database.execute("INSERT INTO account VALUES (99, 'new', 'New', '', ?, 0, 0)", (f"c{next_id}",))
    database.execute("UPDATE meta SET value = ? WHERE key = 'next_id'", (next_id + 1,))
    assert found(database) == []


def test_many_of_a_kind(database: sqlite3.Connection) -> None:
    """A store that is broken all over is not a thousand lines."""
    database.executemany("INSERT INTO ledger_line VALUES (?, 'burn', 'gold', 1)", [(tx,) for tx in range(900, 950)])
    assert sum(line.startswith("I1") for line in found(database)) == 21
    assert "I1: and more of the same" in found(database)


# ── which files ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("DROP TABLE schema_version", "I0: this is no database of Mythos"),
        (
            "INSERT INTO schema_version VALUES (900, 'later', 'x', 900)",
            f"I0: its schema is 900, this version's is {len(steps())}",
        ),
        ("UPDATE schema_version SET checksum = 'x'", "I0: its schema 1 was changed by hand"),
    ],
)
def test_schema(file: Path, sql: str, message: str) -> None:
    """Of a schema that it does not know it says that, and judges nothing."""
    database = connect(str(file))
    database.execute(sql)
    database.execute("DELETE FROM balance")
    database.close()
    assert [str(one) for one in check(file)] == [message]


def test_no_database(tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.write_bytes(b"something else" * 1000)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        list(check(path))


def test_a_damaged_page(file: Path) -> None:
    """A disk that lost a page: said, and no row is judged."""
    database = connect(str(file))
    page = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'entity_place'").fetchone()[0]
    size = database.execute("PRAGMA page_size").fetchone()[0]
    database.close()
    with file.open("r+b") as raw:
        raw.seek((page - 1) * size)
        raw.write(bytes(size))
    said = [str(one) for one in check(file)]
    assert said
    assert all(line.startswith("I0: the file is damaged") for line in said)


def test_odd_path(file: Path, tmp_path: Path) -> None:
    """The path of a data directory may hold what means something in an address."""
    odd = tmp_path / "a?mode=rw#b %41"
    odd.mkdir()
    shutil.copy(file, odd / "mythos.db")
    assert list(check(odd / "mythos.db")) == []


# ── beside a server ─────────────────────────────────────────────────────────────────────────────


def test_beside_a_writer(file: Path) -> None:
    """It sees the last commit whole, does not wait for who writes, and leaves no trace."""
    server = connect(str(file))
    server.execute("BEGIN IMMEDIATE")
    server.execute("DELETE FROM balance")
    before = file.read_bytes()
    assert list(check(file)) == []
    server.execute("COMMIT")
    assert any(one.invariant == "I2" for one in check(file))
    assert file.read_bytes() == before  # what was committed stands in the log
    server.close()


def test_after_a_kill(file: Path, tmp_path: Path) -> None:
    """A server that was killed leaves its newest commits in the log: they count."""
    server = connect(str(file))
    server.execute("DELETE FROM balance")
    left = tmp_path / "left"
    left.mkdir()
    for name in ("mythos.db", "mythos.db-wal"):
        shutil.copy(tmp_path / name, left / name)
    server.close()
    assert any(one.invariant == "I2" for one in check(left / "mythos.db"))
