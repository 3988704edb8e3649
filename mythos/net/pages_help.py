"""Help as pages: every command and topic that a newcomer may see, from the declarations that ``help`` reads too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from mythos.net.pages_markup import Markup, joined, link, tag, tags
from mythos.play.topics import GROUPS, first_words, in_group, look_up, near
from mythos.play.verbs import Rank, Verb, VerbTable

__all__ = ["Entry", "Help"]

#: A newcomer is a guest.
_RANK: Final = Rank.GUEST
#: Where a text says what to type, its first word.
_TYPED: Final = re.compile(r"(?<=\b[Tt]ype )[a-z]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a page says: of a command, of a topic, or of both under one name.

    :ivar path: where search engines keep it, whichever of its names was asked for
    """

    title: str
    description: str
    path: str
    inside: tuple[Markup, ...]


class Help:
    """:param topics: the world's, as :mod:`mythos.play.topics` tells"""

    def __init__(self, verbs: VerbTable, topics: Mapping[str, str]) -> None:
        self._verbs = verbs
        self._topics = topics

    def overview(self) -> Iterator[Markup]:
        """How to begin, all commands, all topics."""
        topics = dict(sorted(first_words(self._topics).items(), key=lambda one: _title(one[1])))
        if start := topics.pop("start", ""):
            yield tag("h2", _title(start))
            yield from self._paragraphs(_text(start))
        yield tag("h2", "Commands")
        for group, heading in GROUPS.items():
            if verbs := in_group(self._verbs, _RANK, group):
                yield tag("h3", heading)
                yield tag("ul", *[tag("li", link(_path(verb.name), verb.name), f": {verb.help}") for verb in verbs])
        if topics:
            yield tag("h2", "Topics")
            yield tag("ul", *[tag("li", link(_path(word), _title(topic))) for word, topic in topics.items()])

    def on(self, wanted: str) -> Entry | None:
        """:param wanted: in small letters; a command, another name of one, or any word of a topic"""
        verb, topic = look_up(self._verbs, self._topics, _RANK, wanted)
        inside: list[Markup] = []
        if verb is not None:
            inside += self._of_verb(verb)
        if topic is not None:
            inside += [tag("h2", _title(topic))] if verb else []
            inside += self._paragraphs(_text(topic))
        if verb is not None:
            also = f" ({', '.join(verb.aliases)})" if verb.aliases else ""
            return Entry(verb.name, f"The command {verb.name}{also}: {verb.help}", _path(verb.name), tuple(inside))
        if topic is not None:
            words = next(word for word, one in first_words(self._topics).items() if one == topic)
            return Entry(_title(topic), _cut(" ".join(_text(topic).split())), _path(words), tuple(inside))
        return None

    def near(self, wanted: str) -> list[Markup]:
        """Links to what may have been meant: names that begin like it, and names that are like it."""
        known = [*self._verbs.names(_RANK), *self._topics]
        begun = [name for name in known if wanted and name.lower().startswith(wanted)][:5]
        names = dict.fromkeys([*begun, *near(self._verbs, self._topics, _RANK, wanted)])
        return [link(_path(name), name) for name in names]

    def paths(self) -> Iterator[str]:
        """Of every entry."""
        names = [verb.name for verb in self._verbs.allowed(_RANK)]
        for name in (*names, *[word for word in first_words(self._topics) if word.lower() not in names]):
            yield _path(name)

    def _of_verb(self, verb: Verb) -> Iterator[Markup]:
        yield tag("p", *self._linked(verb.help, but=verb.name))
        yield from [tag("p", *self._linked(words, but=verb.name)) for words in verb.more.splitlines() if words.strip()]
        yield tag("h2", "How to type it")
        yield tag("ul", *tags("li", *tags("code", *verb.syntax)))
        if verb.aliases:
            yield tag("p", "For short: ", *_separated([tag("code", alias) for alias in verb.aliases]), ".")
        seen = [link(_path(name), name) for name in verb.see if self._verb(name)]
        told = [
            link(_path(word), _title(topic))
            for word, topic in first_words(self._topics).items()
            if verb.name in _TYPED.findall(topic)
        ]
        if seen or told:
            yield tag("h2", "See also")
            yield tag("ul", *tags("li", *seen, *told))

    def _paragraphs(self, text: str) -> Iterator[Markup]:
        return (tag("p", *self._linked(words)) for words in text.splitlines() if words.strip())

    def _linked(self, words: str, but: str = "") -> Iterator[str]:
        """The words, with links where they say what to type."""
        end = 0
        for found in _TYPED.finditer(words):
            verb = self._verb(found[0])
            if verb is not None and verb.name != but:
                yield words[end : found.start()]
                yield link(_path(verb.name), found[0])
                end = found.end()
        yield words[end:]

    def _verb(self, name: str) -> Verb | None:
        return look_up(self._verbs, {}, _RANK, name)[0]


def _path(name: str) -> str:
    return f"/help/{quote(name, safe='')}"


def _title(topic: str) -> str:
    return topic.partition("\n")[0]


def _text(topic: str) -> str:
    return topic.partition("\n")[2]


def _cut(words: str) -> str:
    """At most 200 characters, at the end of a word."""
    return words if len(words) <= 200 else words[:200].rpartition(" ")[0] + " …"


def _separated(each: list[Markup]) -> Iterator[str]:
    for place, one in enumerate(each):
        yield joined(", ", one) if place else one
