"""``mythosctl`` against a real server: from its first start to its planned end."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.house.clients import Telnet, WebSocket
from tests.house.server import Server

CTL = str(Path(sys.executable).with_name("mythosctl"))


def ctl(server: Server, *words: str, stdin: str = "") -> str:
    """What it prints; it must have done what it was asked."""
    run = subprocess.run(
        [CTL, *words, "--data", str(server.data)],
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
        assert status["status"] in ("healthy", "degraded")  # on a busy machine it may have stood still a moment ago
        assert (status["players"], status["ports"]) == (0, server.ports)
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
        shown = json.loads(ctl(server, "session", guest["name"], "--json"))
        assert (shown["standing"], shown["doors"]) == ("present", guest["doors"])
        assert ctl(server, "metrics", "mythos_players") == "mythos_players: 1\n"
        assert json.loads(ctl(server, "memory", "--json"))["sessions"] == 2
        assert "players: 1 (1 by telnet)" in ctl(server, "top")
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


def test_bans_and_mutes(tmp_path: Path) -> None:
    """Every door heeds them, and so it is after a crash."""
    with Server(tmp_path / "data", "--gateway", "0", env={"MYTHOS_GATEWAY_TCP": "0"}) as server:
        player = Telnet(server.ports["telnet"])
        player.send("guest")
        player.until(">")
        (guest,) = json.loads(ctl(server, "who", "--json"))["players"]
        ctl(server, "account", "create", "zoe", stdin="correct horse\n")
        token = server.post("/api/v1/login", {"name": "zoe", "password": "correct horse"})["token"]
        zoe = WebSocket(server.ports["http"], token)
        assert ctl(server, "mute", "zoe", "--for", "1h") == "Zoe is muted for 1 h.\n"
        ctl(server, "ban", "address", "127.0.0.2", "--reason", "Spam.")
        ctl(server, "ban", "name", "Voldemort")
        server.kill()
        player.close()
        zoe.cut()
        server.start()

        assert [line.split(",")[0] for line in ctl(server, "bans").splitlines()] == [
            "mute Zoe",
            "address 127.0.0.2/32",
            "name Voldemort",
        ]
        ctl(server, "gateway", "keys", "create", "FarMUD")
        ports = json.loads((server.data / "ports.json").read_text())
        assert said_to("127.0.0.2", ports["gateway-tcp"], b"") == b""
        assert b"403" in said_to(
            "127.0.0.2", ports["gateway"], UPGRADE.replace(b"\r\nSec-WebSocket-Protocol: mythos.v1", b"")
        )
        for path, head in (
            ("telnet", b""),
            ("http", b"POST /api/v1/guest HTTP/1.1\r\nHost: x\r\n\r\n"),
            ("http", UPGRADE),
        ):
            said = said_to("127.0.0.2", server.ports[path], head)
            assert b"You may not come in here. Spam." in said, (path, said)
        assert b"You may not" not in said_to("127.0.0.3", server.ports["http"], b"GET /health/live HTTP/1.0\r\n\r\n")
        with pytest.raises(HTTPError) as refused:
            server.post("/api/v1/register", {"name": "voldemort", "password": "correct horse"})
        assert "may not be taken here" in refused.value.read().decode()

        again = WebSocket(server.ports["http"], token)
        again.command("chat hello")
        again.until("You may speak to people elsewhere again in")
        assert guest["guest"]
        ctl(server, "account", "lock", "zoe", "--reason", "Rest.")
        with pytest.raises(HTTPError) as refused:
            server.post("/api/v1/login", {"name": "zoe", "password": "correct horse"})
        assert (refused.value.code, "Rest." in refused.value.read().decode()) == (403, True)
        ctl(server, "unban", "address", "127.0.0.2")
        assert b"name?" in said_to("127.0.0.2", server.ports["telnet"], b"")


#: Begins a WebSocket.
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: mythos.v1\r\n\r\n"
)


def said_to(address: str, port: int, head: bytes) -> bytes:
    """What an address hears at a door, until it is closed, a name is asked for, or it is told of a ban."""
    with socket.create_connection(("127.0.0.1", port), 20, source_address=(address, 0)) as line:
        line.settimeout(20)
        line.sendall(head)
        heard = b""
        while not (b"name?" in heard or b"Spam." in heard):
            data = line.recv(65_536)
            if not data:
                break
            heard += data
        return heard


@pytest.mark.parametrize("place", ["systemd:domain=INET:index=0", "systemd:domain=INET:name=doors"])
def test_a_listener_without_its_socket(tmp_path: Path, place: str) -> None:
    """Started by hand, where systemd was to hold the doors: it says which."""
    with pytest.raises(AssertionError, match=f"systemd gave no socket for telnet \\({place}\\): start it"):
        Server(tmp_path / "data", "--telnet", place, env={"ENVIRONMENT": "development"}).start()


def test_bans_that_cannot_be_read(tmp_path: Path) -> None:
    """The server does not start without them: whoever is banned would come in."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "sanctions.json").write_text('{"sanctions": [{"kind": "face"}]}')
    with pytest.raises(AssertionError, match="move it away to lift them all"):
        Server(data).start()


