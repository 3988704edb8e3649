"""The telnet door against a peer that is slow, curious or hostile."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from mythos.net.doorman import Doorman
from mythos.net.outlet import Outlet
from mythos.net.poll import Poll
from mythos.net.telnet import TelnetConnection, TelnetFactory
from mythos.play.ports import StoreDown
from mythos.wire.telnet import Code
from mythos.world.state import Character
from tests.scenes.people import in_town
from tests.scenes.scene import PlainHasher, Scene
from tests.world.town import DEN

_IAC, _SB, _SE, _WILL, _WONT, _DO, _AYT, _GA = (bytes([n]) for n in (255, 250, 240, 251, 252, 253, 246, 249))
_NAWS, _ECHO, _GMCP, _TM, _TTYPE = (bytes([n]) for n in (31, 1, 201, 6, 24))
#: A client that says that it reads aloud.
_ALOUD = (
    _IAC
    + _WILL
    + _TTYPE
    + b"".join(_IAC + _SB + _TTYPE + b"\0" + name + _IAC + _SE for name in (b"TINTIN++", b"XTERM", b"MTTS 335"))
)


class Peer:
    """The other end of one connection, without a socket."""

    def __init__(self) -> None:
        self.scene: Scene = in_town()
        self.outlet = Outlet(Poll(self.scene.clock))
        factory = TelnetFactory(
            realm=self.scene.realm,
            accounts=self.scene.accounts,
            outlet=self.outlet,
            clock=self.scene.clock,
            doorman=Doorman(10, 10, 10),
            greeting=["Welcome."],
            web_address="http://example.org/",
            status=dict,
        )
        self.factory = factory
        self.connect()

    def connect(self) -> None:
        found: Any = self.factory.buildProtocol(None)
        self.connection: TelnetConnection = found
        self.transport = StringTransport()
        self.connection.makeConnection(self.transport)

    def send(self, data: bytes) -> bytes:
        """What comes back, once nothing waits."""
        self.transport.clear()
        self.connection.dataReceived(data)
        self.scene.run()
        self.outlet.flush()
        return bytes(self.transport.value())

    def guest(self) -> bytes:
        self.wait(3)
        return self.send(b"guest\r\n")

    def tick(self) -> bytes:
        """What is heard of a second of the world."""
        self.transport.clear()
        self.scene.tick()
        self.outlet.flush()
        return bytes(self.transport.value())

    def hears_bob(self) -> bytes:
        """What comes when Bob, who has come to the same room, says hi."""
        self.scene.world.place_body(self.scene.me("Bob"), self.me.room)
        self.transport.clear()
        self.scene.type("Bob", "say hi")
        self.outlet.flush()
        return bytes(self.transport.value())

    @property
    def me(self) -> Character:
        """The guest who came in last."""
        return list(self.scene.realm.sessions())[-1].me

    @property
    def settings(self) -> dict[str, str] | None:
        return self.me.settings

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.scene.clock.advance(1)
            self.outlet.sweep(self.scene.clock.seconds())


def test_a_guest_comes_in() -> None:
    shown = Peer().guest()
    assert b"Square\r\n" in shown
    assert shown.endswith(b"> ")


def test_a_password_is_not_shown() -> None:
    """IAC WILL ECHO before it is typed, IAC WONT ECHO after; once for both times: some clients count the changes."""
    peer = Peer()
    peer.guest()
    assert peer.send(b"register Morwenna\r\n").endswith(_IAC + _WILL + _ECHO + b"A password for Morwenna? ")
    again = peer.send(b"a good long one\r\n")
    assert again.startswith(b"\r\n")
    assert _IAC not in again
    assert b"a good long one" not in again
    named = peer.send(b"a good long one\r\n")
    assert named.count(_IAC) == 1
    assert named.startswith(b"\r\n" + _IAC + _WONT + _ECHO)
    assert b"You are Morwenna from now on." in named


def test_a_password_at_the_name_prompt_is_not_shown() -> None:
    """Once for the whole conversation, whatever goes wrong in it; and not when it is over."""
    peer = Peer()
    peer.wait(3)
    shown = peer.send(b"Morwenna\r\n")
    assert shown.endswith(_IAC + _WILL + _ECHO + b"New password: ")
    for typed, asked in (
        (b"short", b"New"),
        (b"long enough", b"Once"),
        (b"something else", b"New"),
        (b"as it is", b"Once"),
    ):
        shown = peer.send(typed + b"\r\n")
        assert asked in shown
        assert typed not in shown
        assert _IAC not in shown
    shown = peer.send(b"as it is\r\n")
    assert shown.startswith(b"\r\n" + _IAC + _WONT + _ECHO)
    assert shown.count(_IAC) == 1
    assert b"Square" in shown


def test_lines_typed_ahead_are_no_new_password() -> None:
    """Behind a name that nobody has, in the same piece: they neither choose its password nor are they done."""
    peer = Peer()
    peer.wait(3)
    heard = peer.send(b"Morwenna\r\nsay well met\r\nsay well met\r\n")
    assert b"What you typed before this question is no answer to it, and was not done." in heard
    assert heard.endswith(b"New password: ")
    assert b"You are Morwenna" not in heard
    assert b"Square" in peer.send(b"a good long one\r\n" * 2)
    assert peer.me.name == "Morwenna"


def test_a_wrong_password_is_not_shown_either() -> None:
    """The name is asked for in the open again; after the fifth it is said what else there is."""
    peer = Peer()
    peer.wait(3)
    peer.send(b"Morwenna\r\n")
    peer.send(b"a good long one\r\n" * 2)
    peer.connect()
    peer.wait(3)
    for _ in range(4):
        assert peer.send(b"Morwenna\r\n").endswith(_IAC + _WILL + _ECHO + b"Password: ")
        assert peer.send(b"a wrong one\r\n").endswith(_IAC + _WONT + _ECHO + b"What is your name? ")
    last = peer.send(b"Morwenna\r\n" + b"a wrong one\r\n")
    assert b"That was the last try on this connection. Come back as guest" in last.replace(b"\r\n", b" ")
    assert peer.transport.disconnecting


def test_wrong_names_bring_advice() -> None:
    """They close nothing."""
    peer = Peer()
    peer.wait(3)
    shown = b"".join([peer.send(name + b"\r\n") for name in (b"x", b"Ann 2", b"the", b"12345", b"me")])
    assert shown.count(b"To look around without a name, type guest. To leave, type quit.") == 1
    assert b"Square" in peer.send(b"guest\r\n")


def test_a_name_while_the_store_does_not_answer() -> None:
    """It is to be tried again; what the database says of itself is nobody's business."""
    peer = Peer()

    async def away(key: str) -> Any:
        raise StoreDown("no connection to db.internal")

    store = peer.scene.store
    known, store.by_key = store.by_key, away  # type: ignore[method-assign]
    said = peer.send(b"Morwenna\r\n")
    assert b"The world's ledger cannot be read just now. Try again in a moment.\r\n" in said
    assert said.endswith(b"What is your name? ")
    assert b"db.internal" not in said
    store.by_key = known  # type: ignore[method-assign]
    assert b"Nobody is called Morwenna yet." in peer.send(b"Morwenna\r\n")


