"""``give``: a command whose words wait for the disk. Latency with one in flight against a raw commit; then throughput.

Pairs of guests, each pair alone in a room of the generated world, hand one token to and fro. Latency is from the line
to the giver's prompt. ``give_pg`` is the same with PostgreSQL as the store, and ``outage`` what a pair notices of its
absence. The figures are void if the ledger in the database does not hold every gift. ``flush`` is what it costs to
write characters that only moved.
"""

from __future__ import annotations

import os
import re
import select
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import psycopg2

from bench import doors, postgres, world
from bench.commits import percentile, raw
from bench.machine import BenchError, Plan
from bench.results import Budget, Measure, Reading
from bench.servers import Mythos, mythos
from mythos.ids import EntityId, RoomId
from mythos.play.commits import PART, Batch
from mythos.store import rows
from mythos.store.postgres import statements
from mythos.store.postgres.schema import Target, prepare
from mythos.world.state import Character

__all__ = ["DONE", "MEASURES", "Pair", "enter_pairs", "until"]

PAIRS: Final = 64
#: Gifts of the latency run, and commits of the bound's.
GIFTS: Final = 2000
#: Seconds of the throughput run.
SECONDS: Final = 4.0
#: Seconds without PostgreSQL.
OUTAGE: Final = 10
#: Batches of the flush.
FLUSHES: Final = 200

_SAID = re.compile(rb'(\w+) says, "')
DONE = re.compile(rb"You give .*> $", re.DOTALL)
#: The same after other words, without a prompt of its own.
GIVEN = re.compile(rb"You give ")


@dataclass(slots=True)
class Pair:
    """:ivar turn: who has the token, 0 or 1"""

    sockets: tuple[socket.socket, socket.socket]
    names: tuple[bytes, bytes]
    turn: int = 0

    @property
    def giver(self) -> socket.socket:
        return self.sockets[self.turn]

    def give(self) -> None:
        self.giver.send(b"give token to %b\r\n" % self.names[1 - self.turn])


def until(plug: socket.socket, wanted: re.Pattern[bytes]) -> re.Match[bytes]:
    heard = b""
    while (found := wanted.search(heard)) is None:
        data = plug.recv(65_536)
        if not data:
            raise BenchError(f"The server closed a connection after {heard[-200:]!r}")
        heard += data
    return found


