"""Backups by the clock, made by a server while people play."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mythos.store import backup as backups
from mythos.store.backup_file import read_key
from mythos.store.shelf import shelf
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
