"""argon2id in a bounded pool of its own: never on the reactor, never in the reactor's own threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from mythos.play.ports import Busy

__all__ = ["Argon2Hasher"]

T = TypeVar("T")

#: Hashes that may wait; one takes about 30 ms.
WAITING = 50
#: OWASP's second choice for argon2id: memory in KiB, passes.
MEMORY, PASSES = 19 * 1024, 2
#: For names nobody has: as much work as any other, and no password is known that fits.
_NOBODY = f"$argon2id$v=19$m={MEMORY},t={PASSES},p=1${'A' * 22}${'A' * 43}"


class Argon2Hasher:
    """19 MiB, t=2, p=1; two threads."""

    def __init__(self, reactor: IReactorFromThreads, *, threads: int = 2) -> None:
        self._reactor = reactor
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY, parallelism=1)
        self._pool = ThreadPool(0, threads, "passwords")
        self._waiting = 0

    def start(self) -> None:
        self._pool.start()

    def stop(self) -> None:
        self._pool.stop()

    async def hash(self, password: str) -> str:
        return await self._run(self._hasher.hash, password)

    async def verify(self, hash: str | None, password: str) -> bool:
        if hash is None:
            await self._run(self._check, _NOBODY, password)
            return False
        return await self._run(self._check, hash, password)

    def outdated(self, hash: str) -> bool:
        return self._hasher.check_needs_rehash(hash)

    def _check(self, hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(hash, password)
        except (Argon2Error, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., T], *words: str) -> T:
        if self._waiting >= WAITING:
            raise Busy("Too many people are logging in just now. Try again in a moment.")
        self._waiting += 1
        try:
            return await deferToThreadPool(self._reactor, self._pool, work, *words)
        finally:
            self._waiting -= 1
