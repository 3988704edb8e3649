"""The world's day: 1440 world seconds, so that one second is one minute of its clock.

Second 0 of a world is eight in the morning: nobody's first sight of it is a dark street.
"""

from __future__ import annotations

__all__ = ["DAY", "PHASES", "clock", "is_night", "minute", "phase"]

#: World seconds in a day.
DAY = 1440.0
#: In the order of a day that begins at midnight.
PHASES = ("night", "dawn", "day", "dusk")

_START = 480.0
_DAWN, _MORNING, _DUSK, _NIGHT = 300, 420, 1140, 1260
_HOURS = ("midnight", *"one two three four five six seven eight nine ten eleven noon".split())


def minute(now: float) -> int:
    """Minutes since midnight, 0 to 1439."""
    return int((now + _START) % DAY)


def phase(now: float) -> str:
    """One of :data:`PHASES`: dawn from five, day from seven, dusk from nineteen, night from twenty-one."""
    at = minute(now)
    if at < _DAWN or at >= _NIGHT:
        return "night"
    if at < _MORNING:
        return "dawn"
    return "day" if at < _DUSK else "dusk"


def is_night(now: float) -> bool:
    return phase(now) == "night"


def clock(now: float) -> str:
    """The time to the quarter, in words: ``half past nine in the evening``."""
    nearest = (minute(now) + 7) // 15 * 15 % int(DAY)
    at, past = divmod(nearest, 60)
    if past == 45:
        at = (at + 1) % 24
    lead = {0: "", 15: "a quarter past ", 30: "half past ", 45: "a quarter to "}[past]
    if at in (0, 12):
        return lead + _HOURS[at]
    part = "night" if at < 5 or at >= 21 else "morning" if at < 12 else "afternoon" if at < 18 else "evening"
    return f"{lead}{_HOURS[at % 12]} {'at' if part == 'night' else 'in the'} {part}"
