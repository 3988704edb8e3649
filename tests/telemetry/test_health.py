"""How the parts of a server are, put into one answer."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mythos.telemetry.health import FRESH, Health, Probe

TIMEOUT = 2.0


class Part:
    """A part that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[Deferred[None]] = []

    def ask(self) -> Coroutine[Any, Any, None]:
        answer: Deferred[None] = Deferred()
        self.asked.append(answer)

        async def wait() -> None:
            await answer

        return wait()


class AtOnce:
    async def __call__(self) -> bool:
        return True


def test_kept_for_a_while() -> None:
    """However many ask within five seconds, the part is asked once; all hear its answer."""
    probe = Probe((part := Part()).ask, clock := Clock(), TIMEOUT)
    first, second = probe.look(), probe.look()
    assert (len(part.asked), first.called, probe.wrong) == (1, False, "")
    clock.advance(0.25)
    part.asked[0].callback(None)
    assert first.called
    assert second.called
    assert (probe.wrong, probe.latency) == ("", 0.25)
    clock.advance(FRESH - 0.01)
    assert probe.look().called
    assert len(part.asked) == 1
    clock.advance(0.01)
    assert not probe.look().called
    assert len(part.asked) == 2
    part.asked[1].callback(None)
    assert not clock.getDelayedCalls()


def test_broken() -> None:
    """What it says is kept from strangers; the next good answer ends it."""
    probe = Probe((part := Part()).ask, clock := Clock(), TIMEOUT)
    probe.look()
    part.asked[0].errback(ValueError("no route to db.example.org"))
    assert probe.wrong == "It does not answer (ValueError)."
    clock.advance(FRESH)
    probe.look()
    part.asked[1].callback(None)
    assert probe.wrong == ""


def test_no_answer() -> None:
    """Nobody waits longer than the time-out; it counts as down then, and is not asked again until it answers."""
    probe = Probe((part := Part()).ask, clock := Clock(), TIMEOUT)
    waiting = probe.look()
    clock.advance(TIMEOUT - 0.01)
    assert (waiting.called, probe.wrong) == (False, "")
    clock.advance(0.01)
    assert waiting.called
    assert probe.wrong == "There has been no answer for 2 s."
    clock.advance(60.0)
    assert probe.look().called
    assert (len(part.asked), probe.wrong) == (1, "There has been no answer for 62 s.")
    part.asked[0].callback(None)
    assert probe.wrong == ""


def test_at_once() -> None:
    """A part that does not have to think costs no wait."""
    assert Probe(AtOnce(), clock := Clock(), TIMEOUT).look().called
    assert not clock.getDelayedCalls()


def made(**fields: Any) -> Health:
    return Health("1.2", lambda: 60.0, lambda: 7, state="", **fields)


def test_all_is_well() -> None:
    """The keys that other systems' users look for."""
    health = made(checks={"database": str, "world": str})
    assert health.detailed() == {
        "status": "healthy",
        "timestamp": "1970-01-01T00:01:00+00:00",
        "version": "1.2",
        "uptime_s": 60.0,
        "connections": 7,
        "database": "ok",
        "checks": {"database": {"status": "ok", "message": ""}, "world": {"status": "ok", "message": ""}},
    }
    assert health.not_ready() == ""


def test_degraded() -> None:
    """A warning is told, and people are let in; what is down counts more, of the same part too."""
    health = made(warns={"disk": lambda: "It is nearly full."})
    assert (health.detailed()["status"], health.not_ready()) == ("degraded", "")
    assert health.detailed()["checks"]["disk"] == {"status": "degraded", "message": "It is nearly full."}
    health.checks["disk"] = lambda: "It is full."
    assert (health.detailed()["status"], health.not_ready()) == ("unhealthy", "disk: It is full.")


def test_a_probe_counts() -> None:
    """A part that does not answer is down; one whose check says why is down for that reason."""
    probe = Probe((part := Part()).ask, Clock(), TIMEOUT)
    health = made(probes={"database": probe})
    looked = health.look()
    part.asked[0].errback(OSError())
    assert looked.called
    assert health.detailed()["database"] == health.detailed()["checks"]["database"]["message"]
    assert health.not_ready() == "database: It does not answer (OSError)."
    health.checks["database"] = lambda: "The disk is full."
    assert health.detailed()["database"] == "The disk is full."


def test_numbers() -> None:
    """For operators: how long a part took, what else is known of it, and how much of all is well."""
    probe = Probe((part := Part()).ask, clock := Clock(), TIMEOUT)
    health = made(
        checks={"memory": str, "disk": lambda: "It is full."},
        probes={"database": probe},
        details={"memory": lambda: {"percent": 40.0}},
    )
    health.look()
    clock.advance(0.5)
    part.asked[0].callback(None)
    found = health.detailed(numbers=True)
    assert found["checks"]["database"] == {"status": "ok", "message": "", "latency_ms": 500.0}
    assert found["checks"]["memory"] == {"status": "ok", "message": "", "detail": {"percent": 40.0}}
    assert found["score"] == 0.67
    assert "score" not in health.detailed()


def test_starting() -> None:
    """The reason stands before those of the parts."""
    health = Health("1", lambda: 0.0, lambda: 0, checks={"world": lambda: "It is loading."})
    assert (health.not_ready(), health.detailed()["status"], health.detailed()["state"]) == (
        "starting",
        "unhealthy",
        "starting",
    )
