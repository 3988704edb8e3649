"""The records of ``mythos.v1`` and the frames that carry them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.wire import client, sse
from mythos.wire.client import Ack, Attach, BadFrame, ClientFrame, Command
from mythos.wire.message import Line, Role, Span, State, line
from mythos.wire.websocket import frame_header, record_frame, text_frame
from tests.strategies import json_values, lines, states

SAYS = line("say", Span("Ann", Role.PLAYER), ' says, "hello"')


def test_line_record() -> None:
    """Head, plain words, spans as arrays of two."""
    assert client.record(SAYS, 7) == (
        b'{"s":7,"t":"line","kind":"say","text":"Ann says, \\"hello\\"",'
        b'"spans":[["Ann","player"],[" says, \\"hello\\"",null]]}'
    )


def test_a_colour_behind_words() -> None:
    """A client that puts none there is told it as that of the letters, unless they have their own."""
    said = line(
        "channel", Span("a", ground=Role.RED), Span("b", Role.CYAN, ground=Role.RED), Span("c", ground=Role.BLACK)
    )
    assert json.loads(client.record(said, 1))["spans"] == [["a", "red"], ["b", "cyan"], ["c", None]]


def test_state_record() -> None:
    """After a hole the head names the record before."""
    state = State("Char.Vitals", {"hp": 45})
    assert client.record(state, 9) == b'{"s":9,"t":"state","name":"Char.Vitals","data":{"hp":45}}'
    assert client.record(state, 9, 6) == b'{"s":9,"p":6,"t":"state","name":"Char.Vitals","data":{"hp":45}}'


def test_tail_is_shared() -> None:
    """Encoded once, for all sessions and doors."""
    client.tail(SAYS)
    assert client.tail(SAYS) is client.tail(SAYS)
    assert client.tail(SAYS) in client.record(SAYS, 1)


@given(lines | states, st.integers(1, 2**53 - 1), st.none() | st.integers(0, 100))
def test_records_are_json(message: Line | State, s: int, prev: int | None) -> None:
    """One line of JSON that any reader takes, on either road."""
    record = client.record(message, s, prev)
    assert b"\n" not in record and b"\r" not in record
    body = json.loads(record)
    assert body["s"] == s and body.get("p") == prev
    if isinstance(message, Line):
        assert "".join([words for words, _ in body["spans"]]) == body["text"] == message.text
    else:
        assert body["data"] == message.data
    assert record_frame(message, s, prev) == text_frame(record)
    assert sse.record_event(message, "e1", s, prev) == sse.event(record, "e1", s)


@pytest.mark.parametrize(
    ("written", "body"),
    [
        (client.gap(5, 12), {"s": 5, "t": "gap", "missed": 12}),
        (client.done(3), {"t": "done", "c": 3}),
        (client.done(3, dup=True), {"t": "done", "c": 3, "dup": True}),
        (client.refused(3, "You cannot."), {"t": "refused", "c": 3, "error": "You cannot."}),
        (client.refused(9, "gap", expect=4), {"t": "refused", "c": 9, "error": "gap", "expect": 4}),
        (client.refused(3, "no", dup=True), {"t": "refused", "c": 3, "error": "no", "dup": True}),
        (client.error("bad_frame", "c: no"), {"t": "error", "error": "bad_frame", "message": "c: no"}),
        (client.bye("logout"), {"t": "bye", "reason": "logout"}),
        (client.reconnect(1500), {"t": "reconnect", "after_ms": 1500}),
        (
            client.hello("s1", "e1", resumed=False, reason="epoch", missed=2, next_c=5, token="t"),
            {
                "t": "hello",
                "session": "s1",
                "epoch": "e1",
                "resumed": False,
                "reason": "epoch",
                "missed": 2,
                "next": 5,
                "token": "t",
            },
        ),
    ],
)
def test_other_frames(written: bytes, body: dict[str, Any]) -> None:
    assert json.loads(written) == body


@pytest.mark.parametrize(
    ("sent", "frame"),
    [
        (b'{"t":"attach","token":"abc"}', Attach("abc")),
        (b'{"t":"attach","token":"abc","epoch":"e1","last":0}', Attach("abc", "e1", 0)),
        (b'{"c":1,"line":"look"}', Command(1, "look")),
        (b'{"c":1,"line":"","a":9}', Command(1, "", 9)),
        (b'{"a":0}', Ack(0)),
        (b'{"a":9007199254740991}', Ack(2**53 - 1)),
        (b'{"c":2,"line":"' + "é".encode() * 2048 + b'"}', Command(2, "é" * 2048)),
    ],
)
def test_decode(sent: bytes, frame: ClientFrame) -> None:
    assert client.decode(sent) == frame


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        *((b'{"c":true,"line":"x"}', "c"), (b'{"c":0,"line":"x"}', "c"), (b'{"c":1.0,"line":"x"}', "c")),
        *((b'{"c":"1","line":"x"}', "c"), (b'{"c":9007199254740992,"line":"x"}', "c"), (b'{"line":"x"}', "c")),
        *((b'{"c":1}', "line"), (b'{"c":1,"line":null}', "line"), (b'{"c":1,"line":"' + b"x" * 4097 + b'"}', "line")),
        *((b'{"c":1,"line":"x","a":-1}', "a"), (b'{"a":false}', "a"), (b'{"a":1,"ack":2}', "ack")),
        *((b'{"t":"hello","token":"x"}', "t"), (b'{"t":1}', "t"), (b'{"t":"attach"}', "token")),
        *((b'{"t":"attach","token":""}', "token"), (b'{"t":"attach","token":"x","last":1}', "epoch")),
        *((b'{"t":"attach","token":"x","epoch":"e"}', "last"), (b'{"t":"attach","token":"x","c":1}', "c")),
        *((b'{"t":"attach","token":"x","epoch":"e","last":true}', "last"), (b'{"token":"x"}', "token")),
        *((b"{}", ""), (b"[]", ""), (b"", ""), (b"1", ""), (b'{"a":1}x', ""), (b'{"a":' + b"[" * 9999, "a")),
        *((b'{"c":1,"line":"\xff"}', ""), (b'{"c":1,"line":"\\ud800"}', ""), (b'{"x":' + b"[" * 99999, "x")),
    ],
)
def test_decode_refuses(sent: bytes, field: str) -> None:
    """Strict: a bool is no number, numbers stay below 2^53, unknown members are named."""
    with pytest.raises(BadFrame) as caught:
        client.decode(sent)
    assert caught.value.field == field


@given(st.binary(max_size=60) | st.dictionaries(st.sampled_from(list("tcaelx")), json_values).map(msgspec.json.encode))
def test_any_frame(data: bytes) -> None:
    """Only BadFrame comes out."""
    try:
        client.decode(data)
    except BadFrame as error:
        assert str(error)


@pytest.mark.parametrize(
    ("length", "header"),
    [
        (0, "8100"),
        (125, "817d"),
        (126, "817e007e"),
        (65_535, "817effff"),
        (65_536, "817f0000000000010000"),
    ],
)
def test_frame_header(length: int, header: str) -> None:
    """The three forms of RFC 6455, section 5.2."""
    assert frame_header(length).hex() == header
    assert text_frame(b"x" * length) == bytes.fromhex(header) + b"x" * length


def test_event_stream() -> None:
    """An id where there is a number, one data line, an empty line; comments and retry."""
    assert sse.event(b'{"s":7}', "9f3c", 7) == b'id: 9f3c.7\ndata: {"s":7}\n\n'
    assert sse.data(b'{"t":"done","c":1}') == b'data: {"t":"done","c":1}\n\n'
    assert sse.comment() == b": hb\n\n"
    assert sse.retry(3000) == b"retry: 3000\n\n"


def test_position() -> None:
    """What ``id:`` said comes back."""
    assert sse.parse_position("9f3c.7") == sse.Position("9f3c", 7)


@pytest.mark.parametrize(
    "value", ["", "9f3c", ".7", "9f3c.", "9f3c.-1", "9f3c.7x", "9f 3c.7", "e.9007199254740992", "e.٣"]
)
def test_position_nonsense(value: str) -> None:
    with pytest.raises(sse.BadPosition):
        sse.parse_position(value)
