"""Packets that wait: in order within their kind, no kind keeping another from being heard, bounded."""

from __future__ import annotations

from mythos.net.i3.waiting import QUEUE, Waiting
from mythos.wire.i3 import packets
from mythos.wire.i3.packets import Packet


def tell() -> Packet:
    return packets.Tell("Ours", "ann", "Other", "bob", "Ann", "x")


def said() -> Packet:
    return packets.ChannelMessage("Ours", "ann", "", "", "gossip", "Ann", "x")


def who() -> Packet:
    return packets.WhoRequest("Ours", "ann", "Other", "")


def test_kinds_are_served_in_turn() -> None:
    """A hundred lines on a channel do not keep a tell waiting for a hundred turns."""
    waiting = Waiting(lambda: None)
    for number in range(100):
        waiting.put(said(), b"c%d" % number)
    for number in range(2):
        waiting.put(tell(), b"t%d" % number)
        waiting.put(who(), b"q%d" % number)
    first = [waiting.take() for _ in range(6)]
    assert sorted(first) == [b"c0", b"c1", b"q0", b"q1", b"t0", b"t1"]
    assert [waiting.take() for _ in range(98)] == [b"c%d" % number for number in range(2, 100)]
    assert len(waiting) == 0


def test_what_has_no_place() -> None:
    """Lines on channels make room for the rest, the oldest first; nothing makes room for a line."""
    waiting = Waiting(lambda: None)
    lines = [said() for _ in range(QUEUE)]
    assert [waiting.put(line, b"c") for line in lines] == [None] * QUEUE
    late = said()
    assert waiting.put(late, b"c") is late
    assert [waiting.put(tell(), b"t") for _ in range(QUEUE)] == lines
    last = tell()
    assert waiting.put(last, b"t") is last
    assert len(waiting) == QUEUE


def test_tells_are_kept() -> None:
    waiting = Waiting(lambda: None)
    one = tell()
    for packet in (said(), one, who()):
        waiting.put(packet, b"x")
    waiting.keep_tells()
    assert list(waiting.tells()) == [one]
    assert len(waiting) == 1
