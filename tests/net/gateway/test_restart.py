"""What outlives a stop of the gateway, and what a kill: keys, sessions, their channels and events, history, tells."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from mythos.net.gateway.gateway import AGAIN, STATE, TELLS, UNSENT
from mythos.net.gateway.session import PASSED
from mythos.net.i3.link import LEAVING
from tests.net.gateway.place import ROADS, Client, Place, gateway
from tests.net.i3.peer import Mud


def stop(place: Place) -> None:
    """As an operator stops it."""
    done: list[Any] = []
    Deferred.fromCoroutine(place.gateway.stop()).addCallback(done.append)
    place.run()
    assert done == [None]


def kill(place: Place) -> None:
    """As ``kill -9`` does: nothing of it runs any more, and the system closes its connections."""
    for call in place.clock.getDelayedCalls():
        call.cancel()
    for mud in place.gateway.muds.values():
        if mud.link._connection is not None:
            wire = mud.link._connection.transport
            wire._ended = wire.other._ended = True
            wire._far.connectionLost(Failure(ConnectionLost()))


def restarted(place: Place, how: Callable[[Place], None], **given: Any) -> Place:
    how(place)
    return Place(place.data, before=place, **given)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with gateway(tmp_path) as place:
        yield place


class Far(Mud):
    """A MUD elsewhere, whose users tell ours something."""

    def __init__(self, place: Place, name: str = "Far") -> None:
        super().__init__(place.exchanges[0], name)
        self.place = place
        self.start()
        place.run()

    def tell(self, *words: str, mud: str = "Near") -> None:
        for one in words:
            self.say("tell", "Bob", one, user="bob", to=mud, to_user="ann")
        self.place.run()

    def line(self, *words: str) -> None:
        self.say("channel-listen", "gossip", 1, to="*r0")
        for one in words:
            self.say("channel-m", "gossip", "Bob", one, user="bob")
        self.place.run()


def told(client: Client) -> list[str]:
    """The words of all tells since the last call."""
    return [one["message"] for one in client.take("tell_received")]


def back(place: Place, key: str, session: str, last: int | None = None, road: str = "tcp") -> tuple[Client, Any]:
    """A client that resumes its session."""
    client = Client(place, road)
    return client, client.result("authenticate", api_key=key, session_id=session, last_seq=last)


BOTH = pytest.mark.parametrize("how", [stop, kill])


@BOTH
def test_keys(place: Place, how: Callable[[Place], None]) -> None:
    """A key is good as soon as it was shown, and worth nothing as soon as it was revoked; ids are given once."""
    good, bad = place.key("Near"), place.key("Gone")
    place.keys.revoke("k2")
    after = restarted(place, how)
    assert Client(after, "tcp").call("authenticate", api_key=bad)["error"]["code"] == -32000
    assert Client(after, "tcp").result("authenticate", api_key=good)["mud_name"] == "Near"
    assert sorted(after.gateway.muds) == ["Near"]
    after.key("Other")
    assert [key.id for key in after.keys] == ["k1", "k3"]


@BOTH
def test_history(place: Place, how: Callable[[Place], None]) -> None:
    """Lines of channels that were written are there; after a stop all of them are."""
    key = place.key("Near")
    client = place.client("tcp", key=key)
    client.result("channel_join", channel="gossip")
    far = Far(place)
    far.line("one", "two")
    place.gateway.save()
    far.line("three")
    after = restarted(place, how)
    lines = after.client("tcp", key=key).result("channel_history", channel="gossip")["messages"]
    assert [one["message"] for one in lines] == ["one", "two", "three"][: 3 if how is stop else 2]


@pytest.mark.parametrize("road", ROADS)
def test_a_session_over_a_stop(place: Place, road: str) -> None:
    """All it was told is there again, its numbers go on, and its channels are heard without a word of the client."""
    key = place.key("Near")
    client = Client(place, road)
    session = client.result("authenticate", api_key=key)["session_id"]
    client.result("channel_join", channel="gossip")
    far = Far(place)
    far.tell("one")
    last = client.take()[-1]["params"]["seq"]
    far.tell("two")
    client.lost()  # it read no more
    far.tell("three")
    after = far.place = restarted(place, stop)
    far.tell("four")
    again, found = back(after, key, session, last, road)
    assert found["resumed"] is True
    assert found["lost"] == 0
    events = [one["params"] for one in again.take()]
    assert [one["message"] for one in events if "to_user" in one] == ["two", "three", "four"]
    assert [one["seq"] for one in events] == list(range(last + 1, last + 1 + found["missed"]))
    far.line("hello")
    assert [one["message"] for one in again.take("channel_message")] == ["hello"]
    assert told(again) == []


def test_a_session_over_a_kill(place: Place) -> None:
    """What was written is there; a number that was given is never given again."""
    key = place.key("Near")
    client = Client(place, "tcp")
    session = client.result("authenticate", api_key=key)["session_id"]
    client.result("channel_join", channel="gossip")
    place.pass_time(1000)  # it has been there for longer than events are kept
    far = Far(place)
    far.tell("one")
    client.take()
    far.tell("two")
    place.gateway.save()
    kept = client.take()[-1]["params"]["seq"]
    far.tell("three")
    last = client.take()[-1]["params"]["seq"]
    after = restarted(place, kill)
    after.gateway.sweep()
    far.place = after
    far.tell("four")
    again, found = back(after, key, session, last)
    assert found["resumed"] is True
    assert found["lost"] == 0
    events = [one["params"] for one in again.take()]
    assert [one["message"] for one in events if "to_user" in one] == ["four"]
    assert min(one["seq"] for one in events) > last
    far.line("hello")
    assert [one["message"] for one in again.take("channel_message")] == ["hello"]
    again.lost()
    _, found = back(after, key, session, kept - 1)
    assert found["missed"] == 1 + (found["seq"] - kept - PASSED)
    assert found["lost"] == 0


def test_a_kill_right_after_a_start(place: Place) -> None:
    """What the stop before wrote is not taken for all there was."""
    key = place.key("Near")
    session = Client(place, "tcp").result("authenticate", api_key=key)["session_id"]
    middle = restarted(place, stop)
    client, _ = back(middle, key, session)
    Far(middle).tell("one")
    last = client.take()[-1]["params"]["seq"]
    after = restarted(middle, kill)
    _, found = back(after, key, session, last)
    assert found["seq"] > last


def test_a_session_is_away_since_the_kill(place: Place) -> None:
    """It can be resumed for as long as others, not for ever."""
    key = place.key("Near")
    session = Client(place, "tcp").result("authenticate", api_key=key)["session_id"]
    place.pass_time(1000)
    place.gateway.save()
    after = restarted(place, kill)
    after.pass_time(299)
    after.gateway.sweep()
    client, found = back(after, key, session)
    assert found["resumed"] is True
    client.lost()
    after.pass_time(301)
    after.gateway.sweep()
    assert back(after, key, session)[1]["resumed"] is False


@BOTH
@pytest.mark.parametrize("road", ROADS)
def test_tells_that_found_nobody(place: Place, how: Callable[[Place], None], road: str) -> None:
    """They are written at once, and given once."""
    key = place.key("Near")
    far = Far(place)
    far.tell("one", "two")
    after = far.place = restarted(place, how)
    far.tell("three")
    client = Client(after, road)
    client.result("authenticate", api_key=key)
    assert told(client) == ["one", "two", "three"]
    client.lost()
    later = Client(restarted(after, how), road)
    later.result("authenticate", api_key=key)
    assert told(later) == []


def test_a_tell_that_waits_for_a_session_and_for_anybody(place: Place) -> None:
    """It stands in the session's own log and among those that found nobody: it is given once."""
    key = place.key("Near")
    client = Client(place, "tcp")
    session = client.result("authenticate", api_key=key)["session_id"]
    client.lost()
    Far(place).tell("one")
    for how in (stop, kill):
        place = restarted(place, how)
    again, _ = back(place, key, session)
    assert told(again) == ["one"]


