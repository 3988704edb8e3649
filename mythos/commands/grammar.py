"""What is typed -> commands, and the words in them -> people and things.

Every failure is a :class:`~mythos.errors.Refusal` that says what was not understood, with what is near to it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import TypeVar

from mythos.errors import Refusal
from mythos.play.call import Call
from mythos.play.verbs import Rank, Verb, VerbTable
from mythos.world import perception
from mythos.world.state import Body, Item, Npc
from mythos.world.zones import DIRECTIONS

__all__ = [
    "WAYS",
    "Command",
    "Missing",
    "bare",
    "called",
    "gold",
    "names_of",
    "parse",
    "person",
    "preposition",
    "thing",
    "things",
]

#: A verb, the word that was typed for it, and the rest of its words.
Command = tuple[Verb, str, str]

#: What may be typed for each direction.
WAYS: Mapping[str, str] = MappingProxyType(
    {
        **{direction: direction for direction in DIRECTIONS},
        "n": "north",
        "ne": "northeast",
        "e": "east",
        "se": "southeast",
        "s": "south",
        "sw": "southwest",
        "w": "west",
        "nw": "northwest",
        "u": "up",
        "d": "down",
    }
)
#: Commands in one line; letters of a word that is repeated to the player.
_STACKED, _SHOWN = 10, 30
_ARTICLES = frozenset(("a", "an", "the", "my"))
_COINS = frozenset(("gold", "coin", "coins"))

_T = TypeVar("_T")


class Missing(Refusal):
    """Nobody and nothing here is called so; others may know better than the shelf that was asked."""


# ── commands ────────────────────────────────────────────────────────────────────────────────────


def parse(
    verbs: VerbTable, rank: Rank, aliases: Mapping[str, str] | None, ways: Collection[str], typed: str
) -> list[Command]:
    """The commands of one line, parted by ``;``: none of them is run if one is not understood.

    :param aliases: shortcuts of the player's own
    :param ways: exits of the room, which are commands too
    :raises Refusal: no such command, or too many
    """
    left = typed.strip()
    if not aliases and ";" not in left:
        word, _, rest = left.partition(" ")
        verb = verbs.exact(word.lower())
        if verb is not None and verb.rank <= rank:  # nearly every line
            return [(verb, word if verb.rest else word.lower(), rest.strip())]
    found: list[Command] = []
    expanded = False
    while left:
        word, _, rest = left.partition(" ")
        if not expanded and aliases and (meaning := aliases.get(word.partition(";")[0].lower())):
            left, expanded = (meaning + left[len(word.partition(";")[0]) :]).strip(), True
            continue
        expanded = False
        if not word[0].isalnum() and len(word) > 1 and word[0] != "@" and verbs.exact(word[0]) is not None:
            left = f"{word[0]} {left[1:]}"  # 'hello is ' hello
            word, rest = left[0], left[2:]
        verb = verbs.exact(word.lower())
        if verb is not None and verb.rest and verb.rank <= rank:
            found.append((verb, word, rest.strip()))
            left = ""
        elif ";" in left:
            part, _, left = left.partition(";")
            if part := part.strip():
                found.append(_find(verbs, rank, ways, part))
            left = left.strip()
        else:
            found.append(_find(verbs, rank, ways, left))
            left = ""
        if len(found) > _STACKED:
            raise Refusal(f"That is too much at once: one line holds up to {_STACKED} commands.")
    return found


def _find(verbs: VerbTable, rank: Rank, ways: Collection[str], part: str) -> Command:
    typed, _, rest = part.partition(" ")
    word = typed.lower()
    rest = rest.strip()
    verb = verbs.exact(word)
    if verb is None:
        way = WAYS.get(word, word)
        if way in ways or word in WAYS:
            go = verbs.exact("go")
            if go is not None and not rest:
                return go, word, way
        verb = verbs.beginning(word, rank)
    if verb is None or verb.rank > rank:
        raise Refusal(_unknown(verbs.names(rank), word))
    return verb, word, rest


def _unknown(names: Iterable[str], word: str) -> str:
    near = get_close_matches(word, [*names, *WAYS], n=3, cutoff=0.7)
    shown = word if len(word) <= _SHOWN else word[:_SHOWN] + "…"
    if near:
        return f"There is no command {shown}. Did you mean: {' or '.join(near)}?"
    return f"There is no command {shown}. To see what there is, type: commands"


# ── people ──────────────────────────────────────────────────────────────────────────────────────


def person(call: Call, words: str) -> Body:
    """Somebody in the room, oneself too. :raises Refusal: nobody, too dark, or several kinds"""
    me = call.me
    if words.lower() in ("me", "self", "myself", me.name.lower()):
        return me
    if perception.is_dark(call.world, me.room):
        raise Refusal("It is too dark to see anybody.")
    others = [body for body in call.world.people.get(me.room, {}).values() if body is not me]
    number, name = _counted(words)
    return _one(
        [body for body in others if called(name, names_of(body))],
        number,
        name,
        kind=lambda body: body.name,
        exact=lambda body: name in names_of(body) or name == body.name.lower(),
        missing=lambda: f"You see nobody called {words} here." + _near(name, others),
    )


def names_of(body: Body) -> tuple[str, ...]:
    """What somebody may be called, in small letters."""
    return body.proto.words if isinstance(body, Npc) else (body.name.lower(),)


def _near(name: str, others: Sequence[Body]) -> str:
    near = get_close_matches(name, [word for body in others for word in names_of(body)], n=1, cutoff=0.7)
    return f" Did you mean {near[0]}?" if near else ""


# ── things ──────────────────────────────────────────────────────────────────────────────────────


def thing(call: Call, words: str, shelf: Iterable[Item], where: str) -> Item:
    """One thing of a shelf, by its name.

    :param where: ``here``, ``in the chest``; empty for what one carries
    :raises Refusal: there is none, or several kinds
    """
    items = list(shelf)
    number, name = _counted(words)
    return _one(
        [item for item in items if called(name, item.proto.words) or _plural(name, item)],
        number,
        name,
        kind=lambda item: item.proto.name,
        exact=lambda item: name in item.proto.words or name == item.proto.name.lower(),
        missing=lambda: _missing(words, items, where),
    )


def things(call: Call, words: str, shelf: Iterable[Item], where: str) -> list[tuple[Item, int]]:
    """Things of a shelf, and how many of each: ``all``, ``all.coin``, ``3 nails``, ``2.lamp``, ``lamp``.

    The name of one is one of a stack, the name of many is the whole of it.

    :raises Refusal: there are none, too few, or several kinds
    """
    items = list(shelf)
    first, _, rest = words.lower().strip().partition(" ")
    if first == "all" or first.startswith("all."):
        name = bare(first.removeprefix("all").removeprefix(".") + " " + rest)
        chosen = [item for item in items if not name or called(name, item.proto.words) or _plural(name, item)]
        if not chosen:
            raise Missing(_missing(name or "anything", items, where))
        return [(item, item.stack) for item in chosen]
    if first.isascii() and first.isdigit() and rest:
        return _so_many(call, int(first[:9]), rest, items, where)
    item = thing(call, words, items, where)
    return [(item, item.stack if _plural(bare(words), item) else 1)]


def _so_many(call: Call, wanted: int, name: str, items: list[Item], where: str) -> list[tuple[Item, int]]:
    proto = thing(call, name, items, where).proto
    left, chosen = wanted, []
    for item in items:
        if item.proto is proto and left > 0:
            chosen.append((item, min(left, item.stack)))
            left -= chosen[-1][1]
    if left or not chosen:
        raise Refusal(f"There are only {wanted - left}." if wanted else "Zero of something is nothing.")
    return chosen


def _missing(words: str, items: Iterable[Item], where: str) -> str:
    near = get_close_matches(words.lower(), [word for item in items for word in item.proto.words], n=1, cutoff=0.7)
    hint = f" Did you mean {near[0]}?" if near else ""
    return (f"You see no {words} {where}." if where else f"You have no {words}.") + hint


def _plural(name: str, item: Item) -> bool:
    """Whether a name is that of many: ``rat tails``, ``nails``."""
    many = item.proto.plural.lower()
    return bool(name) and (name == many or name in many.split()[-1:] or name in {f"{w}s" for w in item.proto.words})


# ── words ───────────────────────────────────────────────────────────────────────────────────────


def gold(words: str) -> int | None:
    """``10 gold``, ``1 gold coin``: how much; ``gold`` and ``all coins``: 0, for all there is; None: not gold."""
    parts = words.lower().replace("all.", "all ").split()
    if not parts or parts[-1] not in _COINS:
        return None
    *before, _ = [part for part in parts if part not in _ARTICLES]
    before = [part for part in before if part not in _COINS]
    if before in ([], ["all"]):
        return 0
    if len(before) == 1 and before[0].isascii() and before[0].isdigit() and len(before[0]) < 16:
        amount = int(before[0])
        if amount == 0:
            raise Refusal("Zero gold is nothing.")
        return amount
    return None


def preposition(rest: str, *words: str) -> tuple[str, str]:
    """Part ``lamp from the chest`` at the last of ``words``; the second half is empty if none of them stands there."""
    low = f" {rest.lower()} "
    place, length = max(((low.rfind(f" {word} "), len(word)) for word in words), default=(-1, 0))
    if place < 0:
        return rest, ""
    return rest[: max(0, place - 1)].strip(), rest[place + length :].strip()


def bare(words: str) -> str:
    """Without articles and quotation marks, in small letters."""
    return " ".join([word for word in words.lower().strip(" \"'").split() if word not in _ARTICLES])


def _counted(words: str) -> tuple[int, str]:
    """``2.lamp`` -> (2, lamp); no number: 0."""
    name = bare(words)
    number, dot, rest = name.partition(".")
    if dot and number.isascii() and number.isdigit() and rest:
        return int(number[:6]), rest
    return 0, name


def called(name: str, words: Sequence[str]) -> bool:
    """Every word of a name is the beginning of one of the thing's."""
    return bool(name) and all(any(known.startswith(part) for known in words) for part in name.split())


def _one(
    found: list[_T],
    number: int,
    name: str,
    *,
    kind: Callable[[_T], str],
    exact: Callable[[_T], bool],
    missing: Callable[[], str],
) -> _T:
    """The one that is meant: the only kind, the only exact name, or the one with that number."""
    if not found:
        raise Missing(missing())
    if number:
        if number > len(found):
            raise Refusal(f"There are only {len(found)} of them." if len(found) > 1 else "There is only one.")
        return found[number - 1]
    kinds = {kind(one): one for one in reversed(found)}
    if len(kinds) > 1:
        kinds = {kind(one): one for one in reversed(found) if exact(one)} or kinds
    if len(kinds) > 1:
        *most, last = sorted(kinds)
        raise Refusal(f"Which {name} do you mean: {', '.join(most)} or {last}?")
    return next(iter(kinds.values()))
