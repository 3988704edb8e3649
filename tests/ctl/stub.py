"""The other end of the control socket: answers what it is told to, and keeps what it was asked."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any, Self

__all__ = ["Stub"]


class Stub:
    """One thread, one connection at a time; each gets :attr:`answer` for its first line, and is closed.

    :ivar answer: the bytes, as they are
    """

    def __init__(self, data: Path) -> None:
        self.answer = b""
        self.asked: list[dict[str, Any]] = []
        data.mkdir()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(data / "control.sock"))
        self._socket.listen()
        self._thread = threading.Thread(target=self._work)

    def says(self, **members: Any) -> None:
        self.answer = json.dumps({"ok": True, **members}).encode() + b"\n"

    def refuses(self, error: str) -> None:
        self.answer = json.dumps({"ok": False, "error": error}).encode() + b"\n"

    def _work(self) -> None:
        while True:
            line, _ = self._socket.accept()
            with line, line.makefile("rb") as questions:
                question = questions.readline()
                if not question:  # the end: see __exit__
                    return
                self.asked.append(json.loads(question))
                line.sendall(self.answer)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(self._socket.getsockname())
        self._thread.join()
        self._socket.close()
