"""Whole servers with a Redis: they share their limits, and nobody who plays notices what becomes of it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ctl.test_server import ctl
from tests.house.clients import WebSocket
from tests.house.server import PATIENCE, Server, select_nothing
from tests.house.test_gateway import Line
from tests.redis import RedisProcess

PROXY = {"MYTHOS_HTTP_TRUSTED_PROXIES": "127.0.0.1"}


def until(found: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < end, "it did not come"
        select_nothing(0.05)


def ask(server: Server, path: str, method: str = "GET", address: str = "", token: str = "", body: Any = None) -> Any:
    """Status, headers and body."""
    headers = {"x-forwarded-for": address} if address else {}
    headers |= {"authorization": f"Bearer {token}"} if token else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url(path), data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def check(server: Server, name: str = "redis") -> str:
    found: str = server.get("/health")["checks"][name]["status"]
    return found


def passed(servers: tuple[Server, ...], address: str, times: int, path: str = "/api/openapi.json") -> int:
    """How many of so many requests to each are answered."""
    return sum(ask(server, path, address=address)[0] == 200 for _ in range(times) for server in servers)


def test_two_servers_share_their_limits(tmp_path: Path, redis: RedisProcess) -> None:
    """A request and a guess count at both; while Redis is away each lets through less than a half; then as before."""
    env = {
        **PROXY,
        "REDIS_URL": redis.url,
        "RATE_LIMIT_REQUESTS": "20",
        "RATE_LIMIT_WINDOW": "3600",
        "LOG_FORMAT": "text",
    }
    with Server(tmp_path / "one", env=env) as one, Server(tmp_path / "two", env=env) as two:
        both = one, two
        until(lambda: all(check(server) == "ok" for server in both))
        assert passed(both, "192.0.2.1", 15) == 20
        status, headers, _ = ask(one, "/api/openapi.json", address="192.0.2.1")
        assert (status, headers["ratelimit-remaining"]) == (429, "0")
        assert 100 < int(headers["retry-after"]) <= 180
        guesses = [
            ask(server, "/api/v1/login", "POST", f"198.51.{n}.1", body={"name": "ann", "password": "wrong one"})[0]
            for n in range(8)
            for server in both
        ]
        assert guesses.count(401) == 10
        redis.kill()
        until(lambda: all(check(server) == "degraded" for server in both))
        assert passed(both, "192.0.2.2", 15) <= 20
        assert passed((one,), "192.0.2.3", 15) == 10
        assert one.metric('mythos_limits_alone_total{limit="http"}') >= 30
        assert one.metric('mythos_redis_up{redis="redis"}') == 0.0
        redis.start()
        until(lambda: all(check(server) == "ok" for server in both))
        assert passed(both, "192.0.2.4", 15) == 20
        assert one.metric('mythos_rate_limited_total{limit="http"}') > 0
        log = one.log.read_text()
        assert log.count("Failed to connect to Redis") == log.count("answers again") >= 1
        assert "Traceback" not in log


def test_frozen_while_people_play(tmp_path: Path, redis: RedisProcess) -> None:
    """Commands do not wait for it at all, one request for as long as was said, the next not at all."""
    with Server(tmp_path / "data", env={**PROXY, "REDIS_URL": redis.url, "MYTHOS_REDIS_TIMEOUT": "1s"}) as server:
        until(lambda: check(server) == "ok")
        ann = WebSocket(server.ports["http"], server.post("/api/v1/guest")["token"])
        redis.freeze()
        began = time.monotonic()
        for _ in range(20):
            assert ann.command("look")["t"] == "done"
        assert time.monotonic() - began < 1.0
        assert ask(server, "/help")[0] == 200
        assert 0.9 < time.monotonic() - began < 10.0
        assert check(server) == "degraded"
        redis.thaw()
        until(lambda: check(server) == "ok")
        ann.cut()


def test_without_it_at_the_start(tmp_path: Path, redis: RedisProcess) -> None:
    """A server starts, plays, and uses it when it comes."""
    redis.kill()
    with Server(tmp_path / "data", env={"REDIS_URL": redis.url}) as server:
        assert check(server) == "degraded"
        ann = WebSocket(server.ports["http"], server.post("/api/v1/guest")["token"])
        assert ann.command("look")["t"] == "done"
        redis.start()
        until(lambda: check(server) == "ok")
        assert server.metric('mythos_redis_connections{redis="redis"}') == 1.0
        assert server.metric('mythos_breaker_state{name="redis"}') == 0.0
        ann.cut()
        assert server.stop() == 143


def test_a_password_and_more_connections(tmp_path: Path, redis: RedisProcess) -> None:
    """Of a variable of its own; neither the log nor the numbers show it."""
    redis.ask("CONFIG", "SET", "requirepass", "canary-hush")
    env = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis.port), "REDIS_DB": "2", "REDIS_PASSWORD": "canary-hush"}
    env |= {"REDIS_POOL_MIN": "3", "REDIS_POOL_MAX": "5", "LOG_LEVEL": "debug"}
    with Server(tmp_path / "data", env=env) as server:
        until(lambda: server.metric('mythos_redis_connections{redis="redis"}') == 3.0)
        server.get("/health")
        server.post("/api/v1/guest")
        assert server.stop() == 143
        assert "canary-hush" not in server.log.read_text()


def test_a_wrong_password(tmp_path: Path, redis: RedisProcess) -> None:
    redis.ask("CONFIG", "SET", "requirepass", "right")
    with Server(tmp_path / "data", env={"REDIS_URL": redis.url.replace("//", "//:canary-wrong@")}) as server:
        until(lambda: "WRONGPASS" in server.log.read_text())
        assert check(server) == "degraded"
        assert "canary" not in server.log.read_text()


def test_the_cache(tmp_path: Path) -> None:
    """A page is made once, operators see it and can forget it; players may not look, and guests not forget."""
    with Server(tmp_path / "data") as server:
        first = ask(server, "/help")[2]
        assert all(ask(server, "/help")[2] == first for _ in range(4))
        assert server.metric('mythos_cache_hits_total{namespace="pages"}') == 4.0
        metrics = f"http://127.0.0.1:{server.ports['metrics']}/metrics.json"
        with urllib.request.urlopen(metrics, timeout=PATIENCE) as answer:
            assert json.load(answer)["cache_hit_rate"] == 0.8
        shown = server.get("/api/v1/admin/cache")
        assert shown["namespaces"]["pages"]["hit_rate"] == 0.8
        assert shown == json.loads(ctl(server, "cache", "show", "--json"))
        assert "pages: 1 entries" in ctl(server, "cache", "show")
        assert ctl(server, "cache", "clear", "pages") == "1 entries of pages are forgotten.\n"
        assert ask(server, "/help")[2] == first

        guest = server.post("/api/v1/guest")["token"]
        assert ask(server, "/api/v1/admin/cache/pages", "DELETE")[0] == 401
        assert ask(server, "/api/v1/admin/cache/pages", "DELETE", token=guest)[0] == 403
        look = ctl(server, "token", "create", "one", "--rights", "look").split()[0]
        life = ctl(server, "token", "create", "two", "--rights", "life").split()[0]
        assert ask(server, "/api/v1/admin/cache/pages", "DELETE", token="no-such-token")[0] == 401
        assert ask(server, "/api/v1/admin/cache/pages", "DELETE", token=look)[0] == 403
        assert json.loads(ask(server, "/api/v1/admin/cache", token=look)[2])["total"]["entries"] == 1
        assert json.loads(ask(server, "/api/v1/admin/cache/pages", "DELETE", token=life)[2])["cleared"] == 1
        assert ask(server, "/api/v1/admin/cache/nothing", "DELETE", token=life)[0] == 403
        assert "cache-clear pages (ordered)" in ctl(server, "audit")
        endpoint = 'endpoint="/api/v1/admin/cache/...",method="DELETE"'  # whatever is asked for
        assert server.metric(f"mythos_request_duration_seconds_count{{{endpoint}}}") == 6.0


def test_a_keeper_forgets(tmp_path: Path) -> None:
    with Server(tmp_path / "data", env=PROXY) as server:
        ask(server, "/map")
        ctl(server, "account", "create", "zoe", "--keeper", stdin="correct horse\n")
        token = server.post("/api/v1/login", {"name": "zoe", "password": "correct horse"})["token"]
        status, _, body = ask(server, "/api/v1/admin/cache/pages", "DELETE", "192.0.2.1", token)
        assert (status, json.loads(body)["cleared"]) == (200, 1)
        assert ask(server, "/api/v1/admin/cache", "GET", "192.0.2.1", token)[0] == 200
        assert ask(server, "/api/v1/admin/cache", "GET", "192.0.2.1")[0] == 401


@pytest.mark.parametrize(("env", "kept"), [({}, True), ({"CACHE_ENABLED": "false"}, False)])
def test_switched_off(tmp_path: Path, env: dict[str, str], kept: bool) -> None:
    with Server(tmp_path / "data", env=env) as server:
        for _ in range(3):
            ask(server, "/help")
        assert server.metric('mythos_cache_hits_total{namespace="pages"}') == (2.0 if kept else 0.0)


def test_bounds_of_the_cache(tmp_path: Path) -> None:
    """How long, how many and how much it keeps, and what it packs."""
    env = {"CACHE_TTL": "1", "MYTHOS_CACHE_MAX_ENTRIES": "3", "CACHE_MAX_MEMORY_MB": "7", "MYTHOS_CACHE_SWEEP": "1"}
    with Server(tmp_path / "data", env={**env, "MYTHOS_CACHE_COMPRESS_OVER": "1MB"}) as server:

        def pages() -> Any:
            return server.get("/api/v1/admin/cache")["namespaces"]["pages"]

        size = len(ask(server, "/help")[2])
        assert pages()["bytes"] > size
        for word in ("say", "look", "who", "tell"):
            ask(server, f"/help/{word}")
        assert (pages()["entries"], pages()["evictions"]) == (3, 2)
        assert server.metric("mythos_cache_room_bytes") == 7 * 2**20
        until(lambda: pages()["entries"] == 0)
        assert pages()["expired"] == 3
    with Server(tmp_path / "data") as server:
        ask(server, "/help")
        assert server.get("/api/v1/admin/cache")["namespaces"]["pages"]["bytes"] < size


def test_memory_is_short(tmp_path: Path) -> None:
    """What is cached goes first of all, and nothing more is kept."""
    with Server(tmp_path / "data", env={"MAX_MEMORY_MB": "1", "MEMORY_CHECK_INTERVAL": "1s"}) as server:
        until(lambda: server.metric("mythos_memory_step") == 3)
        ask(server, "/help")
        assert server.get("/api/v1/admin/cache")["total"]["entries"] == 0
        assert server.metric("mythos_cache_room_bytes") == 0.0


def test_a_redis_for_the_cache(tmp_path: Path, redis_server: Path, redis: RedisProcess) -> None:
    """An answer of another MUD is asked for once: kept in memory, and in that Redis for the next server."""
    other = RedisProcess(redis_server)
    other.start()
    env = {"REDIS_URL": redis.url, "MYTHOS_REDIS_CACHE_URL": other.url}
    routing = {"MYTHOS_I3_ROUTER_LISTEN": "0", "MUD_NAME": "First", "MYTHOS_I3_THROTTLE": "0"}
    try:
        with Server(tmp_path / "first", "--i3-router", "--private", env=routing) as first:
            routers = {"MYTHOS_I3_ROUTERS": f"*mythos 127.0.0.1:{first.ports['i3-router']}", "MUD_NAME": "Second"}
            with Server(tmp_path / "second", env={**env, **routers}) as second:
                until(lambda: second.metric('mythos_redis_up{redis="redis-cache"}'))
                bob = WebSocket(second.ports["http"], second.post("/api/v1/guest")["token"])
                player(bob, "i3 muds", "First, Second")
                player(bob, "i3 who first", "Nobody is on First.")
                until(lambda: other.ask("EXISTS", "cache:i3-who:first"))
                assert redis.ask("KEYS", "cache:*") == []
                WebSocket(first.ports["http"], first.post("/api/v1/guest")["token"]).command("look")
                sent = second.metric('mythos_i3_packets_total{mud="Second",what="sent"}')
                bob.lines.clear()
                player(bob, "i3 who first", "Nobody is on First.")
                assert second.metric('mythos_i3_packets_total{mud="Second",what="sent"}') == sent
                second.stop()
                second.start()
                until(lambda: second.metric('mythos_redis_up{redis="redis-cache"}'))
                bob = WebSocket(second.ports["http"], second.post("/api/v1/guest")["token"])
                player(bob, "i3 muds", "First, Second")
                player(bob, "i3 who first", "Nobody is on First.")
                assert second.get("/api/v1/admin/cache")["namespaces"]["i3-who"]["shared"] >= 1
                assert ctl(second, "cache", "clear", "i3-who")
                until(lambda: not other.ask("EXISTS", "cache:i3-who:first"))
                bob.lines.clear()
                player(bob, "i3 who first", "1 on First:")
    finally:
        other.remove()


def player(client: WebSocket, line: str, answer: str) -> None:
    """Type it until somebody answers so: links take a moment."""
    end = time.monotonic() + PATIENCE
    while not any(answer in text for text in client.lines):
        assert time.monotonic() < end, client.lines[-5:]
        client.command(line)
        select_nothing(0.1)


def test_two_gateways_share_the_limit_of_a_key(tmp_path: Path, redis: RedisProcess) -> None:
    """Together they let through about what one would; without Redis in the middle each lets through half of it."""
    env = {"REDIS_URL": redis.url, "API_KEY_REACH": "q2JQ0r1c5T8cK4o1mUu9s3Zt7yXvBnAa", "RATE_LIMIT_PER_MINUTE": "1"}
    env |= {"MYTHOS_GATEWAY": "0", "MYTHOS_GATEWAY_TCP": "0", "RATE_LIMIT_BURST": "20"}

    def passing(line: Line, most: int) -> int:
        return sum("error" not in line.call("ping") for _ in range(most))

    servers = [Server(tmp_path / name, "--roles", "i3", env=env) for name in ("one", "two")]
    with servers[0], servers[1]:
        until(lambda: all(one.metric('mythos_redis_up{redis="redis"}') for one in servers))
        lines = [Line(one.ports["gateway-tcp"], env["API_KEY_REACH"]) for one in servers]
        assert passing(lines[0], 15) == 15
        until(lambda: redis.ask("KEYS", "limit:gateway:*"))
        assert passing(lines[1], 6) == 6
        until(lambda: passing(lines[1], 1) == 0)
        until(lambda: passing(lines[0], 1) == 0)
        redis.kill()
        until(lambda: not any(one.metric('mythos_redis_up{redis="redis"}') for one in servers))
        again = Line(servers[0].ports["gateway-tcp"], env["API_KEY_REACH"])
        assert passing(again, 30) == 10
