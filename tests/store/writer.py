"""A program that writes numbered batches to a store and prints each number once the store has acknowledged it.

``python -m tests.store.writer FILE FIRST [hasty]`` goes on until it is killed. ``hasty`` puts a store between that
acknowledges what it has not written yet.
"""

from __future__ import annotations

import os
import sys
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorCore, IReactorFromThreads

from mythos.ids import EntityId, RoomId, SessionId
from mythos.play.commits import Batch
from mythos.play.ports import SessionRecord
from mythos.store.rows import Rows
from mythos.store.sqlite import SQLiteStore
from mythos.world.state import MINT, Item
from tests.store.batches import batch, paid
from tests.world.town import ITEMS, YARD

__all__ = ["THINGS", "numbered"]

#: Things that each batch makes.
THINGS = 5
HOARD, SESSION = RoomId("hoard"), SessionId("a1")


def numbered(n: int) -> Batch:
    """Batch ``n``: things, coins, a command's answer and a session's row, all of which say so."""
    record = SessionRecord(SESSION, EntityId("c1"), "epoch", n, n + 1, (), 0.0)
    return batch(
        n,
        paid(n, MINT, HOARD, 1, session=SESSION, c=n),
        entities=[Item(EntityId(f"i{n}-{k}"), ITEMS[0], YARD) for k in range(THINGS)],
        sessions=[record],
        next_id=n + 1,
        next_tx=n + 1,
    )


class _Writes(Protocol):
    async def write(self, rows: Any) -> None: ...


class _HastyStore:
    """Acknowledges at once and writes a little later: what no store may do."""

    def __init__(self, store: SQLiteStore, *, behind: int = 8) -> None:
        self._store = store
        self._behind = behind
        self._late: list[Rows] = []

    async def write(self, rows: Rows) -> None:
        self._late.append(rows)
        if len(self._late) > self._behind:
            await self._store.write(self._late.pop(0))


async def _write(path: Path, first: int, hasty: bool) -> None:
    store = SQLiteStore(path, IReactorFromThreads(reactor))
    to: _Writes = _HastyStore(store) if hasty else store
    for n in count(first):
        await to.write(store.encode(numbered(n)))
        os.write(1, b"%d\n" % n)


def _main(path: str, first: str, *hasty: str) -> None:
    core = IReactorCore(reactor)

    def start() -> None:
        Deferred.fromCoroutine(_write(Path(path), int(first), bool(hasty))).addErrback(stop)

    def stop(failure: Any) -> None:
        failure.printTraceback()
        core.stop()

    core.callWhenRunning(start)
    core.run()


if __name__ == "__main__":
    _main(*sys.argv[1:])
