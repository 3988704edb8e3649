"""Colours of Intermud-3."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.wire.i3.pinkfish import Run, plain, read, write


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("", []),
        ("hello", [Run("hello")]),
        ("%^RED%^hot%^RESET%^ tea", [Run("hot", "red"), Run(" tea")]),
        ("%^BOLD%^RED%^hot", [Run("hot", "bright red")]),
        ("%^BOLD%^%^RED%^hot", [Run("hot", "bright red")]),
        ("%^YELLOW%^sun%^RESET%^", [Run("sun", "bright orange")]),
        ("a%^RED%^b%^GREEN%^c", [Run("a"), Run("b", "red"), Run("c", "green")]),
        ("%^B_BLUE%^x%^CLEARLINE%^y", [Run("xy")]),
        ("%^NOCOLOUR%^x", [Run("%^NOCOLOUR%^x")]),
        ("100%^2 is much", [Run("100%^2 is much")]),
        ("5 %^ 3", [Run("5 %^ 3")]),
        ("\x1b[31mred\x07", [Run("[31mred")]),
    ],
)
def test_reading(text: str, runs: list[Run]) -> None:
    """Codes that share a delimiter and codes that do not; unknown names are text; no escape comes through."""
    assert read(text) == runs


def test_writing() -> None:
    assert write([Run("a "), Run("hot", "bright red"), Run(" b", "blue")]) == (
        "a %^BOLD%^RED%^hot%^RESET%^%^BLUE%^ b%^RESET%^"
    )
    assert write([Run("%^RED%^ typed by a player")]) == "%RED% typed by a player"


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="%"), max_size=40))
def test_plain_words_stay(text: str) -> None:
    assert plain(write([Run(text)])) == text
    assert plain(write([Run(text, "red")])) == text


@given(st.text("%^REDBOLSTab \x1b\n", max_size=40))
def test_any_text(text: str) -> None:
    """Never an error, never a control character but a line end."""
    shown = plain(text)
    assert all(letter >= " " or letter == "\n" for letter in shown)
