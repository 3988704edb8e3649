"""Every option of the telnet door from both sides: offered, accepted, refused, and sent back by a mirror."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from twisted.internet.address import IPv4Address

from mythos.net.doorman import Doorman
from mythos.net.telnet import TelnetConnection
from mythos.wire.negotiation import Policy
from mythos.wire.subnegotiation import LINEMODE_EDIT, NEW_ENVIRON_SEND, TTYPE_SEND, charset_request, mssp
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


_STATUS, _START_TLS, _MCCP1, _MSP, _ZMP, _AARDWOLF, _ATCP = 5, 46, 85, 90, 93, 102, 200
_NO = {_WILL: _DONT, _DO: _WONT}
#: Option: what is answered to WILL and to DO before the login; to WONT and DONT it is nothing.
_TABLE: list[tuple[int, bytes, bytes]] = [
    (Option.BINARY, negotiate(_DO, Option.BINARY), negotiate(_WILL, Option.BINARY)),
    (Option.ECHO, negotiate(_DONT, Option.ECHO), negotiate(_WONT, Option.ECHO)),
    (Option.SGA, negotiate(_DO, Option.SGA), negotiate(_WONT, Option.SGA)),
    (Option.TIMING_MARK, b"", negotiate(_WILL, Option.TIMING_MARK)),
    (Option.TTYPE, TTYPE_SEND, negotiate(_WONT, Option.TTYPE)),
    (Option.EOR, negotiate(_DONT, Option.EOR), b""),
    (Option.NAWS, b"", negotiate(_WONT, Option.NAWS)),
    (Option.LINEMODE, negotiate(_DO, Option.LINEMODE) + LINEMODE_EDIT, negotiate(_WONT, Option.LINEMODE)),
    (Option.NEW_ENVIRON, NEW_ENVIRON_SEND, negotiate(_WONT, Option.NEW_ENVIRON)),
    (Option.CHARSET, negotiate(_DO, Option.CHARSET), charset_request()),
    (Option.MSDP, negotiate(_DONT, Option.MSDP), b""),
    (Option.MSSP, negotiate(_DONT, Option.MSSP), mssp({})),
    (Option.GMCP, negotiate(_DONT, Option.GMCP), b""),
    *(
        (option, negotiate(_DONT, option), negotiate(_WONT, option))
        for option in (
            *(Option.MCCP2, Option.MCCP3, Option.MXP),
            *(_STATUS, _START_TLS, _MCCP1, _MSP, _ZMP, _AARDWOLF, _ATCP, 254, 255),
        )
    ),
]


def test_the_table_is_whole() -> None:
    assert {option for option, _, _ in _TABLE} >= set(Option)


@pytest.mark.parametrize(("option", "to_will", "to_do"), _TABLE)
def test_every_option_from_both_sides(option: int, to_will: bytes, to_do: bytes) -> None:
    """What is on is answered once, however often it is said; turned off it is answered once more."""
    for on, off, answer in ((_WILL, _WONT, to_will), (_DO, _DONT, to_do)):
        assert Door().send(negotiate(off, option) * 3) == b""
        door = Door()
        assert door.send(negotiate(on, option)) == answer
        again = door.send(negotiate(on, option) * 5)
        if option == Option.TIMING_MARK:
            assert again == answer * 5
            continue
        agreed = door.connection._options.him(option) if on is _WILL else door.connection._options.us(option)
        refused = b"" if agreed or option not in set(Option) else answer * 5
        assert again == refused
        assert door.send(negotiate(off, option) * 3) == (negotiate(_NO[on], option) if agreed else b"")


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


def test_one_that_agrees_to_everything() -> None:
    """Whatever we offer or refuse, it does likewise, each time it reads it: one reply for a change, and soon none."""
    door = Door()
    agreement = {_WILL: _DO, _DO: _WILL, _WONT: _DONT, _DONT: _WONT}
    heard = door.opening
    for _ in range(10):
        said = [event for event in Parser().receive(heard) if isinstance(event, Negotiation)]
        heard = door.send(b"".join([negotiate(agreement[event.verb], event.option) for event in said]))
        assert not [event for event in Parser().receive(heard) if isinstance(event, Negotiation)]


def test_linemode_and_sga() -> None:
    """A terminal that edits its lines may have SGA beside it, and loses it with it."""
    door = Door()
    sga, linemode = Option.SGA, Option.LINEMODE
    assert door.send(negotiate(_DO, sga)) == negotiate(_WONT, sga)
    assert door.send(negotiate(_WILL, linemode)) == negotiate(_DO, linemode) + LINEMODE_EDIT
    assert door.send(subnegotiate(linemode, b"\x01\x07") + subnegotiate(linemode, b"\x03\x01\x02\x03")) == b""
    assert door.send(subnegotiate(linemode, b"\xfb\x02")) == subnegotiate(linemode, b"\xfe\x02")
    assert door.send(negotiate(_DO, sga)) == negotiate(_WILL, sga)
    assert door.send(negotiate(_WONT, linemode) + subnegotiate(linemode, b"")) == (
        negotiate(_DONT, linemode) + negotiate(_WONT, sga)
    )


@pytest.mark.parametrize(
    ("said", "mark"),
    [
        (negotiate(_DO, Option.EOR), b"\xff\xef"),
        (negotiate(_DONT, Option.EOR), b"\xff\xf9"),
        (negotiate(_WONT, Option.TTYPE), b"\xff\xf9"),
        (negotiate(_DO, Option.EOR) + negotiate(_WILL, Option.LINEMODE) + negotiate(_DO, Option.SGA), b"\xff\xef"),
        (negotiate(_DONT, Option.EOR) + negotiate(_WILL, Option.LINEMODE) + negotiate(_DO, Option.SGA), b""),
        (b"", b""),
    ],
    ids=["eor", "ga", "silent about it", "eor and sga", "sga", "no telnet"],
)
def test_one_mark_behind_each_prompt(said: bytes, mark: bytes) -> None:
    """EOR or GA, never both, from the name prompt on; nothing behind any other line."""
    door = Door()
    door.send(said)
    door.wait(3)
    for typed, prompt in ((b"\r\n", b"What is your name? "), (b"guest\r\n", b"> "), (b"look\r\n", b"> ")):
        shown = door.send(typed)
        assert shown.endswith(prompt + mark)
        assert shown.count(b"\xff") == len(mark) // 2


@pytest.mark.parametrize(
    ("chosen", "mark"), [(b"ga", b"\xff\xf9"), (b"eor", b"\xff\xef"), (b"none", b""), (b"auto", b"\xff\xf9")]
)
def test_a_mark_that_the_player_chose(chosen: bytes, mark: bytes) -> None:
    """From the next prompt on."""
    door = Door()
    door.send(negotiate(_DONT, Option.EOR))
    door.guest()
    assert door.send(b"settings mark " + chosen + b"\r\n").endswith(b"> " + mark)
    shown = door.send(b"look\r\n")
    assert shown.endswith(b"> " + mark)
    assert shown.count(b"\xff") == len(mark) // 2


@pytest.mark.parametrize(
    ("payload", "width", "height"),
    [
        (b"\x00\x50\x00\x18", 80, 24),
        (b"\x00\xff\x00\x18", 255, 24),
        (b"\x00\x50\xff\xff", 80, 300),
        (b"\x00\x00\x00\x00", 80, 24),
        (b"\x00\x05\x00\x01", 20, 5),
        (b"\xff\xff\x00\x18", 500, 24),
        (b"\x00\x50\x00", 80, 24),
        (b"\x00\x50\x00\x18\x00", 80, 24),
        (b"", 80, 24),
    ],
)
def test_the_size_of_a_window(payload: bytes, width: int, height: int) -> None:
    """255 doubled, 0 for unknown, too small, too large, and what is no size at all."""
    door = Door()
    door.send(negotiate(_WILL, Option.NAWS) + subnegotiate(Option.NAWS, payload))
    assert (door.connection.screen.style.width, door.connection.screen.height) == (width, height)


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
        ("192.0.2.99", b"::ffff:198.51.100.7", "198.51.100.7"),
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


def test_ipv4_at_a_listener_for_both() -> None:
    """It is counted, logged and shown as what it is."""
    assert Door(address="::ffff:192.0.2.7").connection.address == "192.0.2.7"


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
