"""The HTTP port: requests that never end, bodies that are too large, pages of other sites, headers of every answer."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from twisted.web.resource import Resource
from twisted.web.server import Site

from mythos.net.guarded import BODY, FORGOTTEN, GuardedRequest, guarded_site
from mythos.net.headers import HEADERS
from mythos.net.origins import Origins
from mythos.net.proxies import Proxies
from tests.conftest import Failures
from tests.net.web import Answer, Plug, Web, parsed

PASSWORD = "a good long one"


@pytest.fixture
def web() -> Web:
    return Web()


def unguarded(web: Web) -> Site:
    """The same doors as Twisted alone would have them: the control."""
    return Site(web.site.resource, timeout=10, reactor=web.scene.clock)


def connect(web: Web, site: Any) -> Plug:
    web.site = site
    return web.connect()


# ── requests that never end ─────────────────────────────────────────────────────────────────────

_HEAD = b"POST /api/v1/guest HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n"


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nX-", _HEAD], ids=["the first line", "headers", "the body"])
def test_a_request_has_ten_seconds(web: Web, begun: bytes) -> None:
    """However steadily its bytes trickle in, or if none do."""

    def lives(site: Any, *, trickles: bool = True) -> bool:
        plug = connect(web, site)
        plug.receive(begun)
        for _ in range(30):
            web.scene.clock.advance(1)
            if plug.disconnecting:
                return False
            if trickles:
                plug.receive(b"x")
        plug.lost()
        return True

    plain = unguarded(web)
    assert not lives(web.site)
    assert not lives(web.site, trickles=False)
    assert lives(plain)


def test_a_connection_may_be_used_again(web: Web) -> None:
    """The ten seconds are of each request, and what comes behind the first has its own."""
    plug = web.connect()
    for _ in range(4):
        plug.receive(b"GET /health/live HTTP/1.1\r\n")
        web.scene.clock.advance(9)
        plug.receive(b"Host: x\r\n\r\n")
        web.run()
        assert plug.take().startswith(b"HTTP/1.1 200 ")
        web.scene.clock.advance(9)
    web.scene.clock.advance(2)
    assert plug.disconnecting


def test_many_at_once_are_answered_one_after_the_other(web: Web) -> None:
    """Who does not read the answers is not read from."""
    plug = web.connect()
    plug.receive(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
    web.run()
    assert plug.take().count(b"HTTP/1.1 200 ") == 3
    assert plug.producer is not None
    plug.producer.pauseProducing()
    assert plug.producerState == "paused"


def test_answers_that_nobody_reads(web: Web) -> None:
    """The connection is closed, and broken off if even that does not get through."""
    plug = web.connect()
    plug.receive(b"GET /help HTTP/1.1\r\nHost: x\r\n\r\n")
    web.run()
    web.scene.clock.advance(10)
    assert plug.disconnecting
    assert not plug.aborted
    web.scene.clock.advance(15)
    assert plug.aborted


# ── bodies and headers ──────────────────────────────────────────────────────────────────────────


def test_a_body_beyond_the_bound_is_forgotten(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is answered, the connection goes on, and no more than the bound is ever kept."""
    kept: list[int] = []

    class Watched(GuardedRequest):
        def handleContentChunk(self, data: bytes) -> None:
            super().handleContentChunk(data)
            assert self.content is not None
            kept.append(self.content.tell())

    web.site.requestFactory = Watched
    plug = web.connect()
    plug.receive(b"POST /api/v1/guest HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(FORGOTTEN // 50_000):
        plug.receive(b"%x\r\n%b\r\n" % (50_000, b" " * 50_000))
    plug.receive(b"0\r\n\r\n")
    web.run()
    found = parsed(plug.take())
    assert (found.status, found.error) == (413, "too_large")
    assert max(kept) == BODY + 1
    plug.receive(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    web.run()
    assert plug.take().startswith(b"HTTP/1.1 200 ")
    plug.lost()


@pytest.mark.parametrize("head", [b"Content-Length: %d" % (FORGOTTEN + 1), b"Transfer-Encoding: chunked"])
def test_a_body_without_end(web: Web, head: bytes) -> None:
    """Is refused as soon as that is known; its sender is not told to go on."""
    plug = web.connect()
    plug.receive(b"POST /api/v1/guest HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n%b\r\n\r\n" % head)
    for _ in range(20):
        if not plug.disconnecting:
            plug.receive(b"%x\r\n%b\r\n" % (BODY, b" " * BODY))
    assert plug.disconnecting
    answer = plug.take()
    assert answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").startswith(b"HTTP/1.1 413 ")
    assert (b"100 Continue" in answer) == (b"chunked" in head)


def test_forms_are_not_read(web: Web) -> None:
    """What a form of another page would send is no JSON."""
    for kind, body in (
        ("application/x-www-form-urlencoded", b"name=Ann&password=a+good+long+one"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("text/plain", b"name=Ann"),
    ):
        found = web.ask("POST", "/api/v1/register", body, Content_Type=kind)
        assert (found.status, found.error) == (400, "bad_request")


@pytest.mark.parametrize(
    "data",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\nx",
        b"POST / HTTP/1.1\r\nContent-Length : 1\r\n\r\nx",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: %b\r\n\r\n" % (b"x" * 16_000 + b"\r\nY: " + b"y" * 1000),
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 501 + b"\r\n",
    ],
)
def test_requests_of_two_meanings(web: Web, data: bytes) -> None:
    """What a proxy in front may have read otherwise is refused, and nothing behind it is read."""
    answer = web.raw(data + b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"alive" not in answer
    assert hardened(parsed(answer))


# ── headers of every answer ─────────────────────────────────────────────────────────────────────


def hardened(answer: Answer) -> bool:
    """Every header is there, and none of them names a version."""
    policy = answer.headers["content-security-policy"]
    given = {name.decode(): value.decode() for name, value in HEADERS if name != b"content-security-policy"}
    return (
        policy.startswith("default-src 'none';")
        and "frame-ancestors 'none'" in policy
        and "unsafe" not in policy
        and answer.headers.items() >= given.items()
    )


_UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec_WebSocket_Key": base64.b64encode(bytes(16)).decode(),
    "Sec_WebSocket_Version": "13",
}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/play", {}, 200),
        ("GET", "/play/", {}, 308),
        ("POST", "/claim", {}, 405),
        ("POST", "/", {}, 405),
        ("GET", "/worker.js", {}, 200),
        ("GET", "/favicon.ico", {}, 200),
        ("GET", "/static/no", {}, 404),
        ("GET", "/help/no", {}, 404),
        ("GET", "/nowhere", {}, 404),
        ("GET", "/api/%ff", {}, 400),
        ("GET", "/api/openapi.json", {}, 200),
        ("POST", "/api/v1/login", {}, 400),
        ("POST", "/api/v1/ticket", {}, 401),
        ("GET", "/api/v1/guest", {}, 405),
        ("POST", "/api/v1/guest", {"Origin": "https://evil.example"}, 403),
        ("OPTIONS", "/api/v1/guest", {"Origin": "https://evil.example"}, 403),
        ("GET", "/health", {}, 200),
        ("GET", "/sse?ticket=x", {}, 401),
        ("GET", "/ws", {}, 426),
        ("GET", "/ws", {**_UPGRADE, "Origin": "https://evil.example"}, 403),
        ("GET", "/ws", {**_UPGRADE, "Sec_WebSocket_Protocol": "chat"}, 400),
        ("DANCE", "/", {}, 405),
    ],
)
def test_every_answer_is_hardened(web: Web, method: str, path: str, headers: dict[str, str], status: int) -> None:
    found = web.ask(method, path, **headers)
    assert found.status == status
    assert hardened(found)


