"""How words are shown on a client's screen: by what the client says of itself, and what its player chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from mythos.play.narrate import prompting
from mythos.play.sessions import Question
from mythos.play.settings import PARTS, choose
from mythos.values import kept, restore
from mythos.wire import ansi
from mythos.wire.ansi import Colours, Style
from mythos.wire.charset import Charset, charset_named, encode
from mythos.wire.message import State, line
from mythos.wire.negotiation import Options
from mythos.wire.telnet import END_OF_RECORD, GO_AHEAD, Option, Parser, escape
from mythos.wire.terminal import Evidence, Preferences
from mythos.world.state import Character, World

__all__ = ["Screen"]

_PROMPT = b"> "
_NOTHING: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
_SHOWN = ("prompted", "spoken", "told", "_said")
_MARKS = {"ga": GO_AHEAD, "eor": END_OF_RECORD, "none": b""}


class Screen:
    """One client's.

    :param utf8: it takes no other charset, whatever the player's settings say of others
    :ivar evidence: what the client says of itself
    :ivar style: how lines are shown to it
    :ivar height: rows
    :ivar parts: of the prompt
    :ivar told: the newest states that parts are made of, by name; kept while there are parts
    :ivar prompted: the last prompt was words, behind which a line cannot begin
    :ivar prompt_mark: what ends a prompt
    :ivar spoken: what was said of speech before there was a character to remember it
    """

    __slots__ = (
        "_options",
        "_parser",
        "_said",
        "_settings",
        "_utf8",
        "evidence",
        "height",
        "parts",
        "prompt_mark",
        "prompted",
        "spoken",
        "style",
        "told",
    )

    def __init__(self, options: Options, parser: Parser, *, utf8: bool = False) -> None:
        self.evidence = Evidence()
        self.style: Style = ansi.style()
        self.height = 24
        self.parts: Sequence[str] = ()
        self.told: Mapping[str, Mapping[str, Any]] = _NOTHING
        self.prompted = False
        self.prompt_mark = b""
        self.spoken: bool | None = None
        self._options = options
        self._parser = parser
        self._utf8 = utf8
        self._said = ""  # the last prompt that was read out
        self._settings: dict[str, str] | None = None

    # ── what is known ───────────────────────────────────────────────────────────────────────────

    def refresh(self) -> None:
        """Put together anew how lines are shown."""
        settings = self._settings or {}
        wanted = Charset.UTF8 if self._utf8 else charset_named(settings.get("charset", "auto"))
        self.evidence.encoding.wanted = wanted
        terminal = self.evidence.terminal(
            _preferences(settings, spoken=self.spoken),
            speaks_telnet=self._parser.speaks_telnet,
            mxp=self._options.agreed(Option.MXP),
        )
        self.style = terminal.style
        self.height = terminal.height
        self.prompt_mark = self._mark()

    def follow(self, settings: Mapping[str, str] | None) -> bool:
        """Show as the player's settings say now. True: the prompt has parts that nobody has told yet."""
        if settings == self._settings:
            return False
        self._settings = dict(settings) if settings else None
        self.refresh()
        before = self.parts
        self.parts = [part for part in (settings or {}).get("prompt", "on").split() if part in PARTS]
        return bool(self.parts) and not before

    def note(self, state: State) -> None:
        """Keep what the parts of the prompt are made of."""
        if self.parts and state.name in prompting.STATES:
            self.told = {**self.told, state.name: state.data}

    def remember_speech(self, world: World, me: Character) -> None:
        """What the player said before there was a character, or what the client says, is the character's from now on;
        what the player chose before beats the client."""
        if self.spoken is not None:
            choose(world, me, "screenreader", "on" if self.spoken else "off")
            self.spoken = None
        elif self.style.screen_reader and "screenreader" not in (me.settings or {}):
            choose(world, me, "screenreader", "on")

    def kept(self) -> dict[str, Any]:
        """What it showed last, for another process."""
        return {**kept(self, _SHOWN), "told": dict(self.told), "evidence": self.evidence.kept()}

    def restore(self, state: Mapping[str, Any], settings: Mapping[str, str] | None) -> None:
        """What :meth:`kept` gave, into a new one.

        :param settings: the player's, if one is in
        """
        restore(self, _SHOWN, state)
        self.evidence.restore(state["evidence"])
        self.follow(settings)
        self.refresh()

    @property
    def keeps_alive(self) -> bool:
        """The player does not mind a NOP now and then."""
        return not self._settings or self._settings.get("keepalive") != "off"

    # ── what is shown ───────────────────────────────────────────────────────────────────────────

    def words(self, *lines: str) -> bytes:
        """Lines from the server itself."""
        style = self.style
        return b"".join([ansi.render(line("system", text), style) for text in lines])

    def question(self, text: str) -> bytes:
        """What is asked at the entrance, as a prompt."""
        return escape(encode(text, self.style.charset)) + self._mark()

    def prompt(self, question: Question | None) -> bytes:
        self.prompted = question is not None
        if question is not None:
            return escape(encode(question.text + " ", self.style.charset)) + self.prompt_mark
        if self.style.screen_reader:
            return self._spoken_prompt()
        if self._settings and self._settings.get("prompt") == "off":
            return b""
        self.prompted = True
        if not self.parts:
            return _PROMPT + self.prompt_mark
        return ansi.prompt(line("system", prompting.written(self.parts, self.told)), self.style.flat) + self.prompt_mark

    def prompt_anew(self) -> bytes:
        """Also what was read out before."""
        self._said = ""
        return self.prompt(None)

    def _spoken_prompt(self) -> bytes:
        """A line of its own, and only when it says something new."""
        words = prompting.spoken(self.parts, self.told)
        if not words or words == self._said:
            return b""
        self._said = words
        return ansi.render(line("system", words), self.style) + self.prompt_mark

    def _mark(self) -> bytes:
        """One of the two, never both. Unless the player knows better: nothing for a peer that speaks no telnet, and
        GA only where it was not given up for SGA."""
        chosen = (self._settings or {}).get("mark", "auto")
        if chosen != "auto":
            return _MARKS[chosen]
        if not self._parser.speaks_telnet:
            return b""
        if self._options.us(Option.EOR):
            return END_OF_RECORD
        return b"" if self._options.us(Option.SGA) else GO_AHEAD


def _preferences(settings: Mapping[str, str], *, spoken: bool | None) -> Preferences:
    width = settings.get("width", "auto")
    reader = settings.get("screenreader")
    return Preferences(
        colours=_COLOURS.get(settings.get("colour", "auto")),
        width=int(width) if width.isdigit() else None,
        screen_reader=spoken if spoken is not None else None if reader is None else reader == "on",
    )


_COLOURS = {"none": Colours.NONE, "16": Colours.ANSI, "256": Colours.XTERM, "true": Colours.TRUE}
