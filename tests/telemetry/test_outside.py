"""A real server, looked at from outside."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.house.clients import Telnet, WebSocket
from tests.house.server import Server, select_nothing
from tests.telemetry.pages import values


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("outside") / "data") as server:
        yield server


def page(server: Server, path: str = "/metrics", accept: str = "*/*") -> tuple[str, bytes]:
    """The type of a page of its metrics listener, and the page."""
    request = urllib.request.Request(f"http://127.0.0.1:{server.ports['metrics']}{path}", headers={"accept": accept})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers["content-type"], answer.read()


def ask(server: Server, path: str, **headers: str) -> tuple[int, Any]:
    """The status and the JSON of a page, whatever the status is."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(server.url(path), headers=named)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as answer:
        return answer.code, json.load(answer)


def until(condition: Callable[[], bool]) -> None:
    """Within ten seconds, as is promised."""
    end = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < end, "it never came true"
        select_nothing(0.05)


def test_health(house: Server) -> None:
    """Every path there is; their numbers for who is on this machine, and not for who comes by a proxy."""
    for path in ("/health", "/health/", "/api/health"):
        status, found = ask(house, path)
        assert (status, found["status"], found["database"]) == (200, "healthy", "ok")
        assert found["checks"]["database"] == {"status": "ok", "message": ""}
    assert ask(house, "/health/live") == (200, {"status": "alive"})
    assert ask(house, "/health/ready") == (200, {"status": "ready"})
    detailed = ask(house, "/health/detailed")[1]
    assert detailed["checks"]["database"]["latency_ms"] >= 0.0
    assert detailed["score"] == 1.0
    assert "score" not in ask(house, "/health/detailed", x_forwarded_for="192.0.2.7")[1]
    token = house.post("/api/v1/guest")["token"]
    forwarded = {"x_forwarded_for": "192.0.2.7", "authorization": f"Bearer {token}"}
    assert "score" not in ask(house, "/health/detailed", **forwarded)[1]


def test_numbers_follow_what_happens(house: Server) -> None:
    """A player comes, plays and goes."""
    before = values(page(house)[1])
    player = Telnet(house.ports["telnet"])
    player.until("name")
    player.send("guest")
    player.until(">")
    player.send("look")
    player.until(">")
    during = values(page(house)[1])
    assert during['mythos_connections{door="telnet"}'] == before['mythos_connections{door="telnet"}'] + 1
    assert during["mythos_connections_total"] == before["mythos_connections_total"] + 1
    assert during['mythos_sessions{state="present"}'] == before['mythos_sessions{state="present"}'] + 1
    assert during['mythos_connection_establishment_seconds_count{type="telnet"}'] >= 1
    assert during['mythos_command_seconds_count{command="look"}'] >= 1
    assert (
        sum(number for name, number in during.items() if name.startswith("mythos_zone_players"))
        == (during["mythos_players"])
    )
    player.send("quit")
    player.ended()
    player.close()
    ended = 'mythos_connections_closed_total{door="telnet",reason="ended"}'
    until(lambda: ended in values(page(house)[1]))
    after = values(page(house)[1])
    assert after[ended] == 1
    assert after["mythos_memory_usage_bytes"] == pytest.approx(after["process_resident_memory_bytes"], rel=0.2)
    assert after["mythos_lines_lost_total"] == 0


def test_metrics_as_json(house: Server) -> None:
    """For who says so in the header, the address or the path; Prometheus gets text."""
    prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1"
    for accept in (prometheus, "text/\xe9", "\xff"):
        assert page(house, accept=accept)[0].startswith("text/plain; version=0.0.4")
    for path, accept in (("/metrics", "application/json"), ("/metrics?format=json", "*/*"), ("/metrics.json", "*/*")):
        kind, body = page(house, path, accept)
        assert kind == "application/json"
        found = json.loads(body)
        assert found["database"] == {"pool_size": 1, "active": 0, "available": 1}
        assert found["active_connections"] == found["metrics"]["mythos_connections_total"]


