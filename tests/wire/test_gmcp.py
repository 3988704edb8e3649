"""GMCP messages, and who asked for them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.wire.gmcp import BadGmcp, Gmcp, decode, encode, module_of, render, supports_after, wants
from mythos.wire.message import State
from mythos.wire.telnet import Option, Parser, Subnegotiation
from tests.strategies import json_values


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"Core.Ping", Gmcp("core.ping")),
        (b"core.PING 120", Gmcp("core.ping", 120)),
        (b"Core.Ping\t120", Gmcp("core.ping", 120)),
        (b"Core.Hello\n{}", Gmcp("core.hello", {})),
        (b"Core.KeepAlive  ", Gmcp("core.keepalive")),
        (b'Core.Supports.Set [ "Char 1" ]', Gmcp("core.supports.set", ["Char 1"])),
        (b'Char.Skills.Get {"group":"a b"}', Gmcp("char.skills.get", {"group": "a b"})),
        (b"Mythos.Ack 1041", Gmcp("mythos.ack", 1041)),
        (b"X " + b"[" * 16 + b"]" * 16, Gmcp("x", [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]])),
    ],
)
def test_decode(payload: bytes, message: Gmcp) -> None:
    """Names without case; any JSON value, or none; space, tab or line end between."""
    assert decode(payload) == message


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b" {}", b"\xff", b"Core.Hello {", b"Core.Hello NaN", b"Core.Hello \xff", b'X "\xed\xa0\x80"'),
        *(b"X " + b"[" * 17 + b"]" * 17, b"X " + b"[" * 16_000, b"X " + b'{"a":' * 17 + b"1" + b"}" * 17),
        *(b"X 1e999", b"x" * 65, b"Client.GUI 1\nhttps://example.org"),
    ],
)
def test_decode_refuses(payload: bytes) -> None:
    """What is no message is dropped with one error."""
    with pytest.raises(BadGmcp):
        decode(payload)


@given(st.binary(max_size=80) | json_values.map(repr).map(str.encode))
def test_any_payload(payload: bytes) -> None:
    try:
        decode(payload)
        decode(b"Core.X " + payload)
    except BadGmcp as error:
        assert str(error)


@given(json_values)
def test_round_trip(data: Any) -> None:
    """Through telnet and back."""
    [event] = Parser().receive(encode("Char.Vitals", data))
    assert isinstance(event, Subnegotiation)
    assert event.option == Option.GMCP
    assert decode(event.payload) == Gmcp("char.vitals", data)


def test_written_form() -> None:
    """Compact, UTF-8, controls escaped; a state is encoded once."""
    assert encode("Core.Ping") == b"\xff\xfa\xc9Core.Ping\xff\xf0"
    assert encode("X", {"a": "é\x1b\n"}) == b'\xff\xfa\xc9X {"a":"\xc3\xa9\\u001b\\n"}\xff\xf0'
    state = State("Char.Vitals", {"hp": 45})
    assert render(state) == b'\xff\xfa\xc9Char.Vitals {"hp":45}\xff\xf0'
    assert render(state) is render(state)


def test_supports() -> None:
    """Set replaces, Add adds, Remove takes away with or without a version; nonsense is passed over."""
    supports = supports_after({}, Gmcp("core.supports.set", ["Char 1", "Char.Items 2", "Room", 7, "", "a b c"]))
    assert supports == {"char": 1, "char.items": 2, "room": 1}
    supports = supports_after(supports, Gmcp("core.supports.add", ["Comm.Channel 1", "Char 2"]))
    assert supports == {"char": 2, "char.items": 2, "room": 1, "comm.channel": 1}
    supports = supports_after(supports, Gmcp("core.supports.remove", ["Char", "Room 1", "Absent"]))
    assert supports == {"char.items": 2, "comm.channel": 1}
    assert supports_after(supports, Gmcp("core.supports.set", [])) == {}


def test_supports_are_bounded() -> None:
    many = Gmcp("core.supports.set", [f"M{number} 1" for number in range(200)])
    assert len(supports_after({}, many)) == 64


@pytest.mark.parametrize(
    "message", [Gmcp("core.supports.set", {}), Gmcp("core.supports.x", []), Gmcp("core.hello", [])]
)
def test_supports_nonsense(message: Gmcp) -> None:
    with pytest.raises(BadGmcp):
        supports_after({}, message)


def test_wants() -> None:
    """A module is wanted by its own name only."""
    supports = {"char": 1, "room": 1}
    assert module_of("Char.Items.List") == "char.items"
    assert wants(supports, "Char.Vitals") and wants(supports, "Room.Info") and wants(supports, "Core.Goodbye")
    assert not wants(supports, "Char.Items.List") and not wants(supports, "Comm.Channel.Text")
