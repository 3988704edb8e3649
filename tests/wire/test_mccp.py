"""MCCP: what many hear is compressed once, and what clients compress is taken with care."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.errors import WireError
from mythos.wire.mccp import PIECE, Incoming, Outgoing, Units
from tests.strategies import chunks, cuts


@given(st.lists(st.tuples(st.sampled_from(["Ann", "Bob", "both"]), st.binary(min_size=1, max_size=300)), max_size=30))
def test_units_fit_into_every_stream(heard: list[tuple[str, bytes]]) -> None:
    """Two clients hear some alone and some together: zlib reads both streams, up to the checksum at their ends."""
    units = Units()
    for who in ("Ann", "Bob"):
        outgoing = Outgoing(units)
        words = [data for audience, data in heard if audience in (who, "both")]
        inflate = zlib.decompressobj()
        for data in words:
            assert inflate.decompress(outgoing.write(data)) == data
        assert inflate.decompress(outgoing.end() + b"plain again") == b""
        assert inflate.eof
        assert inflate.unused_data == b"plain again"


def test_what_many_hear_is_compressed_once() -> None:
    """The very same bytes go to all; the first stream has its header before them."""
    units = Units()
    ann, bob = Outgoing(units), Outgoing(units)
    ann.write(b"Hello.")
    bob.write(b"Hello.")
    words = b"The bell of the ferry rings twice.\r\n> "
    assert ann.write(words) is bob.write(bytes(bytearray(words)))


def test_units_that_are_kept_are_few() -> None:
    """After hundreds of others the first is made again."""
    units = Units()
    first = units.of(b"first")
    assert units.of(b"first") is first
    for number in range(300):
        units.of(b"line %d" % number)
    assert units.of(b"first") is not first


def test_both_sizes_are_counted() -> None:
    units = Units()
    made = [units.of(b"word " * 100) for _ in range(2)]
    assert units.sizes() == {"plain": 1000, "compressed": sum(map(len, made))}
    assert sum(map(len, made)) < 200


def _pieces(incoming: Incoming) -> bytes:
    got = b""
    while incoming.more:
        piece = incoming.piece()
        assert len(piece) <= PIECE
        got += piece
    return got


@given(st.binary(max_size=40_000), cuts)
def test_any_cut(words: bytes, where: list[int]) -> None:
    """However the stream is cut, the same words come out, and what follows its end is not touched."""
    incoming, got = Incoming(), b""
    for chunk in chunks(zlib.compress(words), where):
        incoming.receive(chunk)
        got += _pieces(incoming)
    assert got == words
    assert incoming.ended


def test_what_follows_the_end_is_plain() -> None:
    incoming = Incoming()
    incoming.receive(zlib.compress(b"look\r\n") + b"north\r\n")
    assert _pieces(incoming) == b"look\r\n"
    assert incoming.rest == b"north\r\n"


def test_a_bomb() -> None:
    """A stream that grows a thousandfold is given up after eight pieces."""
    incoming = Incoming()
    incoming.receive(zlib.compress(bytes(10_000_000)))
    got = 0
    with pytest.raises(WireError, match="bomb"):
        while incoming.more:
            got += len(incoming.piece())
    assert got < 8 * PIECE


def test_no_zlib_stream() -> None:
    incoming = Incoming()
    incoming.receive(b"look\r\n")
    with pytest.raises(WireError, match="broken compression"):
        incoming.piece()
