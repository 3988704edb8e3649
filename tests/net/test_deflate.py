"""permessage-deflate on the WebSocket: what is agreed on, what is compressed, and clients that compress."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from autobahn.websocket.compress import (
    PerMessageDeflateOffer,
    PerMessageDeflateResponse,
    PerMessageDeflateResponseAccept,
)
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from mythos.net.websocket import GameSocket
from mythos.wire.deflate import LEAST
from tests.net.web import Frames, Web, frame, inflated, playing

OFFER = "permessage-deflate"
LONG = "the quick brown fox jumps over the lazy dog " * 12
RSV1 = 64


@pytest.fixture
def web() -> Iterator[Web]:
    with playing() as web:
        yield web


def player(web: Web, offer: str = OFFER) -> Frames:
    """Who has come in, and has read all that is said then."""
    token = web.guest()["token"]
    client = web.socket(token, Sec_WebSocket_Extensions=offer) if offer else web.socket(token)
    client.take()
    client.deflated.clear()
    return client


def deflated(data: bytes) -> bytes:
    """A payload as clients make it."""
    deflate = zlib.compressobj(wbits=-15)
    return (deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]


def words(records: list[dict[str, Any]]) -> list[str]:
    return [one["text"] for one in records if one["t"] == "line"]


def answered(client: Frames) -> str:
    """What was agreed on."""
    found = [line for line in client.head.split("\r\n") if line.startswith("Sec-WebSocket-Extensions: ")]
    return found[0].partition(": ")[2] if found else ""


# ── the handshake ───────────────────────────────────────────────────────────────────────────────

_NOTHING_KEPT = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        ("permessage-deflate", _NOTHING_KEPT),
        ("permessage-deflate; client_max_window_bits", _NOTHING_KEPT),  # Chrome, Firefox
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", _NOTHING_KEPT),
        ("permessage-deflate; server_max_window_bits=15", f"{_NOTHING_KEPT}; server_max_window_bits=12"),
        ("permessage-deflate; server_max_window_bits=12", f"{_NOTHING_KEPT}; server_max_window_bits=12"),
        ("permessage-deflate; server_max_window_bits=9, permessage-deflate", _NOTHING_KEPT),
        ("permessage-deflate; server_max_window_bits=9", ""),
        ("x-webkit-deflate-frame", ""),
        ("", ""),
    ],
)
def test_what_is_agreed_on(web: Web, offer: str, answer: str) -> None:
    """No side keeps anything from message to message; our window is small. What we cannot keep to is not agreed on."""
    client = player(web, offer)
    assert answered(client) == answer
    client.send({"c": 1, "line": f"say {LONG}"})
    assert words(client.take()) == [f'You say, "{LONG.strip()}"']
    assert bool(client.deflated) == bool(answer)


def test_it_may_be_switched_off() -> None:
    with playing(permessage_deflate=False) as web:
        client = player(web)
        assert answered(client) == ""
        client.send({"c": 1, "line": f"say {LONG}"})
        assert words(client.take()) == [f'You say, "{LONG.strip()}"']
        assert not client.deflated


# ── from us ─────────────────────────────────────────────────────────────────────────────────────


def test_what_is_long_is_compressed(web: Web) -> None:
    """And nothing else; numbers rise as ever."""
    client = player(web)
    client.send({"c": 1, "line": "say short"})
    client.send({"c": 2, "line": f"say {LONG}"})
    client.send({"c": 3, "line": "say short again"})
    found = client.take()
    assert words(found) == ['You say, "short"', f'You say, "{LONG.strip()}"', 'You say, "short again"']
    (long,) = client.deflated
    assert len(inflated(long)) > LEAST > len(long)
    assert inflated(long, 12) == inflated(long)
    numbers = [one["s"] for one in found if "s" in one]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_who_hears_the_same_gets_the_same_bytes(web: Web) -> None:
    """Compressed once for all who agreed; who did not gets it as it is."""
    speaker, first, second, plain = player(web), player(web), player(web), player(web, "")
    for one in (first, second, plain):
        one.take()
        one.deflated.clear()
    speaker.send({"c": 1, "line": f"say {LONG}"})
    heard = [words(one.take()) for one in (first, second, plain)]
    assert heard[0] == heard[1] == heard[2]
    assert LONG.strip() in heard[0][0]
    units = [payload[5 + payload[1] :] for one in (first, second) for payload in one.deflated]
    assert len(units) == 2
    assert units[0] == units[1]
    assert not plain.deflated


def test_a_hole_is_named_in_a_compressed_record(web: Web) -> None:
    """What came while it did not read: a state that was replaced is left out, and the long line behind names where."""
    client = player(web)
    session = web.scene.realm.every_session()[-1]
    assert client.plug.producer is not None
    client.plug.producer.pauseProducing()
    web.scene.realm.snapshot(session)
    web.scene.realm.snapshot(session)
    client.send({"c": 1, "line": f"say {LONG}"})
    client.plug.producer.resumeProducing()
    numbered = [one for one in client.take() if "s" in one]
    assert any("p" in one for one in numbered)
    for before, after in pairwise(numbered):
        assert after["s"] == before["s"] + 1 or after["p"] == before["s"]
    assert client.deflated


def test_no_token_is_compressed(web: Web) -> None:
    """Not even beside our own words, and in each compressed frame is one record: lengths tell nothing."""
    token = web.guest()["token"]
    client = web.socket(token, Sec_WebSocket_Extensions=OFFER)
    hello = client.take()[0]
    client.send({"c": 1, "line": f"say {LONG}"})
    client.take()
    assert client.deflated
    for payload in client.deflated:
        assert "s" in json.loads(inflated(payload))
        assert hello["token"].encode() not in inflated(payload)
        assert token.encode() not in inflated(payload)


def test_long_records_after_resuming(web: Web) -> None:
    """By another connection, which did not agree: the same words."""
    token = web.guest()["token"]
    client = web.socket(token, Sec_WebSocket_Extensions=OFFER)
    first = client.take()
    client.send({"c": 1, "line": f"say {LONG}"})
    heard = words(client.take())
    last = [one for one in first if "s" in one][-1]["s"]
    client.lost()
    back = web.socket(first[0]["token"], epoch=first[0]["epoch"], last=last)
    assert words(back.take()) == heard
    assert not back.deflated


# ── from the client ─────────────────────────────────────────────────────────────────────────────


def test_clients_may_compress(web: Web) -> None:
    """Some messages or all, whole or in pieces, with control frames between."""
    client = player(web)
    client.receive(frame(RSV1 | 1, deflated(b'{"c":1,"line":"say one"}')))
    client.receive(frame(1, b'{"c":2,"line":"say two"}'))
    third = deflated(b'{"c":3,"line":"say three"}')
    for number, at in enumerate(range(0, len(third), 5)):
        opcode = 0 if number else RSV1 | 1
        client.receive(frame(opcode, third[at : at + 5], last=at + 5 >= len(third)))
        if at + 5 < len(third):
            client.receive(frame(9, b"still there?"))
    final = zlib.compressobj(wbits=-15)  # a last block, and the zero behind it (7.2.3.4)
    client.receive(frame(RSV1 | 1, final.compress(b'{"c":4,"line":"say four"}') + final.flush() + b"\0"))
    assert words(client.take()) == [f'You say, "{word}"' for word in ("one", "two", "three", "four")]
    assert client.closed is None


def test_as_much_as_may_be(web: Web) -> None:
    """A message may inflate to 64 KiB."""
    client = player(web)
    line = b'{"c":1,"line":"say it"'
    client.receive(frame(RSV1 | 1, deflated(line + b" " * (65_536 - len(line) - 1) + b"}")))
    assert words(client.take()) == ['You say, "it"']


_BOMB = deflated(b'"' + b"x" * 50_000_000)
_MANY = deflated(b" " * 65_537)
_FIRST = zlib.compressobj(wbits=-15)
_BEFORE = (_FIRST.compress(LONG.encode()) + _FIRST.flush(zlib.Z_SYNC_FLUSH))[:-4]
_BEHIND = (_FIRST.compress(LONG.encode()) + _FIRST.flush(zlib.Z_SYNC_FLUSH))[:-4]


@pytest.mark.parametrize(
    ("offer", "data", "code"),
    [
        pytest.param(OFFER, frame(RSV1 | 1, _BOMB), 1009, id="a bomb"),
        pytest.param(OFFER, frame(RSV1 | 1, _MANY), 1009, id="one byte too many"),
        pytest.param(
            OFFER,
            frame(RSV1 | 1, _MANY[:9], last=False) + frame(0, _MANY[9:50], last=False) + frame(0, _MANY[50:]),
            1009,
            id="too many in two frames",
        ),
        pytest.param(OFFER, frame(RSV1 | 1, b"\xff" * 40), 1007, id="no deflate"),
        pytest.param(OFFER, frame(RSV1 | 1, _BEHIND), 1007, id="words of a message before"),
        pytest.param(OFFER, frame(RSV1 | 1, deflated(b'{"a":"\xff"}')), 1007, id="no UTF-8"),
        pytest.param(OFFER, frame(RSV1 | 1, deflated(b'{"c":1,"line":"say it"}')[:-6]), 1008, id="its end is missing"),
        pytest.param(OFFER, frame(RSV1 | 1, deflated(b"{")), 1008, id="no frame of ours"),
        pytest.param(OFFER, frame(RSV1 | 1, b""), 1008, id="nothing"),
        pytest.param(OFFER, frame(RSV1 | 2, deflated(b"{}")), 1003, id="binary"),
        pytest.param(OFFER, frame(RSV1 | 9, deflated(b"ping")), 1002, id="a compressed ping"),
        pytest.param(OFFER, frame(1, b"{", last=False) + frame(RSV1, b"}"), 1002, id="RSV1 on a later frame"),
        pytest.param(OFFER, frame(32 | 1, b"{}"), 1002, id="RSV2"),
        pytest.param(OFFER, frame(RSV1 | 16 | 1, b"{}"), 1002, id="RSV1 and RSV3"),
        pytest.param("", frame(RSV1 | 1, deflated(b"{}")), 1002, id="without having agreed"),
    ],
)
def test_clients_that_are_wrong(web: Web, offer: str, data: bytes, code: int) -> None:
    """Closed with the code that says why; who plays beside them notices nothing."""
    other, client = player(web), player(web, offer)
    client.receive(data)
    assert words(client.take()) == []
    assert client.closed is not None
    assert client.closed[0] == code
    other.take()
    other.send({"c": 1, "line": f"say {LONG}"})
    assert words(other.take()) == [f'You say, "{LONG.strip()}"']


def test_nothing_is_kept_between_messages(web: Web) -> None:
    """The part of Autobahn that holds the decompressor is where it was."""
    client = player(web)
    client.receive(frame(RSV1 | 1, deflated(b'{"c":1,"line":"say one"}')))
    socket = client.plug.protocol
    socket = getattr(socket, "wrappedProtocol", socket)
    assert isinstance(socket, GameSocket)
    inflation: Any = socket._perMessageCompress
    assert type(inflation).__module__ == "mythos.net.deflate"
    assert inflation._inflate is None


# ── another's client ────────────────────────────────────────────────────────────────────────────


class Player(WebSocketClientProtocol):
    """Autobahn's client, which compresses all it says."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token
        self.heard: list[dict[str, Any]] = []

    def onOpen(self) -> None:
        self.sendMessage(json.dumps({"t": "attach", "token": self.token}).encode())

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.heard.append(json.loads(payload))


