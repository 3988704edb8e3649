"""Every method, on both roads: its result to the letter, its errors, and what other MUDs get to hear of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from mythos.net.gateway.methods import CHANNELS, METHODS, USERS
from mythos.wire.i3 import packets
from mythos.wire.i3.packets import ChannelInfo
from tests.conftest import Failures
from tests.net.gateway.place import ROADS, Client, Place, gateway

pytestmark = pytest.mark.parametrize("road", ROADS)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with gateway(tmp_path) as place:
        yield place


@pytest.fixture
def ann(place: Place, road: str) -> Client:
    return place.client(road, "Reach")


@pytest.fixture
def bob(place: Place, road: str) -> Client:
    return place.client(road, "Salt")


# ── what is said ────────────────────────────────────────────────────────────────────────────────


def test_tell(ann: Client, bob: Client) -> None:
    """The MUD's name is found whatever its case; the user's is sent in small letters."""
    sent = ann.result("tell", target_mud="SALT", target_user="Bob", message="hello ☃", from_user="Ann")
    assert sent["status"] == "sent"
    assert sent["message_id"].startswith("tell_Salt_1800000000.")
    assert bob.take("tell_received") == [
        {
            "from_mud": "Reach",
            "from_user": "ann",
            "to_mud": "Salt",
            "to_user": "bob",
            "message": "hello ☃",
            "visname": "Ann",
        }
    ]
    ann.result("tell", target_mud="Salt", target_user="bob", message="who am I?")
    assert bob.take("tell_received")[0]["visname"] == "Someone"


@pytest.mark.parametrize("name", ["emote", "message"])
def test_emoteto(ann: Client, bob: Client, name: str) -> None:
    """Libraries in use call the words one or the other."""
    sent = ann.result("emoteto", target_mud="Salt", target_user="bob", from_user="Ann", **{name: "waves."})
    assert sent["message_id"].startswith("emoteto_Salt_")
    (heard,) = bob.take("emoteto_received")
    assert (heard["message"], heard["emote"], heard["visname"]) == ("$N waves.", "$N waves.", "Ann")


def test_channel_send(ann: Client, bob: Client) -> None:
    """Whoever joined hears it, the MUD that says it once; who did not join hears nothing but may speak."""
    assert bob.result("channel_join", channel="gossip") == {"status": "joined", "channel": "gossip"}
    ann.result("channel_join", channel="gossip")
    sent = ann.result("channel_send", channel="gossip", message="hi", from_user="Ann", visname="Ann the Odd")
    assert sent["message_id"].startswith("channel_gossip_")
    line = {
        "channel": "gossip",
        "from_mud": "Reach",
        "from_user": "ann",
        "message": "hi",
        "visname": "Ann the Odd",
        "type": "message",
        "user": "Ann the Odd",
        "mud": "Reach",
    }
    assert ann.take("channel_message") == [line]
    assert bob.take("channel_message") == [line]
    assert bob.result("channel_leave", channel="gossip") == {"status": "left", "channel": "gossip"}
    ann.result("channel_send", channel="gossip", message="hi", from_user="Ann")
    assert bob.take("channel_message") == []


@pytest.mark.parametrize("name", ["emote", "message"])
def test_channel_emote(ann: Client, bob: Client, name: str) -> None:
    bob.result("channel_join", channel="gossip")
    ann.result("channel_join", channel="gossip")
    sent = ann.result("channel_emote", channel="gossip", from_user="Ann", **{name: "$N waves."})
    assert sent["message_id"].startswith("channel_emote_gossip_")
    (heard,) = bob.take("channel_emote")
    assert (heard["emote"], heard["message"], heard["type"]) == ("$N waves.", "$N waves.", "emote")


def test_who_says_it_may_be_left_out(ann: Client, bob: Client) -> None:
    """It is Someone then; what is shown is what the user is called, unless it is said."""
    for one in (ann, bob):
        one.result("channel_join", channel="gossip")
    for method, words, event in (
        ("channel_send", "message", "channel_message"),
        ("channel_emote", "emote", "channel_emote"),
    ):
        ann.result(method, channel="gossip", **{words: "x"})
        ann.result(method, channel="gossip", from_user="Ann", **{words: "x"})
        heard = [(one["from_user"], one["visname"]) for one in bob.take(event)]
        assert heard == [("someone", "Someone"), ("ann", "Ann")]
    ann.result("emoteto", target_mud="Salt", target_user="bob", emote="waves.")
    assert bob.take("emoteto_received")[0]["from_user"] == "someone"
    bob.result("presence_sync", users=[USER])
    for method, params in (
        ("who", {"target_mud": "Salt"}),
        ("finger", {"target_mud": "Salt", "target_user": "bob"}),
        ("locate", {"target_user": "bob"}),
    ):
        ann.result(method, **params)
        assert ann.take(f"{method}_reply")[0]["to_user"] == "*"


def test_nothing_is_sent_without_a_router(place: Place, ann: Client) -> None:
    """The client is told so, and may say it again later."""
    place.cut(0)
    for method, params in {
        "tell": {"target_mud": "Salt", "target_user": "bob", "message": "x"},
        "emoteto": {"target_mud": "Salt", "target_user": "bob", "emote": "x"},
        "channel_send": {"channel": "gossip", "message": "x"},
        "channel_emote": {"channel": "gossip", "emote": "x"},
    }.items():
        assert ann.error(method, **params)[0] == -32004
    assert ann.result("who", target_mud="Salt") == {"status": "failed", "message": "Could not query Salt"}
    assert ann.result("finger", target_mud="Salt", target_user="b")["status"] == "failed"
    assert ann.result("locate", target_user="bob") == {"status": "failed", "message": "Could not look for bob"}
    assert ann.result("status")["connected"] is False


# ── channels ────────────────────────────────────────────────────────────────────────────────────


def test_channel_list(place: Place, ann: Client) -> None:
    place.exchanges[0].channels["dutch"] = ChannelInfo("Salt", 2)
    place.exchanges[0]._announce_channel("dutch")
    place.run()
    ann.result("channel_join", channel="gossip", user_name="Ann")
    found = ann.result("channel_list")
    assert found == {
        "status": "success",
        "channels": [
            {"name": "dutch", "owner": "Salt", "type": 2, "member_count": 0},
            {"name": "gossip", "owner": "*r0", "type": 0, "member_count": 1},
        ],
        "count": 2,
        "subscribed_channels": ["gossip"],
    }
    for wanted, names in (({"type": 2}, ["dutch"]), ({"owner": "*r0"}, ["gossip"]), ({"min_members": 1}, ["gossip"])):
        assert [one["name"] for one in ann.result("channel_list", filter=wanted, refresh=True)["channels"]] == names


def test_channel_who(ann: Client, bob: Client) -> None:
    """Those of this gateway's MUDs at once; those of another MUD are asked for."""
    ann.result("channel_join", channel="gossip", user_name="Ann")
    bob.result("channel_join", channel="gossip", user_name="Bob")
    assert ann.result("channel_who", channel="gossip") == {
        "status": "success",
        "channel": "gossip",
        "members": [{"mud": "Reach", "users": ["Ann"]}, {"mud": "Salt", "users": ["Bob"]}],
        "users": [{"mud": "Reach", "user": "Ann"}, {"mud": "Salt", "user": "Bob"}],
    }
    asked = ann.result("channel_who", channel="gossip", target_mud="salt")
    assert (asked["status"], asked["users"]) == ("success", [{"mud": "Salt", "user": "Bob"}])


