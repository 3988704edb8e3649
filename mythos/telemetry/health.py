"""Checks of the parts, put into one answer."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, TimeoutError, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

__all__ = ["DEGRADED", "DOWN", "FRESH", "OK", "Health", "Probe"]

#: What a part can be. With one that is degraded people play on; with one that is down nobody is let in.
OK, DEGRADED, DOWN = "ok", "degraded", "down"
#: Seconds for which the answer of a part counts.
FRESH = 5.0


class Probe:
    """A part that has to be asked, may be slow, and may never answer. It is never asked twice at once.

    :param ask: raises, if something is wrong with it
    :param timeout: seconds it may take before it counts as down
    :ivar latency: seconds its last answer took; None: there was none yet
    """

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, object]], clock: IReactorTime, timeout: float) -> None:
        self._ask = ask
        self._clock = clock
        self._timeout = timeout
        self._asked: float | None = None  # the second, while an answer is owed
        self._answered: float | None = None
        self._said = ""
        self._waiting: list[Deferred[None]] = []
        self.latency: float | None = None

    @property
    def wrong(self) -> str:
        """What is wrong with it as far as it is known; empty: nothing."""
        if self._asked is not None:
            late = self._clock.seconds() - self._asked
            if late >= self._timeout:
                return f"There has been no answer for {late:.0f} s."
        return self._said

    def look(self) -> Deferred[None]:
        """Ask, if the last answer is too old. Fires when it is known how the part is, after the time-out at the
        latest."""
        now = self._clock.seconds()
        if self._asked is None:
            if self._answered is not None and now - self._answered < FRESH:
                return succeed(None)
            self._asked = now
            Deferred.fromCoroutine(self._ask()).addCallbacks(lambda _: "", _sentence).addCallback(self._heard)
            if self._asked is None:
                return succeed(None)
        left = self._asked + self._timeout - now
        if left <= 0.0:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        return waiting.addTimeout(left, self._clock).addErrback(self._late, waiting)

    def _heard(self, said: str) -> None:
        assert self._asked is not None
        self._answered = self._clock.seconds()
        self.latency = self._answered - self._asked
        self._asked, self._said = None, said
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)

    def _late(self, failure: Failure, waiting: Deferred[None]) -> None:
        failure.trap(TimeoutError)
        self._waiting.remove(waiting)


@dataclass(slots=True)
class Health:
    """What the server says of itself.

    :ivar checks: name -> what is wrong with that part, empty if nothing; they answer at once
    :ivar warns: the same of what is not as it should be, though people play on
    :ivar probes: parts that have to be asked; one of the same name as a check is the same part
    :ivar details: name -> numbers of a part, for operators
    :ivar state: why it takes no players (``starting``, ``draining``); empty: it does
    :ivar wall: unix time
    """

    version: str
    wall: Callable[[], float]
    connections: Callable[[], int]
    started: float = 0.0
    state: str = "starting"
    checks: dict[str, Callable[[], str]] = field(default_factory=dict)
    warns: dict[str, Callable[[], str]] = field(default_factory=dict)
    probes: dict[str, Probe] = field(default_factory=dict)
    details: dict[str, Callable[[], Mapping[str, Any]]] = field(default_factory=dict)

    def look(self) -> Deferred[Any]:
        """Ask the parts that have not been asked for a while; fires when all that can be known is."""
        return DeferredList([probe.look() for probe in self.probes.values()])

    def parts(self) -> dict[str, tuple[str, str]]:
        """name -> what it is (`OK`, `DEGRADED`, `DOWN`), and why."""
        found = dict.fromkeys((*self.checks, *self.probes, *self.warns), (OK, ""))
        for name, warn in self.warns.items():
            if wrong := warn():
                found[name] = DEGRADED, wrong
        for name, probe in self.probes.items():
            if wrong := probe.wrong:
                found[name] = DOWN, wrong
        for name, check in self.checks.items():
            if wrong := check():
                found[name] = DOWN, wrong
        return found

    def not_ready(self) -> str:
        """Empty if it takes players."""
        down = [f"{name}: {wrong}" for name, (status, wrong) in self.parts().items() if status == DOWN]
        return self.state or (down[0] if down else "")

    def detailed(self, *, numbers: bool = False) -> dict[str, Any]:
        """The answer, as of the last `look`.

        :param numbers: with how long each part took, and what else operators want to know of it
        """
        parts = self.parts()
        now = self.wall()
        checks: dict[str, dict[str, Any]] = {
            name: {"status": status, "message": wrong} for name, (status, wrong) in parts.items()
        }
        found = {
            "status": self._status({status for status, _ in parts.values()}),
            "timestamp": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
            "version": self.version,
            "uptime_s": round(now - self.started, 1),
            "connections": self.connections(),
            "database": checks.get("database", {}).get("message") or "ok",
            "checks": checks,
            **({"state": self.state} if self.state else {}),
        }
        if numbers:
            found["score"] = round(sum(status == OK for status, _ in parts.values()) / max(1, len(parts)), 2)
            for name, probe in self.probes.items():
                if probe.latency is not None:
                    checks[name]["latency_ms"] = round(probe.latency * 1000.0, 1)
            for name, detail in self.details.items():
                checks[name]["detail"] = dict(detail())
        return found

    def _status(self, found: set[str]) -> str:
        if self.state or DOWN in found:
            return "unhealthy"
        return "degraded" if DEGRADED in found else "healthy"


def _sentence(failure: Failure) -> str:
    """Anybody may read it; what an error says may name hosts and people, and stands in the log."""
    return f"It does not answer ({type(failure.value).__name__})."
