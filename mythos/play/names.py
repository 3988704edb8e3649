"""What a player may be called, and when two names are the same."""

from __future__ import annotations

import unicodedata

from mythos.errors import Refusal

__all__ = ["BadName", "check", "key"]

#: Words that would make sentences lie, or that commands use.
_RESERVED = frozenset(
    "a all an and as at by from guest in it keeper me mythos myself no of on over self server someone something"
    " system the them they to with you everyone here somebody nobody her him admin administrator operator".split()
)


class BadName(Refusal):
    """The sentence says what is wrong with it."""


def check(name: str) -> str:
    """A name as it is shown: first letter large, the rest small.

    :raises BadName: not 3 to 16 letters of the Latin alphabet, or a word that is kept back
    """
    name = unicodedata.normalize("NFC", name.strip())
    if not 3 <= len(name) <= 16:
        raise BadName("A name has 3 to 16 letters.")
    for letter in name:
        if not (letter.isalpha() and unicodedata.name(letter, "").startswith("LATIN ")):
            raise BadName(f"A name has letters only, and {letter!r} is none of the Latin alphabet.")
    if key(name) in _RESERVED or key(name).startswith("guest"):
        raise BadName(f"The word {name} is kept back. Choose another name.")
    return name[0].upper() + name[1:].lower()


def key(name: str) -> str:
    """Names with equal keys are one name: accents and case do not tell two people apart."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    return "".join([letter for letter in folded if not unicodedata.combining(letter)])
