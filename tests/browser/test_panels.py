"""The panels beside the log: what they show, what their buttons do, and that they keep still."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_screen import LISTEN, await_line, spoken
from tests.browser.visits import Game, crowd, lines, play


@pytest.fixture
def game() -> Game:
    return Game()


def panel(page: Page, name: str) -> Locator:
    """A panel as a screen reader finds it: a landmark by the name of its heading."""
    return page.get_by_role("region", name=name, exact=True)


def await_typed(page: Page, game: Game, line: str) -> None:
    await_line(page, f"> {line}")
    expect(page.locator(".note").last).to_have_text("")
    assert game.typed()[-1] == line


def test_every_panel_is_a_landmark(page: Page, game: Game) -> None:
    """Each has a heading, and shows what the game told of it."""
    play(page, game)
    crowd(game)
    game.state("Char.Vitals", hp=45, maxhp=60, level=3, gold=12)
    for name, words in {
        "Here": "a brass lamp",
        "You": "45 of 60",
        "Bag": "in hand",
        "Channels": "Cid: hello",
        "Tasks": "Bring three tails.",
    }.items():
        expect(panel(page, name)).to_contain_text(words)
        expect(panel(page, name).get_by_role("heading", name=name, exact=True, level=2)).to_have_count(1)
    expect(panel(page, "Here")).not_to_contain_text("Ann")


def test_panels_are_silent(page: Page, game: Game) -> None:
    """What a panel shows is not spoken: the game says it in words. A channel's line is spoken once."""
    play(page, game)
    page.evaluate(LISTEN)
    crowd(game)
    game.line("[chat] Cid: over here", kind="channel")
    expect(panel(page, "Channels")).to_contain_text("Cid: over here")
    game.line("The end.")
    expect(spoken(page, "polite")).to_have_text(["[chat] Cid: over here", "The end."])
    assert page.locator(".panels [aria-live], .panels [role=status]").count() == 0


def test_buttons_act(page: Page, game: Game) -> None:
    """A button sends what it says as if typed, and keeps the focus when its panel is drawn anew."""
    play(page, game)
    crowd(game)
    here = panel(page, "Here")
    here.get_by_role("button", name="north").focus()
    page.keyboard.press("Enter")
    await_typed(page, game, "north")
    game.state("Room.Info", name="The Mill", exits={"n": 3, "s": 1})
    expect(here).to_contain_text("The Mill")
    expect(here.get_by_role("button", name="north")).to_be_focused()
    game.state("Room.Info", name="The End", exits={"s": 1})
    expect(here.get_by_role("heading", name="Here")).to_be_focused()
    here.get_by_role("button", name="talk to Marta").click()
    await_typed(page, game, "talk marta")
    here.get_by_role("button", name="get a brass lamp").click()
    await_typed(page, game, "get lamp")
    panel(page, "Bag").get_by_role("button", name="remove an oar").click()
    await_typed(page, game, "remove oar")


def test_a_button_is_no_answer(page: Page, game: Game) -> None:
    """While the game asks for a password a button sends nothing, and says why."""
    play(page, game)
    crowd(game)
    game.state("Mythos.Ask", text="Your password?", secret=True)
    page.get_by_label("Your password?").wait_for()
    page.evaluate(LISTEN)
    panel(page, "Here").get_by_role("button", name="north").click()
    expect(spoken(page, "polite").last).to_have_text("Answer the question first.")
    assert game.typed() == []


