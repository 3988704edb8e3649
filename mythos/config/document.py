"""The layer of the YAML file: our own keys, and the keys of other servers that mean the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mythos.config.declare import Alias, LeftOut, Rows, Section, Setting
from mythos.config.layers import Layer, Reader, Source, Value
from mythos.config.names import UNUSED_KEYS
from mythos.config.nodes import Fields, Kind, Node
from mythos.config.problems import Spot
from mythos.config.types import TEXT, Type

__all__ = ["Document"]

_REFERENCE: Final = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-?([^}]*))?\}|\$\{")


@dataclass(slots=True)
class Document:
    """Reads one file against the declarations; what is wrong goes to the problems of `reader`.

    :param variables: answers ``${NAME}``; None if it is not set.
    :ivar found: the values by key.
    """

    reader: Reader
    variables: Callable[[str], str | None]
    found: dict[str, Value] = field(default_factory=dict)
    _known: dict[str, dict[str, None]] = field(default_factory=dict)
    _others: dict[str, Node] = field(default_factory=dict)
    _notes: list[tuple[int, int, str]] = field(default_factory=list)

    def read(self, root: Node) -> dict[str, Value]:
        """`found`, with all that the document says."""
        settings = tuple(self.reader.declared.settings())
        keys = [name for setting in settings for alias in setting.keys for name in alias.names]
        for key in (*keys, *UNUSED_KEYS):
            while key:
                above, _, name = key.rpartition(".")
                self._known.setdefault(above, {})[name] = None
                key = above
        self._section(self.reader.declared, root)
        for setting in settings:
            self._synonyms(setting)
        self.reader.notes += [note for *_, note in sorted(self._notes)]
        return self.found

    def _section(self, section: Section, node: Node) -> None:
        fields = Fields(node, self.reader.problems)
        ours = [child.key.rpartition(".")[2] for child in section.children]
        for name, child in zip(ours, section.children, strict=True):
            value = fields.get(name)
            if isinstance(child, Setting) and child.sealed and (file := fields.get(f"{name}_file")):
                if value is not None:
                    self.reader.problems.add(file, f"give {name} or {name}_file, not both")
                self._secret_file(child, file)
            if value is None:
                continue
            if isinstance(child, Setting):
                self._value(child, value)
            elif child.scalar and value.kind is Kind.TEXT:
                self._value(next(s for s in child.settings() if s.key == f"{child.key}.{child.scalar}"), value)
            else:
                self._section(child, value)
        self._collect(section.key, fields, ours)
        fields.done()

    def _value(self, setting: Setting, node: Node) -> None:
        source = Source(Layer.FILE, str(_spot(node)))
        item = setting.type.item
        for part in (node, *node.items) if setting.secret else ():
            if part.kind is Kind.TEXT and not _REFERENCE.search(part.text):
                name = setting.name
                self.reader.problems.add(
                    part, f"a secret does not stand in this file: use {name}_file: FILE, or {name}: ${{NAME}}"
                )
                return
        if item is not None and node.kind is Kind.LIST:
            self.found[setting.key] = Value(self._list(item, node), source)
            return
        text = node.read(self.reader.problems, self._expand, "", "text" if item is None else "a list")
        self.reader.take(self.found, setting, text, _spot(node), source)
        if (found := self.found.get(setting.key)) is not None and setting.type.secret(found.value):
            self._guard(node)

    def _secret_file(self, setting: Setting, node: Node) -> None:
        spot = _spot(node)
        if name := node.read(self.reader.problems, self._expand, ""):
            text = self.reader.secret(name, spot) or ""
            self.reader.take(self.found, setting, text, spot, Source(Layer.FILE, str(spot)))

    def _collect(self, path: str, fields: Fields, ours: Collection[str] = ()) -> None:
        """Keep the values of keys that are known and not ours; those that mean nothing here become notes."""
        for name in self._known.get(path, ()):
            if name in ours or (value := fields.get(name)) is None:
                continue
            key = f"{path}.{name}" if path else name
            if key in UNUSED_KEYS:
                self._note(fields.node.keys[name], f"{key} has no effect: {UNUSED_KEYS[key]}.")
            elif key in self._known:
                inner = Fields(value, self.reader.problems)
                self._collect(key, inner)
                inner.done()
            else:
                self._others[key] = value

    def _synonyms(self, setting: Setting) -> None:
        """What other keys say of a setting; all that say something must agree."""
        own = self.found.get(setting.key)
        claims: list[tuple[str, Spot, Any]] = [] if own is None else [(setting.key, Spot(own.source.where), own.value)]
        for alias in setting.keys:
            nodes = {name: self._others[name] for name in alias.names if name in self._others}
            if not nodes:
                continue
            names, first = "/".join(nodes), next(iter(nodes.values()))
            if isinstance(alias, Alias) and alias.weak and claims:
                self._note(first, f"{names} has no effect: {claims[0][0]} says it.")
                continue
            try:
                value = self._rows(alias, first) if isinstance(alias, Rows) else self._said(setting, alias, nodes)
            except ValueError as error:
                self.reader.problems.add(first, str(error))
                continue
            if value is not None:
                claims.append((names, _spot(first), value))
        self.reader.agree(setting, claims)
        if claims and own is None:
            names, spot, value = claims[0]
            self.found[setting.key] = Value(value, Source(Layer.FILE, f"{spot} {names}"))

    def _said(self, setting: Setting, alias: Alias, nodes: Mapping[str, Node]) -> Any:
        """What the keys of one alias say together; None if they do not mean the setting.

        :raises ValueError: if that is wrong; what is wrong in a single one is a problem there.
        """
        texts: dict[str, str] = {}
        for name, node in nodes.items():
            if setting.type.item is not None and node.kind is Kind.LIST:
                return self._list(setting.type.item, node)
            if setting.type.item is not None and node.kind is Kind.MAPPING:
                return self._pairs(setting.type.item, node)
            if text := self._text(alias.types.get(name, TEXT), node):
                texts[name] = text
        said = alias.convert(texts) if texts else None
        value = setting.type.read(said) if said else None
        if setting.secret and value:
            for node in nodes.values():
                self._guard(node)
        return value

    def _rows(self, rows: Rows, node: Node) -> tuple[Any, ...]:
        """The items, without those that are wrong or left out."""
        problems = self.reader.problems
        items: list[Any] = []
        for row in node.as_list(problems):
            fields, before = Fields(row, problems), len(problems)
            values: dict[str, Any] = {}
            for name, kind in rows.fields.items():
                value = fields.get(name)
                if value is not None and kind.item is not None and value.kind is Kind.LIST:
                    values[name] = self._list(kind.item, value)
                elif value is not None and (text := self._text(kind, value)):
                    values[name] = kind.read(text)
            fields.done()
            try:
                item = rows.convert(values) if len(problems) == before else None
            except LeftOut as why:
                self._note(row, f"this entry {why}.")
            except ValueError as error:
                problems.add(row, str(error))
            else:
                items += [] if item is None else [item]
                if item is not None and rows.secret:
                    self._guard(row.entries[rows.secret])
        return tuple(items)

    def _text(self, kind: Type[Any], node: Node) -> str:
        """The text of one node, which `kind` can read; empty if it is so, or wrong."""

        def read(text: str) -> str:
            text = self._expand(text).strip()
            if text:
                kind.read(text)
            return text

        return node.read(self.reader.problems, read, "")

    def _list(self, item: Callable[[str], Any], node: Node) -> tuple[Any, ...]:
        items = (part.read(self.reader.problems, lambda text: item(self._expand(text)), None) for part in node.items)
        return tuple(part for part in items if part is not None)

    def _pairs(self, item: Callable[[str], Any], node: Node) -> tuple[Any, ...]:
        """The items of a mapping, each as ``name=value``."""
        problems = self.reader.problems
        pairs = (
            value.read(problems, lambda text, name=key.text: item(f"{name}={self._expand(text)}"), None)  # type: ignore[misc]
            for key, value in node.pairs(problems)
        )
        return tuple(part for part in pairs if part is not None)

    def _guard(self, node: Node) -> None:
        """Other servers take secrets in their file, also as the default of a variable; then others must not read it."""

        def written(match: re.Match[str]) -> str:
            return "" if match[1] and self.variables(match[1]) else match[2] or ""

        path = self.reader.cwd / node.path
        if _REFERENCE.sub(written, node.text).strip() and path not in self.reader.secret_files:
            self.reader.secret_files.append(path)

    def _note(self, node: Node, sentence: str) -> None:
        self._notes.append((node.line, node.column, f"{_spot(node)}: {sentence}"))

    def _expand(self, text: str) -> str:
        """Replace ``${NAME}``, ``${NAME:default}`` and ``${NAME:-default}``; ``$${`` is a plain ``${``.

        :raises ValueError: if a variable is neither set nor has a default.
        """

        def value(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            name, default = match[1], match[2]
            if name is None:
                raise ValueError("'${' begins a variable: expected ${NAME} or ${NAME:default}; write $${ for the signs")
            found = self.variables(name) or default
            if found is None:
                raise ValueError(f"${{{name}}} is not set and has no default; ${{{name}:value}} gives one")
            return found

        return _REFERENCE.sub(value, text)


def _spot(node: Node) -> Spot:
    return Spot(node.path, node.line, node.column)
