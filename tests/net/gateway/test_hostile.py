"""Clients and routers that do what they must not: each harms itself at most, and costs a bounded amount."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.protocol import Factory, Protocol

from mythos.app.files import StartError
from mythos.errors import Refusal
from mythos.net.control import ControlFactory, Question
from mythos.net.gateway.doors import BACKLOG, LEAVING, MESSAGE, TURN
from mythos.net.gateway.gateway import AWAY
from mythos.net.gateway.methods import METHODS
from mythos.net.gateway.orders import GatewayOrders
from mythos.net.gateway.session import HOLD
from mythos.net.gateway.site import make_gateway_site
from mythos.net.gateway.talk import REST, STRANGER, TRIES, VAIN
from mythos.net.i3.waiting import OTHERS, QUEUE
from mythos.net.operators import Operators, OperatorsDoor
from mythos.net.proxies import Proxies
from mythos.wire.i3 import lpc
from mythos.wire.i3.mudmode import FrameReader
from mythos.wire.i3.packets import ChannelInfo
from tests.net.gateway.place import ROADS, Client, Place, Plug, gateway
from tests.net.i3.peer import Mud
from tests.net.web import frame
from tests.strategies import chunks, cuts, json_values

roads = pytest.mark.parametrize("road", ROADS)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with gateway(tmp_path) as place:
        yield place


@pytest.fixture
def far(place: Place) -> Mud:
    """A MUD elsewhere."""
    mud = Mud(place.exchanges[0], "Far")
    mud.start()
    mud.take()
    return mud


def login(key: str, id: Any = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "method": "authenticate", "params": {"api_key": key}}


# ── any bytes, any calls ────────────────────────────────────────────────────────────────────────


@given(
    st.sampled_from(ROADS),
    st.lists(st.binary(max_size=80) | st.sampled_from([b"{", b"[{}]", b'{"jsonrpc":"2.0"', b"\n"])),
    cuts,
)
@settings(max_examples=40)
def test_any_bytes(road: str, pieces: list[bytes], positions: list[int]) -> None:
    """However they are cut, they cost at most the connection they come by."""
    with TemporaryDirectory() as data, gateway(Path(data)) as place:
        good, bad = place.client(road, "Good"), place.client(road, "Bad")
        stream = b"".join([piece + b"\n" if road == "tcp" else frame(1, piece) for piece in pieces])
        for chunk in chunks(stream, positions):
            if not bad.plug.disconnecting:
                bad.plug.protocol.dataReceived(chunk)
        place.run()
        assert good.result("ping")["pong"] is True


@given(st.binary(max_size=300), cuts)
@settings(max_examples=40)
def test_any_frames(stream: bytes, positions: list[int]) -> None:
    """What is no WebSocket frame costs its connection, with a key and without."""
    with TemporaryDirectory() as data, gateway(Path(data)) as place:
        good = place.client("ws", "Good")
        for bad in (place.client("ws", "Bad"), Client(place, "ws")):
            for chunk in chunks(stream, positions):
                if not bad.plug.disconnecting:
                    bad.plug.protocol.dataReceived(chunk)
        place.run()
        assert good.result("ping")["pong"] is True


NAMES = sorted(
    {name for method in METHODS.values() for name in method.needs}
    | {"target_user", "emote", "from_user", "visname", "username", "wait", "limit", "before", "after", "filter"}
    | {"filters", "user_name", "listen_only", "refresh", "name", "level", "session_id", "last_seq", "api_key"}
)
VALUES = json_values | st.sampled_from(
    [10**400, -(10**30), 1e308, "0001-01-01T00:00:00+14:00", "gossip", "Far", "\x00"]
)


@given(
    st.sampled_from(ROADS),
    st.lists(
        st.tuples(
            st.sampled_from(["authenticate", *METHODS]),
            st.dictionaries(st.sampled_from(NAMES), VALUES | st.lists(st.dictionaries(st.just("name"), VALUES))),
        ),
        max_size=8,
    ),
)
def test_any_call(road: str, calls: list[tuple[str, dict[str, Any]]]) -> None:
    """Any parameters get a result, or an error that is not ours; nothing is logged as broken."""
    with TemporaryDirectory() as data, gateway(Path(data)) as place:
        Mud(place.exchanges[0], "Far").start()
        client = place.client(road, "Bad")
        for method, params in calls:
            response = client.call(method, **params)
            if response is None:  # it waits for the network
                assert params["wait"]
            else:
                assert response.get("error", {"code": 0})["code"] != -32603
        place.pass_time(61)
        place.gateway.save()


@roads
def test_times_beyond_all_time(place: Place, road: str) -> None:
    client = place.client(road, "Near")
    values: tuple[Any, ...] = (10**400, -(10**400), True, [], "soon")
    for value in values:
        assert client.error("channel_history", channel="gossip", before=value)[0] == -32602


# ── strangers ───────────────────────────────────────────────────────────────────────────────────


@roads
def test_guesses_are_answered_and_end(place: Place, road: str) -> None:
    """Every guess has its answer, the last one too; then the connection is closed, whatever else it holds."""
    client, key = Client(place, road), place.key("Near")
    for number in range(TRIES):
        client.send(login("wrong", number))
    assert [one["id"] for one in client.take()] == list(range(TRIES))
    assert client.plug.disconnecting or client.closed == (1008, "too many keys that are no good")
    client = Client(place, road)
    client.send([*(login("wrong", number) for number in range(TRIES)), login(key, 9)])
    (answers,) = client.take()
    assert [one["error"]["code"] for one in answers] == [-32000] * (TRIES + 1)
    assert place.gateway.connected() == 0


@roads
def test_a_stranger_has_so_many_messages(place: Place, road: str) -> None:
    """A batch is as many as it holds; each is answered."""
    client, key = Client(place, road), place.key("Near")
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    client.send([*[ping] * STRANGER, login(key)])
    (answers,) = client.take()
    assert [one["error"]["code"] for one in answers] == [-32000] * (STRANGER + 1)
    assert client.plug.disconnecting or client.closed == (1008, "authenticate first")


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "::ffff:a01:203"])
def test_denied_addresses(place: Place, tmp_path: Path, address: str) -> None:
    """However a socket writes them."""
    with gateway(tmp_path / "deny", deny=("10.0.0.0/8",)) as denying:
        assert denying.admission.refusal(address) == "this address may not connect"
        assert Client(denying, "tcp", address=address).welcome is None
    with gateway(tmp_path / "allow", allow=("10.0.0.0/8",)) as allowing:
        assert allowing.admission.refusal(address) == ""
        assert allowing.admission.refusal("::ffff:192.0.2.1")
        assert Client(allowing, "tcp", address=address).welcome is not None


@roads
def test_banned_addresses(tmp_path: Path, road: str) -> None:
    """As at all other doors: whoever comes after the ban is not let in, until it is lifted."""
    with gateway(tmp_path) as place:
        place.client(road, "One", address="10.0.0.1")
        place.admission.banned = lambda address: "You may not come in here." if address == "10.0.0.1" else ""
        again = Client(place, road, address="10.0.0.1")
        assert again.status == 403 if road == "ws" else again.plug.disconnecting
        assert place.client(road, "Two", address="10.0.0.2").result("ping")["pong"] is True
        place.admission.banned = lambda address: ""
        assert place.client(road, "One", address="10.0.0.1").result("ping")["pong"] is True


def test_orders_are_taken_over_tls_alone(tmp_path: Path) -> None:
    """A token that came otherwise was overheard. Behind a proxy that is named it is the proxy that says so."""
    with gateway(tmp_path) as place:
        operators = Operators(tmp_path / "tokens.json", place.clock.wall, place.clock.seconds)
        _, secret = operators.create("ops", ("look",), 60.0)

        async def status(asked: Question) -> dict[str, Any]:
            return {"status": "healthy"}

        door = OperatorsDoor(ControlFactory({"status": status, "shutdown": status}), operators)

        def order(body: bytes, trusted: str = "198.51.100.0/24", **headers: str) -> tuple[int, Any]:
            known = Proxies((trusted,))
            place.site = make_gateway_site(place.gateway, place.sockets, place.admission, {}, place.clock, known, door)
            code, _, answer = place.request("POST", "/api/v1/control", body, **headers)
            return code, json.loads(answer)

        good = {"Authorization": f"Bearer {secret}", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
        assert order(b'{"do": "status"}', **good) == (200, {"ok": True, "status": "healthy"})
        for wrong in ({"X-Forwarded-Proto": "http"}, {"trusted": "10.0.0.0/8"}):
            code, answer = order(b'{"do": "status"}', **(good | wrong))
            assert (code, "Revoke that token" in answer["error"]) == (403, True)
        assert order(b'{"do": "shutdown"}', **good)[1]["error"] == "That needs the right 'life'; this token has: look."
        assert order(b"x" * 70_000, **good)[0] == 413
        assert order(b'{"do": "status"}', **(good | {"Authorization": "Bearer guess"}))[0] == 401
        assert order(b'{"do": "status"}', **(good | {"Authorization": secret}))[0] == 401
        assert place.get("/api/v1/control")[0] == 405


@roads
def test_too_many_connections(tmp_path: Path, road: str) -> None:
    """Who is there stays; as soon as one goes there is room for another."""
    with gateway(tmp_path, most=2) as place:
        first, second = place.client(road, "One"), place.client(road, "Two")
        third = Client(place, road)
        assert third.status == 503 if road == "ws" else third.plug.disconnecting
        assert first.result("ping")["pong"] is True
        third.lost()
        second.lost()
        assert place.client(road, "Three").result("ping")["pong"] is True


# ── clients with a key ──────────────────────────────────────────────────────────────────────────


@roads
def test_one_that_does_not_read(place: Place, far: Mud, road: str) -> None:
    """It is dropped; its session keeps what it is told, and others hear on."""
    key = place.key("Near")
    deaf, other = Client(place, road), place.client(road, key=key)
    session = deaf.result("authenticate", api_key=key)["session_id"]
    last = 0
    deaf.plug.dataBuffer = b"x" * (BACKLOG + 1)  # type: ignore[attr-defined]
    far.say("tell", "Bob", "hello", user="bob", to="Near", to_user="ann")
    assert [one["message"] for one in other.take("tell_received")] == ["hello"]
    assert deaf.plug.aborted
    deaf.lost()
    again = Client(place, road)
    again.result("authenticate", api_key=key, session_id=session, last_seq=last)
    assert [one["message"] for one in again.take("tell_received")] == ["hello"]


def test_pings_without_reading(place: Place) -> None:
    """A WebSocket that asks for pongs and does not read them is dropped."""
    client = place.client("ws", "Near")
    client.plug.protocol.dataReceived(frame(9, b"x"))
    assert not client.plug.disconnecting
    client.plug.dataBuffer = b"x" * (BACKLOG + 1)  # type: ignore[attr-defined]
    client.plug.protocol.dataReceived(frame(9, b"x"))
    assert client.plug.aborted


def test_pings_without_end(place: Place) -> None:
    """Each has its pong, at a pace."""
    client = place.client("ws", "Near")
    client.plug.protocol.dataReceived(frame(9, b"x") * VAIN)
    assert client.plug.producerState == "paused"
    place.pass_time(REST + 1)
    assert client.result("ping")["pong"] is True


def test_one_that_does_not_read_the_end(place: Place) -> None:
    """A line that was closed is cut after a while."""
    client = place.client("tcp", "Near")
    client.raw(b"x" * (MESSAGE + 1))
    assert client.plug.disconnecting
    assert not client.plug.aborted
    place.pass_time(LEAVING + 1)
    assert client.plug.aborted
    read = place.client("tcp", "Near")
    read.raw(b"x" * (MESSAGE + 1))
    read.lost()
    place.pass_time(LEAVING + 1)
    assert not read.plug.aborted


def test_what_is_gathered_in_a_turn(place: Place) -> None:
    """It has a bound: beyond it is written at once, which a client that does not read does not survive."""
    client = place.client("tcp", "Near")
    door = next(place.gateway.sessions()).door
    assert door is not None
    for _ in range(5):
        door.send(b"x" * (TURN // 4))
    assert len(client.plug.value()) > TURN
    client.plug.dataBuffer = b"x" * (BACKLOG + 1)  # type: ignore[attr-defined]
    for _ in range(5):
        door.send(b"x" * (TURN // 4))
    assert client.plug.aborted


@roads
def test_a_rate_is_each_clients_own(tmp_path: Path, road: str) -> None:
    """One that calls without end is refused; another is served."""
    with gateway(tmp_path, rate=(60, 20)) as place:
        loud, other = place.client(road, "Loud"), place.client(road, "Other")
        codes = [loud.call("ping").get("error", {"code": 0})["code"] for _ in range(200)]
        assert codes == [0] * 20 + [-32001] * 180
        assert other.result("ping")["pong"] is True


@roads
@pytest.mark.parametrize("message", ["[{}]", "{", '{"jsonrpc":"2.0","id":1,"method":"ping"}', "authenticate"])
def test_messages_in_vain(tmp_path: Path, road: str, message: str) -> None:
    """Each has its answer; who sends them without end is not read for a while, and is read again after it."""
    with gateway(tmp_path, rate=(60, 20)) as place:
        client = place.client(road, "Near")
        for _ in range(VAIN + 20):
            client.raw(json.dumps(login("any")).encode() if message == "authenticate" else message.encode())
        assert len(client.take()) >= VAIN + 20
        assert client.plug.producerState == "paused"
        place.pass_time(REST + 1)
        assert client.plug.producerState == "producing"
        assert client.result("ping")["pong"] is True


def test_empty_lines_without_end(place: Place) -> None:
    """They are not heeded, and not read for a while either."""
    client = Client(place, "tcp")
    for data in (b"\r\n" * 1000, b"\n" * 60_000):
        assert client.plug.producerState == "producing"
        client.plug.protocol.dataReceived(data)
    assert client.plug.producerState == "paused"
    place.pass_time(REST + 1)
    assert client.result("authenticate", api_key=place.key("Near"))["status"] == "authenticated"


@roads
def test_a_stranger_with_bad_batches(place: Place, road: str) -> None:
    """What is no request counts, in a batch as by itself."""
    client = Client(place, road)
    client.send([{}] * STRANGER)
    client.take()
    assert client.plug.disconnecting or client.closed == (1008, "authenticate first")


@roads
def test_connections_without_end(place: Place, road: str) -> None:
    """Of clients that come and go, so many may resume, the last ones; a connected one is never among those let go."""
    key = place.key("Near")
    there = place.client(road, key=key)
    sessions = []
    for _ in range(AWAY + 20):
        client = Client(place, road)
        sessions.append(client.result("authenticate", api_key=key)["session_id"])
        client.lost()
        place.pass_time(1)
    assert len(place.gateway.muds["Near"].sessions) == AWAY + 1
    assert there.result("ping")["pong"] is True
    for session, resumed in ((sessions[0], False), (sessions[-1], True)):
        found = Client(place, road).result("authenticate", api_key=key, session_id=session)
        assert found["resumed"] is resumed


@roads
def test_a_revoked_key(place: Place, far: Mud, road: str) -> None:
    """Its connections end at once, its sessions with them; another key of the same MUD stays."""
    bad, good = place.key("Near"), place.key("Near")
    out, stays = Client(place, road), place.client(road, key=good)
    session = out.result("authenticate", api_key=bad)["session_id"]
    place.keys.revoke("k1")
    out.take()
    assert out.plug.disconnecting or out.closed == (1008, "this key is not good any more")
    far.say("tell", "Bob", "secret", user="bob", to="Near", to_user="ann")
    assert len(stays.take("tell_received")) == 1
    assert out.take() == []
    assert Client(place, road).error("authenticate", api_key=bad)[0] == -32000
    assert Client(place, road).result("authenticate", api_key=good, session_id=session)["resumed"] is False


def test_a_session_resumed_with_less(place: Place, far: Mud) -> None:
    """A key that is not for tells is not given those that the session was told before."""
    whole, less = place.key("Near"), place.key("Near", "channel")
    client = Client(place, "tcp")
    session = client.result("authenticate", api_key=whole)["session_id"]
    client.lost()
    far.say("tell", "Bob", "secret", user="bob", to="Near", to_user="ann")
    place.run()
    again = Client(place, "tcp")
    assert again.result("authenticate", api_key=less, session_id=session, last_seq=0)["resumed"] is True
    assert again.take("tell_received") == []


def test_sessions_of_others(place: Place) -> None:
    """A session cannot be resumed by another MUD, whoever knows its number."""
    client = Client(place, "tcp")
    session = client.result("authenticate", api_key=place.key("Near"))["session_id"]
    thief = Client(place, "tcp")
    found = thief.result("authenticate", api_key=place.key("Thief"), session_id=session)
    assert (found["resumed"], found["mud_name"]) == (False, "Thief")
    assert client.result("status")["mud_name"] == "Near"


def test_names_of_users_on_channels(place: Place) -> None:
    """Other MUDs are told of them: they are names."""
    victim, client = place.client("tcp", "Victim"), place.client("tcp", "Near")
    victim.result("channel_join", channel="gossip", user_name="")
    victim.take()
    for name in ("\x1b[2J", "two\nlines", 5, ["x"], "x" * 129):
        assert client.error("channel_join", channel="gossip", user_name=name)[0] == -32602
    assert victim.take() == []


def test_more_channels_than_may_wait(tmp_path: Path) -> None:
    """All of them are heard in the end, also after the router was lost."""
    with gateway(tmp_path, throttle=8) as place:
        key = place.key("Near")
        clients = [place.client("tcp", key=key) for _ in range(4)]
        wanted = {f"c{client}-{number}" for client in range(4) for number in range(90)}
        place.exchanges[0].channels.update(dict.fromkeys(wanted, ChannelInfo("*r0", 0)))
        for name in sorted(wanted):
            clients[int(name[1])].result("channel_join", channel=name)
        mud = place.gateway.muds["Near"]
        for _ in range(2):
            for _ in range(20):
                place.pass_time(5)
                place.gateway.sweep()
            assert place.exchanges[0]._seats["Near"].hears == wanted
            assert mud.link._connection is not None
            mud.link._connection.transport.loseConnection()
            place.run()


def test_a_mud_that_asks_without_end(tmp_path: Path) -> None:
    """Its questions and its tells for nobody are answered at a pace, and ours are sent as before."""
    with gateway(tmp_path, throttle=5) as place:
        client = place.client("tcp", "Near")
        client.result("presence_sync", users=[])
        place.pass_time(10)
        muds = [Mud(place.exchanges[0], f"Far{number}") for number in range(20)]
        for mud in muds:
            mud.start()
            mud.exchange.private = True
            for _ in range(50):
                mud.say("tell", "Bob", "x", user="bob", to="Near", to_user="nobody")
                mud.say("who-req", user="bob", to="Near")
        place.run()
        waiting = place.gateway.muds["Near"].link._waiting
        assert len(waiting) <= OTHERS < QUEUE
        assert client.result("tell", target_mud="Far0", target_user="Bob", message="hi")["status"] == "sent"
        place.pass_time(2)
        assert [one[7] for one in muds[0].take("tell")] == ["hi"]


# ── routers ─────────────────────────────────────────────────────────────────────────────────────


class Forger(Protocol):
    """A router that lets a MUD in, and then says what the test says."""

    transport: Any

    def __init__(self) -> None:
        self.heard: list[list[Any]] = []
        self._reader = FrameReader()

    def dataReceived(self, data: bytes) -> None:
        self._reader.receive(data)
        for payload in self._reader.frames():
            found, error = lpc.decode(payload)
            assert error is None
            self.heard += found

    def say(self, kind: str, *rest: Any, mud: Any = "*r0", user: Any = 0, to: Any = "Near", to_user: Any = 0) -> None:
        self.raw(lpc.encode([kind, 5, mud, user, to, to_user, *rest]))

    def raw(self, text: bytes) -> None:
        self.transport.write(len(text).to_bytes(4, "big") + text)

    def let_in(self, name: str = "*r0", password: bytes = b"7") -> None:
        self.raw(b'({"startup-reply",5,"%b",0,"Near",0,({}),%b,})' % (name.encode(), password))


class Forgers(Factory):
    """Keeps each connection it makes."""

    def __init__(self, made: list[Forger]) -> None:
        self._made = made

    def buildProtocol(self, addr: Any) -> Forger:
        self._made.append(Forger())
        return self._made[-1]


class Forgery(Place):
    """A place whose router is a :class:`Forger`, and one client of one MUD, which listens to ``gossip``."""

    def forge(self) -> tuple[Forger, Client]:
        self.routers: list[Forger] = []
        self.clock.routers["192.0.2.0", 8080] = Forgers(self.routers)  # type: ignore[assignment]
        client = self.client("tcp", "Near")
        client.result("channel_join", channel="gossip")
        self.router.let_in()
        self.run()
        client.take()
        return self.router, client

    @property
    def router(self) -> Forger:
        """The newest connection."""
        return self.routers[-1]


@pytest.fixture
def forged(tmp_path: Path) -> tuple[Forgery, Forger, Client]:
    place = Forgery(tmp_path)
    return (place, *place.forge())


Forged = tuple[Forgery, Forger, Client]
EVIL = "e\x1b[2J\x9b\nvil\u2028" + "x" * 20_000
WORDS = st.sampled_from([EVIL[:300], "Near", "near", "*r0", "gossip", "0", "", "Bob"])
LPC = st.recursive(
    st.integers(-(2**31), 2**31 - 1) | WORDS | st.floats(allow_nan=False, allow_infinity=False, width=16),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.integers(0, 9), inner, max_size=3),
    max_leaves=8,
)
KINDS = [
    *("tell", "emoteto", "channel-m", "channel-e", "channel-t", "who-req", "who-reply", "finger-req", "finger-reply"),
    *("locate-req", "locate-reply", "chan-who-req", "chan-who-reply", "chan-user-req", "chan-user-reply", "error"),
    *("ucache-update", "auth-mud-req", "auth-mud-reply", "ping-req", "chan-filter-req", "mudlist", "chanlist-reply"),
    *("startup-reply", "shutdown", "router-shutdown", "chan-ack", "x"),
]


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.lists(LPC, min_size=4, max_size=4), st.lists(LPC)), max_size=12))
def test_any_packets(sent: list[tuple[str, list[Any], list[Any]]]) -> None:
    """Whatever a router says, clients hear events that keep to the rules, and calls are answered as before."""
    with TemporaryDirectory() as data:
        place = Forgery(Path(data))
        router, client = place.forge()
        client.result("presence_sync", users=[{"name": "Ann"}])
        for kind, header, rest in sent:
            for first in (header, ["Far", "bob", "Near", "ann"]):
                router.raw(lpc.encode([kind, 5, *first, *rest]))
        place.run()
        for one in client.take():
            assert ill(one["params"]) == []
        for method in ("mudlist", "channel_list", "stats", "status", "channel_who", "channel_history"):
            assert ill(client.result(method, channel="gossip")) == []
        place.gateway.save()
        assert Place(place.data, before=place).gateway.muds["Near"].history.keys() <= {"gossip"}


def ill(value: Any) -> list[str]:
    """Words in it with control characters, or without end."""
    if isinstance(value, dict):
        return [wrong for pair in value.items() for one in pair for wrong in ill(one)]
    if isinstance(value, list):
        return [wrong for one in value for wrong in ill(one)]
    bad = isinstance(value, str) and (len(value) > 16_384 or any(one < " " and one not in "\t\n" for one in value))
    return [value] if bad else []


@given(st.lists(st.binary(max_size=60) | st.sampled_from([b'({"tell",5,"x",', b"({", b"\0\0\0\5"])), cuts)
@settings(max_examples=40)
def test_any_bytes_of_a_router(pieces: list[bytes], positions: list[int]) -> None:
    """They cost the connection at most, and the link comes back."""
    with TemporaryDirectory() as data:
        place = Forgery(Path(data))
        router, client = place.forge()
        stream = b"".join([len(piece).to_bytes(4, "big") + piece for piece in pieces])
        for chunk in chunks(stream, positions):
            router.transport.write(chunk)
        place.run()
        if not client.result("status")["connected"]:
            place.pass_time(10)
            place.router.let_in()
            place.run()
        assert client.result("status")["connected"] is True


def test_forged_originators(forged: Forged) -> None:
    """Names have one line and an end, and nobody speaks for us on a channel."""
    _, router, client = forged
    router.say("tell", EVIL, EVIL, mud=EVIL, user=EVIL, to_user=EVIL)
    router.say("channel-m", "gossip", "Ann", "not mine", mud="Near", user="ann", to=0)
    router.say("channel-m", "gossip", EVIL, "said", mud=EVIL, user=EVIL, to=0)
    router.say("error", "unk-user" + EVIL, EVIL, 0, mud=EVIL)
    events = client.take()
    assert [one["method"] for one in events] == ["tell_received", "channel_message", "error_occurred"]
    told, said, _ = [one["params"] for one in events]
    for one in (told["from_mud"], told["from_user"], told["visname"], told["to_user"], said["user"], said["mud"]):
        assert one.startswith("evil")
        assert one.isprintable()
        assert len(one) <= 128
    assert said["message"] == "said"
    assert ill([one["params"] for one in events]) == []


def test_lines_of_channels_that_nobody_joined(forged: Forged) -> None:
    """They are told to nobody, and take no room from those of others."""
    place, router, client = forged
    router.say("channel-m", "gossip", "Bob", "hello", mud="Far", user="bob", to=0)
    for number in range(100):
        router.say("channel-m", f"c{number}", "Bob", "spam", mud="Far", user="bob", to=0)
    assert len(client.take("channel_message")) == 1
    assert list(place.gateway.muds["Near"].history) == ["gossip"]


@pytest.mark.parametrize("words", ["hello", 'a quote " and more', "({", '({"tell",})'])
def test_more_than_our_own_line_in_a_frame(forged: Forged, words: str) -> None:
    """Routers put several packets into one frame: a tell behind a line that comes back to us is heard."""
    _, router, client = forged
    line = lpc.encode(["channel-m", 4, "Near", "ann", 0, 0, "gossip", "Ann", words])
    tell = lpc.encode(["tell", 4, "Far", "bob", "Near", "ann", "Bob", "hi"])
    for text in (line, line + tell, line + b"\0\r\n" + tell, line + line + tell):
        router.raw(text)
    assert [one["method"] for one in client.take()] == ["tell_received"] * 3


def test_numbers_that_do_not_fit(forged: Forged) -> None:
    """A password and ids of lists that no startup can hold do not keep the link from coming back."""
    place, router, client = forged
    router.let_in(password=b"99999999999999999999")
    for kind in ("mudlist", "chanlist-reply"):
        router.raw(b'({"%b",5,"*r0",0,"Near",0,99999999999999999999,([]),})' % kind.encode())
    router.raw(b'({"who-reply",5,"Far",0,"Near","ann",({({"Bob",99999999999999999999,"x",}),}),})')
    (reply,) = client.take("who_reply")
    assert reply["users"][0]["idle"] == 99999999999999999999
    place.pass_time(100)
    router.transport.loseConnection()
    place.pass_time(10)
    (startup,) = place.router.heard
    assert startup[6:9] == [0, 0, 0]
    place.router.let_in()
    place.run()
    assert client.result("status")["connected"] is True


def test_a_router_with_the_name_of_another(tmp_path: Path) -> None:
    """It does not write into that one's lists, and each new name costs nothing."""
    place = Forgery(tmp_path)
    router, _ = place.forge()
    for number in range(20):
        router.transport.loseConnection()
        place.pass_time(400)
        router = place.router
        router.let_in(f"*other{number}")
        router.say("mudlist", 5, {"Evil": [-1, "192.0.2.1", 1, 0, 0, *"abcdef", {}, {}]}, mud=f"*other{number}")
        place.run()
    assert list(place.directories) == ["*r0"]
    assert "Evil" in place.directories["*r0"].muds


