"""Every option of the telnet door from both sides: offered, accepted, refused, and sent back by a mirror."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from twisted.internet.address import IPv4Address

from mythos.net.doorman import Doorman
from mythos.net.telnet import TelnetConnection
from mythos.wire.negotiation import Policy
from mythos.wire.subnegotiation import NEW_ENVIRON_SEND, TTYPE_SEND, charset_request, mssp
from mythos.wire.telnet import Negotiation, Option, Parser, Verb, negotiate, subnegotiate
from tests.net.test_telnet import Peer

_DO, _DONT, _WILL, _WONT = Verb.DO, Verb.DONT, Verb.WILL, Verb.WONT


class Door(Peer):
    """A door where all is offered that can be."""

    def __init__(self, address: str = "192.0.2.99", trusted: str = "", doorman: Doorman | None = None) -> None:
        super().__init__()
        factory = self.connection.factory
        factory.policy = Policy.standard(msdp=True)
        factory.trusts = lambda host: host == trusted
        if doorman is not None:
            factory.doorman = doorman
        connection: TelnetConnection = factory.buildProtocol(None)
        self.connection = connection
        self.transport = type(self.transport)(peerAddress=IPv4Address("TCP", address, 12345))
        self.connection.makeConnection(self.transport)
        self.opening = bytes(self.transport.value())


def test_what_is_offered() -> None:
    """In one write, before any text, in an order that no client takes for another server's."""
    offers = [event for event in Parser().receive(Door().opening) if isinstance(event, Negotiation)]
    assert offers == [
        Negotiation(_DO, Option.TTYPE),
        Negotiation(_DO, Option.NAWS),
        Negotiation(_DO, Option.NEW_ENVIRON),
        Negotiation(_WILL, Option.CHARSET),
        Negotiation(_WILL, Option.EOR),
        Negotiation(_WILL, Option.GMCP),
        Negotiation(_WILL, Option.MSSP),
        Negotiation(_WILL, Option.MSDP),
    ]
    assert Door().opening == b"".join([negotiate(one.verb, one.option) for one in offers])


@pytest.mark.parametrize(
    ("verb", "option", "answer"),
    [
        (_WILL, Option.TTYPE, TTYPE_SEND),
        (_WILL, Option.NAWS, b""),
        (_WILL, Option.NEW_ENVIRON, NEW_ENVIRON_SEND),
        (_DO, Option.CHARSET, charset_request()),
        (_DO, Option.EOR, b""),
        (_DO, Option.GMCP, b""),
        (_DO, Option.MSSP, mssp({})),
        (_DO, Option.MSDP, b""),
    ],
)
def test_accepted(verb: Verb, option: Option, answer: bytes) -> None:
    """What follows our offer comes once, however often the client accepts it."""
    door = Door()
    assert door.send(negotiate(verb, option)) == answer
    assert door.send(negotiate(verb, option) * 5) == b""


@pytest.mark.parametrize(
    ("verb", "option"),
    [
        *((_WONT, option) for option in (Option.TTYPE, Option.NAWS, Option.NEW_ENVIRON)),
        *((_DONT, option) for option in (Option.CHARSET, Option.EOR, Option.GMCP, Option.MSSP, Option.MSDP)),
    ],
)
def test_refused(verb: Verb, option: Option) -> None:
    """No answer, no second offer, and its subnegotiations are dropped."""
    door = Door()
    assert door.send(negotiate(verb, option) * 3) == b""
    for payload in (b"", b"\x00", b"\x01", b"\x02UTF-8", b"\x01SEND\x02LEVEL", b"Core.Ping"):
        assert door.send(subnegotiate(option, payload)) == b""


@pytest.mark.parametrize("option", [Option.TTYPE, Option.NAWS, Option.NEW_ENVIRON])
def test_the_wrong_way_round(option: Option) -> None:
    """What clients do, we do not."""
    assert Door().send(negotiate(_DO, option)) == negotiate(_WONT, option)


@pytest.mark.parametrize(
    "option", [Option.EOR, Option.GMCP, Option.MSSP, Option.MSDP, Option.ECHO, Option.MXP, 90, 102]
)
def test_what_only_a_server_does(option: int) -> None:
    assert Door().send(negotiate(_WILL, option)) == negotiate(_DONT, option)


