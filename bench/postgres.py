"""A PostgreSQL of the benchmark's own, as durable as it ships, and the least that a gift costs in it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from bench.machine import BenchError, Plan

__all__ = ["Cluster", "cluster", "raw"]

#: Seconds that it may take to come up.
_START = 60.0
_TABLES = (
    "CREATE TABLE raw_entity (id bigint PRIMARY KEY, data text NOT NULL);"
    "CREATE TABLE raw_balance (holder bigint PRIMARY KEY, amount bigint NOT NULL);"
    "CREATE TABLE raw_ledger (tx bigint PRIMARY KEY, kind text NOT NULL);"
    "CREATE TABLE raw_line (tx bigint NOT NULL, holder bigint NOT NULL, delta bigint NOT NULL)"
)
_GIFT = (
    "BEGIN;"
    "INSERT INTO raw_entity VALUES (0, %(data)s), (1, %(data)s), (2, %(data)s)"
    " ON CONFLICT (id) DO UPDATE SET data = excluded.data;"
    "INSERT INTO raw_ledger VALUES (%(tx)s, 'give');"
    "INSERT INTO raw_line VALUES (%(tx)s, 1, -1), (%(tx)s, 2, 1);"
    "INSERT INTO raw_balance VALUES (1, %(tx)s), (2, %(tx)s)"
    " ON CONFLICT (holder) DO UPDATE SET amount = excluded.amount;"
    "COMMIT"
)
#: About what a character's row takes.
_DATA = "x" * 250


@dataclass(slots=True)
class Cluster:
    """A PostgreSQL.

    :ivar url: of an empty database, on a socket
    """

    url: str
    _command: list[str | Path]
    _user: str | None
    _home: Path
    _core: int
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it takes connections.

        :raises BenchError: it does not come up
        """
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                user=self._user,
                cwd=self._home,
                stdout=log,
                stderr=log,
                preexec_fn=lambda: os.sched_setaffinity(0, {self._core}),
            )
        deadline = time.monotonic() + _START
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                psycopg2.connect(self.url).close()
            except psycopg2.OperationalError:
                time.sleep(0.02)
            else:
                return
        raise BenchError(f"PostgreSQL did not come up:\n{(self._home / 'log').read_text(errors='replace')}")

    def stop(self) -> None:
        """Everybody's connection ends."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
            self._process = None


@contextmanager
def cluster(plan: Plan) -> Iterator[Cluster]:
    """One that runs; its processes are on the server's core.

    :raises BenchError: PostgreSQL is not there, or does not come up
    """
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: float(one.parent.name))
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, reversed(versions))])
    program = shutil.which("postgres", path=path)
    if program is None:
        raise BenchError("PostgreSQL was not found: apt install postgresql")
    programs = Path(program).resolve().parent
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None  # it refuses root
    home = Path(tempfile.mkdtemp(prefix="mythos-bench-"))
    try:
        if user is not None:
            os.chown(home, user.pw_uid, user.pw_gid)
        name = user.pw_name if user is not None else None
        made = subprocess.run(
            [programs / "initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "-D", home / "data"],
            user=name,
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise BenchError(f"initdb failed:\n{made.stderr}")
        command: list[str | Path] = [programs / "postgres", "-D", home / "data", "-k", home, "-c", "listen_addresses="]
        running = Cluster(f"postgresql://postgres@/postgres?host={home}", command, name, home, plan.server)
        try:
            running.start()
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(home)


def raw(url: str, commits: int) -> list[float]:
    """Seconds that each of so many commits took: rows as in :func:`bench.commits.raw`, in one message and one
    transaction, by a client that does nothing else."""
    database = psycopg2.connect(url)
    database.autocommit = True
    cursor = database.cursor()
    cursor.execute(_TABLES)
    times = []
    for tx in range(commits):
        start = time.perf_counter()
        cursor.execute(_GIFT, {"tx": tx, "data": _DATA})
        times.append(time.perf_counter() - start)
    cursor.execute("DROP TABLE raw_entity, raw_balance, raw_ledger, raw_line")
    database.close()
    return times