def test_the_window_wraps_the_words() -> None:
    peer = Peer()
    peer.guest()
    peer.send(_IAC + _WILL + _NAWS + _IAC + _SB + _NAWS + b"\0\x1e\0\x18" + _IAC + _SE)
    lines = peer.send(b"say " + b"word " * 20 + b"\r\n").split(b"\r\n")
    assert max(map(len, lines)) <= 30
    assert sum(line.count(b"word") for line in lines) == 20


def test_line_ends() -> None:
    """CR LF, CR NUL and LF end a line; a backspace takes a letter back."""
    peer = Peer()
    peer.guest()
    for end in (b"\r\n", b"\r\0", b"\n"):
        assert b'You say, "hi"' in peer.send(b"say hii\x08" + end)


def test_an_iac_in_the_text_is_doubled() -> None:
    """Two bytes 255 are one letter of the text: of a client of no known charset, the nearest plain one comes back."""
    peer = Peer()
    peer.guest()
    assert b'You say, "y"' in peer.send(b"say \xff\xff\r\n")


def test_a_line_too_long_is_cut() -> None:
    peer = Peer()
    peer.guest()
    shown = peer.send(b"say " + b"x" * 20_000 + b"\r\n")
    assert b"That line was too long: its end was cut off." in shown.replace(b"\r\n", b" ")


def test_are_you_there() -> None:
    """Answered, but not for ever: a flood of them is passed over."""
    peer = Peer()
    peer.guest()
    assert 1 <= peer.send((_IAC + _AYT) * 1000).count(b"[Yes]") <= 4
    peer.wait(5)
    assert b"[Yes]" in peer.send(_IAC + _AYT)


