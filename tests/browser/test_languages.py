"""Words of the page and of the world: each of the page's can be another language's, and lines of any script work."""

from __future__ import annotations

import re
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_listening import room
from tests.browser.test_screen import await_line
from tests.browser.visits import SHELF, Game, Watch, crowd, lines, play, serve_client

#: A language that nobody speaks, in the place of German: every word of the page in brackets.
PSEUDO: Final = """
import { ENGLISH } from "./strings.js";
const mark = (value) => typeof value === "string" ? `⟦${value}⟧`
    : Object.fromEntries(Object.entries(value).map(([key, text]) => [key, mark(text)]));
export const GERMAN = { ...mark(ENGLISH), language: "de" };
"""
#: All words of the page that somebody reads or hears, but for the lines of the game.
WORDS: Final = """() => {
    const found = [document.title];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const parent = walk.currentNode.parentElement;
        if (!parent.closest("noscript, .log p:not([lang=de])")) found.push(walk.currentNode.data);
    }
    for (const one of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]")) {
        for (const name of ["aria-label", "title", "placeholder", "alt"]) found.push(one.getAttribute(name) ?? "");
    }
    return found.filter((text) => text.trim());
}"""
#: What the game says in `crowd` and `room`, and names of keys.
GAME: Final = re.compile(
    r"Ann|Bob|Marta|a brass lamp|a sign|an oar|Rats|Bring three tails\.|The lamp|chat|newbie|Cid: hello|Harbour|Quay|"
    r"Market|Guest7|sneeze|What now|F\d+|Numpad\w+"
)


@pytest.fixture
def game() -> Game:
    return Game()


def foreign(page: Page) -> list[str]:
    """Words in no brackets that are not the game's."""
    found = []
    for text in page.evaluate(WORDS):
        bare = text
        while (inner := re.sub(r"⟦[^⟦⟧]*⟧", "", bare)) != bare:
            bare = inner
        if re.search(r"[A-Za-z]", GAME.sub("", bare)):
            found.append(text)
    return found


def test_no_word_is_left_in_english(browser: Browser, game: Game) -> None:
    """On the way in, in play, in every dialog with its errors, when the link is lost, and at the end."""
    context = browser.new_context(locale="de-DE", viewport={"width": 1280, "height": 800})
    page = context.new_page()
    serve_client(page)
    page.route(
        f"{SHELF}/static/x/js/german.js",
        lambda route: route.fulfill(status=200, content_type="text/javascript; charset=utf-8", body=PSEUDO),
    )
    game.on(page)
    left: dict[str, list[str]] = {}
    for path in ("/claim", "/play"):
        page.goto(SHELF + path)
        page.locator("[type=submit]").click()
        page.locator(".error", has_text="⟦").first.wait_for()
        left[path] = foreign(page)
    page.get_by_role("button", name="⟦Play as a guest⟧").click()
    page.get_by_text("⟦Connected⟧", exact=True).wait_for()
    crowd(game)
    room(game, 1, "Quay", 0, 0, n=2, sneeze=3)
    room(game, 2, "Market", 0, 1, s=1, d=3)
    game.state("Char.Vitals", hp=4, maxhp=60, nerve=7, maxnerve=10, breath=1, maxbreath=2, mana=1, maxmana=1, level=2)
    game.state("Mythos.Tasks", open=[], offered=[{"title": "Rats", "text": "Bring three tails."}], done=["The lamp"])
    game.line("[chat] Cid: hello", kind="channel")
    game.record(t="gap", missed=3)
    page.locator(".gauge.low").first.wait_for()
    page.locator(".log [lang=de]").wait_for()
    left["play"] = foreign(page)
    page.locator("summary").nth(1).click()
    page.locator("summary").first.click()
    tools = page.locator("details", has=page.locator("summary", has_text="⟦Tools⟧")).get_by_role("button")
    for name in ("Aliases", "Triggers", "Macros", "Timers", "Settings"):
        tools.get_by_text(f"⟦{name}⟧", exact=True).click()
        if name != "Settings":
            page.get_by_role("button", name="⟦Add⟧").click()
            page.get_by_role("dialog").get_by_label("⟦").last.evaluate("(one) => { one.value = ''; }")
            page.get_by_role("button", name="⟦Save⟧").click()
        left[name] = foreign(page)
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="hidden")
    game.state("Mythos.Commands", names=["chat", "Cid: hello"])
    game.state("Mythos.Ask", text="What now", secret=True)
    page.get_by_label("What now").wait_for()
    left["ask"] = foreign(page)
    game.away = True
    game.cut()
    page.locator(".link[data-state=lost]").wait_for()
    left["lost"] = foreign(page)
    game.away = False
    page.get_by_text("⟦Connected⟧", exact=True).wait_for()
    game.cut(4001, "takeover")
    page.get_by_role("button", name="⟦Go on here⟧").wait_for()
    left["ended"] = foreign(page)
    context.close()
    assert len(left) == 11
    assert {where: words for where, words in left.items() if words} == {}


def test_lines_of_any_script(page: Page, game: Game, watch: Watch) -> None:
    """A line runs as its script does, in the log and in the field, and goes out as it was typed."""
    play(page, game)
    game.line("שלום עולם")
    game.line("Hello")
    await_line(page, "Hello")
    direction = "(one) => getComputedStyle(one).direction"
    assert [page.locator(".log p").nth(n).evaluate(direction) for n in (0, 1)] == ["rtl", "ltr"]
    field = page.get_by_label("Command")
    field.fill("אמור שלום")
    assert field.evaluate(direction) == "rtl"
    page.keyboard.press("Enter")
    expect(page.locator(".log p", has_text="> אמור")).to_be_visible()
    assert game.typed() == ["אמור שלום"]
    assert watch.errors == []


def test_words_are_composed(page: Page, game: Game) -> None:
    """While an input method composes, its keys are its own: nothing is sent, completed or taken from the history."""
    play(page, game)
    game.state("Mythos.Commands", names=["look", "lock"])
    page.keyboard.type("look\n")
    await_line(page, "> look")
    session = page.context.new_cdp_session(page)
    session.send("Input.imeSetComposition", {"text": "にほん", "selectionStart": 3, "selectionEnd": 3})
    field = page.get_by_label("Command")
    expect(field).to_have_value("にほん")
    keys = """(field) => ["ArrowUp", "Tab", "Enter", "1"].map((key) => field.dispatchEvent(new KeyboardEvent(
        "keydown", {key, isComposing: true, bubbles: true, cancelable: true, ctrlKey: key === "1"})))"""
    assert field.evaluate(keys) == [True] * 4
    expect(field).to_have_value("にほん")
    session.send("Input.insertText", {"text": "日本"})
    page.keyboard.press("Enter")
    await_line(page, "> 日本")
    assert game.typed() == ["look", "日本"]
    assert lines(page)[-1] == "> 日本"