def test_channel_history(place: Place, ann: Client, bob: Client) -> None:
    for one in (ann, bob):
        one.result("channel_join", channel="gossip")
    for number in range(5):
        ann.result("channel_send", channel="gossip", message=f"line {number}", from_user="Ann")
        place.pass_time(10)
    found = bob.result("channel_history", channel="gossip", limit=3)
    assert [one["message"] for one in found["messages"]] == ["line 2", "line 3", "line 4"]
    assert (found["status"], found["count"]) == ("success", 3)
    at = found["messages"][1]["timestamp"]
    assert at == "2027-01-15T08:00:30.000000Z"
    before = bob.result("channel_history", channel="gossip", before=at)
    assert [one["message"] for one in before["messages"]] == ["line 0", "line 1", "line 2"]
    after = bob.result("channel_history", channel="gossip", after=1_800_000_030.0)
    assert [one["message"] for one in after["messages"]] == ["line 4"]
    assert bob.result("channel_history", channel="none")["messages"] == []


def test_one_client_leaves_and_another_still_hears(place: Place, road: str, ann: Client) -> None:
    """Channels are counted: the router is told only when the last of a MUD's clients has left."""
    key = place.key("Salt")
    first, second = place.client(road, key=key), place.client(road, key=key)
    for one in (first, second):
        one.result("channel_join", channel="gossip")
    first.result("channel_leave", channel="gossip")
    ann.result("channel_send", channel="gossip", message="a")  # Reach does not hear itself: it did not join
    assert ann.take("error_occurred")[0]["error_message"] == "Your MUD is not listening to gossip."
    ann.result("channel_join", channel="gossip")
    ann.result("channel_send", channel="gossip", message="b")
    assert [one["message"] for one in second.take("channel_message")] == ["b"]
    assert first.take("channel_message") == []


