"""``look``, from the line to the prompt: the server's CPU time for each, against a C server that echoes the line.

Eight in flight are eight lines in one segment of one connection; the echo answers each with a ``send()`` of its own.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from bench import doors
from bench.machine import BenchError, Plan
from bench.results import Budget, Measure, Reading
from bench.servers import HOST, Bound, Mythos, bound, mythos

__all__ = ["MEASURES"]

#: Looks of one run; more would meet the player's burst limit.
LOOKS: Final = 8000
WARM_UP: Final = 400


def trips(plug: socket.socket, looks: int, flight: int, mark: bytes, end: bytes) -> None:
    """Look so often, ``flight`` at a time; an answer has one ``mark``, and ``end`` comes behind the last."""
    question = b"look\r\n" * flight
    plug.setblocking(False)  # a client that slept would have to be woken, at the server's cost
    for _ in range(looks // flight):
        plug.sendall(question)
        heard = b""
        while heard.count(mark) < flight or not heard.endswith(end):
            try:
                data = plug.recv(65_536)
            except BlockingIOError:
                continue
            if not data:
                raise BenchError("The server closed the connection.")
            heard += data


def cost(server: Bound | Mythos, looks: int, trips_of: Callable[[int], None]) -> float:
    """Microseconds of the server's CPU time for each look."""
    trips_of(WARM_UP)
    before = server.cpu()
    trips_of(looks)
    return (server.cpu() - before) / looks * 1e6


def title(plug: socket.socket) -> bytes:
    """The first line of what a look shows."""
    plug.sendall(b"look\r\n")
    heard = b""
    while not heard.endswith(b"> "):
        heard += plug.recv(65_536)
    found = re.match(rb"(?:\r\n)?([^\r]+\r\n)", heard)
    if found is None:
        raise BenchError(f"look showed {heard!r}")
    return found[1]


def _run(flight: int, plan: Plan) -> Iterator[Reading]:
    looks = plan.some(LOOKS)
    with bound(plan, "echo") as least, mythos(plan) as server:
        for _ in range(plan.runs):
            with socket.create_connection((HOST, least.port), timeout=20) as echo:
                floor = cost(least, looks, lambda n: trips(echo, n, flight, b"look\r\n", b"\n"))
            (guest,) = doors.telnets(server.telnet, 1)
            with guest.socket as plug:
                plug.settimeout(20)
                mark = title(plug)
                yield Reading(
                    f"look_{flight}",
                    cost(server, looks, lambda n: trips(plug, n, flight, mark, b"> ")),  # noqa: B023
                    floor,
                )


MEASURES: Final = tuple(
    Measure(f"look_{flight}", {f"look_{flight}": Budget(ratio=most)}, ("us/look",), 60, partial(_run, flight))
    for flight, most in ((1, 8), (8, 4))
)
