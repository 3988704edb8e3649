"""A program in a terminal of its own, as a player has it: what is typed, and what is shown."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["Terminal"]

PATIENCE = 20.0
_HEIGHT, _WIDTH = 40, 100
#: Cursor movements and colours of the client's own screen.
_DRAWN = re.compile(r"\x1b(?:\[[0-9;?>]*[A-Za-z]|[()][0-9A-Za-z]|[=>78]|\][^\x07]*\x07)")


class Terminal:
    """:ivar screen: every byte that was shown"""

    def __init__(self, command: Sequence[str | Path], home: Path) -> None:
        self._near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", _HEIGHT, _WIDTH, 0, 0))
        environ = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        self._process = subprocess.Popen(
            command, stdin=far, stdout=far, stderr=far, env=environ, cwd=home, start_new_session=True
        )
        os.close(far)
        self.screen = b""
        self._seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._near)

    def type(self, line: str) -> None:
        self.press(line.encode() + b"\n")

    def press(self, keys: bytes) -> None:
        os.write(self._near, keys)

    def until(self, wanted: str) -> str:
        """What was shown up to there, blanks joined; it is not looked at again."""
        end = time.monotonic() + PATIENCE
        while True:
            plain = " ".join(_DRAWN.sub("", self.screen[self._seen :].decode("utf-8", "replace")).split())
            if wanted in plain:
                self._seen = len(self.screen)
                return plain
            left = end - time.monotonic()
            if left < 0 or not select.select([self._near], [], [], left)[0]:
                raise AssertionError(f"{wanted!r} was not shown: {plain[-2000:]}")
            self.screen += os.read(self._near, 65_536)
