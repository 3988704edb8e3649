"""Layers of settings that are names and texts: options, variables of the process or of a ``.env`` file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

from mythos.config.declare import PREFIX, Alias, LeftOut, Section, Setting
from mythos.config.dotenv import Entry
from mythos.config.problems import Problems, Spot, near

__all__ = ["META", "Files", "Layer", "Reader", "Source", "Value", "unreadable"]

#: A file's text, or None if there is no such file; may raise OSError.
Files = Callable[[Path], "str | None"]

#: Options that say where settings are read from, and so are none themselves.
META: Final = ("config", "env-file")
#: Variables of mythosctl: where a server is that it asks over HTTPS, and with which token.
REMOTE: Final = ("url", "token-file")
#: What stands for a byte that is no UTF-8.
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Layer(Enum):
    """Where a value came from, the strongest first."""

    OPTION = "command line"
    ENVIRONMENT = "environment"
    DOTENV = ".env"
    FILE = "file"
    PRESET = "preset"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Source:
    """Where one setting's value came from: the layer, and the place or the rule in words."""

    layer: Layer
    where: str

    def __str__(self) -> str:
        return self.where


@dataclass(frozen=True, slots=True)
class Value:
    value: Any
    source: Source


@dataclass(slots=True)
class Reader:
    """Reads layers against the declarations and collects what is wrong.

    :param secret_files: grows by the files that secrets were read from.
    :param notes: grows by sentences on what is not used.
    """

    declared: Section
    files: Files
    cwd: Path
    problems: Problems
    secret_files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def options(self, options: Mapping[str, str]) -> dict[str, Value]:
        """The command line, options without their dashes."""
        known = {setting.option: setting for setting in self.declared.settings() if setting.option}
        found: dict[str, Value] = {}
        for name, text in options.items():
            spot = Spot(f"--{name}")
            if name in known:
                self.take(found, known[name], text, spot, Source(Layer.OPTION, f"--{name}"))
            elif name not in META:
                self.problems.add(spot, f"unknown option{near(name, [*known, *META])}")
        return found

    def variables(self, entries: Mapping[str, Entry], layer: Layer) -> dict[str, Value]:
        """The environment or a ``.env`` file; empty variables count as not set."""
        entries = {name: entry for name, entry in entries.items() if entry.text.strip()}
        found: dict[str, Value] = {}
        known = {PREFIX + name.upper().replace("-", "_") for name in (*META, *REMOTE)}
        known |= {name for setting in self.declared.settings() for name in setting.names}
        for name in known & entries.keys():
            if _SURROGATE.search(entries[name].text):
                self._complain(name, entries.pop(name), layer, "its value is not UTF-8: write it in UTF-8")
        for setting in self.declared.settings():
            claims: list[tuple[str, Spot, Any]] = []
            for alias in setting.env:
                more = tuple(self._claims(setting, alias, entries, layer))
                if alias.weak and claims:
                    self.notes += [f"{names} has no effect: {claims[0][0]} says it." for names, *_ in more]
                else:
                    claims += more
            self.agree(setting, claims)
            if claims:
                names, spot, value = claims[0]
                where = f"{layer.value} {names}" if layer is Layer.ENVIRONMENT else f"{spot} {names}"
                found[setting.key] = Value(value, Source(layer, where))
        for name, entry in entries.items():
            if name.startswith(PREFIX) and not name.startswith(PREFIX + "TEST_") and name not in known:
                self._complain(name, entry, layer, f"unknown setting{near(name, known)}")
        return found

    def _claims(
        self, setting: Setting, alias: Alias, entries: Mapping[str, Entry], layer: Layer
    ) -> Iterable[tuple[str, Spot, Any]]:
        if alias.open:
            yield from self._items(setting, alias, entries, layer)
            return
        if given := {name: entries[name] for name in alias.names if name in entries}:
            names, first = "/".join(given), next(iter(given.values()))
            try:
                text = alias.convert({name: entry.text.strip() for name, entry in given.items()})
                if text is not None:
                    yield names, first.spot, setting.type.read(text)
            except LeftOut as why:
                self.notes.append(f"{names} {why}.")
            except ValueError as error:
                self._complain(names, first, layer, str(error))
        for name in alias.names if setting.in_files(alias) else ():
            if entry := entries.get(f"{name}_FILE"):
                text = self.secret(entry.text.strip(), entry.spot)
                try:
                    if text:
                        yield f"{name}_FILE", entry.spot, setting.type.read(text)
                except ValueError as error:
                    self._complain(f"{name}_FILE", entry, layer, str(error))

    def _items(
        self, setting: Setting, alias: Alias, entries: Mapping[str, Entry], layer: Layer
    ) -> Iterable[tuple[str, Spot, Any]]:
        """One claim to a list: the items of every variable that begins as `alias` says."""
        items: dict[str, tuple[Any, ...]] = {}
        for name, entry in entries.items():
            if not name.startswith(alias.names[0][:-1]):
                continue
            is_file = setting.secret and name.endswith("_FILE")
            text = self.secret(entry.text.strip(), entry.spot) if is_file else entry.text.strip()
            try:
                read = alias.convert({name.removesuffix("_FILE") if is_file else name: text}) if text else None
                items[name] = setting.type.read(read) if read else ()
            except LeftOut as why:
                self.notes.append(f"{name} {why}.")
            except ValueError as error:
                self._complain(name, entry, layer, str(error))
        if any(items.values()):
            yield (
                "/".join(items),
                entries[next(iter(items))].spot,
                tuple(item for some in items.values() for item in some),
            )

    def _complain(self, name: str, entry: Entry, layer: Layer, message: str) -> None:
        self.problems.add(entry.spot, message if layer is Layer.ENVIRONMENT else f"{name}: {message}")

    def agree(self, setting: Setting, claims: Sequence[tuple[str, Spot, Any]]) -> None:
        """What names of one layer say of a setting, as names, place and value, is the same, or a mistake."""
        for names, spot, value in claims[1:]:
            first_names, first_spot, first = claims[0]
            if value != first:
                at = "" if first_spot.path == first_names else f" ({first_spot})"
                said = "" if setting.secret else f": {setting.type.write(value)} and {setting.type.write(first)}"
                self.problems.add(spot, f"{names} and {first_names}{at} both set {setting.key}, differently{said}")

    def take(self, found: dict[str, Value], setting: Setting, text: str, spot: Spot, source: Source) -> None:
        """Read a value into `found`; an empty one counts as not set."""
        text = text.strip()
        if not text:
            return
        try:
            found[setting.key] = Value(setting.type.read(text), source)
        except ValueError as error:
            self.problems.add(spot, str(error))

    def secret(self, name: str, spot: Spot) -> str | None:
        """The text of a file that holds a secret; None, and a problem, if there is none."""
        path = self.cwd / name
        try:
            text = self.files(path)
        except (OSError, UnicodeDecodeError) as error:
            self.problems.add(spot, unreadable(name, error))
            return None
        if text is None or not text.strip():
            wrong = f"there is no file {name}" if text is None else f"the file {name} is empty"
            self.problems.add(spot, f"{wrong}: write the secret into it, or name another")
            return None
        self.secret_files.append(path)
        return text.strip()


def unreadable(name: str, error: OSError | UnicodeDecodeError) -> str:
    """Why a file cannot be read, and the way out."""
    if isinstance(error, UnicodeDecodeError):
        line = error.object.count(b"\n", 0, error.start) + 1
        return f"{name} is not UTF-8, see byte 0x{error.object[error.start]:02x} in line {line}: save it as UTF-8"
    if isinstance(error, IsADirectoryError):
        return f"{name} is a directory: move it away, or name a file"
    return f"{name} cannot be read ({error.strerror}): let the server's user read it, or name another"
