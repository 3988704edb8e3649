"""GMCP over telnet: what is told to whom, and what a client may ask; from both sides."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.internet.interfaces import ISSLTransport
from zope.interface import directlyProvides

from mythos.wire import gmcp
from mythos.wire.telnet import Negotiation, Option, Parser, Subnegotiation, Verb, negotiate, subnegotiate
from tests.net.test_telnet import Peer
from tests.scenes.scene import result
from tests.world.town import ATLAS

_EVERYTHING = ["Char 1", "Char.Items 1", "Room 1", "Comm.Channel 1"]


class Client(Peer):
    """A MUD client that speaks GMCP."""

    def __init__(self, *modules: str, secure: bool = False) -> None:
        super().__init__()
        if secure:
            directlyProvides(self.transport, ISSLTransport)
        self.tell(negotiate(Verb.DO, Option.GMCP))
        if modules:
            self.told("Core.Supports.Set", list(modules))

    def tell(self, data: bytes) -> list[tuple[str, Any]]:
        """The messages of GMCP that come back."""
        found = [event for event in Parser(limit=1 << 20).receive(self.send(data)) if isinstance(event, Subnegotiation)]
        return [_message(event.payload) for event in found if event.option == Option.GMCP]

    def told(self, name: str, data: Any = None) -> list[tuple[str, Any]]:
        return self.tell(gmcp.encode(name) if data is None else gmcp.encode(name, data))

    def type(self, line: str) -> list[tuple[str, Any]]:
        return self.tell(line.encode() + b"\r\n")

    def come_in(self) -> list[tuple[str, Any]]:
        self.wait(3)
        return self.type("guest")


def _message(payload: bytes) -> tuple[str, Any]:
    name, _, data = payload.decode().partition(" ")
    return name, json.loads(data) if data else None


def _names(messages: list[tuple[str, Any]]) -> set[str]:
    return {name for name, _ in messages}


_STATE = {"Char.Name", "Char.Vitals", "Char.StatusVars", "Char.Status"}


@pytest.mark.parametrize(
    ("modules", "names"),
    [
        ((), set()),
        (("Char 1",), _STATE),
        (("Char.Items 1",), {"Char.Items.List"}),
        (("Room 1",), {"Room.Info", "Room.Players"}),
        (("Comm.Channel 1",), {"Comm.Channel.List"}),
        (("Elsewhere 1",), set()),
        (tuple(_EVERYTHING), {*_STATE, "Char.Items.List", "Room.Info", "Room.Players", "Comm.Channel.List"}),
    ],
)
def test_a_client_is_told_what_it_lists(modules: tuple[str, ...], names: set[str]) -> None:
    """At its login, and no more than that."""
    assert _names(Client(*modules).come_in()) == names


def test_all_of_it_again_when_it_lists_again() -> None:
    """Core.Supports.Set, and an Add of something new; an Add of what it had, and a Remove, bring nothing."""
    client = Client(*_EVERYTHING)
    first = _names(client.come_in())
    assert _names(client.told("Core.Supports.Set", _EVERYTHING)) == first
    assert client.told("Core.Supports.Add", ["Char 1"]) == []
    assert _names(client.told("Core.Supports.Add", ["Mythos 1"])) > first
    assert client.told("Core.Supports.Remove", ["Char", "Char.Items", "Room", "Comm.Channel", "Mythos"]) == []
    assert client.type("look") == []


def test_all_of_it_again_after_a_return() -> None:
    """A client that resumed its session has drawn nothing yet, though it missed nothing."""
    client = Client("Mythos 1", *_EVERYTHING)
    session = next(data for name, data in client.come_in() if name == "Mythos.Session")
    again = Client.__new__(Client)
    again.scene, again.outlet = client.scene, client.outlet
    again.connection = client.connection.factory.buildProtocol(None)
    again.transport = type(client.transport)()
    again.connection.makeConnection(again.transport)
    again.tell(negotiate(Verb.DO, Option.GMCP))
    again.told("Core.Supports.Set", ["Mythos 1", *_EVERYTHING])
    last = client.connection.link.cursor.sent  # type: ignore[union-attr]
    back = again.told("Mythos.Resume", {"token": session["token"], "e": session["e"], "s": last})
    assert next(data for name, data in back if name == "Mythos.Session")["resumed"]
    assert {*_STATE, "Room.Info", "Room.Players", "Char.Items.List"} <= _names(back)


def test_nothing_before_it_lists_anything() -> None:
    client = Client()
    assert client.come_in() == []
    assert client.told("Core.Hello", {"client": "Mudlet", "version": "4.19.1"}) == []


def test_nothing_more_once_it_is_refused() -> None:
    """IAC DONT GMCP ends it; a later DO begins anew, with nothing listed."""
    client = Client(*_EVERYTHING)
    client.come_in()
    client.tell(negotiate(Verb.DONT, Option.GMCP))
    assert client.type("look") == []
    client.tell(negotiate(Verb.DO, Option.GMCP))
    assert client.type("look") == []


def test_what_lies_there_is_told_before_the_prompt() -> None:
    client = Client(*_EVERYTHING)
    client.come_in()
    client.type("north")
    told = client.send(b"get flask\r\n")
    assert b'Char.Items.Add {"location":"inv"' in told
    assert b'Char.Items.Remove {"location":"room"' in told
    assert told.endswith(b"> \xff\xf9")


def test_a_way_that_is_not_there_stops_who_walks_by_a_map() -> None:
    """Each time; words that are no direction, and a closed door, are not told so."""
    client = Client("Room 1")
    client.come_in()
    assert client.type("west") == client.type("w") == [("Room.WrongDir", "w")]
    assert client.type("go fishing") == []
    client.type("north")
    assert client.type("north") == []


def test_what_changes_without_a_word_is_told_within_a_second() -> None:
    client = Client("Char.Items 1")
    client.come_in()
    client.scene.world.mint_item(ATLAS.items["flask"], client.me.room)
    client.scene.realm.end_turn([], "tick")
    assert client.tell(b"") == []
    client.wait(1)
    ((name, told),) = client.tell(b"")
    assert (name, told["item"]["name"]) == ("Char.Items.Add", "a flask")


def test_things_are_shown_when_they_are_on_disk() -> None:
    """A list never runs ahead of the words."""
    client = Client("Char.Items 1")
    client.come_in()
    client.type("north")
    commits = client.scene.realm.commits
    wake, commits.wake = commits.wake, lambda: None
    assert client.type("get flask") == []
    assert client.told("Char.Items.Inv") == []
    wake()
    told = client.tell(b"")
    assert ("Char.Items.Add", "inv") in [(name, data["location"]) for name, data in told]


def test_what_it_may_ask() -> None:
    client = Client(*_EVERYTHING)
    client.come_in()
    assert client.told("Core.Ping", 120) == [("Core.Ping", None)]
    assert client.told("Char.Items.Inv") == [("Char.Items.List", {"location": "inv", "items": []})]
    ((name, room),) = client.told("char.items.ROOM")
    assert (name, room["location"]) == ("Char.Items.List", "room")
    ((name, people),) = client.told("Comm.Channel.Players")
    assert name == "Comm.Channel.Players"
    assert {"name": "Ann", "channels": ["chat", "newbie"]} in people


def test_a_channel_switched_on() -> None:
    """Comm.Channel.Enable is the command ``channels on``."""
    client = Client(*_EVERYTHING)
    client.come_in()
    client.type("channels off newbie")
    channels, me = client.scene.realm.channels, client.connection.link.session.me  # type: ignore[union-attr]
    assert not channels.hears(me, "newbie")
    client.told("Comm.Channel.Enable", "Newbie")
    assert channels.hears(me, "newbie")


def test_an_acknowledgement_that_comes_too_early() -> None:
    """While the session is being attached nothing was sent yet; it is passed over, and the session goes on."""
    client = Client("Mythos 1")
    client.wait(3)
    commits = client.scene.realm.commits
    wake, commits.wake = commits.wake, lambda: None
    client.send(b"guest\r\n" + gmcp.encode("Mythos.Ack", 7))
    client.transport.clear()
    wake()
    assert b"Mythos.Session" in client.transport.value()
    assert "Mythos.Seq" in _names(client.type("look"))


def test_keep_alive() -> None:
    client = Client("Char 1")
    client.come_in()
    session = client.connection.link.session  # type: ignore[union-attr]
    client.wait(7)
    assert session.idle_since < client.scene.clock.seconds()
    assert client.told("Core.KeepAlive") == []
    assert session.idle_since == client.scene.clock.seconds()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("Core.Hello", []),
        ("Core.Supports.Set", {}),
        ("Core.Supports.Purge", ["Char 1"]),
        ("Char.Items.Contents", None),
        ("Char.Items.Contents", ["i1"]),
        ("Char.Items.Contents", {"id": "i1"}),
        ("Char.Items.Contents", 10**15),
        ("Comm.Channel.Enable", "quit"),
        ("Comm.Channel.Enable", "newbie\r\nquit"),
        ("Comm.Channel.Enable", 7),
        ("Char.Login.Credentials", {"account": "Ann", "password": "x"}),
        ("Char.Login.Reconnect", {"account": "Ann", "token": "x"}),
        ("Mythos.Resume", {"token": "x"}),
        ("Nobody.Knows", {"a": 1}),
    ],
)
def test_nonsense_is_passed_over(name: str, data: Any) -> None:
    """It has no answer, and the connection goes on."""
    client = Client(*_EVERYTHING)
    client.come_in()
    assert client.send(gmcp.encode(name) if data is None else gmcp.encode(name, data)) == b""
    assert b'You say, "hello"' in client.send(b"say hello\r\n")


def test_talk() -> None:
    """A channel's line and a tell, beside their words."""
    client = Client("Comm.Channel 1")
    client.come_in()
    scene = client.scene
    guest = client.connection.link.session.me.name  # type: ignore[union-attr]
    scene.type("Ann", "chat hello all", f"tell {guest} hello you")
    assert client.tell(b"") == [
        ("Comm.Channel.Text", {"channel": "chat", "talker": "Ann", "text": "[chat] Ann: hello all"}),
        (
            "Comm.Channel.Text",
            {"channel": "tell Ann", "talker": "Ann", "text": 'Ann tells you, "hello you"', "kind": "tell"},
        ),
    ]
    ((_, told),) = client.type("tell Ann hello back")
    assert told == {"channel": "tell Ann", "talker": "You", "text": 'You tell Ann, "hello back"', "kind": "tell"}
    assert client.type("say nothing of this") == []