def test_a_fault_is_hardened_and_tells_nothing(web: Web, failures: Failures) -> None:
    class Broken(Resource):
        isLeaf = True

        def render_GET(self, request: Any) -> bytes:
            raise RuntimeError("the canary")

    web.site = guarded_site(Broken(), web.scene.clock)
    found = web.ask("GET", "/")
    failures.flush(RuntimeError)
    assert found.status == 500
    assert found.headers.items() >= {"x-content-type-options": "nosniff", "x-frame-options": "DENY"}.items()
    assert b"canary" not in found.body


def test_a_stream_is_hardened(web: Web) -> None:
    stream = web.stream(web.guest()["token"])
    assert stream.status == 200
    assert hardened(parsed(f"{stream.head}\r\n\r\n".encode()))
    stream.lost()


def test_only_over_tls_a_browser_is_bound_to_it(web: Web) -> None:
    web.proxies = Proxies(("10.0.0.0/8",))
    assert "strict-transport-security" not in web.ask("GET", "/").headers
    assert "strict-transport-security" not in web.ask("GET", "/", X_Forwarded_Proto="https").headers
    web.proxies = Proxies(("192.168.1.1",))
    assert "max-age=" in web.ask("GET", "/", X_Forwarded_Proto="https").headers["strict-transport-security"]


# ── pages of other sites ────────────────────────────────────────────────────────────────────────

EVIL = "https://evil.example"
FANS = "https://fans.example.net"


