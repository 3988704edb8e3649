"""What it costs to be watched: a scrape of ``/metrics`` and a look at ``/health/detailed``, each once a second.

A thousand guests stand in a hundred rooms, and every command was given once, so that there is a histogram for each.
"""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Iterator
from typing import Final

from bench import doors, world
from bench.crowd import Crowd
from bench.machine import BenchError, Plan
from bench.results import Budget, Measure, Reading
from bench.servers import HOST, Mythos, mythos
from mythos.commands.table import VERBS

__all__ = ["MEASURES"]

SESSIONS: Final = 1000
ASKED: Final = 100
#: Seconds in which the server is left alone, to know what it does by itself.
ALONE: Final = 5.0


def _run(plan: Plan) -> Iterator[Reading]:
    with world.generated() as rooms:
        for _ in range(plan.runs):
            with mythos(plan, world=rooms) as server:
                crowd = Crowd(doors.telnets(server.telnet, plan.some(SESSIONS), script=world.walk), ())
                crowd.settle(quiet=1.5, most=20)
                _give_every_command(server)
                before = server.cpu()
                time.sleep(ALONE)
                alone = (server.cpu() - before) / ALONE
                metrics = f"http://{HOST}:{server.ports['metrics']}/metrics"
                health = f"http://{HOST}:{server.http}/health/detailed"
                for name, address in (("watch_metrics", metrics), ("watch_health", health)):
                    yield _asked(name, address, server, alone)
                crowd.close()


def _asked(name: str, address: str, server: Mythos, alone: float) -> Reading:
    before, began = server.cpu(), time.monotonic()
    size = 0
    for _ in range(ASKED):
        with urllib.request.urlopen(address, timeout=30) as answer:
            size = len(answer.read())
    each = (server.cpu() - before - alone * (time.monotonic() - began)) / ASKED
    return Reading(name, each * 100.0, note=f"{size / 1024:.0f} KB; the server by itself: {alone * 100.0:.1f} %")


def _give_every_command(server: Mythos) -> None:
    """One of them may ask for something that the next line answers: the last line comes several times."""
    lines = ["guest", *(verb.name for verb in VERBS.verbs if verb.name != "quit"), *["say that is all"] * 3, ""]
    with socket.create_connection((HOST, server.telnet), timeout=30) as player:
        player.sendall("\r\n".join(lines).encode())
        heard = b""
        while b'"that is all' not in heard:
            data = player.recv(65_536)
            if not data:
                raise BenchError("The connection that gives every command has ended.")
            heard += data


MEASURES: Final = (
    Measure(
        "watch",
        {"watch_metrics": Budget(most=0.7), "watch_health": Budget(most=0.3)},
        ("% of a core", "% of a core"),
        180,
        _run,
    ),
)
