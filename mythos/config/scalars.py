"""Text into values: what files, variables and options have in common.

Every function raises ``ValueError`` with a message that fits behind the place of the mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Final, TypeVar

__all__ = ["boolean", "choice", "integer", "number", "seconds", "size"]

_N = TypeVar("_N", int, float)

_BOOL: Final = {"yes": True, "on": True, "true": True, "1": True, "no": False, "off": False, "false": False, "0": False}
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_SIZES: Final = {"B": 1, "KB": 2**10, "KIB": 2**10, "MB": 2**20, "MIB": 2**20, "GB": 2**30, "GIB": 2**30}
_MEASURE: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*)")


def integer(text: str, low: int | None = None, high: int | None = None) -> int:
    """A whole decimal number (``010`` is ten), between `low` and `high`, both included."""
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"expected a whole number, not {_shown(text)}")
    return _bounded(int(text), low, high, str)


def number(text: str, low: float | None = None, high: float | None = None) -> float:
    """A decimal number, without exponent."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"expected a number, not {_shown(text)}")
    return _bounded(float(text), low, high, _short)


def boolean(text: str) -> bool:
    """yes, on, true, 1 and their opposites, in any case."""
    try:
        return _BOOL[text.lower()]
    except KeyError:
        raise ValueError(f"expected yes or no, not {_shown(text)}") from None


def seconds(text: str, low: float | None = None, high: float | None = None, unit: float = 1.0) -> float:
    """A time: ``10s``, ``5m``, ``2h``, ``1d``, ``250ms``; a bare number counts `unit` seconds."""
    match = _MEASURE.fullmatch(text)
    if match is None or match[2] not in (*_UNITS, ""):
        raise ValueError(f"expected a time such as 10s, 5m or 2h, not {_shown(text)}")
    return _bounded(float(match[1]) * (_UNITS[match[2]] if match[2] else unit), low, high, lambda s: f"{_short(s)}s")


def size(text: str, low: int | None = None, high: int | None = None) -> int:
    """Bytes: ``64KB``, ``128MB``, ``1GiB``; K, M and G are powers of 1024; a bare number is bytes."""
    match = _MEASURE.fullmatch(text)
    if match is None or match[2].upper() not in (*_SIZES, ""):
        raise ValueError(f"expected a size such as 64KB or 128MB, not {_shown(text)}")
    return _bounded(int(float(match[1]) * (_SIZES[match[2].upper()] if match[2] else 1)), low, high, str)


def choice(text: str, options: Collection[str]) -> str:
    """One of `options`."""
    if text in options:
        return text
    raise ValueError(f"expected one of {', '.join(options)}, not {_shown(text)}")


def _bounded(value: _N, low: _N | None, high: _N | None, show: Callable[[_N], str]) -> _N:
    if low is not None and value < low:
        raise ValueError(f"expected at least {show(low)}, not {show(value)}")
    if high is not None and value > high:
        raise ValueError(f"expected at most {show(high)}, not {show(value)}")
    return value


def _short(value: float) -> str:
    return f"{value:.15g}"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
