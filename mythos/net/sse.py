"""Server-sent events: the second road of browsers, for those whose network lets no WebSocket through.

The same records as on a WebSocket, as one endless response. Commands come by POST (:mod:`mythos.net.api`). After the
headers the connection is ours, and chunks are written by hand to its transport.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from mythos.flow.log import Entry, Gap
from mythos.net.outlet import Link, Outlet
from mythos.net.transport import HOLD, beneath, direct, take_over, tune
from mythos.play.realm import Attached, Realm
from mythos.play.sessions import Session
from mythos.wire import client, sse

__all__ = ["HEARTBEAT", "EventStream", "StreamLink"]

#: Seconds between comments that keep proxies awake, and that notice a client that is gone.
HEARTBEAT = 15.0

_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)


class StreamLink(Link):
    """An event stream of a session."""

    __slots__ = ("_epoch", "_transport")

    kind = "sse"

    def __init__(self, outlet: Outlet, realm: Realm, session: Session, address: str) -> None:
        super().__init__(outlet, realm, session, address)
        self._transport: Any = None
        self._epoch = session.log.epoch

    def made(self, transport: Any) -> None:
        """The connection is ours now."""
        self._transport = transport
        if hasattr(transport, "getHandle"):
            tune(transport, self.outlet.idle)
        beneath(transport).bufferSize = HOLD
        transport.registerProducer(self, True)

    def encode(self, entries: list[Entry], before: int) -> bytes:
        epoch = self._epoch
        events = []
        for number, _, message in entries:
            events.append(sse.record_event(message, epoch, number, None if number == before + 1 else before))  # type: ignore[arg-type]
            before = number
        return b"".join(events)

    def encode_gap(self, gap: Gap, before: int) -> bytes:
        return sse.event(client.gap(gap.to, gap.missed), self._epoch, gap.to)

    def encode_answer(self, c: int, error: str, expect: int, dup: bool) -> bytes:
        if not error:
            return sse.data(client.done(c, dup=dup))
        numbered = error in ("gap", "taken")
        return sse.data(client.refused(c, error, expect=expect if numbered else None, dup=dup))

    def send(self, data: bytes) -> None:
        direct(self._transport, b"%x\r\n%b\r\n" % (len(data), data))

    @property
    def transport(self) -> Any:
        return self._transport

    def abort(self) -> None:
        self._transport.abortConnection()

    def shutdown(self, code: int, reason: str) -> None:
        stay_away = code in (1000, 1008, 4001)
        self.send(sse.data(client.bye(reason) if stay_away else client.reconnect(1000)))
        direct(self._transport, b"0\r\n\r\n")
        self._transport.loseConnection()

    def pause(self) -> None:
        """Commands come by other requests, which wait for their answer."""

    def resume(self) -> None:
        """See :meth:`pause`."""

    def beat(self) -> None:
        """A comment, so that a client that is gone shows."""
        if self.ready and not self.shut:
            self.send(sse.comment())

    def greet(self, attached: Attached) -> None:
        """The hello, and from then on the records."""
        if self._closed:
            self.realm.detach(self, self.session)
            return
        self._epoch = attached.epoch
        self.send(
            sse.data(
                client.hello(
                    attached.session,
                    attached.epoch,
                    resumed=attached.resumed,
                    reason=attached.reason or None,
                    missed=attached.missed,
                    next_c=attached.next_c,
                    token=attached.token,
                )
            )
        )
        self.attached()

    def lost(self) -> None:
        """The connection is gone: its client left, or we closed it."""
        if self.ready:
            self.detached()
        self._closed = self._closed or "left"


class _Stream(Protocol):
    """A connection that was an HTTP request: nothing more is expected of its client but that it goes."""

    def __init__(self, link: StreamLink, ended: Callable[[], None]) -> None:
        self._link = link
        self._ended = ended

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._ended()
        self._link.lost()


class EventStream(Resource):
    """Answers a request with the session's stream, from ``place`` on if that is still kept. The request is over then;
    ``ended`` is called when the stream is.

    :param shown: the token its ticket was taken with
    """

    isLeaf = True

    def __init__(
        self,
        outlet: Outlet,
        realm: Realm,
        session: Session,
        address: str,
        place: sse.Position | None,
        shown: str,
        ended: Callable[[], None],
    ) -> None:
        super().__init__()
        self._link = StreamLink(outlet, realm, session, address)
        self._place = place
        self._shown = shown
        self._ended = ended

    def render(self, request: Request) -> int:
        for name, value in _HEADERS:
            request.setHeader(name, value)
        request.write(sse.comment("hi") + sse.retry(3000))
        link, place = self._link, self._place
        link.made(take_over(request, _Stream(link, self._ended)))
        epoch, last = (place.epoch, place.s) if place else (None, None)
        link.realm.attach(link, link.session, epoch=epoch, last=last, shown=self._shown, then=link.greet)
        return NOT_DONE_YET
