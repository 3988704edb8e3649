"""What a screen reader hears of a game: every line once, in order, in time; and what its player may choose of that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_house import await_link, enter, last_line, say
from tests.browser.test_screen import LISTEN, await_line, spoken
from tests.browser.test_settings import COUNT, settings
from tests.browser.visits import Game, play
from tests.house.server import Server

#: When each line of the game came into the log, and its words.
CAME = """() => {
    const came = window.came = new Map();
    new MutationObserver(() => {
        for (const line of document.querySelectorAll(".log p:not(.kind-echo, .kind-map)")) {
            if (!came.has(line)) came.set(line, [performance.now(), line.textContent]);
        }
    }).observe(document.body, {childList: true, subtree: true});
}"""


@pytest.fixture
def game() -> Game:
    return Game()


def test_a_game_by_ear(page: Page, new_page: Callable[[], Page], tmp_path: Path) -> None:
    """Of a real game each line is heard once, in its order, within 1.5 s; what was typed is not; panels and status are
    silent."""
    with Server(tmp_path / "house") as house:  # of one's own: in a crowd not everybody is named
        other = new_page()
        friend = enter(other, house.url(""))
        page.goto(house.url("/play"))
        page.evaluate(CAME)
        page.evaluate(LISTEN)
        page.get_by_role("button", name="Play as a guest").click()
        await_link(page)
        expect(last_line(page, f"{friend} is here")).to_be_visible()
        for line in ("look board", "south", "north", "inventory", "wave", "dance", "xyzzy", "commands", "settings"):
            page.get_by_label("Command").fill(line)
            page.keyboard.press("Enter")
            say(other, f"after {line}")
        expect(last_line(page, f'{friend} says, "after settings"')).to_be_visible()
        say(page, "the end")
        expect(last_line(page, 'You say, "the end"')).to_be_visible()
        expect(spoken(page, "polite").last).to_have_text('You say, "the end"')
        came = page.evaluate("[...came.values()]")
        heard = page.evaluate(
            "[...document.querySelectorAll('#heard li')].map((one) => [+one.dataset.at, one.textContent])"
        )
    assert len(came) > 40
    assert [text for _, text in heard] == [text for _, text in came if text.strip()]
    waits = [said - at for (said, _), (at, _) in zip(heard, [one for one in came if one[1].strip()], strict=True)]
    assert max(waits) < 1500, max(waits)


def test_what_is_spoken_is_chosen(page: Page, game: Game) -> None:
    """Comings and goings are a tone once tones are on, with a sign to be seen; what is silent is only shown. One's own
    doings, tells and everything else are spoken all the same."""
    page.add_init_script(COUNT)
    play(page, game)
    page.evaluate(LISTEN)
    tones = page.locator("html")

    def others(number: int) -> None:
        game.record(
            t="line", kind="move", text=f"Bob arrives {number}.", spans=[["Bob", "player"], [" arrives.", None]]
        )
        game.record(t="line", kind="say", text=f"Bob says {number}", spans=[["Bob", "player"], [" says", None]])
        game.line(f"[chat] Bob: {number}", kind="channel")
        game.line(f"A rat bites you {number}.", kind="combat")
        game.line(f"You go north {number}.", kind="move")
        game.line(f"A room {number}.", kind="room")
        game.line(f"Bob tells you, {number}", kind="tell", role="player")
        page.locator("#alert", has_text=f"Bob tells you, {number}").wait_for()

    others(1)
    form = settings(page)
    form.get_by_label("Tones").check()
    form.get_by_label("What others say and do").select_option("silent")
    form.get_by_label("Channels").select_option("sound")
    form.get_by_label("Fights").select_option("silent")
    form.get_by_role("button", name="Close").click()
    assert tones.get_attribute("data-tones") is None
    game.record(t="line", kind="move", text="Bob leaves.", spans=[["Bob", "player"], [" leaves.", None]])
    expect(page.get_by_role("region", name="Status")).to_contain_text("♪ Others coming and going")
    others(2)
    expect(tones).to_have_attribute("data-tones", "4")
    expect(page.get_by_role("region", name="Status")).to_contain_text("♪ Tell")
    expect(spoken(page, "polite")).to_have_text([
        "Bob arrives 1.", "Bob says 1", "[chat] Bob: 1", "A rat bites you 1.", "You go north 1.", "A room 1.",
        "You go north 2.", "A room 2.",
    ])  # fmt: skip
    expect(spoken(page, "alert")).to_have_text(["Bob tells you, 1", "Bob tells you, 2"])
    expect(page.get_by_role("region", name="Status")).not_to_contain_text("♪")


def test_the_state_of_the_link_is_an_alert(page: Page, game: Game) -> None:
    """Lost, if it does not heal at once; and back again. What was typed meanwhile is no alert."""
    page.clock.install()
    play(page, game)
    page.evaluate(LISTEN)
    game.away = True
    game.cut()
    page.locator(".link[data-state=lost]").wait_for()
    page.get_by_label("Command").fill("look")
    page.keyboard.press("Enter")
    page.clock.run_for(1100)
    expect(spoken(page, "alert")).to_have_text(["The link is lost. Trying again."])
    game.away = False
    while page.locator(".link[data-state=live]").count() == 0:
        page.clock.run_for(1000)
    expect(spoken(page, "alert")).to_have_text(["The link is lost. Trying again.", "The link is back."])
    assert game.typed() == ["look"]


def test_a_link_that_heals_at_once_is_not_spoken_of(page: Page, game: Game) -> None:
    """Half a second without a link is nobody's business."""
    page.clock.install()
    page.add_init_script("Math.random = () => 0.01;")
    play(page, game)
    page.evaluate(LISTEN)
    game.cut()
    page.clock.run_for(100)
    page.locator(".link[data-state=live]").wait_for()
    page.clock.run_for(3000)
    game.line("Go on.")
    await_line(page, "Go on.")
    page.clock.run_for(1000)
    expect(spoken(page, "polite").last).to_have_text("Go on.")
    expect(spoken(page, "alert")).to_have_count(0)


def test_the_account_knows_of_the_screen_reader(page: Page, house: Server) -> None:
    """Chosen on the page it counts everywhere, chosen by a command the page knows."""
    enter(page, house.url(""))
    form = settings(page)
    box = form.get_by_label("I use a screen reader")
    expect(box).not_to_be_checked()
    box.check()
    form.get_by_role("button", name="Close").click()
    expect(last_line(page, "screenreader is on")).to_be_visible()
    page.get_by_label("Command").fill("sr off")
    page.keyboard.press("Enter")
    expect(last_line(page, "Screen reader mode is off")).to_be_visible()
    page.get_by_role("button", name="Settings").click()
    expect(box).not_to_be_checked()


def test_a_screen_reader_has_its_keys(page: Page, game: Game) -> None:
    """With it, a letter typed in the log stays there, for it may be one of its commands; without it, it is a word's
    beginning. A character who never chose gets what the browser knows."""
    play(page, game)
    game.state("Mythos.Settings", screenreader="on")
    game.line("Ready.")
    await_line(page, "Ready.")
    log = page.get_by_role("log")
    log.focus()
    page.keyboard.press("h")
    expect(log).to_be_focused()
    page.reload()
    page.get_by_text("Connected", exact=True).wait_for()
    game.state("Mythos.Settings", screenreader="")
    await_line(page, "> settings screenreader on")
    game.state("Mythos.Settings", screenreader="off")
    game.line("Again.")
    await_line(page, "Again.")
    log.focus()
    page.keyboard.press("h")
    expect(page.get_by_label("Command")).to_be_focused()
    assert game.typed() == ["settings screenreader on"]
