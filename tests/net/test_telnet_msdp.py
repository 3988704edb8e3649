"""MSDP over telnet: what a client asks for and is told, as option 69 and over GMCP."""

from __future__ import annotations

from typing import Any

import pytest

from mythos.net.telnet import TelnetConnection
from mythos.wire import gmcp, msdp
from mythos.wire.negotiation import Policy
from mythos.wire.telnet import Option, Parser, Subnegotiation, Verb, negotiate, subnegotiate
from mythos.world.state import Character
from tests.net.test_telnet import Peer

_DO, _DONT, _WILL, _WONT = (negotiate(verb, Option.MSDP) for verb in (Verb.DO, Verb.DONT, Verb.WILL, Verb.WONT))


class Client(Peer):
    """A client at a door that offers MSDP."""

    def __init__(self, *, agrees: bool = True) -> None:
        super().__init__()
        factory = self.connection.factory
        factory.policy = Policy.standard(msdp=True)
        connection: Any = factory.buildProtocol(None)
        self.connection: TelnetConnection = connection
        self.transport.clear()
        self.connection.makeConnection(self.transport)
        self.offered = bytes(self.transport.value())
        if agrees:
            self.send(_DO)

    def ask(self, command: str, *names: str) -> dict[str, Any]:
        return self.heard(msdp.encode(command, names[0] if len(names) == 1 else list(names)))

    def heard(self, data: bytes) -> dict[str, Any]:
        found = [event for event in Parser().receive(self.send(data)) if isinstance(event, Subnegotiation)]
        pairs = [pair for event in found if event.option == Option.MSDP for pair in msdp.decode(event.payload)]
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    @property
    def me(self) -> Character:
        assert self.connection.link is not None
        return self.connection.link.session.me


def test_offered_if_the_operator_says_so() -> None:
    assert _WILL in Client().offered
    peer = Peer()
    assert _WILL not in bytes(peer.transport.value())
    assert peer.send(_DO) == _WONT


def test_refused() -> None:
    """Whoever refuses it is told nothing, and what it asks all the same is dropped."""
    client = Client(agrees=False)
    assert client.send(_DONT) == b""
    client.guest()
    assert client.send(msdp.encode("SEND", "LEVEL")) == b""


def test_lists() -> None:
    client = Client()
    assert client.ask("LIST", "COMMANDS") == {"COMMANDS": ["LIST", "REPORT", "RESET", "SEND", "UNREPORT"]}
    assert client.ask("LIST", "CONFIGURABLE_VARIABLES") == {"CONFIGURABLE_VARIABLES": ["CLIENT_NAME", "CLIENT_VERSION"]}
    lists = client.ask("LIST", "LISTS")["LISTS"]
    every = client.ask("LIST", *lists)
    assert set(every) == set(lists)
    assert every["REPORTED_VARIABLES"] == []
    assert set(every["SENDABLE_VARIABLES"]) - set(every["REPORTABLE_VARIABLES"]) == {"SERVER_ID", "SERVER_TIME"}


def test_each_variable_has_a_value() -> None:
    """Text, or what holds text; the same that GMCP tells."""
    client = Client()
    client.guest()
    names = client.ask("LIST", "SENDABLE_VARIABLES")["SENDABLE_VARIABLES"]
    values = client.ask("SEND", *names)
    assert set(values) == set(names)
    assert (values["HEALTH"], values["HEALTH_MAX"], values["LEVEL"]) == ("20", "20", "1")
    assert values["CHARACTER_NAME"] == client.me.name
    assert values["ROOM"] == {
        "VNUM": "0",
        "NAME": "Square",
        "AREA": "Town",
        "TERRAIN": values["ROOM"]["TERRAIN"],
        "COORDS": {"X": "0", "Y": "0", "Z": "0"},
        "EXITS": {"n": "0", "e": "0"},
    }


def test_before_the_login() -> None:
    """The server can be asked; a report that was asked for begins with the login."""
    client = Client()
    assert set(client.ask("SEND", "SERVER_ID", "SERVER_TIME", "LEVEL")) == {"SERVER_ID", "SERVER_TIME"}
    assert client.ask("REPORT", "LEVEL") == {}
    client.wait(3)
    assert client.heard(b"guest\r\n") == {"LEVEL": "1"}


def test_nothing_is_told_unasked() -> None:
    client = Client()
    assert b"\xff\xfa\x45" not in client.guest() + client.send(b"north\r\n")