def test_joining_and_leaving(ann: Client, bob: Client) -> None:
    """Twice, or what one never joined, is no harm; who only listens hears too; names of channels are told by case."""
    assert bob.result("channel_leave", channel="gossip") == {"status": "left", "channel": "gossip"}
    for _ in range(2):
        assert bob.result("channel_join", channel="gossip", listen_only=True)["status"] == "joined"
    assert bob.result("channel_join", channel="Gossip") == {"status": "joined", "channel": "Gossip"}
    ann.result("channel_join", channel="gossip")
    bob.take()
    ann.result("channel_send", channel="gossip", message="hi")
    assert len(bob.take("channel_message")) == 1
    bob.result("channel_leave", channel="gossip")
    ann.result("channel_send", channel="gossip", message="hi")
    assert bob.take("channel_message") == []
    assert bob.result("channel_list")["subscribed_channels"] == ["Gossip"]


def test_how_much_of_a_channels_past(ann: Client) -> None:
    """Fifty lines if nothing is said, a hundred at most; each as it was heard, with its time."""
    ann.result("channel_join", channel="gossip")
    for number in range(120):
        ann.result("channel_send", channel="gossip", message=str(number), from_user="Ann")
    past = ann.result("channel_history", channel="gossip")
    assert (past["channel"], past["count"], len(past["messages"])) == ("gossip", 50, 50)
    assert past["messages"][-1] == ann.take("channel_message")[-1] | {"timestamp": "2027-01-15T08:00:00.000000Z"}
    whole = ann.result("channel_history", channel="gossip", limit=100)["messages"]
    assert [one["message"] for one in whole] == [str(number) for number in range(20, 120)]
    assert ann.result("channel_history", channel="gossip", limit=0)["messages"] == []


def test_too_many_channels(ann: Client) -> None:
    for number in range(CHANNELS):
        ann.result("channel_join", channel=f"c{number}")
    assert ann.error("channel_join", channel="more")[0] == -32602
    ann.result("channel_join", channel="c1")
    ann.result("channel_leave", channel="c1")
    ann.result("channel_join", channel="more")


def test_an_emote_at_somebody(ann: Client, bob: Client) -> None:
    """All on the channel hear it; who it is at reads words of their own."""
    for one in (ann, bob):
        one.result("channel_join", channel="gossip")
    words = {"emote": "$N pokes $O.", "message_target": "$N pokes you."}
    ann.result("channel_emote", channel="gossip", from_user="Ann", target_mud="salt", target_user="Bob", **words)
    for one in (ann, bob):
        (heard,) = one.take("channel_emote")
        assert (heard["emote"], heard["message_target"]) == ("$N pokes $O.", "$N pokes you.")
        assert (heard["target_mud"], heard["target_user"], heard["target_visname"]) == ("Salt", "bob", "Bob")


