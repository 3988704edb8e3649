"""MUD clients that come by WebSocket: what they are shown is what telnet shows, in frames."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from mythos.net.telnet import TelnetConnection
from mythos.net.transport import HOLD
from mythos.wire.mudstandards import STREAMS, SUBPROTOCOLS
from tests.net.web import Frames, Web, frame, frames, playing

TERMINALS = [name for name in SUBPROTOCOLS if name not in STREAMS]
JSON, GMCP, PLAIN, TELNET = SUBPROTOCOLS[0], SUBPROTOCOLS[1], "terminal.mudstandards.org", "telnet.mudstandards.org"
SUPPORTS = b'Core.Supports.Set ["Char 1","Room 1"]'

everywhere = pytest.mark.parametrize("name", SUBPROTOCOLS)
terminals = pytest.mark.parametrize("name", TERMINALS)
streams = pytest.mark.parametrize("name", STREAMS)


@pytest.fixture
def web() -> Iterator[Web]:
    with playing() as web:
        yield web


class Client(Frames):
    """A client of one of the subprotocols.

    :ivar texts: text frames, as they came
    """

    def __init__(self, web: Web, name: str) -> None:
        super().__init__(web, Sec_WebSocket_Protocol=name)
        self.name = name
        self.texts: list[bytes] = []
        self._web = web

    def hear(self) -> bytes:
        """What is in binary frames since the last call. Pings are answered."""
        self._web.run()
        heard = []
        whole, self._rest = frames(self._rest + self.plug.take())
        for opcode, payload in whole:
            if opcode == 1:
                self.texts.append(payload)
            elif opcode == 2:
                heard.append(payload)
            elif opcode == 9:
                self.plug.receive(frame(10, payload))
            elif opcode == 8:
                self.closed = (int.from_bytes(payload[:2], "big"), payload[2:].decode())
        return b"".join(heard)

    def show(self) -> str:
        """The same as words, without colours."""
        text = self.hear().decode()
        return "".join([part.partition("m")[2] if number else part for number, part in enumerate(text.split("\x1b["))])

    def type(self, *lines: str) -> None:
        for line in lines:
            self.receive(frame(2, line.encode() + (b"\r\n" if self.name in STREAMS else b"")))

    def tell(self, message: str, data: Any) -> None:
        """By GMCP."""
        said = json.dumps(data)
        if self.name == JSON:
            self.receive(frame(1, json.dumps({"proto": "gmcp", "id": message, "data": said}).encode()))
        else:
            self.receive(frame(1, f"{message} {said}".encode()))

    def told(self) -> dict[str, Any]:
        """The newest of each message."""
        self.hear()
        found = {}
        for text in self.texts:
            if self.name == JSON:
                said = json.loads(text)
                if said["proto"] == "gmcp":
                    found[said["id"]] = json.loads(said["data"] or "null")
            else:
                message, _, data = text.decode().partition(" ")
                found[message] = json.loads(data or "null")
        return found

    def guest(self) -> str:
        self.greeted()
        self.type("guest")
        return self.show()

    def greeted(self) -> str:
        """What is shown once the door has waited for the client to say what it is."""
        self._web.run()
        self._web.scene.clock.advance(1.1)
        return self.show() if self.name not in STREAMS else self.hear().decode("latin-1")


# ── coming in ───────────────────────────────────────────────────────────────────────────────────


@everywhere
def test_the_name_is_answered(web: Web, name: str) -> None:
    client = Client(web, name)
    assert client.status == 101
    assert f"Sec-WebSocket-Protocol: {name}\r\n" in client.head + "\r\n"


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ("terminal.mudstandards.org, gmcp.mudstandards.org", GMCP),
        ("gmcp.mudstandards.org, json.mudstandards.org, telnet", JSON),
        ("ascii, binary", "binary"),
        ("telnet.mudstandards.org, mythos.v1, json.mudstandards.org", "mythos.v1"),
        ("divstream.mudstandards.org, ascii", "ascii"),
    ],
)
def test_the_best_is_chosen(web: Web, offered: str, chosen: str) -> None:
    assert f"Sec-WebSocket-Protocol: {chosen}" in Client(web, offered).head


@pytest.mark.parametrize("offered", ["divstream.mudstandards.org", "v1.evennia.com, chat", "JSON.mudstandards.org"])
def test_what_nobody_speaks_here(web: Web, offered: str) -> None:
    """Is refused in the handshake, with the names of what is spoken."""
    client = Client(web, offered)
    assert client.status == 400
    assert GMCP in client.head
    assert client.plug.disconnecting


@terminals
def test_a_guest_comes_in(web: Web, name: str) -> None:
    """The name prompt, the room, what is said; in words and colours alone."""
    client = Client(web, name)
    assert client.greeted().endswith("Welcome.\r\nWhat is your name? ")
    client.type("guest")
    raw = client.hear()
    assert b"\xff" not in raw
    assert b"\x1b[38;5;" in raw
    assert raw.endswith(b"> ")
    client.type("say ünö")
    assert client.show() == 'You say, "ünö"\r\n> '
    assert not client.texts


@streams
def test_a_guest_comes_in_by_telnet(web: Web, name: str) -> None:
    """All of it as on a socket: negotiation, marks behind prompts; but no compression."""
    client = Client(web, name)
    assert client.hear().startswith(b"\xff\xfd\x18")
    client.receive(frame(2, b"\xff\xfc") + frame(2, b"\x18"))  # WONT TTYPE, cut
    client.greeted()
    client.type("guest")
    assert client.hear().endswith(b"> \xff\xf9")
    for _ in range(5):
        web.scene.clock.advance(1)
        web.outlet.sweep(web.scene.clock.seconds())
    assert b"\x56" not in client.hear()  # MCCP2
    client.receive(frame(2, b"\xff\xfd\x56"))
    assert client.hear() == b"\xff\xfc\x56"


@streams
def test_a_text_frame_is_no_telnet(web: Web, name: str) -> None:
    client = Client(web, name)
    client.receive(frame(1, b"guest"))
    client.hear()
    assert client.closed == (1003, "binary frames only")


@terminals
def test_a_name_of_ones_own(web: Web, name: str) -> None:
    """By prompts, with a password; the same character as by any other door."""
    client = Client(web, name)
    client.greeted()
    client.type("Morwenna")
    assert client.show().endswith("New password: ")
    client.type("a good long one", "a good long one")
    assert client.show().endswith("> ")
    again = Client(web, name)
    again.greeted()
    again.type("morwenna")
    assert again.show().endswith("Password: ")
    again.type("a good long one")
    assert again.show().endswith("> ")
    again.type("say I am back")
    assert 'You say, "I am back"' in again.show()


def test_secrets_are_announced(web: Web) -> None:
    """In the JSON format, as an option of telnet."""
    client = Client(web, JSON)
    client.greeted()
    client.type("Morwenna")
    client.hear()
    (said,) = [json.loads(text) for text in client.texts]
    assert (said["proto"], base64.b64decode(said["data"])) == ("telnet_1", b"\xff\xfb\x01")


# ── the same as telnet ──────────────────────────────────────────────────────────────────────────


@terminals
def test_who_is_in_one_room_hears_the_same(web: Web, name: str) -> None:
    """By a MUD client's WebSocket and by ours; what comes behind a prompt begins a row."""
    client, other = Client(web, name), web.socket(web.guest()["token"])
    client.guest()
    other.take()
    other.send({"c": 1, "line": "say hello"})
    other.send({"c": 2, "line": "say again"})
    heard = client.show()
    assert heard.startswith("\r\n")
    assert heard.count(' says, "hello"\r\n> ') == 1
    assert heard.endswith(' says, "again"\r\n> ')
    client.type("say and you?")
    assert ' says, "and you?"' in str(other.take())


