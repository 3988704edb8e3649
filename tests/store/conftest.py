"""Every store that implements the ports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorFromThreads

from mythos.store.memory import MemoryStore
from mythos.store.sqlite import SQLiteStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SQLiteStore]:
    """Empty, each of them in turn."""
    made = MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "db", IReactorFromThreads(reactor))
    yield made
    made.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SQLiteStore]:
    """The one with a thread and a file, ``db`` in ``tmp_path``."""
    made = SQLiteStore(tmp_path / "db", IReactorFromThreads(reactor))
    yield made
    made.close()
