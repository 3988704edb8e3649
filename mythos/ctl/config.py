"""``mythosctl config``: write, check and show the configuration, without a server.

Results go to stdout, talk and mistakes to stderr. Exit 0: good, 1: the configuration is not, 2: wrong usage.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from mythos.config import ConfigError, Loaded, load, options, refusals, shown, template
from mythos.config import disk as config_disk
from mythos.config.problems import near

__all__ = ["config"]

_Command = Callable[..., None]


def _sources(command: _Command) -> _Command:
    """The options of the server that bear on its configuration."""
    for option in reversed(options()):
        names = [f"--{option.name}", *([f"-{option.letter}"] if option.letter else [])]
        if option.metavar:
            decorate = click.option(*names, metavar=option.metavar, help=option.help)
        else:
            decorate = click.option(*names, is_flag=True, help=option.help)
        command = decorate(command)
    return command


def _load(given: dict[str, Any]) -> Loaded:
    """:raises ConfigError: as `load`."""
    texts = {name.replace("_", "-"): "yes" if value is True else value for name, value in given.items() if value}
    return load(options=texts, environ=os.environ, files=config_disk.text, cwd=Path.cwd())


@click.group()
def config() -> None:
    """Write, check and show the configuration."""


@config.command()
@click.argument("file", default="mythos.yaml", type=click.Path(dir_okay=False, path_type=Path))
def init(file: Path) -> None:
    """Write FILE (mythos.yaml) with every setting commented out. Never overwrites."""
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(template())
    except FileExistsError:
        _fail(f"{file} is already there; it stays as it is.")
    except OSError as error:
        _fail(f"cannot write {file}: {error.strerror}.")
    click.echo(f"{file} is written: every setting with its default.")


@config.command()
@_sources
@click.option("--json", "as_json", is_flag=True, help="The mistakes as JSON.")
def check(as_json: bool, **given: Any) -> None:
    """Name every mistake, and everything a production server would refuse to start on."""
    mistakes: list[dict[str, object]] = []
    lines: list[str] = []
    try:
        loaded = _load(given)
    except ConfigError as error:
        for problem in error.problems:
            place = {"path": problem.path, "line": problem.line, "column": problem.column}
            mistakes.append({**place, "message": problem.message})
            lines.append(str(problem))
    else:
        lines = refusals(
            loaded.config,
            uid=os.geteuid(),
            has_secret=True,  # one that is missing shows only where the server starts
            readable_by_others=config_disk.exposed(loaded),
        )
        mistakes = [{"message": line} for line in lines]
        for note in loaded.notes:
            click.echo(note, err=True)
    if as_json:
        click.echo(json.dumps({"ok": not mistakes, "problems": mistakes}, indent=2))
    if lines:
        _fail("\n".join(lines))
    if not as_json:
        click.echo("The configuration is good.")


@config.command()
@_sources
@click.argument("keys", nargs=-1)
@click.option("--source", is_flag=True, help="Say where each value comes from.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(keys: tuple[str, ...], source: bool, as_json: bool, **given: Any) -> None:
    """Print what is in force: all of it, or the KEYS and sections named. Secrets are masked."""
    try:
        loaded = _load(given)
    except ConfigError as error:
        _fail(str(error))
    every = list(shown(loaded))
    chosen = [part for part in every if not keys or any(f"{part.key}.".startswith(f"{key}.") for key in keys)]
    for key in keys:
        if not any(f"{part.key}.".startswith(f"{key}.") for part in chosen):
            raise click.UsageError(f"there is no setting {key}{near(key, [part.key for part in every])}")
    if as_json:
        rows = {part.key: {"value": part.value, "source": part.source} if source else part.value for part in chosen}
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for part in chosen:
        click.echo(f"{part.key}: {part.value}".rstrip() + (f"  # {part.source}" if source else ""))


def _fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    raise SystemExit(1)
