"""A real server in a process of its own, on free ports, that can be stopped, killed and started again."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["TWISTD", "Server"]

TWISTD = str(Path(sys.executable).with_name("twistd"))
#: Seconds a start or a stop may take on a busy machine.
PATIENCE = 30.0


class Server:
    """``twistd -n mythos`` on one data directory.

    :param program: what to run instead, with the same options after it
    """

    def __init__(
        self,
        data: Path,
        *options: str,
        env: Mapping[str, str] | None = None,
        program: Sequence[str] = (TWISTD, "--pidfile=", "-n", "mythos"),
    ) -> None:
        self.data = data
        self._options = options
        ours = {k: v for k, v in os.environ.items() if not k.startswith("MYTHOS_")}
        self._env = {**ours, "MYTHOS_DISK_WARN_PERCENT": "0", **(env or {})}  # whatever the machine's disk is like
        self._program = list(program)
        self._process: subprocess.Popen[bytes] | None = None
        self.ports: dict[str, int] = {}
        self.log = data.parent / f"{data.name}.log"

    def start(self) -> Self:
        """Returns when its doors are open."""
        known = self.data / "ports.json"
        known.unlink(missing_ok=True)
        doors = ["--telnet", "0", "--http", "0", "--metrics", "0"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._program, *doors, "--data", str(self.data), *self._options],
                stdout=log,
                stderr=log,
                env=self._env,
                cwd=self.data.parent,
            )
        self._wait_for(known)
        self.ports = json.loads(known.read_text())
        return self

    def _wait_for(self, path: Path) -> None:
        assert self._process is not None
        end = time.monotonic() + PATIENCE
        while not path.exists():
            if self._process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"the server did not start:\n{self.log.read_text()}")
            select_nothing(0.01)

    def stop(self) -> int:
        """SIGTERM; returns the exit status as the shell sees it (143 is a clean end by SIGTERM)."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def wait(self) -> int:
        """Until it ends by itself."""
        assert self._process is not None
        return self._process.wait(PATIENCE)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(how)
        status = process.wait(PATIENCE)
        return 128 - status if status < 0 else status

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    # ── asking it ───────────────────────────────────────────────────────────────────────────────

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.ports['http']}{path}"

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url(path), timeout=PATIENCE) as answer:
            return json.load(answer)

    def post(self, path: str, body: Mapping[str, Any] | None = None, token: str = "") -> Any:
        request = urllib.request.Request(
            self.url(path),
            json.dumps(body or {}).encode(),
            {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def metric(self, name: str) -> float:
        """The value of a metric, with its labels as they are printed."""
        url = f"http://127.0.0.1:{self.ports['metrics']}/metrics"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[-1])
        raise KeyError(name)


def select_nothing(seconds: float) -> None:
    """Let other processes run."""
    select.select([], [], [], seconds)
