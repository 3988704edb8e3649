"""A door behind a proxy: whom it believes, and what it does with those who say nothing true."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet import reactor as the_reactor
from twisted.internet.address import IPv4Address
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogLevel, capturedLogs
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from mythos.net.proxied import ProxiedFactory
from mythos.net.proxies import Proxies
from mythos.net.telnet import TelnetConnection
from tests.net.test_telnet import Peer
from tests.net.test_transport import Collector

reactor: Any = the_reactor
_FROM = b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 4000\r\n"


class Told(Protocol):
    """Keeps what it was told, and by whom."""

    def __init__(self) -> None:
        self.heard = b""
        self.peer = ""

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self.peer = transport.getPeer().host

    def dataReceived(self, data: bytes) -> None:
        self.heard += data


class Wire(StringTransport):
    """A transport that remembers, as Twisted's do, whose it is."""

    protocol: Any


class Door:
    """One connection from ``peer`` to a door that trusts 10.0.0.0/8."""

    def __init__(self, peer: str, *, required: bool = True) -> None:
        self.made: list[Told] = []
        self.clock = Clock()
        inner = Factory.forProtocol(self._make)
        factory = ProxiedFactory(inner, Proxies(("10.0.0.0/8",)), self.clock, required=required)
        address = IPv4Address("TCP", peer, 999)
        self.transport = Wire(peerAddress=address)
        self.transport.protocol = factory.buildProtocol(address)
        self.transport.protocol.makeConnection(self.transport)

    def _make(self) -> Told:
        self.made.append(Told())
        return self.made[-1]

    def send(self, data: bytes) -> None:
        self.transport.protocol.dataReceived(data)


def test_the_proxy_is_believed() -> None:
    """The door sees the client, and only what came behind the header; its first byte may come with it."""
    for cut in range(len(_FROM)):
        door = Door("10.1.2.3")
        door.send(_FROM[:cut])
        assert not door.made
        door.send(_FROM[cut:] + b"look\r\n")
        (told,) = door.made
        assert (told.peer, told.heard) == ("192.0.2.1", b"look\r\n")
        door.send(b"north\r\n")
        assert told.heard == b"look\r\nnorth\r\n"
        assert not door.clock.getDelayedCalls()


def test_a_proxy_that_comes_by_ipv6() -> None:
    """A listener for both shows its IPv4 address as a part of IPv6."""
    assert Proxies(("10.0.0.0/8",)).trusts("::ffff:10.1.2.3")
    assert not Proxies(("10.0.0.0/8",)).trusts("::ffff:192.0.2.1")
    assert Proxies(("10.0.0.0/8",)).client("::ffff:10.1.2.3", "::ffff:192.0.2.1") == "192.0.2.1"
    assert Proxies(()).client("::ffff:192.0.2.1", "198.51.100.7") == "192.0.2.1"


def test_nobody_else_is() -> None:
    """What a stranger sends is for the door, header or not."""
    door = Door("192.0.2.99")
    door.send(_FROM)
    (told,) = door.made
    assert (told.peer, told.heard) == ("192.0.2.99", _FROM)


def test_a_proxy_may_speak_for_itself() -> None:
    """It looks whether we are there."""
    door = Door("10.1.2.3")
    door.send(b"PROXY UNKNOWN\r\n")
    assert door.made[0].peer == "10.1.2.3"


def test_a_broken_header() -> None:
    """It closes the connection, and the operator is told which proxy sent it."""
    door = Door("10.1.2.3", required=False)
    with capturedLogs() as logs:
        door.send(b"PROXY TCP4 nonsense\r\n")
    assert door.transport.disconnected
    assert not door.made
    (event,) = [one for one in logs if one["log_level"] is LogLevel.warn]
    assert event["peer"] == "10.1.2.3"
    assert not door.clock.getDelayedCalls()


def test_no_header() -> None:
    """Refused at a door that wants one; elsewhere the proxy has other ways, and speaks for itself."""
    door = Door("10.1.2.3")
    door.send(b"look\r\n")
    assert door.transport.disconnected
    door = Door("10.1.2.3", required=False)
    door.send(b"P")
    assert not door.made
    door.send(b"OST / HTTP/1.1\r\n")
    assert door.made[0].heard == b"POST / HTTP/1.1\r\n"


def test_a_header_that_does_not_come() -> None:
    door = Door("10.1.2.3")
    door.send(_FROM[:10])
    door.clock.advance(6)
    assert door.transport.disconnected


def test_a_connection_that_ends_before_its_header() -> None:
    """Proxies look that way whether we are there: nothing is said, nothing is left."""
    door = Door("10.1.2.3")
    with capturedLogs() as logs:
        door.transport.protocol.connectionLost()
    assert not logs
    assert not door.clock.getDelayedCalls()


@pytest.mark.parametrize("header", [_FROM, b"PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 56324 4000\r\n"])
def test_telnet_counts_the_client(header: bytes) -> None:
    """Not the proxy: limits and logs go by the client's address; IPv4 is IPv4."""
    peer = Peer()
    factory = ProxiedFactory(peer.connection.factory, Proxies(("10.0.0.0/8",)), peer.scene.clock, required=True)
    address = IPv4Address("TCP", "10.1.2.3", 999)
    transport = Wire(peerAddress=address)
    transport.protocol = factory.buildProtocol(address)
    transport.protocol.makeConnection(transport)
    transport.protocol.dataReceived(header)
    connection: TelnetConnection = transport.protocol
    assert connection.address == "192.0.2.1"
    assert transport.value().startswith(b"\xff")


class Address(Resource):
    """Says where a request came from."""

    isLeaf = True

    def render_GET(self, request: Request) -> bytes:
        client: Any = request.getClientAddress()
        return f"you are {client.host}".encode()


async def test_over_real_sockets() -> None:
    """An HTTP door, with a header and without."""
    factory = ProxiedFactory(Site(Address()), Proxies(("127.0.0.0/8",)), reactor, required=False)
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    where = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
    try:
        for header, host in ((_FROM, b"192.0.2.1"), (b"", b"127.0.0.1")):
            client: Collector = await connectProtocol(where, Collector())
            assert client.transport is not None
            client.transport.write(header + b"GET / HTTP/1.0\r\n\r\n")
            assert (await client.done).endswith(b"you are " + host)
    finally:
        await port.stopListening()
