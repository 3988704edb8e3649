"""A server that is killed at any moment: all that was acknowledged is there, whole, and nothing half."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from mythos.store.sqlite import connect
from tests.store.writer import THINGS


def killed_after(path: Path, first: int, acknowledged: int, *options: str, seconds: float = 0.0) -> int:
    """Let a writer begin with batch ``first`` and kill it so many acknowledgements, and ``seconds``, later.

    Returns the number it acknowledged last.
    """
    program = [sys.executable, "-m", "tests.store.writer", str(path), str(first), *options]
    with subprocess.Popen(program, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(acknowledged)]
        with suppress(subprocess.TimeoutExpired):
            writer.wait(seconds)
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.readlines()
    whole = [int(line) for line in said if line.endswith(b"\n")]
    assert whole == list(range(first, first + len(whole))), "the writer failed before it was killed"
    assert len(whole) >= acknowledged
    return whole[-1]


def found(path: Path) -> int:
    """The number of the last batch in the file, when each one from 1 on is there and whole.

    A torn batch shows in one of its parts: its name, its things, its ledger, the sums, the session, the counters.
    """
    database = connect(str(path))
    try:
        (last,) = database.execute("SELECT coalesce(max(number), 0) FROM batch").fetchone()
        things = dict(database.execute("SELECT substr(id, 2, instr(id, '-') - 2), count(*) FROM entity GROUP BY 1"))
        assert things == {str(n): THINGS for n in range(1, last + 1)}
        assert database.execute("SELECT tx, c FROM ledger ORDER BY tx").fetchall() == [
            (n, n) for n in range(1, last + 1)
        ]
        assert database.execute("SELECT tx, sum(delta), count(*) FROM ledger_line GROUP BY tx").fetchall() == [
            (n, 0, 2) for n in range(1, last + 1)
        ]
        if last:
            assert database.execute("SELECT amount, rev FROM balance").fetchall() == [(last, last)]
            assert database.execute("SELECT head, next_c FROM session").fetchall() == [(last, last + 1)]
            assert dict(database.execute("SELECT key, value FROM meta"))["next_tx"] == str(last + 1)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(last)
    finally:
        database.close()


def test_killed_at_any_moment(tmp_path: Path, long: bool) -> None:
    """After each kill the same file has every batch that was acknowledged, and at most the one that was on its way."""
    dice, path, last = random.Random(1), tmp_path / "db", 0
    for _ in range(100 if long else 10):
        acknowledged = killed_after(path, last + 1, dice.randint(1, 60), seconds=dice.uniform(0.0, 0.004))
        last = found(path)
        assert acknowledged <= last <= acknowledged + 1


def test_the_check_finds_a_store_that_acknowledges_too_early(tmp_path: Path) -> None:
    """Positive control: what it answered for and had not written is lost, and seen to be."""
    dice, path = random.Random(2), tmp_path / "db"
    acknowledged = killed_after(path, 1, dice.randint(20, 40), "hasty")
    assert found(path) < acknowledged


def test_the_check_finds_a_torn_batch(tmp_path: Path) -> None:
    """Positive control: one row of one batch that is not there."""
    path = tmp_path / "db"
    killed_after(path, 1, 5)
    database = connect(str(path))
    database.execute("DELETE FROM entity WHERE id = 'i3-2'")
    database.close()
    with pytest.raises(AssertionError):
        found(path)
