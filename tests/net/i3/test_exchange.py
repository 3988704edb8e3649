"""The router in the box: it does what routers do, and lets a MUD get away with no more than they would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.net.i3.exchange import DEAF, FLOOD, Exchange
from mythos.wire.i3 import lpc
from tests.net.i3.peer import Mud


def exchange(*, private: bool = True) -> Exchange:
    numbers = count(1000)
    return Exchange("*box", "192.0.2.9 8787", lambda: next(numbers), private=private)


@pytest.fixture
def box() -> Exchange:
    return exchange()


@pytest.fixture
def two(box: Exchange) -> Iterator[tuple[Mud, Mud]]:
    """Ann's MUD and Bob's, both let in."""
    ann, bob = Mud(box, "Ann's"), Mud(box, "Bob's")
    for one in (ann, bob):
        one.start()
    for one in (ann, bob):
        one.take()
    yield ann, bob


# ── coming and going ────────────────────────────────────────────────────────────────────────────


def test_startup(box: Exchange) -> None:
    """A password, the router, everybody who is known; and everybody is told."""
    ann = Mud(box, "Ann's", "192.0.2.1")
    assert ann.start() == 1000
    reply = ann.heard[0]
    assert reply[:7] == ["startup-reply", 5, "*box", 0, "Ann's", 0, [["*box", "192.0.2.9 8787"]]]
    bob = Mud(box, "Bob's", "192.0.2.2")
    bob.start()
    known: dict[str, Any] = {}
    for one in bob.take("mudlist"):
        known.update(one[7])
    assert known.keys() == {"Ann's", "Bob's"}
    assert known["Ann's"][:3] == [-1, "192.0.2.1", 4000]
    assert [list(one[7]) for one in ann.take("mudlist")][-1] == ["Bob's"]


def test_a_mud_that_goes_is_down(box: Exchange, two: tuple[Mud, Mud]) -> None:
    ann, bob = two
    box.left(bob.seat)
    (change,) = ann.take("mudlist")
    assert change[7]["Bob's"][0] == 0
    ann.say("tell", "Ann", "hi", user="ann", to="Bob's", to_user="bob")
    assert ann.errors() == ["unk-dst"]


def test_a_password_holds_the_name(box: Exchange) -> None:
    """The MUD itself comes back in place of its old connection; another does not get in."""
    ann = Mud(box, "Ann's")
    password = ann.start()
    thief = Mud(box, "Ann's")
    thief.start(password + 1)
    assert thief.errors() == ["not-allowed"]
    thief.start(0)
    assert thief.errors() == ["bad-proto"]
    again = Mud(box, "Ann's")
    assert again.start(password) == password
    assert ann.closed
    box.left(ann.seat)
    assert box.muds["Ann's"].up


def test_a_mud_that_says_it_is_another(box: Exchange) -> None:
    """It is refused, even with the other's password, and the other stays."""
    ann, bob = Mud(box, "Ann's"), Mud(box, "Bob's")
    ann.start()
    password = bob.start()
    ann.take()
    ann.name = "Bob's"
    ann.start(password)
    assert ann.errors() == ["bad-proto"]
    assert not bob.closed
    ann.say("tell", "Ann", "hi", user="ann", to="Bob's", to_user="bob", mud="Ann's")
    assert bob.take("tell")


@pytest.mark.parametrize("change", [{6: "x"}, {9: "x"}, {12: 0}, {18: 0, 19: 0, 17: 0}, {2: "*me"}, {2: "x" * 65}])
def test_a_startup_that_is_wrong(box: Exchange, change: dict[int, Any]) -> None:
    mud = Mud(box, "Ann's")
    value: list[Any] = ["startup-req-3", 5, "Ann's", 0, "*box", 0, 0, 0, 0, 1, 0, 0, *"mbdtoa", {}, {}]
    for place, wrong in change.items():
        value[place] = wrong
    mud.raw(value)
    assert mud.errors() == ["bad-pkt"]
    assert not box.muds


def test_nobody_speaks_before_startup(box: Exchange) -> None:
    mud = Mud(box, "Ann's")
    mud.say("tell", "Ann", "hi", user="ann", to="Bob's", to_user="bob")
    assert mud.errors() == ["unk-src"]


