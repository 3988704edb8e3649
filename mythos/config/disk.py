"""The only place of the configuration that touches files: what `load` is handed by the programs that use it."""

from __future__ import annotations

import stat
from pathlib import Path

from mythos.config.load import Loaded

__all__ = ["exposed", "text"]


def text(path: Path) -> str | None:
    """The file's text, None if there is no such file.

    :raises OSError: if it is there and cannot be read.
    :raises UnicodeDecodeError: if it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def exposed(loaded: Loaded) -> list[Path]:
    """Files with secrets that other users may read: those that were read, and the data directory's own key."""
    return [path for path in (*loaded.secret_files, loaded.config.data / "secret") if _readable_by_others(path)]


def _readable_by_others(path: Path) -> bool:
    """True if users who are neither owner nor in the file's group may read it. Nobody reads what is not there."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:  # not there, or where we cannot look either
        return False
