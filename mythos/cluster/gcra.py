"""Limits that several servers count together in Redis, by one script: the generic cell rate algorithm.

For each name Redis keeps one number, the microsecond at which all that was spent will have come back; by Redis' clock,
so that the clocks of the servers do not matter. A key is ``limit:<kind>:<who>`` and goes by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from mythos.cluster.redis import Redis, RedisAway, RedisRefused
from mythos.flow.limit import Spend, Taken

__all__ = ["BEAT", "CHARGE", "SCRIPT", "RedisLimits"]

_log = Logger()

#: Seconds between two times a server says that it is there; one that has said nothing for three times that is not.
BEAT: Final = 5.0
#: Seconds between two times that what was spent is told.
CHARGE: Final = 0.25
#: Names that may wait to be told. Beyond, they are not: their servers count for themselves.
_WAITING: Final = 10_000
#: Letters of a name in a key; of a longer one its hash stands there.
_NAME: Final = 120
_SERVERS: Final = "limit-servers"

#: For each key three whole numbers: microseconds that one takes to come back, how many at once, how many now; before
#: them 1 to spend even what is not there, as far as one burst more. Returns the microseconds to wait (0: all is spent;
#: else nothing is), and what is left of the first. A value that is no number counts as nothing spent, one too far ahead
#: (the clock was set back) as all spent.
SCRIPT: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local force = ARGV[1] == '1'
local wait, left, ends = 0, 0, {}
for i, key in ipairs(KEYS) do
  local step, burst, cost = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local kept = redis.pcall('GET', key)
  local full = type(kept) == 'string' and tonumber(kept) or now
  if not (full > now) then full = now end
  local limit = now + burst * step
  local most = force and limit + burst * step or limit
  if full > most then full = most end
  local after = full + cost * step
  if after - limit > wait then wait = after - limit end
  if i == 1 then left = math.floor((limit - (after > limit and full or after)) / step) end
  if after > most then after = most end
  ends[i] = after
end
if wait == 0 or force then
  for i, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.0f', ends[i]), 'PX', math.floor((ends[i] - now) / 1000) + 1)
  end
end
return {wait, left}
"""
_DIGEST: Final = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()


class RedisLimits:
    """Implements ``Shared`` of :mod:`mythos.flow.limit`.

    :param server: a name that no other server has
    :ivar jobs: (seconds, what is to be done so often)
    """

    def __init__(self, redis: Redis, server: str, seconds: Callable[[], float]) -> None:
        self._redis = redis
        self._server = server
        self._seconds = seconds
        self._servers = 0
        self._charges: dict[str, tuple[Spend, int]] = {}
        self._blocked: dict[str, float] = {}
        self.jobs: tuple[tuple[float, Callable[[], object]], ...] = ((BEAT, self.beat), (CHARGE, self.tell))

    @property
    def up(self) -> bool:
        return self._redis.up

    @property
    def servers(self) -> int:
        return max(2, self._servers)

    async def take(self, spends: Sequence[Spend]) -> Taken | None:
        try:
            return await self._run(spends, [1] * len(spends), force=False)
        except (RedisAway, RedisRefused):
            return None

    async def _run(self, spends: Sequence[Spend], costs: Sequence[int], *, force: bool) -> Taken:
        arguments: list[Any] = [int(force)]
        for spend, cost in zip(spends, costs, strict=True):
            arguments += [max(1, round(1e6 / spend.rate)), max(1, round(spend.burst)), cost]
        found = await self._redis.run(SCRIPT, _DIGEST, [key(spend.name) for spend in spends], arguments)
        if not (isinstance(found, list) and [type(one) for one in found] == [int, int]):
            raise RedisRefused("The script of the limits answered something else.")
        wait, left = found
        return Taken(wait / 1e6, max(0.0, float(left)))

    # ── what is told later ──────────────────────────────────────────────────────────────────────

    def charge(self, spend: Spend, count: int) -> float:
        name = spend.name
        wait = self._blocked.get(name, 0.0) - self._seconds()
        if wait > 0.0:
            return wait
        if name in self._charges or len(self._charges) < _WAITING:
            self._charges[name] = spend, count + self._charges.get(name, (spend, 0))[1]
        return 0.0

    def tell(self) -> None:
        """What was spent since the last time."""
        charges, self._charges = self._charges, {}
        now = self._seconds()
        self._blocked = {name: until for name, until in self._blocked.items() if until > now}
        if self.up:
            for spend, count in charges.values():
                self._start(self._tell(spend, count))

    async def _tell(self, spend: Spend, count: int) -> None:
        taken = await self._run((spend,), (count,), force=True)
        if taken.wait > 0.0:
            self._blocked[spend.name] = self._seconds() + taken.wait

    # ── marks ───────────────────────────────────────────────────────────────────────────────────

    async def marked(self, name: str) -> bool:
        if not self.up:
            return False
        try:
            return bool(await self._redis.ask("EXISTS", key(name)))
        except (RedisAway, RedisRefused):
            return False

    def mark(self, name: str, seconds: float) -> None:
        if self.up:
            self._start(self._redis.ask("SET", key(name), 1, "EX", int(seconds)))

    def forget(self, name: str) -> None:
        if self.up:
            self._start(self._redis.ask("DEL", key(name)))

    # ── who counts there ────────────────────────────────────────────────────────────────────────

    def beat(self) -> None:
        """Say that this server is there, and hear how many are."""
        if self.up:
            self._start(self._beat())

    async def _beat(self) -> None:
        second = int((await self._redis.ask("TIME"))[0])
        await self._redis.ask("ZADD", _SERVERS, second, self._server)
        await self._redis.ask("ZREMRANGEBYSCORE", _SERVERS, "-inf", second - 3 * BEAT)
        await self._redis.ask("EXPIRE", _SERVERS, int(10 * BEAT))
        self._servers = int(await self._redis.ask("ZCARD", _SERVERS))

    def _start(self, work: Any) -> None:
        """What becomes of it nobody waits for; that Redis is away, or refuses, is in the log."""
        Deferred.fromCoroutine(work).addErrback(
            lambda failure: failure.trap(RedisAway, RedisRefused) and None
        ).addErrback(lambda failure: _log.failure("limits are not told to Redis", failure))


def key(name: str) -> str:
    """Where a name is kept: what people type may be long, or anything."""
    plain = len(name) <= _NAME and name.isascii() and name.isprintable() and " " not in name
    return f"limit:{name if plain else '~' + hashlib.sha256(name.encode()).hexdigest()}"
