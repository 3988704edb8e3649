"""Lines as a terminal shows them: colours, width, charset; rendered once for each style that many see.

The result of :func:`render` is ready for the transport: 255 doubled, CR LF at every row's end, no colour open across
a line end. Rendered bytes live in :attr:`Line.rendered` under the :class:`Style`, so that thousands who hear the same
line share them.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from enum import Enum, IntEnum
from functools import cache
from typing import Final, final
from urllib.parse import quote

import wcwidth

from mythos.wire.charset import Charset, fit
from mythos.wire.message import Line, Role, Span, keep
from mythos.wire.telnet import escape

__all__ = ["Colours", "Links", "Style", "cells", "prompt", "render", "style"]


class Colours(IntEnum):
    """How many colours a terminal shows; ordered."""

    NONE = 0
    ANSI = 16
    XTERM = 256
    TRUE = 16_777_216


class Links(Enum):
    """How words that can be clicked are marked: not at all, by OSC 8 with ``send:``, or by MXP in locked mode."""

    NONE = 0
    OSC8 = 1
    MXP = 2


@final
class Style:
    """What decides the bytes of a line. Made by :func:`style` only: equal styles are the same object.

    Compared and hashed by identity, which makes the look-up of rendered bytes as cheap as it can be.
    """

    __slots__ = ("charset", "colours", "flat", "links", "screen_reader", "width")

    def __init__(self, colours: Colours, charset: Charset, width: int, screen_reader: bool, links: Links) -> None:
        self.colours = colours
        self.charset = charset
        self.width = width
        self.screen_reader = screen_reader
        self.links = links
        self.flat: Style = style(colours, charset, 0, screen_reader, links) if width else self
        """The same without wrapping; lines that fit share its bytes."""

    def __repr__(self) -> str:
        return f"style({self.colours!r}, {self.charset!r}, {self.width}, {self.screen_reader}, {self.links})"


def style(
    colours: Colours = Colours.NONE,
    charset: Charset = Charset.UTF8,
    width: int = 0,
    screen_reader: bool = False,
    links: Links = Links.NONE,
) -> Style:
    """The one style with these values. ``width`` in columns, 0 never wraps; a screen reader hears no colours
    and no links.

    Callers clamp ``width`` (20-500), which bounds how many styles there can be.
    """
    return _style(colours, charset, width, screen_reader, Links.NONE if screen_reader else links)


@cache
def _style(colours: Colours, charset: Charset, width: int, screen_reader: bool, links: Links) -> Style:
    return Style(colours, charset, width, screen_reader, links)


#: Role -> SGR parameters for 16, 256 and 16 million colours. Bright codes (90-97) stand for themselves and never
#: for bold; all have contrast on black and are told apart by more than hue only together with the words.
_PALETTE: Final[dict[Role, tuple[str, str, str]]] = {
    Role.TITLE: ("93", "38;5;221", "38;2;255;215;95"),
    Role.EXIT: ("92", "38;5;114", "38;2;135;215;135"),
    Role.ITEM: ("96", "38;5;116", "38;2;135;215;215"),
    Role.NPC: ("95", "38;5;182", "38;2;215;175;215"),
    Role.PLAYER: ("94", "38;5;111", "38;2;135;175;255"),
    Role.COMMAND: ("97", "38;5;231", "38;2;255;255;255"),
    Role.GOOD: ("32", "38;5;77", "38;2;95;215;95"),
    Role.WARNING: ("91", "38;5;209", "38;2;255;135;95"),
    Role.QUIET: ("37", "38;5;246", "38;2;148;148;148"),
    # the sixteen; black and blue of a terminal with no more would not be read on black, and are its bright ones
    Role.BLACK: ("90", "38;5;243", "38;2;118;118;118"),
    Role.RED: ("31", "38;5;167", "38;2;215;95;95"),
    Role.GREEN: ("32", "38;5;71", "38;2;95;175;95"),
    Role.YELLOW: ("33", "38;5;178", "38;2;215;175;0"),
    Role.BLUE: ("94", "38;5;68", "38;2;95;135;215"),
    Role.MAGENTA: ("35", "38;5;170", "38;2;215;95;215"),
    Role.CYAN: ("36", "38;5;73", "38;2;95;175;175"),
    Role.WHITE: ("37", "38;5;250", "38;2;188;188;188"),
    Role.BRIGHT_BLACK: ("90", "38;5;246", "38;2;148;148;148"),
    Role.BRIGHT_RED: ("91", "38;5;203", "38;2;255;95;95"),
    Role.BRIGHT_GREEN: ("92", "38;5;83", "38;2;95;255;95"),
    Role.BRIGHT_YELLOW: ("93", "38;5;227", "38;2;255;255;95"),
    Role.BRIGHT_BLUE: ("94", "38;5;75", "38;2;95;175;255"),
    Role.BRIGHT_MAGENTA: ("95", "38;5;213", "38;2;255;135;255"),
    Role.BRIGHT_CYAN: ("96", "38;5;87", "38;2;95;255;255"),
    Role.BRIGHT_WHITE: ("97", "38;5;231", "38;2;255;255;255"),
}
#: The same of words with a colour behind them: black or white, whichever is read on it, and never the colour that they
#: came with.
_GROUND: Final[dict[Role, tuple[str, str, str]]] = {
    Role.BLACK: ("97;40", "38;5;231;48;5;16", "38;2;255;255;255;48;2;0;0;0"),
    Role.RED: ("97;41", "38;5;231;48;5;124", "38;2;255;255;255;48;2;175;0;0"),
    Role.GREEN: ("30;42", "38;5;16;48;5;71", "38;2;0;0;0;48;2;95;175;95"),
    Role.YELLOW: ("30;43", "38;5;16;48;5;178", "38;2;0;0;0;48;2;215;175;0"),
    Role.BLUE: ("97;44", "38;5;231;48;5;25", "38;2;255;255;255;48;2;0;95;175"),
    Role.MAGENTA: ("97;45", "38;5;231;48;5;90", "38;2;255;255;255;48;2;135;0;135"),
    Role.CYAN: ("30;46", "38;5;16;48;5;73", "38;2;0;0;0;48;2;95;175;175"),
    Role.WHITE: ("30;47", "38;5;16;48;5;250", "38;2;0;0;0;48;2;188;188;188"),
}
_COLUMN: Final = {Colours.ANSI: 0, Colours.XTERM: 1, Colours.TRUE: 2}

#: Player text was cleaned when it came in; this is the second wall: nothing here can move a cursor or forge a line.
_CONTROLS: Final = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0xD800, 0xE000)], " "),
    0x1B: None,
}
#: Boxes, blocks and runs of ornament say nothing when they are read out; what is in a link stays.
_ART: Final = re.compile(r"(\bhttps?://[^ ]+)|[\u2500-\u259f]+|[-=_*#~+|/\\<>^]{3,}")
_WORD: Final = re.compile(r"[^ ]+")  # a no-break space is part of its word
_LINK: Final = "://"
#: A command that a click may run: no sign among its letters that means something in a link.
_COMMAND: Final = re.compile(r"[a-z][a-z0-9 '-]{0,79}")
_SOFT: Final = "\u00ad"  # where a word may be cut; not seen elsewhere


def render(line: Line, style: Style) -> bytes:
    """``line`` for a terminal of this style, CR LF at the end; one dict look-up once many hear it.

    No bytes at all for a screen reader, if the line says nothing.
    """
    rendered = line.rendered.get(style)
    if rendered is None:
        rendered = _first(line, style)
        keep(line, style, rendered)
    return rendered


def _flat(line: Line, style: Style) -> bytes:
    """Without a width; kept for other widths, once anything of the line is."""
    rendered = line.rendered.get(style)
    if rendered is None:
        rendered = _first(line, style)
        if line.rendered:
            keep(line, style, rendered)
    return rendered


def prompt(line: Line, style: Style) -> bytes:
    """The same without the last CR LF; EOR or GA is the caller's."""
    return render(line, style)[:-2]


