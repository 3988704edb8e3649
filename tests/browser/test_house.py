"""The client and the whole house: real server, real browser, and a network that fails in between."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.proxy import Proxy
from tests.browser.visits import Watch, lines
from tests.house.server import Server

#: Chance always says the same: come back soon.
SOON = "Math.random = () => 0.04;"


def enter(page: Page, url: str) -> str:
    """Come in as a guest; returns the name one got."""
    page.goto(url + "/play")
    page.get_by_role("button", name="Play as a guest").click()
    await_link(page)
    name = page.locator(".status .name")
    expect(name).not_to_be_empty()
    return name.inner_text()


def await_link(page: Page) -> None:
    page.locator(".link[data-state=live]").wait_for()


def say(page: Page, *words: str) -> None:
    for word in words:
        page.get_by_label("Command").fill(f"say {word}")
        page.keyboard.press("Enter")


def last_line(page: Page, text: str) -> Locator:
    return page.locator(".log p", has_text=text).last


def said(page: Page, who: str) -> list[str]:
    """What the log has of somebody's talk, in order."""
    return [line.split('"')[1] for line in lines(page, ".kind-say") if line.startswith(who)]


@pytest.fixture
def proxy(house: Server) -> Iterator[Proxy]:
    with Proxy(house.ports["http"]) as between:
        yield between


def test_a_guest_plays(page: Page, house: Server, watch: Watch) -> None:
    """One click leads into the first room; nothing comes from elsewhere, nothing goes wrong, the policy is strict."""
    answer = page.goto(house.url("/play"))
    assert answer is not None
    policy = answer.header_value("content-security-policy") or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    enter(page, house.url(""))
    expect(page.locator(".log .role-title").first).to_be_visible()
    expect(page.locator(".status .where")).not_to_be_empty()
    expect(page.locator(".status .gauges")).to_contain_text("Health")
    say(page, "hello")
    expect(last_line(page, 'You say, "hello"')).to_be_visible()
    assert watch.errors == []
    host = house.url("").removeprefix("http://")
    assert all(url.split("/")[2] == host for url in watch.requests)


def test_a_reload_keeps_the_character(page: Page, house: Server) -> None:
    """The same guest in the same room, with what was read before, and with what was said meanwhile."""
    name = enter(page, house.url(""))
    say(page, "before")
    expect(last_line(page, 'You say, "before"')).to_be_visible()
    page.reload()
    await_link(page)
    expect(page.locator(".status .name")).to_have_text(name)
    expect(page.locator(".status .where")).not_to_be_empty()
    say(page, "after")
    expect(last_line(page, 'You say, "after"')).to_be_visible()
    assert said(page, "You") == ["before", "after"]


@pytest.mark.parametrize("road", ["websocket", "event stream"])
def test_cuts_lose_and_repeat_nothing(
    page: Page, new_page: Callable[[], Page], house: Server, proxy: Proxy, road: str
) -> None:
    """On either road, cut twenty times at random while lines fly both ways: each is heard once, in order, by both
    sides, tells too, and each one typed is sent once."""
    chance = random.Random(7)
    other = new_page()
    friend = enter(other, house.url(""))
    page.add_init_script("Math.random = () => 0.004;")
    proxy.blocked = b"GET /ws" if road == "event stream" else ()
    name = enter(page, proxy.url)
    expect(page.locator(".link")).to_have_text(re.compile(road if road == "event stream" else "^Connected$"))
    words = [f"w{number}" for number in range(18)]
    tells = [f"t{number}" for number in range(0, 18, 6)]
    cuts = sorted(chance.sample(range(2 * len(words)), 20))
    for place in range(2 * len(words)):
        number = place // 2
        say((page, other)[place % 2], words[number])
        if place % 12 == 0:
            other.get_by_label("Command").fill(f"tell {name} t{number}")
            other.keyboard.press("Enter")
        if place in cuts:
            proxy.cut()
        if chance.random() < 0.3:
            await_link(page)
    for visitor, whom in ((page, friend), (other, name)):
        expect(last_line(visitor, 'You say, "w17"')).to_be_visible()
        expect(last_line(visitor, f'{whom} says, "w17"')).to_be_visible()
    expect(page.locator(".note").last).to_have_text("")
    assert said(page, "You") == words
    assert said(other, name) == words
    assert said(page, friend) == words
    assert [line.split()[-1].strip('"') for line in lines(page, ".kind-tell")] == tells


