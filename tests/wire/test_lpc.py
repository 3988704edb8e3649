"""LPC text: both ways, as drivers write it, and from peers that are hostile or sloppy."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.wire.i3 import lpc
from mythos.wire.i3.lpc import DEPTH, HIGHEST, LOWEST, LpcError, decode, encode
from mythos.wire.i3.mudmode import FrameReader, FrameTooLong, frame

TELL = b'({"tell",5,"Example MUD","alice","Other MUD","bob","Alice","say \\"hi\\" \\\\o/ \xc3\xa9",})'


def one(text: bytes) -> Any:
    values, error = decode(text)
    assert error is None, error
    (value,) = values
    return value


def test_the_worked_example() -> None:
    """Of the protocol's description, byte for byte."""
    value = ["tell", 5, "Example MUD", "alice", "Other MUD", "bob", "Alice", 'say "hi" \\o/ é']
    assert one(TELL) == value
    assert encode(value) == TELL
    assert frame(TELL) == b"\0\0\0\x53" + TELL + b"\0"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"({})", []),
        (b"([])", {}),
        (b"({,})", []),
        (b'({1,-2,"x",})', [1, -2, "x"]),
        (b'({1,"x"})', [1, "x"]),
        (b'([1:2,"k":({3,}),])', {1: 2, "k": [3]}),
        (b'(["k":1])', {"k": 1}),
        (b'(/1,"x",/)', [1, "x"]),
        (b"({1.500000,1.5e+20,})", [1.5, 1.5e20]),
        (b'({ 1 , "x" , ({ }) })', [1, "x", []]),
        (b'({"a\\nb",})', ["anb"]),
        (b'({"a\rb\r\nc\nd\\\re",})', ["a\nb\nc\nd\ne"]),
        (b'({"\xe9",})', ["\xe9"]),
        (b'({"\xe9","\xc3\xa9",})', ["\xe9", "\xe9"]),
        (b'({"",})', [""]),
        (b'({"a\0b",})\0', ["ab"]),
        (b'({"({1,})",})', ["({1,})"]),
        (b"({12345678901234567890,})", [12345678901234567890]),
    ],
)
def test_as_drivers_write_it(text: bytes, value: Any) -> None:
    assert one(text) == value


@pytest.mark.parametrize(
    "text",
    [
        b"({1 2,})",
        b'({"a""b",})',
        b'({"a" 1,})',
        b"({1,,2,})",
        b"({,1,})",
        b"({,,})",
        b"([,,])",
        b"({1",
        b"({1,",
        b'({"a',
        b"})",
        b"({1,])",
        b"([1:2,})",
        b"([1])",
        b"([1:2:3,])",
        b"([1,2,])",
        b"([({}):1,])",
        b"([1.5:1,])",
        b"({:})",
        b"({1.2.3,})",
        b"({-,})",
        b"({\xb2,})",
        b"({" + b"9" * 5000 + b",})",
        b"({inf,})",
        b"({x,})",
        b"5",
        b'"x"',
        b"({" * 100_000,
        b"({" * (DEPTH + 1) + b"})" * (DEPTH + 1),
        b"([" * 100_000,
        b'({"say "quoted" text",})',
        b"({[tell, 5]})",
    ],
)
def test_what_is_no_lpc(text: bytes) -> None:
    """One kind of error, and no other."""
    values, error = decode(text)
    assert isinstance(error, LpcError)
    assert all(not isinstance(value, list | dict) for value in values)


@pytest.mark.parametrize("between", [b"\0", b"\r", b"\n", b"", b"\0\r\n ", b" "])
def test_several_in_one_frame(between: bytes) -> None:
    """Routers put what is queued for a MUD together; a bad one does not take the good ones before it along."""
    text = b"({1,})" + between + b'({"x",})' + between
    assert decode(text) == ([[1], ["x"]], None)
    values, error = decode(text + b"({2,x})")
    assert values == [[1], ["x"]]
    assert error is not None


