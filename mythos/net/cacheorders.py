"""``mythosctl cache``: what is in the cache, and to forget it."""

from __future__ import annotations

from mythos.net.cache import Cache
from mythos.net.control import Answer, Order, Question

__all__ = ["CacheOrders"]


class CacheOrders:
    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    @property
    def orders(self) -> dict[str, Order]:
        return {"cache": self._show, "cache-clear": self._clear}

    async def _show(self, asked: Question) -> Answer:
        return self._cache.shown()

    async def _clear(self, asked: Question) -> Answer:
        name = asked.text("name")
        return {"name": name, "cleared": self._cache.clear(name)}
