"""What clients draw beside the words, as it changes with what is typed."""

from __future__ import annotations

from typing import Any

from mythos.play.realm import Realm
from tests.scenes.people import in_town
from tests.scenes.scene import Scene
from tests.scenes.test_explore import given, manor
from tests.world.town import SQUARE


def drawn(scene: Scene, who: str, name: str) -> Any:
    """The newest value of a state that somebody was told."""
    scene.hear(who)
    return scene.ears[who].states[f"Mythos.{name}"]


def names(entries: list[dict[str, Any]], field: str = "name") -> list[str]:
    return [entry[field] for entry in entries]


def test_who_and_what_is_here() -> None:
    """All in a room are told who comes and goes; NPCs and things have a word for commands."""
    scene = manor()
    scene.type("Ann", "look")
    first = drawn(scene, "Ann", "Here")
    assert {"name": "Bob", "word": "bob", "npc": False} in first["people"]
    assert [one["word"] for one in first["people"] if one["npc"]] == ["cat"]
    assert names(first["things"]) == ["a sign"]
    assert first["more"] == 0 and first["dark"] is False
    scene.type("Bob", "open oak", "north")
    assert "Bob" not in names(drawn(scene, "Ann", "Here")["people"])
    scene.type("Bob", "south")
    assert "Bob" in names(drawn(scene, "Ann", "Here")["people"])
    assert "Ann" in names(drawn(scene, "Bob", "Here")["people"])


def test_the_dark_shows_nothing() -> None:
    """Nothing is drawn that cannot be seen; a light shows it."""
    scene = manor()
    scene.type("Ann", "open oak", "north")
    assert drawn(scene, "Ann", "Here") == {"dark": True, "people": [], "more": 0, "things": [], "gold": 0}
    given(scene, "Bob", "m:lamp")
    scene.type("Bob", "north", "light lamp")
    assert names(drawn(scene, "Ann", "Here")["people"]) == ["Ann", "Bob"]


def test_night_falls() -> None:
    """What daylight showed is not drawn any more, for whoever stands under the sky."""
    scene = in_town("Ann", room=SQUARE)
    scene.world.now = 778.0
    scene.tick()
    assert "Marta" in names(drawn(scene, "Ann", "Here")["people"])
    scene.tick()
    assert drawn(scene, "Ann", "Here")["dark"]


def test_another_name_is_drawn() -> None:
    scene = manor("Ann")
    me = scene.arrive("Guest", guest=True)
    assert "Guest" in names(drawn(scene, "Ann", "Here")["people"])
    scene.type("Guest", "register Cid", "a long password", "a long password")
    assert me.name == "Cid" and "Cid" in names(drawn(scene, "Ann", "Here")["people"])


def test_tasks_are_drawn_as_they_go_on() -> None:
    scene = in_town("Ann", room=SQUARE)
    assert names(drawn(scene, "Ann", "Tasks")["offered"], "title") == ["Rats"]
    scene.type("Ann", "ask marta about tails")
    tasks = drawn(scene, "Ann", "Tasks")
    assert (names(tasks["open"], "title"), tasks["offered"]) == (["Rats"], [])


def test_for_who_does_not_draw_nothing_is_gathered() -> None:
    """The log of a session without such a client has no state of a panel."""
    scene = manor()
    session = scene.ears["Ann"].session
    session.panels = None
    scene.ears["Ann"].take()
    scene.type("Bob", "open oak", "north", "south")
    scene.type("Ann", "get sign", "look")
    scene.realm.snapshot(session)
    assert session.panels is None
    assert not {"Mythos.Here", "Mythos.Bag"} & {getattr(what, "name", "") for _, _, what in session.log.entries}


def test_doors_are_drawn_as_they_stand() -> None:
    """Whoever stands on either side of a door is shown it open and shut."""
    scene = manor()
    scene.type("Ann", "open oak")
    scene.hear_all()
    assert [scene.ears[name].states["Room.Info"]["doors"]["n"] for name in ("Ann", "Bob")] == ["open", "open"]


def test_the_bag_follows_things() -> None:
    """What is taken, put on, lit, given and dropped is in the right bag, or on the floor."""
    scene = manor()
    given(scene, "Ann", "m:lamp")
    scene.type("Ann", "light lamp")
    lamp = {"name": "a brass lamp", "word": "lamp", "worn": "", "lit": True}
    assert drawn(scene, "Ann", "Bag") == {"things": [lamp]}
    scene.type("Ann", "give lamp to bob")
    assert drawn(scene, "Ann", "Bag") == {"things": []}
    assert names(drawn(scene, "Bob", "Bag")["things"]) == ["a brass lamp"]
    scene.type("Bob", "drop lamp")
    assert drawn(scene, "Bob", "Bag") == {"things": []}
    assert "a brass lamp" in names(drawn(scene, "Ann", "Here")["things"])
    scene.type("Ann", "get lamp")
    assert names(drawn(scene, "Ann", "Bag")["things"]) == ["a brass lamp"]
    assert "a brass lamp" not in names(drawn(scene, "Bob", "Here")["things"])


def test_channels_begin_with_what_was_said() -> None:
    """A client that begins to draw gets the last lines of the channels that are on."""
    scene = manor()
    scene.type("Bob", "chat hello", "newbie help")
    scene.type("Ann", "channels off newbie")
    assert drawn(scene, "Ann", "Channels") == {
        "channels": [{"name": "chat", "on": True, "said": ["Bob: hello"]}, {"name": "newbie", "on": False, "said": []}]
    }


def test_commands_are_those_of_the_rank() -> None:
    """What one may type first: a keeper's commands for keepers only."""
    scene = manor()
    scene.me("Bob").keeper = True
    for name in ("Ann", "Bob"):
        scene.realm.snapshot(scene.ears[name].session)
    ann, bob = (set(drawn(scene, name, "Commands")["names"]) for name in ("Ann", "Bob"))
    assert {"look", "chat"} <= ann < bob


def test_a_snapshot_draws_everything() -> None:
    """A connection that cannot go on where it was gets every state anew."""
    scene = manor()
    realm: Realm = scene.realm
    scene.hear_all()
    scene.ears["Ann"].states.clear()
    realm.snapshot(scene.ears["Ann"].session)
    assert scene.hear("Ann") == []
    assert scene.ears["Ann"].states.keys() >= {
        "Char.Name", "Char.Vitals", "Room.Info", "Mythos.Ask", "Mythos.Bag", "Mythos.Channels", "Mythos.Commands",
        "Mythos.Here", "Mythos.Settings", "Mythos.Tasks",
    }  # fmt: skip


def test_a_screen_reader_is_told_to_the_page() -> None:
    """The web client hears what was chosen of speech, by whichever command; at first that nobody chose."""
    scene = manor()
    scene.realm.snapshot(scene.ears["Ann"].session)
    heard = [drawn(scene, "Ann", "Settings")]
    for line in ("settings screenreader on", "sr", "settings brief on"):
        scene.type("Ann", line)
        heard.append(drawn(scene, "Ann", "Settings"))
    assert [one["screenreader"] for one in heard] == ["", "on", "off", "off"]