@pytest.mark.parametrize("code", Code)
def test_commands_without_an_option(code: Code) -> None:
    """AYT and AO are answered; of the others some take back what was typed, and none is."""
    peer = Peer()
    peer.guest()
    answers = {Code.AYT: b"\r\n[Yes]\r\n", Code.AO: b"\xff\xf2"}
    assert peer.send(_IAC + bytes((code,))) == answers.get(code, b"")


def test_an_interrupt() -> None:
    """Clients that send it throw all away that comes before the mark they ask for."""
    peer = Peer()
    peer.guest()
    assert peer.send(b"say half a li\xff\xf4\xff\xfd\x06") == _IAC + _WILL + _TM
    assert b'You say, "hi"' in peer.send(b"say hi\r\n")


def test_too_much_before_a_name() -> None:
    peer = Peer()
    peer.wait(3)
    for _ in range(17):
        heard = peer.send(b"x" * 1000)
    assert b"That was too much before you said who you are." in heard
    assert peer.transport.disconnecting


@pytest.mark.parametrize(("said", "seconds"), [(b"", 0.5), (_IAC + _WILL + _TTYPE, 1.0)])
def test_silence_is_not_waited_for(said: bytes, seconds: float) -> None:
    """Half a second; a client that is about to say what it is has a whole one."""
    peer = Peer()
    peer.send(said)
    peer.transport.clear()
    peer.scene.clock.advance(seconds - 0.01)
    assert peer.transport.value() == b""
    peer.scene.clock.advance(0.01)
    assert b"What is your name? " in peer.transport.value()


def test_a_flood_of_gmcp_is_passed_over() -> None:
    """Past a hundred at once nothing is heeded; words still are."""
    peer = Peer()
    peer.guest()
    peer.send(_IAC + _DO + _GMCP)
    ping = _IAC + _SB + _GMCP + b"Core.Ping" + _IAC + _SE
    assert 50 <= peer.send(ping * 1000).count(b"Core.Ping") <= 100
    assert b'You say, "still here"' in peer.send(b"say still here\r\n")


def test_an_open_subnegotiation_is_given_up() -> None:
    """Ten silent seconds: then what is typed is text again."""
    peer = Peer()
    peer.guest()
    assert peer.send(_IAC + _SB + _NAWS + b"say lost\r\n") == b""
    peer.wait(12)
    assert b'You say, "hello"' in peer.send(b"say hello\r\n")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"HEAD /play HTTP/1.0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\n\r\nguest\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\n\r\n",
        b"GET /" + b"x" * 2000 + b" HTTP/1.1\r\n\r\n",
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 20], ids=["in bytes", "in one"])
def test_http_at_the_wrong_door(head: bytes, size: int) -> None:
    """However it is cut; what comes behind the first line is not heeded."""
    peer = Peer()
    peer.transport.clear()
    for at in range(0, len(head), size):
        peer.connection.dataReceived(head[at : at + size])
    page = bytes(peer.transport.value())
    assert page.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert page.endswith(b"This is a telnet port. The web client is at http://example.org/\r\n")
    assert peer.transport.disconnecting


def test_tls_at_the_wrong_door() -> None:
    peer = Peer()
    peer.transport.clear()
    peer.connection.dataReceived(b"\x16\x03\x01\x02\x00\x01\x00")
    assert peer.transport.disconnecting
    assert peer.transport.value() == b""


def test_a_password_may_look_like_http() -> None:
    peer = Peer()
    peer.wait(3)
    peer.send(b"Morwenna\r\n")
    assert peer.send(b"GET /off my lawn\r\n").endswith(b"Once more: ")


def _pass(peer: Peer, seconds: int) -> bytes:
    """What is heard while that time passes at the name prompt."""
    peer.transport.clear()
    for _ in range(seconds):
        peer.scene.clock.advance(1)
        peer.factory.sweep(peer.scene.clock.seconds())
    return bytes(peer.transport.value())


def test_whoever_says_nothing_is_sent_away() -> None:
    peer = Peer()
    said = _pass(peer, 600)
    assert said.count(b"Still there? Type something within 20 seconds, or the line is closed.\r\nWhat is") == 1
    assert said.count(b"You took too long to say who you are.") == 1
    assert peer.transport.disconnected  # it did not take our last words either


def test_whoever_types_may_stay_longer() -> None:
    """A minute from each byte on, five in all; the last 20 seconds of both are announced."""
    peer = Peer()
    peer.wait(3)
    heard = b""
    for _ in range(5):
        heard += _pass(peer, 50)
        peer.send(b"x")
    assert heard.count(b"Still there?") == 5
    assert not peer.transport.disconnecting
    heard = _pass(peer, 50)
    assert heard.count(b"Still there?") == 1
    assert b"You took too long" in heard


