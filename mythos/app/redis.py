"""What a server has by Redis. Apart from the rest, as a gateway alone without one does not carry it in its memory."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mythos.cluster.gcra import RedisLimits
from mythos.cluster.redis import Redis
from mythos.cluster.shelf import RedisShelf
from mythos.config import Config
from mythos.config.redis import RedisUrl
from mythos.flow.breaker import Breakers

__all__ = ["Connect", "Linked", "connect"]


@dataclass(frozen=True, slots=True)
class Linked:
    """:ivar redis: by what they are for
    :ivar limits: None: only the cache has a Redis
    """

    redis: dict[str, Redis]
    limits: RedisLimits | None
    shelf: RedisShelf


#: See :func:`connect`.
Connect = Callable[[Config, Any, Callable[[], float], Breakers], Linked | None]


def connect(config: Config, reactor: Any, seconds: Callable[[], float], breakers: Breakers) -> Linked | None:
    """What the configuration names, not yet opened; None: it names none."""
    settings = config.redis
    limits: RedisLimits | None = None
    found: dict[str, Redis] = {}

    def add(name: str, url: RedisUrl) -> Redis:
        found[name] = Redis(
            url.with_password(settings.password),
            reactor,
            connections=(settings.pool_min, settings.pool_max),
            timeout=settings.timeout,
            chance=random.random,
            breaker=breakers.of(name),
        )
        return found[name]

    if settings.url is not None:
        limits = RedisLimits(add("redis", settings.url), secrets.token_hex(8), seconds)
    if settings.cache_url is not None and config.cache.enabled:
        add("redis-cache", settings.cache_url)
    return Linked(found, limits, RedisShelf(list(found.values())[-1], config.cache.compress_over)) if found else None
