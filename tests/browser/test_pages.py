"""The pages of words in a real browser: they fit, can be read in any light, and lead into the game."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.visits import Watch
from tests.house.server import Server

#: The contrast of the words of each element with what is behind it, where that is too low (WCAG 2.2, 1.4.3).
FAINT: Final = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const ground = numbers(getComputedStyle(one).backgroundColor);
      if (ground.length === 3 || ground[3] > 0) return ground;
    }
    return [255, 255, 255];
  };
  const written = (one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.body.querySelectorAll("*")].filter(written).map((one) => {
    const [dim, bright] = [light(numbers(getComputedStyle(one).color)), light(behind(one))].sort((a, b) => a - b);
    return [one.outerHTML.slice(0, 80), (bright + 0.05) / (dim + 0.05)];
  }).filter(([_, contrast]) => contrast < 4.5);
}"""
#: Links on their own that a finger may miss (WCAG 2.2, 2.5.8).
SMALL: Final = """() => [...document.querySelectorAll("nav a, a.play")]
  .filter((one) => one.getBoundingClientRect().height < 24).map((one) => one.outerHTML)"""
#: One page of each kind.
PAGES: Final = ("/", "/who", "/help", "/help/look", "/help/speech", "/help/nothing", "/map")


@pytest.fixture(params=["dark", "light"])
def lit(browser: Browser, watch: Watch, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page on the smallest screen, by night or by day."""
    scheme: Literal["dark", "light"] = request.param
    context = browser.new_context(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    page = context.new_page()
    watch.on(page)
    yield page
    context.close()


def test_every_page_can_be_read(lit: Page, house: Server, watch: Watch) -> None:
    """On 320 pixels nothing is cut off or scrolls sideways, words stand out, links can be hit, nothing is fetched
    but the page, its style and its icon."""
    for path in PAGES:
        lit.goto(house.url(path))
        assert lit.evaluate("document.documentElement.scrollWidth") <= 320, path
        assert lit.evaluate(FAINT) == [], path
        assert lit.evaluate(SMALL) == [], path
    (missing,) = watch.errors  # the page of the topic that is not there
    assert "404" in missing
    assert {url.rsplit(".", 1)[-1] for url in watch.requests if "/static/" in url} - {"svg"} == {"css"}
    assert all(url.startswith(house.url("/")) for url in watch.requests)


def test_the_front_page_leads_into_the_game(page: Page, house: Server) -> None:
    """From the address alone to playing, by keyboard; and the next visitor reads that somebody plays."""
    page.goto(house.url("/"))
    expect(page.get_by_text(f"telnet 127.0.0.1 {house.ports['telnet']}")).to_be_visible()
    page.get_by_role("link", name="Play in the browser").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Play as a guest").click()
    page.locator(".link[data-state=live]").wait_for()
    assert page.url == house.url("/play")
    other = page.context.new_page()
    other.goto(house.url("/who"))
    expect(other.get_by_role("main")).to_contain_text("guest")


def test_the_way_past_the_links(page: Page, house: Server) -> None:
    """The first stop of the Tab key leads past the links to the page itself."""
    page.goto(house.url("/who"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the page itself")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_an_old_bookmark_still_works(new_page: Callable[[], Page], house: Server) -> None:
    """The claim link and addresses with a place in them lead where they led, or to the front page."""
    page = new_page()
    page.goto(house.url("/#command"))
    expect(page.get_by_role("link", name="Play in the browser")).to_be_visible()
    page.goto(house.url("/play#command"))
    expect(page.get_by_role("button", name="Play as a guest")).to_be_visible()
    page.goto(house.url("/claim#ABCD-EFGH"))
    expect(page.get_by_text("This makes the account keeper")).to_be_visible()
