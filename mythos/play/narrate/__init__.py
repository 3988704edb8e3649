"""A fact -> few (audience, message) pairs; never a call for each observer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mythos.play.audience import Heard
from mythos.play.narrate import fights, moving, seeing, talking, things
from mythos.world.facts import Fact
from mythos.world.state import World

__all__ = ["NARRATORS", "narrate"]

Narrator = Callable[[World, Any], Iterable[Heard]]

NARRATORS: dict[type[Fact], Narrator] = {
    **moving.NARRATORS,
    **seeing.NARRATORS,
    **things.NARRATORS,
    **talking.NARRATORS,
    **fights.NARRATORS,
}


def narrate(world: World, fact: Fact) -> Iterable[Heard]:
    """What is heard of a fact, in order.

    :raises KeyError: nobody has said how this kind of fact sounds (a test goes through all of them)
    """
    return NARRATORS[type(fact)](world, fact)
