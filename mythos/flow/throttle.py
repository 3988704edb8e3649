"""Slows guessing of passwords without locking the owner out.

Guesses at one account share a bucket, so that many addresses together get no more than one. A network from which the
account was entered before has a bucket of its own for it: whoever guesses from elsewhere cannot use up
the owner's tries. Each network also has a bucket over all accounts.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from mythos.flow.bucket import Bucket

__all__ = ["Throttle", "network", "place", "unmapped"]

#: Accounts, networks and pairs remembered; the oldest are forgotten.
MOST = 20_000


def unmapped(address: str) -> str:
    """IPv4 as IPv4, also where a listener for both shows it as a part of IPv6: ``::ffff:192.0.2.1``."""
    if ":" not in address:
        return address
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    return str(getattr(ip, "ipv4_mapped", None) or address)


def place(address: str) -> str:
    """What counts as one client: an IPv4 address, an IPv6 /64, which one house has; anything else is itself."""
    return _within(address, 32)


def network(address: str) -> str:
    """What counts as one guesser of passwords: an IPv4 /24, an IPv6 /64; anything else is itself."""
    return _within(address, 24)


def _within(address: str, bits: int) -> str:
    try:
        ip = ip_address(unmapped(address))
    except ValueError:
        return address
    return str(ip_network(f"{ip}/{bits if ip.version == 4 else 64}", strict=False))


class Throttle:
    """:param tries: of one account in ``window`` seconds; a network may make five times as many over all accounts"""

    def __init__(self, tries: float = 10.0, window: float = 900.0) -> None:
        self._tries = tries
        self._window = window
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._good: dict[tuple[str, str], None] = {}

    def wait(self, account: str, address: str, now: float) -> float:
        """Seconds until this guess is allowed; 0.0: it is, and counts."""
        place = network(address)
        known = (account, place) in self._good
        whose = self._bucket(account, place if known else "", self._tries)
        wait = whose.take(now)
        if wait:
            return wait
        return self._bucket("", place, self._tries * 5).take(now)

    def succeeded(self, account: str, address: str) -> None:
        """The right password: from now on this network has its own tries at this account, all of them unused."""
        place = network(address)
        self._good.pop((account, place), None)
        self._good[account, place] = None
        self._buckets.pop((account, place), None)
        if len(self._good) > MOST:
            del self._good[next(iter(self._good))]

    def _bucket(self, account: str, place: str, tries: float) -> Bucket:
        bucket = self._buckets.get((account, place))
        if bucket is None:
            bucket = self._buckets[account, place] = Bucket(tries / self._window, tries)
            if len(self._buckets) > MOST:
                del self._buckets[next(iter(self._buckets))]
        return bucket
