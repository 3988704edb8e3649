"""The page at every size and under what the system asks for: zoom, wide spacing, no motion, forced colours."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_listening import room
from tests.browser.test_screen import await_line
from tests.browser.visits import Game, crowd, play, visit

#: The spacing that a reader may ask for (WCAG 2.2, 1.4.12).
SPACING = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`
        * { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
        p { margin-bottom: 2em !important; }`);
    document.adoptedStyleSheets = [sheet];
}"""
#: Elements whose words are cut off or stand beside the page.
CUT = """() => [...document.querySelectorAll("h1, h2, p, button, label, li, dd, legend, summary")]
    .filter((one) => one.checkVisibility() && !one.closest(".unseen, .skip, .tabs, .quick, .status"))
    .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline"
        || one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => one.outerHTML.slice(0, 120))"""

#: The colour of a pixel of a picture.
PIXEL = """async (source) => {
    const picture = new Image();
    picture.src = source;
    await picture.decode();
    const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
    canvas.drawImage(picture, 0, 0);
    return [...canvas.getImageData(5, 5, 1, 1).data];
}"""


@pytest.fixture
def game() -> Game:
    return Game()


@pytest.mark.parametrize(
    ("width", "height", "spacing"),
    [
        (320, 256, False), (320, 640, False), (360, 300, False), (360, 640, False), (640, 360, False),
        (1280, 800, False),
        (320, 640, True), (640, 360, True), (1280, 800, True),
    ],
)  # fmt: skip
def test_reflow(page: Page, game: Game, width: int, height: int, spacing: bool) -> None:
    """Nothing scrolls sideways or is cut off; in play the newest line and the field are in view. 320 by 256 is a screen
    of 1280 by 1024 at 400 %."""
    page.set_viewport_size({"width": width, "height": height})
    visit(page)
    if spacing:
        page.evaluate(SPACING)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT) == []
    play(page, game)
    if spacing:
        page.evaluate(SPACING)
    crowd(game)
    room(game, 1, "Quay", 0, 0, n=2)
    game.state("Char.Vitals", hp=45, maxhp=60, nerve=3, maxnerve=9)
    for number in range(30):
        game.line(f"A line of prose that has to be broken on a narrow screen, number {number}.")
    await_line(page, "number 29")
    expect(page.locator(".log p").last).to_be_in_viewport(ratio=0.9 if height > 400 else 0.2)
    expect(page.get_by_label("Command")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT) == []


def test_nothing_moves_for_whom_motion_is_too_much(page: Page, game: Game) -> None:
    """No transition, no animation, no smooth scrolling, on the way in and in play."""
    page.emulate_media(reduced_motion="reduce")
    moving = """() => [...document.querySelectorAll("*")].filter((one) => {
        const style = getComputedStyle(one);
        return style.transitionDuration !== "0s" || style.animationName !== "none" || style.scrollBehavior !== "auto";
    }).map((one) => one.outerHTML.slice(0, 80))"""
    visit(page)
    assert page.evaluate(moving) == []
    play(page, game)
    crowd(game)
    page.get_by_role("button", name="look at Bob").wait_for()
    assert page.evaluate(moving) == []
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(moving) != []


def test_forced_colours(page: Page, game: Game) -> None:
    """What is chosen, where one is, and what has the focus still look different when the system sets the colours."""
    page.emulate_media(forced_colors="active")
    play(page, game)
    crowd(game)
    room(game, 1, "Quay", 0, 0, n=2)
    room(game, 2, "Market", 0, 1, s=1)
    page.get_by_role("img", name="Map of Harbour").wait_for()
    game.state("Mythos.Commands", names=["look", "lock"])
    page.get_by_label("Command").fill("lo")
    page.keyboard.press("Tab")

    def corner(selector: str) -> list[int]:
        """The colour that is really painted, a few pixels inside; styles tell what was asked for."""
        shot = base64.b64encode(page.locator(selector).first.screenshot()).decode()
        found: list[int] = page.evaluate(PIXEL, f"data:image/png;base64,{shot}")
        return found

    def style(selector: str, what: str) -> str:
        found: str = page.locator(selector).first.evaluate(f"(one) => getComputedStyle(one).{what}")
        return found

    options = "[role=option][aria-selected={}]"
    page.locator(options.format("true")).wait_for()
    assert corner(options.format("true")) != corner(options.format("false"))
    assert corner("rect.here") != corner("rect:not(.here)")
    page.keyboard.press("Escape")
    assert style("#command", "outlineStyle") == "solid"
    chosen, other = (f".names [aria-pressed={pressed}]" for pressed in ("true", "false"))
    assert style(chosen, "borderTopWidth") != style(other, "borderTopWidth")
    game.state("Char.Vitals", hp=4, maxhp=60)
    page.locator(".gauge.low").first.wait_for()
    assert style(".gauge.low", "fontWeight") != style(".status .where", "fontWeight")
