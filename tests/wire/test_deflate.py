"""permessage-deflate: a record is the same for whoever inflates it, and is compressed once for all."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from mythos.wire import client
from mythos.wire.deflate import WINDOW, Units
from mythos.wire.message import Line, State, line
from tests.strategies import lines, states

_NUMBERS = st.integers(1, 2**53 - 1)


def payload(frame: bytes) -> bytes:
    """What a frame from us carries, which has RSV1 and is whole."""
    assert frame[0] == 0xC1
    size, at = frame[1], 2
    if size == 126:
        size, at = int.from_bytes(frame[2:4], "big"), 4
    elif size == 127:
        size, at = int.from_bytes(frame[2:10], "big"), 10
    assert len(frame) == at + size
    return frame[at:]


def inflated(data: bytes) -> bytes:
    """By a client that has nothing of what came before, and only our window."""
    return zlib.decompressobj(-WINDOW).decompress(data + b"\0\0\xff\xff")


@given(st.lists(st.tuples(lines | states, _NUMBERS, st.none() | _NUMBERS), min_size=1, max_size=6))
def test_it_says_the_same(told: list[tuple[Line | State, int, int | None]]) -> None:
    """Each by itself, whatever was compressed before; long or short, with a head as long as it may be."""
    units = Units()
    for message, s, prev in told:
        assert inflated(payload(units.record_frame(message, s, prev))) == client.record(message, s, prev)


def test_long_ones() -> None:
    """Frames have lengths of three kinds."""
    units = Units()
    for words in ("word " * 100, "".join(map(str, range(800))), "".join(map(str, range(60_000)))):
        message = line("system", words)
        assert inflated(payload(units.record_frame(message, 7))) == client.record(message, 7)


def test_what_many_get_is_compressed_once() -> None:
    """Sessions number it differently; behind their heads are the same bytes."""
    units, message = Units(), line("room", "The quay is wet, and smells of tar and fish. " * 8)
    first, second = payload(units.record_frame(message, 1)), payload(units.record_frame(message, 70_000, 69_990))
    unit = first[5 + len(client.head(1)) :]
    assert second[5 + len(client.head(70_000, 69_990)) :] == unit
    assert [kept for kept in message.rendered.values() if kept == unit] == [unit]


def test_both_sizes_are_counted() -> None:
    """For each who gets it."""
    units, message = Units(), line("room", "word " * 100)
    sent = [payload(units.record_frame(message, s)) for s in (1, 2)]
    assert units.sizes() == {"plain": 2 * len(client.record(message, 1)), "compressed": sum(map(len, sent))}
    assert sum(map(len, sent)) < len(client.record(message, 1))
