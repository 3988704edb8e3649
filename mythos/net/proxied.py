"""A door behind a proxy that says by the PROXY protocol for whom it speaks.

Twisted's ``haproxy:`` endpoint would not do: it believes everybody, waits for ever, drops a header that comes in two
pieces, and makes the connection before it knows the address, by which a door decides whom it lets in.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from mythos.errors import WireError
from mythos.net.proxies import Proxies
from mythos.net.transport import address_of, hand_over
from mythos.wire.proxy import Client, NoHeader, read

__all__ = ["ProxiedFactory"]

#: Seconds a proxy may take for its header.
SECONDS = 5.0

_log = Logger()


class _Opening(Protocol):
    """A connection of a trusted proxy until its header is there."""

    transport: Any
    factory: ProxiedFactory

    def __init__(self) -> None:
        self._heard = b""
        self._late: IDelayedCall | None = None

    def connectionMade(self) -> None:
        self._late = self.factory.clock.callLater(SECONDS, self._too_late)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._in_time()

    def dataReceived(self, data: bytes) -> None:
        self._heard += data
        client, size = None, 0
        try:
            header = read(self._heard)
            if header is None:
                return
            client, size = header.client, header.size
        except NoHeader as error:
            if self.factory.required:
                self._refuse(str(error))
                return
        except WireError as error:
            self._refuse(str(error))
            return
        self._in_time()
        self._open(client, self._heard[size:])

    def _open(self, client: Client | None, rest: bytes) -> None:
        """Make the connection that it is meant for, as if it came from the client."""
        transport = self.transport
        if client is not None:
            kind = IPv6Address if ":" in client.host else IPv4Address
            address = kind("TCP", client.host, client.port)
            transport.getPeer = lambda: address
        protocol = self.factory.wrapped.buildProtocol(transport.getPeer())
        if protocol is None:
            transport.loseConnection()
            return
        hand_over(transport, protocol)
        if rest:
            protocol.dataReceived(rest)

    def _too_late(self) -> None:
        self._late = None
        self._refuse("it took too long")

    def _in_time(self) -> None:
        late, self._late = self._late, None
        if late is not None:
            late.cancel()

    def _refuse(self, why: str) -> None:
        self._in_time()
        peer = address_of(self.transport)
        _log.warn("the proxy {peer} did not say for whom it speaks: {why}", peer=peer, why=why)
        self.transport.abortConnection()


class ProxiedFactory(Factory):
    """Makes the connections of another factory.

    :param required: a trusted proxy that sends no header is refused; else it speaks for itself
    """

    noisy = False

    def __init__(self, wrapped: Any, proxies: Proxies, clock: IReactorTime, *, required: bool) -> None:
        self.wrapped = wrapped
        self.clock = clock
        self.required = required
        self._proxies = proxies

    def doStart(self) -> None:
        self.wrapped.doStart()

    def doStop(self) -> None:
        self.wrapped.doStop()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        if not self._proxies.trusts(getattr(addr, "host", "")):
            return self.wrapped.buildProtocol(addr)
        opening = _Opening()
        opening.factory = self
        return opening
