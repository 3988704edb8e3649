"""A bounded number of things, by their names: of more, those put in first are forgotten."""

from collections.abc import Hashable
from typing import TypeVar

__all__ = ["keep"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def keep(kept: dict[K, V], name: K, value: V, most: int) -> None:
    """Put it in as the newest, in the place of what that name had."""
    kept.pop(name, None)
    if len(kept) >= most:
        del kept[next(iter(kept))]
    kept[name] = value
