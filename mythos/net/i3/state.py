"""What the Intermud-3 side keeps on disk beside the store: small JSON files, each written whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
from twisted.logger import Logger

__all__ = ["read", "save", "saved", "set_aside"]

_log = Logger()


def read(path: Path) -> dict[str, Any]:
    """What was saved; empty if there is nothing, or nothing that can be read: then the file is set aside."""
    try:
        found = json.loads(path.read_text("utf-8"))
        if type(found) is not dict:
            raise ValueError("it is no object")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        set_aside(path, error)
        return {}
    return found


def set_aside(path: Path, error: Exception) -> None:
    """Go on without a file that makes no sense, and leave it to the operator under another name."""
    aside = path.with_suffix(".bad")
    try:
        path.replace(aside)
    except OSError as why:
        _log.error("{path} cannot be set aside: {error}", path=path, error=why)
    _log.error("{path} cannot be read, and is now {aside}: {error!r}", path=path, aside=aside.name, error=error)


def save(state: dict[str, Any], path: Path, *, durable: bool = True) -> None:
    """Whole or not at all, and readable by nobody else: passwords are in it.

    :param durable: it is on disk when this returns: a power cut does not bring back what was there before
    """
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(state))  # json.dump takes fifty times as long
        if durable:
            file.flush()
            os.fsync(file.fileno())
    part.rename(path)
    if durable:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name is on disk too
        finally:
            os.close(folder)


def saved(state: dict[str, Any], path: Path, *, durable: bool = True) -> bool:
    """As :func:`save`. False: it cannot be written, and the log says so. A full disk costs what a kill would lose, and
    nothing else that is done meanwhile."""
    try:
        save(state, path, durable=durable)
    except OSError as error:
        _log.error("{file} cannot be written: {error}", file=path.name, error=error)
        return False
    return True
