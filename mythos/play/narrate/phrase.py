"""Names of things inside sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from mythos.wire.message import Span
from mythos.world.zones import ItemProto

__all__ = ["a", "alike", "capital", "listing", "together"]


class Countable(Protocol):
    """An :class:`~mythos.world.state.Item`, or what was made of one."""

    @property
    def proto(self) -> ItemProto: ...
    @property
    def stack(self) -> int: ...
    @property
    def worn(self) -> str: ...
    @property
    def lit(self) -> bool: ...


T = TypeVar("T", bound=Countable)


def a(proto: ItemProto, count: int = 1) -> str:
    """``a brass lamp``, ``3 nails``, ``an oar``; a proto without an article has none: ``bread``."""
    if count == 1:
        return f"{proto.article} {proto.name}".strip()
    return f"{count} {proto.plural or proto.name + 's'}"


def alike(things: Iterable[T]) -> list[tuple[T, int]]:
    """Those that look alike counted together: one of each kind and how many they are, in the order they came."""
    counts: dict[tuple[str, str, bool], tuple[T, int]] = {}
    for one in things:
        kind = one.proto.id, one.worn, one.lit
        first, count = counts.get(kind, (one, 0))
        counts[kind] = first, count + one.stack
    return list(counts.values())


def listing(names: Sequence[str]) -> str:
    """``a lamp, a knife and 3 nails``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def together(names: Sequence[Span], more: int = 0) -> list[str | Span]:
    """:func:`listing` of names that stay spans, and of so many more: ``Ann, Bob and 980 others``."""
    words: list[str | Span] = []
    for place, name in enumerate(names):
        if place:
            words.append(" and " if place == len(names) - 1 and not more else ", ")
        words.append(name)
    if more:
        words.append(f" and {more} other{'' if more == 1 else 's'}")
    return words


def capital(words: str) -> str:
    """As a sentence begins: the first letter large, the others as they are."""
    return words[:1].upper() + words[1:]
