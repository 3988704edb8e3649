"""The configuration as text: the commented file, and what is in force."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mythos.config.declare import Section, Setting, Size
from mythos.config.load import Loaded
from mythos.config.model import DECLARED

__all__ = ["MASK", "Option", "Shown", "facts", "options", "shown", "template"]

MASK: Final = "********"

_HEAD: Final = """\
# The configuration of a Mythos server: every setting, with its default. Remove a '# ' to change one.
#
# A setting can also come from the command line, a variable, or a .env file, each stronger than this file.
# Times: 10s, 5m, 2h, a bare number is seconds. Sizes: 64KB, 128MB. Listeners: a port, ADDRESS:PORT, an endpoint such as
# tcp:4000:interface=127.0.0.1, or off; port 0 takes a free one. ${NAME} and ${NAME:default} are replaced by variables.
"""


@dataclass(frozen=True, slots=True)
class Option:
    """An option of the command line, by its long name and perhaps a letter. Without `metavar` it is a flag."""

    name: str
    metavar: str
    help: str
    letter: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting as an operator sees it; secrets are masked."""

    key: str
    value: str
    source: str


def options() -> tuple[Option, ...]:
    """Every option that `load` takes."""
    declared = (setting for setting in DECLARED.settings() if setting.option)
    return (
        Option("config", "FILE", "The configuration; else ./mythos.yaml.", "c"),
        Option("env-file", "FILE", "Variables; else ./.env.", "e"),
        *(Option(setting.option, setting.metavar, setting.help) for setting in declared),
    )


def shown(loaded: Loaded) -> Iterator[Shown]:
    """Every setting in the order of the declarations."""
    for setting in DECLARED.settings():
        value = loaded.values[setting.key]
        text = (MASK if value else "") if setting.secret else setting.type.write(value)
        yield Shown(setting.key, text, str(loaded.sources[setting.key]))


def template() -> str:
    """``mythos.yaml`` with every key commented out: what ``mythosctl config init`` writes."""
    return _HEAD + "".join(f"{line}\n" for line in _lines(DECLARED, ""))


def _lines(section: Section, indent: str) -> Iterator[str]:
    for child in section.children:
        name = child.key.rpartition(".")[2]
        if isinstance(child, Section):
            yield from ("", f"{indent}{name}:  # {child.help}")
            yield from _lines(child, indent + "  ")
        else:
            yield from ("", f"{indent}# {child.help}")
            yield from (f"{indent}# {line}" for line in facts(child))
            yield f"{indent}# {name}{'_file' if child.secret else ''}:{_default(child)}"


def facts(setting: Setting) -> Iterator[str]:
    """What its comment says beside its help: defaults by size or by rule, and its variables."""
    if setting.by_size:
        yield "default by size: " + ", ".join(
            f"{size.value} {text}" for size, text in zip(Size, setting.by_size, strict=True)
        )
    if setting.rule:
        yield f"default: {setting.rule}"
    if setting.live:
        yield "changes at SIGHUP"
    names = ", ".join(name for alias in setting.env for name in alias.names)
    option = f"; option: --{setting.option}" if setting.option else ""
    yield f"variable: {names}{' (or with _FILE)' if setting.sealed else ''}{option}"


def _default(setting: Setting) -> str:
    return f" {setting.default}" if setting.default and not setting.rule else ""
