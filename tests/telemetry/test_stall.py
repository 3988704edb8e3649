"""A server that stands still says in what."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent

from mythos.app.watching import Watching, doing
from mythos.config import Config
from mythos.telemetry.stall import BEAT, HANGS, STALL, Stall
from tests.conftest import Failures
from tests.scenes.people import in_town


class SlowClock:
    """The clock of a realm; whoever asks it for the time loses two seconds of it, but for the first, who begins."""

    _begun = False

    def __init__(self, stall: Stall, clock: Clock) -> None:
        self._stall = stall
        self._clock = clock

    def wall(self) -> float:
        return 0.0

    def seconds(self) -> float:
        if not self._begun:
            self._begun = True
            return self._clock.seconds()
        self._clock.advance(2.0)
        beside = threading.Thread(target=self._stall.look)
        beside.start()
        beside.join()
        return self._clock.seconds()


def watched(clock: Clock) -> Stall:
    """It is looked at by the tests' own threads: nothing waits for time."""
    stall = Stall(clock.seconds, doing, lambda: computed[0])
    stall.startService()
    stall.stopService()
    return stall


#: What the loop's thread has computed, in seconds.
computed = [0.0]


def test_the_command_is_named() -> None:
    """And where it stood; the words that were typed are not told. One line for each stall."""
    stall = watched(clock := Clock())
    scene = in_town("Ann")
    session = scene.ears["Ann"].session
    scene.realm.submit(session, 1, "say my secret")
    real, scene.realm.clock = scene.realm.clock, SlowClock(stall, clock)
    try:
        scene.realm.pump()
    finally:
        scene.realm.clock = real
    computed[0] += 3.9
    with capturedLogs() as heard:
        stall.beat(4.0)
        clock.advance(BEAT)
        stall.beat(0.0)
    (event,) = heard
    text = formatEvent(event)
    assert text.startswith("ALERT the server stood still for 4.0 s in the command say, mythos/")
    assert text.endswith("; it computed for 3.9 s of them")
    assert "secret" not in text
    assert (stall.count, stall.total) == (1, 4.0)
    assert stall.last is not None
    assert stall.last[1] == 4.0
    assert stall.last[2].startswith("the command say")


def test_no_time_for_it() -> None:
    """A loop that waits, for a disk or for the machine, is counted and logged; health has nothing to say of it."""
    stall = watched(Clock())
    computed[0] += 0.1
    with capturedLogs() as heard:
        stall.beat(4.0)
    (event,) = heard
    assert formatEvent(event).endswith("; it computed for 0.1 s of them")
    assert (stall.count, stall.last) == (1, None)


def test_no_stall() -> None:
    """A beat that is a little late is none."""
    stall = watched(clock := Clock())
    with capturedLogs() as heard:
        clock.advance(BEAT + STALL)
        stall.look()
        stall.beat(STALL)
    assert (heard, stall.count) == ([], 0)


def test_one_that_does_not_end(failures: Failures) -> None:
    """It is told while it lasts, once."""
    stall = watched(clock := Clock())
    with capturedLogs() as heard:
        for _ in range(30):
            clock.advance(1.0)
            stall.look()
    (event,) = heard
    assert formatEvent(event).startswith("ALERT the server stands still, for 11 s by now, in ")
    assert event["seconds"] > HANGS


def test_a_thread_looks() -> None:
    """By itself, until it is stopped; the loop's own stack is not changed by that."""
    looks = threading.Event()
    here = threading.get_ident()

    def seconds() -> float:
        if threading.get_ident() != here:
            looks.set()
        return 0.0

    stall = Stall(seconds, doing)
    stall.startService()
    assert looks.wait(30.0)
    stall.stopService()
    assert not [thread for thread in threading.enumerate() if thread.name == "stall"]


def test_health_tells_of_it() -> None:
    """For a minute."""
    clock = Clock()
    parts: Any = SimpleNamespace(realm=SimpleNamespace(clock=clock))
    watching = Watching(Config(), parts, lambda full: None)
    assert watching.stalled() == ""
    watching.stall.last = clock.seconds(), 1.25, "the command look, mythos/world/step.py:1 (tick)"
    clock.advance(59.0)
    assert watching.stalled() == (
        "It stood still for 1.2 s, 59 s ago, in the command look, mythos/world/step.py:1 (tick)."
    )
    clock.advance(1.0)
    assert watching.stalled() == ""
