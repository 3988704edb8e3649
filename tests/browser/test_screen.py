"""What is seen and heard of the client, in a real browser against a scripted game."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from mythos.wire.message import Role
from tests.browser.visits import SHELF, Game, Watch, crowd, lines, play, serve_client, visit

#: A screen reader that is not there: what it would say, how and when, in a list. It goes by live regions wherever they
#: are, not by ours, so that it hears what should be silent too.
LISTEN = """() => {
    const roles = {alert: "assertive", status: "polite", log: "polite"};
    const politeness = (node) => {
        for (; node; node = node.parentElement) {
            if (node.hidden || node.getAttribute("aria-hidden") === "true") return "off";
            const live = node.getAttribute("aria-live") ?? roles[node.getAttribute("role")];
            if (live) return live;
        }
        return "off";
    };
    const heard = document.body.appendChild(document.createElement("ol"));
    heard.id = "heard";
    heard.hidden = true;
    new MutationObserver((changes) => {
        for (const {type, target, addedNodes} of changes) {
            for (const node of type === "characterData" ? [target] : addedNodes) {
                const live = politeness(node.nodeType === 1 ? node : node.parentElement);
                if (live === "off" || !node.textContent) continue;
                for (const text of node.textContent.split("\\n")) {
                    const item = document.createElement("li");
                    item.className = live === "assertive" ? "alert" : live;
                    item.dataset.at = performance.now();
                    item.textContent = text;
                    heard.append(item);
                }
            }
        }
    }).observe(document.body, {childList: true, characterData: true, subtree: true});
}"""


@pytest.fixture
def game() -> Game:
    return Game()


def spoken(page: Page, region: str) -> Locator:
    """All that was put into a live region since ``LISTEN``."""
    return page.locator(f"#heard .{region}")


def await_line(page: Page, text: str) -> None:
    page.locator(".log p", has_text=text).last.wait_for()


def test_a_guest_plays_after_one_action(page: Page, game: Game, watch: Watch) -> None:
    """One click, and the command line has the focus; nothing was asked of another origin, no error was logged."""
    play(page, game)
    expect(page.get_by_label("Command")).to_be_focused()
    page.keyboard.type("look\n")
    await_line(page, "> look")
    expect(page.locator(".note")).to_have_text("")
    assert game.typed() == ["look"]
    assert watch.errors == []
    assert all(url.startswith((SHELF, "ws://client.test/ws")) for url in watch.requests)


def test_every_line_is_spoken_once_in_order(page: Page, game: Game) -> None:
    """The log is silent; the announcer says each line once, in order, and is empty afterwards. Tells are alerts."""
    play(page, game)
    page.evaluate(LISTEN)
    expected = [f"Line {n}." for n in range(40)]
    for number, text in enumerate(expected):
        game.line(text)
        if number % 10 == 9:
            await_line(page, text)
    game.line("Ann tells you, hello", kind="tell", role="player")
    game.line("You tell Ann, hello", kind="tell")
    page.keyboard.type("dance\n")
    expect(spoken(page, "polite")).to_have_text([*expected, "You tell Ann, hello"])
    expect(spoken(page, "alert")).to_have_text(["Ann tells you, hello"])
    expect(page.locator("#polite")).to_be_empty()
    expect(page.locator("#alert")).to_be_empty()
    assert page.locator(".log").get_attribute("aria-live") == "off"
    assert "> dance" in lines(page)


def test_a_map_is_seen_and_not_read_out(page: Page, game: Game) -> None:
    """Its letters stand below each other."""
    play(page, game)
    page.evaluate(LISTEN)
    for row in ("iii-@", "  |", "Also: up."):
        game.line(row, kind="map" if "A" not in row else "room")
    await_line(page, "Also: up.")
    expect(spoken(page, "polite")).to_have_text(["Also: up."])
    rows = page.locator(".kind-map")
    assert rows.all_text_contents() == ["iii-@", "  |"]
    wide = (
        "(p) => { const r = document.createRange(); r.selectNodeContents(p); return r.getBoundingClientRect().width; }"
    )
    assert rows.nth(0).evaluate(wide) / 5 == pytest.approx(rows.nth(1).evaluate(wide) / 3, rel=0.01)


def test_output_never_moves_the_focus(page: Page, game: Game) -> None:
    """Whatever comes, the focus and the caret stay, in the log as in the field."""
    play(page, game)
    page.keyboard.type("half a sent")
    page.locator(".log").focus()
    game.line("Something happens.")
    game.line("Ann tells you, look here", kind="tell", role="player")
    game.state("Room.Info", name="The Quay")
    await_line(page, "look here")
    expect(page.locator(".log")).to_be_focused()
    expect(page.get_by_label("Command")).to_have_value("half a sent")
    page.keyboard.type("ence")
    expect(page.get_by_label("Command")).to_have_value("half a sentence")


def test_arrows_keep_the_draft(page: Page, game: Game) -> None:
    """Up and Down go through what was typed and back to what was being typed."""
    play(page, game)
    field = page.get_by_label("Command")
    page.keyboard.type("look\n")
    page.keyboard.type("north\n")
    page.keyboard.type("say hel")
    for key, shown in (("Up", "north"), ("Up", "look"), ("Up", "look"), ("Down", "north"), ("Down", "say hel")):
        page.keyboard.press(f"Arrow{key}")
        expect(field).to_have_value(shown)


def test_a_secret_is_masked_and_kept_nowhere(page: Page, game: Game) -> None:
    """When the game asks for a password the field hides it; it is in no log, history or storage."""
    play(page, game)
    page.keyboard.type("password\n")
    await_line(page, "> password")
    game.state("Mythos.Ask", text="Your new password?", secret=True)
    secret = page.get_by_label("Your new password?")
    expect(secret).to_have_attribute("type", "password")
    expect(secret).to_be_focused()
    page.keyboard.type("hunter22hunter\n")
    game.state("Mythos.Ask", text="", secret=False)
    field = page.get_by_label("Command")
    expect(field).to_have_attribute("type", "text")
    page.keyboard.press("ArrowUp")
    expect(field).to_have_value("password")
    assert game.typed()[-1] == "hunter22hunter"
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    assert "hunter22hunter" not in page.content() + page.evaluate("JSON.stringify({...sessionStorage})")


def test_a_digit_reads_an_earlier_line(page: Page, game: Game) -> None:
    """Control and a digit speak the nth line from the end, commands not counted."""
    play(page, game)
    for text in ("first", "second", "third"):
        game.line(text)
    page.keyboard.type("look\n")
    await_line(page, "third")
    expect(page.locator("#polite")).to_contain_text("third")
    page.evaluate(LISTEN)
    page.keyboard.press("Control+2")
    expect(spoken(page, "polite")).to_have_text(["second"])


def test_looking_back_freezes_the_view(page: Page, game: Game) -> None:
    """Scrolled up, the view stays and a button counts what is new; it leads to the newest line."""
    play(page, game)
    for number in range(80):
        game.line(f"Line {number}.")
    await_line(page, "Line 79.")
    page.keyboard.press("PageUp")
    expect(page.locator(".log p").last).not_to_be_in_viewport()
    top = page.evaluate("document.querySelector('.log').scrollTop")
    for number in range(3):
        game.line(f"News {number}.")
    button = page.get_by_role("button", name="3 new lines")
    button.wait_for()
    assert page.evaluate("document.querySelector('.log').scrollTop") == top
    button.click()
    expect(button).to_be_hidden()
    expect(page.locator(".log p").last).to_be_in_viewport()


def test_what_is_chosen_survives_new_lines(page: Page, game: Game) -> None:
    """A selection stays whatever comes, while one looks back too; copied, it is words alone, a line for each line. End
    leads to the newest line."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    play(page, game)
    for number in range(80):
        game.line(f"Line {number}.", role="npc")
    await_line(page, "Line 79.")
    log = page.get_by_role("log")
    log.focus()
    page.keyboard.press("PageUp")
    expect(page.locator(".log p").last).not_to_be_in_viewport()
    page.evaluate("""() => {
        const [from, to] = ["Line 70.", "Line 72."].map((text) =>
            [...document.querySelectorAll(".log p")].find((line) => line.textContent === text));
        getSelection().setBaseAndExtent(from, 0, to, 1);
    }""")
    game.line("News.")
    page.get_by_role("button", name="1 new line").wait_for()
    copied = page.evaluate("""() => new Promise((done) => {
        document.addEventListener("copy", (event) => done([...event.clipboardData.types]
            .map((type) => [type, event.clipboardData.getData(type)])), {once: true});
        document.execCommand("copy");
    })""")
    assert copied == [["text/plain", "Line 70.\nLine 71.\nLine 72."]]
    page.keyboard.press("End")
    expect(page.get_by_role("button", name="new line")).to_be_hidden()
    expect(page.locator(".log p").last).to_be_in_viewport()
    game.line("More.")
    await_line(page, "More.")
    expect(page.locator(".log p").last).to_be_in_viewport()
    assert page.evaluate("String(getSelection())").startswith("Line 70.")