def test_tells_of_ours_that_wait(tmp_path: Path) -> None:
    """Sent while the router is away: kept over any restart, and sent once."""
    with gateway(tmp_path, throttle=1) as place:
        key = place.key("Near")
        far = Far(place)
        place.pass_time(20)
        client = place.client("tcp", key=key)
        for word in ("one", "two", "three"):
            client.result("tell", target_mud="Far", target_user="Bob", message=word, from_user="Ann")
        factory = place.clock.routers.popitem()
        link = place.gateway.muds["Near"].link
        assert link._connection is not None
        link._connection.transport.loseConnection()
        place.run()
        sent = [one[7] for one in far.take("tell")]
        place.gateway.save()
        for how in (kill, stop, kill):
            place = restarted(place, how, throttle=1)
        place.clock.routers.update([factory])
        place.pass_time(60)
        sent += [one[7] for one in far.take("tell")]
        assert sent == ["one", "two", "three"]
        for how in (kill, stop):
            place = restarted(place, how, throttle=1)
            place.pass_time(60)
        assert far.take("tell") == []


def say_to_bob(client: Client, *words: str) -> list[bool]:
    """Whether each waits."""
    return [
        client.result("tell", target_mud="Far", target_user="Bob", message=one, from_user="Ann").get("queued", False)
        for one in words
    ]