def test_a_subnegotiation_left_open_at_the_name_prompt() -> None:
    peer = Peer()
    peer.send(_IAC + _SB + _NAWS + b"guest\r\n")
    _pass(peer, 12)
    assert b"Square" in peer.send(b"guest\r\n")


class SlowHasher(PlainHasher):
    """Says whether a password is right when ``done`` fires."""

    def __init__(self) -> None:
        self.done: Deferred[None] = Deferred()

    async def verify(self, hash: str | None, password: str) -> bool:
        await self.done
        return await super().verify(hash, password)


def test_lines_keep_their_order_while_the_disk_is_waited_for() -> None:
    """Typed while the password is checked, while the session is being attached, and when somebody is in."""
    peer = Peer()
    peer.wait(3)
    peer.send(b"Morwenna\r\n")
    peer.send(b"a good long one\r\n" * 2 + b"quit\r\n")
    peer.connect()
    peer.wait(3)
    hasher = peer.scene.accounts._hasher = SlowHasher()
    peer.send(b"Morwenna\r\na good long one\r\nsay one\r\n")
    commits = peer.scene.realm.commits
    wake, commits.wake = commits.wake, lambda: None
    commits.submit_entities([peer.scene.me("Ann")])
    hasher.done.callback(None)
    peer.send(b"say two\r\n")
    assert peer.transport.producerState == "paused"
    wake()
    assert peer.transport.producerState == "producing"
    shown = peer.send(b"say three\r\n")
    assert re.findall(rb'You say, "(\w+)"', shown) == [b"one", b"two", b"three"]


def test_a_paste_of_two_hundred_lines() -> None:
    """More than the pace allows: it is said once that they wait, and each is taken, in order."""
    peer = Peer()
    peer.guest()
    peer.transport.clear()
    peer.connection.dataReceived(b"".join(b"say line %d.\r\n" % number for number in range(200)))
    assert peer.transport.producerState == "paused"
    waited = bytes(peer.transport.value())
    shown = waited + peer.send(b"") + peer.send(b"")
    heard = re.findall(rb'You say, "line (\d+)\."', shown)
    assert heard == [b"%d" % number for number in range(200)]
    assert shown.count(b"That is a lot at once:") == 1
    assert peer.transport.producerState == "producing"


def test_a_paste_behind_a_name_and_a_password() -> None:
    """What comes before the password is checked waits too."""
    peer = Peer()
    peer.wait(3)
    peer.send(b"Morwenna\r\n")
    peer.send(b"a good long one\r\n" * 2 + b"quit\r\n")
    peer.connect()
    peer.wait(3)
    shown = peer.send(b"Morwenna\r\na good long one\r\n" + b"look\r\n" * 200)
    assert b"Square" in shown
    assert not peer.transport.disconnecting


@pytest.mark.parametrize("size", [4096, 4097])
def test_a_line_of_four_kilobytes(size: int) -> None:
    """It is taken whole; of a longer one the beginning, and that is told."""
    peer = Peer()
    peer.guest()
    peer.send(b"settings width 500\r\n")
    shown = peer.send(b"say ".ljust(size, b"x") + b"\r\n")
    assert shown.count(b"x") == 4092
    assert (b"its end was cut off" in shown) is (size > 4096)


def test_ten_megabytes_of_one_subnegotiation() -> None:
    """They are thrown away as they come; what is behind them is heeded. The third such closes the connection."""
    peer = Peer()
    peer.guest()
    peer.send(_IAC + _DO + _GMCP)
    block = b"x" * 65_536
    for count in (1, 2, 3):
        peer.send(_IAC + _SB + _GMCP + b"Core.Ping ")
        for _ in range(160):
            peer.connection.dataReceived(block)
            assert not peer.connection._parser._payload
        shown = peer.send(_IAC + _SE + b"say still here\r\n")
        assert (b'You say, "still here"' in shown) is (count < 3)
    assert peer.transport.disconnecting


def test_negotiation_without_end_closes_the_connection() -> None:
    """And is answered a hundred times at most."""
    peer = Peer()
    peer.guest()
    shown = peer.send((_IAC + _DO + _TM) * 1001)
    assert shown.count(_IAC + _WILL + _TM) <= 100
    assert peer.transport.disconnecting


