"""Our link to a router: let in, thrown out, throttled, silent, and a router that is hostile."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.testing import MemoryReactorClock, StringTransport

from mythos.net.i3.link import HEALTHY, LONGEST, QUESTIONS, SECOND, SILENCE, STARTUP, Identity, Router, RouterLink
from mythos.net.i3.state import read, save
from mythos.net.i3.waiting import QUEUE
from mythos.play.intermud import Intermud
from mythos.wire.i3 import lpc, packets
from mythos.wire.i3.directory import Directory
from mythos.wire.i3.mudmode import FrameReader, frame
from tests.scenes.people import in_town


class Plug(StringTransport):
    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        self.disconnecting = True

    def setTcpNoDelay(self, on: bool) -> None:
        """No socket, no Nagle."""

    def setTcpKeepAlive(self, on: bool) -> None:
        """No socket to keep."""

    def getHandle(self) -> Any:
        return None


class Net:
    """A link, and the test as its router."""

    def __init__(
        self, path: Path, *, rate: int = 0, routers: int = 1, times: tuple[float, float, float] = (30.0, 5.0, 60.0)
    ) -> None:
        self.reactor = MemoryReactorClock()
        self.directories: dict[str, Directory] = {}
        self.path = path / "i3-passwords.json"
        self.passwords: dict[str, int] = read(self.path)
        scene = in_town()
        known = [Router(f"*r{number}", f"192.0.2.{number}", 8080) for number in range(routers)]
        me = Identity("Ours", 4000, "admin@example.org", ("tell", "channel"))
        self.link = RouterLink(
            self.reactor,
            known,
            me,
            rate=rate,
            times=times,
            passwords=self.passwords,
            keep=self.keep,
            chance=lambda: 0.5,
            directory=lambda name: self.directories.setdefault(name, Directory()),
        )
        self.link.resident = self.intermud = Intermud(scene.realm, "Ours", self.link)
        self.link.start()
        self.plug = Plug()
        self.protocol: Any = None

    def keep(self) -> None:
        save(self.passwords, self.path)

    def connect(self) -> list[list[Any]]:
        """The newest connection is made; what the link says first."""
        factory = self.reactor.tcpClients[-1][2]
        self.protocol = factory.buildProtocol(None)
        self.plug = Plug()
        self.protocol.makeConnection(self.plug)
        return self.take()

    def take(self) -> list[list[Any]]:
        reader = FrameReader()
        reader.receive(self.plug.value())
        self.plug.clear()
        return [lpc.decode(payload)[0][0] for payload in reader.frames()]

    def say(self, *value: Any) -> None:
        self.raw(frame(lpc.encode(list(value))))

    def raw(self, data: bytes) -> None:
        self.protocol.dataReceived(data)

    def let_in(self, password: int = 77) -> None:
        self.connect()
        self.say("startup-reply", 5, "*r0", 0, "Ours", 0, [["*r0", "192.0.2.0 8080"]], password)

    def lost(self) -> None:
        from twisted.internet.error import ConnectionLost
        from twisted.python.failure import Failure

        self.protocol.connectionLost(Failure(ConnectionLost()))


@pytest.fixture
def net(tmp_path: Path) -> Net:
    return Net(tmp_path)


def test_startup(net: Net) -> None:
    """Twenty fields of the right kinds; up when the router says so, not when TCP does."""
    ((*startup,),) = net.connect()
    assert startup[:12] == ["startup-req-3", 5, "Ours", 0, "*r0", 0, 0, 0, 0, 4000, 0, 0]
    assert len(startup) == 20
    assert all(isinstance(text, str) for text in startup[12:18])
    assert startup[18]["tell"] == 1
    assert not net.link.up
    net.say("startup-reply", 5, "*r0", 0, "Ours", 0, [["*r0", "192.0.2.0 8080"]], 77)
    assert net.link.up


def test_the_password_is_kept_at_once(net: Net, tmp_path: Path) -> None:
    """By router, readable by us alone, and told the next time; a negative one is one too."""
    net.let_in(-77)
    assert json.loads(net.path.read_text()) == {"*r0": -77}
    assert stat.S_IMODE(net.path.stat().st_mode) == 0o600
    again = Net(tmp_path)
    assert again.connect()[0][6] == -77


def test_pauses_grow(net: Net) -> None:
    """Nobody is hammered: each try waits twice as long as the one before, up to five minutes."""
    waits = []
    for _ in range(9):
        net.connect()
        tries = len(net.reactor.tcpClients)
        net.lost()
        start = net.reactor.seconds()
        while len(net.reactor.tcpClients) == tries:
            net.reactor.advance(1)
        waits.append(net.reactor.seconds() - start)
    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == LONGEST


def test_the_next_router_is_tried(tmp_path: Path) -> None:
    net = Net(tmp_path, routers=2)
    net.connect()
    net.lost()
    net.reactor.advance(5)
    assert [client[0] for client in net.reactor.tcpClients] == ["192.0.2.0", "192.0.2.1"]


def test_a_router_that_never_answers(net: Net) -> None:
    net.connect()
    net.reactor.advance(STARTUP + 1)
    assert net.plug.aborted


def test_a_router_that_refuses(net: Net) -> None:
    """Its sentence is for the operator, and it is left alone for minutes."""
    net.connect()
    net.say("error", 5, "*r0", 0, "Ours", 0, "not-allowed", "wrong password, and from a new IP", 0)
    net.lost()
    net.reactor.advance(LONGEST - 1)
    assert len(net.reactor.tcpClients) == 1
    net.reactor.advance(2)
    assert len(net.reactor.tcpClients) == 2


def tell(number: int) -> packets.Tell:
    return packets.Tell("Ours", "ann", "Other", "zoe", "Ann", str(number))


def test_never_faster_than_routers_allow(tmp_path: Path) -> None:
    """Eight within any second, in order; the startup counts for six of the first."""
    net = Net(tmp_path, rate=8)
    net.let_in()
    net.take()
    for number in range(20):
        net.link.send(tell(number))
    heard = []
    for _ in range(4):
        heard.append([one[7] for one in net.take()])
        for _ in range(int(SECOND / 0.01) + 1):
            net.reactor.advance(0.01)
    assert [len(one) for one in heard] == [2, 8, 8, 2]
    assert [number for one in heard for number in one] == [str(number) for number in range(20)]


def test_too_much_is_dropped_channel_lines_first(tmp_path: Path) -> None:
    net = Net(tmp_path, rate=1)
    net.let_in()
    for number in range(QUEUE):
        net.link.send(packets.ChannelMessage("Ours", "ann", "", "", "gossip", "Ann", str(number)))
    net.take()
    for number in range(5):
        net.link.send(tell(number))
    assert net.link.dropped == 5
    for _ in range(QUEUE + 5):
        net.reactor.advance(SECOND)
    assert [one[7] for one in net.take() if one[0] == "tell"] == ["0", "1", "2", "3", "4"]


def test_a_silent_router_is_asked_and_then_left(net: Net) -> None:
    """A link that is half open would stay so for hours."""
    net.let_in()
    net.take()
    for _ in range(SILENCE * 6):
        net.reactor.advance(20)
        if net.plug.aborted:
            break
    asked = [one for one in net.take() if one[0] == "auth-mud-req"]
    assert len(asked) == QUESTIONS
    assert asked[0][2:5] == ["Ours", 0, "Ours"]
    assert net.plug.aborted


def test_its_times_are_the_operators(tmp_path: Path) -> None:
    """How long a connection may take, the first pause, and how often a silent router is thought of."""
    net = Net(tmp_path, times=(7.0, 3.0, 1.0))
    assert net.reactor.tcpClients[0][3] == 7.0
    net.connect()
    net.lost()
    net.reactor.advance(2.9)
    assert len(net.reactor.tcpClients) == 1
    net.reactor.advance(0.2)
    assert len(net.reactor.tcpClients) == 2
    net.let_in()
    net.reactor.pump([1.0] * (SILENCE + QUESTIONS + 1))
    assert net.plug.aborted


async def test_a_clean_stop(net: Net) -> None:
    """The router is told that we go."""
    net.let_in()
    net.take()
    gone = net.link.stop()
    gone.send(None)
    assert [one[0] for one in net.take()] == ["shutdown"]
    assert net.plug.disconnecting
    with pytest.raises(StopIteration):
        net.lost()
        gone.send(None)
    assert not net.reactor.getDelayedCalls()


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        b"\0\0\0\0",
        frame(b"({" * 30_000),
        frame(b"({" + b"9" * 5000 + b",})"),
        frame(b"([({}):1,])"),
        frame(lpc.encode(["mudlist", 5, "*r0", 0, "Ours", 0, 1, {"Bad": [1], "Worse": 7}])),
        frame(lpc.encode(["tell", 5, "Ours", "ann", "Ours", "ann", "Ann", "a loop"])),
        frame(lpc.encode(["tell", 5, "Other", "z", "Somebody else", "ann", "Z", "misrouted"])),
    ],
)
def test_a_hostile_router(net: Net, data: bytes) -> None:
    """Only what cannot be gone on from ends the connection; the packet behind a bad one is read."""
    net.let_in()
    net.take()
    net.raw(data)
    if not net.plug.aborted:
        net.say("auth-mud-req", 5, "Other", 0, "Ours", 0)
        assert [one[0] for one in net.take()][-1] == "auth-mud-reply"


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes(parts: list[bytes]) -> None:
    """Never an error of ours."""
    net = Net(Path("/nonexistent"))
    net.connect()
    for part in parts:
        if not net.plug.aborted:
            net.raw(part)


# ── lists ───────────────────────────────────────────────────────────────────────────────────────

INFO = [-1, "192.0.2.3", 4000, 0, 0, "lib", "base", "driver", "LP", "open", "a@example.org", {"tell": 1}, 0]


def test_lists_are_asked_for_with_their_ids(net: Net) -> None:
    """What is known is not sent again: a startup names the ids of the lists it has, each router its own."""
    assert net.connect()[0][7:9] == [0, 0]
    net.say("startup-reply", 5, "*r0", 0, "Ours", 0, [["*r0", "192.0.2.0 8080"]], 77)
    net.say("mudlist", 5, "*r0", 0, "Ours", 0, 41, {"Other": INFO})
    net.say("chanlist-reply", 5, "*r0", 0, "Ours", 0, 7, {"gossip": ["*r0", 0]})
    net.say("mudlist", 5, "*r0", 0, "Ours", 0, 40, {"Third": INFO})  # ids are opaque: the last one counts
    net.reactor.advance(HEALTHY + 1)  # whoever is lost before may not have told all of them
    net.lost()
    net.reactor.advance(10)
    assert net.connect()[0][7:9] == [40, 7]
    assert sorted(net.link.directory.muds) == ["Other", "Third"]


def test_the_router_alone_changes_lists(net: Net) -> None:
    """A MUD that sends a list is not believed."""
    net.let_in()
    net.say("mudlist", 5, "*r0", 0, "Ours", 0, 1, {"Other": INFO})
    net.say("mudlist", 5, "Other", 0, "Ours", 0, 9, {"Other": 0})
    assert list(net.link.directory.muds) == ["Other"]
    assert net.link.directory.mudlist_id == 1


def test_our_own_lines_are_not_read_again(net: Net) -> None:
    """Residents do not want them; others' lines, and tells of ours that come back, are read as always."""
    net.let_in()
    heard: list[packets.Packet] = []
    net.intermud.received = heard.append  # type: ignore[assignment, method-assign]
    net.say("channel-m", 4, "Ours", "ann", 0, 0, "gossip", "Ann", "x")
    net.say("channel-m", 4, "Ours too", "ann", 0, 0, "gossip", "Ann", "x")
    net.say("tell", 4, "Ours", "ann", "Ours", "bob", "Ann", "x")
    assert [one.from_mud for one in heard] == ["Ours too", "Ours"]
    assert net.link.heard == 4
