"""``backup``: of a world of 100,000 entities, with its check, while two players hand a token to and fro.

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
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from bench import world
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


def _fill(path: Path) -> None:
    """Put the world's people and things into the file, with a ledger that says how they came."""
    ids = [f"c{_FIRST + number}" for number in range(_CHARACTERS)]
    tokens = [(number, holder) for number, holder in enumerate(holder for holder in ids for _ in range(_TOKENS))]
    data = (
        '{{"name":"{0}","hp":20,"max_hp":20,"account":{1},"keeper":false,"xp":0,"level":1,"title":"","flags":[],'
        '"settings":{{}},"aliases":{{}},"seen":null}}'
    )
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as database:
        many = database.executemany
        database.execute("BEGIN IMMEDIATE")
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
        line = "INSERT INTO ledger_line VALUES (?, ?, 'bench:token', ?)"
        many(line, [(_FIRST + n, who, d) for n, holder in tokens for who, d in (("mint", -1), (holder, 1))])
        many("INSERT INTO balance VALUES (?, 'bench:token', ?, ?)", [(id, _TOKENS, _TOKENS) for id in ids])
        many(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [("next_id", str(2 * _FIRST)), ("next_tx", str(2 * _FIRST))],
        )
        database.execute("COMMIT")


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


def _backup(plan: Plan, server: Mythos) -> subprocess.Popen[str]:
    def stand_back() -> None:
        os.sched_setaffinity(0, {plan.server, *plan.load})
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))

    words = ["-m", "mythos.ctl", "backup", "--data", str(server.data)]
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=server.data,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=stand_back,
    )


def _once(plan: Plan, server: Mythos) -> Iterator[Reading]:
    pair, *others = enter_pairs(server)
    _fill(server.data / "mythos.db")
    before = _gifts(pair, lambda count: count < plan.some(_GIFTS))
    began = time.perf_counter()
    with _backup(plan, server) as backup:
        during = _gifts(pair, lambda _: backup.poll() is None)
        took = time.perf_counter() - began
        assert backup.stdout is not None
        said = backup.stdout.read()
    if backup.returncode:
        raise BenchError(f"The backup failed: {said}")
    yield Reading("backup", took, note=" ".join(said.split(", ", 2)[:2]).rpartition("/")[2])
    p99 = percentile(during, 0.99) * 1e3
    yield Reading("backup_p99", p99, percentile(before, 0.99) * 1e3, f"of {len(during)} gifts")
    for each in (pair, *others):
        for plug in each.sockets:
            plug.close()


def _run(plan: Plan) -> Iterator[Reading]:
    with world.generated() as rooms:
        for _ in range(plan.runs):
            with mythos(plan, world=rooms) as server:
                yield from _once(plan, server)


MEASURES: Final = (
    Measure("backup", {"backup": Budget(most=10), "backup_p99": Budget(ratio=1.5)}, ("s", "ms"), 240, _run),
)
