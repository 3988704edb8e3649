"""Words to bytes and back: what a client's bytes mean, and how it is written to.

A line is collected as bytes and decoded whole at its end, so a character cut by a packet needs no care.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from typing import Final

import wcwidth

from mythos.wire.clean import clean

__all__ = ["Charset", "Encoding", "charset_named", "encode", "fit"]


class Charset(Enum):
    """What a client reads; the value is Python's name of the codec."""

    UTF8 = "utf-8"
    LATIN1 = "latin-1"
    ASCII = "ascii"


#: By RFC 2066 name, compared without case and without ``-``, ``_``, ``.`` and space.
_NAMES: Final = {
    "utf8": Charset.UTF8,
    "latin1": Charset.LATIN1,
    "iso88591": Charset.LATIN1,
    "cp1252": Charset.LATIN1,
    "windows1252": Charset.LATIN1,
    "ascii": Charset.ASCII,
    "usascii": Charset.ASCII,
    "ansix341968": Charset.ASCII,
}

_CYRILLIC: Final = (
    "а a б b в v г g ґ g д d е e ё yo є ye ж zh з z и i і i ї yi й y к k л l м m н n о o п p р r с s т t у u ў w "
    "ф f х kh ц ts ч ch ш sh щ shch ы y э e ю yu я ya ђ dj ј j љ lj њ nj ћ c ќ k ѓ g џ dz ѕ dz"
)
_GREEK: Final = "α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o"
_LATIN: Final = "æ ae œ oe ø o ł l þ th ð d đ d ħ h ŧ t ŋ ng ə e ɛ e ɔ o"
_SIGNS: Final = (
    "ß ss ı i ƒ f µ u … ... → -> ← <- ↔ <-> ⇒ => ↑ ^ ↓ v ▲ ^ ▼ v ► > ◄ < « << » >> ‹ < › > × x ÷ / ⁄ / ± +/- ≤ <= "
    "≥ >= ≠ != ≈ ~ ∞ inf © (c) ® (r) ™ (tm) € EUR £ GBP ¥ JPY ¢ c ° deg № No. § S. ¡ ! ¿ ? ¦ | 、 , 。 . ♥ <3 ❤ <3 "
    "👍 +1 👎 -1 ☺ :-) ☹ :-( 😉 ;-)"
)


def _table(pairs: str) -> dict[str, str]:
    """``"a x b y"`` as a dictionary."""
    words = pairs.split(" ")
    return dict(zip(words[::2], words[1::2], strict=True))


def _both_cases(pairs: str) -> dict[str, str]:
    small = _table(pairs)
    return {**{letter.upper(): spelling.capitalize() for letter, spelling in small.items()}, **small}


#: What a Latin-1 or ASCII client reads instead; what is not here loses its accents or becomes "?".
_INSTEAD: Final = {
    **_both_cases(_CYRILLIC),
    **_both_cases(_GREEK),
    **_both_cases(_LATIN),
    **_table(_SIGNS),
    **dict.fromkeys("ъьЪЬ", ""),
    **dict.fromkeys("‘’‚‛′ʼʻʹ´", "'"),
    **dict.fromkeys("“”„‟″「」『』", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("•·‣▪●★☆✦♪♫※", "*"),
    **dict.fromkeys("─━═", "-"),
    **dict.fromkeys("│┃║", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬", "+"),
    **dict.fromkeys("░▒▓█■", "#"),
    **dict.fromkeys("😀😃😄😁😊🙂", ":-)"),
    **dict.fromkeys("😂🤣😆", ":-D"),
    **dict.fromkeys("😢😭😞🙁", ":-("),
    **dict.fromkeys("\u200b\u200c\u200d\u2060\u00ad\ufe0e\ufe0f🏻🏼🏽🏾🏿", ""),
    **dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f\u3000", " "),
}


def charset_named(name: str) -> Charset | None:
    """The charset that a peer calls by this name; None if we do not speak it."""
    return _NAMES.get(re.sub(r"[-_. ]", "", name).lower())


def fit(text: str, charset: Charset) -> str:
    """Put ``text`` in the characters that ``charset`` has: other spelling, no accents, or one ``?`` for each character
    that a reader would count."""
    try:
        text.encode(charset.value)
    except UnicodeEncodeError:
        text = unicodedata.normalize("NFC", text)
        return "".join([_fit_one(grapheme, charset.value) for grapheme in wcwidth.iter_graphemes(text)])
    return text


def _fit_one(grapheme: str, codec: str) -> str:
    spelt = "".join([_spelt(character, codec) for character in grapheme])
    return "?" if len(grapheme) > 1 and set(spelt) == {"?"} else spelt


def _spelt(character: str, codec: str) -> str:
    for spelling in (character, _INSTEAD.get(character), _unaccented(character)):
        if spelling is not None:
            try:
                spelling.encode(codec)
            except UnicodeEncodeError:
                continue
            return spelling
    return "?"


def _unaccented(character: str) -> str:
    """Of what it is put together, without what stands above and below."""
    parts = unicodedata.normalize("NFKD", character)
    return "".join([_INSTEAD.get(part, part) for part in parts if not unicodedata.combining(part)])


def encode(text: str, charset: Charset) -> bytes:
    """``text`` as the client reads it. A Latin-1 255 is *not* doubled here: :func:`telnet.escape` does, last."""
    try:
        return text.encode(charset.value)
    except UnicodeEncodeError:
        return fit(text, charset).encode(charset.value)


class Encoding:
    """What is known of the encoding of one connection: agreed with the client, or learnt from its lines.

    :ivar wanted: by the player's setting; beats what was agreed
    :ivar agreed: by CHARSET, MTTS or NEW-ENVIRON; beats what was learnt
    :ivar learnt: by the newest line that was not ASCII
    """

    __slots__ = ("agreed", "learnt", "wanted")

    def __init__(self) -> None:
        self.wanted: Charset | None = None
        self.agreed: Charset | None = None
        self.learnt: Charset | None = None

    def decode(self, line: bytes) -> str:
        """A line from the client: NFC, without controls, white space as typed (it may be a password).

        Nothing known, or ASCII: strict UTF-8, and a line that fails is cp1252. UTF-8 wanted, agreed, or proven by an
        earlier line: errors become U+FFFD.
        """
        if line.isascii():
            text = line.decode("ascii")
            return text if text.isprintable() else clean(text)
        known = self.wanted or self.agreed
        if known is Charset.LATIN1:
            return clean(line.decode("latin-1"))
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            if Charset.UTF8 in (known, self.learnt):
                return clean(line.decode("utf-8", "replace"))
            self.learnt = Charset.LATIN1
            return clean(_western(line))
        self.learnt = Charset.UTF8
        return clean(text)

    def output(self, *, terminal_type: bool) -> Charset:
        """What to write in. Until something is proven: UTF-8 if the client answered TTYPE, else ASCII."""
        return self.wanted or self.agreed or self.learnt or (Charset.UTF8 if terminal_type else Charset.ASCII)


def _western(line: bytes) -> str:
    try:
        return line.decode("cp1252")
    except UnicodeDecodeError:  # 81, 8D, 8F, 90 and 9D mean nothing in cp1252
        return line.decode("latin-1")