def test_tells_that_wait_for_a_slow_router(tmp_path: Path) -> None:
    """The router is there and takes no more just now: what waits goes out after a kill, what it got does not again."""
    with gateway(tmp_path, throttle=2) as place:
        key = place.key("Near")
        far = Far(place)
        place.pass_time(20)
        words = [str(number) for number in range(9)]
        assert say_to_bob(place.client("tcp", key=key), *words) == [False, False, *[True] * 7]
        heard = [one[7] for one in far.take("tell")]
        assert heard == words[:2]
        for seconds in (1.5, 6.0, 0.0, 60.0, 0.0):  # a startup counts six of what a router takes
            place = restarted(place, kill, throttle=2)
            place.pass_time(seconds)
            heard += [one[7] for one in far.take("tell")]
        assert heard == words


def test_first_on_disk(tmp_path: Path) -> None:
    """Before a client is told that its tell waits, it is kept; before a router gets it, it is no more."""
    with gateway(tmp_path, throttle=2) as place:
        client = place.client("tcp", key=place.key("Near"))
        Far(place)
        place.pass_time(20)

        def kept() -> list[str]:
            file = place.data / UNSENT
            return [one[7] for one in json.loads(file.read_text()).get("Near", ())] if file.exists() else []

        seen: list[tuple[str, list[str]]] = []
        link = place.gateway.muds["Near"].link
        assert link._connection is not None
        for whose, transport in (("client", client.plug), ("router", link._connection.transport)):

            def write(data: bytes, whose: str = whose, write: Callable[[bytes], None] = transport.write) -> None:
                seen.append((whose, kept()))
                write(data)

            transport.write = write  # type: ignore[method-assign]
        say_to_bob(client, "a", "b", "c")
        client.send(
            [
                *[{"jsonrpc": "2.0", "method": "tell", "params": BOB | {"message": one}} for one in ("d", "e")],
                {"jsonrpc": "2.0", "id": 99, "method": "status"},
            ]
        )
        place.pass_time(1.2)
        place.pass_time(1.2)
        assert seen == [
            *[("router", []), ("client", [])] * 2,
            *[("client", ["c"]), ("client", ["c", "d", "e"])],
            *[("router", ["e"]), ("router", [])],
        ]


BOB = {"target_mud": "Far", "target_user": "Bob", "from_user": "Ann"}


