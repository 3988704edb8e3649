"""Keepers: what they type, who hears it, and that nobody else can."""

from __future__ import annotations

import pytest

from mythos.errors import Refusal
from tests.scenes.people import in_town, typed
from tests.scenes.scene import Scene
from tests.world.town import INN, MOOR, RAT, YARD


def kept() -> Scene:
    """Kay, a keeper, in the inn with Bob; Eve is on the moor."""
    scene = in_town("Kay Bob")
    scene.me("Kay").keeper = True
    scene.arrive("Eve", room=MOOR)
    scene.hear_all()
    return scene


@pytest.mark.parametrize(
    "line", ["@who", "@goto eve", "@summon eve", "@kick eve", "@mute eve", "@broadcast x", "@shutdown", "@reload"]
)
def test_only_keepers(line: str) -> None:
    """For others these words are no commands; nothing happens."""
    scene = kept()
    heard = typed(scene, "Bob", line)
    assert heard.keys() == {"Bob"}
    assert scene.me("Eve").room == MOOR
    assert scene.ears["Eve"].closed is None


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("@goto", "Go where? Type: @goto <player> or @goto <zone:room>"),
        ("@goto nowhere", "Nobody called nowhere is here just now."),
        ("@goto bob", "You are there."),
        ("@goto t:inn", "You are there."),
        ("@summon", "Whom? Type: @summon <player>"),
        ("@summon bob", "Bob is here."),
        ("@summon kay", "Kay is here."),
        ("@kick", "Whom? Type: @kick <player> [reason]"),
        ("@kick kay", "To leave, type: quit"),
        ("@mute bob soon", "soon is not a number from 0 to 1440."),
        ("@broadcast", "Broadcast what?"),
        ("@shutdown now", "now is not a number from 0 to 86400."),
        ("@shutdown 99999999999", "99999999999 is not a number from 0 to 86400."),
    ],
)
def test_refusals(line: str, sentence: str) -> None:
    assert typed(kept(), "Kay", line) == {"Kay": [sentence]}


@pytest.mark.parametrize(("line", "room"), [("@goto eve", MOOR), ("@goto f:moor", MOOR), ("@goto yard", YARD)])
def test_goto(line: str, room: str) -> None:
    """To a player or a room; those left behind and those there see it."""
    scene = kept()
    heard = typed(scene, "Kay", line)
    assert scene.me("Kay").room == room
    assert any("Kay" in words for words in heard["Bob"])
    assert ("Eve" in heard) is (room == MOOR)


def test_summon() -> None:
    """Out of whatever they were at."""
    scene = kept()
    scene.world.place_body(scene.me("Eve"), YARD)
    scene.type("Eve", "attack rat")
    scene.hear_all()
    heard = typed(scene, "Kay", "@summon eve")
    assert scene.me("Eve").room == INN
    assert scene.me("Eve").fighting is scene.world.npcs[RAT].fighting is None
    assert heard["Kay"][-1] == "You bring Eve to you."
    assert heard["Eve"]
    assert any("Eve" in words for words in heard["Bob"])


def test_kick() -> None:
    """They hear why, and their line closes."""
    scene = kept()
    heard = typed(scene, "Kay", "@kick bob swearing at Eve")
    assert heard["Kay"][-1] == "Bob is sent away."
    assert heard["Bob"] == ["You are sent away. swearing at Eve"]
    assert scene.ears["Bob"].closed is not None
    assert scene.realm.session_of(scene.me("Bob").id) is None


def test_mute() -> None:
    """Silent elsewhere, not in the room; it ends by itself or by a keeper."""
    scene = kept()
    heard = typed(scene, "Kay", "@mute bob 2")
    assert heard["Kay"] == ["Bob is muted for 2 minutes."]
    assert heard["Bob"] == ["A keeper asks you to be silent: channels, tells and shouts, 2 minutes."]
    for line in ("chat hey", "tell kay hey", "shout hey"):
        assert typed(scene, "Bob", line) == {"Bob": ["You may speak to people elsewhere again in 2 minutes."]}
    assert "Kay" in typed(scene, "Bob", "say hey")
    assert typed(scene, "Kay", "@mute bob 0") == {"Kay": ["Bob may speak again."]}
    assert "Eve" in typed(scene, "Bob", "chat hey")


def test_broadcast() -> None:
    said = ["[notice] Tea is served."]
    assert typed(kept(), "Kay", "@broadcast Tea is served.") == {"Kay": said, "Bob": said, "Eve": said}


def test_shutdown() -> None:
    """The house is asked to close, at the time and for the reason that is given; it tells everybody."""
    scene = kept()
    asked: list[tuple[float, str]] = []
    scene.realm.stop = lambda seconds, reason: asked.append((seconds, reason))
    scene.type("Kay", "@shutdown 90 new ropes", "@shutdown")
    assert asked == [(90.0, "new ropes"), (60.0, "Announced by Kay.")]


def test_reload() -> None:
    """The realm's answer, or its refusal."""
    scene = kept()
    scene.realm.reload = lambda: "5 rooms, 5 people."
    assert typed(scene, "Kay", "@reload") == {"Kay": ["5 rooms, 5 people."]}

    def broken() -> str:
        raise Refusal("town.yaml:3:1: no such room")

    scene.realm.reload = broken
    assert typed(scene, "Kay", "@reload") == {"Kay": ["town.yaml:3:1: no such room"]}


def test_who() -> None:
    """Rooms, doors, addresses, idle times."""
    scene = kept()
    eve = scene.ears["Eve"]
    scene.realm.detach(eve, eve.session)
    scene.clock.advance(12.0)
    scene.hear_all()
    assert typed(scene, "Kay", "@who") == {
        "Kay": [
            "Kay in t:inn: telnet 127.0.0.1, idle 12 s",
            "Bob in t:inn: telnet 127.0.0.1, idle 12 s",
            "Eve in f:moor: link-dead, idle 12 s",
        ]
    }
