"""What is left of words from strangers."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.wire.clean import clean_lines, sanitize


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("hello", "hello"),
        ("  two   words \t\n", "two words"),
        ("a\u00a0b\u3000c\u2028d", "a b c d"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x\x1bOPy\x1b[1z<b>", "xy<b>"),
        ("\x9b31mred", "red"),
        ("\x1b\x1b", ""),
        ("a\x00b\x7fc\x85d\x9fe", "abc de"),
        ("\u202eevil\u202c \u2066x\u2069\u200e\u200f\u061c\ufeff", "evil x"),
        ("\ud800x", "x"),
        ("e\u0301", "é"),
        ("e\x00\u0301", "é"),
        ("日本", "日本"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("Ann\u200b says\u2060,\u00ad", "Ann says,\u00ad"),
        ("A\u200dn\u200cn\u200d", "Ann"),
        ("é\u200d\u200c\u200dé", "é\u200dé"),
        ("e\u200d\u0301", "é"),
        ("x\U000e0041\U000e007f\u3164y\u2063z\ufff9", "xyz"),
    ],
)
def test_sanitize(said: str, heard: str) -> None:
    """Nothing that moves a cursor, forges a line or turns text around gets through."""
    assert sanitize(said) == heard


@given(
    st.text()
    | st.text(st.sampled_from("a e\u0301\x1b[]m0;\x07\\\x9b\u202e\ufeff\u2028\ud800\x85\t\u200d\u200c\u200bK\u212a"))
)
def test_sanitize_is_final(said: str) -> None:
    """The result holds nothing forbidden, is NFC, and is left alone the second time."""
    heard = sanitize(said)
    assert sanitize(heard) == heard
    assert unicodedata.is_normalized("NFC", heard)
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c == "\ufeff" for c in heard)
    assert not any(unicodedata.bidirectional(c) in ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "PDI") for c in heard)
    assert "  " not in heard and heard == heard.strip()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("one\r\ntwo\tthree\x07", "one\ntwo three"),
        ("\x1b[2Jgone", "gone"),
        ("\u202etxt.exe\u2028x", "txt.exex"),
        ("as it is: é 👩\u200d🚀", "as it is: é 👩\u200d🚀"),
    ],
)
def test_lines(said: str, shown: str) -> None:
    """Words of other MUDs keep their lines."""
    assert clean_lines(said) == shown