def test_nobody_speaks_for_another(two: tuple[Mud, Mud]) -> None:
    ann, bob = two
    ann.say("tell", "Bob", "hi", user="bob", to="Bob's", to_user="bob", mud="Bob's")
    assert ann.errors() == ["unk-src"]
    assert bob.take() == []


# ── between two ─────────────────────────────────────────────────────────────────────────────────


def test_tell(two: tuple[Mud, Mud]) -> None:
    ann, bob = two
    ann.say("tell", "Ann", 'say "hi" \\o/ é', user="ann", to="Bob's", to_user="bob")
    assert bob.take() == [["tell", 4, "Ann's", "ann", "Bob's", "bob", "Ann", 'say "hi" \\o/ é']]


@pytest.mark.parametrize("kind", ["who-req", "finger-req", "auth-mud-req", "chan-who-req"])
def test_a_question_and_its_answer(two: tuple[Mud, Mud], kind: str) -> None:
    ann, bob = two
    ann.say(kind, "x", user="ann", to="Bob's")
    (asked,) = bob.take(kind)
    assert asked[2:4] == ["Ann's", "ann"]


def test_a_broadcast_reaches_who_offers_the_service(box: Exchange, two: tuple[Mud, Mud]) -> None:
    ann, bob = two
    deaf = Mud(box, "Deaf")
    deaf.start(services={"tell": 1})
    deaf.take()
    ann.say("locate-req", "bob", user="ann")
    assert len(bob.take("locate-req")) == 1
    assert deaf.take("locate-req") == []
    assert ann.take("locate-req") == []
    ann.say("tell", "Ann", "all", user="ann")
    assert ann.errors() == ["bad-pkt"]


def test_hops_run_out(two: tuple[Mud, Mud]) -> None:
    ann, bob = two
    ann.say("tell", "Ann", "hi", user="ann", to="Bob's", to_user="bob", ttl=0)
    assert bob.take() == []


def test_what_the_router_does_not_do(two: tuple[Mud, Mud]) -> None:
    ann, _ = two
    ann.say("tell", "Ann", "hi", user="ann", to="*box", to_user="x")
    assert ann.errors() == ["not-imp"]
    ann.say("error", "unk-user", "no", 0, to="*box")
    assert ann.errors() == []


# ── channels ────────────────────────────────────────────────────────────────────────────────────


def channel(host: Mud, *others: Mud, kind: int = 0) -> None:
    host.say("channel-add", "talk", kind, user="admin", to="*box")
    for mud in (host, *others):
        mud.say("channel-listen", "talk", 1, to="*box")
        mud.take()


def test_a_line_is_heard_by_all_who_listen(box: Exchange, two: tuple[Mud, Mud]) -> None:
    """The speaker too: so it learns that its line went out."""
    ann, bob = two
    channel(ann, bob)
    cid = Mud(box, "Cid's")
    cid.start()
    cid.take()
    ann.say("channel-m", "talk", "Ann", "hello", user="ann")
    heard = [["channel-m", 4, "Ann's", "ann", 0, 0, "talk", "Ann", "hello"]]
    assert (ann.take("channel-m"), bob.take("channel-m"), cid.take()) == (heard, heard, [])


def test_channels_are_announced(box: Exchange, two: tuple[Mud, Mud]) -> None:
    ann, bob = two
    ann.say("channel-add", "talk", 1, user="admin", to="*box")
    assert bob.take("chanlist-reply")[0][7] == {"talk": ["Ann's", 1]}
    bob.say("channel-remove", "talk", user="admin", to="*box")
    assert bob.errors() == ["not-allowed"]
    ann.say("channel-remove", "talk", user="admin", to="*box")
    assert bob.take("chanlist-reply")[0][7] == {"talk": 0}
    late = Mud(box, "Late")
    late.start()
    assert late.take("chanlist-reply")[0][7] == {}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (["channel-m", 5, "Bob's", "bob", 0, 0, "nowhere", "Bob", "x"], "unk-channel"),
        (["channel-m", 5, "Bob's", "bob", 0, 0, "talk", "Bob", "x"], "not-allowed"),
        (["channel-m", 5, "Bob's", "bob", 0, 0, "talk", "Bob", "x", "y"], "bad-pkt"),
        (["channel-m", 5, "Bob's", 0, 0, 0, "talk", "Bob", "x"], "bad-pkt"),
        (["channel-m", 5, "Bob's", "bob", "*box", 0, "talk", "Bob", "x"], "bad-pkt"),
        (["channel-listen", 5, "Bob's", 0, "*box", 0, "talk", "1"], "bad-pkt"),
        (["channel-listen", 5, "Bob's", 0, 0, 0, "talk", 1], "bad-pkt"),
        (["channel-listen", 5, "Bob's", 0, "*box", 0, "nowhere", 1], "unk-channel"),
    ],
)
def test_what_a_channel_does_not_take(two: tuple[Mud, Mud], value: list[Any], code: str) -> None:
    ann, bob = two
    channel(ann)
    bob.take()
    bob.raw(value)
    assert bob.errors() == [code]
    assert ann.take("channel-m") == []


