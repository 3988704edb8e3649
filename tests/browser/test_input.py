"""What the command line does by itself: completion, aliases, triggers, macros, timers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_screen import LISTEN, await_line, spoken
from tests.browser.visits import Game, Watch, crowd, lines, play


@pytest.fixture
def game() -> Game:
    return Game()


def dialog(page: Page, kind: str) -> Locator:
    """Open the dialog of one kind of rules."""
    tools = page.locator("summary", has_text="Tools")
    if page.locator("details", has=tools).get_attribute("open") is None:
        tools.click()
    page.get_by_role("button", name=kind, exact=True).click()
    return page.get_by_role("dialog", name=kind)


def add(page: Page, kind: str, **fields: str) -> None:
    """Make one rule; the fields by their labels, ``_`` for a space, ``on`` for a box to be ticked."""
    form = dialog(page, kind)
    form.get_by_role("button", name="Add").click()
    for label, value in fields.items():
        field = form.get_by_label(label.replace("_", " ")).last
        if value == "on":
            field.check()
        elif field.evaluate("(one) => one.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()


def test_tab_completes(page: Page, game: Game) -> None:
    """One word that fits is finished; of several, one is chosen from a list that a screen reader follows."""
    play(page, game)
    crowd(game)
    game.state("Mythos.Commands", names=["look", "lock", "give"])
    page.get_by_role("button", name="look at Bob").wait_for()
    field = page.get_by_label("Command")
    page.keyboard.type("gi")
    page.keyboard.press("Tab")
    expect(field).to_have_value("give ")
    page.keyboard.type("la")
    page.keyboard.press("Tab")
    expect(field).to_have_value("give lamp ")
    for begun, whole in (("look bo", "look bob "), ("new", "newbie "), ("do", "down "), ("drop oa", "drop oar ")):
        field.fill(begun)
        page.keyboard.press("Tab")
        expect(field).to_have_value(whole)
    field.fill("l")
    page.keyboard.press("Tab")
    expect(field).to_have_value("lo")
    page.keyboard.press("Tab")
    options = page.get_by_role("listbox", name="Words that fit").get_by_role("option")
    expect(options).to_have_text(["look", "lock"])
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    chosen = page.get_by_role("option", name="lock", selected=True)
    expect(field).to_have_attribute("aria-activedescendant", chosen.get_attribute("id") or "")
    page.keyboard.press("Enter")
    expect(field).to_have_value("lock ")
    expect(field).to_have_attribute("aria-expanded", "false")
    assert game.typed() == []


def test_tab_is_no_trap(page: Page, game: Game) -> None:
    """With nothing to complete Tab goes on, and Escape leaves the list."""
    play(page, game)
    game.state("Mythos.Commands", names=["look", "lock"])
    field = page.get_by_label("Command")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send")).to_be_focused()
    field.fill("lo")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    field.fill("zzz")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send")).to_be_focused()


def test_an_alias_sends_what_it_stands_for(page: Page, game: Game) -> None:
    """Each command is shown and sent; the history has what was typed; a reload keeps it; a password is no alias."""
    play(page, game)
    add(page, "Aliases", Word="gg", Commands="get %1\ndrop %1")
    field = page.get_by_label("Command")
    field.fill("gg lamp")
    page.keyboard.press("Enter")
    await_line(page, "> drop lamp")
    assert game.typed() == ["get lamp", "drop lamp"]
    page.keyboard.press("ArrowUp")
    expect(field).to_have_value("gg lamp")
    game.state("Mythos.Ask", text="Password?", secret=True)
    page.get_by_label("Password?").fill("gg lamp")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Password?")).to_have_value("")
    assert game.typed()[2:] == ["gg lamp"]
    game.state("Mythos.Ask", text="", secret=False)
    page.reload()
    page.get_by_text("Connected", exact=True).wait_for()
    page.get_by_label("Command").fill("gg oar")
    page.keyboard.press("Enter")
    await_line(page, "> drop oar")


def test_triggers_highlight_hide_and_answer(page: Page, game: Game) -> None:
    """A hidden line is neither shown nor spoken; a marked one is; commands are sent once."""
    play(page, game)
    add(page, "Triggers", Words_in_the_line="spam", Hide_the_line="on")
    add(page, "Triggers", Words_in_the_line="* waves", Commands="wave %1", Highlight_the_line="on")
    page.evaluate(LISTEN)
    game.line("Some spam.")
    game.line("Bob waves.")
    await_line(page, "> wave Bob")
    expect(page.locator(".log .marked")).to_have_text(["Bob waves."])
    expect(spoken(page, "polite")).to_have_text(["Bob waves."])
    assert "Some spam." not in lines(page)
    assert game.typed() == ["wave Bob"]


def test_a_trigger_does_not_answer_a_password(page: Page, game: Game) -> None:
    """While the game asks something, no rule types into it."""
    play(page, game)
    add(page, "Triggers", Words_in_the_line="ping", Commands="pong")
    game.state("Mythos.Ask", text="Password?", secret=True)
    page.get_by_label("Password?").wait_for()
    game.line("ping")
    await_line(page, "ping")
    assert game.typed() == []


def test_a_circle_of_triggers_is_stopped(page: Page, game: Game) -> None:
    """A trigger that answers itself ends with a message, and the page goes on."""
    play(page, game)
    add(page, "Triggers", Words_in_the_line="echo", Commands="echo")
    for _ in range(40):
        game.line("echo")
    await_line(page, "Triggers and timers are stopped")
    page.get_by_label("Command").fill("look")
    page.keyboard.press("Enter")
    await_line(page, "> look")
    assert game.typed() == ["echo"] * 30 + ["look"]


def test_a_macro_is_a_button_and_a_key(page: Page, game: Game) -> None:
    """Both send its commands, from wherever the focus is, but not behind a dialog."""
    play(page, game)
    add(page, "Macros", Label="Home", Key="F8", Commands="recall")
    page.get_by_role("group", name="Macros").get_by_role("button", name="Home").click()
    page.locator(".log").focus()
    page.keyboard.press("F8")
    expect(page.locator(".log p", has_text="> recall")).to_have_count(2)
    dialog(page, "Macros")
    page.keyboard.press("F8")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert game.typed() == ["recall", "recall"]


def test_a_timer_sends_again_and_again(page: Page, game: Game) -> None:
    """Every so many seconds, while it is on and the link is there."""
    page.clock.install()
    play(page, game)
    page.clock.run_for(2000)
    add(page, "Timers", Seconds="10", Commands="look")
    page.clock.run_for(21_000)
    page.locator(".log p", has_text="> look").nth(1).wait_for()
    assert game.typed()[0] == "look"


def test_a_mistake_is_told_at_its_field(page: Page, game: Game) -> None:
    """Nothing is kept and nothing is lost until it is put right; the focus returns when the dialog closes."""
    play(page, game)
    form = dialog(page, "Aliases")
    form.get_by_role("button", name="Add").click()
    form.get_by_label("Word").fill("two words")
    form.get_by_label("Commands").fill("look")
    form.get_by_role("button", name="Save").click()
    expect(form.locator(".error")).to_contain_text("Aliases, number 1, Word: one word of up to 20 letters.")
    expect(form.get_by_label("Word")).to_be_focused()
    expect(form.get_by_label("Commands")).to_have_value("look")
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()
    expect(page.get_by_role("button", name="Aliases")).to_be_focused()
    assert page.evaluate("localStorage.getItem('mythos.rules')") is None


def test_rules_go_out_and_come_in(page: Page, game: Game, watch: Watch, tmp_path: Path) -> None:
    """A file has all kinds; one that is no such file changes nothing and says so."""
    play(page, game)
    add(page, "Aliases", Word="s", Commands="say %*")
    form = dialog(page, "Timers")
    with page.expect_download() as waiting:
        form.get_by_role("button", name="Export all rules").click()
    saved = tmp_path / "rules.json"
    waiting.value.save_as(saved)
    rules = json.loads(saved.read_text())
    assert rules["aliases"] == [{"name": "s", "does": "say %*"}]
    bad = tmp_path / "bad.json"
    bad.write_text("{not json")
    form.locator("input[type=file]").set_input_files(bad)
    expect(form.locator(".error")).to_have_text("That is no file of rules. Nothing was changed.")
    rules["aliases"][0]["name"] = "ss"
    saved.write_text(json.dumps(rules))
    form.locator("input[type=file]").set_input_files(saved)
    expect(form).to_be_hidden()
    page.get_by_label("Command").fill("ss hello")
    page.keyboard.press("Enter")
    await_line(page, "> say hello")
    assert watch.errors == []


def test_a_dialog_is_heard_over(page: Page, game: Game) -> None:
    """What the game says while a dialog is open is in a live region inside it, as all else is out of reach."""
    play(page, game)
    dialog(page, "Aliases")
    expect(page.locator("dialog #polite")).to_have_count(1)
    game.line("A bell rings.")
    expect(page.locator("dialog #polite")).to_contain_text("A bell rings.")
    page.keyboard.press("Escape")
    expect(page.locator("body > #polite, body > #alert")).to_have_count(2)
