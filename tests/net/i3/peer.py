"""A MUD of a few lines: it says what it is told to, and keeps what it hears."""

from __future__ import annotations

from typing import Any

from mythos.net.i3.exchange import Exchange, Seat
from mythos.wire.i3 import lpc

__all__ = ["Mud"]

SERVICES = {"tell": 1, "channel": 1, "who": 1, "finger": 1, "locate": 1, "ucache": 1}


class Mud:
    """On an exchange without a socket; everything goes through the codec all the same."""

    def __init__(self, exchange: Exchange, name: str, address: str = "192.0.2.1") -> None:
        self.exchange = exchange
        self.name = name
        self.heard: list[list[Any]] = []
        self.closed = False
        self.now = 100.0
        self.seat = Seat(self._hear, self._close, address)

    def _hear(self, value: list[Any]) -> None:
        (found,), error = lpc.decode(lpc.encode(value))
        assert error is None
        self.heard.append(found)

    def _close(self) -> None:
        self.closed = True

    def say(self, kind: str, *rest: Any, user: Any = 0, to: Any = 0, to_user: Any = 0, **other: Any) -> None:
        self.raw([kind, other.get("ttl", 5), other.get("mud", self.name), user, to, to_user, *rest])

    def raw(self, value: Any) -> None:
        (found,), error = lpc.decode(lpc.encode(value))
        assert error is None
        self.exchange.received(self.seat, found, self.now)

    def start(self, password: int = 0, services: dict[str, int] | None = None) -> int:
        """Let in; returns its password."""
        texts = ("lib", "base", "driver", "LP", "open", "a@example.org")
        chosen = SERVICES if services is None else services
        self.say("startup-req-3", password, 0, 0, 4000, 0, 0, *texts, chosen, {}, to=self.exchange.name)
        found = [one for one in self.heard if one[0] == "startup-reply"]
        return int(found[-1][7]) if found else 0

    def take(self, kind: str = "") -> list[list[Any]]:
        """What it heard since the last call, of one kind if one is named."""
        heard, self.heard = self.heard, []
        return [one for one in heard if not kind or one[0] == kind]

    def errors(self) -> list[str]:
        return [one[6] for one in self.take("error")]
