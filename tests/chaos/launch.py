"""The house with a store that kills its own process at a chosen moment; and without the horizon, for the control.

The moments are those where a mistake would show: a batch is on its way, or its words are held. Environment:
``CHAOS_DIE=before|during|after:N`` dies around the Nth batch with postings, ``CHAOS_UNSAFE=1`` lets words go at once,
``CHAOS_GUESS=1`` takes it for granted that a commit of which PostgreSQL said nothing was written.
The moment it died at stands in ``<data>.died``.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from twisted.application.app import startApplication
from twisted.application.service import Application
from twisted.internet import reactor
from twisted.logger import globalLogBeginner

from mythos.app.house import House
from mythos.app.stores import OpenStore, target
from mythos.config import disk
from mythos.config.model import Database
from mythos.store.postgres.connection import Cursor
from mythos.store.postgres.schema import Target, prepare
from mythos.store.postgres.store import PostgresStore
from mythos.store.rows import Rows
from mythos.store.sqlite import SQLiteStore, apply
from mythos.telemetry.logs import Observer

T = TypeVar("T")


class DyingStore(SQLiteStore):
    """:param moment: before the batch is written, during its transaction, or after its commit"""

    def __init__(self, path: Path, reactor: Any, moment: str, number: int, died: Path) -> None:
        self._moment = moment
        self._left = number
        self._died = died
        self._doomed = False
        super().__init__(path, reactor)

    async def write(self, rows: Rows) -> None:
        if rows.ledger:
            self._left -= 1
            self._doomed = self._left == 0
        if self._doomed and self._moment == "before":
            _die(self._moment, self._died)
        doomed = self._doomed

        def work(database: sqlite3.Connection) -> None:
            apply(database, rows)
            if doomed and self._moment == "during":
                _die(self._moment, self._died)

        await self._run(work)

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        result = super()._transact(work)
        if self._doomed:  # on disk, and nobody was told
            _die(self._moment, self._died)
        return result


class DyingPostgresStore(PostgresStore):
    """The same over PostgreSQL."""

    def __init__(self, target: Target, reactor: Any, moment: str, number: int, died: Path) -> None:
        self._moment = moment
        self._left = number
        self._died = died
        super().__init__(target, reactor, patience=2.0)

    async def write(self, rows: Rows) -> None:
        if rows.ledger:
            self._left -= 1
        if self._left == 0 and self._moment == "before":
            _die(self._moment, self._died)
        await super().write(rows)
        if self._left == 0:  # on disk, and nobody was told
            _die(self._moment, self._died)

    async def _write(self, cursor: Cursor, rows: Rows, *, looks: bool) -> bool:
        if looks and os.environ.get("CHAOS_GUESS"):
            return True
        during = self._left == 0 and self._moment == "during"
        there = await super()._write(cursor, rows, looks=looks or during)  # else it would go out whole
        if during:
            _die(self._moment, self._died)
        return there


def _die(moment: str, died: Path) -> None:
    died.write_text(moment)
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    arguments = iter(sys.argv[1:])
    options = {name.removeprefix("--"): next(arguments) for name in arguments}
    config = disk.read(options).config
    moment, _, number = os.environ.get("CHAOS_DIE", "never:0").partition(":")
    died = config.data.with_name(config.data.name + ".died")
    observer = Observer("info", as_json=False, stream=sys.__stderr__)
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)

    def fail(text: str) -> None:
        print(text, file=sys.__stderr__, flush=True)
        os._exit(78)

    async def open_dying(database: Database, reactor: Any, _: Any, lost: Callable[[str], None]) -> OpenStore:
        if database.path is not None:
            return DyingStore(database.path, reactor, moment, int(number), died)
        where = target(database)
        prepare(where)
        store = DyingPostgresStore(where, reactor, moment, int(number), died)
        await store.take()
        store.lost = lost
        return store

    house = House(
        config,
        reactor,
        say=print,
        fail=fail,
        observer=observer,
        unsafe=bool(os.environ.get("CHAOS_UNSAFE")),
        open_store=open_dying,
    )
    application = Application("mythos")
    house.setServiceParent(application)
    startApplication(application, False)
    reactor.run()


if __name__ == "__main__":
    main()
