"""The world's day."""

from __future__ import annotations

import itertools

import pytest

from mythos.world.calendar import DAY, PHASES, clock, is_night, minute, phase


def at(hours: int, minutes: int = 0) -> float:
    """The world's second at which its clock shows a time."""
    return (hours * 60 + minutes - 480) % DAY


def test_a_world_begins_in_the_morning() -> None:
    """Nobody's first sight of a new world is a dark street."""
    assert (minute(0.0), phase(0.0)) == (480, "day")


@pytest.mark.parametrize(
    ("hours", "minutes", "expected"),
    [
        (4, 59, "night"),
        (5, 0, "dawn"),
        (6, 59, "dawn"),
        (7, 0, "day"),
        (18, 59, "day"),
        (19, 0, "dusk"),
        (20, 59, "dusk"),
        (21, 0, "night"),
        (0, 0, "night"),
    ],
)
def test_phases(hours: int, minutes: int, expected: str) -> None:
    """The day turns on the hour."""
    assert phase(at(hours, minutes)) == expected
    assert is_night(at(hours, minutes)) is (expected == "night")


def test_every_day_is_like_the_first() -> None:
    """A thousand days on, the same second shows the same time."""
    seconds = [float(second) for second in range(0, int(DAY), 7)]
    assert [minute(s + 1000 * DAY) for s in seconds] == [minute(s) for s in seconds]


def test_a_day_has_each_phase_once() -> None:
    """Going round once from midnight, the phases come in their order and end where they began."""
    seen = [phase(at(0) + second) for second in range(int(DAY))]
    turns = [now for before, now in itertools.pairwise(seen) if before != now]
    assert turns == [*PHASES[1:], PHASES[0]]


@pytest.mark.parametrize(
    ("hours", "minutes", "words"),
    [
        (0, 0, "midnight"),
        (12, 0, "noon"),
        (9, 30, "half past nine in the morning"),
        (14, 15, "a quarter past two in the afternoon"),
        (19, 44, "a quarter to eight in the evening"),
        (23, 55, "midnight"),
        (3, 0, "three at night"),
        (11, 45, "a quarter to noon"),
        (22, 2, "ten at night"),
    ],
)
def test_clock(hours: int, minutes: int, words: str) -> None:
    """The clock speaks to the quarter."""
    assert clock(at(hours, minutes)) == words
