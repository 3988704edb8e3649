"""Frozen values that are made often.

``dataclass(frozen=True)`` sets each field through ``object.__setattr__``, which makes an instance cost four times what
it must: a sixth of a ``look`` went there. These are frozen for the type checker, which every change passes, and plain
at run time. For what is made once in a while ``dataclass(frozen=True, slots=True)`` is right.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

__all__ = ["value"]

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """A class of values: compared, hashed and shown by their fields, in slots."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