@pytest.mark.parametrize("path", ["guest", "register", "login", "claim", "refresh", "logout", "ticket", "commands"])
def test_no_other_page_may_send(web: Web, path: str) -> None:
    """Whatever it sends, and however it is dressed: nothing is done."""
    for headers in (
        {"Origin": EVIL},
        {"Origin": EVIL, "Content_Type": "text/plain"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://play.example.org@evil.example"},
        {"Origin": "http://play.example.org:81"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ):
        found = web.ask("POST", f"/api/v1/{path}", {}, **headers)
        assert (found.status, found.error) == (403, "origin"), headers
        assert "access-control-allow-origin" not in found.headers
    for headers in ({}, {"Origin": "http://play.example.org"}, {"Sec_Fetch_Site": "same-origin"}):
        assert web.ask("POST", f"/api/v1/{path}", {}, **headers).status != 403


def test_a_stranger_without_a_host_is_not_at_home() -> None:
    """An empty host and an origin without one are not the same place."""
    assert not Origins().admits("null", "")
    assert not Origins().admits("file://", "")


def test_sites_that_were_named(web: Web) -> None:
    """The browser is told that their pages may ask, before and after; of others it is told nothing."""
    asked = {"Origin": FANS, "Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "authorization"}
    before = web.ask("OPTIONS", "/api/v1/guest", **asked)
    assert before.status == 204
    assert before.headers["access-control-allow-origin"] == FANS
    assert "POST" in before.headers["access-control-allow-methods"]
    assert "authorization" in before.headers["access-control-allow-headers"]
    after = web.ask("POST", "/api/v1/guest", {}, Origin=FANS)
    assert (after.status, after.headers["access-control-allow-origin"]) == (200, FANS)
    assert "retry-after" in after.headers["access-control-expose-headers"]
    assert after.headers["vary"] == "origin"
    wrong = web.ask("POST", "/api/v1/ticket", {}, Origin=FANS)
    assert (wrong.status, wrong.headers["access-control-allow-origin"]) == (401, FANS)
    read = web.ask("GET", "/health", Origin=EVIL)
    assert read.status == 200
    assert "access-control-allow-origin" not in read.headers
    assert "access-control-allow-credentials" not in after.headers


def test_all_sites() -> None:
    """``*``, which only a server that is not in production may say."""
    assert Origins(["*"]).admits(EVIL, "play.example.org")
    assert not Origins([FANS]).admits(EVIL, "play.example.org")


# ── proxies ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ((), "203.0.113.9", "127.0.0.1", "203.0.113.9"),
        (("10.0.0.0/8",), "203.0.113.9", "127.0.0.1", "203.0.113.9"),
        (("10.0.0.0/8",), "10.0.0.1", "198.51.100.7", "198.51.100.7"),
        (("10.0.0.0/8",), "10.0.0.1", "127.0.0.1, 198.51.100.7", "198.51.100.7"),
        (("10.0.0.0/8",), "10.0.0.1", "127.0.0.1, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        (("10.0.0.0/8",), "10.0.0.1", "", "10.0.0.1"),
        (("10.0.0.0/8",), "::ffff:10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        (("10.0.0.0/8",), "10.0.0.1", "198.51.100.7, nonsense", "nonsense"),
    ],
)
def test_forged_addresses(trusted: tuple[str, ...], peer: str, forwarded: str, client: str) -> None:
    """Only what a trusted proxy wrote counts: the nearest address that is not one of them."""
    assert Proxies(trusted).client(peer, forwarded) == client


def test_a_forged_address_does_not_lift_a_limit() -> None:
    """Whoever names another address with each request is still one; behind a proxy that we know they are many."""
    for trusted, last in (((), 429), (("192.168.1.1",), 200)):
        web = Web(requests=2)
        web.proxies = Proxies(trusted)
        web.address_of = web.proxies.of_request
        found = [web.ask("POST", "/api/v1/guest", {}, X_Forwarded_For=f"198.51.100.{at}").status for at in range(3)]
        assert found == [200, 200, last]


# ── how many requests ───────────────────────────────────────────────────────────────────────────


def test_requests_are_counted_down() -> None:
    """The answer says how many more there may be, and how long to wait when there are none; then they come back."""
    web = Web(requests=3)
    answers = [web.post("guest") for _ in range(4)]
    assert [one.status for one in answers] == [200, 200, 200, 429]
    assert [one.headers["ratelimit-remaining"] for one in answers] == ["2", "1", "0", "0"]
    assert {one.headers["ratelimit-limit"] for one in answers} == {"3"}
    assert answers[-1].headers["retry-after"] == "20"
    assert answers[-1].headers["ratelimit-reset"] == "60"
    assert "Wait 20 seconds" in answers[-1].json["error"]["message"]
    for path in ("/sse?ticket=x", "/api/openapi.json", "/help"):
        assert web.ask("GET", path).status == 429
    for path in ("/health", "/play", "/favicon.ico"):
        assert web.ask("GET", path).status == 200
    web.scene.clock.advance(20)
    assert [web.post("guest").status for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
def test_whose_requests_they_are(one: str, other: str, same: bool) -> None:
    """Neighbours do not use up each other's; all addresses of one house do."""
    web = Web(requests=1)
    web.address = one
    assert web.post("guest").status == 200
    web.address = other
    assert web.post("guest").status == (429 if same else 200)