@terminals
def test_utf8_whatever_the_settings_say(web: Web, name: str) -> None:
    """A player's charset is for clients that have others."""
    client = Client(web, name)
    client.guest()
    client.type("settings charset latin-1", "say Grüße, 日本")
    assert 'You say, "Grüße, 日本"' in client.show()


@pytest.mark.parametrize("name", [JSON, GMCP])
def test_gmcp(web: Web, name: str) -> None:
    """The packages that telnet's clients get, asked for as there; before the login too."""
    client = Client(web, name)
    client.tell("Core.Hello", {"client": "telix", "version": "1"})
    client.tell("Core.Supports.Set", ["Char 1", "Room 1", "Char.Login 1"])
    assert client.told()["Char.Login.Default"] == {"type": ["password-credentials"]}
    client.guest()
    told = client.told()
    assert told["Room.Info"]["name"]
    assert told["Char.Vitals"]["maxhp"]
    client.tell("Core.Ping", 120)
    assert "Core.Ping" in client.told()


@pytest.mark.parametrize("name", [JSON, GMCP])
def test_a_wide_screen(web: Web, name: str) -> None:
    client = Client(web, name)
    client.guest()
    words = "word " * 40
    client.type(f"say {words}")
    assert max(map(len, client.show().split("\r\n"))) <= 80
    client.tell("Client.Size", {"cols": 300, "rows": 50})
    client.type(f"say {words}")
    assert f'You say, "{words.strip()}"\r\n' in client.show()


