"""The crowd: all hear all of it, in one order, or the measure is void."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from bench.crowd import Crowd, Hearer
from bench.ears import LineEar, Misheard

WORDS = [b"one", b"two"]


class Room:
    """Three listeners, the first two of whom also speak; the test plays the server's part."""

    def __init__(self) -> None:
        pairs = [socket.socketpair() for _ in range(3)]
        self.ours = [ours for ours, _ in pairs]
        self.crowd = Crowd(
            [Hearer(pairs[2][1], LineEar())],
            [Hearer(theirs, LineEar()) for _, theirs in pairs[:2]],
            typed=b"%b\r\n".__mod__,
        )

    def serve(self, *answers: bytes) -> None:
        for plug, answer in zip(self.ours, answers, strict=True):
            plug.send(answer)

    def close(self) -> None:
        self.crowd.close()
        for plug in self.ours:
            plug.close()


@pytest.fixture
def room() -> Iterator[Room]:
    made = Room()
    yield made
    made.close()


def test_all_hear(room: Room) -> None:
    """Each speaker's words go out once, and it is done when everybody has heard all of them."""
    room.serve(b"two\r\none\r\n", b"two\r\none\r\n", b"two\r\none\r\n")
    room.crowd.say(WORDS, within=5)
    assert [plug.recv(100) for plug in room.ours[:2]] == [b"one\r\n", b"two\r\n"]
    room.crowd.settle(quiet=0.0)


@pytest.mark.parametrize(
    "third",
    [
        pytest.param(b"two\r\none\r\n", id="another order"),
        pytest.param(b"one\r\none\r\n", id="twice"),
        pytest.param(b"one\r\nTWO\r\n", id="changed"),
        pytest.param(b"one\r\n", id="lost"),
    ],
)
def test_misheard(room: Room, third: bytes) -> None:
    """One listener who hears something else spoils it."""
    room.serve(b"one\r\ntwo\r\n", b"one\r\ntwo\r\n", third)
    with pytest.raises(Misheard):
        room.crowd.say(WORDS, within=0.05)


def test_echo_afterwards(room: Room) -> None:
    """Words that come once more after everybody heard them are found when the crowd settles."""
    room.serve(b"one\r\n", b"one\r\n", b"one\r\n")
    room.crowd.say([b"one"], within=5)
    room.serve(b"", b"", b"one\r\n")
    with pytest.raises(Misheard):
        room.crowd.settle(quiet=0.0)


def test_closed(room: Room) -> None:
    """A connection that the server closes is not taken for a silent one."""
    room.ours[2].close()
    with pytest.raises(Misheard):
        room.crowd.say(WORDS, within=5)
