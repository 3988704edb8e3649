"""A Redis of a test's own, on a socket and a free port, that can be killed, frozen and started again."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import hiredis

__all__ = ["RedisProcess"]

#: Seconds a start or an answer may take on a busy machine.
PATIENCE: Final = 20.0


class RedisProcess:
    """:param options: of redis-server, as on its command line
    :ivar port: of TCP, the same at every start
    :ivar socket: path of its UNIX socket
    :ivar command: that starts it; a test may change it
    """

    def __init__(self, program: Path, *options: str) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="mythos-redis-"))
        self.socket = self.place / "redis.sock"
        self.port = free_port()
        self.command = [
            *(str(program), "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(self.socket)),
            *("--dir", str(self.place), "--save", "", "--appendonly", "no", "--loglevel", "warning", *options),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it answers."""
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(self.command, stdout=quiet, stderr=quiet)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.ask("PING")
            except (OSError, EOFError):
                assert self._process.poll() is None and time.monotonic() < end, "Redis did not start"
                continue
            return

    def kill(self) -> None:
        """kill -9: it forgets everything."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None

    def freeze(self) -> None:
        """It takes connections and commands, and answers none."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.place)

    def ask(self, *command: Any) -> Any:
        """One command on a connection of its own. Errors are returned as values."""
        words = [one if isinstance(one, bytes) else str(one).encode() for one in command]
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE)
            line.connect(str(self.socket))
            line.sendall(b"*%d\r\n" % len(words) + b"".join([b"$%d\r\n%b\r\n" % (len(one), one) for one in words]))
            reader = hiredis.Reader()
            while (answer := reader.gets()) is False:
                data = line.recv(65_536)
                if not data:
                    raise EOFError("Redis closed the connection")
                reader.feed(data)
            return answer


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
