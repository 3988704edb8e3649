"""``mythosctl`` against a real server: from its first start to its planned end."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

from tests.house.clients import Telnet
from tests.house.server import Server

_CTL = str(Path(sys.executable).with_name("mythosctl"))


def ctl(server: Server, *words: str, stdin: str = "") -> str:
    """What it prints; it must have done what it was asked."""
    run = subprocess.run(
        [_CTL, *words, "--data", str(server.data)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        cwd=server.data.parent,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    return run.stdout


def test_a_day_of_an_operator(tmp_path: Path) -> None:
    """One server, one player: each order does in the world what it says."""
    with Server(tmp_path / "data") as server:
        assert stat.S_IMODE((server.data / "control.sock").stat().st_mode) == 0o600
        status = json.loads(ctl(server, "status", "--json"))
        assert (status["status"], status["players"], status["ports"]) == ("healthy", 0, server.ports)
        assert ctl(server, "who") == "Nobody plays.\n"

        assert ctl(server, "account", "create", "zoe", stdin="correct horse\n") == "The account Zoe is made.\n"
        granted = server.post("/api/v1/login", {"name": "zoe", "password": "correct horse"})
        assert granted["name"] == "Zoe"

        player = Telnet(server.ports["telnet"])
        player.until("name")
        player.send("guest")
        player.until(">")
        (guest,) = json.loads(ctl(server, "who", "--json"))["players"]
        assert (guest["guest"], len(guest["doors"])) == (True, 1)
        assert ctl(server, "broadcast", "Tea is ready.") == "1 person heard it.\n"
        player.until("Tea is ready.")

        assert "is loaded again" in ctl(server, "reload")
        assert "is sound" in ctl(server, "fsck")
        assert ctl(server, "kick", guest["name"].lower(), "--reason", "Bed.") == f"{guest['name']} is sent away.\n"
        assert "You are sent away. Bed." in player.ended()
        player.close()

        assert ctl(server, "shutdown") == "The server stops.\n"
        assert server.wait() == 0
        assert not (server.data / "control.sock").exists()
        assert "is sound" in ctl(server, "fsck")
