"""What is done to several things at once: ``sell all``, ``drop 2 flasks and the knife``."""

from __future__ import annotations

from collections.abc import Callable

from mythos.errors import Refusal
from mythos.play.call import Call
from mythos.world.facts import Fact
from mythos.world.state import Item

__all__ = ["each"]


def each(call: Call, chosen: list[tuple[Item, int]], rule: Callable[[Item, int], list[Fact]]) -> None:
    """The same to each of them; of several, one that refuses does not hold up the others."""
    for item, count in chosen:
        try:
            call.happen(rule(item, count))
        except Refusal as refusal:
            if len(chosen) == 1:
                raise
            call.reply(str(refusal), kind="error")
