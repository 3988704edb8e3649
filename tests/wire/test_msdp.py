"""MSDP's bytes, both ways."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.errors import WireError
from mythos.wire.msdp import DEPTH, Value, decode, encode
from mythos.wire.subnegotiation import BadPayload
from mythos.wire.telnet import Option, Parser, Subnegotiation


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a lamp", b"a lamp"),
        (45, b"45"),
        ("", b""),
        (["a", 2], b"\x05\x02a\x022\x06"),
        ({"K": "v", "L": ["x"]}, b"\x03\x01K\x02v\x01L\x02\x05\x02x\x06\x04"),
        ([], b"\x05\x06"),
        ({}, b"\x03\x04"),
        ("a\x01b\x06c\0", b"abc"),
        ("\xe9", b"\xc3\xa9"),
    ],
)
def test_written_form(value: Any, written: bytes) -> None:
    """No byte that means something to MSDP in a text."""
    assert encode("NAME", value) == b"\xff\xfa\x45\x01NAME\x02" + written + b"\xff\xf0"


@pytest.mark.parametrize(
    ("payload", "pairs"),
    [
        (b"\x01LIST\x02COMMANDS", [("LIST", "COMMANDS")]),
        (b"\x01SEND\x02A\x02B", [("SEND", ["A", "B"])]),
        (b"\x01SEND\x02\x05\x02A\x02B\x06", [("SEND", ["A", "B"])]),
        (b"\x01A\x02x\x01B\x02\x03\x01C\x02y\x04", [("A", "x"), ("B", {"C": "y"})]),
        (b"\x01A\x02", [("A", "")]),
        (b"\x01A\x02\xff", [("A", "\ufffd")]),
        (b"", []),
    ],
)
def test_read(payload: bytes, pairs: list[tuple[str, Value]]) -> None:
    assert decode(payload) == pairs


@pytest.mark.parametrize(
    "payload",
    [
        *(b"LIST", b"\x02A", b"\x01A", b"\x01\x02x", b"\x01A\x02\x05\x02x", b"\x01A\x02\x03\x01K\x02v"),
        *(b"\x01A\x02\x05x\x06", b"\x01A\x02x\x06", b"\x01A\x02\x03\x02v\x04", b"\x01A\x02\x05\x02x\x04"),
        *(b"\x01A" + b"\x02\x05" * (DEPTH + 1) + b"\x06" * (DEPTH + 1), b"\x01A" + b"\x02\x05" * 2000),
    ],
)
def test_nonsense(payload: bytes) -> None:
    """What is no variable, is not closed, or is too deep has one error."""
    with pytest.raises(BadPayload, match="MSDP"):
        decode(payload)


@given(
    st.binary(max_size=60) | st.lists(st.sampled_from([b"\1", b"\2", b"\3", b"\4", b"\5", b"\6", b"A"])).map(b"".join)
)
def test_any_payload(payload: bytes) -> None:
    try:
        decode(payload)
    except WireError as error:
        assert str(error)


_texts = st.text(st.characters(min_codepoint=7, exclude_categories=["Cs"]), max_size=8)
_names = st.text("ABC_", min_size=1, max_size=5)
_values = st.recursive(
    _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=6,
)


def _depth(value: Value) -> int:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


@given(_names, _values.filter(lambda value: _depth(value) <= DEPTH))
def test_round_trip(name: str, value: Value) -> None:
    """Through telnet and back."""
    [event] = Parser().receive(encode(name, value))
    assert isinstance(event, Subnegotiation)
    assert event.option == Option.MSDP
    assert decode(event.payload) == [(name, value)]