def test_one_byte_at_a_time() -> None:
    """A whole visit, negotiation and all, brings the same whether it comes in one piece or byte by byte."""
    window = _IAC + _WILL + _NAWS + _IAC + _SB + _NAWS + b"\0\x28\0\x18" + _IAC + _SE
    visit = _ALOUD + window + b"guest\r\nlook\r\0say h\x08hi \xff\xff\nnor\xff\xf1th\r\n"
    heard = []
    for size in (len(visit), 1):
        peer = Peer()
        heard.append(b"".join([peer.send(visit[at : at + size]) for at in range(0, len(visit), size)]))
    assert heard[0] == heard[1]
    assert b'You say, "hi ' in heard[0]


@given(st.lists(st.binary(max_size=200), max_size=12))
def test_any_bytes(chunks: list[bytes]) -> None:
    """Whatever comes, in whatever pieces: the connection answers or closes, and breaks nothing."""
    peer = Peer()
    peer.guest()
    for chunk in chunks:
        peer.send(chunk)
    assert peer.scene.realm.commits.held == 0


def test_a_timing_mark_comes_behind_the_commands_before_it() -> None:
    """RFC 860: who gets it knows that everything it typed before has been dealt with, and has read the answer."""
    peer = Peer()
    peer.guest()
    shown = peer.send(b"say one\r\n" + _IAC + _DO + _TM + b"say two\r\n" + _IAC + _DO + _TM)
    one, two, mark = b'You say, "one"', b'You say, "two"', _IAC + _WILL + _TM
    assert shown.index(one) < shown.index(mark)
    assert shown.index(two) < shown.rindex(mark)
    assert shown.count(mark) == 2
    assert peer.send(_IAC + _DO + _TM) == mark


def test_a_timing_mark_waits_for_the_disk() -> None:
    """An answer that is held back holds back the mark behind it."""
    peer = Peer()
    peer.guest()
    commits = peer.scene.realm.commits
    wake, commits.wake = commits.wake, lambda: None
    commits.submit_entities([peer.scene.me("Ann")])
    assert peer.send(b"say one\r\n" + _IAC + _DO + _TM) == b""
    wake()
    shown = peer.send(b"")
    assert shown.index(b'You say, "one"') < shown.index(_IAC + _WILL + _TM)


# ── screen readers ──────────────────────────────────────────────────────────────────────────────


def test_a_client_that_reads_aloud_gets_speech_from_the_first_line() -> None:
    """No colours, no prompt; and its player need not say so again on any door."""
    peer = Peer()
    peer.scene.clock.advance(0.1)
    greeting = peer.send(_ALOUD + b"\r\n")
    assert b"Screen reader mode is on. To be without it, type sr off.\r\n" in greeting
    shown = peer.send(b"guest\r\n")
    assert b"Square\r\n" in shown
    assert b"\x1b" not in shown
    assert b"> " not in shown
    assert peer.settings == {"screenreader": "on"}


def test_who_reads_with_the_eyes_is_told_how_to_have_speech() -> None:
    peer = Peer()
    peer.wait(1)
    assert bytes(peer.transport.value()).endswith(
        b"Screen reader? Type sr for speech-friendly text.\r\nWelcome.\r\nWhat is your name? "
    )
    assert b"Screen reader mode is on" in peer.send(b"sr\r\n")
    assert b"> " not in peer.send(b"guest\r\n")
    assert peer.settings == {"screenreader": "on"}
    assert peer.send(b"sr off\r\n").endswith(b"Screen reader mode is off.\r\n> ")


def test_what_was_chosen_beats_what_the_client_says() -> None:
    """At the name prompt, and by whoever came before without speech."""
    peer = Peer()
    peer.send(_ALOUD + b"sr off\r\n")
    assert peer.send(b"guest\r\n").endswith(b"> " + _IAC + _GA)
    assert peer.settings == {"screenreader": "off"}
    peer.send(_IAC + _SB + _TTYPE + b"\0" + b"MTTS 335" + _IAC + _SE)
    assert peer.send(b"say hi\r\n").endswith(b"> " + _IAC + _GA)
    assert peer.settings == {"screenreader": "off"}


def test_a_client_that_says_late_that_it_reads_aloud() -> None:
    peer = Peer()
    peer.guest()
    assert peer.settings is None
    peer.send(_ALOUD)
    assert peer.settings == {"screenreader": "on"}
    assert peer.send(b"say hi\r\n").endswith(b'You say, "hi"\r\n')


