"""A clock that is an hour off: a server that is started with it says so, and lets its people in."""

from __future__ import annotations

import sys
import urllib.error
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from mythos.store.shelf import mark, name_of, prune
from tests.house.clients import WebSocket
from tests.house.server import PATIENCE, Server, select_nothing

_HOUR: Final = 3600.0
_PASSWORD: Final = "a good long one"
#: twistd, where time.time() is off by so many seconds.
_PROGRAM: Final = (
    "import sys, time; by = float(sys.argv.pop(1)); right = time.time; time.time = lambda: right() + by;"
    " sys.argv[0] = 'twistd'; from twisted.scripts.twistd import run; run()"
)


def _server(data: Path, by: float, **env: str) -> Server:
    return Server(data, env=env, program=(sys.executable, "-c", _PROGRAM, str(by), "--pidfile=", "-n", "mythos"))


def _code(server: Server, token: str) -> int:
    try:
        server.post("/api/v1/ticket", token=token)
    except urllib.error.HTTPError as error:
        return error.code
    return 200


@pytest.mark.parametrize("by", [-_HOUR, 0.0, _HOUR + 120.0])
def test_people_come_back(tmp_path: Path, by: float) -> None:
    """A player goes on in the session that was left, and password and refresh token are good. An access token lasts an
    hour, and not before it was given: with it one is told to come with the other."""
    data = tmp_path / "data"
    with _server(data, 0.0) as server:
        granted = server.post("/api/v1/register", {"name": "Morwenna", "password": _PASSWORD})
        player = WebSocket(server.ports["http"], granted["token"])
        player.command("east")
        epoch, last, token = player.hello["epoch"], player.last, player.token
        player.cut()
        server.stop()
    with _server(data, by) as server:
        again = WebSocket(server.ports["http"], token, epoch=epoch, last=last)
        assert again.hello["resumed"]
        again.cut()
        fresh = server.post("/api/v1/refresh", {"refresh": granted["refresh"]})
        assert server.post("/api/v1/login", {"name": "Morwenna", "password": _PASSWORD})["name"] == "Morwenna"
        assert _code(server, granted["token"]) == (401 if by else 200)
        assert server.post("/api/v1/ticket", token=fresh["token"])["ticket"]
        server.stop()
        log = server.log.read_text()
    said = f"The clock is 60 minutes behind the files in {data}: set it (timedatectl), for tokens and backups go by it."
    assert (said in log.splitlines()) == (by < 0.0)
    assert "Traceback" not in log


def test_backups_of_tomorrow(tmp_path: Path) -> None:
    """They keep no new one from being made, health says what they are, and the last good one is not thrown away."""
    data, shelf = tmp_path / "data", tmp_path / "data/backups"
    with _server(data, 0.0, MYTHOS_BACKUP_EVERY="1h") as server:
        (made,) = _wait(shelf, 1)
        server.stop()
    tomorrow = name_of(datetime.now(UTC) + timedelta(days=1), encrypted=False)
    for end in ("", ".verified"):
        (shelf / f"{made}{end}").rename(shelf / f"{tomorrow}{end}")
    with _server(data, 0.0, MYTHOS_BACKUP_EVERY="1h") as server:
        _wait(shelf, 2)
        check = server.get("/health")["checks"]["backup"]
        server.stop()
    assert check["status"] == "degraded"
    assert check["message"] == f"{tomorrow} is dated ahead of the clock: set the clock, or move that file away."


def _wait(shelf: Path, number: int) -> list[str]:
    """So many that were verified."""
    for _ in range(int(PATIENCE / 0.05)):
        found = sorted(path.name.removesuffix(".verified") for path in shelf.glob("*.verified"))
        if len(found) >= number:
            return found
        select_nothing(0.05)
    raise AssertionError(f"there are {found} in {shelf}")


def test_what_is_kept(tmp_path: Path) -> None:
    """Of all that are too old the newest verified one stays, whatever is dated later than now."""
    now = datetime(2026, 11, 21, tzinfo=UTC)
    for days in (60, 50, -3):
        path = tmp_path / name_of(now - timedelta(days=days), encrypted=False)
        path.write_text("x")
        mark(path)
    assert [path.name for path in prune(tmp_path, timedelta(days=30), now)] == [
        name_of(now - timedelta(days=60), encrypted=False)
    ]