def test_what_was_missed_stands_under_a_rule(page: Page, new_page: Callable[[], Page], house: Server) -> None:
    """Lines that came while the link was down are shown in their place, and marked as missed."""
    other = new_page()
    friend = enter(other, house.url(""))
    with Proxy(house.ports["http"]) as between:
        enter(page, between.url)
        between.blocked = b"GET /ws"
        between.cut()
        page.locator(".link[data-state=lost]").wait_for()
        say(page, "typed while away")
        expect(last_line(page, "> say typed")).to_contain_text("waiting for the link")
        say(other, "are you there?")
        expect(last_line(other, "You say")).to_be_visible()
        between.blocked = ()
        expect(last_line(page, f"{friend} says")).to_be_visible()
        expect(last_line(page, "You say")).to_be_visible()
        shown = lines(page)
    rule = next(number for number, line in enumerate(shown) if line.startswith("while you were away"))
    assert any(line.startswith(friend) for line in shown[rule:])
    assert said(page, "You") == ["typed while away"]


def test_a_half_open_link_is_noticed(page: Page, proxy: Proxy) -> None:
    """When nothing moves and nobody says so, the client asks, gives up, and comes back by a new connection."""
    page.clock.install()
    page.add_init_script(SOON)
    enter(page, proxy.url)
    page.clock.fast_forward(6_000)
    proxy.stall()
    page.clock.fast_forward(16_000)
    page.clock.run_for(9_000)
    await_link(page)
    say(page, "still here")
    expect(last_line(page, 'You say, "still here"')).to_be_visible()


def test_back_to_the_first_road(page: Page, house: Server) -> None:
    """The second road is found by itself and says so, and is left when WebSockets get through again, a minute later;
    nothing is lost or repeated on the way there and back."""
    page.clock.install()
    with Proxy(house.ports["http"], blocked=b"GET /ws") as between:
        page.add_init_script(SOON)
        enter(page, between.url)
        expect(page.locator(".link")).to_contain_text("event stream")
        between.blocked = ()
        for number in (0, 3):
            say(page, f"w{number}", f"w{number + 1}")
            between.cut()
            say(page, f"w{number + 2}")
            await_link(page)
            page.clock.fast_forward(61_000)
        expect(page.locator(".link")).not_to_contain_text("event stream")
        expect(last_line(page, '"w5"')).to_be_visible()
        assert said(page, "You") == [f"w{number}" for number in range(6)]


def test_a_restart_is_only_a_cut(page: Page, tmp_path: Path) -> None:
    """The server is stopped and started again under its players: they stay who and where they are, without a login."""
    with Server(tmp_path / "house") as server, Proxy(server.ports["http"]) as between:
        page.add_init_script(SOON)
        name = enter(page, between.url)
        say(page, "before")
        expect(last_line(page, 'You say, "before"')).to_be_visible()
        server.stop()
        page.locator(".link[data-state=lost]").wait_for()
        server.start()
        between.port = server.ports["http"]
        await_link(page)
        say(page, "after")
        expect(last_line(page, 'You say, "after"')).to_be_visible()
        expect(page.locator(".status .name")).to_have_text(name)
        assert said(page, "You") == ["before", "after"]


