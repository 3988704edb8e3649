"""What a measure yields, what it may cost, and how that is shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.machine import Plan

__all__ = ["Budget", "Measure", "Reading", "Result", "as_json", "as_table", "results"]


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of a value, in the value's unit, and of its ratio to the bound; None: that one is not limited."""

    ratio: float | None = None
    most: float | None = None
    least: float | None = None

    def met(self, value: float, ratio: float | None) -> bool:
        return (
            (self.ratio is None or (ratio is not None and ratio <= self.ratio))
            and (self.most is None or value <= self.most)
            and (self.least is None or value >= self.least)
        )

    def __str__(self) -> str:
        limits = (("<= {:g}x", self.ratio), ("<= {:g}", self.most), (">= {:g}", self.least))
        return " and ".join(text.format(limit) for text, limit in limits if limit is not None)


@dataclass(frozen=True, slots=True)
class Reading:
    """One run's figure. ``bound``: what the bound took in the same run, in the same unit."""

    name: str
    value: float
    bound: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """One benchmark.

    :ivar budgets: by the name of each figure it yields
    :ivar unit: of each figure, in the same order
    :ivar seconds: it is ended after this long
    :ivar run: yields the readings of all runs
    """

    name: str
    budgets: Mapping[str, Budget]
    unit: Sequence[str]
    seconds: float
    run: Callable[[Plan], Iterator[Reading]]


@dataclass(frozen=True, slots=True)
class Result:
    """The median of the runs."""

    name: str
    value: float
    unit: str
    bound: float | None
    ratio: float | None
    budget: Budget
    note: str

    @property
    def ok(self) -> bool:
        return self.budget.met(self.value, self.ratio)


def results(measure: Measure, readings: Iterable[Reading]) -> list[Result]:
    """The median of each figure over its runs; the ratio is the median of the runs' ratios."""
    found = list(readings)
    made = []
    for (name, budget), unit in zip(measure.budgets.items(), measure.unit, strict=True):
        mine = [reading for reading in found if reading.name == name]
        bounds = [reading.bound for reading in mine if reading.bound is not None]
        ratios = [reading.value / reading.bound for reading in mine if reading.bound]
        made.append(
            Result(
                name,
                median(reading.value for reading in mine),
                unit,
                median(bounds) if bounds else None,
                median(ratios) if ratios else None,
                budget,
                mine[-1].note,
            )
        )
    return made


def as_json(result: Result) -> str:
    """One object on one line."""
    return json.dumps(
        {
            "name": result.name,
            "value": round(result.value, 4),
            "unit": result.unit,
            "bound": None if result.bound is None else round(result.bound, 4),
            "ratio": None if result.ratio is None else round(result.ratio, 3),
            "budget": str(result.budget),
            "ok": result.ok,
            "note": result.note,
        }
    )


_ROW = "{:<20} {:>10} {:<12} {:>10} {:>8}  {:<20} {:<4} {}"


def as_table(rows: Iterable[Result], *, header: bool = False) -> str:
    lines = [_ROW.format("name", "value", "unit", "bound", "ratio", "budget", "ok", "note").rstrip()] if header else []
    for row in rows:
        bound = "-" if row.bound is None else f"{row.bound:.2f}"
        ratio = "-" if row.ratio is None else f"{row.ratio:.2f}x"
        ok = "yes" if row.ok else "NO"
        lines.append(
            _ROW.format(row.name, f"{row.value:.2f}", row.unit, bound, ratio, str(row.budget), ok, row.note).rstrip()
        )
    return "\n".join(lines)
