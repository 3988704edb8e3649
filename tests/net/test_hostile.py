"""Peers of the web doors that do what they must not: each costs its own connection at most."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest

from tests.net.web import Plug, Web, frame, playing

KEY = base64.b64encode(bytes(16)).decode()
FIN = 128


@pytest.fixture
def web() -> Iterator[Web]:
    with playing() as web:
        yield web


class Neighbours:
    """Two who play beside them, one by each road."""

    def __init__(self, web: Web) -> None:
        self._web = web
        token = web.guest()["token"]
        self._speaker, self._listener = web.socket(web.guest()["token"]), web.stream(token)
        self._said = 0
        self.play()

    def hear(self) -> None:
        """Who came and went."""
        for one in (self._speaker, self._listener):
            assert not [told for told in one.take() if told.get("kind") == "say"]

    def play(self) -> None:
        """What one says, both hear, and nothing else is said."""
        self._said += 1
        self._speaker.send({"c": self._said, "line": f"say still here {self._said}"})
        for one in (self._speaker, self._listener):
            said = [told["text"] for told in one.take() if told["t"] == "line" and told["kind"] == "say"]
            assert [text.partition('"')[2] for text in said] == [f'still here {self._said}"']


def send(web: Web, plug: Plug, data: bytes, at_once: int) -> None:
    """So many bytes at once, until it is closed; of what is long, the first thousand."""
    few = len(data[:1000]) // at_once * at_once
    for piece in [*(data[at : at + at_once] for at in range(0, few, at_once)), data[few:]]:
        if not plug.disconnecting:
            plug.receive(piece)
            web.run()


# ── the handshake ───────────────────────────────────────────────────────────────────────────────

_GOOD = {
    "Host": "play.example.org",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}


def request(first: str = "GET /ws HTTP/1.1", **changed: str | None) -> bytes:
    """A handshake; None leaves a header out."""
    headers: dict[str, str | None] = {**_GOOD, **{name.replace("_", "-"): value for name, value in changed.items()}}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([first, *lines, "", ""]).encode("latin-1")


@pytest.mark.parametrize("at_once", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(request(), 101, id="as it should be"),
        pytest.param(request("GET /ws/ HTTP/1.1"), 101, id="with a slash"),
        pytest.param(request(Upgrade="WebSocket", Connection="keep-alive, Upgrade"), 101, id="as Firefox says it"),
        pytest.param(request(Sec_WebSocket_Version="12"), 400, id="another version"),
        pytest.param(request(Sec_WebSocket_Version="13, 13"), 400, id="two versions"),
        pytest.param(request(Sec_WebSocket_Version="x"), 400, id="no version"),
        pytest.param(request(Sec_WebSocket_Version=None), 400, id="without a version"),
        pytest.param(request(Sec_WebSocket_Key=None), 400, id="without a key"),
        pytest.param(request(Sec_WebSocket_Key="short"), 400, id="a short key"),
        pytest.param(request(Sec_WebSocket_Key="!" * 22 + "=="), 400, id="a key of other letters"),
        pytest.param(request(Upgrade="h2c"), 400, id="another upgrade"),
        pytest.param(request(Upgrade=None), 426, id="without an upgrade"),
        pytest.param(request(Connection="close"), 400, id="another connection"),
        pytest.param(request(Host=None), 400, id="without a host"),
        pytest.param(request("POST /ws HTTP/1.1"), 405, id="a POST"),
        pytest.param(request("GET /ws HTTP/3.0"), 400, id="a new HTTP"),
        pytest.param(request("GET /nowhere HTTP/1.1"), 404, id="elsewhere"),
        pytest.param(request(Origin="http://["), 400, id="an origin that is none"),
        pytest.param(request(Origin="http://play.example.org@evil.example"), 403, id="an origin with a user"),
        pytest.param(request(Origin="http://play.example.org:81"), 403, id="another port"),
        pytest.param(request(Origin="http://evil\xe9.example"), 403, id="an origin of other letters"),
        pytest.param(request(Sec_WebSocket_Protocol="chat"), 400, id="a subprotocol that is not ours"),
        pytest.param(request(Sec_WebSocket_Protocol=",,"), 400, id="subprotocols without names"),
        pytest.param(request(Sec_WebSocket_Protocol="mythos.v1, mythos.v1"), 400, id="a subprotocol twice"),
        pytest.param(request(Sec_WebSocket_Extensions="permessage-deflate; x=1"), 400, id="an extension with more"),
        pytest.param(request(Sec_WebSocket_Extensions=';=;,"'), 101, id="extensions that are none"),
        pytest.param(request(Cookie="\x00"), 400, id="a NUL in a header"),
        pytest.param(request(Cookie="\xff" * 100), 101, id="a cookie of other letters"),
        pytest.param(request(Cookie="x" * 20_000), 0, id="a long line"),
        pytest.param(request(**{f"X-{number}": "x" for number in range(600)}), 400, id="many headers"),
        pytest.param(b"GET /ws\r\n\r\n", 400, id="no version of HTTP"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40) + b"\r\n", 400, id="TLS"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, id="HTTP/2"),
    ],
)
def test_handshakes(web: Web, data: bytes, status: int, at_once: int) -> None:
    """However they are cut; nobody else notices. 0: closed without an answer."""
    neighbours = Neighbours(web)
    plug = web.connect()
    send(web, plug, data, at_once)
    answer = plug.take()
    assert int((answer.split() or [b"", b"0"])[1]) == status, answer
    assert plug.disconnecting or status in (101, 426, 404)
    neighbours.play()


# ── frames ──────────────────────────────────────────────────────────────────────────────────────

_SIZED = bytes((FIN | 1, 255))  # 64 bits of length follow


@pytest.mark.parametrize("at_once", [1, 5, 100_000])
@pytest.mark.parametrize("attached", [True, False], ids=["attached", "a stranger"])
@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(frame(2, b"binary"), 1003, id="binary"),
        pytest.param(frame(1, b"\xff\xfe"), 1007, id="no UTF-8"),
        pytest.param(frame(1, "é".encode()[:1]), 1007, id="half a letter"),
        pytest.param(frame(1, b"x" * 65_537), 1009, id="a long one"),
        pytest.param(frame(1, b"x" * 65_000, last=False) + frame(0, b"x" * 600), 1009, id="a long one in two frames"),
        pytest.param(_SIZED + b"\x80" + bytes(11), 1002, id="a size below zero"),
        pytest.param(_SIZED + bytes((0x7F, *([255] * 7))) + bytes(4), 1009, id="a size beyond all bounds"),
        pytest.param(_SIZED + bytes(7) + b"\x02" + bytes(4) + b"{}", 1002, id="a size that is longer than it needs"),
        pytest.param(frame(1, b"{}", masked=False), 1002, id="without a mask"),
        pytest.param(frame(3, b""), 1002, id="a kind of data that is none"),
        pytest.param(frame(11, b""), 1002, id="a kind of control that is none"),
        pytest.param(frame(64 | 1, b"{}"), 1002, id="RSV1"),
        pytest.param(frame(16 | 1, b"{}"), 1002, id="RSV3"),
        pytest.param(frame(0, b"{}"), 1002, id="the rest of nothing"),
        pytest.param(frame(1, b"{", last=False) + frame(1, b"}"), 1002, id="a message within a message"),
        pytest.param(frame(9, b"x" * 126), 1002, id="a long ping"),
        pytest.param(frame(9, b"x", last=False), 1002, id="half a ping"),
        pytest.param(frame(8, b"x"), 1002, id="half a code"),
        pytest.param(frame(8, b"\x03\xed"), 1002, id="a code that is never sent"),
        pytest.param(frame(8, b"\x03\xe8\xff"), 1007, id="a reason that is no UTF-8"),
    ],
)
def test_frames(web: Web, data: bytes, code: int, attached: bool, at_once: int) -> None:
    """Closed with the code that says why, however they are cut, and whoever they come from."""
    neighbours = Neighbours(web)
    client = web.socket(web.guest()["token"]) if attached else web.socket()
    neighbours.hear()
    send(web, client.plug, data, at_once)
    client.take()
    assert client.closed is not None
    assert client.closed[0] == code
    neighbours.play()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(frame(1, b'{"a":0}'), id="messages"),
        pytest.param(frame(9, b"x" * 125), id="pings"),
        pytest.param(frame(10, b""), id="pongs"),
        pytest.param(frame(0, b"", last=False), id="pieces of nothing"),
    ],
)
def test_floods(web: Web, data: bytes) -> None:
    """What comes beyond the pace is waited for: no more is read, by one timer, until it is paid."""
    neighbours = Neighbours(web)
    client = web.socket(web.guest()["token"])
    neighbours.hear()
    before = len(web.scene.clock.getDelayedCalls())
    if data[0] & 15 == 0:
        client.receive(frame(1, b'{"a":0', last=False))
    client.receive(data * 6000)
    assert client.plug.producerState == "paused"
    assert len(web.scene.clock.getDelayedCalls()) <= before + 2
    neighbours.play()
    web.scene.clock.advance(1.9)
    assert client.plug.producerState == "paused"
    web.scene.clock.advance(0.2)
    assert client.plug.producerState == "producing"
    if data[0] & 15 == 0:
        client.receive(frame(0, b"}"))
    client.send({"c": 1, "line": "say here too"})
    assert [told["text"] for told in client.take() if told.get("kind") == "say"][-1] == 'You say, "here too"'


def test_no_end_of_floods(web: Web) -> None:
    """However much came: a connection is read from again before its pong would be late."""
    client = web.socket(web.guest()["token"])
    client.receive(frame(10, b"") * 50_000)
    web.scene.clock.advance(5)
    assert client.plug.producerState == "producing"


def test_pings_of_who_reads_nothing(web: Web) -> None:
    """Are not answered, so that nothing piles up; else they are, whatever they carry, in the handshake's wake too."""
    client = web.socket()
    for payload in (b"", b"\xff" * 125):
        client.plug.take()
        client.receive(frame(9, payload))
        assert client.plug.take() == bytes((FIN | 10, len(payload))) + payload
    client.send({"t": "attach", "token": web.guest()["token"]})
    client.take()
    assert client.plug.producer is not None
    client.plug.producer.pauseProducing()
    client.receive(frame(9, b"?") * 1000)
    assert client.plug.take() == b""
    client.plug.producer.resumeProducing()
    client.receive(frame(9, b"!"))
    assert client.plug.take().endswith(bytes((FIN | 10, 1)) + b"!")


