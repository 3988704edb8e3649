"""What this server keeps to tell it again, and what it shares with others by Redis: limits, and some of that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mythos.config import Config
from mythos.flow.breaker import Breakers
from mythos.flow.kept import Kept
from mythos.flow.limit import Limit, Shared
from mythos.flow.throttle import Throttle
from mythos.net.cache import Cache
from mythos.telemetry.health import Health
from mythos.telemetry.metrics import RedisNumbers, SharedNumbers

if TYPE_CHECKING:  # a gateway alone does without
    from mythos.app.redis import Connect
    from mythos.cluster.redis import Redis

__all__ = ["Sharing"]


class Sharing:
    """See the module. Nothing is opened before :meth:`start`, and nothing waits for Redis then.

    :param seconds: the clock, monotonic
    :param connect: :func:`mythos.app.redis.connect`; None: without Redis, whatever is configured
    :param breakers: get one for each Redis
    :ivar cache: of which nothing is kept if the operator wants none
    :ivar limits: None: no Redis is configured
    """

    def __init__(
        self,
        config: Config,
        reactor: Any,
        seconds: Callable[[], float],
        connect: Connect | None,
        breakers: Breakers,
    ) -> None:
        cache = config.cache
        room = cache.max_memory * 2**20 if cache.enabled else 0
        self.cache = Cache(Kept(room, cache.max_entries, cache.compress_over), seconds, cache.ttl)
        self._sweep = cache.sweep
        self._limited: dict[str, Limit | Throttle] = {}
        linked = connect(config, reactor, seconds, breakers) if connect is not None else None
        self._redis: Mapping[str, Redis] = linked.redis if linked is not None else {}
        self.limits = linked.limits if linked is not None else None
        if cache.enabled and linked is not None:
            self.cache.shelf = linked.shelf

    def share(self, config: Config, limits: Mapping[str, Limit | Throttle]) -> None:
        """Count these together with the other servers, unless the operator lifted all limits."""
        self._limited.update(limits)
        for one in self._limited.values():
            one.shared = self.shared(config)

    def shared(self, config: Config) -> Shared | None:
        return self.limits if config.limits.enabled else None

    def start(self, every: Callable[[float, Callable[[], object]], None]) -> None:
        for redis in self._redis.values():
            redis.start()
        every(self._sweep, self.cache.sweep)
        for seconds, job in self.limits.jobs if self.limits is not None else ():
            every(seconds, job)

    async def stop(self) -> None:
        for redis in self._redis.values():
            await redis.stop()

    # ── seen from outside ───────────────────────────────────────────────────────────────────────

    def watch(self, health: Health) -> None:
        """Have health look at it. People play on without any of it."""
        for name, redis in self._redis.items():
            health.warns[name] = lambda redis=redis: redis.trouble  # type: ignore[misc]
        if self.cache.kept.room:
            health.warns["cache"] = self.cache.low

    def numbers(self) -> SharedNumbers:
        kept = self.cache.kept
        return SharedNumbers(
            [_counted(name, redis) for name, redis in self._redis.items()],
            kept.spaces,
            kept.room,
            {name: (one.refused, one.alone) for name, one in self._limited.items()},
        )


def _counted(name: str, redis: Redis) -> RedisNumbers:
    return RedisNumbers(name, redis.up, redis.connections, asdict(redis.counts), redis.seconds)
