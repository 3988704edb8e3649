"""The one sanitiser: what is left of words that strangers wrote, before anybody reads them.

Words of players go through :func:`sanitize` as they come in; words of other MUDs, which may have several lines,
through :func:`clean_lines`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["clean", "clean_lines", "sanitize"]

#: C0 and C1 controls, DEL, surrogates; line and paragraph separator; what turns text around; what is there and is not
#: seen, with which words can be made that look like others: fillers, invisible operators, tags, annotations.
_FORBIDDEN: Final = dict.fromkeys(
    [
        *(*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)),
        *(0x2028, 0x2029),
        *(0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)),
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x180F), 0x200B, *range(0x2060, 0x2066)),
        *(*range(0x206A, 0x2070), 0x3164, 0xFEFF, 0xFFA0, *range(0xFFF9, 0xFFFC), *range(0x1BCA0, 0x1BCA4)),
        *(*range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000)),
    ]
)
#: CSI, OSC and SS3 sequences whole, so that no "[31m" stays behind.
_ESCAPE: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\r\n]*(?:\x07|\x1b\\)|O[ -~])|\x9b[0-?]*[ -/]*[@-~]"
)
#: Joiners, which Persian, the scripts of India and emoji need: one between two letters that are not ASCII.
_STRAY: Final = re.compile("(?<![^\x00-\x7f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f\u200c\u200d])")
_JOINERS: Final = re.compile("([\u200c\u200d])[\u200c\u200d]+")


def clean(text: str) -> str:
    """NFC, without what is forbidden; white space stays, but for tabs and line ends."""
    if text.isascii() and text.isprintable():
        return text
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPE.sub("", text)
    text = unicodedata.normalize("NFC", text.translate(_FORBIDDEN))
    if "\u200c" in text or "\u200d" in text:
        text = unicodedata.normalize("NFC", _STRAY.sub("", _JOINERS.sub(r"\1", text)))
    return text


def clean_lines(text: str) -> str:
    """As :func:`clean`, line by line; a tab is a space."""
    return text if text.isprintable() else "\n".join([clean(part) for part in text.replace("\t", " ").split("\n")])


def sanitize(text: str) -> str:
    """Make words from a player fit to be stored and heard by others.

    NFC; terminal sequences, controls, surrogates and what cannot be seen are gone; white space of any kind is one
    space, none at the ends. Doing it twice changes nothing.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    if not text.isprintable():  # tabs and line ends part words, so they become spaces before controls go
        text = clean(" ".join(text.split()))
    return " ".join(clean(text).split())
