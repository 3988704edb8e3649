"""Questions to a server that runs, over the control socket in its data directory."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from mythos.config import ConfigError, load
from mythos.config import disk as config_disk

__all__ = ["COMMANDS", "NOT_REACHED", "REFUSED", "ask", "data_option", "directory_of", "fail"]

#: Exit codes besides 0 and click's 2 for wrong usage: the server said no; no server answered.
REFUSED, NOT_REACHED = 1, 3
#: Seconds to wait for an answer; creating an account takes a password hash.
_PATIENCE = 30.0

_Command = Callable[..., None]


#: ``--data``: whose server is meant; without it, the one of the configuration that stands here.
data_option: Callable[[_Command], _Command] = click.option("--data", metavar="DIR", help="The server's data directory.")


def directory_of(data: str | None) -> Path:
    """The data directory that an option, the environment or a configuration file names."""
    try:
        options = {"data": data} if data else {}
        loaded = load(options=options, environ=os.environ, files=config_disk.text, cwd=Path.cwd())
    except ConfigError as error:
        fail(str(error))
    return loaded.config.data


def fail(message: str, code: int = REFUSED) -> NoReturn:
    click.echo(message, err=True)
    raise SystemExit(code)


def ask(data: str | None, order: str, **members: Any) -> dict[str, Any]:
    """One question and its answer; exits with a sentence if there is none, or if it is no."""
    path = directory_of(data) / "control.sock"
    question = json.dumps({"do": order, **members}).encode() + b"\n"
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_PATIENCE)
            line.connect(str(path))
            line.sendall(question)
            with line.makefile("rb") as answers:
                text = answers.readline()
    except OSError as error:
        why = "it is not running" if isinstance(error, FileNotFoundError | ConnectionRefusedError) else str(error)
        fail(f"No server answers at {path}: {why}. Start it, or name its directory with --data DIR.", NOT_REACHED)
    if not text.endswith(b"\n"):
        fail(f"The server at {path} closed without an answer.", NOT_REACHED)
    answer: dict[str, Any] = json.loads(text)
    if not answer.pop("ok"):
        fail(answer["error"])
    return answer


def _shown(answer: Mapping[str, Any], as_json: bool, *lines: str) -> None:
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False) if as_json else "\n".join(lines))


_json: Callable[[_Command], _Command] = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.command()
@data_option
@_json
def status(data: str | None, as_json: bool) -> None:
    """Say how the server is. Exit 1 if something is wrong with it."""
    answer = ask(data, "status")
    doors = ", ".join(f"{count} by {door}" for door, count in answer["doors"].items())
    ports = ", ".join(f"{name} {port}" for name, port in answer["ports"].items())
    wrong = [f"{name}: {check['message']}" for name, check in answer["checks"].items() if check["message"]]
    _shown(
        answer,
        as_json,
        f"{answer['status']}: Mythos {answer['version']}, up {answer['uptime_s']:.0f} s",
        f"world: {answer['world']}, {answer['rooms']} rooms",
        f"players: {answer['players']}" + (f" ({doors})" if doors else ""),
        f"ports: {ports}",
        *wrong,
    )
    if answer["status"] != "healthy":
        raise SystemExit(REFUSED)


@click.command()
@data_option
@_json
def who(data: str | None, as_json: bool) -> None:
    """List who plays, with their rooms and doors."""
    answer = ask(data, "who")
    lines = [
        f"{one['name']} in {one['room']}: {', '.join(one['doors']) or 'link-dead'}, idle {one['idle_s']} s"
        for one in answer["players"]
    ]
    _shown(answer, as_json, *lines or ["Nobody plays."])


@click.command()
@data_option
@click.argument("text")
def broadcast(data: str | None, text: str) -> None:
    """Say TEXT to everyone who plays."""
    click.echo(f"{ask(data, 'broadcast', text=text)['heard']} people heard it.")


@click.command()
@data_option
@click.argument("name")
@click.option("--reason", default="", help="What they are told.")
def kick(data: str | None, name: str, reason: str) -> None:
    """Send a player out of the game; they may come back."""
    click.echo(f"{ask(data, 'kick', name=name, reason=reason)['name']} is sent away.")


@click.command()
@data_option
@click.option("--in", "seconds", default=0.0, metavar="SECONDS", help="Not at once.")
@click.option("--reason", default="", help="What everybody is told.")
def shutdown(data: str | None, seconds: float, reason: str) -> None:
    """Stop the server; everything is saved, and everybody can go on where they were."""
    ask(data, "shutdown", seconds=seconds, reason=reason)
    click.echo(f"The server stops in {seconds:.0f} seconds." if seconds else "The server stops.")


@click.command()
@data_option
def reload(data: str | None) -> None:
    """Load the world's files again; if they hold a mistake, nothing changes."""
    click.echo(ask(data, "reload")["message"])


@click.group()
def account() -> None:
    """Accounts of players."""


@account.command()
@data_option
@click.argument("name")
@click.option("--keeper", is_flag=True, help="With a keeper's rights.")
def create(data: str | None, name: str, keeper: bool) -> None:
    """Make an account. The password is asked for, or read from standard input."""
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    made = ask(data, "create-account", name=name, password=password, keeper=keeper)
    click.echo(f"The account {made['name']} is made.")


COMMANDS = (status, who, broadcast, kick, shutdown, reload, account)
