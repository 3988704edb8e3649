"""LPC values as text, the way drivers save them: ``({"tell",5,"Example MUD",(["k":1,]),})``.

=========  =======================  ==========================================================================
LPC        here                     note
=========  =======================  ==========================================================================
int        int                      0 stands for "absent" in every field that is otherwise a string
float      float
string     str                      read as UTF-8, each that fails as Latin-1; sent as UTF-8
array      list                     a comma after every element, the last too; ``({})`` is empty
mapping    dict                     keys are strings or ints
class      list                     ``(/a,b,/)``, only read
=========  =======================  ==========================================================================

A backslash makes the next byte literal. Drivers write a line end as a bare CR; CR, LF and CR LF are read as one.

The reader cuts the text at its strings with one regular expression; what stands between two strings is short and of
few kinds, and is understood once. Most packets are one array of plain strings and ints: those are known as a whole.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import Any, Final

from mythos.errors import WireError

__all__ = ["LpcError", "Value", "decode", "encode"]

Value = Any  # int | float | str | list[Value] | dict[str | int, Value]

#: Deepest nesting and most strings of one text, both far beyond what any packet needs.
DEPTH: Final = 32
STRINGS: Final = 400_000
#: Integers that old drivers hold.
LOWEST: Final = -(2**31)
HIGHEST: Final = 2**31 - 1

_STRING = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
_TOKEN = re.compile(
    rb"[\0\r\n\t ]*+(?:(?P<open>\(\{|\(\[|\(/)|(?P<close>\}\)|\]\)|/\))|(?P<comma>,)|(?P<colon>:)"
    rb"|(?P<number>-?[0-9]{1,20}(?:\.[0-9]{1,20}(?:e[+-][0-9]{1,3})?)?(?![0-9.])))"
)
_FIELD = r'(?:"([^"\\\r\0]*+(?:\\[^\r\0][^"\\\r\0]*+)*+)"|(-?[0-9]{1,9}))'
_FIELDS = re.compile(_FIELD)
_FLAT = re.compile(rf"\(\{{{_FIELD}(?:,{_FIELD})*+,?+\}}\)\0?+")
_BACKSLASH = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)|\r\n?", re.DOTALL)
_SPACE = b"\0\r\n\t "

# What stands between two strings, understood: a number is itself in a tuple, the rest are these.
_COMMA, _COLON = 1, 2
_OPEN: Final = {b"({": 3, b"([": 4, b"(/": 5}
_CLOSE: Final = {b"})": 13, b"])": 14, b"/)": 15}
_ARRAY, _MAPPING = 3, 4
_BAD = 99
_Step = int | tuple[int | float]

#: Texts between strings that were understood; a bounded number of short ones.
_KNOWN: dict[bytes, tuple[_Step, ...]] = {}
_MOST_KNOWN, _LONGEST_KNOWN = 4096, 24
#: Bytes up to which a text is looked at as a flat array first.
_LONGEST_FLAT = 2048


class LpcError(WireError):
    """The peer's: not LPC text, or beyond our limits."""


def decode(text: bytes) -> tuple[list[Value], LpcError | None]:
    """All values of a frame, in order: routers put several into one; and what was wrong with what follows them."""
    if len(text) <= _LONGEST_FLAT:
        flat = _flat(text)
        if flat is not None:
            return [flat], None
    if text.find(b"\0", 0, len(text) - 1) >= 0:  # it cannot stand in a string; between packets it is nothing
        text = text.replace(b"\0", b"")
    pieces = _STRING.split(text)
    if len(pieces) > 2 * STRINGS:
        return [], LpcError("too many strings")
    found: list[Value] = []
    try:
        _read(pieces, found)
    except LpcError as error:
        return found, error
    return found, None


def _flat(text: bytes) -> list[Value] | None:
    """One array of strings on one line and of short ints. None: it is something else."""
    try:
        words = text.decode()
    except UnicodeDecodeError:
        return None
    if _FLAT.fullmatch(words) is None:
        return None
    found = _FIELDS.findall(words)
    if "\\" in words:
        found = [(_BACKSLASH.sub(r"\1", string) if "\\" in string else string, number) for string, number in found]
    return [int(number) if number else string for string, number in found]