def test_reports_follow_changes() -> None:
    client = Client()
    client.guest()
    assert client.ask("REPORT", "MONEY", "ROOM", "NO_SUCH_THING").keys() == {"MONEY", "ROOM"}
    client.scene.clock.advance(1)
    moved = client.heard(b"north\r\n")
    assert moved.keys() == {"ROOM"}
    assert moved["ROOM"]["NAME"] == "Yard"
    client.me.gold = 7
    assert client.heard(b"look\r\n") == {"MONEY": "7"}
    assert client.heard(b"look\r\n") == {}
    assert client.ask("UNREPORT", "MONEY") == {}
    client.me.gold = 8
    assert client.heard(b"look\r\n") == {}
    client.ask("RESET", "REPORTED_VARIABLES")
    client.scene.clock.advance(1)
    assert client.heard(b"south\r\n") == {}


def test_reports_are_paced() -> None:
    """Four times a second at most; the last value is told within the next second."""
    client = Client()
    client.guest()
    client.ask("REPORT", "MONEY")
    told = []
    for gold in range(1, 9):
        client.me.gold = gold
        told.append(client.heard(b"look\r\n"))
    assert told == [{}] * 8
    client.wait(2)
    client.outlet.flush()
    assert bytes(client.transport.value()).count(msdp.encode("MONEY", 8)) == 1


def test_it_ends_when_it_is_refused() -> None:
    client = Client()
    client.guest()
    client.ask("REPORT", "MONEY")
    assert client.send(_DONT) == _WONT
    client.me.gold = 5
    client.scene.clock.advance(1)
    assert client.heard(b"look\r\n") == {}


def test_what_the_client_is() -> None:
    """CLIENT_NAME counts as if NEW-ENVIRON had said it."""
    client = Client()
    client.heard(msdp.encode("CLIENT_NAME", "Mudlet") + msdp.encode("CLIENT_VERSION", "4.19"))
    terminal = client.connection.screen.evidence.terminal()
    assert (terminal.client, terminal.version) == ("Mudlet", "4.19")


def test_over_gmcp() -> None:
    """As JSON, and answered in the same way; MSDP itself need not be offered."""
    peer = Peer()
    peer.send(negotiate(Verb.DO, Option.GMCP))
    peer.guest()
    assert peer.send(gmcp.encode("MSDP", {"LIST": "COMMANDS"})) == gmcp.encode(
        "MSDP", {"COMMANDS": ["LIST", "REPORT", "RESET", "SEND", "UNREPORT"]}
    )
    assert peer.send(gmcp.encode("MSDP", {"REPORT": ["LEVEL", "MONEY"]})) == gmcp.encode(
        "MSDP", {"LEVEL": 1}
    ) + gmcp.encode("MSDP", {"MONEY": 0})
    peer.send(negotiate(Verb.DONT, Option.GMCP))
    link = peer.connection.link
    assert link is not None
    link.session.me.gold = 5
    peer.scene.clock.advance(1)
    assert b"MSDP" not in peer.send(b"look\r\n")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x01SEND",
        b"\x01SEND\x02" + b"\x05" * 4000,
        b"\x01SEND\x02\x03\x01A\x02b\x04",
        b"\x01LIST\x02EVERYTHING",
        b"\x01DANCE\x02LEVEL",
        b"\x01REPORT\x02SERVER_TIME",
        b"\x01CLIENT_NAME\x02\x05\x02x\x06",
        b"\x00\xfe\x80",
    ],
)
def test_nonsense_is_passed_over(payload: bytes) -> None:
    client = Client()
    client.guest()
    assert client.send(subnegotiate(Option.MSDP, payload)) == b""
    assert b'You say, "hello"' in client.send(b"say hello\r\n")


def test_one_answer_however_often_it_is_asked() -> None:
    """Within one subnegotiation each variable is told once."""
    client = Client()
    client.guest()
    payload = b"\x01SEND" + b"\x02ROOM" * 700
    assert client.send(subnegotiate(Option.MSDP, payload)).count(b"\x01ROOM") == 1
    assert client.send(subnegotiate(Option.MSDP, b"\x01SEND\x02ROOM" * 300)).count(b"\x01ROOM") == 1


def test_a_mirror() -> None:
    """What we sent, sent back, asks for nothing."""
    client = Client()
    client.guest()
    told = client.send(msdp.encode("REPORT", ["LEVEL", "ROOM"]) + msdp.encode("LIST", "COMMANDS"))
    assert client.send(told) == b""
