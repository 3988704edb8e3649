"""What holds for every test: nothing is left behind in the reactor, and nothing fails unseen."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

pytest_plugins = ("tests.services",)

_CLOCK: Final = IReactorTime(reactor)

settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("ci"), derandomize=False, max_examples=1000)
settings.load_profile("ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long",
        action="store_true",
        help="the chaos scenarios and models at full length; with -o faulthandler_timeout=0",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--long"):
        settings.load_profile("long")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep what is loaded by now out of the collections that `failures` asks for after each test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def long(pytestconfig: pytest.Config) -> bool:
    """True with ``--long``: a chaos scenario takes its time."""
    return bool(pytestconfig.getoption("--long"))


@implementer(ILogObserver)
class Failures:
    """Failures that were logged, and errors of Deferreds that nobody handled."""

    def __init__(self) -> None:
        self._events: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        # Twisted announces an unhandled error of a Deferred with an event of its own; the failure itself follows.
        announced = event.get("log_namespace") == "twisted.internet.defer" and "log_failure" not in event
        if event.get("log_level") is LogLevel.critical and not announced:
            self._events.append(event)

    def flush(self, *kinds: type[BaseException]) -> list[Failure]:
        """Take out the failures of these kinds (of every kind, if none is named): the test expected them."""
        gc.collect()
        found = [event for event in self._events if not kinds or _failure(event).check(*kinds)]
        self._events = [event for event in self._events if event not in found]
        return [_failure(event) for event in found]

    def __str__(self) -> str:
        return "\n".join(_failure(event).getTraceback() for event in self._events)


def _failure(event: LogEvent) -> Failure:
    found: Any = event.get("log_failure")
    return found if isinstance(found, Failure) else Failure(RuntimeError(f"logged as critical: {event}"))


@pytest.fixture(autouse=True)
def failures(request: pytest.FixtureRequest) -> Iterator[Failures]:
    """Fail a test that leaves delayed calls, logged failures or unhandled errors of Deferreds behind.

    pytest-twisted does not notice them. A test that expects a logged failure asks for this fixture and takes it out
    with `Failures.flush`. Trial's test cases see to it themselves.
    """
    seen = Failures()
    if request.cls is not None and issubclass(request.cls, SynchronousTestCase):
        yield seen
        return
    before = set(_CLOCK.getDelayedCalls())
    globalLogPublisher.addObserver(seen)
    try:
        yield seen
        left = _left(before)
        gc.collect()
    finally:
        globalLogPublisher.removeObserver(seen)
    for call in left:
        call.cancel()
    if left:
        pytest.fail("left in the reactor:\n" + "\n".join(map(str, left)), pytrace=False)
    if unseen := str(seen):
        pytest.fail(f"failed unseen:\n{unseen}", pytrace=False)


def _left(before: set[Any]) -> list[Any]:
    """The calls that this test leaves in the reactor; those of no delay get their turn first."""
    for _turn in range(2):
        if set(_CLOCK.getDelayedCalls()) <= before:
            break
        blockon(deferLater(_CLOCK, 0))
    return [call for call in _CLOCK.getDelayedCalls() if call not in before]