@pytest.mark.parametrize("name", [JSON, GMCP])
def test_who_comes_back(web: Web, name: str) -> None:
    """By the token of Mythos.Session, and from where it stood: exactly what was missed."""
    client = Client(web, name)
    client.tell("Core.Supports.Set", ["Mythos 1"])
    client.guest()
    client.type("say one")
    told = client.told()
    session, seen = told["Mythos.Session"], told["Mythos.Seq"]["s"]
    client.type("say two")
    client.lost()
    back = Client(web, name)
    back.tell("Core.Supports.Set", ["Mythos 1"])
    back.tell("Mythos.Resume", {"token": session["token"], "e": session["e"], "s": seen})
    shown = back.show()
    assert 'You say, "two"' in shown
    assert 'You say, "one"' not in shown
    assert back.told()["Mythos.Session"]["resumed"] is True


# ── its end ─────────────────────────────────────────────────────────────────────────────────────


@everywhere
def test_quit(web: Web, name: str) -> None:
    client = Client(web, name)
    client.guest()
    client.type("quit")
    assert "Goodbye" in client.show()
    assert client.closed is not None
    assert client.closed[0] == 1000


@everywhere
@pytest.mark.parametrize(("code", "reason"), [(1001, "the world closes"), (4001, "takeover")])
def test_a_close_says_why(web: Web, name: str, code: int, reason: str) -> None:
    client = Client(web, name)
    client.guest()
    (link,) = web.outlet.links
    link.close(code, reason)
    assert reason in client.show()
    assert client.closed == (code, reason)


@everywhere
def test_who_goes_is_let_out(web: Web, name: str) -> None:
    """Its place at the door is free again, counted once, and its character is link-dead."""
    before = web.doorman.count
    client = Client(web, name)
    assert web.doorman.count == before + 1
    client.guest()
    session = web.scene.realm.every_session()[-1]
    client.lost()
    assert web.doorman.count == before
    assert session.linkdead


@everywhere
def test_who_says_nothing_is_sent_away(web: Web, name: str) -> None:
    client = Client(web, name)
    client.greeted()
    for _ in range(55):
        web.scene.clock.advance(1)
        web.door.sweep(web.scene.clock.seconds())
        client.hear()
    assert client.closed is None
    for _ in range(10):
        web.scene.clock.advance(1)
        web.door.sweep(web.scene.clock.seconds())
        client.hear()
    assert client.closed is not None
    client.lost()
    assert not web.door.waiting


@everywhere
def test_a_full_house(web: Web, name: str) -> None:
    """Says so, and closes."""
    web.doorman.count = 1000
    client = Client(web, name)
    assert client.hear()
    assert client.closed is not None


# ── peers that are slow or wrong ────────────────────────────────────────────────────────────────


