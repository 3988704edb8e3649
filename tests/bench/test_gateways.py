"""A pair of clients: what one says the other hears, once and in order, or the measure is void."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from itertools import count
from time import monotonic

import pytest

from bench.ears import Misheard
from bench.gateways import Client, Pair, said
from mythos.wire import jsonrpc

WORDS = [b"one", b"two"]


class Gateways:
    """The test plays their part: it answers beforehand."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        plugs = [socket.socketpair() for _ in range(2)]
        self.ours = [ours for ours, _ in plugs]
        speaker, hearer = [Client(theirs, framed=False) for _, theirs in plugs]
        self.pair = Pair(speaker, hearer, said, echo=True, clock=clock)
        self._theirs = [theirs for _, theirs in plugs]

    def serve(self, *heard: list[bytes], answers: int = 2) -> None:
        """What the speaker and the hearer hear, and to how many requests there is a response."""
        for plug, words in zip(self.ours, heard, strict=True):
            for seq, one in enumerate(words, 1):
                plug.send(jsonrpc.notification("channel_message", {"seq": seq, "message": one.decode()}) + b"\n")
        for id in range(1, answers + 1):
            self.ours[0].send(jsonrpc.result(id, {"status": "sent"}) + b"\n")

    def close(self) -> None:
        for plug in (*self.ours, *self._theirs):
            plug.close()


@pytest.fixture
def gateways() -> Iterator[Gateways]:
    made = Gateways()
    yield made
    made.close()


def test_heard(gateways: Gateways) -> None:
    """All words go out as requests, and it is done when both have heard them and the requests are answered."""
    gateways.serve(WORDS, WORDS)
    gateways.pair.stream(WORDS, 2)
    asked = [jsonrpc.decode(line) for line in gateways.ours[0].recv(1000).splitlines()]
    assert [one.params["message"] for one in asked if isinstance(one, jsonrpc.Request)] == ["one", "two"]


def test_a_slow_machine() -> None:
    """However long all of it takes, nothing is lost while more is heard."""
    ticks = count()
    gateways = Gateways(lambda: float(next(ticks)))
    words = [b"line %d" % number for number in range(20)]

    def served() -> Iterator[bytes]:
        for seq, one in enumerate(words, 1):
            for plug in gateways.ours:
                plug.send(jsonrpc.notification("channel_message", {"seq": seq, "message": one.decode()}) + b"\n")
            gateways.ours[0].send(jsonrpc.result(seq, {"status": "sent"}) + b"\n")
            yield one

    gateways.pair.stream(served(), 1, within=3.0)
    assert next(ticks) >= 20
    gateways.close()


def test_paced(gateways: Gateways) -> None:
    """Each line has the time it took; one that is heard before it is said is none of ours."""
    gateways.serve(WORDS[:1], WORDS[:1], answers=1)
    (took,) = gateways.pair.pace(WORDS[:1], 1000.0)
    assert 0.0 < took < 5.0
    gateways.ours[1].send(jsonrpc.notification("channel_message", {"seq": 2, "message": "later"}) + b"\n")
    with pytest.raises(Misheard):
        gateways.pair.pace([b"now", b"later"], 0.5)


@pytest.mark.parametrize(
    ("speaker", "hearer"),
    [
        pytest.param(WORDS, [b"two", b"one"], id="another order"),
        pytest.param(WORDS, [b"one", b"one"], id="twice"),
        pytest.param(WORDS, [b"one", b"TWO"], id="changed"),
        pytest.param([b"two", b"one"], WORDS, id="by the speaker"),
        pytest.param(WORDS, [b"one", b"two", b"two"], id="once more"),
    ],
)
def test_misheard(gateways: Gateways, speaker: list[bytes], hearer: list[bytes]) -> None:
    """A line that is heard otherwise than it was said spoils it."""
    gateways.serve(speaker, hearer)
    with pytest.raises(Misheard):
        gateways.pair.stream(WORDS, 2)


@pytest.mark.parametrize(("heard", "answers"), [([b"one"], 2), (WORDS, 1)], ids=["a line", "an answer"])
def test_lost(gateways: Gateways, heard: list[bytes], answers: int) -> None:
    """A line or an answer that does not come ends it."""
    gateways.serve(WORDS, heard, answers=answers)
    with pytest.raises(Misheard):
        gateways.pair.stream(WORDS, 2, within=0.05)
