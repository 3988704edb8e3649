"""``.env`` files: ``NAME=value`` lines, as shells and compose files use them.

``export`` before the name, blank lines and comments are allowed. Between single quotes everything is literal; between
double quotes a backslash before n, t, a double quote, a dollar or a backslash makes one character with it. Without
quotes a value ends where a comment begins, at a blank and ``#``. Nothing is substituted and no value spans lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mythos.config.problems import Problems, Spot

__all__ = ["Entry", "read"]

_LINE: Final = re.compile(r"\s*(?:export\s+)?(?P<name>[^\s=#]+)\s*=[ \t]*(?P<value>.*)")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SINGLE: Final = re.compile(r"'(?P<text>[^']*)'\s*(?:#.*)?")
_DOUBLE: Final = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"\s*(?:#.*)?')
_ESCAPES: Final = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A value and where it stands."""

    text: str
    spot: Spot


def read(text: str, path: str, problems: Problems) -> dict[str, Entry]:
    """The entries by name; a name given again with another value is a problem."""
    entries: dict[str, Entry] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or not _NAME.fullmatch(match["name"]):
            problems.add(Spot(path, number, 1), "expected NAME=value")
            continue
        entry = Entry("", Spot(path, number, match.start("value") + 1))
        try:
            entry = Entry(_value(match["value"].rstrip()), entry.spot)
        except ValueError as error:
            problems.add(entry.spot, str(error))
            continue
        first = entries.setdefault(match["name"], entry)
        if first.text != entry.text:
            problems.add(
                Spot(path, number, 1), f"{match['name']} is already set to something else at line {first.spot.line}"
            )
    return entries


def _value(text: str) -> str:
    if text.startswith("'"):
        if quoted := _SINGLE.fullmatch(text):
            return quoted["text"]
        raise ValueError("the quote ' is not closed, or something follows it")
    if text.startswith('"'):
        if quoted := _DOUBLE.fullmatch(text):
            return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), quoted["text"])
        raise ValueError('the quote " is not closed, or something follows it')
    return re.sub(r"(?:^|\s+)#.*", "", text)
