"""The configuration in force, and what a later reading of it can change without a restart."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from mythos.config import Config, Loaded
from mythos.config.declare import build

__all__ = ["Change", "Settings"]


@dataclass(frozen=True, slots=True)
class Change:
    """What a reading found. Keys of settings.

    :ivar changed: what is in force from now on
    :ivar restart: what stands otherwise in the configuration, and needs a restart
    """

    changed: tuple[str, ...]
    restart: tuple[str, ...]

    def __str__(self) -> str:
        said = [f"Changed: {', '.join(self.changed)}."] if self.changed else ["Nothing was changed."]
        return " ".join([*said, *([f"These need a restart: {', '.join(self.restart)}."] if self.restart else [])])


class Settings:
    """See the module.

    :param read: reads all of it again; raises MythosError with every mistake
    """

    def __init__(self, loaded: Loaded, read: Callable[[], Loaded]) -> None:
        self._values = dict(loaded.values)
        self._read = read

    def again(self, live: Collection[str]) -> tuple[Change, Config, Callable[[], None]]:
        """Read it again.

        :param live: keys of what can change
        :return: what would change, the configuration with that, and what makes it the one in force
        :raises MythosError: it holds a mistake; nothing changes
        """
        new = self._read().values
        differs = [key for key, value in self._values.items() if new[key] != value]
        changed = tuple(key for key in differs if key in live)
        merged = {**self._values, **{key: new[key] for key in changed}}

        def settle() -> None:
            self._values = merged

        return Change(changed, tuple(key for key in differs if key not in live)), build(Config, merged), settle
