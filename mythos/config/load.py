"""Every layer into one frozen `Config`, or every mistake in all of them at once.

The strongest first: command line, environment, ``.env``, ``mythos.yaml``, the preset of the size, the default. Nothing
here touches the process or the disk: variables, options and files are handed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mythos.config import dotenv, nodes
from mythos.config.declare import PREFIX, Section, Setting, Size, build
from mythos.config.document import Document
from mythos.config.dotenv import Entry
from mythos.config.layers import Files, Layer, Reader, Source, Value, unreadable
from mythos.config.model import DECLARED, Config
from mythos.config.names import remarks
from mythos.config.problems import DocumentError, Problems, Spot

__all__ = ["ConfigError", "Loaded", "load"]


class ConfigError(DocumentError):
    """The operator's: the configuration cannot be used; ``problems`` names everything wrong with it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, and where each of its values came from.

    :param sources: by key.
    :param notes: sentences an operator should see once: what has no effect, and why.
    :param secret_files: files that secrets were read from, or will be; others must not be able to read them.
    """

    config: Config
    sources: Mapping[str, Source]
    values: Mapping[str, Any]
    notes: Sequence[str]
    secret_files: Sequence[Path]


def load(*, options: Mapping[str, str], environ: Mapping[str, str], files: Files, cwd: Path) -> Loaded:
    """Read every layer.

    :param options: long options without dashes, as text; flags as ``yes``. Also ``config`` and ``env-file``.
    :param files: the text of a file, or None if there is none; may raise OSError.
    :param cwd: relative paths, wherever they are written, start here.
    :raises ConfigError: naming every mistake.
    """
    problems = Problems()
    reader = Reader(DECLARED, files, cwd, problems)
    process = {name: Entry(text, Spot(name)) for name, text in environ.items()}

    path, text = _file(reader, options, environ, "env-file", ".env")
    entries = dotenv.read(text, path, problems) if text else {}
    path, text = _file(reader, options, environ, "config", "mythos.yaml")
    root = nodes.parse(text, path, problems) if text else None

    def variable(name: str) -> str | None:
        return next((layer[name].text for layer in (process, entries) if name in layer and layer[name].text), None)

    layers = (
        reader.options(options),
        reader.variables(process, Layer.ENVIRONMENT),
        reader.variables(entries, Layer.DOTENV),
        Document(reader, variable).read(root) if root is not None else {},
    )
    problems.check(ConfigError)
    resolved = _Resolver(DECLARED, layers, cwd)
    values = {setting.key: resolved[setting.key] for setting in DECLARED.settings()}
    sources = {key: resolved.value(key).source for key in values}
    for name in ("tls.enabled", "tls.key"):
        if values[name] and values["tls.certificate"] is None:
            place = sources[name].where.removeprefix("environment ")
            problems.add(Spot(place), "TLS needs a certificate: name its file in tls.certificate (SSL_CERT_PATH)")
    problems.check(ConfigError)
    known = {name for setting in DECLARED.settings() for name in setting.names}
    given = {name for layer in (entries, process) for name, entry in layer.items() if entry.text.strip()}
    notes = (*reader.notes, *remarks(given, known))
    config = build(Config, values)
    key = [config.tls.key] if config.tls.enabled and config.tls.key is not None else []
    return Loaded(config, sources, values, notes, (*reader.secret_files, *key))


def _file(
    reader: Reader, options: Mapping[str, str], environ: Mapping[str, str], option: str, usual: str
) -> tuple[str, str]:
    """Name and text of the file an option or its variable names, else of the usual one if it is there."""
    variable = PREFIX + option.upper().replace("-", "_")
    named = options.get(option) or environ.get(variable)
    spot = Spot(f"--{option}" if options.get(option) else variable if named else usual)
    name = named or usual
    try:
        text = reader.files(reader.cwd / name)
    except (OSError, UnicodeDecodeError) as error:
        reader.problems.add(spot, unreadable(name, error))
        return name, ""
    if text is None and named:
        reader.problems.add(spot, f"there is no file {name}: write it, or name another")
    return name, text or ""


@dataclass(slots=True)
class _Resolver:
    """The values by key, each computed when first asked for: defaults may look at other settings."""

    declared: Section
    layers: Sequence[Mapping[str, Value]]
    cwd: Path
    _known: dict[str, Value] = field(default_factory=dict)
    _settings: dict[str, Setting] = field(init=False)

    def __post_init__(self) -> None:
        self._settings = {setting.key: setting for setting in self.declared.settings()}

    def __getitem__(self, key: str) -> Any:
        return self.value(key).value

    def value(self, key: str) -> Value:
        if key not in self._known:
            setting = self._settings[key]
            found = next((layer[key] for layer in self.layers if key in layer), None) or self._default(setting)
            value = self.cwd / found.value if isinstance(found.value, Path) else found.value
            self._known[key] = Value(setting.adjust(value, self) if setting.adjust else value, found.source)
        return self._known[key]

    def _default(self, setting: Setting) -> Value:
        text, source = setting.default, Source(Layer.DEFAULT, "default")
        if setting.by_size:
            size: Size = self["size"]
            text = setting.by_size[list(Size).index(size)]
            source = Source(Layer.PRESET, f"preset {size.value}")
        elif setting.derived:
            text, source = setting.derived(self), Source(Layer.DEFAULT, f"default: {setting.rule}")
        return Value(setting.type.read(text), source)
