"""The page without a server: what opens then, and that it is never older than the server that answers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import mythos
from tests.browser.proxy import Proxy
from tests.browser.test_house import SOON, await_link, enter, last_line, said, say
from tests.browser.visits import Watch, lines
from tests.house.server import Server

#: What every request begins with.
ALL = (b"GET", b"POST")


def kept(page: Page) -> None:
    """Wait until the browser has kept the page."""
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    page.wait_for_function("caches.keys().then((all) => all.length === 1 && caches.match('/play'))")
    page.wait_for_function("navigator.serviceWorker.controller?.state === 'activated'")


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A version of the server whose client says other words; where its package is."""
    root = tmp_path / "newer"
    shutil.copytree(Path(mythos.__file__).parent, root / "mythos", ignore=shutil.ignore_patterns("__pycache__"))
    strings = root / "mythos/webclient/js/strings.js"
    words = strings.read_text()
    assert words.count('"Play as a guest"') == words.count('"Connected"') == 1
    strings.write_text(words.replace('"Play as a guest"', '"Just play"').replace('"Connected"', '"Linked"'))
    return root


def test_a_reload_without_a_server(page: Page, house: Server) -> None:
    """The page opens with what was shown and says that it is not connected; when the server is back it goes on."""
    page.add_init_script(SOON)
    with Proxy(house.ports["http"]) as between:
        name = enter(page, between.url)
        say(page, "before")
        expect(last_line(page, 'You say, "before"')).to_be_visible()
        kept(page)
        between.blocked = ALL
        between.cut()
        page.reload()
        expect(page.locator(".link")).to_contain_text("Not connected")
        assert 'You say, "before"' in lines(page)
        expect(page.locator(".log")).to_have_css("overflow-y", "auto")
        say(page, "meanwhile")
        between.blocked = ()
        await_link(page)
        expect(last_line(page, 'You say, "meanwhile"')).to_be_visible()
        expect(page.locator(".status .name")).to_have_text(name)
        assert said(page, "You") == ["before", "meanwhile"]


def test_a_new_tab_without_a_server(page: Page, house: Server) -> None:
    """The way in says that it is not connected and shows what was seen last, but nobody can go on with that; who quits
    leaves nothing behind."""
    with Proxy(house.ports["http"]) as between:
        enter(page, between.url)
        say(page, "before")
        expect(last_line(page, 'You say, "before"')).to_be_visible()
        kept(page)
        page.close()
        between.blocked = ALL
        between.cut()
        other = page.context.new_page()
        other.goto(between.url + "/play")
        expect(other.get_by_role("main")).to_contain_text("Not connected. The server does not answer.")
        expect(other.get_by_role("log")).to_contain_text('You say, "before"')
        assert other.evaluate("JSON.stringify({...localStorage}).includes('token')") is False
        other.get_by_role("button", name="Play as a guest").click()
        expect(other.locator("#guest-error")).to_contain_text("does not answer")
        between.blocked = ()
        other.get_by_role("button", name="Play as a guest").click()
        await_link(other)
        other.keyboard.type("quit\n")
        other.get_by_role("button", name="Come in again").click()
        between.blocked = ALL
        between.cut()
        other.reload()
        expect(other.get_by_role("main")).to_contain_text("Not connected")
        expect(other.get_by_role("log")).to_have_count(0)


def test_a_new_version_is_never_stale(page: Page, newer: Path, tmp_path: Path) -> None:
    """With the server it is the server's page at once, without it the newest that was seen; a page that was opened
    without it becomes the newer one by itself when it is back. Only one version is kept."""
    page.add_init_script(SOON)
    data = tmp_path / "house"
    env = {"PYTHONPATH": str(newer)}
    with Server(data) as server, Proxy(server.ports["http"]) as between:
        enter(page, between.url)
        say(page, "before")
        expect(last_line(page, 'You say, "before"')).to_be_visible()
        kept(page)
        between.blocked = ALL
        between.cut()
        page.reload()
        expect(page.locator(".link")).to_contain_text("Not connected")
        server.stop()
        with Server(data, env=env) as upgraded:
            between.port = upgraded.ports["http"]
            between.blocked = ()
            expect(page.locator(".link")).to_have_text("Linked")
            assert said(page, "You") == ["before"]
            kept(page)
            page.goto("about:blank")
            between.blocked = ALL
            between.cut()
            other = page.context.new_page()
            other.goto(between.url + "/play")
            expect(other.get_by_role("button", name="Just play")).to_be_visible()
            expect(other.get_by_role("main")).to_contain_text("Not connected")
            upgraded.stop()
        server.start()
        between.port = server.ports["http"]
        between.blocked = ()
        other.goto(between.url + "/play")
        expect(other.get_by_role("button", name="Play as a guest")).to_be_visible()


def test_it_can_be_installed(page: Page, house: Server, watch: Watch) -> None:
    """The browser finds nothing that stands in the way, but that a visitor of a test is a private one."""
    page.goto(house.url("/play"))
    kept(page)
    session = page.context.new_cdp_session(page)
    found = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [error["errorId"] for error in found] in ([], ["in-incognito"])
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"].endswith("/manifest.webmanifest")
    assert watch.errors == []
