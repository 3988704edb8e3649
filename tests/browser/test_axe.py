"""Every page and state of the client before axe-core, in every theme."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.browser.test_listening import room
from tests.browser.test_screen import await_line
from tests.browser.visits import Game, Watch, crowd, play, visit
from tests.house.server import Server

TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
THEMES: Final = ("dark", "light", "contrast")


@pytest.fixture
def game() -> Game:
    return Game()


def axe(page: Page) -> list[Any]:
    """What axe finds wrong: rule, what it is about, and why."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE_SCRIPT)
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    found: list[Any] = page.evaluate(
        """async (options) => (await axe.run(document, options)).violations
            .flatMap(({id, nodes}) => nodes.map((node) => [id, node.html.slice(0, 200), node.failureSummary]))""",
        options,
    )
    return found


def test_axe_finds_what_is_planted(page: Page, game: Game) -> None:
    """The control: a name that is missing, a faint word and a small button are found, each by a rule of its tag."""
    play(page, game)
    page.evaluate("""() => {
        const tags = ["input", "p", "button", "button"];
        const [field, faint, small, other] = tags.map((tag) => document.createElement(tag));
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(`.faint { color: #555; background: #444; }
            .small { min-height: 0; width: 9px; height: 9px; padding: 0; }`);
        document.adoptedStyleSheets = [sheet];
        faint.textContent = "hardly to be read";
        faint.className = "faint";
        for (const one of [small, other]) { one.className = "small"; one.setAttribute("aria-label", "x"); }
        document.querySelector("main").append(field, faint, small, other);
    }""")
    assert {"label", "color-contrast", "target-size"} <= {rule for rule, *_ in axe(page)}


@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1280, "light"), (360, "contrast")])
def test_the_client(page: Page, game: Game, width: int, theme: str) -> None:
    """Nothing on the way in, in play, in each dialog, when dead, when the link is lost, and when the game is over."""
    page.set_viewport_size({"width": width, "height": 640 if width == 360 else 800})
    page.add_init_script(f"localStorage.setItem('mythos.settings', '{{\"theme\": \"{theme}\"}}')")
    found: dict[str, list[Any]] = {}
    visit(page)
    page.get_by_role("button", name="Log in", exact=True).click()
    found["login"] = axe(page)
    page.goto(page.url.replace("/play", "/claim#ABCD"))
    found["claim"] = axe(page)
    play(page, game)
    crowd(game)
    room(game, 1, "Quay", 0, 0, n=2)
    room(game, 2, "Market", 0, 1, s=1, e=3)
    game.state("Char.Vitals", hp=45, maxhp=60, nerve=7, maxnerve=10, level=2, xp=10, gold=3)
    game.line("The rain stops.", kind="room")
    game.line("Bob tells you, hello", kind="tell", role="player")
    game.record(t="gap", missed=3)
    await_line(page, "could not be kept")
    found["play"] = axe(page)
    for name in ["Here", "You", "Bag", "Channels", "Tasks", "Map"] if width == 360 else []:
        page.get_by_role("navigation", name="Panels").get_by_role("button", name=name).click()
        page.get_by_role("region", name=name, exact=True).wait_for()
        found[name] = axe(page)
    page.locator("summary", has_text="Keys").click()
    found["keys"] = axe(page)
    page.locator("summary", has_text="Tools").click()
    for name in ("Aliases", "Triggers", "Macros", "Timers", "Settings"):
        page.get_by_role("button", name=name, exact=True).click()
        form = page.get_by_role("dialog", name=name)
        if name != "Settings":
            form.get_by_role("button", name="Add").click()
        found[name] = axe(page)
        page.keyboard.press("Escape")
        expect(form).to_be_hidden()
    game.state("Char.Vitals", hp=0, maxhp=60)
    game.line("You are dead.", kind="combat")
    game.state("Mythos.Ask", text="Your new password?", secret=True)
    page.get_by_label("Your new password?").wait_for()
    page.locator(".gauge.low").first.wait_for(state="attached")
    found["dead"] = axe(page)
    game.away = True
    game.cut()
    page.locator(".link[data-state=lost]").wait_for()
    found["lost"] = axe(page)
    game.away = False
    page.get_by_text("Connected", exact=True).wait_for()
    game.cut(4001, "takeover")
    page.get_by_role("button", name="Go on here").wait_for()
    found["ended"] = axe(page)
    faults = [(where, *fault) for where, some in found.items() for fault in some]
    assert not faults, "\n".join(" | ".join(fault) for fault in faults)


@pytest.mark.parametrize("theme", THEMES)
def test_the_pages(new_page: Callable[[], Page], house: Server, watch: Watch, theme: str) -> None:
    """Nothing on the pages of words: the way in, the help, the map."""
    page = new_page()
    more = "more" if theme == "contrast" else None
    page.emulate_media(color_scheme="light" if theme == "light" else "dark", contrast=more)  # type: ignore[arg-type]
    found = {}
    for path in ("/", "/who", "/help", "/help/look", "/help/nothing", "/map"):
        page.goto(house.url(path))
        found[path] = axe(page)
    faults = [(where, *fault) for where, some in found.items() for fault in some]
    assert not faults, "\n".join(" | ".join(fault) for fault in faults)