def test_channels_count_what_is_unread(page: Page, game: Game) -> None:
    """Lines of a channel that is not shown are counted until it is; tells have a place beside the channels."""
    play(page, game)
    crowd(game)
    channels = panel(page, "Channels")
    game.line("[chat] Cid: shown", kind="channel")
    game.line("[newbie] Eve: one", kind="channel")
    game.line("[newbie] Eve: two", kind="channel")
    game.line("Bob tells you, psst", kind="tell", role="player")
    channels.get_by_role("button", name="newbie (2 new)").click()
    expect(channels.get_by_role("listitem")).to_have_text(["Eve: one", "Eve: two"])
    expect(channels.get_by_role("button", name="newbie", exact=True)).to_be_focused()
    channels.get_by_role("button", name="Tells (1 new)").click()
    expect(channels.get_by_role("listitem")).to_have_text(["Bob tells you, psst"])
    channels.get_by_role("button", name="chat", exact=True).click()
    expect(channels.get_by_role("listitem")).to_have_text(["Cid: hello", "Cid: shown"])
    channels.get_by_role("button", name="Write").click()
    expect(page.get_by_label("Command")).to_have_value("chat ")
    expect(page.get_by_label("Command")).to_be_focused()


def test_a_reload_keeps_the_panels(page: Page, game: Game) -> None:
    """What was drawn is drawn again, and what was unread still is."""
    play(page, game)
    crowd(game)
    game.line("[newbie] Eve: one", kind="channel")
    panel(page, "Channels").get_by_role("button", name="newbie (1 new)").wait_for()
    page.reload()
    page.get_by_text("Connected", exact=True).wait_for()
    expect(panel(page, "Channels").get_by_role("button", name="newbie (1 new)")).to_be_visible()
    expect(panel(page, "Channels")).to_contain_text("Cid: hello")
    expect(panel(page, "Here")).to_contain_text("a brass lamp")


def test_narrow_screens_show_one_at_a_time(page: Page, game: Game) -> None:
    """Panels hide behind a row of buttons that counts what is unread; nothing scrolls sideways, the field stays."""
    page.set_viewport_size({"width": 360, "height": 640})
    play(page, game)
    crowd(game)
    game.line("[chat] Cid: news", kind="channel")
    expect(panel(page, "Here")).to_be_hidden()
    tabs = page.get_by_role("navigation", name="Panels")
    channels = tabs.get_by_role("button", name="Channels (1)")
    channels.click()
    expect(panel(page, "Channels")).to_contain_text("Cid: news")
    expect(tabs.get_by_role("button", name="Channels", exact=True)).to_have_attribute("aria-expanded", "true")
    tabs.get_by_role("button", name="Here").click()
    expect(panel(page, "Channels")).to_be_hidden()
    expect(panel(page, "Here").get_by_role("button", name="north")).to_be_in_viewport()
    expect(page.get_by_label("Command")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    tabs.get_by_role("button", name="Here").click()
    expect(panel(page, "Here")).to_be_hidden()
    assert "[chat] Cid: news" in lines(page)


def test_the_log_follows_beside_a_panel_that_grows(page: Page, game: Game) -> None:
    """A panel that takes room from the log in the same moment does not stop it at an older line."""
    page.set_viewport_size({"width": 360, "height": 640})
    play(page, game)
    crowd(game)
    page.get_by_role("navigation", name="Panels").get_by_role("button", name="Here").click()
    for number in range(30):
        people = [{"name": f"Guest{one}", "word": "guest", "npc": False} for one in range(number * 7 % 10)]
        game.line(f"Line {number} of prose that has to be broken on a narrow screen.")
        game.state("Mythos.Here", dark=False, people=people, more=0, things=[], gold=0)
        await_line(page, f"Line {number} ")
    expect(page.locator(".log p").last).to_be_in_viewport()
    expect(page.get_by_role("button", name="new line")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 1000])
def test_targets_are_large_enough(page: Page, game: Game, width: int) -> None:
    """Every button is at least 24 by 24 pixels."""
    page.set_viewport_size({"width": width, "height": 640})
    play(page, game)
    crowd(game)
    page.locator(".tabs button, .panel button").first.wait_for(state="attached")
    for number in range(page.locator(".tabs button").count() if width == 360 else 1):
        if width == 360:
            page.locator(".tabs button").nth(number).click()
        boxes = page.eval_on_selector_all(
            "button", "(all) => all.filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect())"
        )
        assert min(min(box["width"], box["height"]) for box in boxes) >= 24
