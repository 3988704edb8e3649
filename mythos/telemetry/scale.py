"""How much of a server is in use, and whether it should be a larger one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mythos.telemetry.metrics import Numbers

__all__ = ["THRESHOLDS", "scale"]

#: Shares from which on there should be more of it: of a processor, of memory, of a thousand that wait, of connections.
THRESHOLDS: Final = {"cpu": 0.7, "memory": 0.8, "queue": 1.0, "connections": 0.8}
#: Of these, what all have to be below before there should be less.
_LOW: Final = 0.4
_QUEUE: Final = 1_000


def scale(numbers: Numbers, most: int) -> Mapping[str, Any]:
    """``ratios`` of what is in use, their ``thresholds``, the ``advice`` (up, hold, down), and ``because`` of which.

    :param most: connections that are let in
    """
    used, allowed = numbers.memory
    jobs = 0 if numbers.jobs is None else numbers.jobs.waiting
    ratios = {
        "cpu": numbers.cpu / 100.0,
        "memory": used / max(1, allowed),
        "queue": (numbers.queued + numbers.held + jobs) / _QUEUE,
        "connections": sum(numbers.connections.values()) / most,
    }
    over = [name for name, ratio in ratios.items() if ratio > THRESHOLDS[name]]
    idle = all(ratio < THRESHOLDS[name] * _LOW for name, ratio in ratios.items())
    return {
        "ratios": {name: round(ratio, 3) for name, ratio in ratios.items()},
        "thresholds": THRESHOLDS,
        "advice": "up" if over else "down" if idle else "hold",
        "because": over,
    }
