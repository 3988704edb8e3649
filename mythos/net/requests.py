"""How many requests one address may make, and the headers that tell it."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from twisted.web.server import Request

from mythos.flow.bucket import Buckets
from mythos.flow.throttle import place
from mythos.play.ports import Clock

__all__ = ["Requests"]


class Requests:
    """A bucket for each address (IPv6: /64).

    :param most: requests within ``window`` seconds
    :param address_of: the client's, whatever proxies it came through
    """

    def __init__(self, most: float, window: float, clock: Clock, address_of: Callable[[Request], str]) -> None:
        self._most = most
        self._rate = most / window
        self._buckets = Buckets(self._rate, float(most), 20_000)
        self._clock = clock
        self._address_of = address_of

    def change(self, most: float, window: float) -> None:
        """From now on; requests of before do not count."""
        self._most, self._rate = most, most / window
        self._buckets.change(self._rate, float(most))

    def wait(self, request: Request, *, tell: bool = True) -> int:
        """Count it. Returns 0, or the whole seconds to wait before another one is heeded.

        :param tell: headers of the answer say how many more there may be; False: only if there may be none, as others
            read that answer too
        """
        whose = place(self._address_of(request))
        wait = ceil(self._buckets.take(whose, self._clock.seconds()))
        if not tell and not wait:
            return 0
        left = self._buckets.left(whose)
        for name, value in (
            (b"ratelimit-limit", self._most),
            (b"ratelimit-remaining", left),
            (b"ratelimit-reset", ceil((self._most - left) / self._rate)),
        ):
            request.setHeader(name, b"%d" % value)
        if wait:
            request.setHeader(b"retry-after", b"%d" % wait)
        return wait
