"""The table of all commands: nothing without help, nothing pointing nowhere, short beginnings mean the common thing."""

from __future__ import annotations

import pytest

from mythos.commands.table import COMMON, VERBS
from mythos.play.topics import GROUPS
from mythos.play.verbs import Rank, Verb

EVERY = pytest.mark.parametrize("verb", VERBS.verbs, ids=lambda verb: verb.name)


@EVERY
def test_every_command_has_help(verb: Verb) -> None:
    """A sentence that says what it does, how to type it, and where it is listed."""
    assert verb.help[0].isupper()
    assert verb.help.endswith(".")
    assert verb.syntax
    assert verb.group in GROUPS


@EVERY
def test_every_syntax_begins_with_the_command(verb: Verb) -> None:
    names = (verb.name, *verb.aliases)
    assert all(way.startswith(names) for way in verb.syntax), verb.syntax


@EVERY
def test_every_pointer_leads_to_a_command(verb: Verb) -> None:
    """And to one that the reader may use."""
    for other in verb.see:
        found = VERBS.exact(other)
        assert found is not None, other
        assert found.rank <= verb.rank
        assert found is not verb


@EVERY
def test_keepers_commands_look_like_it(verb: Verb) -> None:
    """An @ marks what others cannot use; a rank and a group say the same."""
    assert (verb.rank is Rank.KEEPER) == verb.name.startswith("@") == (verb.group == "keeper")


def test_the_common_are_there() -> None:
    """What the order of precedence names are commands or their aliases."""
    assert [name for name in COMMON if VERBS.exact(name) is None] == []


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("lo", "look"),
        ("ge", "get"),
        ("sa", "say"),
        ("inv", "inventory"),
        ("wh", "who"),
        ("te", "tell"),
        ("at", "attack"),
    ],
)
def test_beginnings(word: str, name: str) -> None:
    found = VERBS.beginning(word, Rank.GUEST)
    assert found is not None
    assert found.name == name


def test_a_beginning_never_leads_out_of_the_game() -> None:
    """``q`` is too little to mean quit if anything else begins so; and no keeper's command is found by others."""
    assert all(verb.rank is Rank.GUEST for verb in VERBS.allowed(Rank.GUEST))
    assert VERBS.beginning("@", Rank.PLAYER) is None
