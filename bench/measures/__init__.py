"""All measures, by name."""

from __future__ import annotations

from bench.measures import give, idle, look, say, sessions, startup
from bench.results import Measure

__all__ = ["MEASURES"]

_ALL = (say, look, idle, sessions, give, startup)

MEASURES: dict[str, Measure] = {measure.name: measure for module in _ALL for measure in module.MEASURES}
