"""The telnet door against a peer that is slow, curious or hostile."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from mythos.net.doorman import Doorman
from mythos.net.outlet import Outlet
from mythos.net.poll import Poll
from mythos.net.telnet import TelnetConnection, TelnetFactory
from mythos.world.state import Character
from tests.scenes.people import in_town
from tests.scenes.scene import Scene
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
    """IAC WILL ECHO before it is typed, IAC WONT ECHO after."""
    peer = Peer()
    peer.guest()
    assert peer.send(b"register Morwenna\r\n").endswith(_IAC + _WILL + _ECHO + b"A password for Morwenna? ")
    again = peer.send(b"a good long one\r\n")
    assert again.startswith(_IAC + _WONT + _ECHO)
    assert b"a good long one" not in again
    assert b"You are Morwenna from now on." in peer.send(b"a good long one\r\n")


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


def test_http_at_the_wrong_door() -> None:
    peer = Peer()
    assert b"This is a telnet port. The web client is at http://example.org/" in peer.send(b"GET / HTTP/1.1\r\n\r\n")


def test_whoever_says_nothing_is_sent_away() -> None:
    peer = Peer()
    peer.wait(1)
    for _ in range(600):
        peer.scene.clock.advance(1)
        peer.connection.factory.sweep(peer.scene.clock.seconds())
    assert bytes(peer.transport.value()).count(b"You took too long to say who you are.") == 1
    assert peer.transport.disconnected  # it did not take our last words either


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
