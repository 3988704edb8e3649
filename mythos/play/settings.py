"""What players choose about how the game speaks to them; kept with the character, the same on every door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mythos.errors import Refusal
from mythos.world.state import Character, World

__all__ = ["SETTINGS", "Setting", "choose", "chosen"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One choice.

    :ivar values: what it may be, the first until it is chosen
    :ivar what: what it does, in a few words
    :ivar between: least and most, of one that may be a number too
    """

    values: tuple[str, ...]
    what: str
    between: tuple[int, int] | None = None

    def may_be(self) -> str:
        """All that it may be, in words."""
        return ", ".join((*self.values, f"{self.between[0]}-{self.between[1]}") if self.between else self.values)

    def read(self, words: str) -> str | None:
        """The value that somebody means; None: it may not be that."""
        if words in self.values:
            return words
        if self.between and words.isascii() and words.isdigit() and len(words) < 4:
            return words if self.between[0] <= int(words) <= self.between[1] else None
        return None


SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "brief": Setting(("off", "on"), "short rooms when you walk"),
        "colour": Setting(("auto", "none", "16", "256", "true"), "how many colours your client shows"),
        "prompt": Setting(("on", "off"), "a prompt after each answer"),
        "screenreader": Setting(("off", "on"), "text fit for speech: one thing a line, no art"),
        "rounds": Setting(("auto", "on", "off"), "a round of a fight in one line; auto is on for a screen reader"),
        "pager": Setting(("off", "on"), "a long answer stops when the screen is full; Enter goes on, q ends"),
        "width": Setting(("auto",), "letters in a line; auto asks your client", between=(20, 500)),
        "keepalive": Setting(("off", "on"), "a sign of life for lines that drop when nothing is sent"),
    }
)


def chosen(character: Character, name: str) -> str:
    """What a setting is for a character."""
    return (character.settings or {}).get(name, SETTINGS[name].values[0])


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
