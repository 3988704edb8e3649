"""Colours of Intermud-3."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.wire.clean import clean_lines
from mythos.wire.i3.pinkfish import plain, read, write
from mythos.wire.message import Role, Span

COLOURS = list(Role)[-16:]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", []),
        ("hello", [Span("hello")]),
        ("%^RED%^hot%^RESET%^ tea", [Span("hot", Role.RED), Span(" tea")]),
        ("%^BOLD%^RED%^hot", [Span("hot", Role.BRIGHT_RED)]),
        ("%^BOLD%^%^RED%^hot", [Span("hot", Role.BRIGHT_RED)]),
        ("%^RED%^%^BOLD%^hot", [Span("hot", Role.BRIGHT_RED)]),
        ("%^ORANGE%^leaf%^RESET%^", [Span("leaf", Role.YELLOW)]),
        ("%^YELLOW%^sun%^RED%^set", [Span("sun", Role.BRIGHT_YELLOW), Span("set", Role.BRIGHT_RED)]),
        ("%^BOLD%^loud", [Span("loud", Role.BRIGHT_WHITE)]),
        ("%^FLASH%^look%^RED%^ here%^BLINK%^!", [Span("look", Role.BRIGHT_WHITE), Span(" here!", Role.BRIGHT_RED)]),
        ("%^UNDERLINE%^x%^REVERSE%^y", [Span("xy")]),
        ("a%^RED%^b%^GREEN%^c", [Span("a"), Span("b", Role.RED), Span("c", Role.GREEN)]),
        ("%^RED%^a%^RESET%^RED%^b", [Span("ab", Role.RED)]),
        ("%^B_BLUE%^x%^CLEARLINE%^y", [Span("xy", ground=Role.BLUE)]),
        (
            "%^B_BLUE%^%^YELLOW%^x%^B_ORANGE%^y%^RESET%^z",
            [
                *(Span("x", Role.BRIGHT_YELLOW, ground=Role.BLUE), Span("y", Role.BRIGHT_YELLOW, ground=Role.YELLOW)),
                Span("z"),
            ],
        ),
        ("%^BOLD%^%^B_RED%^x%^B_YELLOW%^y", [Span("x", ground=Role.RED), Span("y", ground=Role.YELLOW)]),
        ("%^B_PINK%^x", [Span("%^B_PINK%^x")]),
        ("%^NOCOLOUR%^x", [Span("%^NOCOLOUR%^x")]),
        ("100%^2 is much", [Span("100%^2 is much")]),
        ("5 %^ 3", [Span("5 %^ 3")]),
        ("\x1b[31mred\x07", [Span("red")]),
        ("%\x07^RED%^x", [Span("x", Role.RED)]),
    ],
)
def test_reading(text: str, spans: list[Span]) -> None:
    """Codes that share a delimiter and codes that do not; unknown names are text; no escape comes through."""
    assert read(text) == spans


def test_writing() -> None:
    assert write([Span("a "), Span("hot", Role.BRIGHT_RED), Span(" b", Role.BLUE), Span("!", Role.WARNING)]) == (
        "a %^BOLD%^RED%^hot%^RESET%^%^BLUE%^ b%^RESET%^!"
    )
    assert write([Span("RED")]) == "RED"


@pytest.mark.parametrize(
    "spans",
    [
        [Span("%^RED%^x")],
        [Span("%%^^RED%%^^x")],
        [Span("%"), Span("^RED%"), Span("^x")],
        [Span("%^", Role.QUIET), Span("RED"), Span("%\x07^x", Role.QUIET)],
    ],
)
def test_codes_that_somebody_typed(spans: list[Span]) -> None:
    """However they are put together, nobody reads a colour in them."""
    assert all(span.role is None for span in read(write(spans)))
    assert "^R" not in write(spans)


@pytest.mark.parametrize("role", COLOURS)
def test_every_colour_comes_back(role: Role) -> None:
    behind = Span("x", role, ground=COLOURS[COLOURS.index(role) % 8])
    assert read(write([behind, Span("y", role), Span("z", ground=behind.ground)])) == [
        *(behind, Span("y", role), Span("z", ground=behind.ground)),
    ]
    assert read(write([Span("x", role), Span("y")])) == [Span("x", role), Span("y")]


WORDS = st.sampled_from(["RED", "RESET", "BOLD"]) | st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="%"), max_size=40
)


SPANS = st.builds(Span, WORDS, st.sampled_from([None, *COLOURS]), st.just(""), st.sampled_from([None, *COLOURS[:8]]))


@given(st.lists(SPANS, max_size=6))
def test_words_and_colours_stay(spans: list[Span]) -> None:
    """Letter for letter, words that are names of colours too; but for what nobody may say."""

    def letters(some: list[Span]) -> list[tuple[str, Role | None, Role | None]]:
        return [(letter, span.role, span.ground) for span in some for letter in clean_lines(span.text)]

    assert letters(read(write(spans))) == letters(spans)


@given(st.text("%^REDBOLSTab_ \x1b\n", max_size=40))
def test_any_text(text: str) -> None:
    """Never an error, never a control character but a line end; neighbours differ."""
    shown = plain(text)
    assert all(letter >= " " or letter == "\n" for letter in shown)
    roles = [(span.role, span.ground) for span in read(text)]
    assert all(one != other for one, other in pairwise(roles))