def test_banned_and_admitted(two: tuple[Mud, Mud]) -> None:
    """An open channel bans those on its list; a closed one admits only them."""
    ann, bob = two
    channel(ann, bob)
    ann.say("channel-admin", "talk", ["Bob's"], [], user="admin", to="*box")
    bob.say("channel-m", "talk", "Bob", "x", user="bob")
    bob.say("channel-listen", "talk", 1, to="*box")
    assert bob.errors() == ["not-allowed", "not-allowed"]
    ann.say("channel-add", "talk", 1, user="admin", to="*box")
    bob.say("channel-listen", "talk", 1, to="*box")
    assert bob.errors() == []


def test_whom_a_channel_bans(two: tuple[Mud, Mud]) -> None:
    """Its host may know, and nobody else; a long list is cut, so that it can be sent."""
    ann, bob = two
    channel(ann, bob)
    for start in range(0, 400, 100):
        ann.say("channel-admin", "talk", [f"M{number:03}" for number in range(start, start + 100)], [], to="*box")
    ann.take()
    ann.say("chan-adminlist", "talk", user="admin", to="*box")
    (reply,) = ann.take()
    assert reply[:6] == ["chan-adminlist-reply", 5, "*box", 0, "Ann's", "admin"]
    assert reply[6:] == ["talk", [f"M{number:03}" for number in range(300)]]
    bob.say("chan-adminlist", "talk", user="bob", to="*box")
    ann.say("chan-adminlist", "nowhere", user="admin", to="*box")
    assert (bob.errors(), ann.errors()) == (["not-allowed"], ["unk-channel"])


def test_a_filtered_channel(two: tuple[Mud, Mud]) -> None:
    """Its host sees each line of others first, and says what becomes of it."""
    ann, bob = two
    channel(ann, bob, kind=2)
    ann.say("channel-admin", "talk", ["Bob's"], [], user="admin", to="*box")
    bob.say("channel-listen", "talk", 1, to="*box")
    bob.take()
    bob.say("channel-m", "talk", "Bob", "damn", user="bob")
    (asked,) = ann.take("chan-filter-req")
    line = asked[7]
    ann.say("chan-filter-reply", "talk", [*line[:8], "darn"], to="*box")
    assert [one[8] for one in bob.take("channel-m")] == ["darn"]
    bob.say("chan-filter-reply", "talk", line, to="*box")
    assert ann.take("channel-m")[1:] == []


# ── too much, and worse ─────────────────────────────────────────────────────────────────────────


def test_a_flood_is_not_heard_for_a_while() -> None:
    """More than ten in a second: said once, then silence, until it is over. A private router does not mind."""
    for private in (False, True):
        box = exchange(private=private)
        ann, bob = Mud(box, "Ann's"), Mud(box, "Bob's")
        for one in (ann, bob):
            one.start()
            one.take()
            one.now += 1
        for number in range(FLOOD + 20):
            ann.say("tell", "Ann", str(number), user="ann", to="Bob's", to_user="bob")
        heard = bob.take("tell")
        assert len(heard) == (FLOOD + 20 if private else FLOOD)
        assert ann.errors() == ([] if private else ["not-allowed"])
        ann.now += DEAF + 1
        ann.say("tell", "Ann", "back", user="ann", to="Bob's", to_user="bob")
        assert [one[7] for one in bob.take("tell")] == ["back"]


VALUES = st.recursive(
    st.integers(-3, 9) | st.sampled_from(["Ann's", "Bob's", "*box", "talk", "ann", "", "0", "channel-m", "tell"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["tell", "x"]), inner, max_size=2),
    max_leaves=10,
)
KINDS = ("startup-req-3", "channel-m", "channel-e", "channel-t", "channel-listen", "channel-add", "channel-admin")


