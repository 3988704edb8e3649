"""Ears: what a listener of the benchmarks reads, and what it does not let pass."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.compression import Mccp, inflated
from bench.ears import Ear, LineEar, Misheard, RpcEar, SocketEar, StreamEar, TelnetEar, masked
from mythos.wire import client, jsonrpc, sse
from mythos.wire.deflate import Units as DeflateUnits
from mythos.wire.mccp import START, Outgoing, Units
from mythos.wire.message import Line, Role, Span, State
from mythos.wire.websocket import record_frame, text_frame

WORDS = [b"0000001 the quick fox", b"0000002 jumps"]
HELLO = client.hello("S", "E", resumed=False, reason=None, missed=0, next_c=1, token="T")


def said(words: bytes) -> Line:
    return Line("say", (Span("Ann", Role.PLAYER), Span(f' says, "{words.decode()}"')))


def frames() -> bytes:
    state = State("Char.Vitals", {"hp": 1})
    return (
        text_frame(HELLO)
        + record_frame(state, 3)
        + record_frame(said(WORDS[0]), 5, 3)
        + record_frame(said(WORDS[1]), 6)
        + text_frame(client.done(1))
    )


def events() -> bytes:
    parts = [
        sse.comment("hi") + sse.retry(3000),
        sse.data(HELLO),
        sse.record_event(said(WORDS[0]), "E", 7),
        sse.record_event(said(WORDS[1]), "E", 9, 7) + sse.comment(),
    ]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def event(method: str, seq: int, words: bytes) -> bytes:
    return jsonrpc.notification(method, {"seq": seq, "message": words.decode(), "timestamp": "T"})


RPC = [
    jsonrpc.notification("welcome", {"service": "i3-gateway"}),
    jsonrpc.result(1, {"status": "authenticated"}),
    event("channel_message", 1, WORDS[0]),
    event("gateway_reconnected", 2, b"no words of anybody"),
    event("tell_received", 3, WORDS[1]),
    jsonrpc.result(2, {"status": "sent"}),
]

TELNET = b'\r\nAnn says, "%b"\r\n> \r\nBob arrives.\r\n> You say, "%b"\r\n> ' % (WORDS[0], WORDS[1])


WILL_GMCP, WILL_MCCP2, DO_MARK = b"\xff\xfb\xc9", b"\xff\xfb\x56", b"\xff\xfd\x06"
OPTIONS = b"\xff\xfa\x18\x01\xff\xf0"


def compressed() -> bytes:
    """Telnet that is agreed to be compressed in the middle of what is said, with commands on both sides of that."""
    first, second = TELNET.split(b"\r\nBob")
    outgoing = Outgoing(Units())
    return (
        WILL_GMCP + WILL_MCCP2 + OPTIONS + first.replace(b"> ", b"> \xff\xf9") + START
        + outgoing.write(b"\r\nBob" + DO_MARK + second[:20]) + outgoing.write(second[20:] + b"\xff\xf9")
    )  # fmt: skip


def deflated_frames() -> bytes:
    units = DeflateUnits()
    return (
        text_frame(HELLO)
        + units.record_frame(said(WORDS[0]), 5)
        + record_frame(said(WORDS[1]), 6)
        + units.record_frame(State("Room.Info", {"name": "x" * 200}), 9, 6)
    )


@given(cuts=st.lists(st.integers(0, 800), max_size=12), which=st.integers(0, 7))
def test_any_split(cuts: list[int], which: int) -> None:
    """However TCP cuts the stream, the same words are heard."""
    made: list[tuple[Ear, bytes]] = [
        (LineEar(), b"\r\n".join([*WORDS, b""])),
        (TelnetEar(), TELNET),
        (SocketEar(), frames()),
        (StreamEar(), events()),
        (TelnetEar(Mccp()), compressed()),
        (SocketEar(deflate=True), deflated_frames()),
        (RpcEar(framed=False), b"".join([text + b"\n" for text in RPC])),
        (RpcEar(framed=True), b"".join(map(text_frame, RPC))),
    ]
    ear, data = made[which]
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    heard = [words for at, end in pairwise(places) for words in ear.feed(data[at:end])]
    assert heard == WORDS


def test_lost_record() -> None:
    """A number that is left out without a word of it is a loss."""
    ear = SocketEar()
    ear.feed(record_frame(said(b"one"), 1))
    with pytest.raises(Misheard):
        ear.feed(record_frame(said(b"three"), 3))


def test_doubled_record() -> None:
    """A record that comes twice is noticed."""
    ear = StreamEar()
    event = sse.record_event(said(b"one"), "E", 1)
    chunk = b"%x\r\n%b\r\n" % (len(event), event)
    ear.feed(chunk)
    with pytest.raises(Misheard):
        ear.feed(chunk)


def test_gap() -> None:
    """A gap is a loss, though a loud one."""
    with pytest.raises(Misheard):
        SocketEar().feed(text_frame(client.gap(4, 3)))


def test_closed_socket() -> None:
    """A close frame is not taken for silence."""
    with pytest.raises(Misheard):
        SocketEar().feed(b"\x88\x02\x03\xe8")


def test_compressed_telnet() -> None:
    """MCCP2 is agreed to, all else refused, and marks that come compressed are answered."""
    mccp = Mccp()
    ear = TelnetEar(mccp)
    assert not mccp.on
    assert ear.feed(compressed()) == WORDS
    assert mccp.on
    assert ear.replies == b"\xff\xfe\xc9\xff\xfd\x56\xff\xfc\x06"


def test_compressed_socket() -> None:
    """Records may be compressed only if that was agreed on; what the client says is then."""
    frame = DeflateUnits().record_frame(said(WORDS[0]), 1)
    assert SocketEar(deflate=True).feed(frame) == [WORDS[0]]
    with pytest.raises(Misheard):
        SocketEar().feed(frame)
    says = SocketEar(deflate=True).says(b'{"a":32}')
    assert says[0] == 0xC1
    assert inflated(says[6:]) == b'{"a":32}'
    assert SocketEar().says(b'{"a":32}') == masked(0x1, b'{"a":32}')


def test_replies() -> None:
    """Pings are answered, and every 32 records acknowledged, as the web client does."""
    ear = SocketEar()
    ear.feed(b"\x89\x02hi")
    assert ear.replies == masked(0xA, b"hi")
    ear.replies.clear()
    for number in range(1, 32):
        ear.feed(record_frame(said(b"word"), number))
    assert not ear.replies
    ear.feed(record_frame(said(b"word"), 32))
    assert ear.replies == masked(0x1, b'{"a":32}')


def test_long_frame() -> None:
    """The long form of a length, both ways."""
    words = b"x" * 300
    assert SocketEar().feed(record_frame(said(words), 1)) == [words]
    assert masked(0x1, words)[:4] == bytes((0x81, 0xFE, 1, 44))


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(event("channel_message", 3, b"three"), id="an event is lost"),
        pytest.param(event("channel_message", 1, b"one"), id="an event comes twice"),
        pytest.param(jsonrpc.result(2, {}), id="a request is not answered"),
        pytest.param(jsonrpc.error(jsonrpc.RpcError(-32001, "Rate limit exceeded", 1)), id="an error"),
        pytest.param(jsonrpc.error(jsonrpc.RpcError(-32700, "Invalid JSON")), id="an error about nothing"),
    ],
)
def test_gateway_misheard(second: bytes) -> None:
    """A client of the gateway that is told something else than is due spoils the measure."""
    ear = RpcEar(framed=False)
    assert ear.feed(event("channel_message", 1, b"one") + b"\n") == [b"one"]
    with pytest.raises(Misheard):
        ear.feed(second + b"\n")
