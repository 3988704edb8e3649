"""The last lines of the server's own log, for operators who ask for them."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from typing import Any

__all__ = ["KEPT", "Tail"]

#: Lines kept.
KEPT = 2_000


class Tail:
    """A stream for the log, which also keeps its last lines. Written to by any thread.

    :param stream: where the lines go; None: the process's own stream
    :ivar reopen: goes on in a new file, if it is one
    """

    def __init__(self, stream: Any = None) -> None:
        self._stream: Any = stream or sys.__stdout__
        self.reopen: Callable[[], None] = getattr(stream, "reopen", lambda: None)
        self._lines: deque[tuple[int, str]] = deque(maxlen=KEPT)
        self._last = 0

    def write(self, text: str, /) -> None:
        """One event, which may be several lines: a traceback stays with what it belongs to."""
        self._last += 1
        self._lines.append((self._last, text.rstrip("\n")))
        self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def since(self, number: int) -> tuple[list[str], int, int]:
        """The events after a number, which is 0 at the start.

        :return: them, the number of the last one, and how many between were too many to be kept
        """
        lines = tuple(self._lines)
        found = [text for at, text in lines if at > number]
        last = lines[-1][0] if lines else 0
        return found, last, max(0, last - number - len(found))
