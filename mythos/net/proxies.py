"""Whose word on a client's address is believed."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

from twisted.web.server import Request

from mythos.flow.throttle import unmapped
from mythos.net.headers import header
from mythos.net.transport import address_of

__all__ = ["Proxies"]


class Proxies:
    """Who may say for whom it speaks: a PROXY header, ``X-Forwarded-For`` and ``X-Forwarded-Proto`` count only from
    these networks."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        self._networks = tuple([ip_network(one, strict=False) for one in networks])

    def trusts(self, address: str) -> bool:
        try:
            ip = ip_address(unmapped(address))
        except ValueError:
            return False
        return any(ip in one for one in self._networks)

    def client(self, peer: str, forwarded: str) -> str:
        """The address nearest to us that is not a trusted proxy."""
        hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
        address = peer
        while hops and self.trusts(address):
            address = hops.pop()
        return unmapped(address)

    def of_request(self, request: Request) -> str:
        peer = getattr(request.getClientAddress(), "host", "local")
        return self.client(peer, header(request, b"x-forwarded-for"))

    def is_secure(self, request: Request) -> bool:
        """Whether a client came by TLS: to us, or to a proxy that says so."""
        peer = getattr(request.getClientAddress(), "host", "local")
        return bool(request.isSecure()) or (self.trusts(peer) and header(request, b"x-forwarded-proto") == "https")

    def of_socket(self, socket: Any) -> str:
        return self.client(address_of(socket.transport), (socket.http_headers or {}).get("x-forwarded-for", ""))
