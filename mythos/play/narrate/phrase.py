"""Names of things inside sentences."""

from __future__ import annotations

from collections.abc import Sequence

from mythos.world.zones import ItemProto

__all__ = ["a", "capital", "listing"]


def a(proto: ItemProto, count: int = 1) -> str:
    """``a brass lamp``, ``3 nails``, ``an oar``; a proto without an article has none: ``bread``."""
    if count == 1:
        return f"{proto.article} {proto.name}".strip()
    return f"{count} {proto.plural or proto.name + 's'}"


def listing(names: Sequence[str]) -> str:
    """``a lamp, a knife and 3 nails``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def capital(words: str) -> str:
    """As a sentence begins: the first letter large, the others as they are."""
    return words[:1].upper() + words[1:]
