"""YAML as its writer meant it: a tree in which every value knows its file, line and column.

Used for ``mythos.yaml`` and for the world's files. A scalar is text until a reader asks for a type, so that YAML 1.1's
guesses (``no`` is false, ``010`` is eight, ``1:30`` is ninety) never bite. Anchors, aliases and ``<<`` work; tags, keys
that are not text, keys given twice and a second document are mistakes.

The tree is built from the parser's events, not by ``yaml.compose``: that recurses once for each level, hides which tags
were written and which were guessed, and lets a later key silently replace an earlier one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol, TypeAlias, TypeVar

import yaml

from mythos.config import scalars
from mythos.config.problems import DocumentError, Place, Problem, Problems, Spot, near

__all__ = ["DocumentError", "Fields", "Kind", "Node", "Place", "Problem", "Problems", "Spot", "near", "parse"]

MAX_SIZE: Final = 4 * 2**20  # characters in one file
MAX_DEPTH: Final = 40  # levels of lists and mappings
MAX_NODES: Final = 500_000  # nodes of one file, each alias counted as if written out

_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff")
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Enum)
_Int: TypeAlias = int  # inside Fields these names are its readers
_Bool: TypeAlias = bool


class Kind(Enum):
    """What a node is; the value is how it is called in messages."""

    TEXT = "text"
    LIST = "a list"
    MAPPING = "a mapping"


@dataclass(slots=True, eq=False)
class Node:
    """One value of a document. Only the part that fits `kind` is filled. Aliases share their node.

    :param line: from 1, as is `column`.
    :param plain: a scalar without quotes and not a block.
    :param keys: the same keys as `entries`, as nodes, for their places.
    """

    path: str
    line: int
    column: int
    kind: Kind
    text: str = ""
    plain: bool = False
    items: tuple[Node, ...] = ()
    entries: Mapping[str, Node] = field(default_factory=dict)
    keys: Mapping[str, Node] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Nothing was written, or ``~``: the same as leaving the key out."""
        return self.plain and self.text in ("", "~")

    def read(self, problems: Problems, convert: Callable[[str], _T], default: _T, expected: str = "text") -> _T:
        """The scalar, converted; `default`, and a problem, if this is no scalar or `convert` raises ValueError.

        The readers below are this with a fitting `convert`; ranges include both ends.
        """
        try:
            if self.kind is Kind.TEXT:
                return convert(self.text)
            problems.add(self, f"expected {expected}, not {self.kind.value}")
        except ValueError as error:
            problems.add(self, str(error))
        return default

    def as_text(self, problems: Problems, default: str = "") -> str:
        return self.read(problems, str, default)

    def as_int(self, problems: Problems, default: int = 0, *, low: int | None = None, high: int | None = None) -> int:
        return self.read(problems, lambda text: scalars.integer(text, low, high), default, "a whole number")

    def as_number(
        self, problems: Problems, default: float = 0.0, *, low: float | None = None, high: float | None = None
    ) -> float:
        return self.read(problems, lambda text: scalars.number(text, low, high), default, "a number")

    def as_seconds(
        self, problems: Problems, default: float = 0.0, *, low: float | None = None, high: float | None = None
    ) -> float:
        """``10s``, ``5m``, ``2h``; a bare number is seconds."""
        return self.read(problems, lambda text: scalars.seconds(text, low, high), default, "a time")

    def as_bool(self, problems: Problems, default: bool = False) -> bool:
        return self.read(problems, scalars.boolean, default, "yes or no")

    def as_choice(self, problems: Problems, options: Iterable[str], default: str = "") -> str:
        """One of `options`, exactly as written there."""
        known = tuple(options)
        return self.read(problems, lambda text: scalars.choice(text, known), default, f"one of {', '.join(known)}")

    def as_enum(self, problems: Problems, choices: type[_E], default: _E) -> _E:
        """The member of `choices` whose value (a str) is written here."""
        members = {str(member.value): member for member in choices}
        return members.get(self.as_choice(problems, members), default)

    def as_list(self, problems: Problems) -> tuple[Node, ...]:
        """The items; an empty value is an empty list."""
        if self.kind is not Kind.LIST and not self.empty:
            problems.add(self, f"expected a list, not {self.kind.value}")
        return self.items

    def as_mapping(self, problems: Problems) -> Mapping[str, Node]:
        """The values by key, in the order written; an empty value is an empty mapping. ``keys`` has the key's place."""
        if self.kind is not Kind.MAPPING and not self.empty:
            problems.add(self, f"expected a mapping, not {self.kind.value}")
        return self.entries

    def pairs(self, problems: Problems) -> Iterator[tuple[Node, Node]]:
        """Key and value of a mapping, both as nodes."""
        for name, value in self.as_mapping(problems).items():
            yield self.keys[name], value