def test_people_in_the_room() -> None:
    client = Client("Room 1")
    client.come_in()
    client.scene.type("Ann", "west")
    assert client.tell(b"") == [("Room.AddPlayer", {"name": "Ann", "fullname": "Ann"})]
    client.scene.type("Ann", "east")
    assert client.tell(b"") == [("Room.RemovePlayer", "Ann")]


@pytest.mark.parametrize(
    ("client", "fetches"), [("Mudlet", True), ("MUDLET 4.19", True), ("Blightmud", False), ("", False)]
)
def test_what_mudlet_may_fetch(client: str, fetches: bool) -> None:
    """It never lists these; nobody else is told."""
    peer = Client("Char 1")
    gui = {"version": "3", "url": "https://mud.example.org/gui.mpackage"}
    peer.connection.factory.downloads = {"Client.GUI": gui, "Client.Map": {"url": "https://mud.example.org/map.xml"}}
    peer.told("Core.Hello", {"client": client, "version": "1"})
    told = dict(peer.come_in())
    assert (told.get("Client.GUI") == gui) is fetches
    assert ("Client.Map" in told) is fetches


# ── Char.Login ──────────────────────────────────────────────────────────────────────────────────


def _with_account(*modules: str, secure: bool = False) -> Client:
    client = Client(*modules, secure=secure)
    result(client.scene.accounts.register_new("Morwenna", "a good long one"))
    return client


