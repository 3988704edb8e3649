"""What servers keep for each other in Redis: keys ``cache:<namespace>:<key>``, which go by themselves.

Whoever can write to that Redis can put anything there: what is too large, no value of ours or without an end counts as
not there. Nothing of it is ever run.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from mythos.cluster.redis import Redis, RedisAway, RedisRefused
from mythos.flow.kept import pack, unpack

__all__ = ["LARGEST", "RedisShelf"]

_log = Logger()

#: Most bytes of a value.
LARGEST: Final = 1_000_000
#: Letters of a key; of a longer one its hash stands there.
_KEY: Final = 120
#: Keys that are looked at in one step when a namespace is forgotten.
_STEP: Final = 500


class RedisShelf:
    """Implements ``Shelf`` of :mod:`mythos.net.cache`.

    :param over: bytes from which a value is packed
    """

    def __init__(self, redis: Redis, over: int) -> None:
        self._redis = redis
        self._over = over

    async def find(self, space: str, key: str) -> tuple[bytes, float] | None:
        if not self._redis.up:
            return None
        name = _name(space, key)
        asked = [
            Deferred.fromCoroutine(self._redis.ask("GETRANGE", name, 0, LARGEST + 1)),
            Deferred.fromCoroutine(self._redis.ask("PTTL", name)),
        ]
        found: list[Any] = []
        for one in asked:  # both, as each may fail
            try:
                found.append(await one)
            except (RedisAway, RedisRefused):
                found.append(None)
        kept, left = found
        if not isinstance(kept, bytes) or not isinstance(left, int) or left <= 0:
            return None
        value = unpack(kept, LARGEST)
        return None if value is None else (value, left / 1000.0)

    def put(self, space: str, key: str, value: bytes, seconds: float) -> None:
        if len(value) < LARGEST and self._redis.up:
            kept = pack(value, self._over)
            self._start(self._redis.ask("SET", _name(space, key), kept, "PX", max(1, int(seconds * 1000))))

    def drop(self, space: str, key: str = "") -> None:
        if self._redis.up:
            self._start(self._redis.ask("UNLINK", _name(space, key)) if key else self._drop_all(space))

    async def _drop_all(self, space: str) -> None:
        at: Any = 0
        while True:
            at, names = await self._redis.ask("SCAN", at, "MATCH", f"cache:{space}:*", "COUNT", _STEP)
            if names:
                await self._redis.ask("UNLINK", *names)
            if int(at) == 0:
                return

    def _start(self, work: Any) -> None:
        """Nobody waits for it; that Redis is away, or refuses, is in the log."""
        Deferred.fromCoroutine(work).addErrback(
            lambda failure: failure.trap(RedisAway, RedisRefused) and None
        ).addErrback(lambda failure: _log.failure("the cache is not told to Redis", failure))


def _name(space: str, key: str) -> str:
    plain = len(key) <= _KEY and key.isascii() and key.isprintable() and " " not in key
    return f"cache:{space}:{key if plain else '~' + hashlib.sha256(key.encode()).hexdigest()}"
