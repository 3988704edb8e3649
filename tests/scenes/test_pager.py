"""Long answers, for players who want them a screen at a time."""

from __future__ import annotations

import pytest

from tests.scenes.people import in_town, typed
from tests.scenes.scene import Scene

_ASKED = "Enter goes on, q ends."


def paging(height: int = 3) -> Scene:
    """Ann has a small screen, and wants the pager."""
    scene = in_town()
    scene.me("Ann").settings = {"pager": "on"}
    scene.ears["Ann"].height = height
    return scene


def question(scene: Scene) -> str:
    asked = scene.ears["Ann"].session.question
    return asked.text if asked else ""


def whole() -> list[str]:
    return typed(in_town(), "Ann", "help look")["Ann"]


def test_a_long_answer_stops_when_the_screen_is_full() -> None:
    """Enter goes on, screen by screen, to the end; nothing is left out or said twice."""
    scene, words = paging(), whole()
    assert len(words) == 7
    assert typed(scene, "Ann", "help look") == {"Ann": words[:3]}
    assert question(scene) == f"4 lines more. {_ASKED}"
    assert scene.ears["Ann"].states["Mythos.Ask"] == {"text": question(scene), "secret": False}
    assert typed(scene, "Ann", "") == {"Ann": words[3:6]}
    assert question(scene) == f"One line more. {_ASKED}"
    assert typed(scene, "Ann", "") == {"Ann": words[6:]}
    assert question(scene) == ""
    assert scene.ears["Ann"].states["Mythos.Ask"]["text"] == ""


@pytest.mark.parametrize("line", ["q", "Q"])
def test_q_ends_it(line: str) -> None:
    scene = paging()
    typed(scene, "Ann", "help look")
    assert typed(scene, "Ann", line) == {}
    assert question(scene) == ""
    assert typed(scene, "Ann", "say hi")["Ann"] == ['You say, "hi"']


def test_what_others_say_is_not_held_back() -> None:
    scene, words = paging(), whole()
    typed(scene, "Ann", "help look")
    assert typed(scene, "Bob", "say hi")["Ann"] == ['Bob says, "hi"']
    assert typed(scene, "Ann", "")["Ann"] == words[3:6]


def test_others_hear_at_once_what_a_turn_tells_them() -> None:
    scene = paging(height=1)
    heard = typed(scene, "Ann", "say hi; look")
    assert heard["Bob"] == ['Ann says, "hi; look"']
    heard = typed(scene, "Ann", "look; west")
    assert heard["Ann"] == ["Inn"]
    assert heard["Bob"] == ["Ann leaves west."]


def test_any_other_line_is_a_command() -> None:
    """What was left is dropped; but not by a word that is no command."""
    scene, words = paging(), whole()
    typed(scene, "Ann", "help look")
    assert typed(scene, "Ann", "xyzzy")["Ann"][0].startswith("There is no command")
    assert typed(scene, "Ann", "")["Ann"] == words[3:6]
    assert typed(scene, "Ann", "say hi")["Ann"] == ['You say, "hi"']
    assert question(scene) == ""
    assert scene.ears["Ann"].states["Mythos.Ask"]["text"] == ""


def test_goodbye_is_never_held_back() -> None:
    scene = paging(height=1)
    assert typed(scene, "Ann", "score; quit")["Ann"][-1] == "Goodbye. The lamps stay lit."
    assert scene.ears["Ann"].closed == (1000, "quit")


def test_only_who_wants_it_and_only_what_does_not_fit() -> None:
    scene, words = paging(height=7), whole()
    assert typed(scene, "Ann", "help look")["Ann"] == words
    scene.ears["Ann"].height = 3
    assert len(typed(scene, "Ann", "settings pager off", "help look")["Ann"]) == 8
    assert question(scene) == ""
