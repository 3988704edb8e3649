"""From the start of the process to its open telnet port: starter world, SQLite, an empty data directory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bench.machine import Plan
from bench.results import Budget, Measure, Reading
from bench.servers import mythos

__all__ = ["MEASURES"]


def _run(plan: Plan) -> Iterator[Reading]:
    with mythos(plan, config=False):
        pass  # the first start after an installation compiles the modules: it is not counted
    for _ in range(plan.some(5)):
        with mythos(plan, config=False) as server:
            yield Reading("startup", server.opened)


MEASURES: Final = (Measure("startup", {"startup": Budget(most=1.5)}, ("s",), 120, _run),)
