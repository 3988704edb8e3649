"""The only place of the configuration that touches the machine: its files and the environment of the process."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from mythos.config.load import ConfigError, Loaded, load
from mythos.config.problems import Problem

__all__ = ["environment", "exposed", "here", "read", "text"]


def read(options: Mapping[str, str], cwd: Path | None = None) -> Loaded:
    """The configuration of this process.

    :param options: see `load`.
    :param cwd: the directory it began in, if it may have left that.
    :raises ConfigError: naming every mistake.
    """
    return load(options=options, environ=environment(), files=text, cwd=cwd or here())


def here() -> Path:
    """:raises ConfigError: the directory that the process runs in was removed."""
    try:
        return Path.cwd()
    except OSError as error:
        sentence = "the directory this was started in is no more: change to one that is there"
        raise ConfigError([Problem(".", 0, 0, sentence)]) from error


def environment() -> dict[str, str]:
    """The variables of the process. They are UTF-8, also where the locale says that there is nothing but ASCII."""
    return {os.fsdecode(name): value.decode("utf-8", "surrogateescape") for name, value in os.environb.items()}


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
