"""Bytes from a client cut into lines and commands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.wire.telnet import (
    LINE_LIMIT,
    Code,
    Event,
    LineTooLong,
    Markup,
    Negotiation,
    Option,
    Parser,
    PayloadTooLong,
    Subnegotiation,
    Verb,
    escape,
    negotiate,
    subnegotiate,
)
from tests.strategies import chunks, cuts, telnet_streams


def heard(*reads: bytes, limit: int = 512, char_mode: bool = False) -> list[Event]:
    parser = Parser(limit)
    parser.char_mode = char_mode
    return [event for data in reads for event in parser.receive(data)]


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        (b"look\r\n", [b"look"]),
        (b"look\n", [b"look"]),
        (b"look\r\x00", [b"look"]),
        (b"look\rnorth\r", [b"look", b"north"]),
        (b"look\r\xff\xf1\nnorth\r\n", [b"look", Code.NOP, b"north"]),
        (b"look\r\r\n", [b"look", b""]),
        (b"a\r\nb\nc\r\x00d\re\r\n", [b"a", b"b", b"c", b"d", b"e"]),
        (b"\r\n", [b""]),
        (b"\x00", []),
        (b"lo\x00ok\r\n", [b"look"]),
        (b"half", []),
        (b"lookk\x08\r\n", [b"look"]),
        (b"lookk\x7f\r\n", [b"look"]),
        (b"\x08\x7flook\r\n", [b"look"]),
        ("né\x08o\r\n".encode(), [b"no"]),
        (b"n\xe9\x08o\r\n", [b"no"]),
        ("ne\u0301\x08o\r\n".encode(), [b"no"]),
        ("a👩\u200d🚀\x08b\r\n".encode(), [b"ab"]),
        ("a👍🏽\x08b\r\n".encode(), [b"ab"]),
        (b"a\tb\r\n", [b"a b"]),
        (b"a\x01\x02\x15\x17\x1c b\r\n", [b"a b"]),
        (b"lo\x1b[Aok\x1b[1;5C\r\n", [b"look"]),
        (b"lo\x1bOPok\r\n", [b"look"]),
        (b"lo\x1b]0;title\x07ok\r\n", [b"look"]),
        (b"lo\x1b]0;title\x1b\\ok\r\n", [b"look"]),
        (b"lo\x1bok\r\n", [b"look"]),
        (b"look\x1b[\r\nnorth\x1b]0;\r\n", [b"look", b"north"]),
        (b"\x1b[1z<VERSION MXP=1.0>\r\nlook\r\n", [Markup(b"<VERSION MXP=1.0>"), b"look"]),
        (b"\x1b[1zlook\r\n<b>\r\n", [b"look", b"<b>"]),
        (b"\x1b[2z<b>\r\n", [b"<b>"]),
        (b"\xff\xff\r\n", [b"\xff"]),
        ("日本\r\n".encode(), ["日本".encode()]),
    ],
)
def test_lines(typed: bytes, lines: list[Event]) -> None:
    """Every way to end and to edit a line."""
    assert heard(typed) == lines


def test_markup_over_reads() -> None:
    """The mark of an MXP answer outlives the read it came in."""
    assert heard(b"\x1b[1z", b"<SUPPORTS +b>\r\n", b"<b>\r\n") == [Markup(b"<SUPPORTS +b>"), b"<b>"]


@pytest.mark.parametrize(
    ("typed", "line"),
    [(b"say foo\x15look\r\n", b"look"), (b"say foo bar\x17baz\r\n", b"say foo baz"), (b"foo  \x17bar\r\n", b"bar")],
)
def test_char_mode_edits(typed: bytes, line: bytes) -> None:
    """^U and ^W edit where the client does not."""
    assert heard(typed, char_mode=True) == [line]


@pytest.mark.parametrize(
    ("code", "left"),
    [
        *((Code.EC, b"loox"), (Code.EL, b"x"), (Code.IP, b"x"), (Code.BRK, b"x"), (Code.ABORT, b"x")),
        *((Code.SUSP, b"x"), (Code.AYT, b"lookx"), (Code.AO, b"lookx"), (Code.DM, b"lookx"), (Code.GA, b"lookx")),
    ],
)
def test_commands(code: Code, left: bytes) -> None:
    """A command is told, and edits the line if it is one that does."""
    assert heard(b"look" + bytes((255, code)) + b"x\r\n") == [code, left]


@pytest.mark.parametrize(
    ("sent", "events"),
    [
        (b"\xff\xfb\x1f", [Negotiation(Verb.WILL, 31)]),
        (b"\xff\xfe\xff", [Negotiation(Verb.DONT, 255)]),
        (b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0", [Subnegotiation(31, b"\x00\x50\x00\x18")]),
        (b"\xff\xfa\x1f\x00\xff\xff\x00\x18\xff\xf0", [Subnegotiation(31, b"\x00\xff\x00\x18")]),
        (b"\xff\xfa\x1f\x00\xff\x00\x18\xff\xf0", [Subnegotiation(31, b"\x00\xff\x00\x18")]),
        (b"\xff\xfa\x18\x00XTERM\xff\xf6", [Subnegotiation(24, b"\x00XTERM"), Code.AYT]),
        (b"\xff\xfa\x18\x00A\xff\xfb\x1f", [Subnegotiation(24, b"\x00A"), Negotiation(Verb.WILL, 31)]),
        (b"\xff\xfa\xff\xf0", []),
        (b"\xff\xfa\xff\xfd\x06", [Negotiation(Verb.DO, 6)]),
        (b"\xff\xfa\xff\xffa\xff\xf0", [Subnegotiation(255, b"a")]),
        (b"\xff\xfa\x22\xff\xf0", [Subnegotiation(34, b"")]),
        (b"\xff\xf0\xff\x05", []),
        (b"\xff\xf4\xff\xfd\x06", [Code.IP, Negotiation(Verb.DO, 6)]),
    ],
)
def test_negotiations(sent: bytes, events: list[Event]) -> None:
    """Well formed and less well formed commands."""
    assert heard(sent) == events


def test_a_command_inside_a_line() -> None:
    """Commands may stand anywhere and leave the line alone."""
    assert heard(b"lo\xff\xfa\xc9Core.Ping\xff\xf0o\xff\xfb\x1fk\r\n") == [
        Subnegotiation(201, b"Core.Ping"),
        Negotiation(Verb.WILL, 31),
        b"look",
    ]


def test_line_limit() -> None:
    """The limit is exact; what is beyond is dropped up to the line end, and told."""
    assert heard(b"x" * 512 + b"\r\n") == [b"x" * 512]
    assert heard(b"x" * 513 + b"\r\nlook\r\n") == [LineTooLong(b"x" * 512), b"look"]
    assert heard(b"x" * 600 + b"\x08" * 600 + b"y\r\n") == [LineTooLong(b"x" * 512)]
    assert heard(b"x" * 4096 + b"\n", limit=LINE_LIMIT) == [b"x" * 4096]


def test_line_limit_keeps_characters_whole() -> None:
    """A line cut in the middle of a character would look like Latin-1."""
    assert heard(b"x" * 510 + "日本".encode() + b"\n") == [LineTooLong(b"x" * 510)]
    assert heard(b"x" * 509 + "日本".encode() + b"\n") == [LineTooLong(b"x" * 509 + "日".encode())]


def test_a_long_line_can_be_cleared() -> None:
    """EL starts over, also beyond the limit."""
    assert heard(b"x" * 600 + b"\xff\xf8look\r\n") == [Code.EL, b"look"]


def test_payload_limits() -> None:
    """Too long a payload is thrown away up to its end and counted."""
    parser = Parser()
    for count in (1, 2, 3):
        assert parser.receive(subnegotiate(Option.TTYPE, b"x" * 513)) == [PayloadTooLong(Option.TTYPE, count)]
    assert parser.receive(subnegotiate(Option.GMCP, b"x" * 16_384)) == [Subnegotiation(201, b"x" * 16_384)]
    assert parser.receive(subnegotiate(Option.NEW_ENVIRON, b"\xff" * 4096) + b"look\n") == [
        Subnegotiation(39, b"\xff" * 4096),
        b"look",
    ]


def test_abandoned_subnegotiation() -> None:
    """One without an end is given up when its time is over; what follows is text."""
    parser = Parser()
    assert not parser.subnegotiating
    parser.receive(b"\xff\xfa\xc9Core")
    assert parser.subnegotiating
    parser.abandon()
    assert parser.receive(b"look\r\n") == [b"look"]


def test_speaks_telnet() -> None:
    """Only a command shows that the peer speaks telnet."""
    parser = Parser()
    parser.receive(b"look\r\n\xff\xff\r\n")
    assert not parser.speaks_telnet
    parser.receive(b"\xff\xfb\x18")
    assert parser.speaks_telnet


@given(telnet_streams, cuts, st.booleans())
def test_any_split(stream: bytes, positions: list[int], char_mode: bool) -> None:
    """However TCP cuts the stream, the same events come out, and never an exception."""
    whole = heard(stream + b"\n", char_mode=char_mode)
    assert heard(*chunks(stream + b"\n", positions), char_mode=char_mode) == whole
    assert heard(*[bytes((byte,)) for byte in stream + b"\n"], char_mode=char_mode) == whole


@given(telnet_streams)
def test_bounds(stream: bytes) -> None:
    """No line is longer than the limit or holds a control byte."""
    for event in heard(stream, limit=40):
        if isinstance(event, bytes):
            assert len(event) <= 40
            assert not any(byte < 0x20 or byte == 0x7F for byte in event)


@given(st.integers(0, 254), st.binary(max_size=512))
def test_round_trip(option: int, payload: bytes) -> None:
    """A payload with any bytes arrives as it was sent."""
    assert heard(subnegotiate(option, payload)) == [Subnegotiation(option, payload)]


def test_written_forms() -> None:
    """The bytes of RFC 854."""
    assert negotiate(Verb.WILL, Option.ECHO) == b"\xff\xfb\x01"
    assert subnegotiate(Option.NAWS, b"\x00\xff\x00\x18") == b"\xff\xfa\x1f\x00\xff\xff\x00\x18\xff\xf0"
    assert escape(b"\xff\xff") == b"\xff" * 4