def test_the_log_is_bounded(page: Page, game: Game) -> None:
    """5,000 lines stay, the newest."""
    play(page, game)
    for number in range(5200):
        game.line(f"Line {number}.")
    await_line(page, "Line 5199.")
    assert page.locator(".log p").count() == 5000
    assert page.locator(".log p").first.text_content() == "Line 200."


def test_words_are_never_markup(page: Page, game: Game, watch: Watch) -> None:
    """What players write is text wherever it is shown; a role that is not known is plain."""
    play(page, game)
    evil = "<img src=x onerror=alert(1)>"
    game.line(evil, role='x" onclick="alert(1)')
    game.state("Room.Info", name=evil)
    game.state("Char.Name", name=evil)
    game.state("Mythos.Ask", text=evil, secret=False)
    game.state("Mythos.Here", people=[{"name": evil, "word": evil, "npc": True}], things=[])
    game.state("Mythos.Bag", things=[{"name": evil, "word": evil, "worn": evil, "lit": False}])
    game.state("Mythos.Tasks", open=[{"title": evil, "text": evil}])
    game.state("Mythos.Channels", channels=[{"name": evil, "on": True, "said": [evil]}])
    game.state("Mythos.Commands", names=[evil])
    for kind in ("say", "emote", "tell", "channel", "map", evil):
        game.record(t="line", kind=kind, text=evil, spans=[[evil, "player"], [evil, evil]])
    game.line(f"[{evil}] {evil}", kind="channel")
    room = {"num": 1, "name": evil, "area": evil, "coord": {"x": 0, "y": 0, "z": 0}, "exits": {evil: 1, "n": 2}}
    game.state("Room.Info", **room)
    page.locator("#command").fill(f"say {evil}")
    page.keyboard.press("Enter")
    game.state("Mythos.Ask", text="", secret=False)
    page.get_by_label("Command").fill("<")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Command")).to_have_value(f"{evil} ")
    page.get_by_role("region", name="Channels").get_by_text(evil).first.wait_for()
    page.locator(".status .where", has_text=evil).wait_for()
    await_line(page, evil)
    assert page.locator("img").count() == 0
    assert page.locator("[class*=onclick]").count() == 0
    assert watch.errors == []


