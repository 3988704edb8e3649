"""A browser that falls back from the WebSocket to the event stream, and comes back: no line and no command is lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.net.web import Frames, Stream, Web, playing

LONG = "the quick brown fox jumps over the lazy dog " * 8


class Browser:
    """Keeps what it has not been answered, and where it stands, as the web client does.

    :ivar heard: all lines, in order
    """

    def __init__(self, web: Web) -> None:
        self._web = web
        self._token = self._resume = web.guest()["token"]
        self._epoch, self._last = "", 0
        self._open: dict[int, str] = {}
        self._typed = 0
        self._road: Frames | Stream | None = None
        self.heard: list[str] = []
        self.answered: list[int] = []
        self.doubled = 0

    def come(self, road: str) -> None:
        """By this road; what was not answered is said again."""
        web = self._web
        if road == "sse":
            self._road = web.stream(self._token, f"&last={self._epoch}.{self._last}" if self._epoch else "")
        else:
            offer = {"Sec_WebSocket_Extensions": "permessage-deflate"} if road == "compressed" else {}
            self._road = web.socket(self._resume, epoch=self._epoch, last=self._last, **offer)
        self.read()
        for c in sorted(self._open):
            self._send(c)

    def type(self, words: str, *, arrives: bool) -> None:
        """The next command; it may never arrive."""
        self._typed += 1
        self._open[self._typed] = words
        if arrives:
            self._send(self._typed)

    def _send(self, c: int) -> None:
        body = {"c": c, "line": self._open[c], "a": self._last}
        if isinstance(self._road, Frames):
            self._road.send(body)
        else:
            assert self._web.post("commands", body, self._token).status == 202

    def read(self) -> None:
        """All that came, in order."""
        assert self._road is not None
        for record in self._road.take():
            self._hear(record)

    def _hear(self, record: dict[str, Any]) -> None:
        if record["t"] == "hello":
            assert record["resumed"] == bool(self._epoch)
            self._epoch, self._resume = record["epoch"], record["token"]
        elif record["t"] == "done":
            self.doubled += record.get("dup", False)
            if self._open.pop(record["c"], None) is not None:
                self.answered.append(record["c"])
        elif "s" in record:
            assert record["s"] == self._last + 1 or record["p"] == self._last or not self._last
            self._last = record["s"]
            if record["t"] == "line":
                self.heard.append(record["text"])

    def lose(self) -> None:
        """The line drops, with all that is on its way to us."""
        assert self._road is not None
        self._road.take()
        self._road.lost()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["plain", "compressed", "sse"]),
            st.lists(st.booleans(), max_size=3),  # commands: whether each arrives
            st.booleans(),  # whether their answers do
        ),
        min_size=1,
        max_size=6,
    )
)
def test_no_line_and_no_command_is_lost(visits: list[tuple[str, list[bool], bool]]) -> None:
    """Whatever road, whenever the line drops: each command is carried out once, in order, and each line heard once."""
    with playing() as web:
        browser, truth, typed = Browser(web), web.socket(web.guest()["token"]), 0
        truth.take()
        for road, commands, reads in [*visits, ("sse", [True], True)]:
            browser.come(road)
            arrives = True
            for one in commands:
                typed += 1
                arrives = arrives and one  # nothing arrives behind what did not
                browser.type(f"say {typed} {LONG if typed % 2 else ''}", arrives=arrives)
            if reads:
                browser.read()
            browser.lose()
        browser.come("plain")
        browser.read()
        told = [one["text"] for one in truth.take() if one.get("kind") == "say"]
        assert [int(text.split('"')[1].split()[0]) for text in told] == list(range(1, typed + 1))
        said = [text for text in browser.heard if text.startswith("You say")]
        assert [text.partition('"')[2] for text in said] == [text.partition('"')[2] for text in told]
        assert browser.answered == list(range(1, typed + 1))


def test_what_was_answered_and_not_heard_is_not_done_again() -> None:
    """The control of the above: it does repeat commands."""
    with playing() as web:
        browser = Browser(web)
        browser.come("plain")
        browser.type("say once", arrives=True)
        browser.lose()
        browser.come("sse")
        browser.read()
        assert browser.doubled == 1
        assert [text for text in browser.heard if "say" in text] == ['You say, "once"']
