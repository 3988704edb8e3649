"""Headers: of requests, which strangers write, and of answers, which say what a browser may do with them."""

from __future__ import annotations

from typing import Final

from twisted.web.server import Request

__all__ = ["HEADERS", "header"]

#: Of every answer, refusals too; pages that load something have a policy of their own.
HEADERS: Final = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"server", b"Mythos"),
)


def header(request: Request, name: bytes) -> str:
    """Its value; empty if it is not there. Twisted's own way of reading text breaks at bytes that are no UTF-8."""
    return (request.getHeader(name) or b"").decode("utf-8", "replace")
