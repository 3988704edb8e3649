"""The gateway's HTTP port: the WebSocket, health, numbers, and the API's description for people and programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from autobahn.twisted.resource import WebSocketResource
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request, Site
from zope.interface import implementer

from mythos.net.doorman import is_loopback
from mythos.net.gateway.docs import page
from mythos.net.gateway.doors import Admission, ApiSocketFactory
from mythos.net.gateway.gateway import Gateway
from mythos.net.guarded import BODY, GuardedRequest, guarded_site
from mythos.net.headers import header
from mythos.net.operators import OperatorsDoor
from mythos.net.proxies import Proxies
from mythos.telemetry.process import resident

__all__ = ["make_gateway_site"]

_log = Logger()

_INFO = {
    "version": "1.0.0",
    "protocol": "JSON-RPC 2.0",
    "transports": ["websocket", "tcp"],
    "authentication": "api_key",
    "documentation": "/api/docs",
}


class _Answer(Resource):
    isLeaf = True

    def __init__(self, body: bytes, kind: bytes = b"application/json", status: int = 200) -> None:
        super().__init__()
        self._body, self._kind, self._status = body, kind, status

    def render_GET(self, request: Request) -> bytes:
        request.setResponseCode(self._status)
        request.setHeader(b"content-type", self._kind)
        return self._body


class _Orders(Resource):
    """What operators order of a server that has no other HTTP port, over HTTPS with a token."""

    isLeaf = True

    def __init__(self, operators: OperatorsDoor, proxies: Proxies) -> None:
        super().__init__()
        self._operators = operators
        self._proxies = proxies

    def render_POST(self, request: Request) -> int:
        Deferred.fromCoroutine(self._answer(request)).addErrback(self._broke, request)
        return NOT_DONE_YET

    async def _answer(self, request: Request) -> None:
        assert request.content is not None
        address, question = self._proxies.of_request(request), request.content.read(BODY + 1)
        scheme, _, secret = header(request, b"authorization").partition(" ")
        found: Mapping[str, Any]
        if not self._proxies.is_secure(request) and not is_loopback(address):
            why = "Orders are taken over HTTPS alone. Revoke that token: it was overheard."
            status, found = 403, {"ok": False, "error": why}
        elif len(question) > BODY:
            status, found = 413, {"ok": False, "error": f"A question has at most {BODY} bytes."}
        else:
            given = secret.strip() if scheme.lower() == "bearer" else ""
            status, found = await self._operators.answer(given, question, address)
        self._send(request, status, found)

    def _broke(self, failure: Failure, request: Request) -> None:
        _log.failure("an order over HTTPS broke", failure)
        self._send(request, 500, {"ok": False, "error": "Something broke in the server; its log says what."})

    def _send(self, request: Request, status: int, found: Mapping[str, Any]) -> None:
        if request.channel is not None:  # else it is gone
            request.write(_json(found, status).render_GET(request))
            request.finish()


@implementer(IResource)
class _Root:
    isLeaf = False
    server = None

    def __init__(
        self,
        gateway: Gateway,
        sockets: ApiSocketFactory,
        admission: Admission,
        docs: bytes,
        proxies: Proxies,
        operators: OperatorsDoor | None,
    ) -> None:
        self._gateway = gateway
        self._admission = admission
        self._docs = docs
        self._address_of = proxies.of_request
        self._orders = _Orders(operators, proxies) if operators is not None else None
        self._socket = WebSocketResource(sockets)

    def putChild(self, path: bytes, child: IResource) -> None:
        raise TypeError("what is served is decided in one place")

    def render(self, request: Request) -> bytes:
        raise TypeError("every path has a resource of its own")

    def getChildWithDefault(self, name: bytes, request: Any) -> Any:
        path = b"/".join([name, *request.postpath]).rstrip(b"/")
        request.postpath.clear()
        request.setHeader(b"cache-control", b"no-store")
        if not self._admission.admits(self._address_of(request)):
            return _json({"error": "This address may not connect."}, 403)
        if path == b"ws" or (path == b"" and request.getHeader(b"upgrade")):
            return self._socket
        if path == b"api/v1/control" and self._orders is not None:
            return self._orders
        if path in (b"", b"api/docs"):
            return _Answer(self._docs, b"text/html; charset=utf-8")
        return self._found(path.decode("latin-1"))

    def _found(self, path: str) -> _Answer:
        if path in ("health", "health/detailed"):
            return _json(
                {
                    "status": "healthy",
                    "service": "i3-gateway-api",
                    "websocket_connections": self._admission.open,
                    "active_sessions": self._gateway.connected(),
                    "routers": {name: mud.link.state for name, mud in self._gateway.muds.items()},
                }
            )
        if path == "health/live":
            return _json({"status": "alive"})
        if path == "health/ready":
            ready = not self._gateway.muds or any(mud.link.up for mud in self._gateway.muds.values())
            return _json({"status": "ready"} if ready else {"status": "not_ready"}, 200 if ready else 503)
        if path == "api/info":
            return _json(_INFO)
        if path == "metrics":
            return _Answer(self._numbers().encode(), b"text/plain; charset=utf-8")
        return _json({"error": "There is nothing at this address."}, 404)

    def _numbers(self) -> str:
        """In Prometheus' text format; the server's own numbers stand on its own port."""
        gateway = self._gateway
        links = [mud.link for mud in gateway.muds.values()]
        found: tuple[tuple[str, str, str, int], ...] = (
            ("process_resident_memory_bytes", "gauge", "Memory in use", resident()),
            ("api_websocket_connections", "gauge", "Connections of clients", self._admission.open),
            ("api_active_sessions", "gauge", "Sessions with a connection", gateway.connected()),
            ("i3_muds", "gauge", "MUDs behind the gateway", len(links)),
            ("i3_routers_up", "gauge", "Links of theirs that are up", sum(link.up for link in links)),
            ("i3_packets_sent_total", "counter", "Packets sent", sum(link.sent for link in links)),
            ("i3_packets_received_total", "counter", "Packets received", sum(link.heard for link in links)),
            ("i3_packets_dropped_total", "counter", "Packets that found no place", sum(link.dropped for link in links)),
            (
                "i3_tells_waiting",
                "gauge",
                "Tells that wait for a client",
                sum(len(m.tells) for m in gateway.muds.values()),
            ),
        )
        return "".join(
            [f"# HELP {name} {text}\n# TYPE {name} {kind}\n{name} {value}\n" for name, kind, text, value in found]
        )


class _Request(GuardedRequest):
    """Where no orders are taken nobody has to send a body: one that is announced is not read."""

    def gotLength(self, length: int | None) -> None:
        super().gotLength(0)
        if length != 0:
            self.channel.loseConnection()


def _json(value: Mapping[str, Any], status: int = 200) -> _Answer:
    return _Answer(json.dumps(value).encode(), status=status)


def make_gateway_site(
    gateway: Gateway,
    sockets: ApiSocketFactory,
    admission: Admission,
    clients: Mapping[str, str],
    clock: IReactorTime,
    proxies: Proxies,
    operators: OperatorsDoor | None = None,
) -> Site:
    """:param clients: language -> source of a small client, for ``/api/docs``
    :param operators: takes orders at ``/api/v1/control``; None: they are taken elsewhere
    """
    root = _Root(gateway, sockets, admission, page(clients), proxies, operators)
    return guarded_site(root, clock, _Request if operators is None else GuardedRequest)
