"""Whoever started a server follows it into its new process: systemd, supervisor, a container."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.supervised import supervised
from tests.house.clients import PATIENCE, WebSocket
from tests.house.renewed import Refused, Renewed
from tests.house.server import TWISTD
from tests.postgres import until


class Systemd:
    """Hears what a service tells it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(PATIENCE)

    def hear(self) -> list[str]:
        return self._socket.recv(4096).decode().split("\n")

    def hear_other_than(self, usual: str) -> list[str]:
        while (heard := self.hear()) == [usual]:
            pass
        return heard

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    found = Systemd(tmp_path / "notify")
    yield found
    found.close()


def _gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_systemd_is_told(tmp_path: Path, systemd: Systemd) -> None:
    """Ready, reloading, which process goes on, stopping; a failure is nothing to tell of."""
    with Renewed(tmp_path, env={"NOTIFY_SOCKET": str(systemd.path)}) as house:
        assert systemd.hear() == ["READY=1"]
        os.kill(house.pid, signal.SIGHUP)
        assert re.fullmatch(r"RELOADING=1,MONOTONIC_USEC=\d+", ",".join(systemd.hear()))
        assert systemd.hear() == ["READY=1"]
        bob = WebSocket(house.ports["http"], house.post("/api/v1/guest")["token"])
        house.fault.write_text("raise SystemExit(1)")
        with pytest.raises(Refused):
            house.renew()
        house.fault.unlink()
        one = house.renew()["pid"]
        assert systemd.hear() == [f"MAINPID={one}", "READY=1"]
        assert house.wait() == 0
        two = house.renew()["pid"]
        assert systemd.hear() == [f"MAINPID={two}", "READY=1"]
        assert bob.command("say here")["t"] == "done"
        os.kill(two, signal.SIGTERM)
        assert systemd.hear() == ["STOPPING=1"]
        until(lambda: not (house.data / "ports.json").exists())


def test_systemd_watches(tmp_path: Path, systemd: Systemd) -> None:
    """The new process goes on to say that it lives, though systemd gave the number of the first."""
    environ = {"NOTIFY_SOCKET": str(systemd.path), "WATCHDOG_USEC": "2000000"}
    with Renewed(tmp_path, env=environ) as house:
        assert systemd.hear() == ["READY=1"]
        assert systemd.hear() == ["WATCHDOG=1"]
        new = house.renew()["pid"]
        assert systemd.hear_other_than("WATCHDOG=1")[0] == f"MAINPID={new}"
        assert systemd.hear() == ["WATCHDOG=1"]
        os.kill(new, signal.SIGTERM)
        assert systemd.hear_other_than("WATCHDOG=1") == ["STOPPING=1"]


def test_another_service_s_systemd(tmp_path: Path, systemd: Systemd) -> None:
    """Started by hand within some other service: systemd follows that one. The place of ours is kept."""
    with Renewed(tmp_path, env={"NOTIFY_SOCKET": str(systemd.path), "SYSTEMD_EXEC_PID": "1"}) as house:
        new = house.renew()["pid"]
        assert not _gone(house.pid)
        assert house.stop() == 143
        until(lambda: _gone(new))


def test_a_container(tmp_path: Path) -> None:
    """The first process of a PID namespace stays, or all in it would end; a stop of the container stops the server."""
    command = ("unshare", "--pid", "--fork", "--kill-child", TWISTD, "--pidfile=", "-n", "mythos")
    with Renewed(tmp_path, program=command) as house:
        children = Path(f"/proc/{house.pid}/task/{house.pid}/children")
        (first,) = map(int, children.read_text().split())
        bob = WebSocket(house.ports["http"], house.post("/api/v1/guest")["token"])
        for _ in range(2):
            assert house.renew()["handed"] == 1
            assert bob.command("say here")["t"] == "done"
        assert list(map(int, children.read_text().split())) == [first]
        os.kill(first, signal.SIGTERM)
        assert house.wait() == 128 + signal.SIGTERM
        assert not (house.data / "ports.json").exists()


def test_supervisor_follows(supervisord: Path, tmp_path: Path) -> None:
    """It sees the process that it started, stops the server by it, and starts it again when the server is killed."""
    with supervised(supervisord, tmp_path) as program:
        house = Renewed(tmp_path)
        before, ports = program.ask("pid", "mythos"), program.data / "ports.json"
        new = house.renew()["pid"]
        assert program.ask("pid", "mythos") == before
        assert "RUNNING" in program.ask("status", "mythos")
        ports.unlink()
        os.kill(new, signal.SIGKILL)
        until(ports.exists)
        assert program.ask("pid", "mythos") != before
        newest = house.renew()["pid"]
        assert program.ask("stop", "mythos") == "mythos: stopped"
        until(lambda: _gone(newest))
        assert not ports.exists()
