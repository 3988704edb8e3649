"""What players choose about the page: colours, letters, language, sound; and the log as a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.test_input import add
from tests.browser.test_screen import await_line
from tests.browser.visits import Game, Watch, crowd, lines, play, visit

#: Count tones and notifications instead of making them.
COUNT = """
    let tones = 0;
    OscillatorNode.prototype.start = () => { document.documentElement.dataset.tones = tones += 1; };
    OscillatorNode.prototype.stop = () => {};
    window.Notification = class {
        static permission = "default";
        static async requestPermission() { this.permission = "granted"; return "granted"; }
        constructor(title, {body}) { document.documentElement.dataset.note = body; }
    };
    Object.defineProperty(document, "hidden", {get: () => Boolean(window.away)});
"""


@pytest.fixture
def game() -> Game:
    return Game()


def settings(page: Page) -> Locator:
    page.locator("summary", has_text="Tools").click()
    page.get_by_role("button", name="Settings").click()
    return page.get_by_role("dialog", name="Settings")


def ground(page: Page) -> str:
    found: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return found


def test_themes_follow_the_system_until_chosen(page: Page, game: Game) -> None:
    """Dark and light as the system is; a choice stays, over a reload too."""
    page.emulate_media(color_scheme="dark")
    play(page, game)
    dark = ground(page)
    page.emulate_media(color_scheme="light")
    light = ground(page)
    assert dark != light
    form = settings(page)
    form.get_by_label("Colours").select_option("Dark")
    assert ground(page) == dark
    form.get_by_label("Colours").select_option("High contrast")
    assert ground(page) == "rgb(0, 0, 0)"
    form.get_by_label("Size of letters").select_option("Huge")
    page.keyboard.press("Escape")
    page.reload()
    page.get_by_text("Connected", exact=True).wait_for()
    assert ground(page) == "rgb(0, 0, 0)"
    assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") == 24


def test_silent_until_asked(page: Page, game: Game) -> None:
    """A tell makes no sound and no notification until its player switched them on, and then both."""
    page.add_init_script(COUNT)
    play(page, game)
    page.evaluate("window.away = true")
    game.line("Bob tells you, one", kind="tell", role="player")
    page.locator("#alert", has_text="one").wait_for()
    assert (
        page.evaluate("[document.documentElement.dataset.tones, document.documentElement.dataset.note]") == [None] * 2
    )
    page.evaluate("window.away = false")
    form = settings(page)
    form.get_by_label("Notify me").check()
    form.get_by_label("Tones").check()
    form.get_by_role("button", name="Close").click()
    page.evaluate("window.away = true")
    game.line("Bob tells you, two", kind="tell", role="player")
    expect(page.locator("html")).to_have_attribute("data-note", "Bob tells you, two")
    expect(page.locator("html")).to_have_attribute("data-tones", "1")


def test_a_trigger_calls(page: Page, game: Game) -> None:
    """A trigger may call for its player, by what is switched on."""
    page.add_init_script(COUNT)
    page.add_init_script("localStorage.setItem('mythos.settings', '{\"sound\": true}')")
    play(page, game)
    add(page, "Triggers", Words_in_the_line="bell", Call_me="on")
    game.line("A bell rings.")
    expect(page.locator("html")).to_have_attribute("data-tones", "1")
    expect(page.get_by_role("region", name="Status")).to_contain_text("♪ Trigger")


EVIL = "<img src=x onerror=alert(1)></p></body>&amp;"


def saved_log(page: Page, button: str, path: Path) -> str:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button, exact=True).click()
    waiting.value.save_as(path)
    return path.read_text(encoding="utf-8")


def test_the_log_goes_out_as_it_was_shown(page: Page, game: Game, watch: Watch, tmp_path: Path) -> None:
    """As plain text, as a page and as JSON lines: a line for each line, with its kind and its roles; what players wrote
    is words in each."""
    play(page, game)
    game.line("<b>not bold</b>")
    game.line("")
    game.line(f"{EVIL} tells you, {EVIL}", kind="tell", role="player")
    page.get_by_label("Command").fill(f"say {EVIL}")
    page.keyboard.press("Enter")
    game.line("Grüße, 世界, שלום", kind="room")
    await_line(page, "世界")
    shown = lines(page)
    assert len(shown) == 5
    page.locator("summary", has_text="Tools").click()
    assert saved_log(page, "Save the log", tmp_path / "log.txt").splitlines() == shown
    rows = [
        json.loads(line) for line in saved_log(page, "Save the log as JSON lines", tmp_path / "log.jsonl").splitlines()
    ]
    assert [row["text"] for row in rows] == shown
    assert ["".join(text for text, _ in row["spans"]) for row in rows] == shown
    assert (rows[2]["kind"], rows[2]["spans"][0][1]) == ("tell", "player")
    saved_log(page, "Save the log as a page", tmp_path / "log.html")
    other = page.context.new_page()
    watch.on(other)
    other.goto((tmp_path / "log.html").as_uri())
    assert other.locator("p").all_text_contents() == shown
    assert other.locator("p").nth(2).evaluate("(one) => getComputedStyle(one).borderLeftWidth") == "3px"
    assert other.locator("img").count() == 0
    assert watch.errors == []


def test_the_volume_is_chosen(page: Page, game: Game) -> None:
    """A tone is as loud as was chosen; at nought there is none, and no sign of one."""
    page.add_init_script(
        "localStorage.setItem('mythos.settings', '{\"sound\": true}'); const Gain = window.GainNode;"
        "window.GainNode = class extends Gain { constructor(audio, how) { super(audio, how);"
        " document.documentElement.dataset.gain = how.gain; } };"
    )
    play(page, game)
    gains = []
    for number, volume in enumerate(("100", "50", "0")):
        form = settings(page) if number == 0 else page.get_by_role("dialog", name="Settings")
        if number:
            page.get_by_role("button", name="Settings").click()
        form.get_by_label("Volume").fill(volume)
        form.get_by_role("button", name="Close").click()
        page.evaluate("delete document.documentElement.dataset.gain")
        game.line(f"Bob tells you, {number}", kind="tell", role="player")
        await_line(page, f"Bob tells you, {number}")
        gains.append(page.locator("html").get_attribute("data-gain"))
    assert gains == ["0.25", "0.125", None]


@pytest.fixture
def german(browser: Browser, watch: Watch) -> Callable[[], Page]:
    """A visitor whose browser prefers German."""

    def make() -> Page:
        context = browser.new_context(locale="de-DE", viewport={"width": 360, "height": 640})
        page = context.new_page()
        watch.on(page)
        return page

    return make


def test_german(german: Callable[[], Page], game: Game, watch: Watch) -> None:
    """The page speaks the browser's language, says so, and still sends the game's words; those keep their own."""
    page = german()
    visit(page)
    assert page.locator("html").get_attribute("lang") == "de"
    game.on(page)
    page.get_by_role("button", name="Als Gast spielen").click()
    page.get_by_text("Verbunden", exact=True).wait_for()
    crowd(game)
    game.line("The rain stops.")
    page.get_by_role("button", name="Hier").click()
    page.get_by_role("region", name="Hier").get_by_role("button", name="Norden").click()
    await_line(page, "> north")
    assert game.typed() == ["north"]
    assert page.locator(".log").get_attribute("lang") == "en"
    game.record(t="gap", missed=2)
    expect(page.locator(".log [lang=de]")).to_have_text("2 Zeilen konnten nicht aufgehoben werden")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.reload()
    page.get_by_text("Verbunden", exact=True).wait_for()
    page.locator("summary", has_text="Werkzeuge").click()
    page.get_by_role("button", name="Einstellungen").click()
    page.get_by_label("Sprache dieser Seite").select_option("English")
    page.reload()
    page.get_by_text("Connected", exact=True).wait_for()
    assert watch.errors == []
    page.context.close()


@pytest.mark.parametrize("size", [(320, 640), (360, 640), (640, 360)])
@pytest.mark.parametrize("letters", ["normal", "huge"])
def test_small_screens(page: Page, game: Game, size: tuple[int, int], letters: str) -> None:
    """Nothing scrolls sideways with a panel or a dialog open, and the command field stays in view."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.add_init_script(f"localStorage.setItem('mythos.settings', '{{\"size\": \"{letters}\"}}')")
    play(page, game)
    crowd(game)
    game.line("A fairly long line of prose that has to be broken on a narrow screen. " * 3)
    await_line(page, "fairly long")
    page.get_by_role("button", name="Here").click()
    expect(page.get_by_label("Command")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    form = settings(page)
    assert form.evaluate("(one) => one.scrollWidth <= one.clientWidth && one.getBoundingClientRect().right") <= size[0]
