"""The web client in Firefox: from the way in to play, back after a cut, the log, the command line, what is heard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.firefox import Firefox, Tab
from tests.browser.proxy import Proxy
from tests.browser.test_house import SOON
from tests.browser.test_listening import FAULTS
from tests.browser.test_offline import ALL
from tests.browser.test_screen import LISTEN
from tests.house.server import Server

LOG = "[...document.querySelectorAll('.log p')].map((line) => line.textContent)"
LIVE = "document.querySelector('.link')?.dataset.state === 'live'"
FOCUS = "document.activeElement.id || document.activeElement.className || document.activeElement.textContent"


@pytest.fixture(scope="module")
def fox(firefox: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with Firefox(firefox, tmp_path_factory.mktemp("firefox") / "profile") as running:
        yield running


@pytest.fixture
def tab(fox: Firefox) -> Tab:
    return fox.open()


def enter(tab: Tab, url: str) -> str:
    """Come in as a guest; returns the name one got."""
    tab.goto(url + "/play")
    tab.click("button", "Play as a guest")
    tab.wait_for(LIVE)
    found: str = tab.wait_for("document.querySelector('.status .name').textContent")
    return found


def line(tab: Tab, text: str) -> None:
    """Wait until the log has it."""
    tab.wait_for(f"{LOG}.some((line) => line.includes({text!r}))")


def said(tab: Tab, who: str) -> list[str]:
    return [one.split('"')[1] for one in tab.run(LOG) if one.startswith(f"{who} say")]


def test_a_guest_plays(tab: Tab, house: Server) -> None:
    """One click leads into the first room; nothing comes from elsewhere, and nothing goes wrong."""
    enter(tab, house.url(""))
    assert tab.run(FOCUS) == "command"
    tab.type("say hello\n")
    line(tab, 'You say, "hello"')
    tab.wait_for("document.querySelector('.status .gauges').textContent.includes('Health')")
    assert tab.errors == []
    host = house.url("").removeprefix("http://")
    fetched = [url for url in tab.requests if not url.startswith("data:")]
    assert {url.split("/")[2] for url in fetched} == {host}, fetched


def test_a_reload_and_cuts_lose_and_repeat_nothing(tab: Tab, house: Server) -> None:
    """Each line typed is heard once, in order, by the same guest, over cuts and a reload."""
    with Proxy(house.ports["http"]) as proxy:
        tab.goto(proxy.url + "/play")
        tab.run(f"void ({SOON.rstrip(';')})")
        tab.click("button", "Play as a guest")
        tab.wait_for(LIVE)
        words = [f"w{number}" for number in range(12)]
        for number in range(0, 12, 3):
            tab.type(f"say {words[number]}\n")
            proxy.cut()
            tab.type(f"say {words[number + 1]}\nsay {words[number + 2]}\n")
            tab.wait_for(LIVE)
        line(tab, '"w11"')
        name = tab.run("document.querySelector('.status .name').textContent")
        tab.reload()
        tab.wait_for(LIVE)
        tab.type("say after\n")
        line(tab, '"after"')
        assert said(tab, "You") == [*words, "after"]
        assert tab.run("document.querySelector('.status .name').textContent") == name


def test_looking_back_freezes_the_view(tab: Tab, house: Server) -> None:
    """Scrolled up the view stays, and a button counts what is new; End leads to the newest line."""
    enter(tab, house.url(""))
    for _ in range(5):
        tab.type("commands\n")
    tab.wait_for("document.querySelector('.log').scrollHeight > 1200")
    tab.press("PageUp")
    log = "document.querySelector('.log')"
    tab.wait_for(f"{log}.scrollHeight - {log}.scrollTop - {log}.clientHeight > 100")
    tab.run(f"({log}.focus(), getSelection().selectAllChildren(document.querySelector('.log p')))")
    view = f"[{log}.scrollTop, getSelection().toString()]"
    held = tab.run(view)
    assert held[1]
    other = tab.firefox.open()
    enter(other, house.url(""))
    tab.wait_for("!document.querySelector('.newer').hidden")
    assert tab.run(view) == held
    tab.press("End")
    tab.wait_for("document.querySelector('.newer').hidden")


def test_the_command_line(tab: Tab, house: Server) -> None:
    """Tab completes, Up and Down keep the draft, a password is masked and kept nowhere."""
    enter(tab, house.url(""))
    value = "document.querySelector('#command').value"
    tab.wait_for("document.querySelectorAll('.ways button').length")
    tab.type("inven")
    tab.press("Tab")
    tab.wait_for(f"{value} === 'inventory '")
    tab.type("\nsay dra")
    tab.press("ArrowUp")
    assert tab.run(value).strip() == "inventory"
    tab.press("ArrowDown")
    assert tab.run(value) == "say dra"
    tab.run("void (document.querySelector('#command').value = '')")
    tab.type("register Endellion\n")
    tab.wait_for("document.querySelector('#command').type === 'password'")
    tab.type("a secret of mine\n")
    tab.wait_for("document.querySelector('.command label').textContent.includes('again')")
    tab.type("a secret of mine\n")
    tab.wait_for("document.querySelector('#command').type === 'text'")
    tab.run("void dispatchEvent(new Event('pagehide'))")
    kept = tab.run("document.body.innerText + JSON.stringify({...sessionStorage}) + JSON.stringify({...localStorage})")
    assert "a secret of mine" not in kept


def test_the_tree_of_play(tab: Tab, house: Server) -> None:
    """What Firefox tells a screen reader: names and roles are there once, every reference leads somewhere."""
    enter(tab, house.url(""))
    tab.wait_for("document.querySelectorAll('.ways button').length")
    for role, name in (
        ("banner", None), ("main", None), ("log", "Game output"), ("combobox", "Command"), ("button", "Send"),
        ("region", "Here"), ("region", "Map"), ("region", "Status"), ("heading", "Mythos"),
    ):  # fmt: skip
        assert len(tab.nodes(role, name)) == 1, (role, name)
    assert tab.run(f"({FAULTS})()") == []
    tab.run("document.querySelector('.skip').focus()")
    order = []
    for _ in range(5):
        tab.press("Tab")
        order.append(tab.run(FOCUS))
    assert order == ["Tools", "Keys", "log", "command", "Send"]


def test_every_line_is_spoken_once(tab: Tab, house: Server) -> None:
    """The announcer has each line once, in order, without what was typed; a key reads an earlier one again."""
    enter(tab, house.url(""))
    tab.wait_for("document.querySelector('#polite').childElementCount")
    tab.wait_for("!document.querySelector('#polite').childElementCount")
    tab.run(f"({LISTEN})()")
    heard = "[...document.querySelectorAll('#heard .polite')].map((one) => one.textContent)"
    expected = [f'You say, "line {number}"' for number in range(6)]
    for number in range(6):
        tab.type(f"say line {number}\n")
    tab.wait_for(f"{heard}.length >= 6")
    tab.press("Control+2")
    tab.wait_for(f"{heard}.length >= 7")
    assert tab.run(heard) == [*expected, expected[-2]]


def test_it_opens_without_a_server(tab: Tab, house: Server) -> None:
    """A reload shows what was shown and says that it is not connected; when the server is back it goes on."""
    with Proxy(house.ports["http"]) as proxy:
        enter(tab, proxy.url)
        tab.type("say before\n")
        line(tab, 'You say, "before"')
        tab.wait_for("navigator.serviceWorker.controller?.state === 'activated'")
        proxy.blocked = ALL
        proxy.cut()
        tab.reload()
        tab.run(f"void ({SOON.rstrip(';')})")
        tab.wait_for("document.querySelector('.link')?.textContent.startsWith('Not connected')")
        assert said(tab, "You") == ["before"]
        proxy.blocked = ()
        tab.wait_for(LIVE)
        tab.type("say after\n")
        line(tab, 'You say, "after"')
        assert said(tab, "You") == ["before", "after"]
