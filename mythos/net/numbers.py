"""``/metrics``: numbers for Prometheus, and as JSON for who asks for that."""

from __future__ import annotations

import json
from typing import Any, Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from mythos.net.guarded import guarded_site
from mythos.net.headers import header

__all__ = ["Counted", "make_metrics_site"]

_TEXT = b"text/plain; version=0.0.4; charset=utf-8"


class Counted(Protocol):
    """What has numbers."""

    def text(self) -> bytes:
        """In Prometheus' text format."""

    def summary(self) -> dict[str, Any]:
        """As JSON."""


class _Numbers(Resource):
    isLeaf = True

    def __init__(self, counted: Counted, *, as_json: bool) -> None:
        super().__init__()
        self._counted = counted
        self._as_json = as_json

    def render_GET(self, request: Request) -> bytes:
        request.setHeader(b"cache-control", b"no-store")
        if self._as_json or request.args.get(b"format") == [b"json"] or _prefers_json(request):
            request.setHeader(b"content-type", b"application/json")
            return json.dumps(self._counted.summary()).encode()
        request.setHeader(b"content-type", _TEXT)
        return self._counted.text()


def _prefers_json(request: Request) -> bool:
    """Whether JSON is named before any text. Prometheus names its own formats first."""
    for part in header(request, b"accept").split(","):
        kind = part.partition(";")[0].strip().lower()
        if kind == "application/json":
            return True
        if kind.startswith(("text/", "application/openmetrics")):
            return False
    return False


def make_metrics_site(counted: Counted, clock: IReactorTime) -> Site:
    root = Resource()
    root.putChild(b"metrics", _Numbers(counted, as_json=False))
    root.putChild(b"metrics.json", _Numbers(counted, as_json=True))
    return guarded_site(root, clock)
