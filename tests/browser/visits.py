"""What the browser tests share: the client without a server, a scripted game, and what a page shows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import ConsoleMessage, Page, Request, Route, WebSocketRoute

CLIENT: Final = Path(__file__).parents[2] / "mythos" / "webclient"
#: An address that exists only inside the browser: the client's files, without a server.
SHELF: Final = "http://client.test"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data:;"
    " media-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@dataclass(slots=True)
class Watch:
    """What a page did that a test may want to deny.

    :ivar errors: of the console, and uncaught ones
    :ivar requests: every address it asked for
    """

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def on(self, page: Page) -> None:
        def console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.errors.append(message.text)

        def request(request: Request) -> None:
            self.requests.append(request.url)

        page.on("console", console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", request)
        page.on("websocket", lambda socket: self.requests.append(socket.url))


def serve_client(page: Page) -> None:
    """Answer ``SHELF`` from the client's files, under the policy that the server sends."""

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(SHELF).split("?")[0].split("#")[0]
        name = "index.html" if path in ("/play", "/claim") else path.removeprefix("/static/x/").lstrip("/")
        file = CLIENT / name
        if not file.is_file():
            route.fulfill(status=404, body="")
            return
        body = file.read_bytes().replace(b"__STATIC__", b"/static/x")
        headers = {"content-type": _TYPES[file.suffix], "content-security-policy": POLICY}
        route.fulfill(status=200, headers=headers, body=body)

    page.route(f"{SHELF}/**", answer)
    page.route(f"{SHELF}/health/live", lambda route: route.fulfill(status=200, json={"status": "alive"}))


def lines(page: Page, kind: str = "p") -> list[str]:
    """The log as it is shown, one text a line."""
    found: list[str] = page.locator(f".log {kind}").all_text_contents()
    return found


@dataclass
class Game:
    """A server of one session, as the page's WebSocket meets it: it greets, hears, and says what a test tells it.

    :ivar name: of who comes in
    :ivar heard: frames from the page
    :ivar away: who comes is turned away
    """

    name: str = "Guest7"
    away: bool = False
    heard: list[dict[str, Any]] = field(default_factory=list)
    _socket: WebSocketRoute | None = None
    _s: int = 0

    def on(self, page: Page) -> None:
        grant = {"token": "a.b.c", "refresh": "r", "session": "S", "name": self.name}
        page.route(f"{SHELF}/api/v1/guest", lambda route: route.fulfill(status=200, json=grant))
        page.route_web_socket("ws://client.test/ws", self._opened)

    def _opened(self, socket: WebSocketRoute) -> None:
        if self.away:
            socket.close(code=3000)
            return
        self._socket = socket
        socket.on_message(self._hear)

    def _hear(self, text: str | bytes) -> None:
        frame = json.loads(text)
        self.heard.append(frame)
        if frame.get("t") == "attach":
            resumed = frame.get("last") == self._s
            hello = {"t": "hello", "session": "S", "epoch": "E", "resumed": resumed, "reason": None, "missed": 0}
            self._send({**hello, "next": 1 + len(self.typed()), "token": "T"})
        elif "line" in frame:
            self._send({"t": "done", "c": frame["c"]})

    def _send(self, frame: dict[str, Any]) -> None:
        assert self._socket is not None
        self._socket.send(json.dumps(frame))

    def cut(self, code: int = 3000, reason: str = "") -> None:
        """Close the link."""
        assert self._socket is not None
        self._socket.close(code=code, reason=reason)

    def typed(self) -> list[str]:
        """The commands that came, in order."""
        return [frame["line"] for frame in self.heard if "line" in frame]

    def record(self, **body: Any) -> None:
        self._s += 1
        self._send({"s": self._s, **body})

    def line(self, text: str, kind: str = "say", role: str | None = None) -> None:
        self.record(t="line", kind=kind, text=text, spans=[[text, role]])

    def state(self, name: str, /, **data: Any) -> None:
        self.record(t="state", name=name, data=data)


def visit(page: Page, path: str = "/play") -> None:
    """Open the client from its files."""
    serve_client(page)
    page.goto(SHELF + path)


def play(page: Page, game: Game) -> None:
    """Come into a scripted game as a guest."""
    serve_client(page)
    game.on(page)
    page.goto(SHELF + "/play")
    page.get_by_role("button", name="Play as a guest").click()
    page.get_by_text("Connected", exact=True).wait_for()


def crowd(game: Game) -> None:
    """Something in every panel."""
    game.state("Char.Name", name="Ann")
    game.state("Room.Info", name="The Quay", exits={"n": 2, "d": 4}, doors={"d": "closed"})
    people = [{"name": name, "word": name.lower(), "npc": name == "Marta"} for name in ("Ann", "Bob", "Marta")]
    things = [{"name": "a brass lamp", "word": "lamp", "take": True}, {"name": "a sign", "word": "sign", "take": False}]
    game.state("Mythos.Here", dark=False, people=people, more=0, things=things, gold=3)
    game.state("Mythos.Bag", things=[{"name": "an oar", "word": "oar", "worn": "hand", "lit": False}])
    game.state("Mythos.Tasks", open=[{"title": "Rats", "text": "Bring three tails."}], offered=[], done=["The lamp"])
    said = [{"name": "chat", "on": True, "said": ["Cid: hello"]}, {"name": "newbie", "on": True, "said": []}]
    game.state("Mythos.Channels", channels=said)
