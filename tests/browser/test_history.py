"""What was typed: kept for each character, found again by its beginning, and never a password."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_screen import await_line
from tests.browser.visits import Game, play


@pytest.fixture
def game() -> Game:
    return Game()


def press(page: Page, *steps: tuple[str, str]) -> None:
    """Press keys; behind each stands what the field shows then."""
    for key, shown in steps:
        page.keyboard.press(key)
        expect(page.get_by_label("Command")).to_have_value(shown)


def test_lines_that_begin_alike(page: Page, game: Game) -> None:
    """Shift and the arrows find what begins as the draft does; the draft comes back behind it."""
    play(page, game)
    for line in ("say one", "look", "say two", "north"):
        page.keyboard.type(f"{line}\n")
    page.keyboard.type("say")
    press(
        page,
        ("Shift+ArrowUp", "say two"), ("Shift+ArrowUp", "say one"), ("Shift+ArrowUp", "say one"),
        ("Shift+ArrowDown", "say two"), ("ArrowUp", "look"), ("Shift+ArrowDown", "say two"), ("Shift+ArrowDown", "say"),
        ("Shift+ArrowDown", "say"),
    )  # fmt: skip


def test_each_character_has_its_own(page: Page, new_page: Callable[[], Page]) -> None:
    """In another tab, and after quitting; another character sees nothing of it; a password is nowhere."""
    games = {name: Game(name=name) for name in ("Ann", "Bob")}
    play(page, games["Ann"])
    games["Ann"].state("Char.Name", name="Ann")
    page.keyboard.type("say ann was here\n")
    games["Ann"].state("Mythos.Ask", text="Your password?", secret=True)
    page.get_by_label("Your password?").wait_for()
    page.keyboard.type("hunter22hunter\n")
    games["Ann"].state("Mythos.Ask", text="", secret=False)
    page.get_by_label("Command").fill("password hunter22hunter")
    page.keyboard.press("Enter")
    await_line(page, "> password •••")
    games["Ann"].cut(1000, "quit")
    page.get_by_role("button", name="Come in again").wait_for()
    page.goto("about:blank")
    for name, shown in (("Bob", ""), ("Ann", "say ann was here")):
        other = page.context.new_page()
        play(other, games[name])
        press(other, ("ArrowUp", shown), ("ArrowUp", shown))
        kept = other.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
        assert "hunter22hunter" not in kept
        other.close()


def test_a_reload_keeps_what_is_being_typed(page: Page, game: Game) -> None:
    """But not if it is a password."""
    play(page, game)
    page.keyboard.type("half a line")
    page.reload()
    page.get_by_text("Connected", exact=True).wait_for()
    field = page.get_by_label("Command")
    expect(field).to_have_value("half a line")
    game.state("Mythos.Ask", text="Your password?", secret=True)
    page.get_by_label("Your password?").fill("hunter22hunter")
    page.reload()
    expect(page.get_by_label("Your password?")).to_have_value("")
    assert "hunter22hunter" not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
