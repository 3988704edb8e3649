"""What WebSocket clients send: small text frames, most of them whole in one read.

Autobahn takes 25 us for such a frame, in steps that can be cut anywhere, and more for one that is compressed, as those
of browsers are. Here it is read in one; every other frame, a part of one and everything that is wrong is Autobahn's. A
test holds both ways against each other.
"""

from __future__ import annotations

from collections.abc import Sequence

from autobahn.twisted.websocket import WebSocketServerProtocol

from mythos.net.headers import HEADERS
from mythos.wire.websocket import read_text

__all__ = ["Frames"]

_REFUSED = (
    *[(name.decode(), value.decode()) for name, value in HEADERS],
    ("connection", "close"),
    ("content-length", "0"),
)


class Frames(WebSocketServerProtocol):
    """A WebSocket of ours."""

    maxMessagePayloadSize: int

    def sendHttpErrorResponse(
        self, code: int, reason: str, responseHeaders: Sequence[tuple[str, str]] | None = None
    ) -> None:
        super().sendHttpErrorResponse(code, reason, [*(responseHeaders or ()), *_REFUSED])

    def frame_read(self) -> None:
        """A frame of a message has come; called before ``onMessage``."""

    def onMessageFrameEnd(self) -> None:
        super().onMessageFrameEnd()
        self.frame_read()

    def dataReceived(self, data: bytes) -> None:
        at, most = 0, self.maxMessagePayloadSize
        while (
            self.state == self.STATE_OPEN
            and not (self.data or self.current_frame or self.inside_message)
            and (found := read_text(data, at, most, deflate=bool(self.websocket_extensions_in_use))) is not None
        ):
            payload, at = found
            if self.autoPingTimeoutCall is not None:
                self._cancelAutoPingTimeoutCall()  # it is there
            self.frame_read()
            self.onMessage(payload, False)
        if at < len(data) or not data:
            super().dataReceived(data[at:])
