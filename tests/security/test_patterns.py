"""Regular expressions that strangers' words meet: none of them takes long, whatever it is given."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import mythos

#: What only an operator or a builder writes.
_OURS: Final = ("mythos.config", "mythos.content", "mythos.ctl", "mythos.tap", "mythos.app")
#: Much of each, alone and between other things; the budget is that of ten thousand characters.
_UNITS: Final = (
    "a", "0", " ", "\t", "\n", ".", "-", "_", "%^", "<", "/", "a.", "a,", "=", "a=", "://", "\x1b[", "\x1b]", "0;",
    "\u200d", "@", ":", '"', "[", "$N", "%", "ab ", "1.", "a:", "é",
)  # fmt: skip
_WRAPPED: Final = ("{}", "{}\x00!", "\x1b]{}", "eyJ{}", "bearer {}", "a://{}")
_SIZE: Final = 10_000
_BUDGET: Final = 0.05


def patterns() -> Iterator[Any]:
    """Each pattern of a module by how it is used there."""
    for module in pkgutil.walk_packages(mythos.__path__, "mythos."):
        if module.name.startswith(_OURS):
            continue
        found = importlib.import_module(module.name)
        source = Path(str(found.__file__)).read_text("utf-8")
        for name, value in vars(found).items():
            if isinstance(value, re.Pattern) and re.search(rf"^{name}(: Final)? = re\.compile\(", source, re.MULTILINE):
                anywhere = re.search(rf"\b{name}\.(?!fullmatch|match|pattern)\w+\(", source) is not None
                yield pytest.param(value, anywhere, id=f"{module.name}.{name}")


def seconds(pattern: re.Pattern[Any], anywhere: bool, text: str) -> float:
    """Of the processor, in the best of three: what a busy machine adds is not counted."""
    subject = text.encode("utf-8") if isinstance(pattern.pattern, bytes) else text
    look = (lambda: sum(1 for _ in pattern.finditer(subject))) if anywhere else (lambda: pattern.fullmatch(subject))
    taken = []
    for _ in range(3):
        began = time.thread_time()
        look()
        taken.append(time.thread_time() - began)
        if taken[-1] < _BUDGET:
            break
    return min(taken)


@pytest.mark.parametrize(("pattern", "anywhere"), patterns())
def test_no_pattern_takes_long(pattern: re.Pattern[Any], anywhere: bool) -> None:
    for unit in _UNITS:
        many = (unit * _SIZE)[:_SIZE]
        for around in _WRAPPED:
            assert seconds(pattern, anywhere, around.format(many)) < _BUDGET, (unit, around)


def test_one_that_does_is_found() -> None:
    """The control."""
    assert seconds(re.compile(r"\s+$"), True, " " * _SIZE + "x") > _BUDGET
