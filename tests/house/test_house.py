"""The real server and real sockets: a planned restart, a kill, secrets, people who drop what they are sent."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.clients import Telnet, WebSocket
from tests.house.server import Server

_FREE = {"RATE_LIMIT_PER_PLAYER_PER_MINUTE": "100000", "RATE_LIMIT_ENABLED": "false"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", env=_FREE) as server:
        yield server


def _guest(house: Server) -> WebSocket:
    return WebSocket(house.ports["http"], house.post("/api/v1/guest")["token"])


def test_a_planned_restart_loses_nothing(house: Server) -> None:
    """SIGTERM, start: every session goes on where it was, with the lines it had not read."""
    ann, bob = _guest(house), _guest(house)
    ann.command("say one")
    bob.until('says, "one"')
    bob.cut()
    for word in ("two", "three"):
        ann.command(f"say {word}")
    assert house.stop() == 143
    house.start()
    back = WebSocket(house.ports["http"], bob.token, epoch=bob.epoch, last=bob.last)
    assert back.hello["resumed"] is True
    back.until('says, "three"')
    heard = [line for line in back.lines if "says" in line]
    assert [line.split('"')[1] for line in heard] == ["two", "three"]
    again = WebSocket(house.ports["http"], ann.token, epoch=ann.epoch, last=ann.last)
    assert again.hello["resumed"] is True
    assert again.hello["next"] == ann.next_c
    assert again.command("say two", c=ann.next_c - 2)["dup"] is True


def test_a_kill_keeps_what_was_told(house: Server) -> None:
    """kill -9: whoever was told that they have it, has it; what was lost of the log is said."""
    ann = _guest(house)
    for line in ("s", "open door", "e", "get lantern", "get coat"):
        ann.command(line)
    assert "You get an oilskin coat." in ann.lines
    house.kill()
    house.start()
    back = WebSocket(house.ports["http"], ann.token, epoch=ann.epoch, last=ann.last)
    assert back.hello["resumed"] is False
    assert back.command("inventory")["t"] == "done"
    assert {"A tin lantern.", "An oilskin coat."} <= set(back.lines)


def test_a_session_over_all_doors(house: Server) -> None:
    """WebSocket, then telnet by name and password, then WebSocket again: one character in one place."""
    granted = house.post("/api/v1/register", {"name": "Morwenna", "password": "a good long one"})
    first = WebSocket(house.ports["http"], granted["token"])
    first.command("south")
    telnet = Telnet(house.ports["telnet"])
    telnet.until("name? ")
    telnet.send("morwenna")
    shown = telnet.until("Password: ")
    telnet.send("a good long one")
    telnet.until("> ")
    telnet.send("look")
    shown += telnet.until("The Waist")
    assert "a good long one" not in shown
    first.command("say to myself", c=3)  # the look by telnet was the second
    telnet.until('You say, "to myself"')
    telnet.close()


def test_wrong_password(house: Server) -> None:
    house.post("/api/v1/register", {"name": "Morwenna", "password": "a good long one"})
    telnet = Telnet(house.ports["telnet"])
    telnet.until("name? ")
    telnet.send("Morwenna")
    telnet.until("Password: ")
    telnet.send("not it")
    shown = telnet.until("? ")
    assert "The Fore Deck" not in shown
    telnet.close()


def test_secrets_are_written_nowhere(house: Server, tmp_path: Path) -> None:
    """A password typed at every door is in no file of the server's, and in no line of its log."""
    secret = "canary-Xq7vLw"
    house.post("/api/v1/register", {"name": "Morwenna", "password": secret})
    telnet = Telnet(house.ports["telnet"])
    telnet.until("name? ")
    telnet.send("Morwenna")
    telnet.until("Password: ")
    telnet.send(secret)
    telnet.until("> ")
    telnet.send("password")
    telnet.until("?")
    telnet.send(secret)
    telnet.until("?")
    telnet.send(secret + "2")
    telnet.until("please: ")
    telnet.send(secret + "2")
    telnet.until("Your password is changed.")
    guest = _guest(house)
    guest.command("register Tamsyn")
    guest.command(secret)
    guest.command(secret)
    house.stop()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert [path for path in files if secret.encode() in path.read_bytes()] == []


def test_curl_reads_the_stream(house: Server) -> None:
    """``curl -N`` on the event stream shows hello, the room, and an answer that was typed elsewhere."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.fail("curl is not installed: apt-get install curl")
    token = house.post("/api/v1/guest")["token"]
    ticket = house.post("/api/v1/ticket", {}, token)["ticket"]
    process = subprocess.Popen(
        [curl, "-sN", house.url(f"/sse?ticket={ticket}")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        seen = ""
        while "The Fore Deck" not in seen:
            seen += process.stdout.readline()
        house.post("/api/v1/commands", {"c": 1, "line": "say by curl"}, token)
        while "by curl" not in seen or '"done"' not in seen:
            seen += process.stdout.readline()
    finally:
        process.kill()
        process.wait()
    assert '"t":"hello"' in seen


def test_people_who_drop_what_they_are_sent(house: Server) -> None:
    """Two hundred send a command and are gone before its answer: nobody else notices, nothing stays behind."""
    ann = _guest(house)
    ports = house.ports["telnet"]
    for _ in range(200):
        with socket.create_connection(("127.0.0.1", ports), 10) as line:
            line.sendall(b"guest\r\nlook\r\nsay bye\r\n")
    assert ann.command("say still here")["t"] == "done"
    ann.until('You say, "still here"')
    assert house.get("/health")["status"] == "healthy"
