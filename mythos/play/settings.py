"""What players choose about how the game speaks to them; kept with the character, the same on every door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mythos.errors import Refusal
from mythos.wire.message import State
from mythos.world.state import Character, World

__all__ = ["PARTS", "SETTINGS", "Setting", "choose", "chosen", "speech", "wants_rounds"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One choice.

    :ivar values: what it may be, the first until it is chosen
    :ivar what: what it does, in a few words
    :ivar between: least and most, of one that may be a number too
    :ivar parts: of one that may be any of these instead, one after the other
    :ivar off: what ``off`` means, if that is none of them
    :ivar terminal: it is for MUD clients and terminals: the web client shows words as its browser does
    """

    values: tuple[str, ...]
    what: str
    between: tuple[int, int] | None = None
    parts: tuple[str, ...] = ()
    off: str = "off"
    terminal: bool = False

    def may_be(self) -> str:
        """All that it may be, in words."""
        number = (f"{self.between[0]}-{self.between[1]}",) if self.between else ()
        parts = f"; or some of {', '.join(self.parts)}" if self.parts else ""
        return ", ".join((*self.values, *number)) + parts

    def read(self, words: str) -> str | None:
        """The value that somebody means; None: it may not be that."""
        if words == "off":
            words = self.off
        if words in self.values:
            return words
        if self.between and words.isascii() and words.isdigit() and len(words) < 4:
            return words if self.between[0] <= int(words) <= self.between[1] else None
        chosen = dict.fromkeys(words.replace(",", " ").split())
        return " ".join(chosen) if chosen and chosen.keys() <= {*self.parts} else None


#: What a prompt can tell.
PARTS = ("health", "gold", "level", "xp", "fight", "room", "exits")
SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "brief": Setting(("off", "on"), "short rooms when you walk"),
        "map": Setting(("off", "on", "words"), "a small map with each look, of letters or in words"),
        "screenreader": Setting(("off", "on"), "text fit for speech: one thing a line, no art"),
        "rounds": Setting(("auto", "on", "off"), "a round of a fight in one line; auto is on for a screen reader"),
        "charset": Setting(
            ("auto", "utf-8", "latin-1", "ascii"), "the letters your client has; auto asks it", terminal=True
        ),
        "colour": Setting(
            ("auto", "none", "16", "256", "true"), "how many colours your client shows", off="none", terminal=True
        ),
        "keepalive": Setting(("on", "off"), "a sign of life for lines that drop when nothing is sent", terminal=True),
        "mark": Setting(
            ("auto", "ga", "eor", "none"),
            "what tells your client that a prompt ends; none if it shows an odd letter there",
            off="none",
            terminal=True,
        ),
        "pager": Setting(
            ("off", "on"), "a long answer stops when the screen is full; Enter goes on, q ends", terminal=True
        ),
        "prompt": Setting(
            ("on", "off"), "what ends each answer; plain, or with what you want to know", parts=PARTS, terminal=True
        ),
        "width": Setting(("auto",), "letters in a line; auto asks your client", between=(20, 500), terminal=True),
    }
)


def chosen(character: Character, name: str) -> str:
    """What a setting is for a character."""
    return (character.settings or {}).get(name, SETTINGS[name].values[0])


def wants_rounds(character: Character) -> bool:
    """Whether a player is told a round of a fight in one line."""
    rounds = chosen(character, "rounds")
    return chosen(character, "screenreader" if rounds == "auto" else "rounds") == "on"


def speech(character: Character) -> State:
    """``Mythos.Settings``: ``{"screenreader": "on"|"off"|""}``, what the web client obeys; empty: nobody chose yet."""
    return State("Mythos.Settings", {"screenreader": (character.settings or {}).get("screenreader", "")})


def choose(world: World, character: Character, name: str, words: str) -> None:
    """Set it, to be kept.

    :raises Refusal: it may not be that
    """
    setting = SETTINGS[name]
    value = setting.read(words)
    if value is None:
        raise Refusal(f"{name.capitalize()} can be: {setting.may_be()}.")
    if (character.settings or {}).get(name) != value:
        character.settings = {**(character.settings or {}), name: value}
        world.touch(character)
