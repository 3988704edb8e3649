"""The outlet: one flush in a turn, and one link that breaks costs no other."""

from __future__ import annotations

from mythos.net.outlet import Outlet
from mythos.net.poll import Poll
from tests.conftest import Failures
from tests.scenes.scene import SceneClock


class Broken:
    """A link that breaks when it is written to."""

    kind = "telnet"
    aborted = False

    def flush(self) -> None:
        raise RuntimeError("a bug of this door")

    def abort(self) -> None:
        self.aborted = True


class Sound:
    kind = "telnet"
    flushed = 0

    def flush(self) -> None:
        self.flushed += 1


def test_one_broken_link_costs_no_other(failures: Failures) -> None:
    """The others are flushed; it is closed."""
    outlet = Outlet(Poll(SceneClock()))
    broken, sound = Broken(), Sound()
    outlet.wake(broken)  # type: ignore[arg-type]
    outlet.wake(sound)  # type: ignore[arg-type]
    outlet.flush()
    assert (broken.aborted, sound.flushed) == (True, 1)
    assert len(failures.flush(RuntimeError)) == 1


def test_one_flush_in_a_reactor_turn() -> None:
    """However often links are woken."""
    clock = SceneClock()
    outlet = Outlet(Poll(clock))
    sound = Sound()
    outlet.wake(sound)  # type: ignore[arg-type]
    outlet.wake(Sound())  # type: ignore[arg-type]
    assert len(clock.getDelayedCalls()) == 1
    clock.advance(0)
    assert sound.flushed == 1
    outlet.during(lambda: outlet.wake(sound))  # type: ignore[arg-type]
    assert sound.flushed == 2
    assert not clock.getDelayedCalls()
