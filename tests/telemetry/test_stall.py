"""A server that stands still says in what."""

from __future__ import annotations

import threading

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent

from mythos.app.watching import doing
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
    stall = Stall(clock.seconds, doing)
    stall.startService()
    stall.stopService()
    return stall


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
    with capturedLogs() as heard:
        stall.beat(4.0)
        clock.advance(BEAT)
        stall.beat(0.0)
    (event,) = heard
    text = formatEvent(event)
    assert text.startswith("ALERT the server stood still for 4.0 s in the command say, mythos/")
    assert "secret" not in text
    assert (stall.count, stall.total) == (1, 4.0)


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
