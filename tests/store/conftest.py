"""Every store that implements the ports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorFromThreads

from mythos.store.memory import MemoryStore
from mythos.store.postgres.schema import TABLES, Target, connected, prepare
from mythos.store.postgres.store import PostgresStore, open_postgres
from mythos.store.sqlite import SQLiteStore
from tests.postgres import Cluster
from tests.store.batches import AnyStore


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> AnyStore:
    """Empty, each of them in turn."""
    made: AnyStore = request.getfixturevalue(request.param)
    return made


@pytest.fixture(params=["memory", "sqlite"])
def local(request: pytest.FixtureRequest) -> SQLiteStore:
    """Those that are SQLite."""
    made: SQLiteStore = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def memory() -> Iterator[MemoryStore]:
    made = MemoryStore()
    yield made
    made.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SQLiteStore]:
    """The one with a thread and a file, ``db`` in ``tmp_path``."""
    made = SQLiteStore(tmp_path / "db", IReactorFromThreads(reactor))
    yield made
    made.close()


@pytest.fixture
def target(cluster: Cluster) -> Iterator[Target]:
    """An empty database."""
    name = cluster.make()
    yield Target(cluster.url_of(name))
    cluster.drop(name)


@pytest.fixture(scope="session")
def kept(cluster: Cluster) -> Target:
    """A database that is emptied between tests: to make one takes longer than most of them."""
    made = Target(cluster.url_of(cluster.make()))
    prepare(made)
    return made


async def _postgresql(kept: Target) -> AsyncIterator[PostgresStore]:
    with connected(kept.run) as database:
        cursor = database.cursor()
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY")
        cursor.execute("INSERT INTO fence (epoch) VALUES (0)")
        database.commit()
    made = await open_postgres(kept, reactor, patience=2.0, wait=0.0, tell=print)
    yield made
    made.close()


#: The one over connections.
postgresql: Any = pytest_twisted.async_yield_fixture(name="postgresql")(_postgresql)
