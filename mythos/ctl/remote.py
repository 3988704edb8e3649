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

from mythos import __version__
from mythos.config import Config, ConfigError, load
from mythos.config import disk as config_disk

__all__ = [
    "COMMANDS",
    "FAILED",
    "NOT_REACHED",
    "REFUSED",
    "ask",
    "configuration",
    "data_option",
    "fail",
    "json_option",
]

#: Exit codes besides 0 and click's 2 for wrong usage.
FAILED, NOT_REACHED, REFUSED = 1, 3, 4
#: Seconds to wait for an answer; creating an account takes a password hash.
_PATIENCE = 30.0

_Command = Callable[..., None]


#: ``--data``: whose server is meant; without it, the one of the configuration that stands here.
data_option: Callable[[_Command], _Command] = click.option("--data", metavar="DIR", help="The server's data directory.")
json_option: Callable[[_Command], _Command] = click.option("--json", "as_json", is_flag=True, help="As JSON.")


def configuration(data: str | None = None) -> Config:
    """What an option, the environment and the files that stand here say; exits if they hold a mistake."""
    try:
        options = {"data": data} if data else {}
        loaded = load(options=options, environ=os.environ, files=config_disk.text, cwd=Path.cwd())
    except ConfigError as error:
        fail(str(error))
    return loaded.config


def fail(message: str, code: int = FAILED) -> NoReturn:
    click.echo(message, err=True)
    raise SystemExit(code)


class _Answer(dict[str, Any]):
    """An object of the server's: what it did not say ends the program with a sentence."""

    def __missing__(self, name: str) -> NoReturn:
        fail(
            f"The server did not say {name!r}: it is of another version than this mythosctl {__version__}. Restart it."
        )


def ask(data: str | None, order: str, **members: Any) -> Mapping[str, Any]:
    """One question and its answer; exits with a sentence if there is none, or if it is no."""
    path = configuration(data).data / "control.sock"
    text = _exchange(path, json.dumps({"do": order, **members}).encode() + b"\n")
    try:
        answer = json.loads(text, object_hook=_Answer)
    except ValueError:
        answer = None
    if not text.endswith(b"\n") or not isinstance(answer, _Answer):
        fail(f"What listens at {path} closed without an answer, or is no Mythos: see the server's log.", NOT_REACHED)
    if not answer.pop("ok", False):
        fail(answer["error"], REFUSED)
    return answer