def test_another_tab_takes_over(page: Page, tmp_path: Path) -> None:
    """Where a character has one connection, the tab that came first says so, keeps what it showed, and takes the game
    back with one click; neither misses a line."""
    with Server(tmp_path / "house", env={"MAX_CONNECTIONS_PER_PLAYER": "1"}) as server:
        name = enter(page, server.url(""))
        say(page, "one")
        expect(last_line(page, 'You say, "one"')).to_be_visible()
        page.evaluate("dispatchEvent(new Event('pagehide'))")
        copy = page.evaluate("sessionStorage.getItem('mythos')")
        other = page.context.new_page()
        other.add_init_script(f"sessionStorage.setItem('mythos', {json.dumps(copy)})")
        other.goto(server.url("/play"))
        await_link(other)
        expect(other.locator(".status .name")).to_have_text(name)
        back = page.get_by_role("button", name="Go on here")
        expect(last_line(page, "This character is now played from somewhere else")).to_be_visible()
        say(other, "two")
        expect(last_line(other, 'You say, "two"')).to_be_visible()
        back.click()
        await_link(page)
        expect(other.get_by_role("button", name="Go on here")).to_be_visible()
        expect(last_line(page, 'You say, "two"')).to_be_visible()
        assert said(page, "You") == said(other, "You") == ["one", "two"]


def test_quit_is_the_end(page: Page, house: Server) -> None:
    """After quit nothing comes back by itself; a click leads to the way in."""
    enter(page, house.url(""))
    page.keyboard.type("quit\n")
    again = page.get_by_role("button", name="Come in again")
    again.wait_for()
    expect(page.locator(".link")).to_have_text("Not connected")
    again.click()
    expect(page.get_by_role("button", name="Play as a guest")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Play as a guest")).to_be_visible()


def test_an_account_by_the_form(page: Page, new_page: Callable[[], Page], house: Server) -> None:
    """Register, be told of a taken name at its field, log in elsewhere: it is the same character."""
    page.goto(house.url("/play"))
    page.get_by_label("No, make one").check()
    page.get_by_label("Name").fill("Brannoc")
    page.get_by_label("Password", exact=True).fill("a good long one")
    page.get_by_role("button", name="Make this character").click()
    await_link(page)
    expect(page.locator(".status .name")).to_have_text("Brannoc")
    other = new_page()
    other.goto(house.url("/play"))
    other.get_by_label("No, make one").check()
    other.get_by_label("Name").fill("brannoc")
    other.get_by_label("Password", exact=True).fill("another long one")
    other.keyboard.press("Enter")
    expect(other.get_by_label("Name")).to_be_focused()
    expect(other.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    other.get_by_label("Yes, log in").check()
    other.get_by_label("Password", exact=True).fill("a good long one")
    other.keyboard.press("Enter")
    await_link(other)
    say(other, "both of me")
    expect(last_line(page, 'You say, "both of me"')).to_be_visible()


def test_a_password_is_asked_for_masked(page: Page, house: Server) -> None:
    """``register`` inside the game asks in a hidden field, and the guest stays where it is under its new name."""
    enter(page, house.url(""))
    page.keyboard.type("register Morwenna\n")
    secret = page.get_by_label("A password for Morwenna?")
    expect(secret).to_have_attribute("type", "password")
    page.keyboard.type("a secret of mine\n")
    page.get_by_label("The same again").wait_for()
    page.keyboard.type("a secret of mine\n")
    expect(page.locator(".status .name")).to_have_text("Morwenna")
    expect(page.get_by_label("Command")).to_have_attribute("type", "text")
    assert "a secret of mine" not in "\n".join(lines(page))


def test_the_claim_link_makes_the_keeper(page: Page, house: Server) -> None:
    """The address that the server printed at its first start leads to the form that makes the keeper, once."""
    printed = re.search(r"/claim#([\w-]+)", house.log.read_text())
    assert printed, "the server printed no claim link"
    page.goto(house.url(printed[0]))
    page.get_by_label("Name").fill("Keverne")
    page.get_by_label("Password", exact=True).fill("keeper of lamps")
    page.get_by_role("button", name="Become keeper").click()
    await_link(page)
    assert printed[1] not in page.url
    expect(page.locator(".status .name")).to_have_text("Keverne")
