"""All measures, by name."""

from __future__ import annotations

from bench.measures import backup, give, i3, idle, look, say, sessions, startup, watch
from bench.results import Measure

__all__ = ["MEASURES"]

_ALL = (say, look, idle, sessions, give, startup, watch, backup, i3)

MEASURES: dict[str, Measure] = {measure.name: measure for module in _ALL for measure in module.MEASURES}
