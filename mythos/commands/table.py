"""The table of all commands."""

from __future__ import annotations

from mythos.commands import account, carry, explore, fight, help, intermud, keeper, myself, talk, trade
from mythos.play.verbs import Verb, VerbTable

__all__ = ["COMMON", "VERBS"]

#: What the shortest beginnings mean: of two commands that begin alike, the one named here first.
COMMON = (
    "look",
    "get",
    "drop",
    "say",
    "inventory",
    "equipment",
    "tell",
    "who",
    "open",
    "give",
    "wear",
    "read",
    "reply",
    "kill",
    "attack",
    "score",
    "help",
    "buy",
    "list",
    "put",
    "close",
    "emote",
    "flee",
    "talk",
    "unlock",
    "chat",
)


def _ordered(verbs: tuple[Verb, ...]) -> tuple[Verb, ...]:
    first = {name: place for place, name in enumerate(COMMON)}
    return tuple(sorted(verbs, key=lambda verb: first.get(verb.name, len(first))))


VERBS = VerbTable(
    _ordered(
        (
            *explore.VERBS,
            *carry.VERBS,
            *talk.VERBS,
            *intermud.VERBS,
            *fight.VERBS,
            *trade.VERBS,
            *myself.VERBS,
            *help.VERBS,
            *account.VERBS,
            *keeper.VERBS,
        )
    )
)
