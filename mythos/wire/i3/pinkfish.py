"""Pinkfish: colours in the words of Intermud-3, ``%^RED%^like this%^RESET%^``.

Neighbours may share a delimiter or not. A name that nobody knows is text, as it came; so ``100%^2`` stays what it is.
A colour becomes the :class:`~mythos.wire.message.Role` of its name, also one behind the words. What blinks is bright:
no stranger makes a player's screen blink. Other styles are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from mythos.wire.clean import clean_lines
from mythos.wire.message import Role, Span

__all__ = ["plain", "read", "write"]

#: Names that set a colour, and what it is with BOLD before or behind it. ORANGE is the yellow of terminals.
_COLOURS: Final = {
    "BLACK": (Role.BLACK, Role.BRIGHT_BLACK),
    "RED": (Role.RED, Role.BRIGHT_RED),
    "GREEN": (Role.GREEN, Role.BRIGHT_GREEN),
    "ORANGE": (Role.YELLOW, Role.BRIGHT_YELLOW),
    "BLUE": (Role.BLUE, Role.BRIGHT_BLUE),
    "MAGENTA": (Role.MAGENTA, Role.BRIGHT_MAGENTA),
    "CYAN": (Role.CYAN, Role.BRIGHT_CYAN),
    "WHITE": (Role.WHITE, Role.BRIGHT_WHITE),
    "YELLOW": (Role.BRIGHT_YELLOW, Role.BRIGHT_YELLOW),
}
#: Names that set the colour behind words, and those that make words bright.
_GROUNDS: Final = {f"B_{name}": dark if name != "YELLOW" else Role.YELLOW for name, (dark, _) in _COLOURS.items()}
_BOLD = frozenset({"BOLD", "FLASH", "BLINK"})
_STYLES = frozenset({"UNDERLINE", "ITALICS", "REVERSE", "DARK", "DIM"})
#: Names that show nothing.
_SILENT = frozenset({"CLEARLINE", "INITTERM", "ENDTERM", "STATUS", "WINDOW"})
_CODES = frozenset({"RESET", *_COLOURS, *_GROUNDS, *_BOLD, *_STYLES, *_SILENT})
_MARK = "%^"
#: What would end in a mark, however it is put together.
_LOOSE: Final = re.compile(r"%\^+")
#: A colour -> the codes that set it, before words and behind them.
_WRITTEN: Final[Mapping[Role | None, str]] = {
    **{bright: f"{_MARK}BOLD{_MARK}{name}{_MARK}" for name, (_, bright) in _COLOURS.items() if name != "YELLOW"},
    **{dark: f"{_MARK}{name}{_MARK}" for name, (dark, _) in _COLOURS.items() if name != "YELLOW"},
}
_BEHIND: Final[Mapping[Role | None, str]] = {
    dark: f"{_MARK}B_{name}{_MARK}" for name, (dark, _) in _COLOURS.items() if name != "YELLOW"
}
_RESET = f"{_MARK}RESET{_MARK}"


def read(text: str) -> list[Span]:
    """Words with codes -> spans, control characters gone; neighbours differ in colour, none is empty."""
    runs: list[tuple[Role | None, Role | None, list[str]]] = []
    colour, bold, ground = "", False, None
    pieces = clean_lines(text).split(_MARK)
    coded = True  # the piece before it was a code: its delimiter is not text
    for place, piece in enumerate(pieces):
        inside = 0 < place < len(pieces) - 1
        if inside and piece in _CODES:
            if piece == "RESET":
                colour, bold, ground = "", False, None
            elif piece in _COLOURS:
                colour, bold = piece, bold or piece == "YELLOW"
            elif piece in _BOLD:
                bold = True
            elif piece in _GROUNDS:
                ground = _GROUNDS[piece]
            coded = True
        elif inside and not piece:
            coded = True  # between two codes that share no delimiter
        else:
            words = piece if coded else _MARK + piece
            role = _COLOURS[colour][bold] if colour else Role.BRIGHT_WHITE if bold and ground is None else None
            if runs and runs[-1][0] is role and runs[-1][1] is ground:
                runs[-1][2].append(words)
            elif words:
                runs.append((role, ground, [words]))
            coded = False
    return [Span("".join(words), role, "", ground) for role, ground, words in runs]


def plain(text: str) -> str:
    """The words alone."""
    return "".join([span.text for span in read(text)])


def write(spans: Iterable[Span]) -> str:
    """Spans -> words with codes for the colours of those that have one; what would read as a code is made harmless."""
    parts: list[str] = []
    joined = _joined(spans)
    for span in joined:
        codes = _WRITTEN.get(span.role, "") + _BEHIND.get(span.ground, "")
        words = _LOOSE.sub("%", clean_lines(span.text))
        if words in _CODES and (codes or len(joined) > 1):  # between two delimiters it would read as one
            words = f"{words[:1]}{codes or _RESET}{words[1:]}"
        parts.append(f"{codes}{words}{_RESET}" if codes else words)
    return "".join(parts)


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Neighbours of one colour as one span, so that no code is put together from two of them."""
    joined: list[Span] = []
    for span in spans:
        role = span.role if span.role in _WRITTEN else None
        if joined and joined[-1].role is role and joined[-1].ground is span.ground:
            joined[-1] = Span(joined[-1].text + span.text, role, "", span.ground)
        elif span.text:
            joined.append(Span(span.text, role, "", span.ground))
    return joined
