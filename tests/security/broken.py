"""The house with parts that break: a verb, and a store from the moment that ``<data>.break`` is there.

Errors go where those of a server go: to the log with everything in it, and to Sentry, which is a file here.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from twisted.application.app import startApplication
from twisted.application.service import Application
from twisted.internet import reactor
from twisted.logger import globalLogBeginner

from mythos.app.house import House
from mythos.app.parts import Parts
from mythos.app.stores import OpenStore
from mythos.commands.table import VERBS
from mythos.config import disk
from mythos.config.model import Database
from mythos.play.call import Call
from mythos.play.verbs import Rank, Verb, VerbTable
from mythos.store.sqlite import SQLiteStore
from mythos.telemetry.logs import Observer
from mythos.telemetry.sentry import Sentry
from mythos.world.state import World
from mythos.world.zones import Atlas

T = TypeVar("T")


class BreakingStore(SQLiteStore):
    """:param broken: a file; while it is there, everything breaks in the middle"""

    def __init__(self, path: Path, reactor: Any, broken: Path) -> None:
        self._broken = broken
        super().__init__(path, reactor)

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def broken(database: sqlite3.Connection) -> T:
            work(database)
            raise RuntimeError("the store broke")

        return super()._transact(broken if self._broken.exists() else work)


class BrokenHouse(House):
    async def _build(self, atlas: Atlas) -> tuple[World, Parts]:
        world, parts = await super()._build(atlas)
        burst = Verb("burst", _burst, ("burst",), "Break.", "look")
        parts.realm.verbs = VerbTable((*VERBS.allowed(Rank.KEEPER), burst))
        return world, parts


def _burst(call: Call) -> None:
    def told(call: Call, secret: str) -> None:
        raise RuntimeError("the answer broke")

    call.ask("A secret?", told, secret=True)


class Sent:
    """A client of Sentry that writes what it would send to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def capture_event(self, event: dict[str, Any], /) -> object:
        with self._path.open("a") as file:
            return file.write(json.dumps(event, default=repr) + "\n")

    def close(self, *, timeout: float) -> object:
        return None


def main() -> None:
    arguments = iter(sys.argv[1:])
    config = disk.read({name.removeprefix("--"): next(arguments) for name in arguments}).config
    beside = str(config.data)
    observer = Observer("debug", as_json=True, stream=sys.__stderr__)
    observer.report = Sentry(Sent(Path(f"{beside}.sentry")), time.monotonic).report
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)

    def fail(text: str) -> None:
        print(text, file=sys.__stderr__, flush=True)
        os._exit(78)

    async def open_breaking(database: Database, reactor: Any, _: Any, lost: Callable[[str], None]) -> OpenStore:
        assert database.path is not None
        return BreakingStore(database.path, reactor, Path(f"{beside}.break"))

    house = BrokenHouse(config, reactor, say=print, fail=fail, observer=observer, open_store=open_breaking)
    application = Application("mythos")
    house.setServiceParent(application)
    startApplication(application, False)
    reactor.run()


if __name__ == "__main__":
    main()
