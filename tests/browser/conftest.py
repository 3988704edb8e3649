"""A running house, a real browser, and a page that watches itself."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.visits import Watch

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
    :ivar claim: the code that makes the first keeper, as it was printed
    """

    url: str
    http: int
    telnet: int
    claim: str


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


def _claim(log: Path) -> str:
    found = re.search(r"/claim#([\w-]+)", log.read_text())
    return found[1] if found else ""


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The installed service in a process of its own, on free ports."""
    data = tmp_path_factory.mktemp("house") / "data"
    log = data.parent / "log"
    twistd = Path(sys.executable).with_name("twistd")
    ports = ["--telnet", "0", "--http", "0", "--metrics", "0"]
    command = [str(twistd), "-n", "--pidfile=", "mythos", *ports, "--data", str(data)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=data.parent, stdout=out, stderr=subprocess.STDOUT)
    try:
        opened = _await_ports(data, process, log)
        yield House(f"http://127.0.0.1:{opened['http']}", opened["http"], opened["telnet"], _claim(log))
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