def _all() -> Iterator[tuple[Verb, int]]:
    return ((verb, option) for option in Option for verb in Verb)


@pytest.mark.parametrize(("verb", "option"), list(_all()), ids=lambda one: one.name)
def test_a_mirror_is_not_answered_for_ever(verb: Verb, option: Option) -> None:
    """A client that sends back every negotiation it reads: at most one reply for each, and soon none."""
    door = Door()
    sent = negotiate(verb, option)
    for _ in range(6):
        replies = [event for event in Parser().receive(door.send(sent)) if isinstance(event, Negotiation)]
        assert len(replies) <= 2  # its answer, and compression once the client has said all of itself
        if not replies:
            return
        sent = b"".join([negotiate(reply.verb, reply.option) for reply in replies])
    raise AssertionError(f"it never ends: {sent!r}")


# ── what can be clicked ─────────────────────────────────────────────────────────────────────────

_LOCKED = b"\xff\xfa\x5b\xff\xf0\x1b[7z"


def _clickable() -> Door:
    door = Door()
    door.connection.factory.policy = Policy.standard(mxp=True)
    connection: TelnetConnection = door.connection.factory.buildProtocol(None)
    door.connection = connection
    door.transport.clear()
    door.connection.makeConnection(door.transport)
    return door


def test_mxp_is_offered_if_the_operator_says_so() -> None:
    offer = negotiate(_WILL, Option.MXP)
    assert offer in bytes(_clickable().transport.value())
    assert offer not in Door().opening
    assert Door().send(negotiate(_DO, Option.MXP)) == negotiate(_WONT, Option.MXP)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (negotiate(_DO, Option.MXP), _LOCKED),
        (negotiate(_WILL, Option.MXP), negotiate(_DO, Option.MXP) + _LOCKED),
        (negotiate(_DO, Option.MXP) + negotiate(_WILL, Option.MXP), _LOCKED + negotiate(_DO, Option.MXP)),
        (negotiate(_DONT, Option.MXP), b""),
    ],
)
def test_mxp_is_locked_before_anything_else(said: bytes, answer: bytes) -> None:
    """Once, whichever side begins."""
    door = _clickable()
    assert door.send(said) == answer


def test_mxp_links() -> None:
    """Exits and things; what players say stays as it is, for the client is locked."""
    door = _clickable()
    door.send(negotiate(_DO, Option.MXP))
    shown = door.guest()
    assert b'\x1b[4z<SEND HREF="north">' in shown
    assert b'\x1b[4z<SEND HREF="look marta">' in shown
    assert shown.count(b"<SEND ") == shown.count(b"\x1b[4z</SEND>")
    said = door.send(b'say <SEND HREF="quit">free gold</SEND> \x1b[4z<B>\r\n')
    assert b"\x1b[4z" not in said
    assert b"\x1b[1z" not in said


def test_mxp_is_never_spoken_to_who_did_not_agree() -> None:
    """Its first escape would turn it on in some clients."""
    for door in (Door(), _clickable()):
        assert b"z" not in _escapes(door.guest() + door.send(b"look\r\n"))
    refused = _clickable()
    refused.send(negotiate(_DONT, Option.MXP))
    assert b"z" not in _escapes(refused.guest())


def _escapes(shown: bytes) -> set[bytes]:
    """The last letters of all escape sequences."""
    return set(re.findall(rb"\x1b\[[0-9;]*([a-zA-Z])", shown))


@pytest.mark.parametrize(
    ("variable", "links"),
    [
        (b"OSC_HYPERLINKS_SEND\x011", True),
        (b"OSC_HYPERLINKS_SEND\x010", False),
        (b"OSC_HYPERLINKS_SEND\x01true", False),
        (b"OSC_HYPERLINKS_SEND", False),
        (b"OSC_HYPERLINKS\x011", False),
        (b"OSC_HYPERLINKS_SEND\x011\x00SCREEN_READER\x011", False),
    ],
)
def test_osc_links(variable: bytes, links: bool) -> None:
    """Only for who says exactly that it runs them; a screen reader has none."""
    door = Door()
    door.send(negotiate(_WILL, Option.NEW_ENVIRON))
    door.send(_environ(b"\x00\x03" + variable))
    shown = door.guest()
    assert (b"\x1b]8;;send:look%20marta\x1b\\" in shown) is links
    assert (b"\x1b]8;;\x1b\\" in shown) is links
    assert (b"\x1b]8" in shown) is links
    assert b"\x1b]" not in door.send(b"say \x1b]8;;send:quit\x1b\\gold\x1b]8;;\x1b\\\r\n")


