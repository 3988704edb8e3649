"""Whether a server should be a larger one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mythos.telemetry.metrics import JobsNumbers, Numbers
from mythos.telemetry.scale import scale

#: Half of everything.
HALF = Numbers(cpu=50.0, memory=(50, 100), queued=300, held=200, connections={"telnet": 30, "sse": 20})


def test_ratios() -> None:
    """Of a processor, of memory, of a thousand that wait, of all connections."""
    found = scale(HALF, 100)
    assert found["ratios"] == {"cpu": 0.5, "memory": 0.5, "queue": 0.5, "connections": 0.5}
    assert (found["advice"], found["because"]) == ("hold", [])


@pytest.mark.parametrize(
    ("numbers", "because", "just_not"),
    [
        (replace(HALF, cpu=71.0), ["cpu"], replace(HALF, cpu=70.0)),
        (replace(HALF, memory=(81, 100)), ["memory"], replace(HALF, memory=(80, 100))),
        (replace(HALF, queued=801), ["queue"], replace(HALF, queued=800)),
        (replace(HALF, connections={"sse": 81}), ["connections"], replace(HALF, connections={"sse": 80})),
    ],
)
def test_up(numbers: Numbers, because: list[str], just_not: Numbers) -> None:
    """One that is above its threshold is enough."""
    assert (scale(numbers, 100)["advice"], scale(numbers, 100)["because"]) == ("up", because)
    assert scale(just_not, 100)["advice"] == "hold"


def test_jobs_that_wait() -> None:
    """They count with commands and words; those that run or are to be tried again do not."""
    states = {("queued", "low"): 100, ("queued", "high"): 50, ("running", "low"): 999, ("delayed", "low"): 999}
    jobs = JobsNumbers(states, 5, 1.0, {}, {}, {}, {}, {})
    assert scale(replace(HALF, jobs=jobs), 100)["ratios"]["queue"] == 0.65


def test_down() -> None:
    """Only if all of it is idle."""
    idle = Numbers(cpu=5.0, memory=(20, 100), connections={"telnet": 10})
    assert scale(idle, 100)["advice"] == "down"
    assert scale(replace(idle, memory=(40, 100)), 100)["advice"] == "hold"
