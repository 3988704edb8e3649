"""A directory of backups: which of them were verified, and which may go."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

__all__ = ["Kept", "mark", "name_of", "prune", "shelf"]

_NAME: Final = re.compile(r"mythos-(\d{8}T\d{6}\.\d{3})Z\.tar\.gz(\.enc)?")
_TIME: Final = "%Y%m%dT%H%M%S.%f"
#: What stands beside a backup that was verified: a line as of ``sha256sum``, which can check it again.
_VERIFIED: Final = ".verified"
#: A backup that is still being written after this time is one that was broken off.
_BROKEN_OFF: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup. ``made``: UTC; ``verified``: it was unpacked and found sound."""

    path: Path
    made: datetime
    verified: bool


def name_of(made: datetime, *, encrypted: bool) -> str:
    """Of a backup's file. :param made: UTC"""
    return f"mythos-{made.strftime(_TIME)[:-3]}Z.tar.gz{'.enc' if encrypted else ''}"


def shelf(directory: Path) -> list[Kept]:
    """The backups in it, the oldest first; none, if it is not there.

    :raises OSError: it cannot be read
    """
    try:
        names = {path.name for path in directory.iterdir()}
    except FileNotFoundError:
        return []
    found = []
    for name in sorted(names):
        if match := _NAME.fullmatch(name):
            with suppress(ValueError):  # 13 months have a name, too
                made = datetime.strptime(match[1], _TIME).replace(tzinfo=UTC)
                found.append(Kept(directory / name, made, f"{name}{_VERIFIED}" in names))
    return found


def mark(path: Path) -> None:
    """Say of a backup that it was verified. :raises OSError: it cannot be written"""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    mark = path.with_name(path.name + _VERIFIED)
    part = mark.with_name(f".{mark.name}.part")
    part.write_text(f"{digest}  {path.name}\n", "ascii")
    part.replace(mark)


def prune(directory: Path, keep: timedelta, now: datetime) -> list[Path]:
    """Remove backups older than ``keep``, but never the newest that was verified; returns those that are gone. One that
    is dated after ``now`` is no newest: its clock was wrong.

    :param now: UTC
    :raises OSError: one cannot be removed
    """
    there = shelf(directory)
    last = next((one.path for one in reversed(there) if one.verified and one.made <= now), None)
    gone = [one.path for one in there if now - one.made > keep and one.path != last]
    for path in gone:
        path.unlink(missing_ok=True)
        path.with_name(path.name + _VERIFIED).unlink(missing_ok=True)
    for part in directory.glob(".mythos-*.part"):
        if part.stat().st_mtime < (now - _BROKEN_OFF).timestamp():
            part.unlink(missing_ok=True)
    return gone
