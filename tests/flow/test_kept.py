"""What is kept: bounded, for a time, the last used the longest; and nothing else comes out than went in."""

from __future__ import annotations

import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mythos.flow.kept import OVERHEAD, Kept, pack, unpack

ROOM = 16_000


class KeptMachine(RuleBasedStateMachine):
    """Against a list in the order of use."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = Kept(ROOM, most=8, over=100)
        self.now = 0.0
        self.model: list[tuple[tuple[str, str], bytes, float]] = []

    def out(self, name: tuple[str, str]) -> None:
        self.model = [one for one in self.model if one[0] != name]

    @rule(
        space=st.sampled_from("ab"),
        key=st.sampled_from([str(number) for number in range(12)]),
        size=st.integers(0, 3000),
        random=st.booleans(),
        ttl=st.sampled_from([1.0, 10.0]),
    )
    def put(self, space: str, key: str, size: int, random: bool, ttl: float) -> None:
        value = (os.urandom(size) if random else b"x" * size)[:size]
        self.kept.put(space, key, value, self.now, ttl)
        self.out((space, key))
        if len(pack(value, 100)) + len(key) + OVERHEAD <= ROOM // 8:
            self.model.append(((space, key), value, self.now + ttl))
        while len(self.model) > 8 or sum(self.size(one) for one in self.model) > ROOM:
            del self.model[0]

    @staticmethod
    def size(one: tuple[tuple[str, str], bytes, float]) -> int:
        return len(pack(one[1], 100)) + len(one[0][1]) + OVERHEAD

    @rule(space=st.sampled_from("abc"), key=st.sampled_from([str(number) for number in range(12)]))
    def get(self, space: str, key: str) -> None:
        found = self.kept.find(space, key, self.now)
        there = next((one for one in self.model if one[0] == (space, key)), None)
        self.out((space, key))
        if there is None or there[2] <= self.now:
            assert found is None
        else:
            assert found == there[1]
            self.model.append(there)

    @rule(seconds=st.sampled_from([0.5, 1.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def sweep(self) -> None:
        self.kept.sweep(self.now)
        self.model = [one for one in self.model if one[2] > self.now]

    @rule(space=st.sampled_from("abc"))
    def drop(self, space: str) -> None:
        gone = [one for one in self.model if one[0][0] == space]
        assert self.kept.drop(space) == len(gone)
        self.model = [one for one in self.model if one[0][0] != space]

    @invariant()
    def counted(self) -> None:
        assert len(self.kept) == len(self.model) <= 8
        assert self.kept.size == sum(self.size(one) for one in self.model) <= ROOM
        total = self.kept.total()
        assert (total.entries, total.bytes) == (len(self.model), self.kept.size)


TestKept = KeptMachine.TestCase


def test_counts() -> None:
    """Of each namespace, and what part of all that was looked for was there."""
    kept = Kept(4000)
    kept.put("pages", "/help", b"words", 0.0, 10.0)
    assert kept.find("pages", "/help", 9.9) == b"words"
    assert kept.find("pages", "/help", 10.0) is None
    one = kept.space("pages")
    assert (one.expired, one.rate) == (1, 1.0)
    one.hits, one.misses = 3, 2
    assert one.rate == kept.total().rate == 0.6
    for number in range(20):
        kept.put("pages", str(number), b"", 0.0, 10.0)
    assert (one.evicted, one.entries) == (5, 15)


def test_no_room() -> None:
    """Nothing is kept, and what is too large for the room does not empty it."""
    kept = Kept(8000)
    kept.put("a", "small", b"x", 0.0, 10.0)
    kept.put("a", "large", os.urandom(1000), 0.0, 10.0)
    assert (kept.find("a", "small", 0.0), kept.find("a", "large", 0.0)) == (b"x", None)
    kept.resize(0)
    assert len(kept) == kept.size == 0
    kept.put("a", "small", b"x", 0.0, 10.0)
    assert kept.find("a", "small", 0.0) is None


def test_packed_if_smaller() -> None:
    """From so many bytes on, and only if it is."""
    assert pack(b"x" * 1023, 1024)[1:] == b"x" * 1023
    assert len(pack(b"x" * 1024, 1024)) < 100
    noise = os.urandom(5000)
    assert pack(noise, 1024)[1:] == noise


@given(st.binary(max_size=3000))
def test_there_and_back(value: bytes) -> None:
    assert unpack(pack(value, 64), 3000) == value


@given(st.binary(max_size=300))
def test_any_bytes(kept: bytes) -> None:
    """What nobody packed is nothing, or is as it stands there."""
    found = unpack(kept, 100)
    assert found is None or (len(found) <= 100 and kept[:1] in (b"-", b"z"))


BOMB, SMALL = zlib.compress(b"x" * 10**8), zlib.compress(b"x")


@pytest.mark.parametrize(
    "kept",
    [b"", b"z", b"zgarbage", b"z" + BOMB, b"z" + SMALL[:-1], b"z" + SMALL + b"y", b"-" + b"x" * 101, b"\x80\x04]."],
    ids=["empty", "no body", "garbage", "bomb", "cut", "more", "large", "pickled"],
)
def test_hostile_bytes(kept: bytes) -> None:
    """A bomb, a part, more than all, too much, another format: nothing."""
    assert unpack(kept, 100) is None
