"""How what happens is told."""

from __future__ import annotations

from mythos.play.narrate import NARRATORS
from mythos.world import facts


def test_every_kind_of_fact_can_be_told() -> None:
    """But for those that are no more than what others have in common."""
    kinds = {kind for kind in vars(facts).values() if isinstance(kind, type) and issubclass(kind, facts.Fact)}
    assert kinds - {kind.__base__ for kind in kinds} == NARRATORS.keys()
