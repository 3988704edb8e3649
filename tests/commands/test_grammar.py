"""What is typed -> commands: abbreviations, shortcuts, several in a line, near matches."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.commands import grammar
from mythos.commands.table import VERBS
from mythos.errors import Refusal
from mythos.play.verbs import Rank


def parsed(typed: str, aliases: dict[str, str] | None = None, ways: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [(verb.name, rest) for verb, _, rest in grammar.parse(VERBS, Rank.PLAYER, aliases, ways, typed)]


@pytest.mark.parametrize(
    ("typed", "commands"),
    [
        ("look", [("look", "")]),
        ("LOOK  Lamp", [("look", "Lamp")]),
        ("l", [("look", "")]),
        ("lo lamp", [("look", "lamp")]),
        ("n", [("go", "north")]),
        ("NE", [("go", "northeast")]),
        ("north", [("go", "north")]),
        ("i", [("inventory", "")]),
        ("get lamp;n ; drop all", [("get", "lamp"), ("go", "north"), ("drop", "all")]),
        ("say one; two", [("say", "one; two")]),
        ("'one; two", [("say", "one; two")]),
        ("' hello", [("say", "hello")]),
        (":waves", [("emote", "waves")]),
        ("look; say a; b", [("look", ""), ("say", "a; b")]),
        (";;look;", [("look", "")]),
        ("", []),
        ("   ", []),
        ("?", [("help", "")]),
        ("?look", [("help", "look")]),
    ],
)
def test_lines(typed: str, commands: list[tuple[str, str]]) -> None:
    assert parsed(typed) == commands


def test_ways_of_the_room() -> None:
    """Names of exits are commands where they are; a command of that name is stronger."""
    assert parsed("gangway", ways=("gangway",)) == [("go", "gangway")]
    assert parsed("look", ways=("look",)) == [("look", "")]
    with pytest.raises(Refusal):
        parsed("gangway")


def test_shortcuts() -> None:
    """Once for each command; what is typed after it stays behind its words."""
    aliases = {"wh": "whisper bob", "go2": "n;n", "look": "look lamp", "round": "round"}
    assert parsed("wh hello; there", aliases) == [("whisper", "bob hello; there")]
    assert parsed("go2;e", aliases) == [("go", "north"), ("go", "north"), ("go", "east")]
    assert parsed("look", aliases) == [("look", "lamp")]
    with pytest.raises(Refusal, match="no command round"):
        parsed("round", aliases)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("lok", "There is no command lok. Did you mean: look or lock?"),
        ("xyzzy", "There is no command xyzzy. To see what there is, type: commands"),
        ("@kick bob", "There is no command @kick. To see what there is, type: commands"),
        ("look;xyzzy", "There is no command xyzzy. To see what there is, type: commands"),
        ("n;" * 11, "That is too much at once: one line holds up to 10 commands."),
        ("z" * 99, f"There is no command {'z' * 30}…. To see what there is, type: commands"),
    ],
)
def test_refusals(typed: str, sentence: str) -> None:
    with pytest.raises(Refusal) as refused:
        parsed(typed)
    assert str(refused.value) == sentence


def test_ambiguous_beginnings_mean_the_common_command() -> None:
    assert parsed("s") == [("go", "south")]
    assert parsed("sa hi") == [("say", "hi")]
    assert parsed("g lamp") == [("get", "lamp")]


@pytest.mark.parametrize(
    ("words", "amount"),
    [
        ("10 gold", 10),
        ("10 gold coins", 10),
        ("1 coin", 1),
        ("gold", 0),
        ("all gold", 0),
        ("all.coins", 0),
        ("the gold", 0),
        ("lamp", None),
        ("gold lamp", None),
        ("big gold", None),
        ("", None),
    ],
)
def test_gold(words: str, amount: int | None) -> None:
    assert grammar.gold(words) == amount


@pytest.mark.parametrize(
    ("rest", "words", "halves"),
    [
        ("lamp from chest", ("from",), ("lamp", "chest")),
        ("lamp out of the chest", ("from", "out of"), ("lamp", "the chest")),
        ("letter to bob to ann", ("to",), ("letter to bob", "ann")),
        ("lamp", ("from",), ("lamp", "")),
        ("tomato", ("to",), ("tomato", "")),
    ],
)
def test_prepositions(rest: str, words: tuple[str, ...], halves: tuple[str, str]) -> None:
    assert grammar.preposition(rest, *words) == halves


@given(st.text(max_size=60), st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=20), max_size=3))
def test_any_line(typed: str, aliases: dict[str, str]) -> None:
    """Is understood, or refused with a sentence; nothing else."""
    try:
        commands: Any = grammar.parse(VERBS, Rank.KEEPER, aliases, (), typed)
    except Refusal as refusal:
        assert str(refusal)
    else:
        assert len(commands) <= 10
