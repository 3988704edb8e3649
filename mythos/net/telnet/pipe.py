"""The bytes of one telnet connection, in both directions, compressed (MCCP) or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from mythos.errors import WireError
from mythos.net.transport import direct, unsent
from mythos.wire.mccp import START, Incoming, Outgoing, Units

__all__ = ["Pipe"]

#: Seconds without a byte after the end of our compression: Mudlet loses plain bytes that it reads together with it.
AFTER_COMPRESSION = 0.25


class Owner(Protocol):
    """Whose bytes they are: the connection."""

    def dataReceived(self, data: bytes) -> None: ...

    def heed(self, data: bytes) -> bytes:
        """Take telnet in; returns what stands behind the start of the client's compression."""

    def inflated(self) -> None:
        """The client's compression has ended, or broke."""

    def hold(self) -> None:
        """No more words for now."""

    def go_on(self) -> None:
        """Words again."""


class Pipe:
    """:ivar written: bytes handed to the transport"""

    __slots__ = (
        "_clock",
        "_held",
        "_incoming",
        "_next_piece",
        "_outgoing",
        "_owner",
        "_release",
        "_stopped",
        "_transport",
        "written",
    )

    def __init__(self, owner: Owner, transport: Any, clock: IReactorTime) -> None:
        self.written = 0
        self._owner = owner
        self._transport = transport
        self._clock = clock
        self._outgoing: Outgoing | None = None
        self._incoming: Incoming | None = None
        self._next_piece: IDelayedCall | None = None
        self._stopped = False  # no more input is wanted for now
        self._held: bytearray | None = None  # what waits for the pause behind the end of compression
        self._release: IDelayedCall | None = None

    # ── out ─────────────────────────────────────────────────────────────────────────────────────

    def send(self, data: bytes) -> None:
        if not data:
            return
        if self._held is not None:
            self._held += data
            return
        if self._outgoing is not None:
            data = self._outgoing.write(data)
        self.written += len(data)
        direct(self._transport, data)

    @property
    def unsent(self) -> int:
        """Bytes that our buffers or the kernel's hold, and the peer's TCP has not acknowledged."""
        return unsent(self._transport)

    @property
    def compressing(self) -> bool:
        return self._outgoing is not None

    def compress(self, units: Units) -> None:
        """From now on, unless something is still on its way: Mudlet sees the start only if it comes in one piece."""
        if self._outgoing is None and not self.unsent:
            self.send(START)
            self._outgoing = Outgoing(units)

    def stop_compressing(self, reply: bytes) -> None:
        """The client said DONT: end the stream, and go on with ``reply`` in plain after a pause."""
        self._end_stream()
        self._wait_with(reply)
        self._owner.hold()

    def _wait_with(self, data: bytes) -> None:
        self._held = bytearray(data)
        self._transport.pauseProducing()
        self._release = self._clock.callLater(AFTER_COMPRESSION, self._go_on_plain)

    def _end_stream(self) -> None:
        assert self._outgoing is not None
        end, self._outgoing = self._outgoing.end(), None
        self.send(end)

    def _go_on_plain(self) -> None:
        self._send_held()
        self._read_on()
        self._owner.go_on()

    def _send_held(self) -> None:
        held, self._held = self._held, None
        release, self._release = self._release, None
        if release is not None and release.active():
            release.cancel()
        self.send(bytes(held or b""))

    # ── for another process ─────────────────────────────────────────────────────────────────────

    def kept(self) -> dict[str, Any] | None:
        """Where its compression stands; None: the client compresses, and its window cannot be handed over."""
        if self._incoming is not None:
            return None
        outgoing = self._outgoing.kept() if self._outgoing is not None else None
        return {"outgoing": outgoing, "held": bytes(self._held) if self._held is not None else None}

    def restore(self, state: Mapping[str, Any], units: Units) -> None:
        """What :meth:`kept` gave, into a new one."""
        if state["outgoing"] is not None:
            self._outgoing = Outgoing(units)
            self._outgoing.restore(state["outgoing"])
        if state["held"] is not None:
            self._wait_with(state["held"])

    # ── in ──────────────────────────────────────────────────────────────────────────────────────

    def receive(self, data: bytes) -> None:
        """Heed what came in: all of it if it is plain, else one piece in a reactor turn.

        :raises WireError: it is no zlib stream, or whatever its owner raises
        """
        while data and self._incoming is None:
            data = self._owner.heed(data)
        incoming = self._incoming
        if incoming is None:
            return
        if data:
            incoming.receive(data)
        try:
            piece = incoming.piece()
        except WireError:
            self._incoming = None
            self._owner.inflated()
            raise
        self._owner.heed(piece)
        if incoming.ended:
            self._incoming = None
            self._owner.inflated()
            self.receive(incoming.rest)
        elif incoming.more:
            self._transport.pauseProducing()
            self._read_on()

    def inflate(self) -> None:
        """The client begins to compress: what it sends next is a zlib stream."""
        self._incoming = Incoming()

    def stop_reading(self) -> None:
        """The session wants no more for now."""
        self._stopped = True
        self._transport.pauseProducing()

    def read_on(self) -> None:
        self._stopped = False
        self._read_on()

    def _read_on(self) -> None:
        """Read again, unless there is a reason to wait; first what has been read and is still compressed."""
        if self._stopped or self._held is not None or self._next_piece is not None:
            return
        if self._incoming is not None and self._incoming.more:
            self._next_piece = self._clock.callLater(0, self._take_next)
        else:
            self._transport.resumeProducing()

    def _take_next(self) -> None:
        self._next_piece = None
        if not self._stopped and self._held is None:
            self._owner.dataReceived(b"")
            self._read_on()

    # ── the end ─────────────────────────────────────────────────────────────────────────────────

    def finish(self) -> None:
        """Last words are sent: nothing is read any more."""
        if self._held is not None:
            self._send_held()
        if self._outgoing is not None:
            self._end_stream()
        self._stopped = True

    def lost(self) -> None:
        """The connection is gone."""
        for waiting in (self._next_piece, self._release):
            if waiting is not None and waiting.active():
                waiting.cancel()
