"""``python -m bench [NAME...] [--quick] [--json]``: measure, show, and exit 1 if something is over its budget."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from bench.ears import Misheard
from bench.machine import BenchError, Plan
from bench.measures import MEASURES
from bench.results import as_json, as_table, results


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks; see docs/benchmarks.md.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure (all): {', '.join(MEASURES)}")
    parser.add_argument("--quick", action="store_true", help="one short run of each, to see that it works")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--profile", type=Path, help="write the server's cProfile statistics there; figures are void")
    asked = parser.parse_args(argv)
    if unknown := [name for name in asked.names if name not in MEASURES]:
        parser.error(f"no measure is called {', '.join(unknown)}; there are: {', '.join(MEASURES)}")
    try:
        plan = Plan.make(quick=asked.quick, profile=asked.profile and asked.profile.absolute())
    except BenchError as error:
        print(error, file=sys.stderr)
        return 2
    os.sched_setaffinity(0, plan.load)
    good = True
    header = not asked.json
    for name in asked.names or MEASURES:
        try:
            with _at_most(MEASURES[name].seconds):
                found = results(MEASURES[name], MEASURES[name].run(plan))
        except (BenchError, Misheard, OSError) as error:
            print(f"{name} was not measured: {error}", file=sys.stderr)
            good = False
            continue
        print("\n".join(map(as_json, found)) if asked.json else as_table(found, header=header), flush=True)
        header = False
        good = good and all(result.ok for result in found)
    return 0 if good else 1


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """End what takes longer.

    :raises BenchError: it did
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise BenchError(f"it took more than {seconds:.0f} s.")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
