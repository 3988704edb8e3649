"""Channels: who listens, what was said last, who may not speak, and how fast.

Told the time, never asks it. A channel line goes to all who listen as one shared message; who hears what is
:class:`~mythos.play.audience.Listeners`' to find out, with :meth:`Channels.hears`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from types import MappingProxyType

from mythos.errors import Refusal
from mythos.flow.bucket import Buckets
from mythos.flow.newest import keep
from mythos.ids import EntityId
from mythos.wire.message import Line, Role, Span, State
from mythos.world.state import Character

__all__ = ["CHANNELS", "HISTORY", "Channels"]

#: Every channel and what it is for, in the order they are listed.
CHANNELS: Mapping[str, str] = MappingProxyType(
    {
        "chat": "talk about anything with everybody who plays",
        "newbie": "questions of newcomers, and answers to them",
    }
)
#: Lines kept of each channel for those who come later.
HISTORY = 50
#: Of these, so many go to a client that begins to draw them.
_DRAWN = 20
#: Speakers, on each channel they use, whose pace is remembered; beyond it the one who began earliest starts afresh.
_SPEAKERS = 2048


class Channels:
    """See the module.

    :param per_minute: lines one player may say on each channel in a minute
    :param tells_per_minute: what one player may tell others in a minute
    :param burst: how many of either at once
    """

    def __init__(self, *, per_minute: float = 20.0, tells_per_minute: float = 10.0, burst: float = 5.0) -> None:
        self._history: dict[str, deque[Line]] = {name: deque(maxlen=HISTORY) for name in CHANNELS}
        self._muted: dict[EntityId, float] = {}
        self._lines = Buckets(per_minute / 60.0, burst, _SPEAKERS)
        self._tells = Buckets(tells_per_minute / 60.0, burst, _SPEAKERS)

    # ── listening ───────────────────────────────────────────────────────────────────────────────

    def hears(self, who: Character, channel: str) -> bool:
        """Everybody does who has not switched it off."""
        settings = who.settings
        return not settings or settings.get(f"channel.{channel}") != "off"

    def listen(self, who: Character, channel: str, on: bool) -> None:
        """Switch a channel on or off for one player; the caller touches the character."""
        settings = dict(who.settings or {})
        settings.pop(f"channel.{channel}", None)
        if not on:
            settings[f"channel.{channel}"] = "off"
        who.settings = settings or None

    def history(self, channel: str) -> tuple[Line, ...]:
        """The last lines, oldest first."""
        return tuple(self._history[channel])

    def state(self, who: Character) -> State:
        """``Mythos.Channels``: ``{"channels": [{"name", "on", "said": [text]}]}``, what a client draws to begin with.

        ``said`` are the last lines without the channel's name, oldest first; none of a channel that is off.
        """
        return State(
            "Mythos.Channels",
            {
                "channels": [
                    {"name": name, "on": on, "said": self._said(name) if on else []}
                    for name in CHANNELS
                    for on in (self.hears(who, name),)
                ]
            },
        )

    def _said(self, channel: str) -> list[str]:
        past = tuple(self._history[channel])[-_DRAWN:]
        return [said.text.removeprefix(f"[{channel}] ") for said in past]

    def said_by(self, name: str) -> dict[str, list[str]]:
        """By channel, what is kept of what was said by this name."""
        said = {
            channel: [one.text for one in lines if one.spans[1].text == name]
            for channel, lines in self._history.items()
        }
        return {channel: lines for channel, lines in said.items() if lines}

    def forget(self, name: str) -> None:
        """Nothing that was said by this name is kept any more."""
        for said in self._history.values():
            left = [one for one in said if one.spans[1].text != name]
            said.clear()
            said.extend(left)

    # ── speaking ────────────────────────────────────────────────────────────────────────────────

    def speak(self, now: float, who: Character, channel: str, words: str) -> Line:
        """What all listeners hear; it stands in the history from now on.

        :raises Refusal: muted, not listening, or too fast
        """
        if not self.hears(who, channel):
            raise Refusal(f"You do not listen to {channel}. Switch it on with: channels on {channel}")
        self.pace(now, who.id, channel)
        said = Line("channel", (Span(f"[{channel}] "), Span(who.name, Role.PLAYER), Span(f": {words}")))
        self._history[channel].append(said)
        return said

    def change_pace(self, *, per_minute: float, tells_per_minute: float, burst: float = 5.0) -> None:
        """From now on; what was said before does not count."""
        self._lines.change(per_minute / 60.0, burst)
        self._tells.change(tells_per_minute / 60.0, burst)

    def pace(self, now: float, who: EntityId, channel: str = "") -> None:
        """Let one more line of a player go to people elsewhere.

        :param channel: where many hear it; empty: a tell
        :raises Refusal: muted or too fast
        """
        until = self._muted.get(who, 0.0)
        if until > now:
            raise Refusal(f"You may speak to people elsewhere again in {_span(until - now)}.")
        wait = self._lines.take((who, channel), now) if channel else self._tells.take(who, now)
        if wait > 0.0:
            raise Refusal(f"You speak too fast. Wait {_span(wait)}, then say it again.")

    def mute(self, who: EntityId, until: float) -> None:
        """Keep a player from speaking to people elsewhere up to a second of the clock; one that is past lifts it."""
        keep(self._muted, who, until, _SPEAKERS)


def _span(seconds: float) -> str:
    whole = int(seconds) + 1
    if whole == 1:
        return "a second"
    return f"{whole} seconds" if whole < 120 else f"{whole // 60} minutes"
