"""A disk that is busy, and a batch that can never be written, under people who play; and clients who say it again."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
import urllib.error
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mythos.store import fsck
from tests.chaos.houses import fair
from tests.house.clients import Telnet, WebSocket
from tests.house.server import PATIENCE, Server, select_nothing

CLIENTS = 200


def guest(house: Server) -> WebSocket:
    return WebSocket(house.ports["http"], house.post("/api/v1/guest")["token"])


def typed(client: WebSocket, line: str) -> int:
    """Send it and do not wait; returns its number."""
    client.send({"c": client.next_c, "line": line})
    client.next_c += 1
    return client.next_c - 1


def answer(client: WebSocket, c: int) -> dict[str, Any]:
    """Read up to the answer to a command."""
    while True:
        record = client.receive()
        if record.get("c") == c and record["t"] in ("done", "refused"):
            return record
        client.take(record)


def silent(client: WebSocket, seconds: float) -> bool:
    """Whether nothing but states comes for so long."""
    client.socket.settimeout(seconds)
    try:
        while (record := client.receive())["t"] == "state":
            client.take(record)
    except TimeoutError:
        return True
    finally:
        client.socket.settimeout(PATIENCE)
    client.take(record)
    return False


def ready(house: Server) -> bool:
    try:
        house.get("/health/ready")
    except urllib.error.HTTPError as error:
        assert error.code == 503
        return False
    return True


def until(condition: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came true"
        select_nothing(0.05)


@contextmanager
def locked(house: Server) -> Iterator[None]:
    """Another program holds the write lock of the database."""
    database = sqlite3.connect(house.data / "mythos.db", isolation_level=None, timeout=30)
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        database.execute("ROLLBACK")
        database.close()


def faults(house: Server, statement: str) -> None:
    """Run a statement on the server's database behind its back."""
    database = sqlite3.connect(house.data / "mythos.db", isolation_level=None, timeout=30)
    database.execute(statement)
    database.close()


def test_a_busy_disk_delays_words_and_loses_nothing(tmp_path: Path) -> None:
    """Nothing is told that is not written; everybody is told why; then everything is told, once."""
    with fair(tmp_path) as house:
        ann, bob = guest(house), guest(house)
        ann.command("get pebble")
        bob.until("gets a pebble.")
        with locked(house):
            dropped = typed(ann, "drop pebble")
            spoken = typed(bob, "say is it there?")
            assert silent(ann, 1.0)
            assert silent(bob, 0.2)
            until(lambda: not ready(house))
            for one in (ann, bob):
                one.until("ledger cannot be written")
            refused = typed(ann, "get pebble")
            assert silent(ann, 0.5)
            assert not any("drop" in line for line in ann.lines)
        assert answer(ann, dropped)["t"] == answer(bob, spoken)["t"] == "done"
        answer(ann, refused)
        until(lambda: ready(house))
        assert "You drop a pebble." in ann.lines
        assert ann.lines[-1].startswith("The world's ledger cannot be written just now")
        heard = [line for line in bob.lines if "pebble" in line or "You say" in line]
        assert heard[-2:] == [heard[-2], 'You say, "is it there?"']
        assert heard[-2].endswith("drops a pebble.")
        assert ann.command("get pebble")["t"] == "done"
        assert Counter(ann.lines)["You drop a pebble."] == 1
        assert Counter(ann.lines)["You get a pebble."] == 2
        house.stop()
    assert list(fsck.check(tmp_path / "data" / "mythos.db")) == []


def impossible(house: Server) -> tuple[WebSocket, WebSocket, dict[str, Any]]:
    """Ann drops a pebble that can never be written as dropped; Bob looks on. Returns them and her answer."""
    ann, bob = guest(house), guest(house)
    ann.command("get pebble")
    bob.until("gets a pebble.")
    faults(
        house,
        "CREATE TRIGGER broken BEFORE UPDATE ON entity WHEN NEW.kind = 'i' AND NEW.place = 'fair:green'"
        " BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END",
    )
    c = typed(ann, "drop pebble")
    typed(bob, "say where is it?")
    found = answer(ann, c)
    for one in (ann, bob):
        one.until("The world stumbles.")
    faults(house, "DROP TRIGGER broken")
    return ann, bob, found


def test_a_batch_that_can_never_be_written_did_not_happen(tmp_path: Path) -> None:
    """Its words are heard by nobody; the world is as the store has it, people are told, and play on."""
    with fair(tmp_path) as house:
        ann, bob, found = impossible(house)
        assert found["error"] == "undone"
        assert not any("drop" in line for line in (*ann.lines, *bob.lines))
        assert ann.command("inventory")["t"] == "done"
        assert "A pebble." in ann.lines
        assert ann.command("drop pebble")["t"] == "done"
        bob.until("drops a pebble.")
        assert Counter(ann.lines)["You drop a pebble."] == 1
        assert "ALERT batch" in house.log.read_text()
        house.stop()
    assert list(fsck.check(tmp_path / "data" / "mythos.db")) == []


def test_without_the_horizon_it_is_told_all_the_same(tmp_path: Path) -> None:
    """The control: a server that tells before it has written tells of what never was."""
    with fair(tmp_path, unsafe=True) as house:
        _, bob, _ = impossible(house)
        assert any(line.endswith("drops a pebble.") for line in bob.lines)


@pytest.mark.parametrize("door", ["websocket", "sse"])
def test_a_command_that_is_sent_again_runs_once(tmp_path: Path, door: str) -> None:
    """Two hundred clients lose their line right after they sent something, and send it again on a new one."""
    with fair(tmp_path) as house:
        watcher = Telnet(house.ports["telnet"])
        watcher.until("name?")
        watcher.send("guest")
        watcher.until("> ")
        for number in range(CLIENTS):
            granted = house.post("/api/v1/guest")
            client = WebSocket(house.ports["http"], granted["token"])
            client.until("Grass.")
            line = f"say word{number}."
            if door == "websocket":
                typed(client, line)
            else:
                post_and_leave(house, granted["token"], {"c": client.next_c, "line": line})
            client.cut()
            again = WebSocket(house.ports["http"], client.token, epoch=client.epoch, last=client.last)
            assert again.command(line, c=1)["t"] == "done"
            assert again.command("quit")["t"] == "done"
            again.socket.close()
        watcher.send("say all heard")
        heard = watcher.until('You say, "all heard"')
    said = Counter(word for word in heard.replace('"', " ").split() if word.startswith("word"))
    assert said == {f"word{number}.": 1 for number in range(CLIENTS)}


def post_and_leave(house: Server, token: str, frame: dict[str, Any]) -> None:
    """A command by POST whose answer nobody waits for."""
    body = json.dumps(frame).encode()
    head = (
        f"POST /api/v1/commands HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", house.ports["http"])) as plug:
        plug.sendall(head.encode() + body)
