"""Which store a configuration names, opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from mythos.app.files import StartError
from mythos.config.model import Database
from mythos.flow.jobs import JobStore
from mythos.play.ports import AccountStore, BadBatch, Store, StoreDown
from mythos.store.file import why
from mythos.store.memory import MemoryStore
from mythos.store.postgres.schema import Target
from mythos.store.postgres.store import open_postgres
from mythos.store.sqlite import SQLiteStore

__all__ = ["OpenStore", "Opener", "open_store", "target", "unread"]


class OpenStore(Store, AccountStore, JobStore, Protocol):
    """All ports of one store, until it is closed."""

    def close(self) -> None: ...

    async def release(self) -> None:
        """Everything asked so far is done; from now on another process may have it."""

    async def take(self) -> None:
        """It is ours again after :meth:`release`. :raises MythosError: another server has it"""

    def trouble(self) -> str:
        """What is wrong with it, for health; empty if nothing."""


#: Takes the settings, the reactor, who hears that a start waits, and who hears that the world is another server's now.
Opener = Callable[[Database, Any, Callable[[str], None], Callable[[str], None]], Awaitable[OpenStore]]


async def open_store(
    database: Database, reactor: Any, tell: Callable[[str], None], lost: Callable[[str], None]
) -> OpenStore:
    """The store, on today's schema.

    :raises SchemaError: it cannot be used; with what to do
    :raises StartError: there is no place for it
    """
    if database.url.postgres:
        patience, wait = database.acquire_timeout, database.start_timeout
        return await open_postgres(target(database), reactor, patience=patience, wait=wait, tell=tell, lost=lost)
    if database.path is None:
        return MemoryStore()
    try:
        database.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(
            f"The directory of the store {database.path} cannot be made ({error.strerror}): choose another with "
            "DATABASE_URL or DB_PATH."
        ) from error
    return SQLiteStore(database.path, reactor)


def unread(database: Database, error: StoreDown | BadBatch) -> StartError:
    """What to say where a store could be opened, and not be read."""
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error) and database.path is not None:
        return StartError(why(database.path, cause))
    return StartError(f"The store {database.url} cannot be read: {error}. See mythosctl fsck.")


def target(database: Database) -> Target:
    """Where PostgreSQL is, for a URL that names it."""
    direct = database.direct_url.url if database.direct_url is not None else ""
    return Target(database.url.url, direct, database.password)
