"""Words from other MUDs as lines of ours: on one line, without control characters, bounded, in their colours.

Nobody there is trusted: what is too long is cut, and no words look like a player's name, which is a span of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from mythos.wire.i3 import pinkfish
from mythos.wire.i3.packets import WhoRow
from mythos.wire.message import Line, Role, Span, line

__all__ = [
    "COLOURED",
    "TEXT",
    "clean",
    "coloured",
    "duration",
    "emoted",
    "harmless",
    "listed",
    "named",
    "one_line",
    "shown",
]

#: Longest text that is shown, in characters, and runs of words in it that keep their colours.
TEXT: Final = 2048
COLOURED: Final = 64
_GAP: Final = re.compile(r"\s+")
#: What stands in an emote for who does it, and for its target.
_NAME: Final = re.compile(r"(\$[NO])")


def clean(name: str) -> str:
    """A name from outside, on one line."""
    return " ".join(pinkfish.plain(name).split())[:64]


def shown(text: str) -> str:
    """Words from outside, on one line."""
    return " ".join(pinkfish.plain(text).split())[:TEXT]


def coloured(text: str) -> list[Span]:
    """As :func:`shown`, in its colours."""
    return one_line(pinkfish.read(text))


def one_line(spans: Iterable[Span]) -> list[Span]:
    """Spans as those of one line; behind the last colour we show they are plain."""
    fit: list[Span] = []
    left, gap = TEXT, True  # letters that still fit; whether a space would begin the line, or double one
    for span in spans:
        words = _GAP.sub(" ", span.text)
        words = (words.removeprefix(" ") if gap else words)[:left]
        if not words:
            continue
        left -= len(words)
        gap = words.endswith(" ")
        if len(fit) < COLOURED:
            fit.append(Span(words, span.role, "", span.ground))
        else:
            fit[-1] = Span(fit[-1].text + words)
    if fit and gap:
        last = fit.pop()
        if words := last.text.removesuffix(" "):
            fit.append(Span(words, last.role, "", last.ground))
    return fit


def emoted(message: str, who: Span, target: Span | None = None) -> list[Span]:
    """``$N waves.`` from outside; who is not named in it is put before it."""
    spans = pinkfish.read(message)
    if not any("$N" in span.text for span in spans):
        spans.insert(0, Span("$N "))
    return one_line(named(spans, who, target))


def named(spans: Iterable[Span], who: Span, target: Span | None = None) -> list[Span]:
    """With the name for ``$N``, and that of the target for ``$O``."""
    names = {"$N": who} if target is None else {"$N": who, "$O": target}
    parts = [(part, span) for span in spans for part in _NAME.split(span.text) if part]
    return [names.get(part) or Span(part, span.role, "", span.ground) for part, span in parts]


def harmless(text: str) -> str:
    """Words that we let pass on a channel of ours: as they came, unless no line could show them."""
    if text.isprintable() and len(text) <= TEXT:
        return text
    return pinkfish.write(coloured(text))


def listed(row: WhoRow) -> Line:
    """Some rows are decoration: an idle time that says nothing is not shown."""
    idle = f", idle for {duration(row.idle)}" if 60 <= row.idle < 9999 else ""
    extra = coloured(row.extra)
    return line("system", Span(shown(row.visname), Role.PLAYER), idle + (", " if extra else ""), extra)


def duration(seconds: int) -> str:
    if seconds < 60:
        return f"{max(0, seconds)} seconds"
    return f"{seconds // 60} minutes" if seconds < 7200 else f"{seconds // 3600} hours"
