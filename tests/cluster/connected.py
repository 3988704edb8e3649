"""A connection of ours to a Redis of a test's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from twisted.internet import reactor as running
from twisted.internet.task import deferLater

from mythos.cluster.redis import Redis
from mythos.config.redis import RedisUrl
from mythos.flow.breaker import Breaker

__all__ = ["connected", "reactor", "until"]

reactor: Any = running
#: Times that something that must come is looked for, a hundredth of a second apart.
LOOKS = 1000


async def until(found: Callable[[], object]) -> None:
    for _ in range(LOOKS):
        if found():
            return
        await deferLater(reactor, 0.01)
    raise AssertionError("it did not come")


@asynccontextmanager
async def connected(url: str, *, wait: bool = True, timeout: float = 0.5, **given: Any) -> AsyncIterator[Redis]:
    made = Redis(
        RedisUrl.read(url),
        reactor,
        timeout=timeout,
        chance=lambda: 0.0,
        breaker=Breaker("redis"),
        **{"connections": (1, 4), **given},
    )
    made.start()
    try:
        if wait:
            await until(lambda: made.up)
        yield made
    finally:
        await made.stop()
