"""Who may come in at all: how many connections a node holds, and how fast one address may open them."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from mythos.flow.bucket import Buckets
from mythos.flow.throttle import place

__all__ = ["Doorman", "is_loopback"]


class Doorman:
    """Counts connections of all doors. Loopback is not counted by address: it is ourselves, or a front that
    speaks for many.

    :param most: connections of this node
    :param open_per_address: connections one address (IPv6: /64) may hold
    :param per_second: how fast it may open them
    :ivar refused: how many were not let in
    :ivar banned: the sentence for an address that may not come in; empty: it may
    """

    def __init__(self, most: int, open_per_address: int, per_second: float) -> None:
        self.most = most
        self.open_per_address = open_per_address
        self._open: dict[str, int] = {}
        self._pace = Buckets(per_second, max(10.0, per_second * 2), 20_000)
        self.count = 0
        self.refused = 0
        self.banned: Callable[[str], str] = lambda address: ""

    def change(self, most: int, open_per_address: int, per_second: float) -> None:
        """From now on; who is in stays."""
        self.most, self.open_per_address = most, open_per_address
        self._pace.change(per_second, max(10.0, per_second * 2))

    def admit(self, address: str, now: float) -> str:
        """Empty: it is counted, and must be let out by :meth:`leave`. Else the sentence it is refused with."""
        refusal = self._refusal(address, now)
        if refusal:
            self.refused += 1
        return refusal

    def _refusal(self, address: str, now: float) -> str:
        if refusal := self.banned(address):
            return refusal
        if self.count >= self.most:
            return "Every place here is taken just now. Please come back in a few minutes."
        if not is_loopback(address):
            whose = place(address)
            if self._open.get(whose, 0) >= self.open_per_address:
                return "Too many connections from your address are open already."
            if self._pace.take(whose, now):
                return "Too many connections at once from your address. Try again in a few seconds."
        self.readmit(address)
        return ""

    def readmit(self, address: str) -> None:
        """Count one that another process of this server let in."""
        if not is_loopback(address):
            whose = place(address)
            self._open[whose] = self._open.get(whose, 0) + 1
        self.count += 1

    def leave(self, address: str) -> None:
        self.count -= 1
        if not is_loopback(address):
            whose = place(address)
            left = self._open.get(whose, 0) - 1
            if left > 0:
                self._open[whose] = left
            else:
                self._open.pop(whose, None)


def is_loopback(address: str) -> bool:
    """Of this machine."""
    if address.startswith("127."):
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return True  # a UNIX socket
