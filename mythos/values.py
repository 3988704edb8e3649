"""Frozen values that are made often.

``dataclass(frozen=True)`` sets each field through ``object.__setattr__``, which makes an instance cost four times what
it must: a sixth of a ``look`` went there. These are frozen for the type checker, which every change passes, and plain
at run time. For what is made once in a while ``dataclass(frozen=True, slots=True)`` is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, dataclass_transform

__all__ = ["kept", "restore", "value"]

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """A class of values: compared, hashed and shown by their fields, in slots."""
    return dataclass(slots=True, unsafe_hash=True)(cls)


def kept(thing: object, names: Iterable[str]) -> dict[str, Any]:
    """Attributes of a thing, for another process: each a number, a text, bytes, None, or a container of those."""
    return {name: getattr(thing, name) for name in names}


def restore(thing: object, names: Iterable[str], state: Mapping[str, Any]) -> None:
    """What :func:`kept` gave. :raises KeyError: one of them is missing"""
    for name in names:
        setattr(thing, name, state[name])
