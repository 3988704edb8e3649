"""``look``, from the line to the prompt: the server's CPU time for each, against a C server that echoes the line.

Eight in flight are eight lines in one segment of one connection; the echo answers each with a ``send()`` of its own.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Final

from bench import doors
from bench.crowd import Hearer
from bench.ears import LineEar, SocketEar, TelnetEar
from bench.machine import BenchError, Plan
from bench.results import Budget, Measure, Reading
from bench.servers import HOST, Bound, Mythos, bound, mythos

__all__ = ["MEASURES"]

#: Looks of one run; more would meet the player's burst limit.
LOOKS: Final = 8000
WARM_UP: Final = 400

#: A guest, and what looks so often.
Looking = tuple[Hearer, Callable[[int], None]]


def trips(hearer: Hearer, looks: int, flight: int, mark: bytes, end: bytes) -> None:
    """Look so often, ``flight`` at a time; an answer has one ``mark``, and ``end`` comes behind the last."""
    question = b"look\r\n" * flight
    for _ in range(looks // flight):
        hearer.socket.sendall(question)
        heard = b""
        while heard.count(mark) < flight or not heard.endswith(end):
            heard += _plain(hearer)


def _plain(hearer: Hearer) -> bytes:
    """What came, if anything did: a client that slept would have to be woken, at the server's cost."""
    data = _data(hearer)
    if not isinstance(hearer.ear, TelnetEar):
        return data
    plain = hearer.ear.plain(data)
    _reply(hearer)
    return plain


def _data(hearer: Hearer) -> bytes:
    try:
        data = hearer.socket.recv(65_536)
    except BlockingIOError:
        return b""
    if not data:
        raise BenchError("The server closed the connection.")
    return data


def _reply(hearer: Hearer) -> None:
    replies = hearer.ear.replies
    if replies:
        hearer.socket.sendall(replies)
        replies.clear()


def cost(server: Bound | Mythos, looks: int, trips_of: Callable[[int], None]) -> float:
    """Microseconds of the server's CPU time for each look."""
    trips_of(WARM_UP)
    before = server.cpu()
    trips_of(looks)
    return (server.cpu() - before) / looks * 1e6


def title(hearer: Hearer) -> bytes:
    """The first line of what a look shows."""
    hearer.socket.sendall(b"look\r\n")
    heard = b""
    while not heard.endswith(b"> "):
        heard += _plain(hearer)
    found = re.match(rb"(?:\r\n)?([^\r]+\r\n)", heard)
    if found is None:
        raise BenchError(f"look showed {heard!r}")
    return found[1]


def _typed(door: Callable[[int, int], list[Hearer]], flight: int, server: Mythos) -> Looking:
    """By telnet, from the line to the prompt."""
    (guest,) = door(server.telnet, 1)
    mark = title(guest)
    return guest, lambda looks: trips(guest, looks, flight, mark, b"> ")


def _framed(deflate: bool, flight: int, server: Mythos) -> Looking:
    """By WebSocket, from the frame to its ``done``."""
    (guest,) = doors.sockets(server.http, 1, deflate=deflate)
    ear = guest.ear
    assert isinstance(ear, SocketEar)
    numbers = count(1)

    def trips_of(looks: int) -> None:
        for _ in range(looks // flight):
            asked = [next(numbers) for _ in range(flight)]
            guest.socket.sendall(b"".join([ear.says(b'{"c":%d,"line":"look"}' % c) for c in asked]))
            while ear.done < asked[-1]:
                ear.feed(_data(guest))
                _reply(guest)

    return guest, trips_of


def _run(name: str, flight: int, door: Callable[[int, Mythos], Looking], plan: Plan) -> Iterator[Reading]:
    looks = plan.some(LOOKS)
    with bound(plan, "echo") as least, mythos(plan) as server:
        for _ in range(plan.runs):
            with socket.create_connection((HOST, least.port), timeout=20) as plug:
                echo = Hearer(plug, LineEar())
                floor = cost(least, looks, lambda n: trips(echo, n, flight, b"look\r\n", b"\n"))  # noqa: B023
            guest, trips_of = door(flight, server)
            with guest.socket:
                yield Reading(name, cost(server, looks, trips_of), floor)


_DOORS: Final = {
    "look_{}": (partial(_typed, doors.telnets), 8, 4),
    "look_{}_mccp": (partial(_typed, doors.compressing), 9, 5),
    "look_{}_ws": (partial(_framed, False), 10, 7),
    "look_{}_deflate": (partial(_framed, True), 11, 8),
}

MEASURES: Final = tuple(
    Measure(
        name.format(flight),
        {name.format(flight): Budget(ratio=most)},
        ("us/look",),
        60,
        partial(_run, name.format(flight), flight, door),
    )
    for name, (door, one, eight) in _DOORS.items()
    for flight, most in ((1, one), (8, eight))
)
