"""What there is to read in help: commands by their declarations, topics by the world's files.

A world has its topics under each of their words; a topic is its title, an empty line, and its text.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from mythos.play.verbs import Rank, Verb, VerbTable

__all__ = ["GROUPS", "first_words", "in_group", "look_up", "near"]

#: Groups of commands in the order they are listed, with their headings.
GROUPS = {
    "look": "Looking",
    "move": "Moving",
    "things": "Things",
    "trade": "Trade",
    "talk": "People",
    "fight": "Fighting",
    "self": "Yourself",
    "settings": "Settings",
    "keeper": "Keepers",
}


def in_group(verbs: VerbTable, rank: Rank, group: str) -> list[Verb]:
    """By name."""
    return sorted((verb for verb in verbs.allowed(rank) if verb.group == group), key=lambda verb: verb.name)


def first_words(topics: Mapping[str, str]) -> dict[str, str]:
    """Each topic once: its first word -> the topic."""
    first: dict[str, str] = {}
    for word, topic in topics.items():
        first.setdefault(topic, word)
    return {word: topic for topic, word in first.items()}


def look_up(verbs: VerbTable, topics: Mapping[str, str], rank: Rank, wanted: str) -> tuple[Verb | None, str | None]:
    """The command and the topic of exactly that name, in small letters."""
    verb = verbs.exact(wanted)
    if verb is not None and verb.rank > rank:
        verb = None
    return verb, next((topic for word, topic in topics.items() if word.lower() == wanted), None)


def near(verbs: VerbTable, topics: Mapping[str, str], rank: Rank, wanted: str) -> list[str]:
    """Up to three words one may have meant, the nearest first."""
    return get_close_matches(wanted, [*verbs.names(rank), *topics], n=3, cutoff=0.75)
