"""The report on memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator, Sequence

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from mythos.telemetry.memory import EVERY, LINES, MemoryProfile

_Held = Sequence[tracemalloc.Statistic]


def at_once(count: Callable[[], _Held]) -> Deferred[_Held]:
    return succeed(count())


@pytest.fixture(autouse=True)
def not_traced() -> Iterator[None]:
    """Nothing is traced before a test and after it."""
    assert not tracemalloc.is_tracing()
    yield
    assert not tracemalloc.is_tracing()


def test_once_a_minute() -> None:
    """What is held and the lines that hold most of it, the largest first, until it is stopped."""
    profile = MemoryProfile(clock := Clock(), at_once)
    kept = [bytes(1_000) for _ in range(1_000)]
    with capturedLogs() as heard:
        profile.startService()
        assert len(heard) == 1 + LINES
        clock.advance(EVERY)
        assert len(heard) == 2 * (1 + LINES)
        profile.stopService()
        clock.advance(EVERY)
    assert len(heard) == 2 * (1 + LINES)
    assert {event["log_level"] for event in heard} == {LogLevel.info}
    sizes = [event["held"] for event in heard[1 : 1 + LINES]]
    assert sizes == sorted(sizes, reverse=True)
    assert heard[0]["now"] >= sizes[0] >= len(kept) * 1_000 // 1024
    assert formatEvent(heard[1]).endswith(f"by tests/telemetry/test_memory.py:{heard[1]['line']}")


class FailureTests(SynchronousTestCase):
    def test_outlives_errors(self) -> None:
        """A report that fails is logged, and the next one is made."""
        profile = MemoryProfile(clock := Clock(), lambda _: fail(ValueError()))
        profile.startService()
        clock.advance(EVERY)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 2)
        self.successResultOf(profile.stopService())