VALUES = st.recursive(
    st.integers(LOWEST, HIGHEST)
    | st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r"), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.integers(LOWEST, HIGHEST) | st.text('abc\\" ', max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.lists(VALUES, max_size=6))
def test_round_trip(value: list[Any]) -> None:
    assert one(encode(value)) == value


FIELDS = [
    b'"a"',
    b'""',
    b'"\\""',
    b'"\\\\"',
    b'"\\\n"',
    b'"\n"',
    b'"\xff"',
    b'"\xc3\xa9"',
    b"0",
    b"-3",
    b"12",
    b"1234567890",
    b"007",
]


@given(
    st.lists(st.sampled_from([*FIELDS, b'"', b"\\", b"\r", b"\0", b"({", b",", b"1.5"]), max_size=9),
    st.sampled_from([b",", b""]),
    st.sampled_from([b",})", b"})", b",})\0", b"})\0\0", b",}) ", b",})({})"]),
)
def test_flat_arrays(fields: list[bytes], comma: bytes, end: bytes) -> None:
    """What is known as a whole is read as if it were not: a space before it takes it out of that."""
    text = b"({" + (b"," if comma else b"").join(fields) + end
    values, error = decode(text)
    again, wrong = decode(b" " + text)
    assert values == again
    assert (error is None) == (wrong is None)


@given(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=9))
def test_flat_arrays_that_are_sound(fields: list[bytes]) -> None:
    text = b"({" + b",".join(fields) + b",})\0"
    assert decode(text) == decode(b" " + text)
    assert decode(text)[1] is None


@given(st.binary(max_size=200))
def test_any_bytes(text: bytes) -> None:
    values, error = decode(text)
    assert error is None or isinstance(error, LpcError)
    assert isinstance(values, list)


@given(
    st.lists(
        st.sampled_from([b"({", b"})", b"([", b"])", b",", b":", b"1", b'"x"', b"\0", b"-1.5", b"(/", b"/)"]),
        max_size=30,
    )
)
def test_any_order_of_tokens(tokens: list[bytes]) -> None:
    """What is read can be written, and reads the same."""
    values, error = decode(b"".join(tokens))
    if error is None:
        assert [one(encode(value)) for value in values] == values


@pytest.mark.parametrize("value", [HIGHEST + 1, LOWEST - 1, None, {1.5: 2}, {(1,): 2}, b"bytes", object(), True])
def test_what_cannot_be_sent(value: Any) -> None:
    with pytest.raises(LpcError):
        encode([value])


def test_what_is_understood_is_bounded() -> None:
    """However many kinds of text between strings a peer invents."""
    for number in range(10_000):
        decode(b"({%d,})" % number)
    assert len(lpc._KNOWN) <= lpc._MOST_KNOWN


# ── frames ──────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.lists(st.integers(1, 20), max_size=30))
def test_any_split(payloads: list[bytes], cuts: list[int]) -> None:
    """However TCP cuts the stream, the same frames come out."""
    stream = b"".join(len(one).to_bytes(4, "big") + one for one in payloads)
    reader, got, at = FrameReader(), [], 0
    for size in [*cuts, len(stream)]:
        reader.receive(stream[at : at + size])
        got += list(reader.frames())
        at += size
    assert got == payloads


@pytest.mark.parametrize("size", [0, 101, 2**32 - 1])
def test_a_length_that_is_refused(size: int) -> None:
    """Before anything is kept for it, and after the good frames."""
    reader = FrameReader(limit=100)
    reader.receive(b"\0\0\0\1x" + size.to_bytes(4, "big") + b"y" * 50)
    frames = reader.frames()
    assert next(frames) == b"x"
    with pytest.raises(FrameTooLong):
        next(frames)


def test_a_frame_that_not_everybody_reads() -> None:
    with pytest.raises(FrameTooLong):
        frame(b"x" * 65_535)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_floats_that_lpc_has_not(value: float) -> None:
    with pytest.raises(LpcError, match="LPC has no"):
        lpc.encode([value])