# ── event streams ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("at_once", [1, 9, 100_000])
@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(b"GET /sse?ticket=%b HTTP/1.1\r\nHost: x\r\n\r\n", 200, id="as it should be"),
        pytest.param(b"GET /sse/?ticket=%b HTTP/1.1\r\nHost: x\r\n\r\n", 200, id="with a slash"),
        pytest.param(b"GET /sse?ticket=%b%%00 HTTP/1.1\r\nHost: x\r\n\r\n", 401, id="a ticket with a NUL"),
        pytest.param(b"GET /sse?ticket=%%ff%b HTTP/1.1\r\nHost: x\r\n\r\n", 401, id="a ticket of other letters"),
        pytest.param(b"GET /sse?x=%b&ticket= HTTP/1.1\r\nHost: x\r\n\r\n", 401, id="no ticket"),
        pytest.param(b"POST /sse?ticket=%b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405, id="a POST"),
        pytest.param(b"GET /sse?ticket=%b HTTP/1.1\r\nLast-Event-ID: \xff.1\r\n\r\n", 400, id="an id of other letters"),
        pytest.param(b"GET /sse?ticket=%b HTTP/1.1\r\nLast-Event-ID: e.9e9\r\n\r\n", 400, id="an id that is none"),
        pytest.param(
            b"GET /sse?ticket=%b&last=e.99999999999999999999 HTTP/1.1\r\n\r\n", 400, id="an id beyond all bounds"
        ),
        pytest.param(b"GET /sse?ticket=%b HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400, id="a length that is none"),
        pytest.param(
            b"POST /api/v1/ticket?%b HTTP/1.1\r\nAuthorization: Bearer \xff\r\n\r\n", 401, id="a token of none"
        ),
        pytest.param(b"GET /api/%%ff?%b HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="a path of other letters"),
        pytest.param(b"GET /health?%b HTTP/1.1\r\nHost: \xff\r\n\r\n", 400, id="a host of other letters"),
        pytest.param(b"GET /?%b HTTP/1.1\r\nHost: \xff\r\n\r\n", 200, id="a page of such a host"),
        pytest.param(b"GET /sse?ticket=%b HTTP/1.1\r\nTransfer-Encoding: x\r\n\r\n", 400, id="another encoding"),
        pytest.param(b"GET /sse?ticket=%b HTTP/1.1\r\n\0: x\r\n\r\n", 400, id="a header that is none"),
        pytest.param(
            b"GET /sse?ticket=%b HTTP/1.1\r\nHost: x\r\n\r\n" + b"GET / HTTP/1.1\r\n\r\n" * 1000,
            200,
            id="more behind it",
        ),
    ],
)
def test_streams(web: Web, data: bytes, status: int, at_once: int) -> None:
    """Of the table above, what concerns requests."""
    neighbours = Neighbours(web)
    ticket = web.post("ticket", token=web.guest()["token"]).json["ticket"].encode()
    plug = web.connect()
    send(web, plug, data % ticket, at_once)
    neighbours.hear()
    assert plug.take().split()[1] == str(status).encode()
    neighbours.play()
    plug.lost()
    neighbours.play()


# ── any byte ────────────────────────────────────────────────────────────────────────────────────


def socketed(token: str) -> bytes:
    """All that a client says on a WebSocket."""
    words = [{"t": "attach", "token": token}, {"c": 1, "line": "look", "a": 1}, {"a": 1}, {"c": 2, "line": "wave"}]
    frames = [frame(1, json.dumps(one).encode()) for one in words]
    return b"".join([request(Sec_WebSocket_Protocol="mythos.v1"), *frames, frame(9, b"ping"), frame(8, b"\x03\xe8bye")])


def streamed(ticket: str) -> bytes:
    head = f"GET /sse?ticket={ticket} HTTP/1.1\r\nHost: play.example.org\r\nLast-Event-ID: epoch.12\r\n\r\n"
    return head.encode()


@pytest.mark.parametrize("road", ["websocket", "sse"])
@pytest.mark.parametrize("byte", [b"\0", b"\n", b"\x7f", b"\x81", b"\xff"])
def test_each_byte(web: Web, road: str, byte: bytes) -> None:
    """One after the other is another; who plays beside them notices nothing."""
    neighbours = Neighbours(web)
    granted = web.guest()
    length = len(socketed(granted["token"]) if road == "websocket" else streamed("x" * 43))
    for at in range(length):
        if road == "websocket":
            data = socketed(granted["token"])
        else:
            data = streamed(web.post("ticket", token=granted["token"]).json["ticket"])
        assert len(data) == length
        plug = web.connect()
        send(web, plug, data[:at] + byte + data[at + 1 :], 100_000)
        plug.lost()
        if at % 50 == 0:
            web.scene.clock.advance(1)
    neighbours.hear()
    neighbours.play()
