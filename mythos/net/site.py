"""The HTTP door as a whole: pages of words, the web client, the API, the event stream and the WebSocket on one port."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from autobahn.twisted.resource import WebSocketResource
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site
from zope.interface import implementer

from mythos.net.api import Api
from mythos.net.guarded import guarded_site
from mythos.net.origins import Origins
from mythos.net.pages import Pages
from mythos.net.websocket import SocketFactory

__all__ = ["WebFiles", "make_site"]

_POLICY = (
    b"default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data:;"
    b" media-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self';"
    b" frame-ancestors 'none'"
)
_TYPES = {
    "html": b"text/html; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "json": b"application/json",
    "svg": b"image/svg+xml",
    "png": b"image/png",
    "ico": b"image/x-icon",
    "webmanifest": b"application/manifest+json",
}


#: Klein would log a failure for each.
_NO_TEXT = b'{"error":{"code":"bad_request","message":"An address is UTF-8."}}'
_STRANGE = b'{"error":{"code":"origin","message":"Pages of this site may not do that here."}}'
_YEAR = b"max-age=31536000"


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


_NEVER = re.compile(rb"q=0(\.0*)?$")


def _lean(name: str, body: bytes) -> bytes:
    """Code without indentation and without comments that have lines to themselves: two thirds of it. Lines stay where
    they are, so that a browser tells of an error where it stands in the source."""
    kind = name.rsplit(".", 1)[-1]
    if kind not in ("js", "css"):
        return body
    lines: list[bytes] = []
    inside = False
    for line in body.split(b"\n"):
        text = line.strip()
        inside = inside or text.startswith(b"/*")
        alone = (inside and not text.partition(b"*/")[2]) or (kind == "js" and text.startswith(b"//"))
        inside = inside and b"*/" not in text
        lines.append(b"" if alone else text)
    return b"\n".join(lines)


class WebFiles:
    """The web client, read once. ``index.html`` names its files under a hash of the whole tree, so that they can be
    kept for ever and are never stale; ``worker.js``, which keeps them in the browser, is told that hash and their
    names."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        files = {name: _lean(name, body) for name, body in files.items()}
        digest = hashlib.sha256()
        for name in sorted(files):
            digest.update(name.encode() + b"\0" + files[name])
        self.prefix = f"/static/{digest.hexdigest()[:12]}"
        prefix = self.prefix.encode()
        kept = sorted(files.keys() - {"index.html", "worker.js"})
        self.index = files.get("index.html", b"").replace(b"__STATIC__", prefix)
        worker = files.get("worker.js", b"").replace(b"__STATIC__", prefix)
        self.worker = worker.replace(b"__FILES__", " ".join(kept).encode())
        self.etag = b'"%b"' % digest.hexdigest()[:16].encode()
        self.files = files


def _takes_gzip(accepted: bytes) -> bool:
    """Whether a header ``Accept-Encoding`` has gzip, and not to say that it is refused."""
    codings = [coding.partition(b";") for coding in accepted.replace(b" ", b"").lower().split(b",")]
    return any(name == b"gzip" and not _NEVER.match(weight) for name, _, weight in codings)


class _File(Resource):
    """One file, as it is and packed."""

    isLeaf = True

    def __init__(self, body: bytes, kind: bytes, cache: bytes, etag: bytes | None = None) -> None:
        super().__init__()
        self._body, self._kind, self._cache, self._etag = body, kind, cache, etag
        self._packed = gzip.compress(body, 9, mtime=0)

    def render_GET(self, request: Request) -> bytes:
        request.setHeader(b"content-type", self._kind)
        request.setHeader(b"cache-control", self._cache)
        request.setHeader(b"vary", b"accept-encoding")
        packed = _takes_gzip(request.getHeader(b"accept-encoding") or b"") and len(self._packed) < len(self._body)
        if self._etag is not None and request.setETag(self._etag[:-1] + b'-gzip"' if packed else self._etag):
            return b""
        if not packed:
            return self._body
        request.setHeader(b"content-encoding", b"gzip")
        return self._packed


