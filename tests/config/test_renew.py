"""A configuration that is read again: what follows at once, and what waits."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from twisted.internet.defer import Deferred

from mythos.config.model import DECLARED
from tests.config.reading import read
from tests.config.test_names import Watched, recording
from tests.config.test_obeyed import guest, until
from tests.house.clients import WebSocket
from tests.house.server import Server


async def test_each_that_is_marked_is_followed(tmp_path: Path) -> None:
    """And nothing else; a part reads it again."""
    started: Deferred[None] = Deferred()
    env = dict.fromkeys(("MYTHOS_TELNET", "MYTHOS_HTTP", "MYTHOS_METRICS"), "0")
    loaded = read(env={**env, "DATABASE_URL": "memory:", "MYTHOS_DATA": str(tmp_path / "data")})
    house = Watched(loaded.config, started)
    house.startService()
    try:
        await started
        assert house.live.keys() == {setting.key for setting in DECLARED.settings() if setting.live}
        for key, jobs in house.live.items():
            seen: set[str] = set()
            for job in jobs:
                job(recording(loaded.config, seen))
            assert key in seen or key.startswith("log."), key
    finally:
        await house.stopService()


def test_at_sighup(tmp_path: Path) -> None:
    """Who plays has the new limits at once; what has to wait is named; with a mistake nothing changes."""
    env = tmp_path / ".env"
    env.write_text("RATE_LIMIT_TELLS=1\nLOG_LEVEL=INFO\n")
    with Server(tmp_path / "data") as server:

        def read_again(text: str, said: str) -> None:
            env.write_text(text)
            os.kill(server.pid, signal.SIGHUP)
            until(lambda: said in server.log.read_text())

        def told() -> int:
            for number in range(7):
                ann.command(f"tell {name} {number}")
            return sum(line.startswith("You tell") for line in ann.lines)

        granted = server.post("/api/v1/guest")
        ann, name = guest(server), granted["name"]
        WebSocket(server.ports["http"], granted["token"])
        assert told() == 5
        read_again(
            "RATE_LIMIT_TELLS=1\nRATE_LIMIT_ENABLED=no\nMUD_NAME=Reach\n",
            "Changed: limits.enabled. These need a restart: mud.name.",
        )
        assert told() == 12
        read_again(
            "RATE_LIMIT_TELLS=many\n", "Nothing was changed. .env:1:18: error: RATE_LIMIT_TELLS: expected a whole"
        )
        assert told() == 19
        assert "Traceback" not in server.log.read_text()
