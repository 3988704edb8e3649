"""What a server keeps beside its store: its directory, its secret."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from mythos.config import Config
from mythos.errors import MythosError

__all__ = ["EX_CONFIG", "StartError", "open_data", "secret_key", "write_whole"]

#: What an operator must put right: configuration, gate, port, directory.
EX_CONFIG = 78


class StartError(MythosError):
    """The server cannot start; the sentence says what to do."""


def open_data(directory: Path) -> int:
    """Make the data directory ours alone; returns the lock's file descriptor.

    :raises StartError: it cannot be written, or another server runs on it
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartError(
            f"The data directory {directory} cannot be written ({error.strerror}): choose another with --data DIR."
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
    """The configured key, or one of this data directory's own, made at its first start."""
    if config.security.secret_key:
        return config.security.secret_key
    path = config.data / "secret"
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
    return path.read_text("ascii").strip()


def write_whole(path: Path, text: str) -> None:
    """Whole or not at all: who reads it meanwhile sees the old one."""
    part = path.with_suffix(".part")
    part.write_text(text, "utf-8")
    part.replace(path)
