"""One ``say`` heard by a thousand: the server's CPU time for each delivery, against one ``send()`` each in C.

The speakers come by telnet, the listeners by the door that is measured; all stand in the first room. In flight means:
said, and not yet heard by everybody. Ten in flight are ten speakers who speak at once. Where listeners have what they
hear compressed, the bound sends it as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Final

from bench import doors
from bench.crowd import Crowd, Hearer
from bench.machine import Plan
from bench.results import Budget, Measure, Reading
from bench.servers import Bound, Mythos, bound, mythos

__all__ = ["MEASURES"]

LISTENERS: Final = 1000
SPEAKERS: Final = 10
#: Rounds of one run: with one line in flight, with ten.
ROUNDS: Final = {1: 200, 10: 40}
WARM_UP: Final = 10

_numbers = count(1)


def _words(sentences: int) -> bytes:
    """Words never said before. One sentence is as long as usual; with a name before it, one row of a terminal."""
    number = next(_numbers)
    return b" ".join(
        [b"%07d the quick brown fox jumps over the lazy dog" % (number + one * 1_000_003) for one in range(sentences)]
    )


def cost(server: Bound | Mythos, crowd: Crowd, rounds: int, flight: int, sentences: int) -> float:
    """Microseconds of the server's CPU time for each delivery."""
    before = server.cpu()
    for _ in range(rounds):
        crowd.say([_words(sentences) for _ in range(flight)])
    return (server.cpu() - before) / (rounds * flight * len(crowd)) * 1e6


def _measure(
    name: str, door: Callable[[int, int], list[Hearer]], flights: tuple[int, ...], sentences: int = 1
) -> Callable[[Plan], Iterator[Reading]]:
    def run(plan: Plan) -> Iterator[Reading]:
        with bound(plan, "fanout") as least, mythos(plan) as server:
            ideal = Crowd(
                doors.lines(least.port, LISTENERS), doors.lines(least.port, SPEAKERS), typed=b"%b\r\n".__mod__
            )
            crowd = Crowd(
                door(_port(server, door), LISTENERS), doors.telnets(server.telnet, SPEAKERS, lambda number: doors.WIDE)
            )
            crowd.settle()
            idle = _idle(server)
            for one in (ideal, crowd):
                for _ in range(WARM_UP):
                    one.say([_words(sentences) for _ in range(SPEAKERS)])
            for _ in range(plan.runs):
                for flight in flights:
                    rounds = plan.some(ROUNDS[flight])
                    floor = cost(least, ideal, rounds, flight, sentences)
                    yield Reading(f"{name}_w{flight}", cost(server, crowd, rounds, flight, sentences), floor, idle)
            crowd.settle()
            crowd.close()
            ideal.close()

    return run


def _port(server: Mythos, door: Callable[[int, int], list[Hearer]]) -> int:
    return server.telnet if door in (doors.telnets, doors.compressing) else server.http


def _idle(server: Mythos) -> str:
    """What the server uses with everybody silent. It is not subtracted."""
    before = server.cpu()
    time.sleep(1.0)
    return f"idle: {(server.cpu() - before) * 100:.1f} % of a core"


_DEFLATED: Final = partial(doors.sockets, deflate=True)

MEASURES: Final = (
    Measure(
        "telnet_say",
        {"telnet_say_w1": Budget(ratio=3), "telnet_say_w10": Budget(ratio=1)},
        ("us/delivery",) * 2,
        120,
        _measure("telnet_say", doors.telnets, (1, 10)),
    ),
    Measure(
        "telnet_say_mccp",
        {"telnet_say_mccp_w1": Budget(ratio=4), "telnet_say_mccp_w10": Budget(ratio=1.5)},
        ("us/delivery",) * 2,
        120,
        _measure("telnet_say_mccp", doors.compressing, (1, 10)),
    ),
    Measure("ws_say", {"ws_say_w1": Budget(ratio=5)}, ("us/delivery",), 120, _measure("ws_say", doors.sockets, (1,))),
    Measure(
        "ws_say_deflate",
        {"ws_say_deflate_w1": Budget(ratio=5)},
        ("us/delivery",),
        120,
        _measure("ws_say_deflate", _DEFLATED, (1,)),
    ),
    Measure(
        "ws_long", {"ws_long_w1": Budget(ratio=5)}, ("us/delivery",), 120, _measure("ws_long", doors.sockets, (1,), 7)
    ),
    Measure(
        "ws_long_deflate",
        {"ws_long_deflate_w1": Budget(ratio=5)},
        ("us/delivery",),
        120,
        _measure("ws_long_deflate", _DEFLATED, (1,), 7),
    ),
    Measure(
        "sse_say", {"sse_say_w1": Budget(ratio=5)}, ("us/delivery",), 120, _measure("sse_say", doors.streams, (1,))
    ),
)
