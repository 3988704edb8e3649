"""Connections as the operating system has them.

This module alone touches private parts of Twisted. ``transport.write`` never sends at once: it arms the poller, which
costs more than the send itself. :func:`direct` sends first and leaves only the rest to the poller; where
the parts it needs are missing (another transport, another Twisted) it writes the ordinary way, and
``tests/net/test_transport.py`` fails.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
from typing import Any

from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Connection as TCPConnection
from twisted.internet.tcp import Server as TCPServer
from twisted.protocols.policies import ProtocolWrapper
from twisted.web.server import Request

from mythos.flow.throttle import unmapped

__all__ = [
    "DIRECT",
    "HOLD",
    "address_of",
    "beneath",
    "buffered",
    "direct",
    "hand_over",
    "part",
    "pending",
    "take_over",
    "tune",
    "unsent",
]

#: Bytes of ours the transport may hold before we stop pulling.
HOLD = 16_384
#: Seconds after which a peer that vanished has been found, unless it is to be found sooner.
VANISHED = 75.0


def _can_send_directly() -> bool:
    wanted = ("dataBuffer", "_tempDataBuffer", "TLS", "disconnecting", "connected")
    made = TCPConnection.__new__(TCPConnection)
    made.dataBuffer, made._tempDataBuffer = b"", []
    return all(hasattr(made, part) for part in wanted)


#: Whether this Twisted has the parts :func:`direct` needs.
DIRECT = _can_send_directly()

#: What a connection has from its start, then with us, then at times.
_ATTRIBUTES = (
    *("reactor", "_tempDataBuffer", "_tempDataLen", "socket", "fileno", "protocol", "server", "client", "sessionno"),
    *("hostname", "logstr", "repstr", "connected", "bufferSize", "producer", "streamingProducer"),
    *("dataBuffer", "offset", "producerPaused", "disconnecting", "disconnected"),
)


def _share_names() -> None:
    """Let all accepted connections share one table of attribute names: 600 bytes each.

    CPython takes new names into a class's shared table only while there are few instances of it. When many connect at
    once, each would get the rest of its names, and with them a whole table, of its own.
    """
    made = TCPServer.__new__(TCPServer)
    for name in _ATTRIBUTES:
        setattr(made, name, None)


_share_names()


def direct(transport: Any, data: bytes) -> None:
    """Send now what the socket takes, the rest by the poller.

    Only for a plain TCP transport with nothing buffered; everything else is ``transport.write``.
    """
    if (
        not DIRECT
        or not isinstance(transport, TCPConnection)
        or transport.dataBuffer
        or transport._tempDataBuffer
        or transport.TLS
        or transport.disconnecting
        or not transport.connected
    ):
        transport.write(data)
        return
    try:
        sent = transport.socket.send(data)
    except BlockingIOError:
        sent = 0
    except OSError:
        transport.loseConnection()
        return
    if sent != len(data):
        transport.write(data[sent:])


def take_over(request: Request, protocol: Protocol) -> Any:
    """Let a protocol of ours have the connection of an HTTP request whose head is answered; returns its transport.

    The request, its channel and its headers are let go: they cost more than a session does.
    """
    channel: Any = request.channel
    transport, channel.transport = channel.transport, None
    transport.unregisterProducer()  # the channel
    hand_over(transport, protocol)
    transport.resumeProducing()  # it was paused while the request was answered
    return transport


def hand_over(transport: Any, protocol: Any) -> None:
    """Let another protocol have the connection from now on."""
    wrapped = getattr(transport, "protocol", None)
    if isinstance(transport, ProtocolWrapper):
        transport.wrappedProtocol = protocol
    elif isinstance(wrapped, ProtocolWrapper):
        wrapped.wrappedProtocol = protocol
    else:
        transport.protocol = protocol
    protocol.makeConnection(transport)


def buffered(transport: Any) -> int:
    """Bytes that our own buffers hold."""
    held = 0
    while isinstance(transport, ProtocolWrapper):  # TLS
        held += sum(map(len, getattr(transport, "_appSendBuffer", ())))
        held += sum(map(len, getattr(getattr(transport, "_aggregator", None), "_buffer", ())))
        transport = transport.transport
    held += len(getattr(transport, "dataBuffer", b"")) - getattr(transport, "offset", 0)
    held += sum(map(len, getattr(transport, "_tempDataBuffer", ())))
    return held


def unsent(transport: Any) -> int:
    """Bytes that our buffers or the kernel's hold, and the peer's TCP has not acknowledged."""
    held = buffered(transport)
    while isinstance(transport, ProtocolWrapper):
        transport = transport.transport
    if hasattr(transport, "getHandle"):
        held += struct.unpack("i", fcntl.ioctl(transport.getHandle().fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))[0]
    return held


def pending(transport: Any) -> bytes:
    """What a plain TCP transport holds and has not given to the kernel."""
    return b"".join([transport.dataBuffer[transport.offset :], *transport._tempDataBuffer])


def part(transport: Any, code: int, reason: str) -> None:
    """Close after what was sent. A WebSocket says why; others have no word for it."""
    farewell = getattr(transport, "bid_farewell", None)
    if farewell is None:
        transport.loseConnection()
    else:
        farewell(code, reason)


def beneath(transport: Any) -> Any:
    """What carries the bytes, beneath TLS."""
    while isinstance(transport, ProtocolWrapper):
        transport = transport.transport
    return transport


def address_of(transport: Any) -> str:
    """The peer's, IPv4 as such whatever the listener; ``local`` if it has none."""
    return unmapped(getattr(transport.getPeer(), "host", "local"))


def tune(transport: Any, idle: float = VANISHED) -> None:
    """Keep what waits in the kernel small, so that a stalled reader shows at once; send small lines at once.

    Nagle off, at most 16 KiB unsent in the kernel; urgent data stays in its place among the rest. A peer that vanishes
    is found within ``idle`` seconds, 75 at most: after three fifths of them it is asked, and what it does not
    acknowledge for the other two, be it words or that question, ends the connection (tcp(7), TCP_USER_TIMEOUT: it takes
    the place of TCP_KEEPCNT).
    """
    idle = min(idle, VANISHED)
    transport = beneath(transport)
    if not hasattr(transport, "getHandle"):
        return
    transport.setTcpNoDelay(True)
    transport.setTcpKeepAlive(True)
    plug = transport.getHandle()
    if not hasattr(plug, "setsockopt") or plug.family not in (socket.AF_INET, socket.AF_INET6):
        return
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)  # else the DM of a telnet Synch leaves a lone IAC behind
    for option, value in (
        ("TCP_NOTSENT_LOWAT", HOLD),
        ("TCP_KEEPIDLE", int(idle * 0.6)),
        ("TCP_KEEPINTVL", int(idle * 0.2)),
        ("TCP_KEEPCNT", 2),
        ("TCP_USER_TIMEOUT", int(idle * 400)),
    ):
        if hasattr(socket, option):
            plug.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