def _first(line: Line, style: Style) -> bytes:
    text = line.text
    if (
        text.isascii()
        and text.isprintable()
        and not style.screen_reader
        and (not style.width or len(text) <= style.width)
    ):
        if style.width:
            return _flat(line, style.flat)
        return (_paint(line.spans, style) + "\r\n").encode("ascii")
    runs = _spoken(line, style) if style.screen_reader else _runs(line, style)
    text = "".join([run.text for run in runs])
    if not text and style.screen_reader:
        return b""
    if style.width and cells(text) <= style.width:
        return _flat(line, style.flat)
    rows = _rows(text, style.width) if style.width else ((0, len(text), False),)
    shown = "".join([_paint(_cut(runs, start, end, hyphen), style) + "\r\n" for start, end, hyphen in rows])
    encoded = shown.encode(style.charset.value)
    return escape(encoded) if style.charset is Charset.LATIN1 else encoded


def _runs(line: Line, style: Style) -> list[Span]:
    """The words of a line in characters this terminal has."""
    runs = []
    for span in line.spans:
        words = span.text if span.text.isprintable() else span.text.translate(_CONTROLS)
        words = _SOFT.join([fit(part, style.charset) for part in words.split(_SOFT)])
        runs.append(Span(words, span.role, span.link, span.ground))
    return runs


