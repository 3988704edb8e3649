"""From the way in through the tutorial to the town, as a newcomer does it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_house import last_line
from tests.browser.visits import Watch
from tests.house.server import Server

#: What is done, and what is shown then. ``@`` presses the button of that name in the panel, all else is typed.
STEPS = (
    ("look board", "Welcome aboard."),
    ("@south", "The Waist"),
    ("@open the way east", "You open the cabin door."),
    ("@east", "The Cabin"),
    ("get lantern", "You get a tin lantern."),
    ("get coat", "You get an oilskin coat."),
    ("wear coat", "You put on an oilskin coat."),
    ("@west", "The Waist"),
    ("@south", "The Stern"),
    ("ask odo about mail", "gives you a locker key."),
    ("north", "The Waist"),
    ("@down", "It is too dark to see anything."),
    ("light lantern", "You light a tin lantern."),
    ("look", "The Hold"),
    ("attack rat", "You defeat a bilge rat."),
    ("@unlock the way north", "You unlock the stout locker."),
    ("@open the way north", "You open the stout locker."),
    ("north", "The Mail Locker"),
    ("get bag", "You get a mail bag."),
    ("south", "The Hold"),
    ("@up", "The Waist"),
    ("south", "The Stern"),
    ("give bag to odo", "Task done: The Crossing."),
    ("north", "The Waist"),
    ("north", "The Fore Deck"),
    ("@ashore", "The Quay"),
)


@pytest.mark.parametrize(("width", "height"), [(360, 640), (1280, 800)])
def test_to_the_town(page: Page, watch: Watch, tmp_path: Path, width: int, height: int) -> None:
    """On a phone and on a desk: what is shown is in view, nothing goes wrong, nothing is asked of another origin."""
    page.set_viewport_size({"width": width, "height": height})
    with Server(tmp_path / "house") as house:  # of one's own: doors stay open, and rats dead
        page.goto(house.url("/"))
        page.get_by_role("link", name="Play in the browser").click()
        page.get_by_role("button", name="Play as a guest").click()
        page.locator(".link[data-state=live]").wait_for()
        tabs = page.get_by_role("navigation", name="Panels")
        if width < 800:
            tabs.get_by_role("button", name="Here").click()
        for step, shown in STEPS:
            if step.startswith("@"):
                page.get_by_role("region", name="Here").get_by_role("button", name=step[1:], exact=True).click()
            else:
                page.get_by_label("Command").fill(step)
                page.keyboard.press("Enter")
            expect(last_line(page, shown)).to_be_visible(timeout=20_000)
            expect(page.get_by_label("Command")).to_be_in_viewport(ratio=1)
        expect(page.locator(".log p").last).to_be_in_viewport()
        expect(page.locator(".status .where")).to_have_text("The Quay")
        if width < 800:
            tabs.get_by_role("button", name="Tasks").click()
        expect(page.get_by_role("region", name="Tasks")).to_contain_text("Done: The Crossing.")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert watch.errors == []
        origin = house.url("")
        assert all(url.replace("ws://", "http://").startswith(origin) for url in watch.requests)
