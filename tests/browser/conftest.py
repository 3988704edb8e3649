"""A running house, a real browser, and a page that watches itself."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route, sync_playwright

CLIENT: Final = Path(__file__).parents[2] / "mythos" / "webclient"
#: An address that exists only inside the browser: the client's files, without a server.
SHELF: Final = "http://client.test"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self';"
    " manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
#: Chromium without anything that speaks to the outside by itself.
_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
#: Seconds a house may take to open its ports.
_START: Final = 20.0


@dataclass(frozen=True, slots=True)
class House:
    """A running server.

    :ivar url: of its HTTP door, without a slash at the end
    """

    url: str
    http: int
    telnet: int


def _await_ports(data: Path, process: subprocess.Popen[bytes], log: Path) -> dict[str, int]:
    """The ports in use, as soon as they stand in ``ports.json``."""
    ports = data / "ports.json"
    end = time.monotonic() + _START
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the house did not open: exit {process.returncode}\n{log.read_text()[-4000:]}")
        try:
            found: dict[str, int] = json.loads(ports.read_text())
        except (OSError, ValueError):
            _pause(0.02)
            continue
        return found
    raise RuntimeError(f"the house did not open its ports\n{log.read_text()[-4000:]}")


def _pause(seconds: float) -> None:
    """Wait for another process, which offers nothing to wait on."""

    select.select([], [], [], seconds)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The installed service in a process of its own, on free ports."""
    data = tmp_path_factory.mktemp("house") / "data"
    log = data.parent / "log"
    twistd = Path(sys.executable).with_name("twistd")
    command = [twistd, "-n", "--pidfile=", "mythos", "--telnet", "0", "--http", "0", "--metrics", "0", "--data", data]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=data.parent, stdout=out, stderr=subprocess.STDOUT)
    try:
        ports = _await_ports(data, process, log)
        yield House(f"http://127.0.0.1:{ports['http']}", ports["http"], ports["telnet"])
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def find_chromium() -> str | None:
    """The Chromium to test with: ``MYTHOS_TEST_CHROMIUM``, else one on the path."""
    named = os.environ.get("MYTHOS_TEST_CHROMIUM")
    if named:
        return named
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for found in map(shutil.which, names) if found), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium: apt-get install chromium, or set MYTHOS_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield running
        running.close()


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


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[[], Page]]:
    """Pages, each a visitor of its own."""
    contexts = []

    def make() -> Page:
        context = browser.new_context(viewport={"width": 1000, "height": 700})
        context.set_default_timeout(10_000)
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Callable[[], Page], watch: Watch) -> Page:
    made = new_page()
    watch.on(made)
    return made


def serve_client(page: Page) -> None:
    """Answer ``SHELF`` from the client's files, under the policy that the server sends."""

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(SHELF).split("?")[0].split("#")[0]
        name = "index.html" if path in ("/", "/claim") else path.removeprefix("/static/x/").lstrip("/")
        file = CLIENT / name
        if not file.is_file():
            route.fulfill(status=404, body="")
            return
        body = file.read_bytes().replace(b"__STATIC__", b"/static/x")
        headers = {"content-type": _TYPES[file.suffix], "content-security-policy": POLICY}
        route.fulfill(status=200, headers=headers, body=body)

    page.route(f"{SHELF}/**", answer)


def lines(page: Page, kind: str = "p") -> list[str]:
    """The log as it is shown, one text a line."""
    found: list[str] = page.locator(f".log {kind}").all_inner_texts()
    return found
