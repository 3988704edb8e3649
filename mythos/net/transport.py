"""Connections as the operating system has them.

This module alone touches private parts of Twisted. ``transport.write`` never sends at once: it arms the poller, which
costs more than the send itself. :func:`direct` sends first and leaves only the rest to the poller; where
the parts it needs are missing (another transport, another Twisted) it writes the ordinary way, and
``tests/net/test_transport.py`` fails.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Connection as TCPConnection
from twisted.protocols.policies import ProtocolWrapper
from twisted.web.server import Request

__all__ = ["DIRECT", "HOLD", "direct", "hand_over", "take_over", "tune"]

#: Bytes of ours the transport may hold before we stop pulling.
HOLD = 16_384


def _can_send_directly() -> bool:
    wanted = ("dataBuffer", "_tempDataBuffer", "TLS", "disconnecting", "connected")
    made = TCPConnection.__new__(TCPConnection)
    made.dataBuffer, made._tempDataBuffer = b"", []
    return all(hasattr(made, part) for part in wanted)


#: Whether this Twisted has the parts :func:`direct` needs.
DIRECT = _can_send_directly()


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


def tune(transport: Any) -> None:
    """Keep what waits in the kernel small, so that a stalled reader shows at once; send small lines at once.

    Nagle off, at most 16 KiB unsent in the kernel, keep-alive 60/15/4, and a peer that acknowledges nothing for
    30 s is gone (reliability of half-open links).
    """
    transport.setTcpNoDelay(True)
    transport.setTcpKeepAlive(True)
    plug = transport.getHandle()
    if not hasattr(plug, "setsockopt") or plug.family not in (socket.AF_INET, socket.AF_INET6):
        return
    for option, value in (
        ("TCP_NOTSENT_LOWAT", HOLD),
        ("TCP_KEEPIDLE", 60),
        ("TCP_KEEPINTVL", 15),
        ("TCP_KEEPCNT", 4),
        ("TCP_USER_TIMEOUT", 30_000),
    ):
        if hasattr(socket, option):
            plug.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