def test_a_list_in_part(forged: Forged) -> None:
    """A router that is lost while it tells its lists is asked for all of them the next time."""
    place, router, client = forged
    entry = [-1, "192.0.2.1", 4000, 0, 0, *"abcdef", {"tell": 1}, {}]
    router.say("mudlist", 50, {"One": entry})
    place.run()
    router.transport.loseConnection()
    place.pass_time(10)
    assert place.router.heard[0][7] == 0
    place.router.let_in()
    place.router.say("mudlist", 51, {"One": entry, "Two": entry})
    place.pass_time(100)
    place.router.transport.loseConnection()
    place.pass_time(10)
    assert place.router.heard[0][7] == 51
    assert [one["name"] for one in client.result("mudlist")["muds"]] == ["One", "Two"]


def test_lists_without_end(forged: Forged) -> None:
    """So many entries are kept, each of so many words; clients are told of some, and are served."""
    place, router, client = forged
    place.pass_time(20)
    big = [-1, "192.0.2.1", 4000, 0, 0, "x" * 9000, *"bcdef", {}, {}]
    entry = [-1, "192.0.2.1", 4000, 0, 0, *"abcdef", {"tell": 1}, {}]
    for start in range(0, 25_000, 500):
        muds = {f"m{number}": entry for number in range(start, start + 500)} | {7: entry, "": entry, "big": big}
        router.say("mudlist", 5, muds)
        router.say("chanlist-reply", 5, {f"c{number}": ["*r0", 0] for number in range(start, start + 500)})
    place.run()
    directory = place.directories["*r0"]
    assert len(directory.muds) == len(directory.channels) == 20_000
    assert "big" not in directory.muds
    assert "" not in directory.muds
    assert 0 < len(client.take("mud_online")) <= 500
    assert client.result("mudlist")["count"] == 20_000
    for state in (0, -1) * 5:
        router.say("mudlist", 6, {f"m{number}": [state, *entry[1:]] for number in range(500)})
    assert len(client.take("mud_offline")) < 100


