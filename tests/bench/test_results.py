"""Figures of several runs into one line with a judgement; and what the harness refuses."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.commits import percentile, raw
from bench.machine import BenchError, Plan, compiled, cpu_seconds, resident
from bench.measures import MEASURES
from bench.results import Budget, Measure, Reading, as_json, as_table, results
from bench.servers import quantile
from mythos.config import disk, load

PLAN = Plan(runs=3, server=0, load=frozenset({1}))


def runs(plan: Plan) -> Iterator[Reading]:
    for value, bound in ((30.0, 10.0), (8.0, 2.0), (20.0, 10.0)):
        yield Reading("say", value, bound)
        yield Reading("size", value)


MEASURE = Measure("both", {"say": Budget(ratio=3), "size": Budget(most=10)}, ("us", "KB"), 60, runs)


def test_medians() -> None:
    """Of value, bound and ratio each the median of the runs: a ratio is made within one run."""
    say, size = results(MEASURE, MEASURE.run(PLAN))
    assert (say.value, say.bound, say.ratio, say.ok) == (20.0, 10.0, 3.0, True)
    assert (size.value, size.bound, size.ratio, size.ok) == (20.0, None, None, False)


@pytest.mark.parametrize(
    ("budget", "value", "ratio", "met"),
    [
        (Budget(ratio=3), 9.0, 3.1, False),
        (Budget(ratio=3), 9.0, None, False),
        (Budget(most=3), 3.0, None, True),
        (Budget(least=3000), 2999.0, None, False),
        (Budget(ratio=4, most=3), 2.0, 4.5, False),
        (Budget(ratio=4, most=3), 2.0, 3.5, True),
    ],
)
def test_budget(budget: Budget, value: float, ratio: float | None, met: bool) -> None:
    """Every limit that is set has to be kept."""
    assert budget.met(value, ratio) is met


def test_shown() -> None:
    """A row for people says NO where a budget is broken; for programs one object a line says the same."""
    say, size = results(MEASURE, MEASURE.run(PLAN))
    header, first, second = as_table([say, size], header=True).splitlines()
    assert header.split()[:3] == ["name", "value", "unit"]
    assert first.split() == ["say", "20.00", "us", "10.00", "3.00x", "<=", "3x", "yes"]
    assert second.split() == ["size", "20.00", "KB", "-", "-", "<=", "10", "NO"]
    assert json.loads(as_json(size)) == {
        "name": "size",
        "value": 20.0,
        "unit": "KB",
        "bound": None,
        "ratio": None,
        "budget": "<= 10",
        "ok": False,
        "note": "",
    }


def test_quantile() -> None:
    """The bucket between two looks at a histogram, not since the start."""
    before = [(0.01, 90.0), (0.05, 90.0), (float("inf"), 100.0)]
    after = [(0.01, 180.0), (0.05, 189.0), (float("inf"), 200.0)]
    assert quantile(before, after, 0.5) == 0.01
    assert quantile(before, after, 0.99) == 0.05
    assert quantile(before, after, 1.0) == float("inf")
    with pytest.raises(BenchError):
        quantile(after, after, 0.5)


def test_no_compiler(tmp_path: Path) -> None:
    """Without a C compiler one is told what to install."""
    source = tmp_path / "nothing.c"
    source.write_text("int main(void) { return 0; }")
    with pytest.raises(BenchError, match="apt install gcc"):
        compiled(source, path=str(tmp_path))


def test_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is none is answered with those there are."""
    with pytest.raises(SystemExit):
        main(["look_2"])
    assert "look_8" in capsys.readouterr().err


def test_names() -> None:
    """A measure is asked for by its name, and each figure has a unit."""
    assert all(name == measure.name for name, measure in MEASURES.items())
    assert all(len(measure.budgets) == len(measure.unit) for measure in MEASURES.values())


def test_limits_are_on() -> None:
    """The configuration of the benchmarks is good, and raises numbers only."""
    file = Path(__file__).parents[2] / "bench" / "mythos.yaml"
    config = load(options={"config": str(file)}, environ={}, files=disk.text, cwd=file.parent).config
    assert config.limits.enabled
    assert config.limits.connections == 20_000


def test_raw_commit() -> None:
    """Each commit of the bound takes time, and percentiles are taken of them."""
    times = raw(20)
    assert len(times) == 20
    assert min(times) <= percentile(times, 0.5) <= percentile(times, 0.99) == max(times)


def test_own_account() -> None:
    """What a process has used, as the system counts it."""
    before = cpu_seconds(os.getpid())
    for _ in range(1000):  # the scheduler books time at its ticks
        sum(range(20_000))
        if cpu_seconds(os.getpid()) > before:
            break
    assert cpu_seconds(os.getpid()) > before
    assert resident(os.getpid()) > 1_000_000
