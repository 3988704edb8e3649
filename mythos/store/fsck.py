"""Checks that a SQLite store keeps its promises: nothing made, lost or copied outside the ledger.

Reads only, in one transaction, so that it may run beside a server.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mythos.store.migrate import steps

__all__ = ["INVARIANTS", "Broken", "check"]

#: Most violations of one invariant that are named.
_NAMED = 20
#: Deepest nesting of things in things.
_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Broken:
    """One violation. ``invariant``: I0 (the schema) to I7, see :data:`INVARIANTS`."""

    invariant: str
    message: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.message}"


INVARIANTS = {
    "I0": "the database has this version's schema, and its file is sound",
    "I1": "the lines of each transaction sum to nothing for each asset",
    "I2": "each balance is the sum of its lines",
    "I3": "whatever holds a thing exists, and nothing holds itself",
    "I4": "the things there are, are those the ledger made and did not destroy",
    "I5": "nothing is negative",
    "I6": "numbers rise: no transaction and no entity is ahead of the counters",
    "I7": "each account has its own character, and each character stands in one room",
}


def check(path: Path) -> Iterator[Broken]:
    """Every violation in a database file.

    :raises sqlite3.Error: it cannot be read as a database
    """
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    try:
        database.execute("BEGIN")
        broken = list(_schema(database))
        yield from broken
        if broken:
            return
        for invariant, find in _CHECKS:
            for count, message in enumerate(find(database)):
                if count == _NAMED:
                    yield Broken(invariant, "and more of the same")
                    break
                yield Broken(invariant, message)
    finally:
        database.close()


def _schema(database: sqlite3.Connection) -> Iterator[Broken]:
    for (message,) in database.execute("PRAGMA quick_check"):
        if message != "ok":
            yield Broken("I0", f"the file is damaged: {message}")
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone():
        yield Broken("I0", "this is no database of Mythos")
        return
    applied = dict(database.execute("SELECT number, checksum FROM schema_version"))
    ours = {step.number: step.checksum for step in steps()}
    if applied != ours:
        yield Broken("I0", f"its schema is {max(applied, default=0)}, this version's is {max(ours, default=0)}")


def _unbalanced(database: sqlite3.Connection) -> Iterator[str]:
    rows = database.execute("SELECT tx, asset, sum(delta) FROM ledger_line GROUP BY tx, asset HAVING sum(delta) <> 0")
    for tx, asset, total in rows:
        yield f"transaction {tx} makes {total} {asset} from nothing"


def _wrong_balances(database: sqlite3.Connection) -> Iterator[str]:
    rows = database.execute(
        "SELECT holder, asset, coalesce(amount, 0), coalesce(total, 0) FROM"
        " (SELECT holder, asset, sum(delta) AS total FROM ledger_line"
        "  WHERE holder NOT IN ('mint', 'burn') GROUP BY holder, asset)"
        " FULL JOIN balance USING (holder, asset) WHERE coalesce(amount, 0) <> coalesce(total, 0)"
    )
    for holder, asset, amount, total in rows:
        yield f"{holder} has {amount} {asset}, by the ledger {total}"


def _misplaced(database: sqlite3.Connection) -> Iterator[str]:
    """A place is a room's id (``zone:room``) or an entity's."""
    rows = database.execute(
        "SELECT thing.id, thing.place FROM entity AS thing LEFT JOIN entity AS holder ON holder.id = thing.place"
        " WHERE thing.kind = 'i' AND holder.id IS NULL AND (thing.place NOT LIKE '%:%' OR thing.place LIKE 'n:%')"
    )
    for id, place in rows:
        yield f"{id} is in {place}, which does not exist"
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
        "SELECT place, proto, coalesce(live, 0), coalesce(amount, 0) FROM"
        " (SELECT place, proto, sum(stack) AS live FROM entity WHERE kind = 'i' GROUP BY place, proto)"
        " FULL JOIN (SELECT holder AS place, asset AS proto, amount FROM balance WHERE asset <> 'gold')"
        " USING (place, proto) WHERE coalesce(live, 0) <> coalesce(amount, 0)"
    )
    for place, proto, live, amount in rows:
        yield f"{place} holds {live} {proto}, by the ledger {amount}"


def _negative(database: sqlite3.Connection) -> Iterator[str]:
    for holder, asset, amount in database.execute("SELECT holder, asset, amount FROM balance WHERE amount < 0"):
        yield f"{holder} has {amount} {asset}"
    for id, stack in database.execute("SELECT id, stack FROM entity WHERE stack <= 0"):
        yield f"{id} is a stack of {stack}"


def _ahead(database: sqlite3.Connection) -> Iterator[str]:
    meta = dict(database.execute("SELECT key, value FROM meta"))
    next_tx, next_id = int(meta.get("next_tx", 1)), int(meta.get("next_id", 1))
    for (tx,) in database.execute("SELECT tx FROM ledger WHERE tx >= ?", (next_tx,)):
        yield f"transaction {tx} is not below the next one, {next_tx}"
    rows = database.execute(
        "SELECT id FROM entity WHERE kind IN ('i', 'c') AND CAST(substr(id, 2) AS INTEGER) >= ?", (next_id,)
    )
    for (id,) in rows:
        yield f"{id} is not below the next id, {next_id}"
    for id, rev in database.execute("SELECT id, rev FROM entity WHERE rev < 1"):
        yield f"{id} has revision {rev}"


def _homeless(database: sqlite3.Connection) -> Iterator[str]:
    for id, place in database.execute("SELECT id, place FROM entity WHERE kind = 'c' AND place NOT LIKE '%_:_%'"):
        yield f"{id} stands in {place or 'no room'}"
    rows = database.execute(
        "SELECT name, character FROM account LEFT JOIN entity ON entity.id = character AND kind = 'c'"
        " WHERE entity.id IS NULL"
    )
    for name, character in rows:
        yield f"the account {name} has no character {character}"
    rows = database.execute("SELECT character FROM account GROUP BY character HAVING count(*) > 1")
    for (character,) in rows:
        yield f"{character} belongs to several accounts"


_CHECKS: tuple[tuple[str, Callable[[sqlite3.Connection], Iterator[str]]], ...] = (
    ("I1", _unbalanced),
    ("I2", _wrong_balances),
    ("I3", _misplaced),
    ("I4", _miscounted),
    ("I5", _negative),
    ("I6", _ahead),
    ("I7", _homeless),
)