def test_channels_of_ones_own(place: Place, ann: Client, bob: Client) -> None:
    """Made, kept for some, and removed; what the router does not allow comes as an event."""
    assert ann.result("channel_add", channel="tea", type=1) == {"status": "requested", "channel": "tea"}
    listed = {one["name"]: one for one in bob.result("channel_list")["channels"]}
    assert (listed["tea"]["owner"], listed["tea"]["type"]) == ("Reach", 1)
    bob.result("channel_join", channel="tea")
    assert bob.take("error_occurred")[0]["error_code"] == "not-allowed"
    ann.result("channel_admin", channel="tea", add=["SALT"])
    bob.result("channel_leave", channel="tea")
    bob.result("channel_join", channel="tea")
    ann.result("channel_join", channel="tea")
    ann.result("channel_send", channel="tea", message="hi")
    assert len(bob.take("channel_message")) == 1
    bob.result("channel_remove", channel="tea")
    assert bob.take("error_occurred")[0]["error_code"] == "not-allowed"
    ann.result("channel_remove", channel="tea")
    assert [one["name"] for one in bob.result("channel_list")["channels"]] == ["gossip"]


def test_whom_a_channel_bans(place: Place, ann: Client, bob: Client) -> None:
    """Its host is told; others get the router's error, and each answer belongs to its question."""
    ann.result("channel_add", channel="tea", type=0)
    ann.result("channel_add", channel="gin", type=1)
    ann.result("channel_admin", channel="tea", add=["Salt", "Nowhere"])
    answer = ann.result("channel_admin_list", channel="tea")
    assert answer == {"status": "success", "channel": "tea", "muds": ["Nowhere", "Salt"]}
    assert ann.result("channel_admin_list", channel="gin")["muds"] == []
    refused = bob.result("channel_admin_list", channel="tea", wait=5)
    assert (refused["status"], refused["error_code"], refused["muds"]) == ("failed", "not-allowed", [])
    assert bob.result("channel_admin_list", channel="none")["error_code"] == "unk-channel"
    answers: dict[str, Any] = {}
    mud = place.gateway.muds["Reach"]
    for channel in ("tea", "gin"):
        mud.ask(packets.ChannelAdminListReply, "*r0", channel, 5, partial(answers.__setitem__, channel))
    for channel, listed in (("gin", ["A"]), ("tea", ["B"])):
        mud.received(packets.ChannelAdminListReply("*r0", "", "Reach", "*", channel, listed))
    assert answers == {"tea": {"muds": ["B"]}, "gin": {"muds": ["A"]}}


def test_a_filtered_channel(ann: Client, bob: Client) -> None:
    """Its host lets every line pass: clients of the gateway have no say in it."""
    ann.result("channel_add", channel="tea", type=2)
    ann.result("channel_admin", channel="tea", add=["Salt"])
    for one in (ann, bob):
        one.result("channel_join", channel="tea")
    bob.result("channel_send", channel="tea", message="hi", from_user="Bob")
    assert [one["message"] for one in ann.take("channel_message")] == ["hi"]
    assert [one["message"] for one in bob.take("channel_message")] == ["hi"]


# ── questions ───────────────────────────────────────────────────────────────────────────────────

USER = {"name": "Bob", "title": "the Miller", "level": 12, "idle": 30, "race": "elf", "status": "afk"}


def test_who(ann: Client, bob: Client) -> None:
    bob.result("presence_sync", users=[USER, {"name": "Cyd"}])
    asked = ann.result("who", target_mud="Salt", from_user="Ann")
    assert asked == {"status": "requested", "mud_name": "Salt", "users": []}
    users = [
        {"name": "Bob", "idle": 30, "idle_time": 30, "level": 12, "extra": "Level 12 - elf the Miller"},
        {"name": "Cyd", "idle": 0, "idle_time": 0, "level": 0, "extra": ""},
    ]
    reply = {"from_mud": "Salt", "from_user": "", "to_mud": "Reach", "to_user": "ann", "users": users}
    assert ann.take("who_reply") == [reply]
    waited = ann.result("who", target_mud="Salt", wait=5)
    assert (waited["status"], waited["users"]) == ("success", users)
    strong = ann.result("who", target_mud="Salt", wait=5, filters={"min_level": 2})
    assert [one["name"] for one in strong["users"]] == ["Bob"]
    weak = ann.result("who", target_mud="Salt", wait=5, filters={"max_level": 11, "race": "orc", "guild": "none"})
    assert [one["name"] for one in weak["users"]] == ["Cyd"]


