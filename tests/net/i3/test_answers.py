"""What other MUDs answered is told again for a minute: to players, and to clients of the gateway."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.task import Clock

from mythos.flow.kept import Kept
from mythos.net.cache import Cache
from mythos.net.i3.answers import FRESH, Answers
from mythos.wire.i3 import lpc, packets
from tests.net.gateway.place import gateway
from tests.play.test_intermud import World

WHO = packets.WhoRequest("Ours", "ann", "Other MUD", "")
FINGER = packets.FingerRequest("Ours", "ann", "Other MUD", "", "zoe")


def test_players() -> None:
    """The second who asks is told what the first was, in the same order of lines; after a minute it is asked anew."""
    world = World()
    clock = Clock()
    cache = Cache(Kept(10**6), clock.seconds, 300.0)
    world.intermud.answers = Answers(cache)
    asked = "You ask who is on Other MUD."
    assert world.typed("Ann", "i3 who other") == [asked]
    assert len(world.other.take("who-req")) == 1
    world.other.say("who-reply", [["Zoe", 600, "the first"]], to="Ours", to_user="ann")
    known = ["1 on Other MUD:", "Zoe, idle for 10 minutes, the first"]
    assert world.hear("Ann") == known
    assert world.typed("Bob", "i3 who other") == [asked, *known]
    assert world.typed("Ann", "i3 finger Zoe@other") == ["You ask about zoe on Other MUD."]
    world.other.say("finger-reply", "Zoe", "the first", 0, 0, 0, -1, 0, 9, 0, to="Ours", to_user="ann")
    facts = ["Zoe@Other MUD, who is not there now.", "title: the first", "level: 9"]
    assert world.hear("Ann") == facts
    assert world.typed("Bob", "i3 finger zoe@other") == ["You ask about zoe on Other MUD.", *facts]
    assert [packet[0] for packet in world.other.take()] == ["finger-req"]
    assert world.typed("Bob", "i3 finger yan@other") == ["You ask about yan on Other MUD."]
    clock.advance(FRESH)
    assert world.typed("Bob", "i3 who other") == [asked]
    assert len(world.other.take("who-req")) == 1
    assert (cache.kept.spaces["i3-who"].hits, cache.kept.spaces["i3-who"].misses) == (1, 2)


@pytest.mark.parametrize("road", ["tcp", "websocket"])
def test_clients_of_the_gateway(tmp_path: Path, road: str) -> None:
    """At once, as an event or as the result, with one packet for all."""
    clock = Clock()
    answers = Answers(Cache(Kept(10**6), clock.seconds, 300.0))
    with gateway(tmp_path, answers=answers) as place:
        ann, bob = place.client(road, "Reach"), place.client(road, "Salt")
        bob.result("presence_sync", users=[{"name": "Bob", "level": 3}])
        first = ann.result("who", target_mud="Salt", wait=5)
        assert [one["name"] for one in first["users"]] == ["Bob"]
        bob.result("presence_sync", users=[{"name": "Cyd"}])
        assert ann.result("who", target_mud="Salt", wait=5) == first
        ann.take()
        assert ann.result("who", target_mud="Salt", from_user="Ann")["status"] == "requested"
        (reply,) = ann.take("who_reply")
        assert (reply["to_user"], reply["users"]) == ("ann", first["users"])
        clock.advance(FRESH)
        assert [one["name"] for one in ann.result("who", target_mud="Salt", wait=5)["users"]] == ["Cyd"]


@pytest.mark.parametrize(
    "reply",
    [
        packets.WhoReply("Third", "", "Ours", "ann", [["Zoe", 1, ""]]),
        packets.FingerReply("Other MUD", "", "Ours", "ann", "Yan", "", "", "", "", 0, "", "", ""),
        packets.Tell("Other MUD", "zoe", "Ours", "ann", "Zoe", "hello"),
    ],
)
@pytest.mark.parametrize("request_", [WHO, FINGER])
def test_what_is_no_answer_to_that(reply: packets.Packet, request_: packets.Packet) -> None:
    """Whatever stands there, nobody is told what another MUD says, or another thing."""
    cache = Cache(Kept(10**6), lambda: 0.0, 300.0)
    answers = Answers(cache)
    for space, key in (("i3-who", "other mud"), ("i3-finger", "zoe@other mud")):
        for value in (lpc.encode(packets.values(reply)), b"garbage", b"({", b"", b"1", b"({1,2,3})" * 9):
            cache.put(space, key, value, FRESH)
            assert answers.here(request_) is None
    answers.keep(reply)
    assert answers.here(request_) is None