@everywhere
def test_who_does_not_read_is_dropped(web: Web, name: str) -> None:
    """Its connection holds little of ours; after a while it is closed, and others notice nothing."""
    slow, other = Client(web, name), web.socket(web.guest()["token"])
    slow.guest()
    other.take()
    assert slow.plug.producer is not None
    slow.plug.producer.pauseProducing()
    for c in range(1, 200):
        other.send({"c": c, "line": f"say w{c}"})
    assert len(slow.plug.take()) < 2 * HOLD
    assert len([one for one in other.take() if one["t"] == "done"]) == 199
    for _ in range(20):
        web.scene.clock.advance(1)
        web.outlet.sweep(web.scene.clock.seconds())
    assert slow.plug.aborted


@terminals
def test_a_paste(web: Web, name: str) -> None:
    """Hundreds of lines in one message: each is carried out, in order."""
    client = Client(web, name)
    client.guest()
    client.type("\n".join(f"say w{number}" for number in range(300)))
    heard = ""
    for _ in range(300):
        web.scene.clock.advance(0.25)
        heard += client.show()
    said = [line.split('"')[1] for line in heard.split("\r\n") if line.startswith("You say")]
    assert said == [f"w{number}" for number in range(300)]


@given(
    st.sampled_from(SUBPROTOCOLS),
    st.booleans(),
    st.lists(
        st.tuples(st.sampled_from([1, 2]), st.binary(max_size=60) | st.text(max_size=30).map(str.encode)), max_size=8
    ),
)
@settings(max_examples=25)
def test_any_message(name: str, inside: bool, messages: list[tuple[int, bytes]]) -> None:
    """Whatever comes costs only its own connection."""
    with playing() as web:
        other, client = web.socket(web.guest()["token"]), Client(web, name)
        if inside:
            client.guest()
        for opcode, payload in messages:
            if not client.plug.disconnecting:
                client.receive(frame(opcode, payload))
        web.scene.clock.advance(2)
        web.run()
        other.take()
        other.send({"c": 1, "line": "say still here"})
        assert 'You say, "still here"' in str(other.take())


# ── another's client ────────────────────────────────────────────────────────────────────────────


class Player(WebSocketClientProtocol):
    """Autobahn's client."""

    def __init__(self) -> None:
        super().__init__()
        self.words = b""
        self.told: list[bytes] = []

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if isBinary:
            self.words += payload
        else:
            self.told.append(payload)


@pytest.mark.parametrize("name", [GMCP, PLAIN])
def test_it_plays_with_another_client(web: Web, name: str) -> None:
    factory = WebSocketClientFactory("ws://play.example.org/ws", protocols=[name], reactor=web.scene.clock)
    client, transport, plug = Player(), StringTransport(), web.connect()
    client.factory = factory
    client.makeConnection(transport)

    def carried() -> str:
        for _ in range(3):
            plug.receive(transport.value())
            transport.clear()
            web.run()
            client.dataReceived(plug.take())
        heard, client.words = client.words.decode(), b""
        return heard

    heard = carried()
    web.scene.clock.advance(1)
    assert (heard + carried()).endswith("What is your name? ")
    if name == GMCP:
        client.sendMessage(SUPPORTS)
    client.sendMessage(b"guest", isBinary=True)
    assert carried().endswith("> ")
    client.sendMessage(b"say one\nsay two", isBinary=True)
    assert carried().endswith('You say, "one"\r\nYou say, "two"\r\n> ')
    assert bool(client.told) == (name == GMCP)
    client.connectionLost(Failure(ConnectionDone()))


def test_the_guide_names_them() -> None:
    guide = Path(__file__).parents[2].joinpath("docs/mud-clients.md").read_text(encoding="utf-8")
    assert [name for name in ("mythos.v1", *SUBPROTOCOLS) if f"`{name}`" not in guide] == []


def test_the_door_is_that_of_telnet(web: Web) -> None:
    """One connection of it for each: there is no second one to keep in step."""
    Client(web, PLAIN)
    (waiting,) = web.door.waiting
    assert type(waiting) is TelnetConnection
