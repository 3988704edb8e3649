"""Slows guessing of passwords without locking the owner out.

Guesses at one account share a bucket, so that many addresses together get no more than one. A network from which the
account was entered before has a bucket of its own for it: whoever guesses from elsewhere cannot use up
the owner's tries. Each network also has a bucket over all accounts. Servers that share a Redis count together;
while it is away, each counts for itself and more strictly.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from mythos.flow.bucket import Bucket
from mythos.flow.limit import Shared, Spend

__all__ = ["Throttle", "network", "place", "unmapped"]

#: Accounts, networks and pairs remembered; the oldest are forgotten.
MOST = 20_000
#: How often more a guess counts while the other servers cannot be asked, for each of them.
STRICT = 2
#: Seconds for which all servers remember that an account was entered from a network.
REMEMBERED = 30 * 86_400.0


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
    """:param tries: of one account in ``window`` seconds; a network may make five times as many over all accounts
    :ivar shared: servers that share a Redis count together; None: this one counts for itself
    :ivar refused: how often there was to wait
    :ivar alone: how often the others could not be asked
    """

    def __init__(self, tries: float = 10.0, window: float = 900.0) -> None:
        self._tries = tries
        self._window = window
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._good: dict[tuple[str, str], None] = {}
        self.shared: Shared | None = None
        self.refused = 0
        self.alone = 0

    def change(self, tries: float) -> None:
        """From now on; guesses of before do not count, where the right passwords came from does."""
        self._tries = tries
        self._buckets.clear()

    async def wait(self, account: str, address: str, now: float) -> float:
        """Seconds until this guess is allowed; 0.0: it is, and counts."""
        wait = await self._wait(account, network(address), now)
        self.refused += wait > 0.0
        return wait

    async def _wait(self, account: str, place: str, now: float) -> float:
        shared = self.shared
        known = (account, place) in self._good
        if shared is not None and not known:
            known = await shared.marked(_mark(account, place))
        whose = place if known else ""
        if shared is None:
            return self._here(account, whose, place, now)
        if shared.up:
            wait = self._here(account, whose, place, now)
            spends = self._spend(account, whose, self._tries), self._spend("", place, self._tries * 5)
            found = None if wait else await shared.take(spends)
            if wait or found is not None:
                return wait if found is None else found.wait
        self.alone += 1
        return self._here(account, whose, place, now, float(STRICT * shared.servers))

    def _here(self, account: str, whose: str, place: str, now: float, cost: float = 1.0) -> float:
        wait = self._bucket(account, whose, self._tries).take(now, cost)
        return wait or self._bucket("", place, self._tries * 5).take(now, cost)

    def succeeded(self, account: str, address: str) -> None:
        """The right password: from now on this network has its own tries at this account, all of them unused."""
        place = network(address)
        self._good.pop((account, place), None)
        self._good[account, place] = None
        self._buckets.pop((account, place), None)
        if len(self._good) > MOST:
            del self._good[next(iter(self._good))]
        if self.shared is not None:
            self.shared.mark(_mark(account, place), REMEMBERED)
            self.shared.forget(self._spend(account, place, self._tries).name)

    def _spend(self, account: str, place: str, tries: float) -> Spend:
        return Spend(f"login:{account}@{place}", tries / self._window, tries)

    def _bucket(self, account: str, place: str, tries: float) -> Bucket:
        bucket = self._buckets.get((account, place))
        if bucket is None:
            bucket = self._buckets[account, place] = Bucket(tries / self._window, tries)
            if len(self._buckets) > MOST:
                del self._buckets[next(iter(self._buckets))]
        return bucket


def _mark(account: str, place: str) -> str:
    return f"known:{account}@{place}"
