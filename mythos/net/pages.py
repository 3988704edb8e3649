"""Pages of words, before any login: what this world is, how to come in, who plays, help and the map.

They are for people and for search engines, and need no script. Each is made when it is asked for, and is as true as the
answer of a command; what only a change of the world's files changes is kept for a while.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from mythos.net.cache import Cache
from mythos.net.headers import header
from mythos.net.pages_help import Help
from mythos.net.pages_map import Chart, Sheet
from mythos.net.pages_markup import Frame, Markup, joined, link, tag, tags
from mythos.net.requests import Requests
from mythos.play.ports import Clock
from mythos.play.realm import Realm
from mythos.play.who import MOST, listed
from mythos.world.zones import Atlas

__all__ = ["SPACE", "Pages", "TelnetPorts"]

_log = Logger()

#: Their namespace in the cache.
SPACE: Final = "pages"

_HTML: Final = b"text/html; charset=utf-8"
_TEXT: Final = b"text/plain; charset=utf-8"
_XML: Final = b"application/xml; charset=utf-8"
#: What changes while people play is asked for again each time; the rest when five minutes have gone.
_NOW: Final = b"no-cache"
_A_WHILE: Final = b"public, max-age=300"
#: The paths that every page leads to.
_WAYS: Final = (("/play", "Play"), ("/who", "Who"), ("/help", "Help"), ("/map", "Map"))
#: Letters of what somebody wants help on that count.
_WORD: Final = 60
#: A name of a host, or an address; an IPv6 address stands in brackets.
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class TelnetPorts:
    """Where telnet clients come in; 0: nowhere."""

    plain: int = 0
    tls: int = 0


@dataclass(frozen=True, slots=True)
class _Answer:
    body: bytes
    kind: bytes = _HTML
    cache: bytes = _NOW
    status: int = 200


@dataclass(frozen=True, slots=True)
class _Visit:
    """What a request tells of how its sender reached us.

    :ivar host: as it named us, with the port; :ivar site: ``http://<host>``
    :ivar part: of a page that has several; 0: none that there could be
    """

    host: str
    site: str
    part: int

    @property
    def name(self) -> str:
        """The host without the port of HTTP; an IPv6 address keeps its brackets."""
        return self.host.rpartition(":")[0] if re.search(r":[0-9]+$", self.host) else self.host


class Pages:
    """See the module.

    :param requests: how many one address may make
    :param is_secure: whether a client's request came by TLS, to us or to a proxy
    :param telnet: asked for each page, as doors open after this is made
    :param static: where the web client's files are served
    :param cache: keeps the pages that tell of no moment
    """

    def __init__(
        self,
        *,
        realm: Realm,
        clock: Clock,
        requests: Requests,
        is_secure: Callable[[Request], bool],
        telnet: Callable[[], TelnetPorts],
        static: str,
        cache: Cache,
    ) -> None:
        self._realm = realm
        self._clock = clock
        self._requests = requests
        self._is_secure = is_secure
        self._telnet = telnet
        self._frame = Frame(static, _WAYS)
        self._cache = cache
        self._of = realm.world.atlas  # that the pages in the cache are of
        self._made: Chart | None = None
        self._known: dict[str, Callable[[_Visit], _Answer]] = {
            "/": self._front,
            "/who": self._who,
            "/help": self._help,
            "/map": self._map,
            "/world/map.xml": self._map_xml,
            "/robots.txt": self._robots,
            "/sitemap.xml": self._sitemap,
        }

    def find(self, path: str) -> Resource | None:
        """:param path: decoded, without a slash at its end; None: it is no page of ours"""
        make = self._known.get(path)
        if make is None and path.startswith("/help/"):
            make = partial(self._help_on, path.removeprefix("/help/"))
        elif make is None and path.startswith("/map/"):
            make = partial(self._map_of, path.removeprefix("/map/"))
        return None if make is None else _Page(self, make)

    async def answer(self, request: Request, make: Callable[[_Visit], _Answer]) -> bytes:
        """Make a page, unless its asker has asked too often or has it already."""
        wait = await self._requests.wait(request, tell=False)
        if wait:
            answer = self._refused(wait)
        elif request.method not in (b"GET", b"HEAD"):
            request.setHeader(b"allow", b"GET, HEAD")
            answer = self._page("Only to be read", "This is a page to read: send GET.", status=405)
        else:
            answer = make(self._visit(request))
        request.setResponseCode(answer.status)
        request.setHeader(b"content-type", answer.kind)
        request.setHeader(b"cache-control", answer.cache if answer.status == 200 else b"no-store")
        etag = b'"%b"' % hashlib.sha256(answer.body).hexdigest()[:16].encode()
        if answer.status == 200 and request.setETag(etag):
            return b""
        return answer.body

    def _visit(self, request: Request) -> _Visit:
        host = header(request, b"host")
        if not _HOST.fullmatch(host):
            host = "localhost"
        asked: list[bytes] = request.args.get(b"part", [b"1"])
        part = int(asked[0]) if re.fullmatch(rb"[0-9]{1,6}", asked[0]) else 0
        return _Visit(host, f"{'https' if self._is_secure(request) else 'http'}://{host}", part)

    def _page(self, title: str, description: str, *inside: str, path: str = "", status: int = 200) -> _Answer:
        """:param path: its own; empty: search engines shall not keep it"""
        body = self._frame.page(self._atlas.title, title, description, *inside, path=path)
        return _Answer(body, status=status)

    def _kept(self, key: str, make: Callable[[], bytes | None]) -> _Answer | None:
        """A page as it was made before, as long as the world's files are the same. None: there is no such page."""
        if self._atlas is not self._of:
            self._of = self._atlas
            self._cache.kept.drop(SPACE)
        body = self._cache.made(SPACE, key, make)
        return None if body is None else _Answer(body, cache=_A_WHILE)

    @property
    def _atlas(self) -> Atlas:
        return self._realm.world.atlas

    # ── the front page ──────────────────────────────────────────────────────────────────────────

    def _front(self, visit: _Visit) -> _Answer:
        atlas = self._atlas
        greeting = " ".join(atlas.greeting.split())
        count = sum(1 for _ in self._realm.sessions())
        return self._page(
            atlas.title,
            f"{greeting or atlas.title} A world of words to play in: in the browser or by telnet.",
            *tags("p", *[part for part in atlas.greeting.split("\n") if part.strip()]),
            tag("p", tag("a", "Play in the browser", href="/play", class_="play")),
            tag("p", "Come in as a guest: no e-mail, nothing to install. ", _playing(count)),
            *self._by_telnet(visit),
            tag("h2", "Look around first"),
            tag("ul", *tags("li", *self._leads())),
            path="/",
        )

    def _by_telnet(self, visit: _Visit) -> Iterator[Markup]:
        ports = self._telnet()
        rows: list[Markup] = []
        if ports.plain:
            rows += _row("Port", str(ports.plain))
        if ports.tls:
            rows += _row("Port with TLS", str(ports.tls))
        if not rows:
            return
        yield tag("h2", "Play with a telnet client")
        yield tag("p", "Mudlet, TinTin++, a plain telnet, with a screen reader or without: whatever you like.")
        yield tag("dl", *_row("Host", visit.name.strip("[]")), *rows)
        if ports.plain:
            name = visit.name
            yield tag(
                "p",
                "Or type: ",
                tag(
                    "a", tag("code", f"telnet {name.strip('[]')} {ports.plain}"), href=f"telnet://{name}:{ports.plain}"
                ),
            )

    def _leads(self) -> Iterator[Markup]:
        yield joined(link("/help", "Help"), ": every command, and how things are done here")
        yield joined(link("/map", "The map"), ": the places, in words")
        yield joined(link("/who", "Who plays"), ": the people who are in the world at this moment")
        yield joined(
            link("/api/openapi.json", "The API's description"), ": for those who write a client (OpenAPI, JSON)"
        )

    # ── who plays ───────────────────────────────────────────────────────────────────────────────

    def _who(self, visit: _Visit) -> _Answer:
        now = self._clock.seconds()
        sessions = list(self._realm.sessions())
        named = [session for session in sessions if session.me.account is not None]
        guests = len(sessions) - len(named)
        rows = []
        for session in named[:MOST]:
            one = listed(session, now)
            title = f" {one.title}" if one.title else ""
            notes = tag("small", f" ({', '.join(one.notes)})") if one.notes else ""
            rows.append(tag("li", tag("b", one.name), title, notes))
        if len(named) > MOST:
            rows.append(tag("li", f"and {len(named) - MOST} more"))
        if guests:
            rows.append(tag("li", f"{'and ' if named else ''}{guests} guest{'s' if guests > 1 else ''}"))
        return self._page(
            "Who plays",
            f"Who is in {self._atlas.title} at this moment.",
            tag("p", _playing(len(sessions))),
            tag("ul", *rows) if rows else "",
            tag("p", link("/play", "Join them" if sessions else "Come in"), "."),
            path="/who",
        )

    # ── help ────────────────────────────────────────────────────────────────────────────────────

    @property
    def _entries(self) -> Help:
        return Help(self._realm.verbs, self._atlas.help)

    def _help(self, visit: _Visit) -> _Answer:
        found = self._kept("/help", self._overview)
        assert found is not None
        return found

    def _overview(self) -> bytes:
        description = f"What to type in {self._atlas.title}: how to begin, every command, and how things are done."
        return self._page("Help", description, *self._entries.overview(), path="/help").body

    def _help_on(self, asked: str, visit: _Visit) -> _Answer:
        wanted = " ".join(asked.lower().split())[:_WORD]
        return self._kept(f"/help/{wanted}", lambda: self._entry(wanted)) or self._no_entry(wanted)

    def _entry(self, wanted: str) -> bytes | None:
        entry = self._entries.on(wanted)
        if entry is None:
            return None
        return self._page(f"Help: {entry.title}", entry.description, *entry.inside, self._back(), path=entry.path).body

    def _back(self) -> Markup:
        return tag("p", link("/help", "All of help"))

    def _no_entry(self, wanted: str) -> _Answer:
        words = f"There is no help on {wanted}."
        meant = self._entries.near(wanted)
        told = [tag("p", words, " Did you mean:"), tag("ul", *tags("li", *meant))] if meant else [tag("p", words)]
        return self._page("Not in help", words, *told, self._back(), status=404)

    # ── the map ─────────────────────────────────────────────────────────────────────────────────

    @property
    def _chart(self) -> Chart:
        if self._made is None or self._made.atlas is not self._atlas:
            self._made = Chart(self._atlas)
        return self._made

    def _map(self, visit: _Visit) -> _Answer:
        part = visit.part
        return self._kept(f"/map {part}", lambda: self._sheet(self._chart.overview(part))) or self._nowhere()

    def _map_of(self, zone: str, visit: _Visit) -> _Answer:
        part = visit.part
        return self._kept(f"/map/{zone} {part}", lambda: self._sheet(self._chart.zone(zone, part))) or self._nowhere()

    def _map_xml(self, visit: _Visit) -> _Answer:
        return _Answer(self._chart.xml, _XML, _A_WHILE)

    def _sheet(self, sheet: Sheet | None) -> bytes | None:
        if sheet is None:
            return None
        return self._page(sheet.title, sheet.description, *sheet.inside, path=sheet.path).body

    def _nowhere(self) -> _Answer:
        words = "There is no such place on the map."
        return self._page("Not on the map", words, tag("p", words), tag("p", link("/map", "The whole map")), status=404)

    # ── for search engines ──────────────────────────────────────────────────────────────────────

    def _robots(self, visit: _Visit) -> _Answer:
        closed = "".join([f"Disallow: {path}\n" for path in ("/api/", "/claim", "/health", "/sse", "/ws")])
        return _Answer(f"User-agent: *\n{closed}\nSitemap: {visit.site}/sitemap.xml\n".encode(), _TEXT, _A_WHILE)

    def _sitemap(self, visit: _Visit) -> _Answer:
        each = joined(*[tag("url", tag("loc", visit.site + path)) for path in self._paths()])
        whole = tag("urlset", each, xmlns="http://www.sitemaps.org/schemas/sitemap/0.9")
        return _Answer(f'<?xml version="1.0" encoding="UTF-8"?>\n{whole}\n'.encode(), _XML, _A_WHILE)

    def _paths(self) -> Iterator[str]:
        """Every page that is worth finding."""
        yield from ("/", "/play", "/who", "/help")
        yield from self._entries.paths()
        yield from self._chart.paths()

    # ── what is no page ─────────────────────────────────────────────────────────────────────────

    def _refused(self, wait: int) -> _Answer:
        words = f"Too many pages at once from your network. Wait {wait} second{'s' if wait > 1 else ''}, and try again."
        return self._page("Too many requests", words, tag("p", words), status=429)