def test_the_status_line(page: Page, game: Game) -> None:
    """Name, room, gauges with text, link; low health is said once."""
    play(page, game)
    page.evaluate(LISTEN)
    game.state("Char.Name", name="Ann")
    game.state("Room.Info", name="The Quay")
    game.state("Char.Vitals", hp=45, maxhp=60)
    status = page.get_by_role("region", name="Status")
    expect(status).to_contain_text("Ann")
    expect(status).to_contain_text("The Quay")
    expect(status).to_contain_text("Health 45 of 60")
    expect(page).to_have_title("The Quay · Mythos")
    game.state("Char.Vitals", hp=10, maxhp=60)
    game.state("Char.Vitals", hp=9, maxhp=60)
    expect(status).to_contain_text("Health 9 of 60")
    expect(spoken(page, "alert")).to_have_text(["Health is low: 10 of 60."])


def test_lost_lines_are_owned_up_to(page: Page, game: Game) -> None:
    """A gap stands in the log as a rule of its own."""
    play(page, game)
    game.line("before")
    game.record(t="gap", missed=12)
    game.line("after")
    await_line(page, "after")
    assert lines(page)[-3:] == ["before", "12 lines could not be kept", "after"]


def test_a_reload_shows_what_was_shown(page: Page, game: Game) -> None:
    """Lines, states and history are there again, silently, and the link goes on where it was."""
    play(page, game)
    game.line("A line to remember.")
    game.state("Room.Info", name="The Quay")
    page.keyboard.type("look\n")
    await_line(page, "> look")
    expect(page.get_by_role("region", name="Status")).to_contain_text("The Quay")
    page.reload()
    page.get_by_text("Connected", exact=True).wait_for()
    assert "A line to remember." in lines(page)
    expect(page.get_by_role("region", name="Status")).to_contain_text("The Quay")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Command")).to_have_value("look")
    assert game.heard[-1] | {"token": ""} == {"t": "attach", "token": "", "epoch": "E", "last": 2}