def _exchange(path: Path, question: bytes) -> bytes:
    """One line there and one back, without its end if the server closed before."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_PATIENCE)
            line.connect(str(path))
            line.sendall(question)
            with line.makefile("rb") as answers:
                return answers.readline()
    except (FileNotFoundError, ConnectionRefusedError):
        fail(f"No server runs on {path.parent}: start it, or name its directory with --data DIR.", NOT_REACHED)
    except PermissionError:
        fail(f"You may not open {path}: run mythosctl as the user that the server runs as.", NOT_REACHED)
    except TimeoutError:
        fail(f"The server at {path} gave no answer within {_PATIENCE:.0f} seconds: see its log.", NOT_REACHED)
    except OSError as error:
        fail(f"The server at {path} cannot be reached: {error.strerror or error}.", NOT_REACHED)


def _shown(answer: Mapping[str, Any], as_json: bool, *lines: str) -> None:
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False) if as_json else "\n".join(lines))


@click.command()
@data_option
@json_option
def status(data: str | None, as_json: bool) -> None:
    """Say how the server is. Exit 1 if something is wrong with it."""
    answer = ask(data, "status")
    world = ["no world here: a gateway to other MUDs"]
    if "world" in answer:
        doors = ", ".join(f"{count} by {door}" for door, count in answer["doors"].items())
        world = [
            f"world: {answer['world']}, {answer['rooms']} rooms",
            f"players: {answer['players']}" + (f" ({doors})" if doors else ""),
        ]
    ports = ", ".join(f"{name} {port}" for name, port in answer["ports"].items())
    wrong = [f"{name}: {check['message']}" for name, check in answer["checks"].items() if check["message"]]
    _shown(
        answer,
        as_json,
        f"{answer['status']}: Mythos {answer['version']}, up {answer['uptime_s']:.0f} s",
        *world,
        f"ports: {ports}",
        *wrong,
    )
    if answer["status"] != "healthy":
        raise SystemExit(FAILED)


@click.command()
@data_option
@json_option
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
    heard = ask(data, "broadcast", text=text)["heard"]
    click.echo("1 person heard it." if heard == 1 else f"{heard} people heard it.")


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
    """Make an account. The password is asked for, or is the first line of standard input."""
    made = ask(data, "create-account", name=name, password=_password(), keeper=keeper)
    click.echo(f"The account {made['name']} is made.")


def _password() -> str:
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return typed
    try:
        password = sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        fail("The password on standard input is not UTF-8.")
    if not password:
        fail("There is no password: give it as a line on standard input.")
    return password


@click.group()
def gateway() -> None:
    """The way onto Intermud-3 for other MUDs."""


@gateway.group()
def keys() -> None:
    """Keys of MUDs that may use the gateway."""


@keys.command("create")
@data_option
@json_option
@click.argument("mud")
@click.option("--permissions", default="*", help="Of: tell, channel, info, admin; * is all of them.")
@click.option("--rate", type=int, default=0, help="Requests a minute; as configured, if it is not given.")
@click.option("--allow", default="", metavar="NETWORKS", help="Where it may be used from; everywhere, if not given.")
@click.option("--deny", default="", metavar="NETWORKS", help="Where it may not.")
def create_key(data: str | None, as_json: bool, mud: str, permissions: str, rate: int, allow: str, deny: str) -> None:
    """Make a key for MUD, which is the name it has on the network. The key is shown once."""
    answer = ask(data, "gateway-keys-create", mud=mud, permissions=permissions, rate=rate, allow=allow, deny=deny)
    ports = ", ".join(f"{name} {port}" for name, port in answer["ports"].items())
    _shown(answer, as_json, answer["key"], f"is {answer['key_id']}, for {mud}. It is shown only now. Ports: {ports}")


@keys.command("list")
@data_option
@json_option
def list_keys(data: str | None, as_json: bool) -> None:
    """List the keys that are good; none of them can be shown again."""
    answer = ask(data, "gateway-keys-list")
    lines = [
        f"{one['key_id']}: {one['mud']}, for {' '.join(one['permissions'])}, since {one['created']}"
        + (f", until {one['ends']}" if one["ends"] else "")
        + (f", {one['rate']} a minute" if one["rate"] else "")
        + (f", from {' '.join(one['allow'])}" if one["allow"] else "")
        + (f", not from {' '.join(one['deny'])}" if one["deny"] else "")
        + f", connections: {one['connections']}"
        for one in answer["keys"]
    ]
    _shown(answer, as_json, *lines or ["There are no keys: mythosctl gateway keys create <MUD>"])


@keys.command("rotate")
@data_option
@json_option
@click.argument("id")
@click.option("--overlap", default=3600.0, metavar="SECONDS", help="How long the old one is still good; one hour.")
def rotate_key(data: str | None, as_json: bool, id: str, overlap: float) -> None:
    """Make a key in the place of key ID, which is good for a while yet."""
    answer = ask(data, "gateway-keys-rotate", id=id, overlap=overlap)
    _shown(answer, as_json, answer["key"], f"is {answer['key_id']}, for {answer['mud']}. It is shown only now.")


@keys.command("revoke")
@data_option
@click.argument("id")
def revoke_key(data: str | None, id: str) -> None:
    """Make key ID worth nothing, now; its connections are closed."""
    click.echo(f"{ask(data, 'gateway-keys-revoke', id=id)['key_id']} is revoked.")


COMMANDS = (status, who, broadcast, kick, shutdown, reload, account, gateway)