def test_what_need_not_wait_is_on_no_disk(place: Place) -> None:
    """Nothing is written for a tell that goes out at once."""
    client, far = place.client("tcp", "Near"), Far(place)
    assert say_to_bob(client, "one", "two") == [False, False]
    assert [one[7] for one in far.take("tell")] == ["one", "two"]
    assert not (place.data / UNSENT).exists()


def test_a_disk_that_is_full_while_tells_wait(tmp_path: Path) -> None:
    """What cannot be kept is sent all the same; none is sent twice, for what stands there is no more."""
    with gateway(tmp_path, throttle=1) as place:
        client, far = place.client("tcp", key=place.key("Near")), Far(place)
        place.pass_time(20)
        say_to_bob(client, "one", "two", "three")
        full = (place.data / UNSENT).with_suffix(".part")
        full.mkdir()
        place.pass_time(1.2)
        assert [one[7] for one in far.take("tell")] == ["one", "two"]
        full.rmdir()
        after = restarted(place, kill, throttle=1)
        after.pass_time(30)
        assert far.take("tell") == []


def test_tells_of_a_mud_without_a_key(tmp_path: Path) -> None:
    """They go with it."""
    with gateway(tmp_path, throttle=1) as place:
        client = place.client("tcp", key=place.key("Near"))
        place.pass_time(20)
        say_to_bob(client, "one", "two")
        assert "two" in (place.data / UNSENT).read_text()
        place.keys.revoke("k1")
        place.run()
        assert json.loads((place.data / UNSENT).read_text()) == {}


def test_two_routers_one_dies(tmp_path: Path) -> None:
    """What waits for the one is sent by the other, in order and once; channels are heard there."""
    with gateway(tmp_path, throttle=2, routers=2) as place:
        key = place.key("Near")
        client = place.client("tcp", key=key)
        client.result("channel_join", channel="gossip")
        place.pass_time(20)
        one, two = Far(place), Mud(place.exchanges[1], "Far")
        two.start()
        words = [f"tell {number}" for number in range(20)]
        for word in words:
            client.result("tell", target_mud="Far", target_user="Bob", message=word, from_user="Ann")
        place.pass_time(3)
        first = [value[7] for value in one.take("tell")]
        assert 0 < len(first) < len(words)
        place.cut(0)
        assert client.error("tell", target_mud="Far", target_user="Bob", message="no")[0] == -32004
        place.pass_time(60)
        assert place.gateway.muds["Near"].link.router == "*r1"
        assert first + [value[7] for value in two.take("tell")] == words
        two.say("channel-listen", "gossip", 1, to="*r1")
        two.say("channel-m", "gossip", "Bob", "hello", user="bob")
        assert [value["message"] for value in client.take("channel_message")] == ["hello"]


def test_ten_thousand_tells(place: Place) -> None:
    """With a planned restart in their middle each arrives once, and in order: those of the time between are refused by
    the router, and their senders know it."""
    key = place.key("Near")
    client = Client(place, "tcp")
    session = client.result("authenticate", api_key=key)["session_id"]
    far = Far(place)
    heard: list[str] = []
    last = 0

    def listen(client: Client) -> None:
        nonlocal last
        for one in client.take():
            last = one["params"]["seq"]
            if one["method"] == "tell_received":
                heard.append(one["params"]["message"])

    for start in range(0, 5000, 100):
        far.tell(*[str(number) for number in range(start, start + 100)])
        if start < 4900:
            listen(client)
    client.lost()  # the last hundred are on their way
    far.tell("gone", "too")
    stop(place)
    far.tell("between")
    assert far.errors() == ["unk-dst"]
    after = Place(place.data, before=place)
    client, found = back(after, key, session, last)
    assert found["lost"] == 0
    listen(client)
    far.place = after
    for start in range(5000, 10_000, 100):
        far.tell(*[str(number) for number in range(start, start + 100)])
        listen(client)
    assert heard == [*map(str, range(5000)), "gone", "too", *map(str, range(5000, 10_000))]


