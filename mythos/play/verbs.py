"""What a command is: one declaration, from which the parser, ``help``, completion and the docs are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from mythos.world.state import Character

if TYPE_CHECKING:
    from mythos.play.call import Call

__all__ = ["Rank", "Verb", "VerbTable", "rank_of"]


class Rank(IntEnum):
    """Who may use a command: everybody of this rank or above."""

    GUEST = 0
    PLAYER = 1
    KEEPER = 2


def rank_of(character: Character) -> Rank:
    if character.keeper:
        return Rank.KEEPER
    return Rank.GUEST if character.account is None else Rank.PLAYER


@dataclass(frozen=True, slots=True)
class Verb:
    """One command.

    :ivar syntax: each way to use it, ``get <thing> [from <container>]``
    :ivar help: one line, an imperative sentence
    :ivar group: heading in ``commands``: look, move, things, trade, talk, fight, self, settings, keeper
    :ivar rest: keep the words after the verb as they were typed (say, tell), instead of splitting at ``;``
    :ivar loud: all in the room hear it: it also counts against the pace of the room
    :ivar cost: what it takes from the player's command bucket
    """

    name: str
    run: Callable[[Call], None]
    syntax: tuple[str, ...]
    help: str
    group: str
    aliases: tuple[str, ...] = ()
    rank: Rank = Rank.GUEST
    rest: bool = False
    loud: bool = False
    cost: float = 1.0
    more: str = ""  # further paragraphs of its help
    see: tuple[str, ...] = ()


class VerbTable:
    """All commands, found by name, alias or unambiguous beginning."""

    def __init__(self, verbs: tuple[Verb, ...]) -> None:
        """:raises ValueError: two verbs share a name or an alias"""
        self.verbs = verbs
        self._exact: dict[str, Verb] = {}
        for verb in verbs:
            for name in (verb.name, *verb.aliases):
                if name in self._exact:
                    raise ValueError(f"two commands are called {name!r}")
                self._exact[name] = verb

    def exact(self, word: str) -> Verb | None:
        return self._exact.get(word)

    def allowed(self, rank: Rank) -> list[Verb]:
        """In the order of their declaration."""
        return [verb for verb in self.verbs if verb.rank <= rank]

    def beginning(self, word: str, rank: Rank) -> Verb | None:
        """The first declared command that begins with ``word``: order of declaration is precedence."""
        for verb in self.verbs:
            if verb.rank <= rank and verb.name.startswith(word):
                return verb
        return None

    def names(self, rank: Rank) -> list[str]:
        """Every word that names a command, for near matches."""
        return [name for verb in self.allowed(rank) for name in (verb.name, *verb.aliases)]
