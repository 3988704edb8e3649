"""The script of the limits against a bucket that is told the time, and what servers make of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.cluster.gcra import _DIGEST, CHARGE, SCRIPT, RedisLimits, key
from mythos.cluster.redis import Redis
from mythos.flow.limit import Limit, Spend, Taken
from mythos.flow.throttle import Throttle
from tests.cluster.connected import connected, until
from tests.redis import RedisProcess

#: The script with a clock that the test sets, by which nothing ends by itself; the rest of it is the same.
_CLOCK, _END = "redis.call('TIME')", ", 'PX', math.floor((ends[i] - now) / 1000) + 1"
assert (SCRIPT.count(_CLOCK), SCRIPT.count(_END)) == (1, 1)
TOLD = SCRIPT.replace(_CLOCK, "{ARGV[#ARGV - 1], ARGV[#ARGV]}").replace(_END, "")


@dataclass
class Model:
    """What is to come out, in whole microseconds: a bucket that drips."""

    step: int
    burst: int
    full: int = 0
    left: list[int] = field(default_factory=list)

    def take(self, now: int) -> int:
        after = max(self.full, now) + self.step
        wait = max(0, after - now - self.burst * self.step)
        self.full = self.full if wait else after
        return wait


@pytest.mark.parametrize("step", [1, 999, 600_000, 90_000_000])
def test_it_is_exact(redis: RedisProcess, step: int) -> None:
    """At any time, in any order, to the microsecond; what is left too."""
    number = iter(range(10**6))

    @given(
        st.integers(1, 20),
        st.lists(st.one_of(st.integers(0, 3 * step), st.sampled_from([0, step - 1, step])), max_size=30),
    )
    def holds(burst: int, gaps: list[int]) -> None:
        name, model = f"limit:{next(number)}", Model(step, burst)
        now = 1_800_000_000_000_000
        for gap in gaps:
            now += gap
            answer = redis.ask("EVAL", TOLD, 1, name, 0, step, burst, 1, now // 10**6, now % 10**6)
            wait = model.take(now)
            assert answer == [wait, (now + burst * step - max(model.full, now)) // step]

    holds()


def test_all_or_none(redis: RedisProcess) -> None:
    """Of several names none is spent if one of them is at its end."""
    clock = (1_800_000_000, 0)
    both = ("EVAL", TOLD, 2, "a", "b", 0, 10**9, 5, 1, 10**9, 1, 1, *clock)
    assert redis.ask(*both) == [0, 4]
    assert redis.ask(*both)[0] == 10**9
    assert redis.ask("EVAL", TOLD, 1, "a", 0, 10**9, 5, 1, *clock) == [0, 3]


@pytest.mark.parametrize("value", [b"garbage", b"nan", b"inf", b"-inf", b"1e300", b"-7", b"", b"9" * 1000])
def test_what_others_put_there(redis: RedisProcess, value: bytes) -> None:
    """It never waits longer than for all that there may be."""
    redis.ask("SET", "limit:x", value)
    wait, left = redis.ask("EVAL", SCRIPT, 1, "limit:x", 0, 1_000_000, 5, 1)
    assert 0 <= wait <= 1_000_000
    assert 0 <= left <= 5


def test_a_value_of_another_kind(redis: RedisProcess) -> None:
    redis.ask("LPUSH", "limit:x", "y")
    assert redis.ask("EVAL", SCRIPT, 1, "limit:x", 0, 1_000_000, 5, 1) == [0, 4]
    assert redis.ask("TYPE", "limit:x") == b"string"


def test_a_clock_that_goes_back(redis: RedisProcess) -> None:
    """An hour of it costs one burst at most."""
    late, early = (1_800_003_600, 0), (1_800_000_000, 0)
    for _ in range(5):
        assert redis.ask("EVAL", TOLD, 1, "x", 0, 10**6, 5, 1, *late)[0] == 0
    assert redis.ask("EVAL", TOLD, 1, "x", 0, 10**6, 5, 1, *early) == [10**6, 0]


def limits(redis: Redis, server: str = "one") -> RedisLimits:
    return RedisLimits(redis, server, redis._reactor.seconds)


async def test_two_servers_share(redis: RedisProcess) -> None:
    """What one has spent the other has not; a script that Redis forgot is sent again."""
    async with connected(redis.url) as ours, connected(redis.url) as theirs:
        one, two = limits(ours), limits(theirs, "two")
        spend = Spend("http:192.0.2.1", 1 / 60, 4)
        assert [(await each.take((spend,))) for each in (one, two, one)] == [Taken(0, 3), Taken(0, 2), Taken(0, 1)]
        redis.ask("SCRIPT", "FLUSH")
        assert await two.take((spend,)) == Taken(0, 0)
        for each in (one, two):
            found = await each.take((spend,))
            assert found is not None
            assert 55 < found.wait <= 60
        assert redis.ask("SCRIPT", "EXISTS", _DIGEST) == [1]
        assert 0 < redis.ask("PTTL", "limit:http:192.0.2.1") <= 241_000


async def test_servers_are_counted(redis: RedisProcess) -> None:
    """Two at least: who cannot ask cannot know."""
    async with connected(redis.url) as ours:
        each = [limits(ours, name) for name in "abc"]
        assert each[0].servers == 2
        for one in each:
            one.beat()
        await until(lambda: redis.ask("ZCARD", "limit-servers") == 3)
        each[0].beat()
        await until(lambda: each[0].servers == 3)
        redis.ask("ZADD", "limit-servers", 1, "long gone")
        each[1].beat()
        await until(lambda: redis.ask("ZSCORE", "limit-servers", "long gone") is None)


class Away:
    """Implements ``Shared``: a Redis that cannot be asked."""

    up = False
    servers = 3

    async def take(self, spends: Any) -> Taken | None:
        return None

    def charge(self, spend: Spend, count: int) -> float:
        return 0.0

    async def marked(self, name: str) -> bool:
        return False

    def mark(self, name: str, seconds: float) -> None: ...

    def forget(self, name: str) -> None: ...


@pytest.mark.parametrize("up", [False, True])
async def test_alone_it_is_stricter(up: bool) -> None:
    """All servers together let through what one would; without the strictness each would let through all of it."""
    away = Away()
    away.up = up  # True: it goes while it is asked
    passed: dict[bool, float] = {}
    for shared in (False, True):
        limit = Limit("http", 1.0, 30.0, 100)
        limit.shared = away if shared else None
        passed[shared] = sum([(await limit.take("x", 0.0)).wait == 0.0 for _ in range(100)])
        passed[shared] += sum([(await limit.take("x", float(second))).wait == 0.0 for second in range(1, 301)])
        assert limit.refused == 400 - passed[shared]
        assert (limit.alone > 0) == shared
    assert passed[False] == 330  # the control
    assert passed[True] <= passed[False] / away.servers + 1


async def test_logins_alone_are_stricter_still() -> None:
    throttle = Throttle(tries=12, window=1200)
    throttle.shared = away = Away()
    waits = [await throttle.wait("ann", f"192.0.{host}.1", 0.0) for host in range(20)]
    assert waits.count(0.0) == 12 / (2 * away.servers)
    throttle.shared = None
    assert [await throttle.wait("bob", f"198.51.{host}.1", 0.0) for host in range(20)].count(0.0) == 12  # the control


async def test_guesses_at_two_servers(redis: RedisProcess) -> None:
    """They count together; where the owner comes from is known to both."""
    async with connected(redis.url) as ours, connected(redis.url) as theirs:
        one, two = Throttle(tries=4), Throttle(tries=4)
        one.shared, two.shared = limits(ours), limits(theirs, "two")
        assert await one.wait("ann", "203.0.113.7", 0.0) == 0.0
        one.succeeded("ann", "203.0.113.7")
        await until(lambda: redis.ask("EXISTS", "limit:known:ann@203.0.113.0/24"))
        waits = [await each.wait("ann", f"192.0.{host}.1", 0.0) for host in range(6) for each in (one, two)]
        assert waits.count(0.0) == 3
        assert await two.wait("ann", "203.0.113.8", 0.0) == 0.0
        two.succeeded("ann", "203.0.113.8")
        await until(lambda: not redis.ask("EXISTS", "limit:login:ann@203.0.113.0/24"))


async def test_what_is_told_later(redis: RedisProcess) -> None:
    """What two servers let through is counted together a moment later, and stops both."""
    async with connected(redis.url) as ours, connected(redis.url) as theirs:
        one, two = limits(ours), limits(theirs, "two")
        spend = Spend("gateway:k", 1 / 60, 10)
        for each in (one, two):
            assert each.charge(spend, 6) == 0.0
            each.tell()
        await until(lambda: max(each.charge(spend, 0) for each in (one, two)) > 0)
        for each in (one, two):
            each.charge(spend, 1)
            each.tell()
        await until(lambda: min(each.charge(spend, 1) for each in (one, two)) > 60)
        assert CHARGE < 1
        for _ in range(100):
            await one.take((Spend("gateway:k", 1 / 60, 10),))
        assert redis.ask("PTTL", "limit:gateway:k") <= 20 * 60_000 + 1000


def test_keys() -> None:
    """What people type is in them only as far as it is short and plain."""
    assert key("http:192.0.2.1") == "limit:http:192.0.2.1"
    for name in ("login:a b@x", "login:\nx", "login:ä", "x" * 500):
        assert key(name).startswith("limit:~")
        assert len(key(name)) < 80
