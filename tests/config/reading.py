"""A configuration read from text, without process or disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mythos.config import ConfigError, Loaded, load

__all__ = ["CWD", "mistakes", "read"]

CWD = Path("/srv/mud")


def read(
    yaml: str | None = None,
    *,
    env: Mapping[str, str] | None = None,
    dotenv: str | None = None,
    options: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> Loaded:
    """:param files: more files by their path, absolute or from `CWD`."""
    disk = {CWD / name: text for name, text in (files or {}).items()}
    if yaml is not None:
        disk[CWD / "mythos.yaml"] = yaml
    if dotenv is not None:
        disk[CWD / ".env"] = dotenv
    return load(options=options or {}, environ=env or {}, files=disk.get, cwd=CWD)


def mistakes(
    yaml: str | None = None,
    *,
    env: Mapping[str, str] | None = None,
    dotenv: str | None = None,
    options: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> list[str]:
    """The lines of the ConfigError; none if the configuration is good."""
    try:
        read(yaml, env=env, dotenv=dotenv, options=options, files=files)
    except ConfigError as error:
        return str(error).split("\n")
    return []