def test_without_its_database(tmp_path: Path) -> None:
    """A store that stands still makes the server unready within ten seconds, and it stays alive; both end with that.

    Another program has the file to itself: what a guest writes waits for it, and all that is asked waits behind.
    """
    with Server(tmp_path / "data", env={"HEALTH_CHECK_TIMEOUT": "0.2"}) as server:
        assert ask(server, "/health/ready")[0] == 200
        other = sqlite3.connect(server.data / "mythos.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        guest = Telnet(server.ports["telnet"])
        guest.until("name")
        guest.send("guest")
        until(lambda: ask(server, "/health")[0] == 503)
        found = ask(server, "/health")
        assert found[1]["status"] == "unhealthy"
        assert found[1]["checks"]["database"]["status"] == "down"
        assert found[1]["database"] == found[1]["checks"]["database"]["message"] != ""
        assert ask(server, "/health/ready")[0] == 503
        assert ask(server, "/health/live")[0] == 200
        assert values(page(server)[1])['mythos_check{check="database",status="down"}'] == 1
        other.execute("ROLLBACK")
        other.close()
        until(lambda: ask(server, "/health/ready")[0] == 200)
        guest.until(">")
        guest.close()


def test_memory_is_short(tmp_path: Path) -> None:
    """Nobody new comes in by any door, and it says why; a player who is there would go on."""
    with Server(tmp_path / "data", env={"MAX_MEMORY_MB": "10", "MEMORY_CHECK_INTERVAL": "0.1"}) as server:
        status, found = ask(server, "/health")
        assert (status, found["checks"]["memory"]["status"]) == (503, "down")
        assert "% of what it may be" in found["checks"]["memory"]["message"]
        assert ask(server, "/health/detailed")[1]["checks"]["memory"]["detail"]["limit"] == 10 * 2**20
        with pytest.raises(urllib.error.HTTPError) as refused:
            server.post("/api/v1/guest")
        assert refused.value.code == 503
        guest = Telnet(server.ports["telnet"])
        guest.until("name")
        guest.send("guest")
        guest.until("This world is full just now.")
        guest.close()
        assert values(page(server)[1])["mythos_memory_step"] == 3
        assert "ALERT memory is" in server.log.read_text()
    with Server(tmp_path / "data", env={"MAX_MEMORY_MB": "10", "USE_MEMORY_MONITORING": "false"}) as server:
        assert "memory" not in ask(server, "/health")[1]["checks"]
        assert server.post("/api/v1/guest")["session"]


def test_the_disk_is_full(tmp_path: Path) -> None:
    """What it has left is told before; then nothing changes hands, and nothing that was there is lost."""
    with Server(tmp_path / "data", env={"MYTHOS_DISK_WARN_PERCENT": "99"}) as server:
        status, found = ask(server, "/health")
        assert (status, found["status"], found["checks"]["disk"]["status"]) == (200, "degraded", "degraded")
        numbers = values(page(server)[1])
        assert 0 < numbers["mythos_disk_free_bytes"] < numbers["mythos_disk_size_bytes"]
    with Server(tmp_path / "data", env={"MYTHOS_DISK_SEAL": "1000GB"}) as server:
        status, found = ask(server, "/health/ready")
        assert (status, found["reason"].partition(":")[0]) == (503, "database")
        assert ask(server, "/health")[1]["checks"]["disk"]["message"] == "It is full: nothing can change hands."
        assert "MB are free on the disk of the store" in server.log.read_text()


def test_it_stands_still(house: Server) -> None:
    """It is counted, and told to the log in one line; that the machine gave it no time, too."""
    before = values(page(house)[1])["mythos_reactor_stalls_total"]
    os.kill(house.pid, signal.SIGSTOP)
    select_nothing(1.2)
    os.kill(house.pid, signal.SIGCONT)
    until(lambda: values(page(house)[1])["mythos_reactor_stalls_total"] > before)
    said = [line for line in house.log.read_text().splitlines() if "ALERT the server stood still for 1." in line]
    assert "; it computed for 0." in said[-1]


def test_the_log(tmp_path: Path) -> None:
    """What runbooks look for, in the file that is named; SIGHUP begins a new one. Each line says whose it is."""
    path = tmp_path / "mythos.log"
    with Server(tmp_path / "data", env={"LOG_FILE": str(path), "LOG_FORMAT": "json"}) as server:
        player = WebSocket(server.ports["http"], server.post("/api/v1/guest")["token"])
        player.command("look")
        player.cut()
        other = Telnet(server.ports["telnet"])
        other.until("name")
        other.send("guest")
        other.until(">")
        other.send("quit")
        other.ended()
        other.close()
        until(lambda: "Telnet disconnected" in path.read_text())
        told = [json.loads(line) for line in path.read_text().splitlines()]
        (came,) = [one for one in told if one["msg"].startswith("WebSocket connected")]
        assert (came["event"], came["category"], came["level"]) == ("connection_establishment", "connection", "INFO")
        assert 0.0 <= came["dur_ms"] < 30_000.0
        assert "connection_establishment" in came["msg"]
        (went,) = [one for one in told if one["msg"].startswith("Telnet disconnected: ended")]
        assert {"session", "connection"} <= went.keys()
        path.rename(moved := tmp_path / "mythos.log.1")
        os.kill(server.pid, signal.SIGHUP)
        until(path.exists)
        before = moved.read_text()
        player = WebSocket(server.ports["http"], server.post("/api/v1/guest")["token"])
        player.cut()
        until(lambda: path.read_text().count("WebSocket connected") == 1)
        assert moved.read_text() == before


def test_requests_have_names(house: Server) -> None:
    """Their own, if they bring one; it stands in the answer, and in the log if something breaks."""

    def name(**headers: str) -> str | None:
        request = urllib.request.Request(house.url("/health/live"), headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: str | None = answer.headers["x-request-id"]
            return found

    assert name(**{"X-Request-ID": "front-7"}) == "front-7"
    first, second = name(), name(**{"X-Request-ID": "two words"})
    assert first is not None and first.startswith("r")
    assert second not in (first, "two words")


def test_scale(house: Server) -> None:
    """For who is on this machine, and not for who comes by a proxy, with or without a player's token."""
    status, found = ask(house, "/api/v1/nodes/scale")
    assert status == 200
    assert found["ratios"].keys() == found["thresholds"].keys() == {"cpu", "memory", "queue", "connections"}
    assert found["advice"] in ("up", "hold", "down")
    assert 0.0 < found["ratios"]["memory"] < 1.0
    forwarded = {"x_forwarded_for": "192.0.2.7"}
    assert ask(house, "/api/v1/nodes/scale", **forwarded)[0] == 401
    token = house.post("/api/v1/guest")["token"]
    assert ask(house, "/api/v1/nodes/scale", authorization=f"Bearer {token}", **forwarded)[0] == 403
