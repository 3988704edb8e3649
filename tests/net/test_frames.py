"""What WebSocket clients send is understood the same, whichever way it is read."""

from __future__ import annotations

import zlib
from itertools import pairwise
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from hypothesis import example, given
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from mythos.net.deflate import accept, inflate_by_message
from mythos.net.frames import Frames
from mythos.wire.websocket import read_text
from tests.net.web import frame

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: play.example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
MOST = 1000


class Plug(StringTransport):
    """A connection that Autobahn may end in any way."""

    def unregisterProducer(self) -> None:
        """There is none."""

    def abortConnection(self) -> None:
        self.disconnecting = True


class Ours(Frames):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Any] = []

    def frame_read(self) -> None:
        self.heard.append("frame")

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.heard.append((payload, isBinary))
        if payload == b"go":
            self.sendClose(1000)

    def onPing(self, payload: bytes) -> None:
        self.heard.append(payload)
        super().onPing(payload)


class Autobahns(Ours):
    dataReceived = WebSocketServerProtocol.dataReceived


def heard(kind: type[Ours], reads: list[bytes], *, deflate: bool) -> tuple[Any, ...]:
    """All that one of this kind is told by these reads, what it answers. ``deflate``: that is agreed on."""
    factory = WebSocketServerFactory(reactor=Clock())
    factory.protocol = kind
    factory.setProtocolOptions(maxMessagePayloadSize=MOST, maxFramePayloadSize=MOST, failByDrop=False)
    factory.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0)
    if deflate:
        factory.setProtocolOptions(perMessageCompressionAccept=accept)
    socket: Any = factory.buildProtocol(None)
    plug = Plug()
    socket.makeConnection(plug)
    socket.dataReceived(UPGRADE)
    inflate_by_message(socket)
    plug.clear()
    for data in reads:
        socket.dataReceived(data)
    found = socket.heard, plug.value(), socket.state, plug.disconnecting
    socket.connectionLost(Failure(ConnectionDone()))
    return found


def masked(mask: bytes, opcode: int, payload: bytes, **other: bool) -> bytes:
    """A frame with a mask that is not zero."""
    data = frame(opcode, b"", **other)[:1] + frame(opcode, payload, **other)[1:]
    end = len(data) - len(payload)
    return data[: end - 4] + mask + bytes([byte ^ mask[at % 4] for at, byte in enumerate(payload)])


TEXT = st.text(max_size=300).map(str.encode) | st.sampled_from(
    [b"", b"go", b"x" * 125, b"x" * 126, b"x" * 127, b"x" * MOST, b"x" * (MOST + 1), b"\xff", b"\xc3", "ä".encode()]
)


def deflated(payload: bytes, end: int, cut: int) -> bytes:
    """What a client made of it; ``cut``: so many bytes are missing."""
    deflate = zlib.compressobj(wbits=-15)
    data = deflate.compress(payload) + deflate.flush(end)
    data = data.removesuffix(b"\0\0\xff\xff") if end == zlib.Z_SYNC_FLUSH else data + b"\0"
    return data[: len(data) - cut]


DEFLATED = st.builds(
    deflated, TEXT, st.sampled_from([zlib.Z_SYNC_FLUSH, zlib.Z_FINISH]), st.sampled_from([0, 0, 0, 1, 3])
)
MASKS = st.binary(min_size=4, max_size=4)
FRAMES = st.builds(masked, MASKS, st.just(1), TEXT) | st.builds(masked, MASKS, st.just(65), DEFLATED | TEXT)
OTHERS = st.one_of(
    st.builds(frame, st.sampled_from([0, 1, 2, 8, 9, 10, 3, 65]), TEXT, masked=st.booleans(), last=st.booleans()),
    st.binary(max_size=20),
    st.sampled_from([b"\x81\xfe\x00\x05\0\0\0\0hello", b"\x81\xff" + bytes(7) + b"\x05\0\0\0\0hello", b"\x81\x85"]),
)


@given(
    st.lists(FRAMES, max_size=6),
    st.lists(OTHERS, max_size=2),
    st.lists(st.integers(0, 2000), max_size=6),
    st.booleans(),
)
@example([masked(b"abcd", 1, b"one"), masked(b"efgh", 1, b"go"), masked(b"ijkl", 1, b"two")], [], [], False)
def test_both_ways(frames: list[bytes], others: list[bytes], cuts: list[int], deflate: bool) -> None:
    """Whole frames, parts of them, all that is wrong; cut anywhere, and whatever comes behind it; compressed or not."""
    data = b"".join([*frames, *others, *frames])
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    reads = [data[start:end] for start, end in pairwise(places) if start < end]
    assert heard(Ours, reads, deflate=deflate) == heard(Autobahns, reads, deflate=deflate)


@given(st.lists(st.builds(masked, MASKS, st.just(1), TEXT), min_size=1, max_size=4))
def test_whole_frames_are_read_here(frames: list[bytes]) -> None:
    """One behind the other; what is no UTF-8, or too long, is not."""
    data, at = b"".join(frames), 0
    for one in frames:
        found = read_text(data, at, MOST)
        if found is None:
            assert len(one) > MOST or any(byte > 0x7F for byte in one)
            return
        at += len(one)
        assert found[1] == at


@given(st.lists(st.builds(deflated, st.text(max_size=300).map(str.encode), st.just(zlib.Z_SYNC_FLUSH), st.just(0))))
def test_compressed_ones_too(payloads: list[bytes]) -> None:
    """Where that was agreed on."""
    data, at = b"".join([masked(b"abcd", 65, payload) for payload in payloads]), 0
    for payload in payloads:
        found = read_text(data, at, MOST, deflate=True)
        assert found is not None
        assert read_text(data, at, MOST) is None
        assert found[0] == zlib.decompressobj(-15).decompress(payload)
        at = found[1]
    assert at == len(data)