def _read(pieces: list[bytes], found: list[Value]) -> None:
    """Even pieces stand between strings, odd ones are the insides of strings.

    :raises LpcError: after the whole values before it
    """
    known = _KNOWN
    items = found  # of the container that is open
    kind = 0  # of that container; 0: none is
    stack: list[tuple[int, list[Value]]] = []
    ready = True  # a value may come
    inside = False
    for piece in pieces:
        if inside:
            inside = False
            if not ready or not kind:
                raise LpcError("a string where none belongs")
            if b"\\" in piece or b"\r" in piece:
                piece = _ESCAPED.sub(_unescape, piece)
            try:
                items.append(piece.decode())
            except UnicodeDecodeError:
                items.append(piece.decode("latin-1"))
            ready = False
            continue
        inside = True
        if piece == b"," and kind == _ARRAY and not ready:  # by far the most
            ready = True
            continue
        steps = known.get(piece)
        if steps is None:
            steps = _understand(piece)
        for step in steps:
            if isinstance(step, tuple):
                if not ready or not kind:
                    raise LpcError("a number where none belongs")
                items.append(step[0])
                ready = False
            elif step == _COMMA:
                # Some write ({,}) for an empty array: a comma without a value, with nothing but the end behind it.
                if not kind or ready == bool(items) or (kind == _MAPPING and len(items) % 2):
                    raise LpcError("a comma where none belongs")
                ready = bool(items)
            elif step == _COLON:
                if kind != _MAPPING or ready or not len(items) % 2:
                    raise LpcError("a colon where none belongs")
                ready = True
            elif step < 10:
                if not ready:
                    raise LpcError("a container where none belongs")
                if len(stack) >= DEPTH:
                    raise LpcError("nested too deep")
                stack.append((kind, items))
                kind, items = step, []
            elif step == _BAD:
                raise LpcError(f"no LPC: {piece[:40]!r}")
            else:
                if step != kind + 10:
                    raise LpcError("a bracket that closes another")
                value: Value = _mapping(items) if kind == _MAPPING else items
                kind, items = stack.pop()
                items.append(value)
                ready = kind == 0
    if kind:
        raise LpcError("it ends inside a container")


def _mapping(items: list[Value]) -> dict[str | int, Value]:
    if len(items) % 2:
        raise LpcError("a key without a value")
    for key in items[::2]:
        if type(key) is not str and type(key) is not int:
            raise LpcError("a key that is neither string nor int")
    return dict(zip(items[::2], items[1::2], strict=True))


def _unescape(match: re.Match[bytes]) -> bytes:
    return b"\n" if match[1] in (None, b"\r") else match[1]


def _understand(piece: bytes) -> tuple[_Step, ...]:
    steps: list[_Step] = []
    at, end = 0, len(piece.rstrip(_SPACE))
    while at < end:
        match = _TOKEN.match(piece, at, end)
        if match is None:
            steps.append(_BAD)  # said when it is reached: values before it are good
            break
        at = match.end()
        what = match.lastgroup
        text = match[what] if what else b""
        if what == "comma":
            steps.append(_COMMA)
        elif what == "colon":
            steps.append(_COLON)
        elif what == "number":
            steps.append((float(text) if b"." in text else int(text),))
        else:
            steps.append(_OPEN[text] if what == "open" else _CLOSE[text])
    understood = tuple(steps)
    if len(piece) <= _LONGEST_KNOWN:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[piece] = understood
    return understood


def encode(value: Value) -> bytes:
    """The compact form, which is the only one that all drivers read.

    :raises LpcError: an int that does not fit 32 bits, or a value of a kind that LPC has not
    """
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts).encode("utf-8", "replace")


def _write(value: Value, parts: list[str]) -> None:
    kind = type(value)
    if kind is str:
        parts.append(_quoted(value))
    elif kind is int:
        if not LOWEST <= value <= HIGHEST:
            raise LpcError(f"{value} does not fit 32 bits")
        parts.append(str(value))
    elif kind is list or kind is tuple:
        parts.append("({")
        for item in value:
            if type(item) is str:
                if item.isprintable() and "\\" not in item and '"' not in item:  # by far the most
                    parts.append(f'"{item}",')
                    continue
                parts.append(_quoted(item))
            elif type(item) is int and LOWEST <= item <= HIGHEST:
                parts.append(str(item))
            else:
                _write(item, parts)
            parts.append(",")
        parts.append("})")
    elif kind is dict:
        parts.append("([")
        for key, item in value.items():
            if type(key) is not str and type(key) is not int:
                raise LpcError(f"a key of a mapping is a string or an int, not {key!r}")
            _write(key, parts)
            parts.append(":")
            _write(item, parts)
            parts.append(",")
        parts.append("])")
    elif kind is float:
        if not isfinite(value):
            raise LpcError(f"LPC has no {value}")
        parts.append(f"{value:f}")
    else:
        raise LpcError(f"LPC has no {kind.__name__}")


def _quoted(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if '"' in text:
        text = text.replace('"', '\\"')
    if not text.isprintable():
        text = text.replace("\r\n", "\n").replace("\n", "\r").replace("\0", "")
    return f'"{text}"'