@pytest.mark.parametrize("name", ["target_user", "username"])
def test_finger(ann: Client, bob: Client, name: str) -> None:
    bob.result("presence_sync", users=[USER])
    asked = ann.result("finger", target_mud="Salt", **{name: "Bob"})
    assert asked == {"status": "requested", "mud_name": "Salt", "user_name": "Bob"}
    (reply,) = ann.take("finger_reply")
    assert reply["user_info"] == {
        "name": "Bob",
        "title": "the Miller",
        "real_name": "",
        "email": "",
        "login_time": "",
        "idle_time": 30,
        "ip_address": "",
        "level": "12",
        "extra": "",
    }
    waited = ann.result("finger", target_mud="Salt", wait=5, **{name: "bob"})
    assert waited["user_info"]["title"] == "the Miller"
    nobody = ann.result("finger", target_mud="Salt", target_user="nobody", wait=5)
    assert (nobody["status"], nobody["error_code"]) == ("failed", "unk-user")


def test_locate(ann: Client, bob: Client) -> None:
    bob.result("presence_sync", users=[USER])
    asked = ann.result("locate", target_user="Bob")
    assert asked == {"status": "requested", "user_name": "Bob", "locations": []}
    where = {"located_mud": "Salt", "located_user": "Bob", "idle": 30, "status": "afk"}
    assert [{name: one[name] for name in where} for one in ann.take("locate_reply")] == [where]
    waited = ann.result("locate", target_user="bob", wait=5)
    assert (waited["status"], waited["locations"]) == ("success", [where])


def test_waiting_in_vain(place: Place, ann: Client) -> None:
    """It ends, and says so; meanwhile others are answered."""
    ann.send({"jsonrpc": "2.0", "id": "wait", "method": "locate", "params": {"target_user": "nobody", "wait": 5}})
    assert ann.result("ping")["pong"] is True
    assert ann.response("wait") is None
    place.pass_time(6)
    assert ann.response("wait")["result"]["status"] == "timeout"
    place.pass_time(6)
    assert ann.take() == []


def test_who_waits_and_leaves(place: Place, ann: Client) -> None:
    ann.send({"jsonrpc": "2.0", "id": "wait", "method": "locate", "params": {"target_user": "nobody", "wait": 5}})
    ann.lost()
    place.pass_time(10)


def test_mudlist(place: Place, ann: Client, bob: Client) -> None:
    found = ann.result("mudlist")
    assert [one["name"] for one in found["muds"]] == ["Reach", "Salt"]
    assert found["count"] == 2
    salt = found["muds"][1]
    assert salt | {"services": {}} == {
        "name": "Salt",
        "host": "192.0.2.9",
        "address": "192.0.2.9",
        "port": 4000,
        "tcp_port": 0,
        "udp_port": 0,
        "driver": "Mythos",
        "mudlib": "Mythos",
        "lib": "Mythos",
        "mud_type": "Mythos",
        "status": "up",
        "services": {},
        "open_status": "open for public",
        "admin_email": "admin@example.org",
    }
    assert salt["services"]["tell"] == 1
    for key in [key for key in place.keys if key.mud == "Salt"]:
        place.keys.revoke(key.id)
    place.run()
    for wanted, names in (
        ({"status": "up"}, ["Reach"]),
        ({"status": "down"}, ["Salt"]),
        ({"driver": "none"}, []),
        ({"has_service": "finger"}, ["Reach", "Salt"]),
        ({"has_service": "mail"}, []),
    ):
        assert [one["name"] for one in ann.result("mudlist", filter=wanted)["muds"]] == names


def test_how_a_mud_is(place: Place, ann: Client) -> None:
    """Up, down, down for a while, or in a way that nobody knows."""
    box = place.exchanges[0]
    for state, status in ((-1, "up"), (0, "down"), (300, "reboot"), (-7, "unknown")):
        box._announce("Elsewhere", replace(box.muds["Reach"], state=state))
        place.run()
        (mud,) = [one for one in ann.result("mudlist", refresh=True)["muds"] if one["name"] == "Elsewhere"]
        assert mud["status"] == status
        assert (
            mud in ann.result("mudlist", filter={"status": status, "driver": "Mythos", "has_service": "tell"})["muds"]
        )


