"""What the server makes of the variables and the command that a file of a deployment gives it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from mythos.config import Config, load, options, refusals
from tests.deploy.copies import ROOT

__all__ = ["understood"]

_SECRET: Final = "0123456789abcdef" * 4
_OURS: Final = re.compile(r"\$\{(\w+)(?::?[-?]([^}]*))?\}|\$(\w+)")


def understood(variables: Mapping[str, object], command: Sequence[str] | None = None) -> Config:
    """The configuration, which says nothing of any variable: each is known and has an effect; and which the server
    would start with.

    :param variables: of the container; ``${NAME:-default}`` and ``$NAME`` in them are filled in
    :param command: what it runs; None: what the image runs
    """
    words = list(command) if command is not None else _image_command()
    given: dict[str, str] = {}
    flags = {one.name for one in options() if not one.metavar}
    rest = words[words.index("mythos") + 1 :]
    while rest:
        name = rest.pop(0).removeprefix("--")
        given[name] = "yes" if name in flags else _filled(rest.pop(0))
    environ = {name: _filled(str(value)) for name, value in variables.items()}
    loaded = load(options=given, environ=environ, files=lambda path: None, cwd=Path("/"))
    assert loaded.notes == ()
    assert refusals(loaded.config, uid=10001, has_secret=False) == []
    return loaded.config


def _filled(text: str) -> str:
    """With a value for each variable of the shell, of compose or of the platform."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[3]
        if name == "PORT":
            return "8080"
        return found[2] if found[0].startswith(f"${{{name}:-") else _SECRET

    return _OURS.sub(value, text)


def _image_command() -> list[str]:
    (said,) = re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    found: list[str] = json.loads(said)
    return found
