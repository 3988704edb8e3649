"""``backup``: of a world of 100,000 entities, with its check, while two players hand a token to and fro.

``backup_pg`` is the same with PostgreSQL as the store.

How long it takes, and what it does to the latency of commands whose words wait for the disk: the bound is the same
players a moment before. As a server does it, the backup only runs when nothing else wants the core (SCHED_IDLE).
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Final

import psycopg2
from psycopg2.extras import execute_batch

from bench import postgres, world
from bench.commits import percentile
from bench.machine import BenchError, Plan
from bench.measures.give import DONE, Pair, enter_pairs, until
from bench.results import Budget, Measure, Reading
from bench.servers import Mythos, mythos
from mythos.play import names

__all__ = ["MEASURES"]

#: Characters that are away, and the tokens each of them holds.
_CHARACTERS: Final = 5_000
_TOKENS: Final = 19
#: Numbers that the server itself does not come to.
_FIRST: Final = 10**7
#: Gifts before the backup.
_GIFTS: Final = 2000
_PROMPT: Final = re.compile(rb"> $")


#: Takes a statement with ``?`` for each value, and many rows.
Many = Callable[[str, Iterable[Sequence[object]]], object]


def _fill(many: Many) -> None:
    """Put the world's people and things into the store, with a ledger that says how they came."""
    ids = [f"c{_FIRST + number}" for number in range(_CHARACTERS)]
    tokens = [(number, holder) for number, holder in enumerate(holder for holder in ids for _ in range(_TOKENS))]
    data = (
        '{{"name":"{0}","hp":20,"max_hp":20,"account":{1},"keeper":false,"xp":0,"level":1,"title":"","flags":[],'
        '"settings":{{}},"aliases":{{}},"seen":null}}'
    )
    people = [(_FIRST + number, f"Bench{number}", id) for number, id in enumerate(ids)]
    many(
        "INSERT INTO account (id, key, name, password, character, keeper) VALUES (?, ?, ?, '-', ?, 0)",
        [(number, names.key(name), name, id) for number, name, id in people],
    )
    entity = "INSERT INTO entity (id, kind, proto, zone, place, stack, data) VALUES (?, ?, ?, ?, ?, 1, ?)"
    many(entity, [(id, "c", "", "bench", "bench:first", data.format(name, number)) for number, name, id in people])
    worn = '{"worn":"","lit":false}'
    many(entity, [(f"i{_FIRST + _CHARACTERS + n}", "i", "bench:token", None, who, worn) for n, who in tokens])
    many("INSERT INTO ledger (tx, kind, at) VALUES (?, 'grant', 1.0)", [(_FIRST + n,) for n, _ in tokens])
    line = "INSERT INTO ledger_line (tx, holder, asset, delta) VALUES (?, ?, 'bench:token', ?)"
    many(line, [(_FIRST + n, who, d) for n, holder in tokens for who, d in (("mint", -1), (holder, 1))])
    many(
        "INSERT INTO balance (holder, asset, amount, rev) VALUES (?, 'bench:token', ?, ?)",
        [(id, _TOKENS, _TOKENS) for id in ids],
    )
    many(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [("next_id", str(2 * _FIRST)), ("next_tx", str(2 * _FIRST))],
    )


def _fill_file(server: Mythos) -> None:
    with closing(sqlite3.connect(server.data / "mythos.db", isolation_level=None, timeout=30)) as database:
        database.execute("BEGIN IMMEDIATE")
        _fill(database.executemany)
        database.execute("COMMIT")


def _fill_postgres(url: str) -> None:
    with closing(psycopg2.connect(url)) as database:
        cursor = database.cursor()
        _fill(lambda sql, rows: execute_batch(cursor, sql.replace("?", "%s"), rows, page_size=1000))
        database.commit()


def _gifts(pair: Pair, more: Callable[[int], bool]) -> list[float]:
    """Seconds that each took, while there are to be more. Clients sleep, so that the backup may have their core."""
    times: list[float] = []
    while more(len(times)):
        began = time.perf_counter()
        pair.give()
        until(pair.giver, DONE)
        times.append(time.perf_counter() - began)
        until(pair.sockets[1 - pair.turn], _PROMPT)
        pair.turn = 1 - pair.turn
    return times


def _backup(plan: Plan, server: Mythos, url: str) -> subprocess.Popen[str]:
    def stand_back() -> None:
        os.sched_setaffinity(0, {plan.server, *plan.load})
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))

    words = ["-m", "mythos.ctl", "backup", "--data", str(server.data)]
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=server.data,
        env={**os.environ, **({"DATABASE_URL": url} if url else {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=stand_back,
    )


def _once(plan: Plan, server: Mythos, name: str, url: str = "") -> Iterator[Reading]:
    pair, *others = enter_pairs(server)
    if url:
        _fill_postgres(url)
    else:
        _fill_file(server)
    before = _gifts(pair, lambda count: count < plan.some(_GIFTS))
    began = time.perf_counter()
    with _backup(plan, server, url) as backup:
        during = _gifts(pair, lambda _: backup.poll() is None)
        took = time.perf_counter() - began
        assert backup.stdout is not None
        said = backup.stdout.read()
    if backup.returncode:
        raise BenchError(f"The backup failed: {said}")
    yield Reading(name, took, note=" ".join(said.split(", ", 2)[:2]).rpartition("/")[2])
    p99 = percentile(during, 0.99) * 1e3
    yield Reading(f"{name}_p99", p99, percentile(before, 0.99) * 1e3, f"of {len(during)} gifts")
    for each in (pair, *others):
        for plug in each.sockets:
            plug.close()


def _run(plan: Plan) -> Iterator[Reading]:
    with world.generated() as rooms:
        for _ in range(plan.runs):
            with mythos(plan, world=rooms) as server:
                yield from _once(plan, server, "backup")


def _run_postgres(plan: Plan) -> Iterator[Reading]:
    with world.generated() as rooms:
        for _ in range(plan.runs):
            with (
                postgres.cluster(plan) as database,
                mythos(plan, world=rooms, settings={"DATABASE_URL": database.url}) as server,
            ):
                yield from _once(plan, server, "backup_pg", database.url)


MEASURES: Final = (
    Measure("backup", {"backup": Budget(most=10), "backup_p99": Budget(ratio=1.5)}, ("s", "ms"), 240, _run),
    Measure(
        "backup_pg",
        {"backup_pg": Budget(most=15), "backup_pg_p99": Budget(ratio=1.5)},
        ("s", "ms"),
        300,
        _run_postgres,
    ),
)
