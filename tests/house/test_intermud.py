"""Two real servers and the router that one of them runs: people of both talk, through kills and restarts."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.clients import WebSocket
from tests.house.server import PATIENCE, Server, select_nothing

_FREE = {"RATE_LIMIT_ENABLED": "false", "MYTHOS_I3_ROUTER_LISTEN": "0", "MUD_NAME": "First"}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """``First`` runs the router, ``Second`` is on it too."""
    with Server(tmp_path / "first", "--i3-router", "--private", env=_FREE) as first:
        routers = f"*mythos 127.0.0.1:{first.ports['i3-router']}"
        names = {"RATE_LIMIT_ENABLED": "false", "MUD_NAME": "Second", "MYTHOS_I3_ROUTERS": routers}
        with Server(tmp_path / "second", env=names) as second:
            yield first, second


def player(server: Server) -> tuple[WebSocket, str]:
    granted = server.post("/api/v1/guest")
    return WebSocket(server.ports["http"], granted["token"]), granted["name"]


def until(client: WebSocket, line: str, answer: str) -> None:
    """Type it until somebody answers so: links take a moment."""
    end = time.monotonic() + PATIENCE
    while not any(answer in text for text in client.lines):
        assert time.monotonic() < end, client.lines[-5:]
        client.command(line)
        select_nothing(0.1)


def test_people_of_two_muds_talk(pair: tuple[Server, Server]) -> None:
    first, second = pair
    (ann, anns), (bob, bobs) = player(first), player(second)
    until(ann, "i3 muds", "First, Second")
    until(bob, "i3 muds", "First, Second")
    ann.command(f"i3 tell {bobs}@second: hello ☃")
    bob.until(f'{anns}@First tells you, "hello ☃"')
    bob.command("i3 reply hello yourself")
    ann.until(f'{bobs}@Second tells you, "hello yourself"')
    for one in (ann, bob):
        one.command("i3 listen gossip")
    until(bob, "i3 chan gossip anybody?", f"[gossip] {bobs}: anybody?")
    ann.until(f"[gossip] {bobs}@Second: anybody?")
    ann.command("i3 chanwho gossip@second")
    ann.until(f"gossip on Second: {bobs}.")
    ann.command("i3 who second")
    ann.until(bobs)
    assert [second.metric(f'mythos_i3_{what}{{mud="Second"}}') for what in ("up", "muds", "queue")] == [1, 2, 0]
    assert second.metric('mythos_i3_packets_total{mud="Second",what="sent"}') >= 3
    assert second.metric('mythos_i3_packets_total{mud="Second",what="bad"}') == 0


def test_a_full_disk_costs_nobody_the_stop(tmp_path: Path) -> None:
    """What the network has to keep cannot be written: players still lose nothing by a planned restart."""
    with Server(tmp_path / "alone", "--i3-router", "--private", env=_FREE) as server:
        ann, _ = player(server)
        until(ann, "i3 muds", "First")
        ann.command("i3 listen gossip")
        until(ann, "i3 chan gossip anybody?", "[gossip] ")
        for full in ("i3-lists.part", "i3-channels.part"):
            (server.data / full).mkdir()
        assert server.stop() == 143
        server.start()
        back = WebSocket(server.ports["http"], ann.token, epoch=ann.epoch, last=ann.last)
        assert back.hello["resumed"] is True
        log = server.log.read_text()
        assert "i3-lists.json cannot be written" in log
        assert "i3-channels.json cannot be written" in log


def test_tells_that_wait_outlive_a_kill(tmp_path: Path) -> None:
    """A player's words for whom the router had no room yet come once each, and in order."""
    with Server(tmp_path / "first", "--i3-router", "--private", env=_FREE) as first:
        routers = {"MYTHOS_I3_ROUTERS": f"*mythos 127.0.0.1:{first.ports['i3-router']}", "MYTHOS_I3_THROTTLE": "1"}
        with Server(tmp_path / "second", env={**_FREE, "MUD_NAME": "Second", **routers}) as second:
            (ann, anns), (bob, bobs) = player(first), player(second)
            until(bob, "i3 muds", "First, Second")
            words = [f"word {number}" for number in range(5)]
            for one in words:
                bob.command(f"i3 tell {anns}@first: {one}")
            second.kill()
            waited = json.loads((second.data / "i3-unsent.json").read_text())["Second"]
            assert [one[7] for one in waited] == words[-len(waited) :]
            second.start()
            ann.until(f'"{words[-1]}"')
            told = [line for line in ann.lines if " tells you, " in line]
            assert told == [f'{bobs}@Second tells you, "{one}"' for one in words]


def test_the_link_comes_back(pair: tuple[Server, Server]) -> None:
    """The router is killed and comes back on its port: its passwords are known, and so are ours."""
    first, second = pair
    (ann, _), (bob, bobs) = player(first), player(second)
    until(ann, "i3 muds", "First, Second")
    kept = second.data / "i3-passwords.json"
    known = json.loads(kept.read_text())
    assert known["Second"]["*mythos"] > 0
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads((first.data / "i3-router.json").read_text())["passwords"]["Second"] == known["Second"]["*mythos"]
    second.kill()
    second.start()
    bob = WebSocket(second.ports["http"], bob.token)
    until(bob, "i3 muds", "First, Second")
    ann.command(f"i3 tell {bobs}@second: still there?")
    bob.until("still there?")
    assert json.loads(kept.read_text()) == known


def test_what_was_said_outlives_the_server(pair: tuple[Server, Server]) -> None:
    """The history of a channel after a stop, and who listens to it; a file that is broken is left out."""
    _, second = pair
    bob, bobs = player(second)
    until(bob, "i3 muds", "First, Second")
    bob.command("i3 listen gossip")
    bob.command("i3 chan gossip remember me")
    assert second.stop() == 143
    second.start()
    bob = WebSocket(second.ports["http"], bob.token)
    bob.command("i3 history gossip")
    assert f"[gossip] {bobs}: remember me" in bob.lines
    until(bob, "i3 channels", "gossip of *mythos: you listen.")
    second.stop()
    (second.data / "i3-channels.json").write_text("[1]")
    second.start()
    assert "i3-channels.json cannot be read" in second.log.read_text()
