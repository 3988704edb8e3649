"""HTTP as strangers may speak it: a request has so long to come and so much to say, and every answer is hardened.

Twisted gives a request as much time as its client keeps sending, a byte each time, and writes a body of any size to
the disk before anybody sees it.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from twisted.internet.interfaces import IReactorTime
from twisted.protocols.basic import LineReceiver
from twisted.web.http import HTTPChannel
from twisted.web.iweb import IAccessLogFormatter
from twisted.web.server import Request, Site
from zope.interface import provider

from mythos.net.headers import HEADERS

__all__ = ["BODY", "GuardedRequest", "guarded_site", "idle"]

#: Largest body of a request, in bytes.
BODY: Final = 65_536
#: Bytes of a larger one that are read and forgotten, so that its sender hears the answer.
FORGOTTEN: Final = 16 * BODY
#: Seconds in which a request has to be there, to its last byte.
SECONDS: Final = 10


class _Channel(HTTPChannel):
    """One connection."""

    _begun = False  # bytes of a request have come

    def dataReceived(self, data: bytes) -> None:
        if not self._begun:
            self._begun = True
            self.resetTimeout()
        LineReceiver.dataReceived(self, data)

    def requestDone(self, request: Any) -> None:
        self._begun = False
        super().requestDone(request)

    def refuse(self, status: bytes) -> None:
        """What cannot be answered by a resource, as it has not come whole. Nothing more is read."""
        assert self.transport is not None
        head = b"".join([b"%b: %b\r\n" % pair for pair in HEADERS])
        self.transport.write(b"HTTP/1.1 %b\r\n%bconnection: close\r\ncontent-length: 0\r\n\r\n" % (status, head))
        self.loseConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:
        self.refuse(b"400 Bad Request")


class GuardedRequest(Request):
    """Of a body that is too large, one byte more than there may be is kept. Forms are not read."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args, parsePOSTFormSubmission=False)
        self._came = 0

    def gotLength(self, length: int | None) -> None:
        self.content = BytesIO()
        if length is not None and length > FORGOTTEN:
            self._too_large()

    def handleContentChunk(self, data: bytes) -> None:
        assert self.content is not None
        self.content.write(data[: max(0, BODY + 1 - self._came)])
        self._came += len(data)
        if self._came > FORGOTTEN:
            self._too_large()

    def _too_large(self) -> None:
        self.requestHeaders.removeHeader(b"expect")
        channel: Any = self.channel
        channel.refuse(b"413 Content Too Large")

    def process(self) -> None:
        for name, value in HEADERS:
            self.setHeader(name, value)
        super().process()

    def render(self, resource: Any) -> None:
        self.setHeader(b"server", b"Mythos")  # Twisted has named itself meanwhile
        super().render(resource)


def idle(protocol: Any) -> Any:
    """The site of an HTTP connection on which nothing of a request has come; None: something has, or it is no such
    connection."""
    return protocol.factory if type(protocol) is _Channel and not protocol._begun else None


@provider(IAccessLogFormatter)
def _logged(timestamp: str, request: Request) -> str:
    """One line for each request, of which the log is told only when it is told everything: without what may hold
    secrets, as the query of an address does."""
    words = (request.method, (request.uri or b"").partition(b"?")[0], b"%d" % request.code, b"%d" % request.sentLength)
    return b" ".join(words).decode("utf-8", "backslashreplace")


def guarded_site(root: Any, clock: IReactorTime, request: type[GuardedRequest] = GuardedRequest) -> Site:
    site = Site(root, request, timeout=SECONDS, logFormatter=_logged, reactor=clock)
    site.protocol = _Channel  # type: ignore[assignment]
    site.displayTracebacks = False
    site.noisy = False
    return site
