"""Words of strangers: whatever one says at one door, nobody at another gets more than words. The log neither."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from twisted.internet.testing import StringTransport
from twisted.logger import Logger, LogPublisher

import mythos
from mythos.telemetry.logs import Observer
from mythos.wire.clean import sanitize
from tests.net.web import Web, playing

#: Every character that is not to be seen, but joiners, which some words need, and soft hyphens; and what they spell.
_INVISIBLE: Final = [
    chr(code)
    for code in (*range(0x3000), *range(0xD800, 0xE000), *range(0xF000, 0x10000), *range(0x1D170, 0x1D180), 0xE0041)
    if unicodedata.category(chr(code)) in ("Cc", "Cs", "Zl", "Zp")
    or unicodedata.bidirectional(chr(code)) in ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")
    or code in (0x200B, 0x200E, 0x200F, 0x061C, 0x2060, 0x2063, 0xFEFF, 0xFFF9, 0x180E, 0x1D173, 0xE0041)
]
_SEQUENCES: Final = (
    "\x1b[2J\x1b[1;1H\x1b]0;title\x07\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\\x9b31m\x1bP1$r\x1b\\"
    "\x1b[4z<send 'quit'>\xff\xfa\xc9x\xff\xf0\r\nBob tells you, forged\r\n"
)
EVIL: Final = _SEQUENCES + "".join([f"a{one}" for one in _INVISIBLE])
VERBS: Final = ("say", "emote", "shout", "whisper {bob}", "tell {bob}", "chat", "newbie", "reply", "", "look", "help")


@pytest.fixture
def web() -> Iterator[Web]:
    with playing() as web:
        yield web


class Terminal:
    """A plain telnet client of a guest."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._connection: Any = web.door.buildProtocol(None)
        self._transport = StringTransport()
        self._connection.makeConnection(self._transport)
        for _ in range(3):
            web.scene.clock.advance(1)
            web.outlet.sweep(web.scene.clock.seconds())
        self.send(b"guest\r\n")

    def send(self, data: bytes) -> None:
        self._connection.dataReceived(data)
        self._web.run()

    def take(self) -> bytes:
        """Without the commands of telnet."""
        self._web.run()
        found = bytes(self._transport.value())
        self._transport.clear()
        return re.sub(rb"\xff(?:[\xfb-\xfe].|\xfa.*?\xff\xf0|[^\xff\xfa-\xfe])", b"", found, flags=re.DOTALL)


def seen(text: str) -> str:
    """What of a text no client should ever get."""
    return "".join(sorted({one for one in text.replace("\r\n", "") if one in _INVISIBLE}))


def test_the_list_is_whole() -> None:
    assert len(_INVISIBLE) > 2000
    assert seen(EVIL) != ""
    assert seen(sanitize(EVIL)) == ""


@pytest.mark.parametrize("road", ["websocket", "post", "telnet"])
def test_nobody_gets_more_than_words(web: Web, road: str) -> None:
    """By every verb of talk, from each door to each."""
    token = web.guest()["token"]
    bob = web.guest()
    watcher, terminal = web.socket(bob["token"]), Terminal(web)
    stream = web.stream(web.guest()["token"])
    speaker: Any = Terminal(web) if road == "telnet" else web.stream(token) if road == "post" else web.socket(token)
    for one in (watcher, terminal, stream, speaker):
        one.take()
    words = EVIL.encode("utf-8", "ignore").decode()
    for c, verb in enumerate(VERBS, 1):
        # A line end ends a line of telnet: the pieces are lines of their own, as they would be for anybody.
        line = f"{verb.format(bob=bob['name'])} {words[:2500]}"
        if road == "telnet":
            speaker.send(line.encode().replace(b"\xff", b"\xff\xff") + b"\r\n")
        elif road == "post":
            assert web.post("commands", {"c": c, "line": line}, token).status == 202
        else:
            speaker.send({"c": c, "line": line})
        web.scene.clock.advance(10)
        web.scene.tick()
        told = json.dumps([*watcher.take(), *stream.take()], ensure_ascii=False)
        assert seen(told) == "", verb
        assert "click" in told or verb != "say"
        assert seen(terminal.take().decode()) == "", verb
    heard = json.dumps(speaker.take(), ensure_ascii=False) if road != "telnet" else speaker.take().decode()
    assert seen(heard) == ""
    assert "click" in heard


def test_without_the_sanitiser_they_would(web: Web) -> None:
    """The control: what is put behind it is heard, so the test above would notice."""
    token = web.guest()["token"]
    speaker, terminal = web.socket(token), Terminal(web)
    for one in (speaker, terminal):
        one.take()
    (session,) = [one for one in web.scene.realm.sessions() if one.connections and one.connections[0].kind != "telnet"]
    web.scene.realm.submit(session, 1, "say a\u202eb\x1b[2J")
    assert seen(terminal.take().decode()) != "" or seen(json.dumps(speaker.take(), ensure_ascii=False)) != ""


@pytest.mark.parametrize("one", _INVISIBLE[::7] + list("<>&\"'`/\\ .0\u200c\u200d\u00ad\u0430\u0391\uff21"))
def test_names_are_letters(web: Web, one: str) -> None:
    """Nothing else comes into a name, by any door: two that look alike are one."""
    for name in (f"Ann{one}", f"{one}Ann", f"A{one}nn"):
        body = json.dumps({"name": name, "password": "a good long one"}).encode()
        found = web.ask("POST", "/api/v1/register", body)
        if found.status == 200:
            assert found.json["name"] == "Ann"
            assert sanitize(name).strip() == "Ann"
            web = Web()
        else:
            assert found.status in (400, 409)


def test_the_log_has_one_line_for_each_event() -> None:
    """What strangers wrote cannot end it, colour it or turn it around, in either form."""
    for as_json in (True, False):
        stream = io.StringIO()
        Logger("mythos.net", observer=LogPublisher(Observer("info", as_json=as_json, stream=stream))).info(
            "{who} came", who="Ann\r\n2026-01-01 00:00:00 ERROR    forged: \x1b[31mred\x9b\u202e\u2028"
        )
        (line,) = stream.getvalue().splitlines()
        assert "forged" in line
        assert seen(line) == ""


def test_the_web_client_builds_no_html_of_words() -> None:
    """It makes elements and sets their text; nothing of it, nor of the page, is run from text."""
    client = Path(mythos.__file__).parent / "webclient"
    made_of_text = re.compile(
        r"innerHTML|outerHTML *=|insertAdjacentHTML|document\.write|\beval\(|new Function|javascript:|srcdoc"
    )
    scripts = list(client.rglob("*.js"))
    assert len(scripts) > 5
    assert [path.name for path in scripts if made_of_text.search(path.read_text("utf-8"))] == []
    page = (client / "index.html").read_text("utf-8")
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=", page)


def test_pages_show_words_as_words(web: Web) -> None:
    """What comes from an address or a host, and comes back on a page, is no markup there."""
    for path in ("/help/%3Cscript%3Ealert(1)%3C/script%3E", "/map/%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E"):
        page = web.ask("GET", path, Host='"><script>alert(1)</script>')
        assert page.status == 404
        assert b"<script>alert" not in page.body
        assert b"<img" not in page.body
