"""The files that a deployment copies, and what a test changes in its own copy of one."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ["ETC", "ROOT", "adapted", "free_ports", "is_open"]

ROOT: Final = Path(__file__).parents[2]
ETC: Final = ROOT / "etc"


def adapted(path: Path, changes: Mapping[str, str]) -> str:
    """The text of a file with each of these replaced, wherever it stands; all of them must stand there."""
    text = path.read_text()
    for old, new in changes.items():
        assert old in text, f"{path.name} has no {old!r}"
        text = text.replace(old, new)
    return text


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on just now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    try:
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def is_open(port: int) -> bool:
    """Somebody listens there."""
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0
