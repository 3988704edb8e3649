"""Settings in words for people: all of them as a table, one of them by any of its names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mythos.config.declare import PREFIX, Section, Setting, Size
from mythos.config.layers import META
from mythos.config.load import Loaded
from mythos.config.model import DECLARED
from mythos.config.names import ABSENT, HINTS, INSTEAD, NEIGHBOURS, UNUSED_KEYS, absent, instead, neighbour
from mythos.config.problems import near
from mythos.config.show import MASK, facts

__all__ = ["document", "explained", "variables"]

_HEAD: Final = """\
# Settings

All settings, by every name they have. `mythosctl config doc` prints this page, `mythosctl config explain NAME` says
what one name does and what is in force, `mythosctl config default` prints them as `mythos.yaml` and
`mythosctl config env` as variables.

- The strongest first: command line, environment, `.env` (or `--env-file`), `mythos.yaml` (or `--config`), the preset of
  `size`, the default.
- Two names of one thing that disagree in one of these are an error that names both and their places.
- Times take `10s`, `5m`, `2h`, `1d` or `250ms`, sizes `64KB`, `128MB` or `1GB`; a bare number is seconds or bytes,
  unless it says otherwise.
- An empty variable is not set. An unknown one that begins with `MYTHOS_` is an error; others are ignored.
- A secret, or an address that may hold one, can stand in a file: `SECRET_KEY_FILE`, `DATABASE_URL_FILE`, or
  `secret_key_file` in `mythos.yaml`. A production server does not start while others can read it.
- What is marked with ↻ changes at SIGHUP, for those who play too; all others wait for a restart, and the log names
  them.
- Every setting also has a variable of its own, `MYTHOS_` and its name in capitals with underscores:
  `MYTHOS_LIMITS_PLAYER_BURST`.
"""


_LIVE: Final = " ↻"


def document() -> str:
    """Every setting and every known name, in Markdown."""
    return "\n".join((_HEAD, *_tables(DECLARED), *_unused()))


def _tables(section: Section) -> Iterator[str]:
    settings = [child for child in section.children if isinstance(child, Setting)]
    yield f"## {section.key or 'The server'}"
    yield ""
    if section.help:
        yield from (section.help, "")
    yield "| setting | other names | default | what it does |"
    yield "| --- | --- | --- | --- |"
    for setting in settings:
        names = ", ".join(f"`{name}`" for name in _others(setting))
        cells = f"`{setting.key}`", names, _default(setting), f"{setting.help}{_LIVE if setting.live else ''}"
        yield "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)
    yield ""
    for child in section.children:
        if isinstance(child, Section):
            yield from _tables(child)


def _others(setting: Setting) -> Iterator[str]:
    if setting.option:
        yield f"--{setting.option}"
    yield from (name for name in setting.names if not name.startswith(PREFIX))
    yield from (name for alias in setting.keys for name in alias.names)


def _default(setting: Setting) -> str:
    if setting.by_size:
        return ", ".join(f"{size.value} {text}" for size, text in zip(Size, setting.by_size, strict=True))
    return setting.rule or (f"`{setting.default}`" if setting.default else "")


def _unused() -> Iterator[str]:
    yield "## Names without effect"
    yield ""
    yield "They are accepted, and one line at the start says so."
    yield ""
    yield "| variable | why |"
    yield "| --- | --- |"
    yield from (f"| `{name}` | {why} |" for name, why in INSTEAD.items())
    for part, names in ABSENT.items():
        yield f"| {', '.join(f'`{name}`' for name in names.split())} | this version does not have {part} |"
    yield ""
    yield "| key of another server's file | why |"
    yield "| --- | --- |"
    yield from (f"| `{key}` | {why} |" for key, why in UNUSED_KEYS.items())
    yield ""
    yield "These belong to other programs that read the same `.env`; nothing is said of them:"
    yield ", ".join(f"`{name}`" for name in NEIGHBOURS.split()) + "."
    yield ""


def variables() -> str:
    """A ``.env`` file with every setting commented out."""
    lines = ["# Every setting as a variable, with its default. Remove a '# ' to change one.", ""]
    for setting in DECLARED.settings():
        name = next((one for one in setting.names if not one.startswith(PREFIX)), setting.names[0])
        default = "" if setting.rule or setting.by_size else setting.default
        if name.endswith("*") or not next(alias for alias in setting.env if name in alias.names).plain:
            name = setting.names[0]
        lines += [f"# {setting.help}", f"# {name}={default}"]
    return "\n".join(lines) + "\n"


def explained(name: str, loaded: Loaded) -> str:
    """What a variable, an option or a key means here.

    :raises ValueError: nobody knows it; with the nearest name.
    """
    word = name.removeprefix("--")
    settings = [setting for setting in DECLARED.settings() if _is_named(setting, word)]
    if settings:
        return "\n\n".join("\n".join(_words(setting, loaded)) for setting in settings) + _hint(word)
    if word in META:
        return f"--{word} says where settings are read from."
    if why := instead(word) or UNUSED_KEYS.get(word, ""):
        return f"{word} has no effect: {why}."
    if part := absent(word):
        return f"{word} is accepted, without effect: this version does not have {part}."
    if neighbour(word):
        return f"{word} belongs to another program that reads the same file; it is passed over."
    known = [one for setting in DECLARED.settings() for one in _names(setting)]
    raise ValueError(f"there is no setting {name}{near(word, known)}")


def _names(setting: Setting) -> list[str]:
    keys = [name for alias in setting.keys for name in alias.names]
    return [setting.key, *setting.names, *keys, *([setting.option] if setting.option else [])]


def _is_named(setting: Setting, word: str) -> bool:
    return word in _names(setting) or any(alias.open and word.startswith(alias.names[0][:-1]) for alias in setting.env)


def _words(setting: Setting, loaded: Loaded) -> Iterator[str]:
    value = loaded.values[setting.key]
    text = (MASK if value else "") if setting.secret else setting.type.write(value)
    yield f"{setting.key}: {text}".rstrip()
    yield f"  {setting.help}"
    yield f"  from: {loaded.sources[setting.key]}"
    yield from (f"  {line}" for line in facts(setting))
    keys = [name for alias in setting.keys for name in alias.names]
    if keys:
        yield f"  keys: {', '.join(keys)}"


def _hint(word: str) -> str:
    return f"\n\n{word} {HINTS[word]}." if word in HINTS else ""
