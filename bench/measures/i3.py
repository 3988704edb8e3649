"""Intermud-3: its codec, and lines from a client of one gateway through a router to clients of another.

The codec runs in this process: CPU time of the best of many rounds. Both gateways and the router are processes of their
own, all on the server's core; for the throughput the router is on the core of the load. In flight means: said, and not
yet answered and heard.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any, Final

from bench.commits import percentile
from bench.crowd import Crowd, Hearer
from bench.gateways import MUDS, Client, Pair, gateway, network, said, told
from bench.machine import BenchError, Plan, anonymous
from bench.results import Budget, Measure, Reading
from bench.servers import HOST
from mythos.wire.i3 import lpc, packets
from mythos.wire.i3.mudmode import FrameReader, frame

__all__ = ["MEASURES"]

ROUNDS: Final = 20
LINE: Final[list[Any]] = [
    *("channel-m", 5, "Dark Side of the Moon", "cratylus", 0, 0, "imud_gossip", "Cratylus"),
    "Well, I would not say that it is \"broken\". It just works differently from what you'd expect, that's all.",
]
LISTED: Final = 2000
#: Lines of one run: with one in flight, with many, for the throughput, and at a steady pace of so many a second.
LINES: Final = {1: 2000, 64: 10_000}
RATED: Final = 20_000
PACED: Final = 2000
RATE: Final = 200.0
#: Clients of one gateway that hear a line, and lines of one run.
LISTENERS: Final = 100
HEARD: Final = 300

_numbers = count(1)


def _words(many: int) -> list[bytes]:
    """Words never said before, as long as a usual sentence."""
    return [b"%07d the quick brown fox jumps over the lazy dog" % next(_numbers) for _ in range(many)]


def mudlist(muds: range) -> list[Any]:
    """A list of these, as the routers have them: some 460 bytes each."""
    services = dict.fromkeys(("tell", "emoteto", "channel", "who", "finger", "locate", "ucache", "auth", "mail"), 1)
    other = {"url": "http://www.example.org/mud", "time": "Sat Nov 21 06:00:00 2026", "banner": "Welcome, stranger."}
    return [
        *("mudlist", 5, "*i4", 0, "Ours", 0, 12345),
        {
            f"The Mud of the Number {number}": [
                *(-1, f"192.0.2.{number % 250}", 4000 + number, 0, 0, "Dead Souls 3.9", "Dead Souls 3.9"),
                *("FluffOS v2019.2021", "LP", "open for public", f"admin{number}@mud.example.org", services, other),
            ]
            for number in muds
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
    text = lpc.encode(mudlist(range(LISTED)))
    yield Reading("i3_decode", _best(lambda: _decode(data), 1000) * 1e6, note=f"{len(data)} bytes")
    yield Reading("i3_encode", _best(lambda: frame(lpc.encode(packets.values(line))), 1000) * 1e6)
    yield Reading("i3_mudlist", _best(lambda: lpc.decode(text), 1) * 1e3, note=f"{LISTED} MUDs, {len(text) // 1000} kB")


# ── gateways ────────────────────────────────────────────────────────────────────────────────────


def _lines(name: str, framed: bool, plan: Plan) -> Iterator[Reading]:
    with network(plan) as net:
        pair = Pair(*net.clients(framed=framed), said, echo=True)
        for _ in range(plan.runs):
            for flight, lines in LINES.items():
                yield Reading(f"{name}_w{flight}", _cost(net.cpu, pair, plan.some(lines), flight))
            os.sched_setaffinity(net.router.pid, plan.load)
            lines, start = plan.some(RATED), time.perf_counter()
            pair.stream(_words(lines), 64)
            yield Reading(f"{name}_rate", lines / (time.perf_counter() - start), note="64 in flight")
            os.sched_setaffinity(net.router.pid, {plan.server})
            took = pair.pace(_words(plan.some(PACED)), RATE)
            for share in (50, 99):
                note = f"at {RATE:.0f} lines/s; the slowest took {max(took) * 1e3:.1f} ms"
                yield Reading(f"{name}_p{share}", percentile(took, share / 100) * 1e3, note=note)


def _tells(plan: Plan) -> Iterator[Reading]:
    with network(plan) as net:
        pair = Pair(*net.clients(), told, echo=False)
        for _ in range(plan.runs):
            for flight, tells in LINES.items():
                yield Reading(f"i3_tell_w{flight}", _cost(net.cpu, pair, plan.some(tells), flight))


def _cost(cpu: Callable[[], float], pair: Pair, lines: int, flight: int) -> float:
    """Microseconds of CPU time for each line."""
    pair.stream(_words(max(100, lines // 10)), flight)
    before = cpu()
    pair.stream(_words(lines), flight)
    return (cpu() - before) / lines * 1e6


def _fanout(plan: Plan) -> Iterator[Reading]:
    with network(plan) as net:
        speaker, first = net.clients()
        listeners = [first, *[Client.of(net.gateways[1]) for _ in range(LISTENERS - 1)]]
        for one in listeners[1:]:
            one.join(MUDS[0])
        hearers = [Hearer(one.socket, one.ear) for one in (*listeners, speaker)]
        crowd = Crowd(hearers[:-1], hearers[-1:], typed=partial(said, speaker))
        crowd.settle()
        for _ in range(plan.runs):
            lines = plan.some(HEARD)
            for words in _words(lines // 10):
                crowd.say([words])
            before = net.gateways[1].cpu()
            for words in _words(lines):
                crowd.say([words])
            yield Reading("i3_fanout", (net.gateways[1].cpu() - before) / (lines * LISTENERS) * 1e6)
        crowd.settle()
        crowd.close()


def _memory(plan: Plan) -> Iterator[Reading]:
    for _ in range(plan.runs):
        with socket.create_server((HOST, 0)) as router:
            router.settimeout(20)
            with gateway(plan, MUDS[0], f"*bench {HOST}:{router.getsockname()[1]}") as server:
                link, _ = router.accept()
                with link:
                    link.sendall(_welcome())
                    client = Client.of(server)
                    end = time.monotonic() + 20
                    while client.call("stats")["mud_count"] < LISTED:
                        if time.monotonic() > end:
                            raise BenchError("The gateway did not learn the list of MUDs.")
                        time.sleep(0.05)
                    note = f"{anonymous(server.pid) / 2**20:.1f} MB of it anonymous; {LISTED} MUDs"
                    yield Reading("i3_memory", server.resident() / 2**20, note=note)
                    client.close()


def _welcome() -> bytes:
    """What a router sends to a MUD that starts up: a password, and its list in packets of ten."""
    reply: list[Any] = ["startup-reply", 5, "*bench", 0, MUDS[0], 0, [["*bench", f"{HOST} 8080"]], 1]
    parts = [mudlist(range(start, start + 10)) for start in range(0, LISTED, 10)]
    return b"".join([frame(lpc.encode(one)) for one in (reply, *[["mudlist", 5, "*bench", *one[3:]] for one in parts])])


MEASURES: Final = (
    Measure(
        "i3_codec",
        {"i3_decode": Budget(most=12), "i3_encode": Budget(most=3), "i3_mudlist": Budget(most=70)},
        ("us/packet", "us/packet", "ms"),
        60,
        _run,
    ),
    *[
        Measure(
            name,
            {
                f"{name}_w1": Budget(most=150),
                f"{name}_w64": Budget(most=150),
                f"{name}_rate": Budget(least=5000),
                f"{name}_p50": Budget(most=1),
                f"{name}_p99": Budget(most=2.5),
            },
            ("us/line", "us/line", "lines/s", "ms", "ms"),
            180,
            partial(_lines, name, framed),
        )
        for name, framed in (("i3_line", False), ("i3_line_ws", True))
    ],
    Measure(
        "i3_tell",
        {"i3_tell_w1": Budget(most=120), "i3_tell_w64": Budget(most=120)},
        ("us/tell", "us/tell"),
        60,
        _tells,
    ),
    Measure("i3_fanout", {"i3_fanout": Budget(most=12)}, ("us/delivery",), 60, _fanout),
    Measure("i3_memory", {"i3_memory": Budget(most=60)}, ("MB",), 120, _memory),
)