class Fields:
    """Read one mapping key by key, then `done` names the keys nobody asked for.

    A key that is missing, or whose value is empty, gives the default; with `required` that is a problem at the mapping.
    """

    def __init__(self, node: Node, problems: Problems) -> None:
        self.node = node
        self.problems = problems
        self._entries = node.as_mapping(problems)
        self._asked: dict[str, None] = {}

    def has(self, name: str) -> _Bool:
        """True if the key is there and not empty. Asking makes the key known."""
        return self.get(name) is not None

    def get(self, name: str, *, required: _Bool = False) -> Node | None:
        """The value as a node, for what the readers below do not cover."""
        self._asked[name] = None
        found = self._entries.get(name)
        if found is not None and not found.empty:
            return found
        if required:
            self.problems.add(found or self.node, f"missing '{name}'" if found is None else f"'{name}' is empty")
        return None

    def required(self, name: str) -> Node | None:
        """The value as a node; None, and a problem, if it is missing."""
        return self.get(name, required=True)

    def text(self, name: str, default: str = "", *, required: _Bool = False) -> str:
        found = self.get(name, required=required)
        return default if found is None else found.as_text(self.problems, default)

    def int(
        self,
        name: str,
        default: _Int = 0,
        *,
        low: _Int | None = None,
        high: _Int | None = None,
        required: _Bool = False,
    ) -> _Int:
        found = self.get(name, required=required)
        return default if found is None else found.as_int(self.problems, default, low=low, high=high)

    def number(
        self,
        name: str,
        default: float = 0.0,
        *,
        low: float | None = None,
        high: float | None = None,
        required: _Bool = False,
    ) -> float:
        found = self.get(name, required=required)
        return default if found is None else found.as_number(self.problems, default, low=low, high=high)

    def seconds(
        self,
        name: str,
        default: float = 0.0,
        *,
        low: float | None = None,
        high: float | None = None,
        required: _Bool = False,
    ) -> float:
        found = self.get(name, required=required)
        return default if found is None else found.as_seconds(self.problems, default, low=low, high=high)

    def bool(self, name: str, default: _Bool = False, *, required: _Bool = False) -> _Bool:
        found = self.get(name, required=required)
        return default if found is None else found.as_bool(self.problems, default)

    def choice(self, name: str, options: Iterable[str], default: str = "", *, required: _Bool = False) -> str:
        found = self.get(name, required=required)
        return default if found is None else found.as_choice(self.problems, options, default)

    def enum(self, name: str, choices: type[_E], default: _E, *, required: _Bool = False) -> _E:
        found = self.get(name, required=required)
        return default if found is None else found.as_enum(self.problems, choices, default)

    def children(self, name: str, *, required: _Bool = False) -> tuple[Node, ...]:
        """The items of a list."""
        found = self.get(name, required=required)
        return () if found is None else found.as_list(self.problems)

    def list_of_text(self, name: str, *, required: _Bool = False) -> tuple[str, ...]:
        return tuple(item.as_text(self.problems) for item in self.children(name, required=required))

    def mapping(self, name: str, *, required: _Bool = False) -> list[tuple[Node, Node]]:
        """Key and value nodes of a mapping whose keys the writer chooses."""
        found = self.get(name, required=required)
        return [] if found is None else list(found.pairs(self.problems))

    def fields(self, name: str, *, required: _Bool = False) -> Fields | None:
        """A mapping inside this one, to be read key by key; call its `done` too."""
        found = self.get(name, required=required)
        return None if found is None else Fields(found, self.problems)

    def done(self) -> None:
        """Report every key that was not asked for, with the nearest one that was."""
        for name in self._entries:
            if name not in self._asked:
                unused = [known for known in self._asked if known not in self._entries]
                self.problems.add(self.node.keys[name], f"unknown key '{name}'{near(name, unused or self._asked)}")


def parse(text: str, path: str, problems: Problems) -> Node | None:
    """The document in `text`. `path` is only for the places of mistakes.

    None if there is nothing in it but comments, or if it cannot be read as YAML at all (then `problems` says why).
    """
    if len(text) > MAX_SIZE:
        problems.add(Spot(path, 1, 1), f"the file has more than {MAX_SIZE} characters")
        return None
    text = text.removeprefix("\ufeff")
    if bad := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - text.rfind("\n", 0, bad.start())
        problems.add(Spot(path, line, column), f"the character U+{ord(bad[0]):04X} is not allowed here")
        return None
    try:
        return _Builder(path, problems).build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        spot = _spot(path, error.problem_mark or error.context_mark)
        problems.add(spot, _syntax(error, spot, text))
    except yaml.YAMLError as error:
        problems.add(Spot(path, 1, 1), f"this is not YAML: {error}")
    except _TooMuch as error:
        problems.add(error.spot, str(error))
    return None


class _Mark(Protocol):
    """What both of PyYAML's parsers, in C and in Python, say of a place; from 0."""

    line: int
    column: int