def test_what_a_session_keeps(forged: Forged) -> None:
    """It has a bound in bytes as in events, for who is there and who is away; so have tells that find nobody."""
    place, router, client = forged
    mud = place.gateway.muds["Near"]
    rows = [["x" * 200, 1, "x" * 2000]] * 600
    for _ in range(5):
        router.raw(lpc.encode(["who-reply", 5, "Far", 0, "Near", "ann", rows]))
    (reply, *_) = client.take("who_reply")
    assert len(reply["users"]) == 512
    client.lost()
    for _ in range(200):
        router.say("tell", "Bob", "x" * 16_000, mud="Far", user="bob", to_user="ann")
    place.run()
    (session,) = mud.sessions.values()
    assert sum([event.size for event in session.events()]) <= HOLD
    assert sum([tell.size for tell in mud.tells]) <= HOLD
    assert len(mud.tells) > 10
    place.gateway.save()
    assert (place.data / "gateway-state.json").stat().st_size < 2 * HOLD


# ── orders ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_door_that_does_not_open(place: Place) -> None:
    """A key that nobody was shown is none."""

    async def refuse() -> dict[str, int]:
        raise StartError("Port 8080 for gateway cannot be opened.")

    with pytest.raises(StartError):
        await GatewayOrders(place.gateway, refuse).orders["gateway-keys-create"](Question({"mud": "Near"}))
    assert list(place.keys) == []
    assert place.gateway.muds == {}


