"""Resume tokens: one chain for each device, and nobody locked out by an answer that was lost."""

from __future__ import annotations

import pytest

from mythos.play.resume import CHAINS, OVERLAP, ResumeTokens
from tests.net.web import Web, playing

NOW = 1_800_000_000.0


def good(tokens: ResumeTokens, digests: str, at: float = NOW) -> str:
    return "".join([one for one in digests if tokens.good(one, at)])


def test_a_token_ends_when_the_next_has_arrived() -> None:
    tokens = ResumeTokens()
    tokens.give("a", "", NOW)
    tokens.give("b", "a", NOW)
    assert good(tokens, "ab", NOW + 1e6) == "ab"
    tokens.arrived("b", NOW)
    assert good(tokens, "ab", NOW + OVERLAP - 1) == "ab"
    assert good(tokens, "ab", NOW + OVERLAP) == "b"
    tokens.arrived("b", NOW + 20)  # once more puts nothing off
    assert good(tokens, "ab", NOW + OVERLAP) == "b"


def test_answers_that_are_lost() -> None:
    """The one that was shown stays good, however many were given for it in vain; their number is bounded."""
    tokens = ResumeTokens()
    tokens.give("a", "", NOW)
    for digest in "bcdefghij":
        tokens.give(digest, "a", NOW)
    assert good(tokens, "abcdefghij") == "ahij"
    tokens.arrived("i", NOW)
    assert good(tokens, "ahij", NOW + OVERLAP) == "ij"
    tokens.arrived("a", NOW)  # what was on its way, and ends nothing
    assert good(tokens, "ahij", NOW + OVERLAP) == "ij"


def test_devices_do_not_end_each_others_tokens() -> None:
    tokens = ResumeTokens()
    tokens.give("a", "", NOW)
    tokens.give("x", "a token of another kind", NOW)
    tokens.give("b", "a", NOW)
    tokens.arrived("b", NOW)
    assert good(tokens, "abx", NOW + OVERLAP) == "bx"


def test_chains_are_bounded() -> None:
    """The device that was unused for longest is forgotten."""
    tokens = ResumeTokens()
    tokens.give("first", "", NOW)
    tokens.give("second", "", NOW)
    tokens.give("first again", "first", NOW)
    for number in range(CHAINS - 1):
        tokens.give(f"other {number}", "", NOW)
    assert len(tokens.chains) == CHAINS
    assert tokens.good("first again", NOW)
    assert not tokens.good("second", NOW)


def test_a_hello_is_lost_and_a_minute_goes_by() -> None:
    """The token before it still does, by every door that counts."""
    with playing() as web:
        first = web.socket(web.guest()["token"])
        token = first.take()[0]["token"]
        first.send({"a": 0})
        for _ in range(2):
            first.lost()
            first = web.socket(token)
            first.take()
            web.scene.clock.advance(50)
        stream = web.stream(token)
        assert stream.take()[0]["session"]


def test_two_devices_come_and_go() -> None:
    with playing() as web:
        bearer = web.guest()["token"]
        phone, desk = web.socket(bearer), web.socket(bearer)
        tokens = [one.take()[0]["token"] for one in (phone, desk)]
        desk.lost()
        for _ in range(5):
            phone.lost()
            phone = web.socket(tokens[0])
            tokens[0] = phone.take()[0]["token"]
            phone.send({"a": 0})
            web.scene.clock.advance(40)
        assert web.socket(tokens[1]).take()[0]["t"] == "hello"


@pytest.mark.parametrize("door", ["websocket", "sse"])
def test_an_old_token_ends(door: str) -> None:
    """30 seconds after its client has shown that it has the new one: by a frame, or by a post with it."""
    with playing() as web:
        client = web.socket(web.guest()["token"])
        old = client.take()[0]["token"]
        new = _come_back(web, old, door)
        assert web.post("ticket", token=old).status == 200
        web.scene.clock.advance(OVERLAP + 1)
        assert web.post("ticket", token=old).status == 401
        assert web.post("ticket", token=new).status == 200


def _come_back(web: Web, old: str, door: str) -> str:
    if door == "sse":
        stream = web.stream(old)
        new: str = stream.take()[0]["token"]
        assert web.post("commands", {"c": 1, "line": "look"}, new).status == 202
        return new
    socket = web.socket(old)
    new = socket.take()[0]["token"]
    socket.send({"c": 1, "line": "look"})
    return new
