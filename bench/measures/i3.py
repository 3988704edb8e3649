"""The codec of Intermud-3, in this process: CPU time of the best of many rounds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from bench.machine import Plan
from bench.results import Budget, Measure, Reading
from mythos.wire.i3 import lpc, packets
from mythos.wire.i3.mudmode import FrameReader, frame

__all__ = ["MEASURES"]

ROUNDS: Final = 20
LINE: Final[list[Any]] = [
    *("channel-m", 5, "Dark Side of the Moon", "cratylus", 0, 0, "imud_gossip", "Cratylus"),
    "Well, I would not say that it is \"broken\". It just works differently from what you'd expect, that's all.",
]
MUDS: Final = 2000


def mudlist(count: int) -> list[Any]:
    """A list of so many, as the routers have them: some 460 bytes each."""
    services = dict.fromkeys(("tell", "emoteto", "channel", "who", "finger", "locate", "ucache", "auth", "mail"), 1)
    other = {"url": "http://www.example.org/mud", "time": "Sat Nov 21 06:00:00 2026", "banner": "Welcome, stranger."}
    return [
        *("mudlist", 5, "*i4", 0, "Ours", 0, 12345),
        {
            f"The Mud of the Number {number}": [
                *(-1, f"192.0.2.{number % 250}", 4000 + number, 0, 0, "Dead Souls 3.9", "Dead Souls 3.9"),
                *("FluffOS v2019.2021", "LP", "open for public", f"admin{number}@mud.example.org", services, other),
            ]
            for number in range(count)
        },
    ]


def _best(work: Callable[[], object], times: int) -> float:
    """Seconds of CPU time for one, at best."""
    found = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(times):
            work()
        found.append((time.process_time() - start) / times)
    return min(found)


def _decode(data: bytes) -> list[packets.Packet]:
    reader = FrameReader()
    reader.receive(data)
    return [packets.parse(value) for payload in reader.frames() for value in lpc.decode(payload)[0]]


def _run(plan: Plan) -> Iterator[Reading]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {plan.server})
    try:
        for _ in range(plan.runs):
            yield from _once()
    finally:
        os.sched_setaffinity(0, before)


def _once() -> Iterator[Reading]:
    data = frame(lpc.encode(LINE))
    (line,) = _decode(data)
    text = lpc.encode(mudlist(MUDS))
    yield Reading("i3_decode", _best(lambda: _decode(data), 1000) * 1e6, note=f"{len(data)} bytes")
    yield Reading("i3_encode", _best(lambda: frame(lpc.encode(packets.values(line))), 1000) * 1e6)
    yield Reading("i3_mudlist", _best(lambda: lpc.decode(text), 1) * 1e3, note=f"{MUDS} MUDs, {len(text) // 1000} kB")


MEASURES: Final = (
    Measure(
        "i3_codec",
        {"i3_decode": Budget(most=12), "i3_encode": Budget(most=3), "i3_mudlist": Budget(most=70)},
        ("us/packet", "us/packet", "ms"),
        60,
        _run,
    ),
)