@pytest.mark.parametrize(
    ("module", "offer"),
    [
        ("Char.Login 1", {"type": ["password-credentials"]}),
        ("Char.Login 2", {"type": ["password-credentials"], "version": 2}),
        ("Char.Login 9", {"type": ["password-credentials"], "version": 2}),
    ],
)
def test_a_way_in_for_programs(module: str, offer: Any) -> None:
    """Offered once to who lists it, before its login only."""
    client = Client()
    assert client.told("Core.Supports.Set", [module]) == [("Char.Login.Default", offer)]
    assert client.told("Core.Supports.Set", [module]) == []
    client.come_in()
    client.told("Core.Supports.Set", ["Char 1"])
    assert "Char.Login.Default" not in _names(client.told("Core.Supports.Set", [module]))


@pytest.mark.parametrize("account", ["Morwenna", "morwenna", "Morwenna:anything"])
def test_credentials(account: str) -> None:
    client = _with_account("Char.Login 1", "Char 1")
    told = client.told("Char.Login.Credentials", {"account": account, "password": "a good long one"})
    assert told[0] == ("Char.Login.Result", {"success": True})
    assert ("Char.Name", {"name": "Morwenna", "fullname": "Morwenna"}) in told
    assert "Char.Login.Token" not in _names(told)


