"""Connections to a real Redis: they come back by themselves, and nobody waits longer than was said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from service_identity import CertificateError
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import Factory, Protocol

from mythos.cluster.redis import MOST, RedisAway, RedisRefused
from mythos.flow.breaker import State
from tests.cluster.connected import connected, reactor, until
from tests.conftest import Failures
from tests.net.certificates import make
from tests.redis import RedisProcess, free_port


async def test_values_are_bytes(redis: RedisProcess) -> None:
    """Nothing is taken for a number, and nothing for text."""
    async with connected(redis.url) as ours:
        for value in (b"007", b"1_000", b"\xff\x00\r\n", b""):
            await ours.ask("SET", "k", value)
            assert await ours.ask("GET", "k") == value
        assert await ours.ask("GET", "none") is None
        with pytest.raises(RedisRefused, match="WRONGTYPE"):
            await ours.ask("LPUSH", "k", 1)
        assert (ours.counts.answered, ours.counts.refused) == (9, 1)


async def test_a_socket_a_database_and_a_password(redis_server: Path) -> None:
    one = RedisProcess(redis_server)
    one.start()
    try:
        one.ask("CONFIG", "SET", "requirepass", "hush hush")
        async with connected(f"unix://:hush%20hush@{one.socket}?db=3") as ours:
            await ours.ask("SET", "k", 1)
            assert b"db3:keys=1" in await ours.ask("INFO", "keyspace")
        async with connected(f"redis://:wrong@127.0.0.1:{one.port}", wait=False) as ours:
            await until(lambda: ours.trouble == "It does not answer (RedisRefused).")
            assert not ours.up
    finally:
        one.remove()


@pytest.mark.parametrize(
    ("host", "named", "good"),
    [("localhost", True, True), ("localhost", False, False), ("elsewhere", True, False), ("", True, False)],
)
async def test_tls(redis_server: Path, tmp_path: Path, failures: Failures, host: str, named: bool, good: bool) -> None:
    """Nothing is said to whoever has no certificate for that host, by an authority that is known."""
    make(tmp_path / "both.pem", tmp_path / "both.pem", "redis", host=host)
    secure = free_port()
    files = ("--tls-cert-file", "--tls-key-file", "--tls-ca-cert-file")
    given = [word for name in files for word in (name, str(tmp_path / "both.pem"))]
    one = RedisProcess(redis_server, "--tls-port", str(secure), "--tls-auth-clients", "no", *given)
    one.start()
    try:
        known = f"?ssl_ca_certs={tmp_path / 'both.pem'}" if named else ""
        async with connected(f"rediss://:hush@localhost:{secure}{known}", wait=False) as ours:
            if good:
                one.ask("CONFIG", "SET", "requirepass", "hush")
                await until(lambda: ours.up)
            else:
                await until(lambda: "does not answer" in ours.trouble)
                assert not ours.up
                assert b"cmdstat_auth" not in one.ask("INFO", "commandstats")
    finally:
        one.remove()
    failures.flush(CertificateError)


async def test_it_comes_back(redis: RedisProcess) -> None:
    """Killed: what is on its way fails, what comes then fails at once; started again: it goes on."""
    async with connected(redis.url) as ours:
        waiting = Deferred.fromCoroutine(ours.ask("BLPOP", "none", 0))
        redis.kill()
        with pytest.raises(RedisAway):
            await waiting
        await until(lambda: not ours.up)
        before = ours.counts.away
        with pytest.raises(RedisAway, match="Redis is away"):
            await ours.ask("PING")
        assert ours.counts.away == before + 1
        redis.start()
        await until(lambda: ours.up)
        await ours.ask("PING")
        assert ours.trouble == ""


async def test_it_does_not_run_at_the_start(redis_server: Path) -> None:
    """Nobody waits for it; when it comes up, it is there."""
    late = RedisProcess(redis_server)
    try:
        async with connected(late.url, wait=False) as ours:
            await until(lambda: ours.trouble.startswith("It does not answer"))
            late.start()
            await until(lambda: ours.up)
    finally:
        late.remove()


async def test_frozen(redis: RedisProcess) -> None:
    """The first who asks waits for as long as was said, all others not at all; nobody gets another one's answer."""
    async with connected(redis.url, timeout=0.2) as ours:
        await ours.ask("SET", "mine", "yours")
        redis.freeze()
        with pytest.raises(RedisAway):
            await ours.ask("GET", "mine")
        await until(lambda: not ours.up)
        with pytest.raises(RedisAway, match="Redis is away"):
            await ours.ask("PING")
        redis.thaw()
        await until(lambda: ours.up)
        assert await ours.ask("ECHO", "words") == b"words"