def enter_pairs(server: Mythos) -> list[Pair]:
    """In their rooms, introduced, the first of each with the room's token."""
    plugs = doors.enter(server.telnet, PAIRS * 2, lambda number: world.walk(number // 2))
    made = []
    for first, second in zip(plugs[::2], plugs[1::2], strict=True):
        names = []
        for speaker, listener in ((first, second), (second, first)):
            for plug in (first, second):
                plug.settimeout(20)
            speaker.sendall(b"say hello\r\n")
            names.append(until(listener, _SAID)[1])
        first.sendall(b"get token\r\n")
        until(first, re.compile(rb"You (?:get|take|pick up) .*> $", re.DOTALL))
        made.append(Pair((first, second), (names[0], names[1])))
    return made


def _awake(plug: socket.socket, wanted: re.Pattern[bytes]) -> None:
    """As :func:`until`, without sleeping: to be woken takes a client a tenth of a millisecond, which is not the
    server's."""
    heard = b""
    while wanted.search(heard) is None:
        try:
            data = plug.recv(65_536)
        except BlockingIOError:
            continue
        if not data:
            raise BenchError(f"The server closed a connection after {heard[-200:]!r}")
        heard += data


def _latency(pair: Pair, gifts: int) -> list[float]:
    times = []
    for plug in pair.sockets:
        plug.setblocking(False)
    for _ in range(gifts):
        start = time.perf_counter()
        pair.give()
        _awake(pair.giver, DONE)
        times.append(time.perf_counter() - start)
        _awake(pair.sockets[1 - pair.turn], re.compile(rb"> $"))
        pair.turn = 1 - pair.turn
    return times


def _throughput(pairs: list[Pair], seconds: float) -> tuple[int, list[float]]:
    """Everybody gives as fast as answers come. How many gifts, and how long each took."""
    poll = select.epoll()
    waiting: dict[int, tuple[Pair, bytes, float]] = {}
    for pair in pairs:
        for plug in pair.sockets:
            plug.setblocking(False)
            poll.register(plug.fileno(), select.EPOLLIN)
    by_number = {plug.fileno(): plug for pair in pairs for plug in pair.sockets}
    times: list[float] = []
    end = time.perf_counter() + seconds

    def start(pair: Pair) -> None:
        pair.give()
        waiting[pair.giver.fileno()] = pair, b"", time.perf_counter()

    for pair in pairs:
        start(pair)
    while waiting:
        ready = poll.poll(20)
        if not ready:
            raise BenchError(f"{len(waiting)} gifts were not answered within 20 s.")
        for number, _ in ready:
            data = by_number[number].recv(65_536)
            if number not in waiting:
                continue
            pair, heard, began = waiting[number]
            heard += data
            if not DONE.search(heard):
                waiting[number] = pair, heard, began
                continue
            del waiting[number]
            now = time.perf_counter()
            times.append(now - began)
            pair.turn = 1 - pair.turn
            if now < end:
                start(pair)
    return len(times), times


_COUNT: Final = "SELECT count(*) FROM ledger WHERE kind = 'give'"


def _in_file(server: Mythos) -> int:
    database = sqlite3.connect(server.data / "mythos.db")
    (count,) = database.execute(_COUNT).fetchone()
    database.close()
    return int(count)


def _in_postgres(url: str) -> int:
    database = psycopg2.connect(url)
    cursor = database.cursor()
    cursor.execute(_COUNT)
    (count,) = cursor.fetchone()
    database.close()
    return int(count)


def _on_core(plan: Plan, commits: Callable[[], list[float]]) -> list[float]:
    """On the server's core."""
    os.sched_setaffinity(0, {plan.server})
    try:
        return commits()
    finally:
        os.sched_setaffinity(0, plan.load)


def _measured(
    plan: Plan, name: str, server: Mythos, least: Callable[[int], list[float]], in_ledger: Callable[[], int]
) -> Iterator[Reading]:
    """:param least: makes so many commits that do the least, and says how long each took"""
    gifts, seconds = plan.some(GIFTS), SECONDS / (4 if plan.quick else 1)
    pairs = enter_pairs(server)
    bounds = _on_core(plan, lambda: least(gifts))
    times = _latency(pairs[0], gifts)
    for what, share in (("p50", 0.5), ("p99", 0.99)):
        yield Reading(f"{name}_{what}", percentile(times, share) * 1e3, percentile(bounds, share) * 1e3)
    began = time.perf_counter()
    count, under_load = _throughput(pairs, seconds)
    took = time.perf_counter() - began
    note = f"{PAIRS} in flight: p50 {percentile(under_load, 0.5) * 1e3:.1f} ms"
    if in_ledger() < gifts + count:
        raise BenchError("Gifts were answered that do not stand in the ledger.")
    yield Reading(f"{name}_throughput", count / took, note=note)
    for pair in pairs:
        for plug in pair.sockets:
            plug.close()


def _run(plan: Plan) -> Iterator[Reading]:
    with world.generated() as rooms:
        for _ in range(plan.runs):
            with mythos(plan, world=rooms) as server:
                yield from _measured(plan, "give", server, raw, partial(_in_file, server))


def _run_postgres(plan: Plan) -> Iterator[Reading]:
    with world.generated() as rooms:
        for _ in range(plan.runs):
            with (
                postgres.cluster(plan) as database,
                mythos(plan, world=rooms, settings={"DATABASE_URL": database.url}) as server,
            ):
                least = partial(postgres.raw, database.url)
                yield from _measured(plan, "give_pg", server, least, partial(_in_postgres, database.url))


def _run_outage(plan: Plan) -> Iterator[Reading]:
    """PostgreSQL is gone for as long as the server needs to come to its longest pause between two tries."""
    with world.generated() as rooms:
        for _ in range(plan.runs):
            with (
                postgres.cluster(plan) as database,
                mythos(plan, world=rooms, settings={"DATABASE_URL": database.url}) as server,
            ):
                pair, *others = enter_pairs(server)
                database.stop()
                pair.give()
                time.sleep(plan.some(OUTAGE))
                database.start()
                began = time.perf_counter()
                until(pair.giver, GIVEN)
                yield Reading("outage", time.perf_counter() - began, note=f"after {plan.some(OUTAGE)} s without")
                if _in_postgres(database.url) != 1:
                    raise BenchError("A gift was answered that does not stand in the ledger once.")
                for each in (pair, *others):
                    for plug in each.sockets:
                        plug.close()


def _run_flush(plan: Plan) -> Iterator[Reading]:
    """In this process: encode the rows, make the statements, send them."""
    batches = plan.some(FLUSHES)
    people = [Character(EntityId(f"c{n}"), f"Guest{n}", RoomId("bench:first"), 20, 20, 0) for n in range(PART)]
    for _ in range(plan.runs):
        with postgres.cluster(plan) as database:
            prepare(Target(database.url))
            connection = psycopg2.connect(database.url)
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(statements.PREPARE)
            began = time.process_time()
            for number in range(1, batches + 1):
                batch = Batch("bench", number, tuple(people), (), (), (), float(number), PART, 1)
                sql, values = statements.at_once(rows.encode(batch), 0)
                cursor.execute(f"BEGIN;{sql}COMMIT", values)
            took = time.process_time() - began
            cursor.execute("SELECT count(*), min(rev) FROM entity")
            if cursor.fetchone() != (PART, batches):
                raise BenchError("Rows were not written as often as was said.")
            connection.close()
            yield Reading("flush", took / (batches * PART) * 1e6, note=f"{PART} rows at once")


MEASURES: Final = (
    Measure(
        "give",
        {
            "give_p50": Budget(ratio=4, most=3),
            "give_p99": Budget(ratio=3, most=15),
            "give_throughput": Budget(least=3000),
        },
        ("ms", "ms", "gifts/s"),
        180,
        _run,
    ),
    Measure(
        "give_pg",
        {
            "give_pg_p50": Budget(ratio=4, most=5),
            "give_pg_p99": Budget(ratio=3, most=30),
            "give_pg_throughput": Budget(least=2000),
        },
        ("ms", "ms", "gifts/s"),
        240,
        _run_postgres,
    ),
    Measure("outage", {"outage": Budget(most=2)}, ("s",), 240, _run_outage),
    Measure("flush", {"flush": Budget(most=8)}, ("us/row",), 120, _run_flush),
)
