"""What people read where many stand: never a line for each one who comes or goes, never O(n squared)."""

from __future__ import annotations

import pytest

from mythos.ids import RoomId
from tests.scenes.people import in_town, typed
from tests.scenes.scene import Scene

INN = "t:inn"
SQUARE = RoomId("t:square")
CROWD = [f"Pe{letter}" for letter in "abcdefghijklmnopqrst"]


@pytest.fixture
def crowd() -> Scene:
    """Ann, Bob and twenty others in the inn; Dan, Eve and three more outside."""
    scene = in_town("Ann Bob " + " ".join(CROWD))
    for name in ("Dan", "Eve", "Fay", "Gus", "Hal"):
        scene.arrive(name, room=SQUARE)
    scene.realm.tell_bustle()
    scene.hear_all()
    return scene


def test_few_are_told_at_once() -> None:
    scene = in_town("Ann Bob")
    scene.arrive("Dan", room=SQUARE)
    scene.hear_all()
    assert typed(scene, "Dan", "east")["Ann"] == ["Dan arrives from the west."]


def test_one_who_comes_is_told_of_within_a_moment(crowd: Scene) -> None:
    assert "Ann" not in typed(crowd, "Dan", "east")
    crowd.realm.tell_bustle()
    heard = crowd.hear_all()
    assert heard["Ann"] == heard["Bob"] == ["Dan arrives from the west."]
    assert heard["Dan"] == []
    crowd.realm.tell_bustle()
    assert not any(crowd.hear_all().values())


def test_many_are_told_as_one_line(crowd: Scene) -> None:
    for name in ("Dan", "Eve", "Fay", "Gus", "Hal"):
        typed(crowd, name, "east")
    typed(crowd, "Pea", "west")
    crowd.realm.tell_bustle()
    heard = crowd.hear_all()
    assert heard["Ann"] == ["Dan, Eve, Fay and 2 others arrive. Pea leaves."]
    assert heard["Hal"] == heard["Ann"]


def test_who_comes_and_goes_again_is_not_noticed(crowd: Scene) -> None:
    typed(crowd, "Dan", "east", "west")
    crowd.realm.tell_bustle()
    assert crowd.hear("Ann") == []


def test_nobody_speaks_before_they_arrived(crowd: Scene) -> None:
    typed(crowd, "Dan", "east")
    assert typed(crowd, "Dan", "say hello")["Ann"] == ["Dan arrives from the west.", 'Dan says, "hello"']


def test_who_left_was_there_for_their_last_words(crowd: Scene) -> None:
    typed(crowd, "Pea", "say bye", "west")
    assert typed(crowd, "Bob", "say oh")["Ann"] == ["Pea leaves west.", 'Bob says, "oh"']


def test_a_crowd_is_counted(crowd: Scene) -> None:
    """Twenty others are all named; of more, the first five."""
    assert typed(crowd, "Ann", "look")["Ann"][-1] == "Bob, Pea, Peb, Pec, Ped and 16 others are here."
    typed(crowd, "Pes", "west")
    typed(crowd, "Pet", "west")
    names = ", ".join(CROWD[:17])
    assert typed(crowd, "Ann", "look")["Ann"][-1] == f"Bob, {names} and Per are here."


def test_the_bustle_waits_for_the_disk(crowd: Scene) -> None:
    """It is told after what came before it is written, like all words."""
    commits = crowd.realm.commits
    wake, commits.wake = commits.wake, lambda: None
    commits.submit_entities([crowd.me("Ann")])
    typed(crowd, "Dan", "east")
    crowd.realm.tell_bustle()
    assert crowd.hear("Ann") == []
    wake()
    crowd.realm.tell_bustle()
    assert crowd.hear("Ann") == ["Dan arrives from the west."]
