"""A raw SQLite commit: the least a durable gift costs. WAL, ``synchronous=FULL``, rows as many and as large."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["percentile", "raw"]

_TABLES = (
    "CREATE TABLE entity (id INTEGER PRIMARY KEY, data TEXT NOT NULL)",
    "CREATE TABLE balance (holder INTEGER PRIMARY KEY, amount INTEGER NOT NULL)",
    "CREATE TABLE ledger (tx INTEGER PRIMARY KEY, kind TEXT NOT NULL)",
    "CREATE TABLE line (tx INTEGER NOT NULL, holder INTEGER NOT NULL, delta INTEGER NOT NULL)",
)
#: About what a character's row takes.
_DATA = "x" * 250


def raw(commits: int) -> list[float]:
    """Seconds that each of so many commits took: an item and its two holders written, a ledger row with two lines, two
    balances. In a directory where the server's would be."""
    with TemporaryDirectory(prefix="mythos-bench-") as home:
        database = sqlite3.connect(Path(home, "raw.db"), isolation_level=None)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", *_TABLES):
            database.execute(statement)
        times = []
        for tx in range(commits):
            start = time.perf_counter()
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT OR REPLACE INTO entity VALUES (?, ?)", [(row, _DATA) for row in range(3)])
            database.execute("INSERT INTO ledger VALUES (?, 'give')", (tx,))
            database.executemany("INSERT INTO line VALUES (?, ?, ?)", [(tx, 1, -1), (tx, 2, 1)])
            database.executemany("INSERT OR REPLACE INTO balance VALUES (?, ?)", [(1, tx), (2, tx)])
            database.execute("COMMIT")
            times.append(time.perf_counter() - start)
        database.close()
    return times


def percentile(times: Sequence[float], share: float) -> float:
    """The time that this share of them does not exceed."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]
