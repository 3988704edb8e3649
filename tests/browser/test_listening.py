"""Playing by ear and by keys alone: what the accessibility tree has, what is read on request."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_screen import LISTEN, await_line, spoken
from tests.browser.visits import Game, crowd, play

#: Controls that a screen reader would call by no name, ids that stand twice, and references that lead nowhere.
FAULTS = """() => {
    const shown = (node) => node.checkVisibility() && !node.closest("[aria-hidden=true]");
    const faults = [];
    for (const node of document.querySelectorAll("button, a[href], input, select, textarea, summary")) {
        const words = node.textContent.trim() || node.labels?.[0]?.textContent.trim();
        const label = node.getAttribute("aria-label") || words;
        if (shown(node) && !label) faults.push(`no name: ${node.outerHTML}`);
    }
    const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
    faults.push(...ids.filter((id, n) => ids.indexOf(id) < n).map((id) => `twice: ${id}`));
    for (const name of ["for", "aria-labelledby", "aria-describedby", "aria-controls", "aria-activedescendant"]) {
        for (const node of document.querySelectorAll(`[${name}]`)) {
            for (const id of node.getAttribute(name).split(" ")) {
                if (!document.getElementById(id)) faults.push(`${name} leads nowhere: ${id}`);
            }
        }
    }
    for (const node of document.querySelectorAll("ul, ol")) {
        const stray = [...node.children].some((child) => child.tagName !== "LI");
        if (stray) faults.push(`no list item in ${node.outerHTML.slice(0, 80)}`);
    }
    return faults;
}"""


@pytest.fixture
def game() -> Game:
    return Game()


def room(game: Game, num: int, name: str, x: int, y: int, **exits: int) -> None:
    game.state("Room.Info", num=num, name=name, area="Harbour", coord={"x": x, "y": y, "z": 0}, exits=exits)


def test_the_tree_is_whole(page: Page, game: Game) -> None:
    """Everything has a name, every reference leads somewhere: on the way in, in play, in each dialog."""
    play(page, game)
    crowd(game)
    room(game, 1, "Quay", 0, 0, n=2)
    page.get_by_role("img", name="Map of Harbour, 1 room").wait_for()
    assert page.evaluate(FAULTS) == []
    page.locator("summary", has_text="Tools").click()
    for name in ("Aliases", "Triggers", "Macros", "Timers", "Settings"):
        page.get_by_role("button", name=name, exact=True).click()
        form = page.get_by_role("dialog", name=name)
        if name != "Settings":
            form.get_by_role("button", name="Add").click()
        assert page.evaluate(FAULTS) == []
        page.keyboard.press("Escape")
        expect(form).to_be_hidden()


def test_the_tree_of_play(page: Page, game: Game) -> None:
    """What a screen reader walks through, in order: banner, main with log and field, panels, status."""
    play(page, game)
    crowd(game)
    game.line("The rain stops.")
    await_line(page, "rain stops")
    tree = page.locator("body").aria_snapshot()
    order = ["banner:", "main:", 'log "Game output"', "combobox", 'button "Send"', 'region "Here"', 'region "Map"']
    places = [tree.find(part) for part in [*order, 'region "Status"']]
    assert -1 not in places and places == sorted(places), tree
    assert 'heading "Mythos" [level=1]' in tree


def test_every_panel_is_reached_by_keys(page: Page, game: Game) -> None:
    """Tab alone comes to each button of each panel and on to the end of the page; each shows where the focus is."""
    play(page, game)
    crowd(game)
    room(game, 1, "Quay", 0, 0, n=2)
    page.get_by_role("img", name="Map of Harbour").wait_for()
    page.get_by_role("button", name="newbie").wait_for()
    wanted = page.locator(".panel button").count()
    seen: list[str] = []
    page.get_by_label("Command").focus()
    for _ in range(wanted + 4):
        page.keyboard.press("Tab")
        here = "(one) => one.closest('.panel') ? [one.tagName, getComputedStyle(one).outlineStyle] : null"
        found = page.evaluate(f"({here})(document.activeElement)")
        if found:
            assert found[1] != "none"
            seen += [found[0]] if found[0] == "BUTTON" else []
    assert len(seen) == wanted


def test_lines_are_gone_through_by_keys(page: Page, game: Game) -> None:
    """Alt and the arrows read line after line, and another buffer; the focus stays and nothing is sent."""
    play(page, game)
    game.line("Fog comes in.", kind="room")
    game.line("Bob tells you, hello", kind="tell", role="player")
    game.line("+--+", kind="map")
    game.line("Ann says, hi")
    await_line(page, "Ann says")
    expect(page.locator("#polite")).to_contain_text("Ann says")
    expect(page.locator("#polite")).to_be_empty()
    page.evaluate(LISTEN)
    for key in ("ArrowUp", "ArrowUp", "ArrowDown", "ArrowRight", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(f"Alt+{key}")
    expect(spoken(page, "polite")).to_have_text([
        "Ann says, hi", "Bob tells you, hello", "Ann says, hi", "Room, 1 line", "Fog comes in.", "Everything, 3 lines",
    ])  # fmt: skip
    expect(page.get_by_label("Command")).to_be_focused()
    assert game.typed() == []


def test_speech_is_paused(page: Page, game: Game) -> None:
    """Paused, lines are not spoken, alerts are, and what is asked for too."""
    play(page, game)
    page.evaluate(LISTEN)
    page.keyboard.press("Alt+p")
    game.line("unheard")
    game.line("Bob tells you, hello", kind="tell", role="player")
    await_line(page, "Bob tells")
    page.keyboard.press("Control+2")
    page.keyboard.press("Alt+p")
    expect(spoken(page, "polite")).to_have_text(["Speech is paused.", "unheard", "Speech goes on."])
    expect(spoken(page, "alert")).to_have_text(["Bob tells you, hello"])


def test_the_map_has_a_twin_in_words(page: Page, game: Game) -> None:
    """Drawn from the rooms one has seen; the twin and a key say where the ways lead; a click walks."""
    play(page, game)
    room(game, 1, "Quay", 0, 0, n=2)
    room(game, 2, "Market", 0, 1, s=1, e=3)
    region = page.get_by_role("region", name="Map", exact=True)
    expect(region.get_by_role("img")).to_have_accessible_name("Map of Harbour, 2 rooms")
    expect(region.get_by_role("listitem")).to_have_text(["south: Quay", "east: not seen yet"])
    page.evaluate(LISTEN)
    page.keyboard.press("Alt+m")
    expect(spoken(page, "polite")).to_have_text(["Market. south: Quay. east: not seen yet"])
    region.locator("rect.next").click()
    await_line(page, "> south")
    assert game.typed() == ["south"]
    assert region.locator("rect").count() == 2
    page.reload()
    page.get_by_text("Connected", exact=True).wait_for()
    expect(region.get_by_role("listitem").first).to_have_text("south: Quay")


def test_keys_are_listed(page: Page, game: Game) -> None:
    """Every key of the page stands in its list."""
    play(page, game)
    page.locator("summary", has_text=re.compile("^Keys$")).click()
    listed = page.locator(".keys li").all_inner_texts()
    for key in ("Up and Down", "Tab", "Control and a digit", "Alt with Up", "Alt with Left", "Alt and P", "Alt and M"):
        assert any(key in text for text in listed), key