def test_errors_belong_to_their_field(page: Page) -> None:
    """A refused login is told at the field it concerns; the password field is a real one."""
    serve_client(page)
    page.route(
        f"{SHELF}/api/v1/login",
        lambda route: route.fulfill(
            status=401, json={"error": {"code": "unauthorized", "message": "That name and password do not match."}}
        ),
    )
    page.goto(SHELF + "/play")
    page.get_by_role("button", name="Log in", exact=True).click()
    name = page.get_by_label("Name")
    expect(name).to_be_focused()
    expect(name).to_have_accessible_description("Give a name.")
    name.fill("Ann")
    password = page.get_by_label("Password", exact=True)
    expect(password).to_have_attribute("autocomplete", "current-password")
    password.fill("wrong horse")
    page.keyboard.press("Enter")
    expect(password).to_have_attribute("aria-invalid", "true")
    expect(password).to_have_accessible_description("That name and password do not match.")
    page.get_by_label("No, make one").check()
    expect(password).to_have_attribute("autocomplete", "new-password")
    expect(password).to_have_attribute("type", "password")


def test_a_claim_makes_the_keeper(page: Page, game: Game) -> None:
    """The claim link asks for an account, says what it is for, spends its code and forgets it."""
    serve_client(page)
    game.on(page)
    sent: list[object] = []

    def answer(route: Route) -> None:
        sent.append(route.request.post_data_json)
        route.fulfill(status=200, json={"token": "a.b.c", "refresh": "r", "session": "S", "name": "Ann"})

    page.route(f"{SHELF}/api/v1/claim", answer)
    page.goto(SHELF + "/claim#W3FP-7QKD")
    expect(page.get_by_text("This makes the account keeper")).to_be_visible()
    page.get_by_label("Name").fill("Ann")
    page.get_by_label("Password", exact=True).fill("long enough")
    page.get_by_role("button", name="Become keeper").click()
    page.get_by_text("Connected", exact=True).wait_for()
    assert sent == [{"code": "W3FP-7QKD", "name": "Ann", "password": "long enough"}]
    assert page.url == SHELF + "/play"


