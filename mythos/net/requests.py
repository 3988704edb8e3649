"""How many requests one address may make, and the headers that tell it."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from twisted.web.server import Request

from mythos.flow.limit import Limit
from mythos.flow.throttle import place
from mythos.play.ports import Clock

__all__ = ["Requests"]


class Requests:
    """A limit for each address (IPv6: /64).

    :param most: requests within ``window`` seconds
    :param address_of: the client's, whatever proxies it came through
    :ivar limit: which servers may count together
    """

    def __init__(self, most: float, window: float, clock: Clock, address_of: Callable[[Request], str]) -> None:
        self._most = most
        self._rate = most / window
        self.limit = Limit("http", self._rate, float(most), 20_000)
        self._clock = clock
        self._address_of = address_of

    def change(self, most: float, window: float) -> None:
        """From now on; requests of before do not count."""
        self._most, self._rate = most, most / window
        self.limit.change(self._rate, float(most))

    async def wait(self, request: Request, *, tell: bool = True) -> int:
        """Count it. Returns 0, or the whole seconds to wait before another one is heeded.

        :param tell: headers of the answer say how many more there may be; False: only if there may be none, as others
            read that answer too
        """
        taken = await self.limit.take(place(self._address_of(request)), self._clock.seconds())
        wait = ceil(taken.wait)
        if not tell and not wait:
            return 0
        for name, value in (
            (b"ratelimit-limit", self._most),
            (b"ratelimit-remaining", taken.left),
            (b"ratelimit-reset", ceil((self._most - taken.left) / self._rate)),
        ):
            request.setHeader(name, b"%d" % value)
        if wait:
            request.setHeader(b"retry-after", b"%d" % wait)
        return wait