def test_an_account_ends(tmp_path: Path) -> None:
    """What is kept on somebody, in a file of one's own; then nothing of them is in the store, nor in a new backup."""
    with Server(tmp_path / "data") as server:
        ctl(server, "account", "create", "morwenna", stdin="correct horse\n")
        token = server.post("/api/v1/login", {"name": "morwenna", "password": "correct horse"})["token"]
        player = WebSocket(server.ports["http"], token)
        player.command("chat well met all of you")
        ctl(server, "mute", "morwenna", "--for", "1h")
        told = ctl(server, "account", "export", "morwenna", "morwenna.json")
        path = tmp_path / "morwenna.json"
        assert told == f"{path} holds all that is kept on Morwenna: keep it from others.\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        kept = json.loads(path.read_text())
        assert kept["said"] == {"chat": ["[chat] Morwenna: well met all of you"]}
        assert [one["kind"] for one in kept["sanctions"]] == ["mute"]
        asked = ("account", "delete", "morwenna", "--yes")
        assert "would be deleted" in ctl(server, *asked, "--dry-run")
        assert player.command("look")["t"] == "done"
        deleted = json.loads(ctl(server, *asked, "--json"))["deleted_at"]
        player.until("Who logs in as Morwenna before")
        assert f"to be deleted at {deleted}" in ctl(server, "account", "show", "morwenna")
        assert ctl(server, "account", "keep", "morwenna") == "The account Morwenna stays.\n"
        server.post("/api/v1/login", {"name": "morwenna", "password": "correct horse"})
        ctl(server, "account", "delete", "morwenna", "--now", "--yes")
        end = time.monotonic() + 20
        while "Morwenna" in ctl(server, "account", "list"):
            assert time.monotonic() < end
        backup = Path(json.loads(ctl(server, "backup", str(tmp_path / "later"), "--json"))["file"])
        with tarfile.open(backup) as packed:
            for member in packed:
                content = packed.extractfile(member)
                assert content is not None
                assert b"orwenna" not in content.read(), member.name
        assert "is sound" in ctl(server, "fsck")
        server.stop()
        for name in ("mythos.db", "sanctions.json"):
            assert b"orwenna" not in (server.data / name).read_bytes()


def test_drain(tmp_path: Path) -> None:
    """Nobody new comes in by any door, health says so, and who plays and who comes back goes on."""
    with Server(tmp_path / "data") as server:
        granted = server.post("/api/v1/guest")
        player = WebSocket(server.ports["http"], granted["token"])
        assert ctl(server, "drain", "--message", "A new disk.") == "Nobody new is let in. 1 play still.\n"
        player.until("A new disk.")
        with pytest.raises(HTTPError) as refused:
            server.get("/health/ready")
        assert (refused.value.code, json.load(refused.value)["reason"]) == (503, "draining")
        with pytest.raises(HTTPError) as refused:
            server.post("/api/v1/guest")
        assert refused.value.code == 503
        newcomer = Telnet(server.ports["telnet"])
        newcomer.send("guest")
        newcomer.until("Nobody new is let in just now")
        newcomer.close()
        player.cut()
        back = WebSocket(server.ports["http"], player.token, epoch=player.epoch, last=player.last)
        assert back.hello["resumed"]
        assert back.command("look")["t"] == "done"
        assert ctl(server, "resume") == "Everybody is let in again.\n"
        assert server.get("/health/ready") == {"status": "ready"}
        server.post("/api/v1/guest")


