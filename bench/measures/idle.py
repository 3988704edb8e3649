"""What an idle session costs: the server's resident memory with and without a thousand more guests who do nothing.

They are spread over the rooms of the generated world. Kernel buffers are not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from bench import doors, world
from bench.crowd import Crowd, Hearer
from bench.ears import SocketEar
from bench.machine import Plan
from bench.results import Budget, Measure, Reading
from bench.servers import mythos

__all__ = ["MEASURES"]

SESSIONS: Final = 1000
#: Guests who come first, so that code, pools, and caches that are bounded for all (5 MB, the database's most of it)
#: are in memory: what is measured is what one session more costs.
FIRST: Final = 1000

Door = Callable[[int, int], list[Hearer]]


def _run(name: str, door: Door, plan: Plan) -> Iterator[Reading]:
    with world.generated() as rooms:
        for _ in range(plan.runs):
            with mythos(plan, world=rooms) as server:
                port = server.telnet if name.startswith("idle_telnet") else server.http
                crowds = [_quiet(door(port, plan.some(FIRST)))]
                before = server.resident()
                crowds.append(_quiet(door(port, plan.some(SESSIONS))))
                each = (server.resident() - before) / plan.some(SESSIONS) / 1024
                yield Reading(name, each, note=f"server: {before / 2**20:.0f} MB before")
                for crowd in crowds:
                    crowd.close()


def _quiet(hearers: list[Hearer]) -> Crowd:
    """All in their rooms, everything read, and one beat of the world later."""
    crowd = Crowd(hearers, ())
    crowd.settle(quiet=1.5, most=20)
    for hearer in hearers:
        if isinstance(hearer.ear, SocketEar):
            hearer.ear.pause()
            hearer.socket.send(hearer.ear.replies)
            hearer.ear.replies.clear()
    crowd.settle(quiet=1.5, most=20)
    return crowd


_sockets: Final = partial(doors.sockets, lines=world.path)

MEASURES: Final = tuple(
    Measure(name, {name: Budget(most=most)}, ("KB/session",), 180, partial(_run, name, door))
    for name, door, most in (
        ("idle_telnet", partial(doors.telnets, script=world.walk), 8),
        ("idle_telnet_mccp", partial(doors.compressing, script=world.walk), 11),
        ("idle_ws", _sockets, 20),
        ("idle_ws_deflate", partial(_sockets, deflate=True), 22),
        ("idle_sse", partial(doors.streams, lines=world.path), 18),
    )
)
