"""Backups by the clock, made by a server while people play."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mythos.app.backups import Backups
from mythos.store import backup as backups
from mythos.store.backup_file import read_key
from mythos.store.shelf import mark, name_of, shelf
from tests.config.reading import read
from tests.config.test_obeyed import guest, until
from tests.house.server import Server


def check(server: Server) -> Any:
    return server.get("/health")["checks"]["backup"]


def told(server: Server) -> bool:
    try:
        return server.metric("mythos_backup_verified_seconds") > 0
    except KeyError:
        return False


def test_by_the_clock(tmp_path: Path) -> None:
    """One is made as soon as there is none, with the key, and checked; older ones go; health and metrics tell of it."""
    (tmp_path / "key").write_text("ab" * 32)
    to = tmp_path / "kept"
    to.mkdir()
    old = to / "mythos-20200101T000000.000Z.tar.gz"
    old.touch()
    env = {
        "MYTHOS_BACKUP_EVERY": "24h",
        "BACKUP_DIR": str(to),
        "MYTHOS_BACKUP_KEEP": "7d",
        "MYTHOS_BACKUP_ENCRYPT": str(tmp_path / "key"),
    }
    with Server(tmp_path / "data", env=env) as server:
        ann = guest(server)
        ann.command("look")
        until(lambda: any(one.verified for one in shelf(to)))
        until(lambda: told(server))
        (made,) = shelf(to)
        assert not old.exists()
        assert made.path.name.endswith(".tar.gz.enc")
        assert server.metric("mythos_backup_size_bytes") == made.path.stat().st_size
        assert server.metric("mythos_backup_verified_seconds") == made.made.timestamp()
        assert check(server)["status"] == "ok"
        ann.command("look")
    manifest, broken = backups.verify(made.path, read_key(tmp_path / "key"), tell=lambda *_: None)
    assert (broken, manifest.kept.count("secret")) == ([], 1)


def test_one_that_fails(tmp_path: Path) -> None:
    """Health and the log say so, and people play on."""
    (tmp_path / "kept").touch()
    env = {"MYTHOS_BACKUP_EVERY": "24h", "BACKUP_DIR": str(tmp_path / "kept")}
    with Server(tmp_path / "data", env=env) as server:
        until(lambda: server.metric("mythos_backup_failures_total") > 0)
        assert check(server)["status"] == "degraded"
        assert "ALERT the backup failed: " in server.log.read_text()
        guest(server).command("look")


def test_never(tmp_path: Path) -> None:
    """So it is unless somebody asks for them."""
    with Server(tmp_path / "data") as server:
        guest(server).command("look")
        assert "backup" not in server.get("/health")["checks"]
    assert not (tmp_path / "data" / "backups").exists()


class Wall:
    """A clock that is set. Also a reactor that starts nothing."""

    now = 1_800_000_000.0

    def wall(self) -> float:
        return self.now

    def __init__(self) -> None:
        self.started = 0

    def spawnProcess(self, *words: object) -> Wall:
        self.started += 1
        return self

    pid = 2**30


def test_what_health_says(tmp_path: Path) -> None:
    """Nothing at first; then that there is none, that the last good one is old, that the newest was not verified."""
    clock = Wall()
    env = {"MYTHOS_BACKUP_EVERY": "24h", "BACKUP_DIR": str(tmp_path)}
    watch = Backups(read(env=env).config, clock, clock)

    def at(hours: float) -> str:
        clock.now = Wall.now + hours * 3600
        watch._process = watch  # one is always being made, so that none is begun
        watch.look()
        watch._process = None
        return watch.trouble()

    def put(hours: float) -> Path:
        path = tmp_path / name_of(datetime.fromtimestamp(Wall.now + hours * 3600, UTC), encrypted=False)
        path.write_text("backup")
        return path

    assert (at(0), at(25.9), at(26.1)) == ("", "", "None was verified.")
    made = put(26)
    assert at(26.1) == "None was verified."
    mark(made)
    assert (at(26.1), at(51.9)) == ("", "")
    assert at(52.1).startswith("The last verified backup is of 2027-01-16T")
    mark(put(52))
    put(53)
    assert at(53.1) == "The newest one, of 2027-01-17T13:00:00+00:00, was not verified."
    assert watch.detail()["verified"] == 2
    watch._made(1, "It is not sound.")
    assert (watch.trouble(), watch.failures) == ("The last backup failed: see the log.", 1)


def test_when_one_is_made(tmp_path: Path) -> None:
    """As soon as there is none, then as often as is said; one that failed is tried again an hour later."""
    clock = Wall()
    watch = Backups(read(env={"MYTHOS_BACKUP_EVERY": "24h", "BACKUP_DIR": str(tmp_path)}).config, clock, clock)

    def at(hours: float) -> int:
        clock.now = Wall.now + hours * 3600
        watch.look()
        return clock.started

    assert (at(0), at(30)) == (1, 1)  # never two at once
    watch._made(1, "The disk is full.")
    assert (at(30), watch.failures) == (2, 1)
    watch._made(1, "The disk is full.")
    assert (at(30.9), at(31)) == (2, 3)
    (tmp_path / name_of(datetime.fromtimestamp(clock.now, UTC), encrypted=False)).write_text("backup")
    watch._made(0, "")
    assert (at(54.9), at(55)) == (3, 4)