def test_credentials_in_the_middle_of_a_typed_login() -> None:
    """The client is told to show again what is typed."""
    client = _with_account("Char.Login 1")
    client.wait(3)
    assert client.send(b"Morwenna\r\n").endswith(b"\xff\xfb\x01Password: \xff\xf9")
    shown = client.send(gmcp.encode("Char.Login.Credentials", {"account": "Morwenna", "password": "a good long one"}))
    assert b"\xff\xfc\x01" in shown
    assert b"Square" in shown


def test_wrong_credentials_count_as_tries() -> None:
    client = _with_account("Char.Login 1")
    wrong = {"account": "Morwenna", "password": "wrong"}
    for _ in range(4):
        ((name, told),) = client.told("Char.Login.Credentials", wrong)
        assert (name, told["success"]) == ("Char.Login.Result", False)
        assert told["message"]
    assert not client.transport.disconnecting
    client.told("Char.Login.Credentials", wrong)
    assert client.transport.disconnecting


@pytest.mark.parametrize(
    "data", [{}, {"account": "Morwenna"}, {"password": "x"}, {"account": 1, "password": []}, [], "x"]
)
def test_credentials_without_a_name_leave_it_to_the_player(data: Any) -> None:
    client = _with_account("Char.Login 1")
    assert client.told("Char.Login.Credentials", data) == []
    assert b"Square" in client.guest()


def test_a_token_to_come_back_with() -> None:
    """Over TLS, to who knows of version 2; it opens the same session once more, for a new token."""
    client = _with_account("Char.Login 2", secure=True)
    told = dict(client.told("Char.Login.Credentials", {"account": "Morwenna", "password": "a good long one"}))
    token = told["Char.Login.Token"]
    assert token["account"] == "Morwenna"
    again = Client.__new__(Client)
    again.scene, again.outlet = client.scene, client.outlet
    again.connection = client.connection.factory.buildProtocol(None)
    again.transport = type(client.transport)()
    directlyProvides(again.transport, ISSLTransport)
    again.connection.makeConnection(again.transport)
    again.tell(negotiate(Verb.DO, Option.GMCP))
    again.told("Core.Supports.Set", ["Char.Login 2"])
    told = dict(again.told("Char.Login.Reconnect", {**token, "version": 2}))
    assert told["Char.Login.Result"] == {"success": True}
    assert told["Char.Login.Token"]["token"] != token["token"]
    assert b'You say, "it is me"' in again.send(b"say it is me\r\n")


def test_a_bad_token() -> None:
    client = _with_account("Char.Login 2", secure=True)
    ((name, told),) = client.told("Char.Login.Reconnect", {"account": "Morwenna", "token": "forged.token"})
    assert (name, told["success"]) == ("Char.Login.Result", False)
    assert b"Square" in client.guest()


def test_a_token_never_goes_over_a_line_others_may_read() -> None:
    client = _with_account("Char.Login 2")
    told = client.told("Char.Login.Credentials", {"account": "Morwenna", "password": "a good long one"})
    assert "Char.Login.Token" not in _names(told)


def test_a_mirror_gets_one_reply_for_each_change() -> None:
    """A peer that sends back whatever it is sent cannot start a storm."""
    client = Client()
    sent = bytes(client.transport.value())
    for _ in range(10):
        sent = client.send(sent)
        answers = [event for event in Parser().receive(sent) if isinstance(event, Negotiation | Subnegotiation)]
        if not answers:
            break
    else:
        raise AssertionError(f"it never ends: {sent!r}")


def test_too_much_at_once_is_dropped() -> None:
    """A payload over 16 KiB is thrown away, and the third closes."""
    client = Client("Char 1")
    huge = subnegotiate(Option.GMCP, b"X " + b"1" * 16_384)
    client.come_in()
    assert client.send(huge + huge) == b""
    assert not client.transport.disconnecting
    client.send(huge)
    assert client.transport.disconnecting
