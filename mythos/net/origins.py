"""Pages of other sites: which of them may use what browsers do not let them use unasked (CORS), and which may not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from twisted.web.server import Request

from mythos.net.headers import header

__all__ = ["Origins"]

_ALLOWED: Final = (
    (b"access-control-allow-methods", b"DELETE, GET, POST"),
    (b"access-control-allow-headers", b"authorization, content-type, last-event-id"),
    (b"access-control-max-age", b"600"),
)
_EXPOSED: Final = b"retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset"


class Origins:
    """:param named: origins that the operator named; ``*``: all"""

    def __init__(self, named: Iterable[str] = ()) -> None:
        self._named = frozenset(named)

    def change(self, named: Iterable[str]) -> None:
        """From now on."""
        self._named = frozenset(named)

    def admits(self, origin: str, host: str) -> bool:
        """Whether a page of ``origin`` may speak to us as ``host``. None is no browser, or a page of ours that reads.

        :param host: as the request names it
        """
        if not origin or self._is_named(origin):
            return True
        try:
            place = urlsplit(origin).netloc
        except ValueError:
            return False
        return bool(place) and place == host

    def _is_named(self, origin: str) -> bool:
        return origin in self._named or "*" in self._named

    def admit(self, request: Request) -> bool:
        """Tell the browser whether the page may read the answer. Returns False if nothing shall be done for it."""
        origin, host = header(request, b"origin"), header(request, b"host")
        request.responseHeaders.addRawHeader(b"vary", b"origin")
        if origin and self._is_named(origin):
            request.setHeader(b"access-control-allow-origin", origin.encode())
            request.setHeader(b"access-control-expose-headers", _EXPOSED)
        if request.method in (b"GET", b"HEAD"):
            return True
        if not origin and header(request, b"sec-fetch-site") in ("cross-site", "same-site"):
            return False
        return self.admits(origin, host)

    def asks(self, request: Request) -> bool:
        """Whether a browser asks beforehand what a page may do; then the answer's headers say it."""
        if request.method != b"OPTIONS" or not request.getHeader(b"access-control-request-method"):
            return False
        for name, value in _ALLOWED:
            request.setHeader(name, value)
        return True
