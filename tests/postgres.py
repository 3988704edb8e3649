"""A PostgreSQL of the tests' own: on a socket in a directory of its own, gone when they end.

As root it runs as the user ``postgres``, for it refuses root.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import psycopg2

from tests.house.server import select_nothing

__all__ = ["Bouncer", "Cluster", "until"]

#: Seconds for it to start or stop on a busy machine.
PATIENCE = 60.0
#: Durability is PostgreSQL's own matter, and no test here cuts the power.
_SETTINGS = (
    *("fsync=off", "full_page_writes=off", "max_connections=60", "shared_buffers=16MB", "autovacuum=off"),
    *("listen_addresses=", "lc_messages=C", "max_wal_size=256MB", "logging_collector=off"),
)


class Cluster:
    """A server process and its data directory.

    :ivar url: of the database ``postgres``, as superuser
    """

    def __init__(self, program: Path) -> None:
        """:param program: ``postgres``, with its companions beside it"""
        self._bin = program.resolve().parent
        self.home = Path(tempfile.mkdtemp(prefix="mythos-pg-"))
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user is not None:
            who = pwd.getpwnam(self._user)
            os.chown(self.home, who.pw_uid, who.pw_gid)
        self.data = self.home / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self._do(
            "initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync", "--locale=C", "-D", str(self.data)
        )

    def _do(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [self._bin / program, *words], user=self._user, cwd=self.home, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str, user: str = "postgres", *, socket: Path | None = None) -> str:
        return f"postgresql://{user}@/{database}?host={socket or self.home}"

    def start(self) -> None:
        """Returns when it takes connections."""
        settings = [word for one in _SETTINGS for word in ("-c", one)]
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self.data, "-k", self.home, *settings],
                user=self._user,
                cwd=self.home,
                stdout=log,
                stderr=log,
            )
        until(self._answers)

    def _answers(self) -> bool:
        assert self._process is not None and self._process.poll() is None, (self.home / "log").read_text()
        try:
            psycopg2.connect(self.url).close()
        except psycopg2.OperationalError:
            return False
        return True

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends all connections, SIGQUIT is as a crash, SIGKILL is one."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.home)

    def ask(self, sql: str, *values: Any, database: str = "postgres") -> list[tuple[Any, ...]]:
        """As superuser, in a transaction of its own."""
        connection = psycopg2.connect(self.url_of(database))
        try:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def make(self, *, owner: str = "postgres", options: str = "") -> str:
        """A new database; returns its name."""
        name = f"world{next(self._numbers)}"
        self.ask(f'CREATE DATABASE {name} OWNER "{owner}" {options}')
        return name

    def drop(self, name: str) -> None:
        """Whoever is still connected to it is thrown out."""
        self.ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


class Bouncer:
    """pgbouncer before a cluster, for every database of it, as its superuser.

    :param mode: ``session`` or ``transaction``
    """

    def __init__(self, program: Path, cluster: Cluster, mode: str = "session") -> None:
        self._program = program
        self._cluster = cluster
        self.home = Path(tempfile.mkdtemp(prefix="mythos-pgb-"))
        self._user = "postgres" if os.geteuid() == 0 else None
        (self.home / "ini").write_text(
            f"[databases]\n* = host={cluster.home} user=postgres\n[pgbouncer]\npool_mode = {mode}\nauth_type = any\n"
            f"unix_socket_dir = {self.home}\nlisten_addr =\nlisten_port = 6432\n"
        )
        self._process: subprocess.Popen[bytes] | None = None
        if self._user is not None:
            who = pwd.getpwnam(self._user)
            os.chown(self.home, who.pw_uid, who.pw_gid)

    def url_of(self, database: str) -> str:
        return f"postgresql://postgres@:6432/{database}?host={self.home}"

    def start(self) -> None:
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, self.home / "ini"], user=self._user, cwd=self.home, stdout=log, stderr=log
            )
        until(self._answers)

    def _answers(self) -> bool:
        assert self._process is not None and self._process.poll() is None, (self.home / "log").read_text()
        try:
            psycopg2.connect(self.url_of("postgres")).close()
        except psycopg2.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Every line through it is cut."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(PATIENCE)
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.home)


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until it is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        select_nothing(0.02)
