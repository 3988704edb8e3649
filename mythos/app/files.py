"""What a server keeps beside its store: its directory, its secret."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import secrets
from pathlib import Path
from typing import Final

from mythos.config import Config
from mythos.config.gate import MIN_SECRET
from mythos.errors import MythosError

__all__ = [
    "EX_CONFIG",
    "LINE",
    "StartError",
    "allow_files",
    "clock_behind",
    "files_for",
    "open_data",
    "os_sentence",
    "secret_key",
    "write_whole",
]

#: What an operator must put right: configuration, gate, port, directory.
EX_CONFIG = 78
#: The variable that names, to a new process of a server, its socket to the process that hands the server over.
LINE = "MYTHOS_HANDED_LINE"


#: Files that a server has open before anybody comes, with room for what it opens now and then.
_OWN_FILES: Final = 64
#: Seconds that a file's time may be ahead.
_AHEAD: Final = 120.0
#: Errors of the system, and what helps against them.
_WAYS: Final = {
    **dict.fromkeys(
        (errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room on its disk (df), or allow it more (ulimit -f)"
    ),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "allow more open files (ulimit -n, LimitNOFILE)"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "run as the user that owns it"),
    errno.EROFS: "choose a place that can be written",
    errno.EISDIR: "a directory is where a file should be, move it away",
}


class StartError(MythosError):
    """The server cannot start; the sentence says what to do."""


def allow_files(connections: int) -> str:
    """Let the process open as many files as it may, and return what an operator should know if that is too few.

    :raises StartError: not even the server's own
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files_for(connections)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return ""
    if soft < _OWN_FILES:
        raise StartError(f"The server may open {soft} files and needs {wanted}: allow more (ulimit -n, LimitNOFILE).")
    return (
        f"The server may open {soft} files, and {connections} connections (limits.connections) need {wanted}: allow"
        " more (ulimit -n, LimitNOFILE), or let fewer in."
    )


def files_for(connections: int) -> int:
    """Files that a server with so many connections may have open at once."""
    return connections * 6 // 5 + 256


def clock_behind(directory: Path, now: float) -> str:
    """Whether the clock is behind the server's own files: then it was set back, or was wrong before.

    :param now: unix time
    :return: a sentence; empty if it is not
    """
    newest = max((path.stat().st_mtime for path in directory.glob("*") if path.exists()), default=0.0)
    if newest <= now + _AHEAD:
        return ""
    return (
        f"The clock is {(newest - now) / 60:.0f} minutes behind the files in {directory}: set it (timedatectl), for"
        " tokens and backups go by it."
    )


def open_data(directory: Path) -> int:
    """Make the data directory ours alone; returns the lock's file descriptor.

    :raises StartError: it cannot be written, or another server runs on it
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        why = "it is a file" if isinstance(error, FileExistsError) else error.strerror
        raise StartError(
            f"The data directory {directory} cannot be written ({why}): choose another with --data DIR."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise StartError(
            f"Another server runs on {directory}: stop it, or give this one a directory of its own with --data DIR."
        ) from error
    return lock


def secret_key(config: Config) -> str:
    """The configured key, or one of this data directory's own, made at its first start.

    :raises StartError: it cannot be read or made, or is too short for a key
    """
    if config.security.secret_key:
        return config.security.secret_key
    path = config.data / "secret"
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_text("ascii").strip()
    except OSError as error:
        raise StartError(os_sentence(error)) from error
    except UnicodeDecodeError:
        key = ""
    if len(key) < MIN_SECRET:
        raise StartError(
            f"The key in {path} is damaged: put it back from a backup, or remove the file; then a new one is made, and"
            " everybody has to log in again."
        )
    return key


def _make_key(path: Path) -> None:
    """Whole or not at all: a server that found half a key would sign with it."""
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def os_sentence(error: OSError) -> str:
    """What the system did not let us do, and the way out."""
    what = error.filename2 or error.filename
    name = os.fsdecode(what) if isinstance(what, str | bytes) else "A file or a socket"
    way = _WAYS.get(error.errno or 0, "see that it is there, and that the server's user may use it")
    return f"{name} cannot be used ({error.strerror or error}): {way}."


def write_whole(path: Path, text: str) -> None:
    """Whole or not at all: who reads it meanwhile sees the old one."""
    part = path.with_suffix(".part")
    part.write_text(text, "utf-8")
    part.replace(path)
