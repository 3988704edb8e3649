"""``mythosctl upgrade`` on a real server: listeners and players go on in a new process, or in the old one."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.clients import PATIENCE, Telnet, WebSocket
from tests.house.renewed import Refused, Renewed
from tests.postgres import until


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Renewed]:
    with Renewed(tmp_path) as house:
        yield house


def _guest(house: Renewed) -> Telnet:
    guest = Telnet(house.ports["telnet"])
    guest.until("name? ")
    guest.send("guest")
    guest.until("> ")
    return guest


def _receive(client: Telnet, wanted: bytes) -> None:
    """Read until these bytes have come; what was before them is passed over."""
    while wanted not in client.heard:
        client.heard += client.socket.recv(65_536)
    client.heard = client.heard.partition(wanted)[2]


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


# ── everybody goes on ───────────────────────────────────────────────────────────────────────────


def test_everybody_goes_on(house: Renewed) -> None:
    """Half a line, half a frame, compressed or not: over and over, each line and each command once."""
    ann, packed = _guest(house), _guest(house)
    packed.send_raw(b"\xff\xfc\x18")
    _receive(packed, b"\xff\xfb\x56")
    packed.send_raw(b"\xff\xfd\x56")
    _receive(packed, b"\xff\xfa\x56\xff\xf0")
    bob = WebSocket(house.ports["http"], house.post("/api/v1/guest")["token"])
    bob.command("look")
    inflate = zlib.decompressobj()
    heard = inflate.decompress(packed.heard)
    for count in range(3):
        ann.send_raw(b"say begun")
        head = json.dumps({"c": bob.next_c, "line": f"say framed {count}"}).encode()
        bob.socket.sendall(b"\x81")
        answer = house.renew()
        assert (answer["handed"], answer["rest"]) == (3, 0)
        ann.send_raw(b" and ended %d\r\n" % count)
        assert ann.until(f'You say, "begun and ended {count}"').count("You say") == 1
        bob.socket.sendall(bytes((0x80 | len(head), 0, 0, 0, 0)) + head)
        bob.next_c += 1
        bob.until(f'You say, "framed {count}"')
        packed.send(f"say packed {count}")
        while f'You say, "packed {count}"'.encode() not in heard:
            heard += inflate.decompress(packed.socket.recv(65_536))
        assert not inflate.eof
    said = [line for line in bob.lines if " say" in line]
    wanted = [f'"{word} {n}"' for n in range(3) for word in ("begun and ended", "framed", "packed")]
    assert [line.partition(", ")[2] for line in said] == wanted[: len(said)]
    assert len(said) >= 8


def test_lines_that_wait(tmp_path: Path) -> None:
    """They are run when everybody they could be about is there again, at the pace that they had to wait for."""
    slow = {"RATE_LIMIT_ENABLED": "true", "RATE_LIMIT_PER_PLAYER_PER_MINUTE": "60"}
    with Renewed(tmp_path, env=slow) as house:
        ann, bob = (WebSocket(house.ports["http"], house.post("/api/v1/guest")["token"]) for _ in range(2))
        for line in (*["score"] * 40, *[f"say {number}" for number in range(6)]):
            ann.send({"c": ann.next_c, "line": line})
            ann.next_c += 1
        house.renew()
        bob.until('"5"')
        assert [line[-3:] for line in bob.lines if " says, " in line] == [f'"{number}"' for number in range(6)]


def test_at_the_prompt(house: Renewed) -> None:
    """Who was asked for a password answers it in the new process, and nothing is asked or shown again."""
    house.post("/api/v1/register", {"name": "Ann", "password": "long enough"})
    ann, new = Telnet(house.ports["telnet"]), Telnet(house.ports["telnet"])
    ann.until("name? ")
    ann.send("Ann")
    ann.until("Password: ")
    new.until("name? ")
    new.send_raw(b"gue")
    assert house.renew()["handed"] == 2
    ann.send("long enough")
    assert "What is your name" not in ann.until("Exits")
    new.send_raw(b"st\r\n")
    new.until("Exits")


def test_a_question_and_pages(house: Renewed) -> None:
    """What an answer was asked for is not taken for a command; what the pager held back is told."""
    ann = _guest(house)
    ann.send("register Annabel")
    ann.until("assword")
    bob = Telnet(house.ports["telnet"])
    bob.until("name? ")
    bob.send_raw(b"\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x06\xff\xf0guest\r\n")
    bob.until("> ")
    bob.send("settings pager on")
    bob.until("> ")
    bob.send("help")
    bob.until("Enter goes on")
    house.renew()
    ann.send("say secret")
    words = ann.until("command again.")
    assert "You say" not in words
    bob.send("say done")
    assert "To walk, type a direction" in bob.until('"done"')


def test_an_event_stream_comes_back(house: Renewed) -> None:
    """It is told to, and goes on where it was; a listener is never gone."""
    token = house.post("/api/v1/guest")["token"]
    ticket = house.post("/api/v1/ticket", token=token)["ticket"]
    stream = urllib.request.urlopen(house.url(f"/sse?ticket={ticket}"), timeout=PATIENCE)
    numbers: list[str] = []

    def hear(wanted: str) -> None:
        for line in stream:
            if line.startswith(b"id: "):
                numbers.append(line[4:].strip().decode())
            if wanted.encode() in line:
                return
        raise AssertionError(f"ended before {wanted}")

    hear('"hello"')
    for c in (1, 2):
        house.post("/api/v1/commands", {"c": c, "line": f"say {c}"}, token)
        hear(f'\\"{c}\\"')
        answer = house.renew()
        assert (answer["handed"], answer["rest"]) == (0, 1)
        hear("reconnect")
        asked = urllib.request.Request(house.url(f"/sse?ticket={ticket}"), headers={"Last-Event-ID": numbers[-1]})
        stream = urllib.request.urlopen(asked, timeout=PATIENCE)
        hear('"resumed":true')
    assert len(numbers) == len(set(numbers))


def test_nobody_is_turned_away(house: Renewed) -> None:
    """Somebody connects all the time while it is renewed, and everybody is let in."""
    stop, found = threading.Event(), []

    def knock() -> None:
        while not stop.is_set():
            with socket.create_connection(("127.0.0.1", house.ports["http"]), PATIENCE) as line:
                line.sendall(b"GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n")
                found.append(line.recv(12))

    knocking = threading.Thread(target=knock)
    knocking.start()
    try:
        ports = house.ports
        house.renew()
        house.renew()
    finally:
        stop.set()
        knocking.join()
    assert json.loads((house.data / "ports.json").read_text()) == ports
    assert len(found) > 20
    assert set(found) == {b"HTTP/1.1 200"}


# ── the new process fails ───────────────────────────────────────────────────────────────────────

_FAULTS = {
    "it cannot be imported": ("import sys; sys.modules['mythos.app.house'] = None", "mythos.app.house"),
    "it ends at once": ("import os; os._exit(3)", "without a word"),
    "it dies while it loads": (
        "import os, mythos.app.succession as s\ns.Succession.open = lambda *_: os.kill(os.getpid(), 9)",
        "",
    ),
    "it breaks while it adopts": (
        "import mythos.app.succession as s\ndef broken(*_): raise KeyError('half')\ns.Succession.taken = broken",
        "half",
    ),
    "it is of another form": ("import mythos.app.succession as s\ns.FORMAT = 99", "form 99"),
    "its schema is newer": (
        "import mythos.app.succession as s\nwas = s.identity\n"
        "s.identity = lambda config: {**was(config), 'schema of the database': 99}",
        "schema of the database would be 99",
    ),
}


@pytest.mark.parametrize("name", _FAULTS)
def test_it_fails(house: Renewed, name: str) -> None:
    """The old one goes on, the operator reads why, and the next time it works."""
    fault, reason = _FAULTS[name]
    ann, bob = _guest(house), WebSocket(house.ports["http"], house.post("/api/v1/guest")["token"])
    ann.send_raw(b"say be")
    house.fault.write_text(fault)
    with pytest.raises(Refused, match="goes on as it is") as refused:
        house.renew()
    assert reason in str(refused.value)
    assert "Traceback" not in str(refused.value)
    ann.send_raw(b"fore\r\n")
    assert ann.until('You say, "before"').count("You say") == 1
    assert bob.command("say bob")["t"] == "done"
    ann.until('"bob"')
    house.fault.unlink()
    assert house.renew()["handed"] == 2
    assert bob.command("say again")["t"] == "done"
    bob.until('You say, "again"')
    ann.until('"again"')


def test_it_hangs(house: Renewed) -> None:
    """Before it is ready, and while everybody waits: nobody waits for ever."""
    ann = _guest(house)
    house.fault.write_text("import signal; signal.pause()")
    with pytest.raises(Refused, match="not ready within 1 second"):
        house.renew(1.0)
    house.fault.write_text("import signal, mythos.app.succession as s\ns.Succession.taken = lambda *_: signal.pause()")
    with pytest.raises(Refused, match="did not take over within 5 seconds"):
        house.renew()
    ann.send("say here")
    ann.until('You say, "here"')


def test_a_wrong_configuration(house: Renewed) -> None:
    """Each mistake is named, and nothing changes."""
    (house.data.parent / "mythos.yaml").write_text("telnet:\n  listne: 4000\n")
    with pytest.raises(Refused, match="listne"):
        house.renew()
    (house.data.parent / "mythos.yaml").write_text("mud:\n  name: Elsewhere\n")
    house.renew()


def test_words_of_after_a_failure_outlive_a_kill(house: Renewed) -> None:
    """What was stored for the new process does not stand for what was told later: who comes back is told of a gap."""
    bob = WebSocket(house.ports["http"], house.post("/api/v1/guest")["token"])
    bob.command("say one")
    house.fault.write_text(_FAULTS["it dies while it loads"][0])
    with pytest.raises(Refused):
        house.renew()
    bob.command("say two")
    house.kill()
    house.start()
    back = WebSocket(house.ports["http"], bob.token, epoch=bob.epoch, last=bob.last)
    assert back.hello["resumed"] is False


# ── whoever started it ──────────────────────────────────────────────────────────────────────────


def test_its_place_is_kept(house: Renewed) -> None:
    """The process that was started stays, passes signals on, and ends as the server ends."""
    first = house.pid
    one = house.renew()["pid"]
    until(lambda: "keeper" in Path(f"/proc/{first}/cmdline").read_text())
    two = house.renew()["pid"]
    until(lambda: _children(first) == [two])
    assert one != two
    assert house.pid == first
    assert int(Path(f"/proc/{first}/statm").read_text().split()[1]) * 4096 < 20_000_000
    assert house.stop() == 143
    assert not (house.data / "ports.json").exists()


def test_a_killed_server_ends_its_place_too(house: Renewed) -> None:
    """So that a supervisor notices."""
    os.kill(house.renew()["pid"], signal.SIGKILL)
    assert house.wait() == -signal.SIGKILL
    house.start()