# ── who plays ───────────────────────────────────────────────────────────────────────────────────


def test_presence_sync(place: Place, ann: Client, bob: Client) -> None:
    """While it is current it decides who is there; afterwards every tell is passed on, and nobody is listed."""
    synchronized = bob.result("presence_sync", users=[USER])
    assert synchronized == {"status": "synchronized", "mud_name": "Salt", "count": 1}
    ann.result("tell", target_mud="Salt", target_user="nobody", message="x", from_user="Ann")
    assert bob.take("tell_received") == []
    (error,) = ann.take("error_occurred")
    assert (error["error_code"], error["from_mud"], error["to_user"]) == ("unk-user", "Salt", "ann")
    assert error["message"] == error["error_message"]
    assert error["context"] == "i3_packet_error"
    place.pass_time(31)
    ann.result("tell", target_mud="Salt", target_user="nobody", message="x", from_user="Ann")
    assert len(bob.take("tell_received")) == 1
    assert ann.result("who", target_mud="Salt", wait=5)["users"] == []


def test_as_much_as_a_user_may_have(ann: Client, bob: Client) -> None:
    """Each field as long or as large as it may be; blanks around it go."""
    user = {
        "name": "B" + "o" * 127,
        "title": "t" * 256,
        "race": "r" * 128,
        "guild": "g" * 128,
        "location": "l" * 256,
        "status": "s" * 256,
        "level": 1000,
        "idle": 31_536_000,
        "login_time": 32_503_680_000,
    }
    cyd = {"name": " Cyd ", "title": " x ", "login_time": "today"}
    assert bob.result("presence_sync", users=[user, cyd])["count"] == 2
    who = ann.result("who", target_mud="Salt", wait=5)["users"]
    assert [(one["name"], one["idle"], one["level"]) for one in who] == [
        (user["name"], 31_536_000, 1000),
        ("Cyd", 0, 0),
    ]
    info = ann.result("finger", target_mud="Salt", target_user="CYD", wait=5)["user_info"]
    assert (info["name"], info["title"], info["login_time"], info["level"]) == ("Cyd", "x", "today", "")
    found = ann.result("locate", target_user=user["name"], wait=5)["locations"]
    assert [(one["located_user"], one["status"]) for one in found] == [(user["name"], user["status"])]
    most = [{"name": f"u{number}"} for number in range(USERS)]
    assert bob.result("presence_sync", users=most)["count"] == USERS


@pytest.mark.parametrize(
    ("users", "words"),
    [
        ("Bob", "array"),
        ([{"name": f"u{n}"} for n in range(USERS + 1)], "array of up to"),
        (["Bob"], r"users\[0\] is an object"),
        ([{}], "has a name"),
        ([{"name": "a\nb"}], "printable"),
        ([{"name": "x" * 129}], "longer than 128"),
        ([{"name": "Bob"}, {"name": "bOB"}], "twice"),
        ([{"name": "Bob", "level": 1001}], "level"),
        ([{"name": "Bob", "level": 1.5}], "level is an integer"),
        ([{"name": "Bob", "level": True}], "level"),
        ([{"name": "Bob", "idle": -1}], "idle"),
        ([{"name": "Bob", "title": "x" * 257}], "title"),
        ([{"name": "Bob", "title": "\x07"}], "control"),
        ([{"name": "Bob", "title": 5}], "title is a string"),
        ([{"name": "Bob", "race": "x" * 129}], "race"),
        ([{"name": "Bob", "guild": "x" * 129}], "guild"),
        ([{"name": "Bob", "location": "x" * 257}], "location"),
        ([{"name": "Bob", "status": "x" * 257}], "status"),
        ([{"name": "Bob", "level": -1}], "level"),
        ([{"name": "Bob", "idle": 31_536_001}], "idle"),
        ([{"name": "Bob", "login_time": 32_503_680_001}], "login_time"),
        ([{"name": "Bob", "login_time": "x" * 65}], "login_time"),
        ([{"name": "Bob", "login_time": -1}], "login_time"),
    ],
)
def test_users_that_are_none(bob: Client, users: Any, words: str) -> None:
    """The list before stays as it was."""
    bob.result("presence_sync", users=[USER])
    code, message = bob.error("presence_sync", users=users)
    assert code == -32602
    assert re.search(words, message), message
    assert bob.result("who", target_mud="Salt", wait=5)["users"][0]["name"] == "Bob"


