"""What is wrong with a file of SQLite, in a sentence that names it and the way out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from mythos.store.migrate import SchemaError

__all__ = ["explained", "why"]

_OTHER: Final = "name another file with DATABASE_URL or DB_PATH"
_BACKUP: Final = "move it away and restore a backup with mythosctl restore"
_RIGHTS: Final = "run as the user that owns it, who must be able to write its directory too"
#: What each of SQLite's errors means to who runs the server.
_MEANS: Final = {
    sqlite3.SQLITE_NOTADB: f"is no database of SQLite: {_OTHER}, or {_BACKUP}",
    sqlite3.SQLITE_CORRUPT: f"is damaged: {_BACKUP}",
    sqlite3.SQLITE_FULL: "cannot grow, for its disk is full: make room there",
    sqlite3.SQLITE_IOERR: "cannot be read or written: see that its disk is sound and has room (df, ulimit -f)",
    sqlite3.SQLITE_CANTOPEN: f"cannot be opened: {_RIGHTS}",
    sqlite3.SQLITE_READONLY: f"may not be written: {_RIGHTS}",
    sqlite3.SQLITE_PERM: f"may not be written: {_RIGHTS}",
    sqlite3.SQLITE_BUSY: "is held by another program: end that one first",
    sqlite3.SQLITE_LOCKED: "is held by another program: end that one first",
}


def why(path: Path, error: sqlite3.Error) -> str:
    """The sentence for an error of the file at ``path``."""
    if path.is_dir():
        return f"{path} is a directory, and no database of SQLite: {_OTHER}."
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the module's own errors have none
    return f"{path} {_MEANS.get(code, f'is not as this server made it ({error}): {_BACKUP}')}."


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """:raises SchemaError: instead of SQLite's errors, and with the file in it"""
    try:
        yield
    except SchemaError as error:
        raise SchemaError(f"{path} cannot be used: {error}.") from error
    except sqlite3.Error as error:
        raise SchemaError(why(path, error)) from error