def test_a_router_that_does_not_read(place: Place) -> None:
    """It keeps nobody from stopping."""
    place.key("Near")
    for name in ("Other", "Third"):
        place.key(name)
    aborted: list[str] = []

    def abort(name: str, wire: Any) -> Callable[[], None]:
        aborting = wire.abortConnection

        def do() -> None:
            aborted.append(name)
            aborting()

        return do

    for mud in place.gateway.muds.values():
        assert mud.link._connection is not None
        wire = mud.link._connection.transport
        wire.abortConnection = abort(mud.name, wire)
        wire.write = wire.loseConnection = lambda *data: None
    done: list[Any] = []
    Deferred.fromCoroutine(place.gateway.stop()).addCallback(done.append)
    place.run()
    assert not done
    place.pass_time(LEAVING + 1)
    assert done
    assert sorted(aborted) == ["Near", "Other", "Third"]
    assert json.loads((place.data / STATE).read_text())["stopped"] is True


@pytest.mark.parametrize("file", [STATE, TELLS, UNSENT])
@pytest.mark.parametrize(
    "text",
    [
        '{"muds": {"Near": {"history": {}, "events": [], "sessi',
        "[]",
        '{"events": "many"}',
        '{"muds": []}',
        '{"muds": {"Near": 5}, "Near": 5}',
        '{"muds": {"Near": {"events": [], "sessions": [{"id": "x", "key": "k1"}]}}, "Near": [5]}',
        '{"muds": {"Near": {"events": [[]], "sessions": []}}, "Near": [[]]}',
        '{"muds": {"Near": {"events": [], "sessions": 5}}, "Near": [{}]}',
        '{"muds": {"Near": 5}, "Near": [["tell"]]}',
    ],
)
def test_a_file_that_makes_no_sense(place: Place, file: str, text: str) -> None:
    """It is set aside, whole, and the gateway goes on without it."""
    key = place.key("Near")
    stop(place)
    (place.data / file).write_text(text)
    after = Place(place.data, before=place)
    assert Client(after, "tcp").result("authenticate", api_key=key)["mud_name"] == "Near"
    aside = (place.data / file).with_suffix(".bad")
    if aside.exists() or file == STATE:
        assert aside.read_text() == text


@pytest.mark.parametrize("text", ["{", '{"keys": 5}', '{"keys": [{}]}', '{"keys": [], "next": []}'])
def test_keys_that_make_no_sense(place: Place, text: str) -> None:
    """They are set aside, and those that are made later do not overwrite them."""
    path = place.data / "gateway-keys.json"
    path.write_text(text)
    after = restarted(place, stop)
    assert list(after.keys) == []
    after.key("Near")
    assert path.with_suffix(".bad").read_text() == text


def test_a_full_disk(tmp_path: Path) -> None:
    """What cannot be written is written later; nobody's connection suffers, to the router or to us."""
    with gateway(tmp_path, throttle=1) as place:
        key = place.key("Near")
        far = Far(place)
        place.pass_time(20)
        client = place.client("tcp", key=key)
        client.result("tell", target_mud="Far", target_user="Bob", message="one", from_user="Ann")
        client.result("tell", target_mud="Far", target_user="Bob", message="two", from_user="Ann")
        for file in (STATE, UNSENT):
            (place.data / file).unlink(missing_ok=True)
        for file in (STATE, TELLS, UNSENT):  # a folder there is as good as a full disk
            (place.data / file / "full").mkdir(parents=True)
        link = place.gateway.muds["Near"].link
        assert link._connection is not None
        link._connection.transport.loseConnection()
        place.pass_time(30)
        assert link.up
        assert [one[7] for one in far.take("tell")] == ["one", "two"]
        client.lost()
        far.tell("to nobody")
        place.gateway.save()
        for file in (STATE, TELLS, UNSENT):
            (place.data / file / "full").rmdir()
            (place.data / file).rmdir()
        place.pass_time(AGAIN + 1)
        place.gateway.save()
        after = restarted(place, kill)
        client = Client(after, "tcp")
        client.result("authenticate", api_key=key)
        assert told(client) == ["to nobody"]