# ── the gateway itself ──────────────────────────────────────────────────────────────────────────


def test_ping_heartbeat_status_stats(place: Place, ann: Client, bob: Client) -> None:
    assert ann.result("ping") == {"pong": True, "timestamp": "2027-01-15T08:00:00.000000"}
    assert ann.result("heartbeat") == {"status": "ok", "timestamp": "2027-01-15T08:00:00.000000"}
    place.pass_time(5)
    status = ann.result("status")
    session = next(one for one in place.gateway.sessions() if one.mud.name == "Reach")
    assert status == {
        "connected": True,
        "mud_name": "Reach",
        "session_id": session.id,
        "uptime": 5.0,
        "router": "*r0",
        "services": list(METHODS),
    }
    stats = ann.result("stats")
    directory = place.gateway.muds["Reach"].link.directory
    assert stats.pop("packets_sent") > 0
    assert stats.pop("packets_received") > 0
    assert stats == {
        "mud_count": 2,
        "online_muds": 2,
        "channel_count": 1,
        "session_count": 2,
        "connections": 2,
        "mudlist_id": directory.mudlist_id,
        "chanlist_id": directory.chanlist_id,
        "gateway_connected": True,
        "errors": 0,
    }
    assert directory.mudlist_id > 0


def test_reconnect(place: Place, ann: Client, bob: Client) -> None:
    """The link is made anew; channels are heard again without being joined again."""
    bob.result("channel_join", channel="gossip")
    assert bob.result("reconnect") == {"status": "reconnecting"}
    place.pass_time(7)
    assert bob.take("gateway_reconnected")[-1]["status"] == "connected"
    ann.result("channel_join", channel="gossip")
    ann.result("channel_send", channel="gossip", message="hi")
    assert len(bob.take("channel_message")) == 1


# ── parameters that are none ────────────────────────────────────────────────────────────────────

WRONG: dict[str, list[tuple[dict[str, Any], str]]] = {
    "tell": [
        ({}, "Missing required parameters: target_mud, message"),
        ({"target_mud": "Salt", "message": "x"}, "Missing required parameters: target_user"),
        ({"target_mud": "Salt", "target_user": "b", "message": ""}, "message is empty."),
        ({"target_mud": "Salt", "target_user": "b", "message": "x" * 2049}, "message is longer than 2048 characters."),
        ({"target_mud": "Salt", "target_user": "b", "message": 5}, "message is a string."),
        ({"target_mud": 5, "target_user": "b", "message": "x"}, "target_mud is a string."),
        ({"target_mud": "a\nb", "target_user": "b", "message": "x"}, "target_mud is a name of printable characters."),
        ({"target_mud": "Salt", "target_user": ["b"], "message": "x"}, "target_user is a string."),
        ({"target_mud": "Salt", "target_user": "b", "message": "x", "from_user": {}}, "from_user is a string."),
    ],
    "emoteto": [({"target_mud": "Salt", "target_user": "b"}, "Missing required parameters: emote")],
    "channel_send": [({"channel": "gossip"}, "Missing required parameters: message")],
    "channel_emote": [({"channel": "gossip"}, "Missing required parameters: emote")],
    "channel_join": [
        ({}, "Missing required parameters: channel"),
        ({"channel": "x", "listen_only": 1}, "listen_only is true or false."),
    ],
    "channel_leave": [({}, "Missing required parameters: channel")],
    "channel_list": [({"filter": []}, "filter is an object.")],
    "channel_who": [({}, "Missing required parameters: channel")],
    "channel_history": [
        ({}, "Missing required parameters: channel"),
        ({"channel": "x", "limit": 101}, "limit is a number from 0 to 100."),
        (
            {"channel": "x", "before": "yesterday"},
            "before is a unix second, or a time such as 1970-01-01T00:00:00.000000Z.",
        ),
    ],
    "channel_add": [
        ({}, "Missing required parameters: channel"),
        ({"channel": "x", "type": 3}, "type is a number from 0 to 2."),
    ],
    "channel_remove": [({}, "Missing required parameters: channel")],
    "channel_admin": [
        ({"channel": "x"}, "Missing required parameters: add or remove"),
        ({"channel": "x", "add": "Salt"}, "add is an array of up to 100 names of MUDs."),
        ({"channel": "x", "remove": [""]}, "remove is an array of up to 100 names of MUDs."),
    ],
    "channel_admin_list": [
        ({}, "Missing required parameters: channel"),
        ({"channel": "x", "wait": 0}, "wait is a number from 0.1 to 60."),
    ],
    "who": [
        ({}, "Missing required parameters: target_mud"),
        ({"target_mud": "Salt", "wait": 61}, "wait is a number from 0 to 60."),
        ({"target_mud": "Salt", "wait": True}, "wait is a number from 0 to 60."),
        ({"target_mud": "Salt", "filters": {"min_level": "x"}}, "min_level is a number from 0 to 1e+09."),
    ],
    "finger": [({"target_mud": "Salt"}, "Missing required parameters: target_user")],
    "locate": [({}, "Missing required parameters: target_user")],
    "mudlist": [
        ({"filter": "up"}, "filter is an object."),
        ({"refresh": "yes"}, "refresh is true or false."),
    ],
    "presence_sync": [({}, "Missing required parameters: users")],
}


