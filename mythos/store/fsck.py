"""Checks that a store keeps its promises: nothing made, lost or copied outside the ledger.

Reads only, in one transaction: beside a running server it sees one committed instant, and holds nobody up. What stands
in PostgreSQL is read into a file of SQLite for that, which nobody else sees: there is one way to judge both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mythos.play import names
from mythos.store.copying import SQLiteSide, fill, reading
from mythos.store.migrate import SchemaError, migrate, steps
from mythos.store.postgres.schema import Target, connected, schema_of

__all__ = ["INVARIANTS", "Broken", "check", "check_postgres", "examine"]

#: Most violations of one invariant that are named.
_NAMED = 20
#: Deepest nesting of things in things.
_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Broken:
    """One violation. ``invariant``: I0 (the file) to I7, see :data:`INVARIANTS`."""

    invariant: str
    message: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.message}"


INVARIANTS = {
    "I0": "the store is sound, has this version's schema, and its rows can be read",
    "I1": "the lines of each transaction sum to nothing for each asset",
    "I2": "each balance is the sum of its lines",
    "I3": "whatever holds a thing exists, and nothing holds itself",
    "I4": "the things there are, are those the ledger made and did not destroy",
    "I5": "nothing is negative",
    "I6": "numbers rise: nothing is ahead of the counters, and each write counts",
    "I7": "each account has a name and a character of its own, and each character stands in one room",
}


def check(path: Path) -> Iterator[Broken]:
    """Every violation in a database file.

    :raises sqlite3.Error: it cannot be read as a database
    """
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        yield from examine(database)
    finally:
        database.close()


def check_postgres(target: Target) -> Iterator[Broken]:
    """Every violation in a database of PostgreSQL.

    :raises PostgresError: it cannot be read
    """
    ours = steps("postgresql")
    with connected(target.run) as database:
        cursor = database.cursor()
        try:
            number, lacks = schema_of(cursor, ours)
        except SchemaError as error:
            yield Broken("I0", str(error))
            return
        if lacks:
            newest = ours[-1].number
            nothing = "this is no database of Mythos"
            yield Broken("I0", f"its schema is {number}, this version's is {newest}" if number else nothing)
            return
    copy = sqlite3.connect("", isolation_level=None)  # a file without a name
    try:
        migrate(copy)
        copy.execute("PRAGMA synchronous = OFF")
        copy.execute("PRAGMA ignore_check_constraints = ON")
        copy.execute("BEGIN")
        with reading(target) as source:
            fill(source, SQLiteSide(copy))
        copy.execute("COMMIT")
        copy.execute("PRAGMA ignore_check_constraints = OFF")
        yield from examine(copy)
    except sqlite3.IntegrityError as error:
        yield Broken("I0", f"rows are there twice, or hold what no column may: {error}")
    finally:
        copy.close()


def examine(database: sqlite3.Connection) -> Iterator[Broken]:
    """Every violation behind a connection that is in no transaction.

    :raises sqlite3.Error: it cannot be read as a database
    """
    database.execute("BEGIN")
    try:
        legible = True
        for message, fatal in _file(database):
            yield Broken("I0", message)
            legible = legible and not fatal
        if not legible:
            return
        for invariant, find in _CHECKS:
            found = find(database)
            yield from (Broken(invariant, message) for message in islice(found, _NAMED))
            if next(found, None) is not None:
                yield Broken(invariant, "and more of the same")
    finally:
        database.execute("ROLLBACK")


def _file(database: sqlite3.Connection) -> Iterator[tuple[str, bool]]:
    """What is wrong, and whether the rows cannot be judged for it."""
    for (message,) in database.execute("PRAGMA quick_check"):
        if message != "ok":
            yield f"the file is damaged: {message}", not message.startswith("CHECK constraint")
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone():
        yield "this is no database of Mythos", True
        return
    applied = dict(database.execute("SELECT number, checksum FROM schema_version"))
    ours = {step.number: step.checksum for step in steps()}
    if applied.keys() != ours.keys():
        yield f"its schema is {max(applied, default=0)}, this version's is {max(ours, default=0)}", True
    elif applied != ours:
        changed = next(number for number in sorted(ours) if applied[number] != ours[number])
        yield f"its schema {changed} was changed by hand", True


def _illegible(database: sqlite3.Connection) -> Iterator[str]:
    for (id,) in database.execute("SELECT id FROM entity WHERE NOT json_valid(data)"):
        yield f"the data of {id} is no JSON"
    rows = database.execute(
        "SELECT id FROM session WHERE epoch = '' OR NOT 0 <= floor OR NOT floor <= head OR next_c < 1"
        " OR NOT json_valid(tokens) OR NOT json_valid(cursors) OR NOT json_valid(coalesce(log, '[]'))"
    )
    for (id,) in rows:
        yield f"the session {id} cannot be taken up again: its numbers or its log make no sense"


def _unbalanced(database: sqlite3.Connection) -> Iterator[str]:
    rows = database.execute("SELECT tx, asset, sum(delta) FROM ledger_line GROUP BY tx, asset HAVING sum(delta) <> 0")
    for tx, asset, total in rows:
        yield f"the lines of transaction {tx} sum to {total} {asset}"
    for (tx,) in database.execute("SELECT DISTINCT tx FROM ledger_line WHERE tx NOT IN (SELECT tx FROM ledger)"):
        yield f"there are lines of transaction {tx}, which is not in the ledger"


def _wrong_balances(database: sqlite3.Connection) -> Iterator[str]:
    rows = database.execute(
        "SELECT holder, asset, sum(amount), sum(delta) FROM"
        " (SELECT holder, asset, amount, 0 AS delta FROM balance UNION ALL"
        "  SELECT holder, asset, 0, delta FROM ledger_line WHERE holder NOT IN ('mint', 'burn'))"
        " GROUP BY holder, asset HAVING sum(amount) <> sum(delta)"
    )
    for holder, asset, amount, total in rows:
        yield f"{holder} has {amount} {asset}, by the ledger {total}"


def _is_room(place: str) -> bool:
    """A room's id is ``zone:room``; those of entities have no colon, or two and more."""
    zone, _, room = place.partition(":")
    return bool(zone and room and ":" not in room)


