"""The same ports in memory, for tests and for ``--store memory``: the schema of SQLite, in a database without a file.

A second implementation in dicts would be one more thing to be wrong in; this one runs without a thread, so that a
test with a fake clock sees a commit at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import Deferred, execute

from mythos.store.migrate import migrate
from mythos.store.sqlite import SQLiteStore, connect

__all__ = ["MemoryStore"]

T = TypeVar("T")


class MemoryStore(SQLiteStore):
    """Forgets everything with the process."""

    def __init__(self) -> None:
        self._database = connect(":memory:")
        migrate(self._database)

    def close(self) -> None:
        self._database.close()

    def _run(self, work: Callable[..., T]) -> Deferred[T]:
        return execute(self._transact, work)

    _aside = _run
