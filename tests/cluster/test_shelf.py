"""The cache with a Redis behind it and without: the same to whoever uses it, whatever becomes of Redis."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import AsyncIterator

import pytest
import pytest_twisted
from twisted.internet.task import Clock

from mythos.cluster.redis import Redis
from mythos.cluster.shelf import LARGEST, RedisShelf
from mythos.errors import Refusal
from mythos.flow.kept import Kept, pack
from mythos.net.cache import READS, Cache
from tests.cluster.connected import connected, until
from tests.redis import RedisProcess


def cache(clock: Clock, redis: Redis | None = None, room: int = 10**6) -> Cache:
    made = Cache(Kept(room), clock.seconds, 300.0)
    if redis is not None:
        made.shelf = RedisShelf(redis, 1024)
    return made


@pytest.fixture(params=["memory", "redis", "killed"])
def level(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def kept(level: str, redis: RedisProcess) -> AsyncIterator[tuple[Cache, Clock]]:
    """One cache: without Redis, with one, and with one that is away."""
    clock = Clock()
    if level == "memory":
        yield cache(clock), clock
        return
    async with connected(redis.url) as ours:
        if level == "killed":
            redis.kill()
            await until(lambda: not ours.up)
        yield cache(clock, ours), clock


async def test_it_ends(kept: tuple[Cache, Clock]) -> None:
    """After its time, which is no longer than the operator's, and as soon as it is not true any more."""
    ours, clock = kept
    ours.shelf = None  # Redis has a clock of its own
    ours.put("who", "Far", b"rows", 60.0)
    clock.advance(59.0)
    assert await ours.find("who", "Far") == b"rows"
    clock.advance(1.0)
    assert await ours.find("who", "Far") is None
    ours.put("who", "Far", b"rows", 3600.0)
    clock.advance(300.0)
    assert await ours.find("who", "Far") is None
    ours.put("who", "Far", b"rows", 60.0)
    assert ours.drop("who", "Far") == 1
    assert await ours.find("who", "Far") is None


async def test_what_operators_see(kept: tuple[Cache, Clock], level: str) -> None:
    ours, _ = kept
    assert ours.made("pages", "/help", lambda: b"x" * 5000) == ours.made("pages", "/help", lambda: b"other")
    assert ours.made("pages", "/none", lambda: None) is None
    shown = ours.shown()
    assert shown["shared"] == (level != "memory")
    page = shown["namespaces"]["pages"]
    assert (page["entries"], page["hits"], page["misses"], page["hit_rate"]) == (1, 1, 1, 0.5)
    assert page["bytes"] < 1000
    with pytest.raises(Refusal, match=r"There is no namespace 'page' in the cache\. There is: pages\."):
        ours.clear("page")
    assert ours.clear("pages") == 1
    assert ours.shown()["total"]["entries"] == 0


def test_health() -> None:
    """Much of its room in use, or little of what is looked for there: it says so; not before it can be told."""
    ours = cache(Clock(), room=100_000)
    for number in range(READS - 1):
        ours.here("who", str(number))
    assert ours.low() == ""
    ours.here("who", "one more")
    assert ours.low() == "Of all that is looked for 0 % is there: see mythosctl cache show."
    for number in range(72):
        ours.kept.put("who", str(number), b"x" * 740, 0.0, 60.0)
    assert ours.low() == "71 % of its room is in use: raise cache.max_memory."
    for number in range(200):
        ours.kept.put("who", str(number), b"x" * 740, 0.0, 60.0)
    assert ours.low().startswith("Critical: 9")
    ours.shed(True)
    assert (ours.low(), ours.kept.size) == ("", 0)
    ours.put("who", "Far", b"rows", 60.0)
    assert ours.kept.size == 0
    ours.shed(False)
    ours.put("who", "Far", b"rows", 60.0)
    assert ours.kept.size > 0


async def test_two_servers(redis: RedisProcess) -> None:
    """What one has made the other finds, packed, under a name that operators know; forgotten by one, it is gone."""
    async with connected(redis.url) as one, connected(redis.url) as two:
        ours, theirs = cache(Clock(), one), cache(Clock(), two)
        ours.put("who", "Far Away", b"rows" * 1000, 60.0)
        ours.put("who", "Near", b"rows", 60.0)
        await until(lambda: redis.ask("DBSIZE") == 2)
        assert redis.ask("GET", "cache:who:Near") == b"-rows"
        assert await theirs.find("who", "Far Away") == b"rows" * 1000
        assert await theirs.find("who", "Near") == b"rows"
        assert (theirs.kept.spaces["who"].shared, theirs.kept.spaces["who"].hits) == (2, 2)
        assert 0 < redis.ask("PTTL", "cache:who:Near") <= 60_000
        assert all(redis.ask("STRLEN", name) < 100 for name in redis.ask("KEYS", "cache:who:*"))
        redis.ask("SET", "cache:whom", "stays")
        theirs.drop("who")
        await until(lambda: redis.ask("KEYS", "*") == [b"cache:whom"])


@pytest.mark.parametrize(
    "value",
    [b"", b"garbage", b"zgarbage", pickle.dumps(ValueError), b"z" + zlib.compress(b"x" * 10**8),
     b"-" + b"x" * (LARGEST + 1), b"z" + zlib.compress(b"rows")[:-2]],
    ids=["empty", "garbage", "not packed", "pickled", "bomb", "huge", "cut"],
)  # fmt: skip
async def test_hostile_values(redis: RedisProcess, value: bytes) -> None:
    """Each is not there."""
    async with connected(redis.url) as one:
        ours = cache(Clock(), one)
        redis.ask("SET", "cache:who:Far", value, "PX", 60_000)
        assert await ours.find("who", "Far") is None
        assert ours.kept.spaces["who"].misses == 1


async def test_values_of_another_kind(redis: RedisProcess) -> None:
    """So is one without an end, and a list."""
    async with connected(redis.url) as one:
        ours = cache(Clock(), one)
        redis.ask("SET", "cache:who:Far", pack(b"rows", 1024))
        redis.ask("LPUSH", "cache:who:Near", "rows")
        assert [await ours.find("who", name) for name in ("Far", "Near")] == [None, None]


async def test_frozen_in_the_middle(redis: RedisProcess) -> None:
    """The one who asks waits for as long as was said, the next one not at all; for both it is not there."""
    async with connected(redis.url, timeout=0.1) as one:
        ours = cache(Clock(), one)
        ours.put("who", "Far", b"rows", 60.0)
        await until(lambda: redis.ask("DBSIZE") == 1)
        ours.kept.resize(0)  # each time Redis is asked
        assert await ours.find("who", "Far") == b"rows"
        redis.freeze()
        for _ in range(3):
            assert await ours.find("who", "Far") is None
        assert one.counts.lost == 2
        redis.thaw()
        await until(lambda: one.up)
        assert await ours.find("who", "Far") == b"rows"