# ── NEW-ENVIRON ─────────────────────────────────────────────────────────────────────────────────


def _environ(payload: bytes) -> bytes:
    return subnegotiate(Option.NEW_ENVIRON, payload)


def test_variables_of_two_clients() -> None:
    """Mudlet says all in one, as USERVAR; TinTin++ one at a time, as VAR."""
    door = Door()
    door.send(negotiate(_WILL, Option.NEW_ENVIRON))
    door.send(_environ(b"\x00\x03CLIENT_NAME\x01Mudlet\x03CLIENT_VERSION\x014.19\x03WORD_WRAP\x0130\x03UTF-8\x011"))
    terminal = door.connection.screen.evidence.terminal()
    assert (terminal.client, terminal.version, terminal.width) == ("Mudlet", "4.19", 30)
    assert door.connection.screen.style.width == 30
    door = Door()
    door.send(negotiate(_WILL, Option.NEW_ENVIRON))
    for variable in (b"CLIENT_NAME\x01TINTIN++", b"CLIENT_VERSION\x012.02", b"MTTS\x01271", b"CHARSET\x01UTF-8"):
        door.send(_environ(b"\x00\x00" + variable))
    terminal = door.connection.screen.evidence.terminal()
    assert (terminal.client, terminal.version, terminal.colours.name) == ("TINTIN++", "2.02", "TRUE")


def test_a_change_comes_later() -> None:
    """INFO, also in the game."""
    door = Door()
    door.send(negotiate(_WILL, Option.NEW_ENVIRON))
    door.guest()
    door.send(_environ(b"\x02\x00SCREEN_READER\x011"))
    assert door.connection.screen.style.screen_reader


def _says(address: bytes) -> bytes:
    return _environ(b"\x00\x00IPADDRESS\x01" + address)


@pytest.mark.parametrize(
    ("trusted", "said", "address"),
    [
        ("192.0.2.99", b"198.51.100.7", "198.51.100.7"),
        ("192.0.2.99", b"2001:db8::7", "2001:db8::7"),
        ("192.0.2.1", b"198.51.100.7", "192.0.2.99"),
        ("", b"198.51.100.7", "192.0.2.99"),
        ("192.0.2.99", b"somewhere", "192.0.2.99"),
        ("192.0.2.99", b"", "192.0.2.99"),
    ],
)
def test_for_whom_a_proxy_speaks(trusted: str, said: bytes, address: str) -> None:
    """Believed of a trusted proxy alone."""
    door = Door(trusted=trusted)
    door.send(negotiate(_WILL, Option.NEW_ENVIRON) + _says(said))
    assert door.connection.address == address


def test_a_proxy_says_it_once() -> None:
    """Not again, and not in the middle of the game."""
    door = Door(trusted="192.0.2.99")
    door.send(negotiate(_WILL, Option.NEW_ENVIRON) + _says(b"198.51.100.7") + _says(b"198.51.100.8"))
    assert door.connection.address == "198.51.100.7"
    late = Door(trusted="192.0.2.99")
    late.send(negotiate(_WILL, Option.NEW_ENVIRON))
    late.guest()
    late.send(_says(b"198.51.100.7"))
    assert late.connection.address == "192.0.2.99"


def test_those_a_proxy_speaks_for_are_counted() -> None:
    """Each under its own address, and as many of them as of others."""
    doorman = Doorman(10, 1, 10)
    doors = []
    for number in range(2):
        door = Door(address=f"192.0.2.{number}", trusted=f"192.0.2.{number}", doorman=doorman)
        shown = door.send(negotiate(_WILL, Option.NEW_ENVIRON) + _says(b"198.51.100.7"))
        doors.append((door, shown))
    assert not doors[0][0].transport.disconnecting
    assert b"Too many connections from your address" in doors[1][1]
    assert doors[1][0].transport.disconnecting
    for door, _ in doors:
        door.connection.connectionLost()
    assert doorman.count == 0
    assert doorman.admit("198.51.100.7", 0.0) == ""
    assert doorman.admit("192.0.2.1", 0.0) == ""
