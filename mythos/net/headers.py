"""Headers of requests, which strangers write."""

from __future__ import annotations

from twisted.web.server import Request

__all__ = ["header"]


def header(request: Request, name: bytes) -> str:
    """Its value; empty if it is not there. Twisted's own way of reading text breaks at bytes that are no UTF-8."""
    return (request.getHeader(name) or b"").decode("utf-8", "replace")
