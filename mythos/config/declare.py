"""How settings are declared: a frozen dataclass for each section, one `setting` for each field.

All that is known of a setting stands in that one call; reading, checking, showing and the commented file follow from
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from mythos.config.types import Type

__all__ = [
    "PREFIX",
    "Alias",
    "Given",
    "LeftOut",
    "Rows",
    "Section",
    "Setting",
    "Size",
    "build",
    "declared",
    "section",
    "setting",
]

PREFIX: Final = "MYTHOS_"

_T = TypeVar("_T")


class Size(Enum):
    """How large the server is meant to be; sets defaults."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
    ENTERPRISE = "enterprise"


class Given(Protocol):
    """What a computed default may look at: other settings by key, and the directory that paths start from."""

    @property
    def cwd(self) -> Path: ...
    def __getitem__(self, key: str) -> Any: ...


class LeftOut(Exception):
    """What was written is well-formed and yet not used; the operator hears why."""


def _only(given: Mapping[str, str]) -> str:
    return next(iter(given.values()))


@dataclass(frozen=True, slots=True)
class Alias:
    """Other variables, or other keys of the file, that set the same thing.

    :param names: those that are set are handed to `convert` together. A variable that ends with ``*`` is every one that
        begins so; each is converted alone, to items of a list.
    :param convert: their text as this setting's text; None if they do not mean it. May raise ValueError or `LeftOut`.
    :param weak: counts only if no other name in the same layer sets the same thing.
    :param types: what single ones of several keys are, to name the wrong one.
    """

    names: tuple[str, ...]
    convert: Callable[[Mapping[str, str]], str | None] = _only
    weak: bool = False
    types: Mapping[str, Type[Any]] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Its text is the setting's."""
        return self.convert is _only

    @property
    def open(self) -> bool:
        """It stands for every variable that begins so."""
        return self.names[0].endswith("*")


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of mappings in the file; each is an item of the setting's list.

    :param fields: what may stand in such a mapping.
    :param convert: its values as an item; None if it is none. May raise ValueError or `LeftOut`.
    :param secret: the field that holds a secret.
    """

    key: str
    fields: Mapping[str, Type[Any]]
    convert: Callable[[Mapping[str, Any]], Any]
    secret: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.key,)


@dataclass(frozen=True, slots=True)
class Setting:
    """All that is known of one setting. `key` is its path in the file: ``telnet.listen``.

    :param keys: other keys of the file that set it, as whole paths.
    :param default: as text.
    :param derived: the default as text, where it depends on other settings; `rule` says how, in words.
    :param by_size: the default for each `Size`, in their order.
    :param adjust: the last word on a value, wherever it came from.
    :param live: a server that runs follows it when the configuration is read again.
    """

    key: str
    type: Type[Any]
    default: str
    help: str
    env: tuple[Alias, ...]
    keys: tuple[Alias | Rows, ...]
    option: str
    metavar: str
    secret: bool
    by_size: tuple[str, ...]
    derived: Callable[[Given], str] | None
    rule: str
    adjust: Callable[[Any, Given], Any] | None
    live: bool

    @property
    def name(self) -> str:
        return self.key.rpartition(".")[2]

    @property
    def names(self) -> tuple[str, ...]:
        """Every variable that sets it."""
        plain = [name for alias in self.env for name in alias.names]
        return (*plain, *(f"{name}_FILE" for alias in self.env if self.in_files(alias) for name in alias.names))

    @property
    def sealed(self) -> bool:
        """It is a secret, or may hold one."""
        return self.secret or self.type.may_hold_secrets

    def in_files(self, alias: Alias) -> bool:
        """Each of these variables has another, with ``_FILE`` behind it, that names a file with the value."""
        return self.sealed and (alias.plain or alias.open)


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping in the file.

    :param scalar: the setting that is meant when a plain value stands in the section's place.
    """

    key: str
    help: str
    scalar: str
    children: tuple[Section | Setting, ...]

    def settings(self) -> Iterator[Setting]:
        for child in self.children:
            if isinstance(child, Section):
                yield from child.settings()
            else:
                yield child


def setting(
    type: Type[_T],
    default: str,
    help: str,
    *,
    env: tuple[str | Alias, ...] = (),
    keys: tuple[str | Alias | Rows, ...] = (),
    option: str = "",
    metavar: str = "",
    secret: bool = False,
    by_size: tuple[str, ...] = (),
    derived: Callable[[Given], str] | None = None,
    rule: str = "",
    adjust: Callable[[_T, Given], _T] | None = None,
    live: bool = False,
) -> _T:
    """Declare one field of a section; see `Setting`. An option without `metavar` is a flag."""
    known = {
        "type": type, "default": default, "help": help, "env": env, "keys": keys, "option": option,
        "metavar": metavar, "secret": secret, "by_size": by_size, "derived": derived, "rule": rule, "adjust": adjust,
        "live": live,
    }  # fmt: skip
    declared_field: _T = field(default=type.read(default), metadata={"setting": known}, repr=not secret)
    return declared_field


def section(cls: Callable[[], _T], help: str, *, scalar: str = "") -> _T:
    """Declare one section inside another; see `Section`."""
    declared_field: _T = field(default_factory=cls, metadata={"section": (cls, help, scalar)})
    return declared_field


def declared(cls: type, key: str = "", help: str = "", scalar: str = "") -> Section:
    """The declarations of a dataclass made of `setting` and `section` fields."""
    children: list[Section | Setting] = []
    for part in fields(cls):
        path = f"{key}.{part.name}" if key else part.name
        if "section" in part.metadata:
            inner, inner_help, inner_scalar = part.metadata["section"]
            children.append(declared(inner, path, inner_help, inner_scalar))
        else:
            known = dict(part.metadata["setting"])
            own = [PREFIX + path.replace(".", "_").upper()]
            if known["option"]:
                own.append(PREFIX + known["option"].replace("-", "_").upper())
            names = (*dict.fromkeys(own), *known.pop("env"))
            env = tuple(Alias((one,)) if isinstance(one, str) else one for one in names)
            keys = tuple(Alias((one,)) if isinstance(one, str) else one for one in known.pop("keys"))
            children.append(Setting(key=path, env=env, keys=keys, **known))
    return Section(key, help, scalar, tuple(children))


def build(cls: type[_T], values: Mapping[str, Any], key: str = "") -> _T:
    """The dataclass with the value of every setting, by key."""
    made: dict[str, Any] = {}
    for part in fields(cls):  # type: ignore[arg-type]
        path = f"{key}.{part.name}" if key else part.name
        inner = part.metadata.get("section")
        made[part.name] = build(inner[0], values, path) if inner else values[path]
    return cls(**made)