def _spoken(line: Line, style: Style) -> list[Span]:
    """The words of a line as they are read out: no art, no spaces that only set it out."""
    text = line.text if line.text.isprintable() else line.text.replace(_SOFT, "").translate(_CONTROLS)
    return [Span(fit(" ".join(_ART.sub(_link_or_space, text).split()), style.charset))]


def _link_or_space(found: re.Match[str]) -> str:
    return found[1] or " "


def _cut(runs: list[Span], start: int, end: int, hyphen: bool) -> Iterator[Span]:
    """The part of the runs between two positions of their joined text, a hyphen behind it if it ends inside a word."""
    at = 0
    for run in runs:
        words = run.text
        last = hyphen and at < end <= at + len(words)
        if part := words[max(start - at, 0) : max(end - at, 0)].replace(_SOFT, "") + "-" * last:
            yield Span(part, run.role, run.link, run.ground)
        at += len(words)


def _paint(runs: Iterable[Span], style: Style) -> str:
    """Every coloured run is closed where it ends, so no colour is ever open at a line end; and so is every link."""
    column = None if style.screen_reader else _COLUMN.get(style.colours)
    if column is None and style.links is Links.NONE:
        return "".join([run.text for run in runs])
    painted = []
    for run in runs:
        words = run.text
        if column is not None and run.ground is not None:
            words = f"\x1b[{_GROUND[run.ground][column]}m{words}\x1b[0m"
        elif run.role is not None and column is not None:
            words = f"\x1b[{_PALETTE[run.role][column]}m{words}\x1b[0m"
        if run.link and style.links is not Links.NONE and _COMMAND.fullmatch(run.link):
            words = _linked(words, run.link, style.links)
        painted.append(words)
    return "".join(painted)


def _linked(words: str, command: str, links: Links) -> str:
    """``words`` that run a command when they are clicked; for MXP each tag is preceded by its leave to be one."""
    if links is Links.OSC8:
        return f"\x1b]8;;send:{quote(command, safe='')}\x1b\\{words}\x1b]8;;\x1b\\"
    return f'\x1b[4z<SEND HREF="{command}">{words}\x1b[4z</SEND>'


def cells(text: str) -> int:
    """Columns that ``text`` (without controls) takes: East-Asian wide two, combining and soft hyphens none."""
    return len(text) if text.isascii() else max(wcwidth.wcswidth(text.replace(_SOFT, "")), 0)


def _rows(text: str, width: int) -> Iterator[tuple[int, int, bool]]:
    """Cut ``text`` at spaces into rows of at most ``width`` columns: start and end of each, whether a hyphen ends it.

    Spaces at a cut vanish, elsewhere they stay. A word may be cut at its soft hyphens. One that is wider than a row and
    has none is cut between graphemes; but a link stays whole, on a row of its own, or nobody could follow it.
    """
    start = end = 0  # the row so far
    for word in _WORD.finditer(text):
        begin, stop = word.span()
        at = begin  # what of the word has no row yet
        link = _LINK in word.group()
        while cells(text[start:stop]) > width:
            soft = _soft_hyphen(text, start, at, stop, width) if _SOFT in word.group() and not link else -1
            if soft > 0:
                yield start, soft, True
                start = end = at = soft + 1
            elif end > start and (link or _SOFT in word.group() or cells(word.group()) <= width):
                yield start, end, False
                start = end = begin
            else:
                if not link:
                    start = yield from _fill(text, start, end, at, stop, width)
                break
        end = stop
    yield start, end, False


def _soft_hyphen(text: str, start: int, at: int, stop: int, width: int) -> int:
    """The last soft hyphen between ``at`` and ``stop`` up to which the row fits with a hyphen; -1: there is none."""
    found, columns, place = -1, cells(text[start:at]), at
    for grapheme in wcwidth.iter_graphemes(text[at : stop - 1]):
        if columns >= width:
            break
        if grapheme == _SOFT and place > at:
            found = place
        columns += cells(grapheme)
        place += len(grapheme)
    return found


def _fill(
    text: str, start: int, end: int, at: int, stop: int, width: int
) -> Generator[tuple[int, int, bool], None, int]:
    """Rows of a word too wide for any, from the rest of this one on; returns where the last, unended, begins."""
    begin = at
    for grapheme in wcwidth.iter_graphemes(text[at:stop]):
        if at > start and cells(text[start:at] + grapheme) > width:
            if text[start:at].strip():
                yield start, min(at, end) if at == begin else at, False
            start = at
        at += len(grapheme)
    return start