class _TooMuch(Exception):
    """A limit is broken: there is no use in reading on."""

    def __init__(self, spot: Spot, message: str) -> None:
        super().__init__(message)
        self.spot = spot


@dataclass(slots=True)
class _Open:
    """A list or a mapping whose end has not come yet."""

    node: Node
    anchor: str | None
    children: list[Node] = field(default_factory=list)
    weight: int = 1


class _Builder:
    """Events into nodes. Weights count what the tree would be with every alias written out (the alias bomb)."""

    def __init__(self, path: str, problems: Problems) -> None:
        self._path = path
        self._problems = problems
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._open: list[_Open] = []
        self._root: Node | None = None

    def build(self, events: Iterable[yaml.Event]) -> Node | None:
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    node = self._node(event, Kind.TEXT)
                    node.text, node.plain = event.value, not event.style  # '' in C, None in Python
                    self._put(node, event.anchor, 1 + len(event.value) // 256)
                case yaml.SequenceStartEvent():
                    self._begin(event, Kind.LIST)
                case yaml.MappingStartEvent():
                    self._begin(event, Kind.MAPPING)
                case yaml.CollectionEndEvent():
                    self._end()
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.DocumentStartEvent() if self._root is not None:
                    raise _TooMuch(_spot(self._path, event.start_mark), "a second document in one file")
                case _:
                    pass
        return None if self._root is None or self._root.empty else self._root

    def _node(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, kind: Kind) -> Node:
        spot = _spot(self._path, event.start_mark)
        node = Node(spot.path, spot.line, spot.column, kind)
        if event.tag is not None:
            self._problems.add(node, f"tags are not used here: {event.tag}")
        return node

    def _begin(self, event: yaml.CollectionStartEvent, kind: Kind) -> None:
        node = self._node(event, kind)
        if len(self._open) >= MAX_DEPTH:
            raise _TooMuch(_spot(self._path, event.start_mark), f"more than {MAX_DEPTH} levels deep")
        if event.anchor is not None:
            self._anchors.pop(event.anchor, None)  # inside itself the new name means nothing yet
        self._open.append(_Open(node, event.anchor))

    def _end(self) -> None:
        done = self._open.pop()
        if done.node.kind is Kind.LIST:
            done.node.items = tuple(done.children)
        else:
            done.node.keys, done.node.entries = self._mapping(done.children)
        self._put(done.node, done.anchor, done.weight)

    def _alias(self, event: yaml.AliasEvent) -> None:
        spot = _spot(self._path, event.start_mark)
        if event.anchor not in self._anchors:
            message = f"nothing before this is anchored as &{event.anchor}"
            if any(part.anchor == event.anchor for part in self._open):
                message = f"*{event.anchor} stands inside of what it repeats"
            raise _TooMuch(spot, message)
        node, weight = self._anchors[event.anchor]
        self._put(node, None, weight, spot)

    def _put(self, node: Node, anchor: str | None, weight: int, spot: Spot | None = None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node, weight
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        parent.children.append(node)
        parent.weight += weight
        if parent.weight > MAX_NODES:
            raise _TooMuch(spot or Spot(node.path, node.line, node.column), f"more than {MAX_NODES} values in one file")

    def _mapping(self, children: list[Node]) -> tuple[dict[str, Node], dict[str, Node]]:
        keys: dict[str, Node] = {}
        entries: dict[str, Node] = {}
        merged: list[Node] = []
        for key, value in zip(children[::2], children[1::2], strict=True):
            if key.kind is not Kind.TEXT:
                self._problems.add(key, f"a key must be text, not {key.kind.value}")
            elif key.plain and key.text == "<<":
                merged += value.items if value.kind is Kind.LIST else [value]
            elif key.text in keys:
                first = keys[key.text]
                self._problems.add(key, f"the key '{key.text}' is already given at line {first.line}")
            else:
                keys[key.text], entries[key.text] = key, value
        for source in merged:  # the mapping's own keys win, then the earlier source
            if source.kind is not Kind.MAPPING:
                self._problems.add(source, f"'<<' takes a mapping, not {source.kind.value}")
            for name in source.entries:
                if name not in keys:
                    keys[name], entries[name] = source.keys[name], source.entries[name]
        return keys, entries


def _spot(path: str, mark: _Mark | None) -> Spot:
    return Spot(path, 1, 1) if mark is None else Spot(path, mark.line + 1, mark.column + 1)


def _syntax(error: yaml.MarkedYAMLError, spot: Spot, text: str) -> str:
    said = error.problem or "this is not YAML"
    if error.problem_mark and "cannot start any token" in said and text.startswith("\t", error.problem_mark.index):
        return "a tab cannot indent YAML; use spaces"
    if error.context and error.context_mark and error.context_mark.line + 1 != spot.line:
        said += f" ({error.context} that begins at line {error.context_mark.line + 1})"
    return said