@pytest.mark.parametrize("overlap", [9e15, 1e11])
async def test_a_key_for_ever(place: Place, overlap: float) -> None:
    """An old key has an end that a calendar knows."""
    place.key("Near")
    orders = GatewayOrders(place.gateway, dict).orders  # type: ignore[arg-type]
    with pytest.raises(Refusal):
        await orders["gateway-keys-rotate"](Question({"id": "k1", "overlap": overlap}))
    assert [one["key_id"] for one in (await orders["gateway-keys-list"](Question({})))["keys"]] == ["k1"]


def test_names_for_a_channel(place: Place) -> None:
    client = place.client("tcp", "Near")
    for names in (["\x1b"], [""], ["x" * 129], [5], "Far", ["Far"] * 101):
        assert client.error("channel_admin", channel="gossip", add=names)[0] == -32602


# ── what is asked of HTTP ───────────────────────────────────────────────────────────────────────


@given(st.text(max_size=20), st.dictionaries(st.sampled_from(["Upgrade", "X_API_Key", "Authorization"]), st.text()))
@settings(max_examples=40)
def test_any_request(path: str, headers: dict[str, str]) -> None:
    """It has an answer, and none of it is a traceback."""
    with TemporaryDirectory() as data, gateway(Path(data)) as place:
        path = "/" + "".join([one for one in path if one.isascii() and one.isprintable() and one not in " #"])
        safe = {name: "".join([one for one in value if one.isprintable()]) for name, value in headers.items()}
        status, _, body = place.get(path, **safe)
        assert status in (200, 400, 404, 426)
        assert b"Traceback" not in body


@pytest.mark.parametrize("body", ["Content-Length: 1000000000000", "Transfer-Encoding: chunked"])
def test_bodies_are_not_read(place: Place, body: str) -> None:
    """Nobody fills the disk of the gateway."""
    plug = Plug("198.51.100.7")
    plug.protocol = place.site.buildProtocol(None)
    plug.protocol.makeConnection(plug)
    plug.protocol.dataReceived(f"POST /ws HTTP/1.1\r\nHost: gateway.example.org\r\n{body}\r\n\r\n".encode())
    assert plug.disconnecting
