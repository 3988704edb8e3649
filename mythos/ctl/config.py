"""``mythosctl config``: write, check and show the configuration, without a server.

Results go to stdout, talk and mistakes to stderr. Exit 0: good, 1: the configuration is not, 2: wrong usage.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from mythos.config import (
    Config,
    ConfigError,
    Environment,
    Loaded,
    options,
    refusals,
    shown,
    template,
)
from mythos.config import disk as config_disk
from mythos.config.explain import document, explained, variables
from mythos.config.problems import near
from mythos.config.seeds import SEEDS, find, translated

__all__ = ["config"]

_Command = Callable[..., None]
_SEEDS: Final = ", ".join(f"{seed.letter} or {seed.name}" for seed in SEEDS)


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
    return config_disk.read(texts)


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
def default() -> None:
    """Print mythos.yaml with every setting commented out."""
    click.echo(template(), nl=False)


@config.command()
def env() -> None:
    """Print every setting as a variable, commented out."""
    click.echo(variables(), nl=False)


@config.command()
def doc() -> None:
    """Print every setting with all its names, in Markdown."""
    click.echo(document(), nl=False)


@config.command()
@_sources
@click.argument("name")
def explain(name: str, **given: Any) -> None:
    """Say what NAME does: a variable, an option, or a key, of this server or of another."""
    try:
        click.echo(explained(name, _load(given)))
    except ConfigError as error:
        _fail(str(error))
    except ValueError as error:
        raise click.UsageError(str(error)) from None


#: What a production server needs, and how the sentences begin that say it has it not.
_NEEDS: Final = {
    "secret key": ("security.secret_key", "security.secret_key_previous"),
    "files of secrets": (),
    "telnet": ("telnet.listen",),
    "HTTPS": ("http.listen",),
    "metrics": ("metrics.listen",),
    "sites that may use the API": ("http.cors_origins",),
    "rate limits": ("limits.enabled",),
    "debug": ("debug",),
    "proxies": ("http.trusted_proxies", "telnet.trusted_proxies"),
    "password of the database": ("The password of database.url",),
    "gateway": ("gateway.keyless", "The key of "),
    "user": ("The server would run as root",),
}


def _production(loaded: Loaded) -> bool:
    """Print one line for each need; returns whether all are met."""
    ready = replace(loaded.config, environment=Environment.PRODUCTION)
    has_secret = (ready.data / "secret").exists()
    reasons = [*_refusals(replace(loaded, config=ready), has_secret=has_secret), *_without_tls(ready)]
    met = not reasons
    for need, begins in _NEEDS.items():
        wrong = [one for one in reasons if one.startswith(begins)] if begins else []
        if need == "files of secrets":
            wrong = [one for one in reasons if " holds a secret " in one]
        reasons = [one for one in reasons if one not in wrong]
        for one in wrong:
            click.echo(f"FAIL {need}: {one}")
        if not wrong:
            click.echo(f"PASS {need}")
    for one in reasons:
        click.echo(f"FAIL {one}")
    return met


def _without_tls(config: Config) -> list[str]:
    http = config.http
    if "doors" not in config.roles or not http.listen.on_network or http.trusted_proxies:
        return []
    if http.listen.endpoint.startswith("ssl:"):
        return []
    return [
        f"http.listen ({http.listen}) is reachable from the network without TLS: put nginx or haproxy before it and "
        "name that in http.trusted_proxies, or listen on 127.0.0.1."
    ]


def _refusals(loaded: Loaded, *, has_secret: bool = True) -> list[str]:
    return refusals(
        loaded.config,
        uid=os.geteuid(),
        has_secret=has_secret,  # one that is missing shows only where the server starts
        readable_by_others=config_disk.exposed(loaded),
    )


@config.command()
@_sources
@click.option("--json", "as_json", is_flag=True, help="The mistakes as JSON.")
@click.option("--production", is_flag=True, help="One line, PASS or FAIL, for each thing that production needs.")
def check(as_json: bool, production: bool, **given: Any) -> None:
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
        if production:
            raise SystemExit(0 if _production(loaded) else 1)
        lines = _refusals(loaded)
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
@click.option("--as-seed", metavar="SERVER", help=f"Under the names of another: {_SEEDS}.")
def show(keys: tuple[str, ...], source: bool, as_json: bool, as_seed: str | None, **given: Any) -> None:
    """Print what is in force: all of it, or the KEYS and sections named. Secrets are masked."""
    try:
        loaded = _load(given)
    except ConfigError as error:
        _fail(str(error))
    if as_seed is not None:
        _as_seed(loaded, as_seed)
        return
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


def _as_seed(loaded: Loaded, word: str) -> None:
    seed = find(word)
    if seed is None:
        raise click.UsageError(f"there is no server {word}; there are {_SEEDS}")
    for one in translated(loaded, seed):
        click.echo(f"# {one.name}: {one.remark}" if one.remark else f"{one.name}={one.value}")


def _fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    raise SystemExit(1)
