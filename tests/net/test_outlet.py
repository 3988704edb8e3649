"""The outlet: one flush in a turn, and one link that breaks costs no other."""

from __future__ import annotations

from typing import Any

from mythos.net.outlet import Link, Outlet
from mythos.net.poll import Poll
from mythos.wire.message import line
from tests.conftest import Failures
from tests.scenes.people import in_town
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


class Reader(Link):
    """A connection that takes nothing once its transport is full."""

    kind = "telnet"
    dropped = False

    def shutdown(self, code: int, reason: str) -> None:
        self.dropped = (code, reason) == (4008, "slow")

    def abort(self) -> None:
        self.detached()


def test_the_slowest_go_first() -> None:
    """Of those who take nothing, the ones that have most to take; why they went is counted. Others stay."""
    scene = in_town("Ann Bob Cid Dan")
    outlet = Outlet(Poll(scene.clock))
    links: dict[str, Any] = {}
    for name, lines in (("Ann", 0), ("Bob", 3), ("Cid", 9), ("Dan", 9)):
        session = scene.ears[name].session
        link = links[name] = Reader(outlet, scene.realm, session, "192.0.2.1")
        link.cursor, _ = session.log.attach("telnet", None, None)
        link.attached()
        session.log.ack(link.cursor, 0)
        for _ in range(lines):
            session.hear(line("system", "Something is said."), scene.realm.now)
    for name in ("Ann", "Bob", "Cid"):
        links[name].pauseProducing()
    assert outlet.opened["telnet"] == 4
    assert outlet.drop_slowest(0.25) == 1
    assert [name for name, link in links.items() if link.dropped] == ["Cid"]
    assert outlet.closed == {("telnet", "slow"): 1}
    assert outlet.drop_slowest(0.5) == 2
    assert [name for name, link in links.items() if not link.dropped] == ["Dan"]
    assert outlet.drop_slowest(0.5) == 0


def test_how_long_they_wait() -> None:
    """The oldest message that a connection was not handed, looked at once a second; 0.0 if there is none."""
    scene = in_town("Ann Bob")
    outlet = Outlet(Poll(scene.clock))
    waited: list[float] = []
    outlet.waits = waited.append
    for name in ("Ann", "Bob"):
        session = scene.ears[name].session
        link = Reader(outlet, scene.realm, session, "192.0.2.1")
        link.cursor, _ = session.log.attach("telnet", None, None)
        link.cursor.sent = session.log.head
        link.attached()
        link.pauseProducing()
    session.hear(line("system", "Something is said."), scene.realm.now)
    outlet.sweep(scene.clock.seconds())
    scene.clock.advance(2.0)
    outlet.sweep(scene.clock.seconds())
    assert sorted(waited)[:2] == [0.0, 0.0]
    assert waited[-1] == 2.0 or waited[-2] == 2.0