class _Page(Resource):
    isLeaf = True

    def __init__(self, pages: Pages, make: Callable[[_Visit], _Answer]) -> None:
        super().__init__()
        self._pages, self._make = pages, make

    def render(self, request: Request) -> int:
        gone: list[Failure] = []
        request.notifyFinish().addErrback(gone.append)
        answer = Deferred.fromCoroutine(self._pages.answer(request, self._make))
        answer.addErrback(_broke, request).addCallback(_sent, request, gone)
        return NOT_DONE_YET


def _broke(failure: Failure, request: Request) -> bytes:
    _log.failure("{path} failed", failure, path=request.path)
    request.setResponseCode(500)
    request.setHeader(b"content-type", _TEXT)
    return b"Something broke on our side."


def _sent(body: bytes, request: Request, gone: list[Failure]) -> None:
    """:param gone: not empty: nobody waits for it any more"""
    if gone:
        return
    if request.code != 304:
        request.setHeader(b"content-length", b"%d" % len(body))
    request.write(body)
    request.finish()


def _playing(count: int) -> str:
    if not count:
        return "Nobody plays just now."
    return "1 person plays now." if count == 1 else f"{count} people play now."


def _row(name: str, value: str) -> tuple[Markup, Markup]:
    return tag("dt", name), tag("dd", value)