def test_reload(tmp_path: Path) -> None:
    """What can change changes, what cannot is named, a mistake changes nothing; SIGHUP does the same."""
    file = tmp_path / "mythos.yaml"
    file.write_text("limits: {connections: 50}\n")
    with Server(tmp_path / "data", "--log-format", "text") as server:
        file.write_text("limits: {connections: 1}\nworld: {tick: 2s}\nmud: {mssp: [GENRE=Horror]}\n")
        would = "Changed: mud.mssp, limits.connections. These need a restart: world.tick.\n"
        assert ctl(server, "reload", "config", "--dry-run") == would
        assert ctl(server, "reload", "config") == would
        assert ctl(server, "reload", "config") == "Nothing was changed. These need a restart: world.tick.\n"
        first, second = Telnet(server.ports["telnet"]), Telnet(server.ports["telnet"])
        first.until("name?")
        second.until("Every place here is taken just now.")
        first.send("MSSP-REQUEST")
        first.until("GENRE\tHorror")
        file.write_text("limits: {connections: none}\n")
        refused = subprocess.run(
            [CTL, "reload", "config", "--data", "data"], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert (refused.returncode, "mythos.yaml" in refused.stderr) == (1, True)
        file.unlink()
        refused = subprocess.run(
            [CTL, "reload", "tls", "--data", "data"], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert (refused.returncode, "has no certificate" in refused.stderr) == (4, True)
        os.kill(server.pid, signal.SIGHUP)
        end = time.monotonic() + 20
        while "Changed: mud.mssp, limits.connections." not in ctl(server, "logs"):
            assert time.monotonic() < end
        for one in (first, second):
            one.close()


def terminal(server: Server, *words: str) -> tuple[subprocess.Popen[bytes], int]:
    """``mythosctl`` on a terminal of its own, and the other end of it."""
    ours, theirs = os.openpty()
    running = subprocess.Popen(
        [CTL, *words, "--data", str(server.data)], stdin=theirs, stdout=theirs, stderr=theirs, cwd=server.data.parent
    )
    os.close(theirs)
    return running, ours


def read_until(end: int, wanted: bytes) -> bytes:
    """Of a terminal, everything up to and with some words. Fails if they do not come."""
    heard = b""
    while wanted not in heard:
        assert select.select([end], [], [], 20)[0], heard
        heard += os.read(end, 65_536)
    return heard


def test_what_goes_on(tmp_path: Path) -> None:
    """On a terminal ``top`` is drawn anew, ``logs -f`` goes on, and both end by Ctrl-C as if nothing were wrong;
    what cannot be taken back is asked for."""
    with Server(tmp_path / "data") as server:
        top, screen = terminal(server, "top", "--every", "100ms")
        read_until(screen, b"Ctrl-C ends this.")
        player = Telnet(server.ports["telnet"])
        player.send("guest")
        player.until(">")
        read_until(screen, b"players: 1 (1 by telnet)")
        top.send_signal(signal.SIGINT)
        assert top.wait(20) == 0
        os.close(screen)

        ctl(server, "broadcast", "Tea.")
        logs, screen = terminal(server, "logs", "-f", "--grep", "BROADCAST")
        read_until(screen, b"ordered: broadcast")
        ctl(server, "broadcast", "Cake.")
        read_until(screen, b"ordered: broadcast")
        logs.send_signal(signal.SIGINT)
        assert logs.wait(20) == 0
        os.close(screen)

        for typed, said in ((b"n\n", b"Nothing was done."), (b"y\n", b"The server stops.")):
            stop, screen = terminal(server, "shutdown")
            read_until(screen, b"Stop the server? [y/N]")
            os.write(screen, typed)
            read_until(screen, said)
            stop.wait(20)
            os.close(screen)
        assert server.wait() == 0
