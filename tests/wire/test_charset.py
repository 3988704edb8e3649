"""What bytes mean, and what is left of words from players."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.wire.charset import Charset, Encoding, charset_named, encode, fit


@pytest.mark.parametrize(
    ("text", "charset", "written"),
    [
        ("— “a” ‘b’ … →", Charset.ASCII, b"- \"a\" 'b' ... ->"),
        ("café ÿ", Charset.LATIN1, b"caf\xe9 \xff"),
        ("café ÿ", Charset.ASCII, b"cafe y"),
        ("café", Charset.UTF8, b"caf\xc3\xa9"),
        ("Ł ø ß 日", Charset.LATIN1, b"L \xf8 \xdf ?"),
        ("Łø ß 日", Charset.ASCII, b"Lo ss ?"),
        ("½ ＡＢ x²", Charset.ASCII, b"1/2 AB x2"),
        ("Привет, Щука! Объезд", Charset.ASCII, b"Privet, Shchuka! Obezd"),
        ("Її ґанок", Charset.LATIN1, b"Yiyi ganok"),
        ("Καλημέρα Ψυχή", Charset.ASCII, b"Kalimera Psychi"),
        ("Nguyễn Þór", Charset.ASCII, b"Nguyen Thor"),
        ("cafe\u0301 日", Charset.LATIN1, b"caf\xe9 ?"),
        ("👍🏽 ❤️ 👩\u200d🚀 🇩🇪 日本", Charset.ASCII, b"+1 <3 ? ? ??"),
        ("ﬁ", Charset.ASCII, b"fi"),
        ("┌─┐", Charset.ASCII, b"+-+"),
    ],
)
def test_encode(text: str, charset: Charset, written: bytes) -> None:
    """Characters a client lacks are spelt in those it has."""
    assert encode(text, charset) == written
    assert fit(text, charset).encode(charset.value) == written


@given(st.text(), st.sampled_from([Charset.ASCII, Charset.LATIN1]))
def test_fit_always_fits(text: str, charset: Charset) -> None:
    """And what fits is left alone."""
    assert encode(text, charset) == fit(text, charset).encode(charset.value)
    assert fit(fit(text, charset), charset) == fit(text, charset)


def test_decode_by_proof() -> None:
    """Nothing known: strict UTF-8, else cp1252, and the session is what its newest line showed."""
    encoding = Encoding()
    assert encoding.output(terminal_type=False) is Charset.ASCII
    assert encoding.output(terminal_type=True) is Charset.UTF8
    assert encoding.decode(b"caf\xe9 \x80") == "café €"
    assert encoding.output(terminal_type=True) is Charset.LATIN1
    assert encoding.decode(b"caf\xc3\xa9") == "café"
    assert encoding.output(terminal_type=False) is Charset.UTF8
    assert encoding.decode(b"caf\xe9") == "caf\ufffd"


def test_decode_as_agreed() -> None:
    """What was agreed beats what lines look like."""
    encoding = Encoding()
    encoding.agreed = Charset.UTF8
    assert encoding.decode(b"\xff") == "\ufffd"
    assert encoding.output(terminal_type=False) is Charset.UTF8
    encoding.agreed = Charset.LATIN1
    assert encoding.decode(b"caf\xc3\xa9") == "cafÃ©"
    assert encoding.output(terminal_type=True) is Charset.LATIN1


def test_decode_as_wanted() -> None:
    """The player knows better than a client that says something else of itself."""
    encoding = Encoding()
    encoding.agreed, encoding.wanted = Charset.UTF8, Charset.LATIN1
    assert encoding.decode(b"caf\xe9") == "café"
    assert encoding.output(terminal_type=True) is Charset.LATIN1
    encoding.wanted = Charset.ASCII
    assert encoding.decode("é".encode()) == "é"
    assert encoding.output(terminal_type=True) is Charset.ASCII
    encoding.wanted = None
    assert encoding.output(terminal_type=True) is Charset.UTF8


def test_decode_keeps_white_space() -> None:
    """A line may be a password: spaces stay, controls go, letters are composed."""
    assert Encoding().decode(b"  a  b ") == "  a  b "
    assert Encoding().decode("e\u0301\u202e\x85\ufeff".encode()) == "é"


@given(st.binary(max_size=40), st.none() | st.sampled_from(Charset), st.none() | st.sampled_from(Charset))
def test_decode_anything(line: bytes, agreed: Charset | None, learnt: Charset | None) -> None:
    """Any bytes are some text, without controls."""
    encoding = Encoding()
    encoding.agreed, encoding.learnt = agreed, learnt
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in encoding.decode(line))


@pytest.mark.parametrize(
    ("name", "charset"),
    [
        *(("UTF-8", Charset.UTF8), ("utf8", Charset.UTF8), ("Utf_8", Charset.UTF8), ("ISO-8859-1", Charset.LATIN1)),
        *(("iso 8859-1", Charset.LATIN1), ("US-ASCII", Charset.ASCII), ("KOI8-R", None), ("", None)),
    ],
)
def test_charset_names(name: str, charset: Charset | None) -> None:
    """Compared without case and separators."""
    assert charset_named(name) is charset
