"""A log in a file that does not grow for ever."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import BinaryIO

__all__ = ["LogFile"]


class LogFile:
    """Text is appended. A file that is too large makes way for a new one: ``mythos.log`` becomes ``mythos.log.1``, that
    becomes ``mythos.log.2``, and so on. Another program may do that instead: :meth:`reopen` goes on in a new file.

    :param rotate_size: bytes; 0: it is left to others
    :param keep: files beside the one that is written
    :raises OSError: it cannot be written
    """

    def __init__(self, path: Path, rotate_size: int, keep: int) -> None:
        self._path = path
        self._rotate_size = rotate_size
        self._keep = keep
        self._lock = threading.Lock()  # the thread that looks for stalls writes too
        self._file = self._open()

    def write(self, text: str) -> None:
        """:raises OSError: a disk that is full, for one; what was not written is lost"""
        data = text.encode("utf-8", "backslashreplace")
        with self._lock:
            if self._rotate_size and os.fstat(self._file.fileno()).st_size + len(data) > self._rotate_size:
                self._rotate()
            self._file.write(data)

    def flush(self) -> None:
        """Every write is on its way at once."""

    def reopen(self) -> None:
        """Go on in the file of that name, be it another one by now."""
        with self._lock:
            made = self._open()
            self._file.close()
            self._file = made

    def _open(self) -> BinaryIO:
        return open(self._path, "ab", buffering=0)

    def _rotate(self) -> None:
        if not os.fstat(self._file.fileno()).st_size:
            return  # one line is longer than a file may be
        if self._keep:
            for number in range(self._keep - 1, 0, -1):
                older = self._numbered(number)
                if older.exists():
                    older.replace(self._numbered(number + 1))
            self._path.replace(self._numbered(1))
        else:
            self._path.unlink(missing_ok=True)
        made = self._open()
        self._file.close()
        self._file = made

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
