"""Closing a WebSocket with any code and a reason."""

from __future__ import annotations

from autobahn.twisted.websocket import WebSocketServerProtocol

__all__ = ["bid_farewell"]


def bid_farewell(socket: WebSocketServerProtocol, code: int, reason: str) -> None:
    """Once; Autobahn's ``sendClose`` takes only 1000 and 3000-4999. A reason has room for 123 bytes."""
    if socket.state != socket.STATE_OPEN:
        return
    reason = reason.encode()[:120].decode(errors="ignore")
    if code == 1000 or code >= 3000:
        socket.sendClose(code, reason)
    else:
        socket.sendCloseFrame(code=code, reasonUtf8=reason.encode(), isReply=False)
