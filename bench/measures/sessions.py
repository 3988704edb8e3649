"""Ten thousand telnet players on one process: how fast they are in, and how late its clock is while they play.

Two load processes bring 5,000 each, from many source addresses, through the name prompt and two rooms to a hundred
rooms. Then a fifth of them is active: 500 commands a second, every tenth heard by a hundred.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, Any, Final

from bench import world
from bench.machine import BenchError, Plan
from bench.results import Budget, Measure, Reading
from bench.servers import Mythos, mythos, quantile

__all__ = ["MEASURES"]

SESSIONS: Final = 10_000
LOADS: Final = 2
PLAY: Final = 15.0  # seconds
LAG: Final = "mythos_reactor_lag_seconds"


class _Horde:
    """A load process."""

    def __init__(self, port: int, count: int, address: str) -> None:
        command = [sys.executable, "-m", "bench.horde", str(port), str(count), address]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, words: str) -> None:
        _pipe(self._process.stdin).write(words + "\n")
        _pipe(self._process.stdin).flush()

    def answer(self) -> dict[str, Any]:
        line = _pipe(self._process.stdout).readline()
        if not line:
            raise BenchError("A load process ended early; what it wrote stands above.")
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def _once(plan: Plan, server: Mythos, sessions: int) -> Iterator[Reading]:
    with ExitStack() as stack:
        hordes = [_Horde(server.telnet, sessions // LOADS, f"127.0.{load + 1}.1") for load in range(LOADS)]
        for horde in hordes:
            stack.callback(horde.close)
        time.sleep(0.5)  # they import
        for horde in hordes:
            horde.tell("go")
        times = [horde.answer() for horde in hordes]
        took = max(one["last"] for one in times) - min(one["first"] for one in times)
        held = f"{server.resident() / 2**20:.0f} MB"
        time.sleep(1.0)
        before, cpu = server.histogram(LAG), server.cpu()
        for horde in hordes:
            horde.tell(str(PLAY))
        played = [horde.answer() for horde in hordes]
        lag = quantile(before, server.histogram(LAG), 0.99)
        busy = (server.cpu() - cpu) / PLAY
        typed, prompted, left = (sum(one[key] for one in played) for key in ("typed", "prompted", "left"))
        if left != sessions or prompted < typed:
            raise BenchError(f"{left} of {sessions} sessions are left; {prompted} of {typed} commands were answered.")
        yield Reading("sessions_10k", took, note=f"{sessions} sessions in {world.ROOMS} rooms, {held}")
        yield Reading(
            "sessions_lag",
            lag * 1000,
            note=f"{typed / PLAY:.0f} commands/s, {busy:.0%} of a core",
        )


def _run(plan: Plan) -> Iterator[Reading]:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    sessions = plan.some(SESSIONS)
    if most != resource.RLIM_INFINITY and most < sessions + 256:
        raise BenchError(f"{sessions} sessions need as many open files; the hard limit is {most} (ulimit -Hn).")
    with world.generated() as rooms:
        for _ in range(plan.runs):
            with mythos(plan, world=rooms) as server:
                yield from _once(plan, server, sessions)


MEASURES: Final = (
    Measure(
        "sessions_10k",
        {"sessions_10k": Budget(most=10), "sessions_lag": Budget(most=50)},
        ("s", "ms p99"),
        300,
        _run,
    ),
)
