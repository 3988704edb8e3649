"""What is heard: messages without a transport, shared by all who hear them.

A :class:`Line` is words; a :class:`State` is the newest value of something a client draws (gauges,
room, prompt). Each is made once per audience, kept in many session logs, and rendered for each format
only as often as :func:`keep` says: codecs look into :attr:`Line.rendered` first, under a key of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from mythos.values import value

__all__ = ["TALK", "Line", "Message", "Role", "Span", "State", "keep", "line"]


#: Kinds of lines that are said to people elsewhere.
TALK = ("channel", "tell")


class Role(Enum):
    """What a run of words means; the value goes over the wire and is a CSS class of the web client.

    The sixteen colours mean nothing here: they are those of words that came with colours, from other MUDs.
    """

    TITLE = "title"
    EXIT = "exit"
    ITEM = "item"
    NPC = "npc"
    PLAYER = "player"
    COMMAND = "command"
    GOOD = "good"
    WARNING = "warning"
    QUIET = "quiet"
    BLACK = "black"
    RED = "red"
    GREEN = "green"
    YELLOW = "yellow"
    BLUE = "blue"
    MAGENTA = "magenta"
    CYAN = "cyan"
    WHITE = "white"
    BRIGHT_BLACK = "bright-black"
    BRIGHT_RED = "bright-red"
    BRIGHT_GREEN = "bright-green"
    BRIGHT_YELLOW = "bright-yellow"
    BRIGHT_BLUE = "bright-blue"
    BRIGHT_MAGENTA = "bright-magenta"
    BRIGHT_CYAN = "bright-cyan"
    BRIGHT_WHITE = "bright-white"


@value
class Span:
    """A run of words; ``role`` None is plain prose.

    :ivar link: the command that a click on it runs, of the world's own words and never of a player's; empty: none
    :ivar ground: the colour behind them, one of the eight that are not bright
    """

    text: str
    role: Role | None = None
    link: str = ""
    ground: Role | None = None

    @property
    def colour(self) -> Role | None:
        """Its role, for who puts no colour behind words: the letters have that then, unless it is black."""
        return self.role or (self.ground if self.ground is not Role.BLACK else None)


#: What a message has that was never rendered, and one that was once; neither is ever filled.
_NEVER: dict[Any, bytes] = {}
_ONCE: dict[Any, bytes] = {}


class Line:
    """One line (a paragraph) of words, without a line end and without control characters.

    :ivar kind: the category a client filters by: room, move, say, tell, emote, channel, combat,
        item, map (a row of a picture), system, help, error
    :ivar text: the plain words, as a screen reader would say them
    :ivar rendered: bytes by format key; codecs fill it by :func:`keep`, nobody else reads it
    """

    __slots__ = ("kind", "rendered", "size", "spans", "text")

    def __init__(self, kind: str, spans: tuple[Span, ...]) -> None:
        self.kind = kind
        self.spans = spans
        self.text = "".join([span.text for span in spans])
        self.size = len(self.text) + 64
        self.rendered = _NEVER

    def __repr__(self) -> str:
        return f"Line({self.kind!r}, {self.text!r})"


class State:
    """The newest value of something: a later one with the same ``name`` replaces it in a log.

    :ivar name: the GMCP package and message that carries it, e.g. ``Char.Vitals``, ``Room.Info``
    :ivar data: JSON-able value
    :ivar panel: what ``data`` was made of, for who is told of it by differences; it is not stored
    """

    __slots__ = ("data", "name", "panel", "rendered", "size")

    def __init__(self, name: str, data: Any, panel: Any = None) -> None:
        self.name = name
        self.data = data
        self.panel = panel
        self.size = 256
        self.rendered = _NEVER

    def __repr__(self) -> str:
        return f"State({self.name!r}, {self.data!r})"


Message = Line | State


def keep(message: Message, key: Any, rendered: bytes) -> None:
    """Keep what a codec rendered for all others who get the message, from the second time on: most messages have one
    reader, in whose log they may stay for long."""
    if message.rendered is _NEVER:
        message.rendered = _ONCE
    elif message.rendered is _ONCE:
        message.rendered = {key: rendered}
    else:
        message.rendered[key] = rendered


def line(kind: str, *words: str | Span | Iterable[Span]) -> Line:
    """Put a line together from plain words and spans."""
    spans: list[Span] = []
    for word in words:
        if isinstance(word, str):
            spans.append(Span(word))
        elif isinstance(word, Span):
            spans.append(word)
        else:
            spans.extend(word)
    return Line(kind, tuple(spans))
