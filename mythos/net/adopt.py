"""Sockets from one process to another, over a UNIX socket between them (SCM_RIGHTS).

A message is its length (8 bytes) and the number of sockets (4 bytes), both big-endian, MessagePack, and then one byte
with every 200 sockets: Linux takes 253 at a time. Both sides block: while it goes on, neither does anything else.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.tcp import Connection, Port, Server

from mythos.net.transport import pending

__all__ = ["Adopted", "Stillness", "adopt_connection", "adopted_door", "plug_of", "receive", "send"]

_HEAD = struct.Struct("!QI")
#: Sockets in one piece.
_PIECE = 200
_encode = msgspec.msgpack.Encoder(enc_hook=dict).encode
_decode = msgspec.msgpack.Decoder(strict=False).decode


def send(line: socket.socket, message: Mapping[str, Any], plugs: Sequence[int] = ()) -> None:
    """:raises OSError: the other side is gone, or takes too long"""
    body = _encode(dict(message))
    line.sendall(_HEAD.pack(len(body), len(plugs)) + body)
    for at in range(0, len(plugs), _PIECE):
        socket.send_fds(line, [b"F"], plugs[at : at + _PIECE])


def receive(line: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message; its sockets are the caller's to close.

    :raises EOFError: the other side is gone
    :raises OSError: it takes too long
    """
    size, count = _HEAD.unpack(_exactly(line, _HEAD.size))
    message = _decode(_exactly(line, size))
    plugs: list[int] = []
    while len(plugs) < count:
        data, some, _, _ = socket.recv_fds(line, 1, _PIECE)
        if not data:
            raise EOFError
        plugs += some
    return message, plugs


def _exactly(line: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        data = line.recv(min(size - len(found), 1 << 20))
        if not data:
            raise EOFError
        found += data
    return bytes(found)


def plug_of(transport: Any) -> dict[str, Any] | None:
    """What goes with the socket of a plain TCP connection: who it is from, and what was not sent yet; None: it is
    another kind of connection, or it ends."""
    if not isinstance(transport, Server) or transport.TLS or transport.disconnecting or not transport.connected:
        return None
    peer = transport.getPeer()
    if not isinstance(peer, IPv4Address | IPv6Address):
        return None
    return {"peer": (peer.host, peer.port), "family": transport.socket.family, "out": pending(transport)}


class _Vessel(Protocol):
    """Holds a connection until it is given to its door."""


class _Vessels(Factory):
    noisy = False

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        self.made = _Vessel()
        return self.made


def adopt_connection(reactor: Any, plug: int, state: Mapping[str, Any]) -> Any:
    """A transport over the socket, which is ours then, without a protocol.

    :param state: what :func:`plug_of` gave
    :raises OSError: the peer is gone
    """
    factory = _Vessels()
    try:
        reactor.adoptStreamConnection(plug, state["family"], factory)
    finally:
        os.close(plug)  # it was doubled
    transport: Any = factory.made.transport
    host, port = state["peer"]
    found = transport.getPeer()
    if (found.host, found.port) != (host, port):  # as a proxy said
        address = type(found)("TCP", host, port)
        transport.getPeer = lambda: address
    return transport


def adopted_door(reactor: Any, plug: int, factory: Any) -> Any:
    """A listener over the socket, which is ours then."""
    try:
        return reactor.adoptStreamPort(plug, _family(plug), factory)
    finally:
        os.close(plug)


def _family(plug: int) -> int:
    probe = socket.socket(fileno=os.dup(plug))
    try:
        return probe.family
    finally:
        probe.close()


class Adopted:
    """A reactor that listens on a socket which is open already, whatever the endpoint says of ports."""

    def __init__(self, reactor: Any, plug: int, wrap: Callable[[Any, Any], Any]) -> None:
        self._reactor = reactor
        self._plug = plug
        self._wrap = wrap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        return adopted_door(self._reactor, self._plug, factory)

    def listenUNIX(
        self, address: str, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: bool = False
    ) -> Any:
        return adopted_door(self._reactor, self._plug, factory)

    def listenSSL(self, port: int, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = "") -> Any:
        return adopted_door(self._reactor, self._plug, self._wrap(contextFactory, factory))

    def close(self) -> None:
        """Listen there no more."""
        os.close(self._plug)

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        return adopted_door(self._reactor, self._plug, factory)


class Stillness:
    """Nothing comes in: no door and no connection is read but those of the store, which are no transports of Twisted's.
    What comes meanwhile waits in the kernel."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._stopped: list[Any] = []

    @property
    def connections(self) -> list[Any]:
        """The transports that were read until it began, and those that were not and have been answered since."""
        known = [*self._stopped, *self._reactor.getReaders(), *self._reactor.getWriters()]
        return [one for one in dict.fromkeys(known) if isinstance(one, Connection)]

    def begin(self) -> None:
        for one in self._reactor.getReaders():
            if isinstance(one, Connection | Port):
                one.stopReading()
                self._stopped.append(one)

    def end(self) -> None:
        stopped, self._stopped = self._stopped, []
        for one in stopped:
            if one.connected:
                one.startReading()
