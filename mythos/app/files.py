"""What the house reads and writes beside its store: the world, the web client, its directory, its secret."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from mythos.config import Config
from mythos.content import load as load_atlas
from mythos.errors import MythosError
from mythos.net.site import WebFiles
from mythos.world.zones import Atlas

__all__ = ["EX_CONFIG", "StartError", "open_data", "read_world", "secret_key", "web_files", "write_whole"]

_PACKAGE = Path(__file__).parents[1]
#: What an operator must put right: configuration, gate, port, directory.
EX_CONFIG = 78


class StartError(MythosError):
    """The server cannot start; the sentence says what to do."""


def read_world(directory: Path | None) -> Atlas:
    """The world of a directory, or the starter world.

    :raises MythosError: with every problem, by file, line and column
    """
    root = directory or _PACKAGE / "content" / "starter"
    files = {
        str(path.relative_to(root)): _text(path)
        for path in sorted(root.rglob("*"))
        if path.suffix in (".yaml", ".md") and path.is_file()
    }
    if not files:
        raise StartError(f"{root} holds no world: there is no world.yaml in it.")
    return load_atlas(files)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise StartError(f"{path} is not UTF-8: byte {error.start} cannot be read. Save it as UTF-8.") from error
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}.") from error


def web_files() -> WebFiles:
    root = _PACKAGE / "webclient"
    return WebFiles({str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()})


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