def accept(response: Any) -> Any:
    assert isinstance(response, PerMessageDeflateResponse)
    return PerMessageDeflateResponseAccept(response)


def test_it_plays_with_another_client(web: Web) -> None:
    factory = WebSocketClientFactory("ws://play.example.org/ws", protocols=["mythos.v1"], reactor=web.scene.clock)
    factory.setProtocolOptions(
        perMessageCompressionOffers=[PerMessageDeflateOffer()], perMessageCompressionAccept=accept
    )
    client, transport, plug = Player(web.guest()["token"]), StringTransport(), web.connect()
    client.factory = factory
    client.makeConnection(transport)

    def carried() -> None:
        for _ in range(3):
            plug.receive(transport.value())
            transport.clear()
            web.run()
            client.dataReceived(plug.take())

    carried()
    for c in range(1, 30):
        client.sendMessage(json.dumps({"c": c, "line": f"say {c} {LONG if c % 2 else ''}"}).encode())
    carried()
    said = [text for text in words(client.heard) if text.startswith("You say")]
    assert [int(text.split('"')[1].split()[0]) for text in said] == list(range(1, 30))
    assert {len(text) > LEAST for text in said} == {True, False}
    assert client.websocket_extensions_in_use
    client.connectionLost(Failure(ConnectionDone()))