@given(
    st.lists(
        st.tuples(st.sampled_from((*KINDS, "chan-filter-reply", "tell", "mudlist", "x")), st.lists(VALUES, max_size=16))
    )
)
def test_any_packets(sent: list[tuple[str, list[Any]]]) -> None:
    """Whatever a MUD sends, nothing but packets comes out, and another MUD is served as before."""
    box = exchange()
    ann, bob = Mud(box, "Ann's"), Mud(box, "Bob's")
    ann.start()
    bob.start()
    channel(ann)
    for kind, rest in sent:
        for header in ([5, "Bob's", "bob", 0, 0], [5, "Bob's", 0, "*box", 0], []):
            bob.raw([kind, *header, *rest])
    for heard in bob.take():
        assert lpc.decode(lpc.encode(heard))[1] is None
    ann.take()
    ann.say("tell", "Ann", "hi", user="ann", to="Ann's", to_user="ann")
    assert len(ann.take("tell")) == 1


# ── lists ───────────────────────────────────────────────────────────────────────────────────────


def lists(mud: Mud) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the mud lists and the channel lists since the last call say together."""
    heard = mud.take()
    muds: dict[str, Any] = {}
    channels: dict[str, Any] = {}
    for one in heard:
        if one[0] == "mudlist":
            muds.update({name: info and info[0] for name, info in one[7].items()})
        elif one[0] == "chanlist-reply":
            channels.update(one[7])
    return muds, channels


def start_with(mud: Mud, password: int, mudlist: int, chanlist: int) -> None:
    texts = ("lib", "base", "driver", "LP", "open", "a@example.org")
    services = {"channel": 1}
    mud.say("startup-req-3", password, mudlist, chanlist, 4000, 0, 0, *texts, services, {}, to=mud.exchange.name)


def test_only_what_changed_is_sent() -> None:
    """To a MUD that comes back with the ids it has; all of it to one that has none of ours."""
    exchange = Exchange("*r", "192.0.2.9 8787", lambda: 77, private=True)
    ann, bob = Mud(exchange, "Ann"), Mud(exchange, "Bob")
    ann.start()
    bob.start()
    ann.say("channel-add", "tea", 0, user="ann", to="*r")
    ann.say("channel-add", "gin", 0, user="ann", to="*r")
    ids = exchange._ids
    exchange.left(bob.seat)
    for number in range(3):
        Mud(exchange, f"New{number}").start()
    ann.say("channel-remove", "gin", user="ann", to="*r")
    ann.say("channel-add", "rum", 0, user="ann", to="*r")
    bob.take()
    start_with(bob, 77, ids, ids)
    muds, channels = lists(bob)
    assert muds == {"Bob": -1, "New0": -1, "New1": -1, "New2": -1}
    assert channels == {"gin": 0, "rum": ["Ann", 0]}
    for wrong in (0, 10_000):
        exchange.left(bob.seat)
        start_with(bob, 77, wrong, wrong)
        muds, channels = lists(bob)
        assert set(muds) == {"Ann", "Bob", "New0", "New1", "New2"}
        assert set(channels) == {"tea", "rum"}


def test_what_outlives_the_router() -> None:
    """Passwords, MUDs (all of them down), channels and whom they ban; who had its lists learns what is news."""
    before = Exchange("*r", "192.0.2.9 8787", lambda: 77, private=True)
    ann, bob = Mud(before, "Ann"), Mud(before, "Bob")
    ann.start()
    bob.start()
    ann.say("channel-add", "tea", 0, user="ann", to="*r")
    ann.say("channel-admin", "tea", ["Bob"], [], user="ann", to="*r")
    assert before.changed
    kept = json.loads(json.dumps(before.kept()))
    assert not before.changed
    after = Exchange("*r", "192.0.2.9 8787", lambda: 78, private=True)
    after.remember(kept)
    bob = Mud(after, "Bob")
    start_with(bob, 77, before._ids, before._ids)
    muds, channels = lists(bob)
    assert muds == {"Ann": 0, "Bob": -1}
    assert channels == {"tea": ["Ann", 0]}
    bob.say("channel-listen", "tea", 1, to="*r")
    assert bob.errors() == ["not-allowed"]