@pytest.mark.parametrize(("width", "height"), [(320, 640), (360, 300)])
def test_it_fits_small_screens(page: Page, game: Game, width: int, height: int) -> None:
    """No sideways scrolling; the last line and the command field are in view."""
    page.set_viewport_size({"width": width, "height": height})
    play(page, game)
    game.state("Room.Info", name="The Long Room of the Lamp Makers' Hall")
    game.state("Char.Vitals", hp=45, maxhp=60, nerve=3, maxnerve=9)
    for number in range(60):
        game.line(f"A fairly long line of prose that has to be broken on a narrow screen, number {number}. " * 2)
    await_line(page, "number 59")
    expect(page.locator(".log p").last).to_be_in_viewport(ratio=0.5)
    expect(page.get_by_label("Command")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_tab_goes_log_field_button_panels(page: Page, game: Game) -> None:
    """The order of Tab is the order of reading, without a trap; the skip link leads to the command field."""
    play(page, game)
    game.state("Room.Info", name="The Quay", exits={"n": 2})
    page.get_by_role("button", name="north").wait_for()
    page.locator(".skip").focus()
    order = []
    for _ in range(7):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.className || document.activeElement.textContent"))
    assert order == ["Tools", "Keys", "log", "", "Send", "panels", "north"]
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Command")).to_be_focused()


#: Contrast of every text on the page against what lies behind it, as WCAG 2 counts it.
CONTRAST = """() => {
    const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
    const shine = ([r, g, b]) => [r, g, b].map((part) => part / 255)
        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, n) => sum + part * [0.2126, 0.7152, 0.0722][n], 0);
    const behind = (node) => {
        for (; node; node = node.parentElement) {
            const colour = rgb(getComputedStyle(node).backgroundColor);
            if (colour[3] !== 0) return colour;
        }
        return [255, 255, 255];
    };
    const found = [];
    for (const node of document.querySelectorAll("body *")) {
        const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
        if (!own || !node.checkVisibility() || node.closest(".unseen, .skip, meter, noscript")) continue;
        const [one, other] = [shine(rgb(getComputedStyle(node).color)), shine(behind(node))].sort((a, b) => b - a);
        found.push([(one + 0.05) / (other + 0.05), node.className, node.textContent]);
    }
    return found;
}"""


@pytest.mark.parametrize("theme", ["dark", "light", "contrast", "system dark", "system light", "system more"])
def test_every_colour_has_contrast(page: Page, game: Game, theme: str) -> None:
    """Every text has at least 4.5:1, on the way in and in play, for all roles and kinds, in every theme."""
    if theme.startswith("system"):
        more = theme.endswith("more")
        page.emulate_media(
            color_scheme="dark" if theme.endswith("dark") else "light", contrast="more" if more else None
        )
    else:
        page.add_init_script(f"localStorage.setItem('mythos.settings', JSON.stringify({{theme: '{theme}'}}))")
    visit(page)
    page.get_by_role("button", name="Log in", exact=True).click()
    weak = [found for found in page.evaluate(CONTRAST) if found[0] < 4.5]
    play(page, game)
    for role in Role:
        game.line(f"a {role.value}", role=role.value)
    for kind in ("room", "move", "tell", "channel", "combat", "system", "help", "error"):
        game.line(f"a {kind} line", kind=kind)
    game.record(t="gap", missed=3)
    game.state("Char.Vitals", hp=4, maxhp=60)
    crowd(game)
    await_line(page, "could not be kept")
    page.locator(".status .gauge.low").wait_for()
    found = page.evaluate(CONTRAST)
    assert {f"role-{role.value}" for role in Role} <= {name for _, name, _ in found}
    assert weak + [one for one in found if one[0] < 4.5] == []


def test_landmarks_and_headings(page: Page, game: Game) -> None:
    """One h1, one main, a named log and status; headings without a gap."""
    visit(page)
    levels = page.eval_on_selector_all("h1, h2, h3", "(all) => all.map((one) => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    play(page, game)
    for role, name in (("main", None), ("banner", None), ("log", "Game output"), ("region", "Status")):
        expect(page.get_by_role(role, name=name) if name else page.get_by_role(role)).to_have_count(1)  # type: ignore[arg-type]
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