def _misplaced(database: sqlite3.Connection) -> Iterator[str]:
    rows = database.execute("SELECT id, place FROM entity WHERE kind = 'i' AND place NOT IN (SELECT id FROM entity)")
    for id, place in rows:
        if not _is_room(place):
            yield f"{id} is in {place or 'no place'}, which does not exist"
    rows = database.execute(
        "SELECT holder, amount FROM balance WHERE asset = 'gold' AND amount > 0"
        " AND holder NOT IN (SELECT id FROM entity)"
    )
    for holder, amount in rows:
        if not _is_room(holder):
            yield f"{amount} gold is in {holder}, which does not exist"
    rows = database.execute(
        "WITH RECURSIVE up (id, place, depth) AS (SELECT id, place, 1 FROM entity WHERE kind = 'i'"
        " UNION ALL SELECT up.id, entity.place, depth + 1 FROM up JOIN entity ON entity.id = up.place"
        " WHERE entity.kind = 'i' AND depth <= :most) SELECT DISTINCT id FROM up WHERE depth > :most",
        {"most": _DEPTH},
    )
    for (id,) in rows:
        yield f"{id} lies in itself, or more than {_DEPTH} deep"


def _miscounted(database: sqlite3.Connection) -> Iterator[str]:
    rows = database.execute(
        "SELECT place, proto, sum(live), sum(amount) FROM"
        " (SELECT place, proto, stack AS live, 0 AS amount FROM entity WHERE kind = 'i' UNION ALL"
        "  SELECT holder, asset, 0, amount FROM balance WHERE asset <> 'gold')"
        " GROUP BY place, proto HAVING sum(live) <> sum(amount)"
    )
    for place, proto, live, amount in rows:
        yield f"{place} holds {live} {proto}, by the ledger {amount}"


def _negative(database: sqlite3.Connection) -> Iterator[str]:
    for holder, asset, amount in database.execute("SELECT holder, asset, amount FROM balance WHERE amount < 0"):
        yield f"{holder} has {amount} {asset}"
    for id, stack in database.execute("SELECT id, stack FROM entity WHERE stack <= 0"):
        yield f"{id} is a stack of {stack}"


def _ahead(database: sqlite3.Connection) -> Iterator[str]:
    meta = dict(database.execute("SELECT key, CAST(value AS INTEGER) FROM meta"))
    next_tx, next_id = meta.get("next_tx", 1), meta.get("next_id", 1)
    for (tx,) in database.execute("SELECT tx FROM ledger WHERE tx >= ?", (next_tx,)):
        yield f"transaction {tx} is not below the next one, {next_tx}"
    rows = database.execute(
        "SELECT id FROM (SELECT id FROM entity WHERE kind IN ('i', 'c') UNION SELECT character FROM account)"
        " WHERE CAST(substr(id, 2) AS INTEGER) >= ?",
        (next_id,),
    )
    for (id,) in rows:
        yield f"{id} is not below the next id, {next_id}: it would be given to somebody else"
    for id, rev in database.execute("SELECT id, rev FROM entity WHERE rev < 1"):
        yield f"{id} has revision {rev}"
    rows = database.execute(
        "SELECT holder, asset, rev, count(tx) FROM balance LEFT JOIN ledger_line USING (holder, asset)"
        " GROUP BY holder, asset HAVING rev <> count(tx)"
    )
    for holder, asset, rev, count in rows:
        yield f"the {asset} of {holder} has revision {rev} after {count} lines"


def _homeless(database: sqlite3.Connection) -> Iterator[str]:
    for id, place in database.execute("SELECT id, place FROM entity WHERE kind = 'c'"):
        if not _is_room(place):
            yield f"{id} stands in {place or 'no room'}"
    for name, key in database.execute("SELECT name, key FROM account"):
        if key != names.key(name):
            yield f"the account {name} is filed as {key}, and not as {names.key(name)}"
    # A server may die between an account and its character: the next login makes one, unless there was one already.
    rows = database.execute(
        "SELECT name, character FROM account WHERE character NOT IN (SELECT id FROM entity WHERE kind = 'c')"
        " AND character IN (SELECT holder FROM ledger_line)"
    )
    for name, character in rows:
        yield f"the account {name} has lost its character {character}"
    owned = dict(database.execute("SELECT id, character FROM account"))
    rows = database.execute(
        "SELECT id, json_extract(data, '$.account') FROM entity WHERE kind = 'c' AND json_valid(data)"
    )
    for id, account in rows:
        if account is not None and owned.get(account) != id:
            yield f"{id} says it is of account {account}, which is not its own"


_CHECKS: tuple[tuple[str, Callable[[sqlite3.Connection], Iterator[str]]], ...] = (
    ("I0", _illegible),
    ("I1", _unbalanced),
    ("I2", _wrong_balances),
    ("I3", _misplaced),
    ("I4", _miscounted),
    ("I5", _negative),
    ("I6", _ahead),
    ("I7", _homeless),
)
