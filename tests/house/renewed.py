"""A server that is renewed, and whose new process can be told to go wrong."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mythos.ctl.remote import exchange
from tests.house.server import PATIENCE, Server

__all__ = ["Refused", "Renewed"]

_ROOT = Path(__file__).parents[2]
_FREE = {
    "CONNECTION_POOL_SIZE": "5000",
    "RATE_LIMIT_PER_PLAYER_PER_MINUTE": "100000",
    "RATE_LIMIT_ENABLED": "false",
}


class Refused(Exception):
    """It was not renewed; the sentence says why."""


class Renewed(Server):
    """``twistd -n mythos``, as :class:`Server`.

    :ivar fault: what the new process runs before all else, in Python, while it is there
    """

    def __init__(self, place: Path, *options: str, env: Mapping[str, str] | None = None, **given: Any) -> None:
        self.fault = place / "fault.py"
        self._newest = 0
        paths = f"{_ROOT / 'tests/house/faults'}:{_ROOT}"
        variables = {**_FREE, "PYTHONPATH": paths, "HANDOVER_FAULT": str(self.fault), **(env or {})}
        super().__init__(place / "data", *options, env=variables, **given)

    def renew(self, seconds: float = 30.0) -> dict[str, Any]:
        """``mythosctl upgrade``. :raises Refused:"""
        question = json.dumps({"do": "upgrade", "seconds": seconds}).encode()
        answer: dict[str, Any] = json.loads(exchange(self.data / "control.sock", question + b"\n", PATIENCE * 2))
        if not answer["ok"]:
            raise Refused(answer["error"])
        self._newest = answer["pid"]
        return answer

    def kill(self) -> None:
        """Also the process that it was handed to, which nobody else would end."""
        super().kill()
        with contextlib.suppress(OSError):
            if str(self.data).encode() in Path(f"/proc/{self._newest}/cmdline").read_bytes():
                os.kill(self._newest, signal.SIGKILL)
