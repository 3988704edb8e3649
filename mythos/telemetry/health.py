"""Checks of the parts, put into one answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

__all__ = ["Health"]


@dataclass(slots=True)
class Health:
    """What the server says of itself.

    :ivar checks: name -> what is wrong with that part, empty if nothing; they answer at once
    :ivar state: why it takes no players (``starting``, ``draining``); empty: it does
    :ivar wall: unix time
    """

    version: str
    wall: Callable[[], float]
    connections: Callable[[], int]
    started: float = 0.0
    state: str = "starting"
    checks: dict[str, Callable[[], str]] = field(default_factory=dict)

    def not_ready(self) -> str:
        """Empty if it takes players."""
        if self.state:
            return self.state
        for name, check in self.checks.items():
            if wrong := check():
                return f"{name}: {wrong}"
        return ""

    def detailed(self) -> dict[str, Any]:
        found = {name: check() for name, check in self.checks.items()}
        now = self.wall()
        healthy = not self.state and not any(found.values())
        return {
            "status": "healthy" if healthy else "unhealthy",
            "timestamp": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
            "version": self.version,
            "uptime_s": round(now - self.started, 1),
            "connections": self.connections(),
            "database": found.get("database") or "ok",
            "checks": {name: {"status": "down" if wrong else "ok", "message": wrong} for name, wrong in found.items()},
            **({"state": self.state} if self.state else {}),
        }