def _served(name: str, body: bytes) -> _File:
    """A file that is named by what is in it, to be kept for ever."""
    kind = _TYPES.get(name.rsplit(".", 1)[-1], b"application/octet-stream")
    return _File(body, kind, b"public, max-age=31536000, immutable")


class _Said(Resource):
    """An answer to any method."""

    isLeaf = True

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self._body = body

    def render(self, request: Request) -> bytes:
        request.setHeader(b"content-type", _TYPES["json"])
        request.setHeader(b"cache-control", b"no-store")
        return self._body


class _Moved(Resource):
    isLeaf = True

    def __init__(self, to: bytes) -> None:
        super().__init__()
        self._to = to

    def render_GET(self, request: Request) -> bytes:
        request.setResponseCode(308)
        request.setHeader(b"location", self._to)
        return b""


@implementer(IResource)
class _Root:
    """``/ws`` is the WebSocket, ``/play`` and ``/claim`` the client's page, ``/static`` its files, ``/worker.js`` what
    keeps them in the browser; what is neither that nor a page of words is the API's."""

    isLeaf = False
    server = None

    def __init__(
        self,
        files: WebFiles,
        pages: Pages,
        api: Api,
        sockets: SocketFactory,
        origins: Origins,
        is_secure: Callable[[Request], bool],
    ) -> None:
        self._origins = origins
        self._is_secure = is_secure
        self._api = api.app.resource()
        self._socket = WebSocketResource(sockets)
        self._pages = pages
        self._client = _File(files.index, _TYPES["html"], b"no-cache", files.etag)
        self._worker = _File(files.worker, _TYPES["js"], b"no-cache", files.etag)
        self._static = {f"{files.prefix}/{name}": _served(name, body) for name, body in files.files.items()}

    def putChild(self, path: bytes, child: IResource) -> None:
        raise TypeError("what is served is decided in one place")

    def getChildWithDefault(self, name: bytes, request: Any) -> Any:
        request.setHeader(b"content-security-policy", _POLICY)
        if self._is_secure(request):
            request.setHeader(b"strict-transport-security", _YEAR)
        if not any(request.postpath):
            if name in (b"claim", b"play"):
                # The client finds the API beside its own address: a slash at the end would lead it astray.
                return _Moved(b"/" + name) if request.postpath else self._client
            if name == b"worker.js":
                return self._worker
            if name == b"ws":
                request.postpath.clear()
                return self._socket
        if name == b"static":
            file = self._static.get(b"/".join([b"/static", *request.postpath]).decode("utf-8", "replace"))
            request.postpath.clear()
            if file is None:
                request.setResponseCode(404)
                return _File(b"There is no such file.", b"text/plain", b"no-store")
            return file
        if name == b"favicon.ico":
            return _File(b"", _TYPES["ico"], b"max-age=86400")
        path = b"/".join([name, *request.postpath])
        page = self._pages.find("/" + path.rstrip(b"/").decode("utf-8", "replace"))
        if page is not None:
            request.postpath.clear()
            return page
        if not _is_text(path) or not _is_text(request.getRequestHostname()):
            return self._said(request, 400, _NO_TEXT)
        if not self._origins.admit(request):
            return self._said(request, 403, _STRANGE)
        if self._origins.asks(request):
            return self._said(request, 204, b"")
        request.postpath.insert(0, request.prepath.pop())
        return self._api

    def _said(self, request: Any, status: int, body: bytes) -> Resource:
        request.postpath.clear()
        request.setResponseCode(status)
        return _Said(body)

    def render(self, request: Request) -> bytes:
        raise TypeError("every path has a resource of its own")


def make_site(
    files: WebFiles,
    pages: Pages,
    api: Api,
    sockets: SocketFactory,
    clock: IReactorTime,
    *,
    origins: Origins,
    is_secure: Callable[[Request], bool],
) -> Site:
    """Everything on one port.

    :param origins: pages of other sites that may use the API
    :param is_secure: whether a client's request came by TLS: then browsers shall come by nothing else
    """
    return guarded_site(_Root(files, pages, api, sockets, origins, is_secure), clock)