def test_a_round_of_a_fight_is_one_line() -> None:
    """For a screen reader, unless it is wanted blow by blow."""
    peer = Peer()
    peer.guest()
    peer.me.hp = peer.me.max_hp = 1000
    peer.scene.world.place_body(peer.me, DEN)
    peer.send(b"sr\r\n")
    peer.send(b"kill wolf\r\n")
    assert peer.tick().count(b"\r\n") == 1
    peer.send(b"settings rounds off\r\n")
    assert peer.tick().count(b"\r\n") == 2


# ── the pager ───────────────────────────────────────────────────────────────────────────────────


def test_a_page_is_a_screen_of_rows() -> None:
    """Wrapped as they are, with the question in the last of them; an empty line goes on."""
    peer = Peer()
    peer.guest()
    peer.send(b"settings pager on\r\n")
    peer.send(_IAC + _WILL + _NAWS + _IAC + _SB + _NAWS + b"\0\x28\0\x06" + _IAC + _SE)
    whole = b""
    shown = peer.send(b"help look\r\n")
    while b"Enter goes on, q ends. " in shown:
        page, _, asked = shown.rpartition(b"\r\n")
        assert page.count(b"\r\n") < 5
        assert asked.endswith(b" more. Enter goes on, q ends. " + _IAC + _GA)
        whole += page
        shown = peer.send(b"\r\n")
    assert (whole + shown).count(b"Type:") == 4
    assert b"See also" in shown
    assert shown.endswith(b"> " + _IAC + _GA)


# ── the prompt ──────────────────────────────────────────────────────────────────────────────────


def test_a_prompt_of_chosen_parts() -> None:
    """It follows what its player was told."""
    peer = Peer()
    peer.guest()
    assert peer.send(b"settings prompt health gold\r\n").endswith(b"\r\n20/20 health, 0 gold> ")
    assert peer.send(b"settings prompt exits, room\r\n").endswith(b"\r\nn e, Square> ")
    assert peer.send(b"east\r\n").endswith(b"\r\nw, Inn> ")
    assert peer.send(b"settings prompt on\r\n").endswith(b"\r\n> ")
    assert not peer.send(b"settings prompt off\r\n").endswith(b"> ")


def test_no_prompt_behind_the_last_words() -> None:
    peer = Peer()
    peer.guest()
    assert peer.send(b"quit\r\n").endswith(b"\r\n")


def test_no_empty_line_where_there_is_no_prompt() -> None:
    """A peer that marks no prompts: what others say begins in a row of its own, and only then needs one."""
    peer = Peer()
    peer.guest()
    assert peer.hears_bob() == b'\r\nBob says, "hi"\r\n> '
    peer.send(b"settings prompt off\r\n")
    assert peer.hears_bob() == b'Bob says, "hi"\r\n'


def test_a_spoken_prompt_says_what_is_new() -> None:
    """In a line of its own, and nothing while nothing changes; an empty line asks for it again."""
    peer = Peer()
    peer.guest()
    peer.send(b"sr on\r\n")
    assert peer.send(b"settings prompt room exits\r\n").endswith(b"\r\nSquare, exits north, east.\r\n")
    assert peer.send(b"say hi\r\n") == b'You say, "hi"\r\n'
    assert peer.hears_bob() == b'Bob says, "hi"\r\n'
    assert peer.send(b"\r\n") == b"Square, exits north, east.\r\n"
    assert peer.send(b"east\r\n").endswith(b"\r\nInn, exits west.\r\n")


def test_a_prompt_of_parts_after_coming_back() -> None:
    """The connection is new, and is told what its prompt needs."""
    peer = Peer()
    peer.guest()
    peer.send(b"settings prompt level\r\n")
    me = peer.me
    peer.connection.connectionLost(Failure(ConnectionDone()))
    peer.connect()
    peer.wait(3)
    session = peer.scene.realm.session_of(me.id)
    assert session is not None
    assert peer.connection.entrance is not None
    peer.connection.entrance.enter(session)
    assert peer.send(b"say hi\r\n").endswith(b"\r\nlevel 1> ")


def test_a_charset_that_was_chosen() -> None:
    """For both ways, from the next line on, whatever the client said."""
    peer = Peer()
    peer.guest()
    peer.send(b"settings charset latin-1\r\n")
    assert b'You say, "\xe9"' in peer.send(b"say \xe9\r\n")
    peer.send(b"settings charset utf-8\r\n")
    assert 'You say, "é"'.encode() in peer.send("say é\r\n".encode())
    peer.send(b"settings charset ascii\r\n")
    assert b'You say, "e"' in peer.send("say é\r\n".encode())