async def test_a_dead_connection_is_found(redis: RedisProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though nobody asks anything."""
    monkeypatch.setattr("mythos.cluster.redis.PING", 0.05)
    async with connected(redis.url, timeout=0.1) as ours:
        redis.freeze()
        await until(lambda: not ours.up)
        redis.thaw()
        await until(lambda: ours.up)


async def test_it_opens_more_while_all_are_busy(redis: RedisProcess) -> None:
    """As many as it may, and no more."""
    async with connected(redis.url, connections=(2, 3)) as ours:
        await until(lambda: ours.connections == 2)
        for _ in range(3):
            await gatherResults([Deferred.fromCoroutine(ours.ask("PING")) for _ in range(200)])
            await until(lambda: ours.connections >= 2)
        await until(lambda: ours.connections == 3)


async def test_no_queue_without_end(redis: RedisProcess) -> None:
    """Beyond its bound a command fails at once."""
    async with connected(redis.url, connections=(1, 1), timeout=5.0) as ours:
        redis.freeze()
        asked = [Deferred.fromCoroutine(ours.ask("PING")) for _ in range(MOST)]
        with pytest.raises(RedisAway, match="commands wait"):
            await ours.ask("PING")
        redis.thaw()
        await gatherResults(asked)


class Answers(Protocol):
    """Says the same to whoever comes, whatever they say."""

    said = b""

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(self.said)


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"*99999999999\r\n", b"$-7\r\n", b"\x00" * 99])
async def test_no_redis_there(said: bytes) -> None:
    """What listens there speaks something else: it is left, and nothing breaks."""
    factory = Factory.forProtocol(type("Said", (Answers,), {"said": said}))
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    try:
        async with connected(f"redis://127.0.0.1:{port.getHost().port}", wait=False, timeout=0.1) as ours:
            await until(lambda: "does not answer" in ours.trouble)
            assert not ours.up
    finally:
        await port.stopListening()


async def test_its_breaker(redis: RedisProcess) -> None:
    """It opens while Redis is away, and closes at the first connection that answers, however soon that is. While it is
    open nothing is sent; refusals are answers."""
    async with connected(redis.url) as ours:
        breaker = ours.breaker
        for _ in range(9):
            with pytest.raises(RedisRefused):
                await ours.ask("NONSENSE")
        assert breaker.state(reactor.seconds()) is State.CLOSED
        for _ in range(9):
            breaker.failed(reactor.seconds())
        assert not ours.up
        with pytest.raises(RedisAway, match="redis has failed again and again"):
            await ours.ask("SET", "k", 1)
        assert redis.ask("GET", "k") is None
        redis.kill()
        await until(lambda: ours.connections == 0)
        redis.start()
        await until(lambda: ours.up)
        assert breaker.state(reactor.seconds()) is State.CLOSED
        redis.kill()
        await until(lambda: breaker.state(reactor.seconds()) is State.OPEN)


async def test_sentinels(redis_server: Path, redis_sentinel: Path, tmp_path: Path) -> None:
    """It finds the one that takes writes, and the next one when that dies."""
    first = RedisProcess(redis_server)
    first.start()
    second = RedisProcess(redis_server, "--replicaof", "127.0.0.1", str(first.port))
    second.start()
    config = tmp_path / "sentinel.conf"
    config.write_text(
        f"sentinel monitor world 127.0.0.1 {first.port} 1\nsentinel down-after-milliseconds world 300\n"
        "sentinel failover-timeout world 2000\n"
    )
    watcher = RedisProcess(redis_sentinel)
    watcher.command = [str(redis_sentinel), str(config), "--port", str(watcher.port), "--bind", "127.0.0.1"]
    watcher.command += ["--unixsocket", str(watcher.socket)]
    watcher.start()
    try:
        dead = free_port()
        async with connected(f"redis+sentinel://127.0.0.1:{dead},127.0.0.1:{watcher.port}/world") as ours:
            await ours.ask("SET", "k", 1)
            await until(lambda: second.ask("GET", "k") == b"1")
            await until(lambda: b"num-slaves" in b" ".join(map(_bytes, watcher.ask("SENTINEL", "MASTER", "world"))))
            await until(lambda: watcher.ask("SENTINEL", "REPLICAS", "world"))
            first.kill()
            await until(lambda: takes_writes(second))
            await until(lambda: ours.up)
            await ours.ask("SET", "k", 2)
            assert second.ask("GET", "k") == b"2"
        async with connected(f"redis+sentinel://127.0.0.1:{watcher.port}/other", wait=False) as ours:
            await until(lambda: "does not answer" in ours.trouble)
    finally:
        for one in (watcher, second, first):
            one.remove()


def takes_writes(one: RedisProcess) -> bool:
    try:
        return bool(one.ask("ROLE")[0] == b"master")
    except (ConnectionResetError, EOFError):  # whoever is connected at the change is sent away
        return False


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else b""