def test_wrong_parameters(ann: Client, bob: Client) -> None:
    """Each is answered with what is wrong, and nobody else hears of it."""
    for method, cases in WRONG.items():
        for params, message in cases:
            assert ann.error(method, **params) == (-32602, message), (method, params)
    assert bob.take() == []
    assert {name for name, method in METHODS.items() if method.needs} <= set(WRONG)


# ── permissions ─────────────────────────────────────────────────────────────────────────────────


def test_permissions(place: Place, road: str) -> None:
    """A key is for what it says; everybody may ask how the gateway is."""
    anywhere = {name for name, method in METHODS.items() if not method.permission}
    for permission in ("tell", "channel", "info", "admin"):
        client = place.client(road, key=place.key(f"M{permission}", permission))
        refused = set()
        for method in METHODS:
            response = client.call(method)
            if "error" in response and response["error"]["code"] == -32002:
                refused.add(method)
        assert set(METHODS) - refused == anywhere | {
            name for name, method in METHODS.items() if method.permission == permission
        }


def test_a_method_that_breaks(place: Place, ann: Client, failures: Failures) -> None:
    """Its client is told so, and goes on."""
    place.gateway.longest = None  # type: ignore[assignment]
    assert ann.error("channel_send", channel="gossip", message="x") == (-32603, "Something broke in the gateway.")
    assert ann.result("ping")["pong"] is True
    assert len(failures.flush(TypeError)) == 1


def test_events_are_for_who_may(place: Place, road: str, ann: Client) -> None:
    key = place.key("Salt", "channel")
    deaf = place.client(road, key=key)
    ann.result("tell", target_mud="Salt", target_user="bob", message="secret")
    assert deaf.take("tell_received") == []
    hears = place.client(road)
    hears.result("authenticate", api_key=place.key("Salt", "tell"))
    assert [one["message"] for one in hears.take("tell_received")] == ["secret"]


def test_what_the_queue_of_the_link_refuses(tmp_path: Path, road: str) -> None:
    """A client is told when too much waits, and what was accepted goes out."""
    with gateway(tmp_path, throttle=8) as place:
        ann, bob = place.client(road, "Reach"), place.client(road, "Salt")
        accepted = 0
        for number in range(400):
            response = ann.call("tell", target_mud="Salt", target_user="bob", message=str(number))
            if "error" in response:
                assert response["error"]["code"] == -32004
                break
            accepted += 1
        assert 200 <= accepted <= 220
        place.pass_time(80)
        assert [one["message"] for one in bob.take("tell_received")] == [str(number) for number in range(accepted)]
        assert isinstance(place.gateway.muds["Reach"].link.unsent(), list)
        assert not any(isinstance(one, packets.Tell) for one in place.gateway.muds["Reach"].link.unsent())
