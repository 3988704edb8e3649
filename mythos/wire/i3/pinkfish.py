"""Pinkfish: colours in the words of Intermud-3, ``%^RED%^like this%^RESET%^``.

Neighbours may share a delimiter or not. A name that nobody knows is text, as it came; so ``100%^2`` stays what it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Run", "plain", "read", "strip", "write"]

#: Names that set a colour; a bright one is BOLD before it.
_COLOURS = ("BLACK", "RED", "GREEN", "ORANGE", "BLUE", "MAGENTA", "CYAN", "WHITE")
_BRIGHT = {"YELLOW": "ORANGE"}
_STYLES = frozenset({"BOLD", "FLASH", "BLINK", "UNDERLINE", "ITALICS", "REVERSE", "DARK", "DIM"})
#: Names that show nothing.
_SILENT = frozenset({"CLEARLINE", "INITTERM", "ENDTERM", "STATUS", "WINDOW"})
_BACKGROUNDS = frozenset(f"B_{name}" for name in (*_COLOURS, *_BRIGHT))
_MARK = "%^"


@dataclass(frozen=True, slots=True)
class Run:
    """Words of one look. ``colour``: a small letter name, ``bright`` before it if it is; empty: the reader's own."""

    text: str
    colour: str = ""


def _known(piece: str) -> bool:
    return (
        piece == "RESET"
        or piece in _COLOURS
        or piece in _BRIGHT
        or piece in _STYLES
        or piece in _SILENT
        or piece in _BACKGROUNDS
    )


def read(text: str) -> list[Run]:
    """Words with codes -> runs, control characters gone."""
    if _MARK not in text:
        return [Run(strip(text))] if text else []
    runs: list[Run] = []
    colour, bold, words = "", False, ""

    def flush() -> None:
        nonlocal words
        if words:
            name = ("bright " if bold else "") + colour if colour else ""
            if runs and runs[-1].colour == name:
                runs[-1] = Run(runs[-1].text + words, name)
            else:
                runs.append(Run(words, name))
            words = ""

    pieces = strip(text).split(_MARK)
    coded = True  # the piece before it was a code: its delimiter is not text
    for place, piece in enumerate(pieces):
        if place and _known(piece) and place < len(pieces) - 1:
            flush()
            if piece == "RESET":
                colour, bold = "", False
            elif piece in _COLOURS:
                colour = piece.lower()
            elif piece in _BRIGHT:
                colour, bold = _BRIGHT[piece].lower(), True
            elif piece == "BOLD":
                bold = True
            coded = True
        elif place and not piece and place < len(pieces) - 1:
            coded = True  # between two codes that share no delimiter
        else:
            words += piece if coded else _MARK + piece
            coded = False
    flush()
    return runs


def plain(text: str) -> str:
    """The words alone."""
    return "".join([run.text for run in read(text)])


def write(runs: Iterable[Run]) -> str:
    """Runs -> words with codes; what would read as a code is made harmless."""
    parts: list[str] = []
    for run in runs:
        words = strip(run.text).replace(_MARK, "%")
        if run.colour:
            bright = run.colour.startswith("bright ")
            name = run.colour.removeprefix("bright ").upper()
            if _known(words):  # between two delimiters it would read as a code
                words = f"{words[:1]}{_MARK}{name}{_MARK}{words[1:]}"
            parts.append(f"{_MARK}BOLD{_MARK}{name}{_MARK}" if bright else f"{_MARK}{name}{_MARK}")
            parts.append(f"{words}{_MARK}RESET{_MARK}")
        else:
            parts.append(words)
    return "".join(parts)


def strip(text: str) -> str:
    """Without control characters but line ends: an escape from the network must never reach a terminal."""
    if text.isprintable():
        return text
    return "".join([letter for letter in text if letter == "\n" or (letter >= " " and not "\x7f" <= letter <= "\x9f")])
