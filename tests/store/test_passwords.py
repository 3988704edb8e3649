"""Password hashes: how hard, where, and how many at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure
from zope.interface import implementer

from mythos.play.ports import Busy
from mythos.store.passwords import WAITING, Argon2Hasher

PASSWORD = "correct horse, battery staple"


@implementer(IReactorFromThreads)
class Watched:
    """The reactor; remembers which threads brought it an answer."""

    def __init__(self) -> None:
        self._reactor: Any = reactor
        self.threads: list[threading.Thread] = []

    def getThreadPool(self) -> Any:
        raise AssertionError("the reactor's own threads are for others")

    def callInThread(self, callable: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        raise AssertionError("the reactor's own threads are for others")

    def suggestThreadPoolSize(self, size: int) -> None:
        self._reactor.suggestThreadPoolSize(size)

    def callFromThread(self, callable: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self.threads.append(threading.current_thread())
        self._reactor.callFromThread(callable, *args, **kwargs)


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def idle(watched: Watched) -> Iterator[Argon2Hasher]:
    """Takes passwords, but hashes none before it is started."""
    made = Argon2Hasher(watched)
    yield made
    made.stop()


@pytest.fixture
def hasher(idle: Argon2Hasher) -> Argon2Hasher:
    idle.start()
    return idle


async def test_parameters(hasher: Argon2Hasher) -> None:
    """argon2id, 19 MiB, two passes, one lane; a salt and a hash of full length."""
    found = extract_parameters(await hasher.hash(PASSWORD))
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (Type.ID, 19 * 1024, 2, 1)
    assert (found.salt_len, found.hash_len) == (16, 32)


async def test_right_and_wrong(hasher: Argon2Hasher) -> None:
    """Only the very password fits; two hashes of one password are two."""
    one, other = await hasher.hash(PASSWORD), await hasher.hash(PASSWORD)
    assert one != other
    assert PASSWORD not in one
    assert [await hasher.verify(hash, PASSWORD) for hash in (one, other)] == [True, True]
    wrong = ["", PASSWORD.upper(), PASSWORD + " ", PASSWORD + "\x00"]
    assert [await hasher.verify(one, word) for word in wrong] == [False] * len(wrong)


async def test_words_of_all_scripts(hasher: Argon2Hasher) -> None:
    hash = await hasher.hash("пароль 密码 🦀")
    assert await hasher.verify(hash, "пароль 密码 🦀")
    assert not await hasher.verify(hash, "пароль 密码 🦞")


async def test_hashes_of_other_parameters(hasher: Argon2Hasher) -> None:
    """Those that an older version made stay good: each hash says itself how it was made."""
    older = PasswordHasher(time_cost=1, memory_cost=64, parallelism=2).hash(PASSWORD)
    assert await hasher.verify(older, PASSWORD)
    assert not await hasher.verify(older, "wrong")


@pytest.mark.parametrize("hash", ["", "x", "$argon2id$v=19$m=19456,t=2,p=1$broken", "plain:" + PASSWORD])
async def test_what_is_no_hash_fits_nothing(hasher: Argon2Hasher, hash: str) -> None:
    assert not await hasher.verify(hash, PASSWORD)


async def test_nobody_is_as_much_work(hasher: Argon2Hasher, watched: Watched) -> None:
    """An unknown name costs one hash of the same strength, so that time does not tell it from a known one."""
    known = await hasher.hash(PASSWORD)
    watched.threads.clear()
    assert not await hasher.verify(known, "wrong")
    assert len(watched.threads) == 1
    assert not await hasher.verify(None, "wrong")
    assert len(watched.threads) == 2


async def test_never_in_the_reactors_thread(hasher: Argon2Hasher, watched: Watched) -> None:
    """Two threads, whatever the rush, of a pool of its own."""
    hash = await hasher.hash(PASSWORD)
    rush = [Deferred.fromCoroutine(hasher.verify(hash, PASSWORD)) for _ in range(8)]
    assert await gatherResults(rush) == [True] * 8
    assert len(watched.threads) == 9
    assert threading.main_thread() not in watched.threads
    assert len(set(watched.threads)) <= 2
    assert {"passwords" in one.name for one in watched.threads} == {True}


async def test_a_full_queue_refuses(idle: Argon2Hasher) -> None:
    """At the bound one is asked to come back; those who wait are served, and then there is room again."""
    older = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    waiting = [Deferred.fromCoroutine(idle.verify(older, PASSWORD)) for _ in range(WAITING)]
    asked: list[Coroutine[Any, Any, Any]] = [idle.hash(PASSWORD), idle.verify(older, "x"), idle.verify(None, "x")]
    refused: list[Failure] = []
    for one in asked:
        Deferred.fromCoroutine(one).addErrback(refused.append)
    assert [str(one.check(Busy) and one.value) for one in refused] == [
        "Too many people are logging in just now. Try again in a moment."
    ] * len(asked)
    idle.start()
    assert await gatherResults(waiting) == [True] * WAITING
    assert await idle.verify(older, PASSWORD)


def test_what_is_outdated() -> None:
    """A hash of weaker or other parameters is to be made again; one of today's is not."""
    hasher = Argon2Hasher(Watched())
    today = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
    assert not hasher.outdated(today.hash(PASSWORD))
    assert hasher.outdated(PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD))
