"""Questions to a server that runs, over the control socket in its data directory, and what is made of the answers."""

from __future__ import annotations

import json
import os
import select
import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import click

from mythos import __version__
from mythos.config import Config, ConfigError
from mythos.config import disk as config_disk
from mythos.config.scalars import seconds as read_seconds

__all__ = [
    "FAILED",
    "NOT_REACHED",
    "REFUSED",
    "SPAN",
    "Remote",
    "asking",
    "configuration",
    "confirm",
    "data_option",
    "exchange",
    "fail",
    "json_option",
    "pause",
    "yes_option",
]

#: Exit codes besides 0 and click's 2 for wrong usage.
FAILED, NOT_REACHED, REFUSED = 1, 3, 4
#: Seconds to wait for an answer; creating an account takes a password hash.
_PATIENCE = 30.0

_Command = Callable[..., None]


#: ``--data``: whose server is meant; without it, the one of the configuration that stands here.
data_option: Callable[[_Command], _Command] = click.option("--data", metavar="DIR", help="The server's data directory.")
json_option: Callable[[_Command], _Command] = click.option("--json", "as_json", is_flag=True, help="As JSON.")
yes_option: Callable[[_Command], _Command] = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
_plain_option: Callable[[_Command], _Command] = click.option(
    "--plain", is_flag=True, help="As sentences, without columns; so it is where no terminal reads."
)


_url_option: Callable[[_Command], _Command] = click.option(
    "--url", metavar="URL", help="A server elsewhere, over HTTPS; or MYTHOS_URL."
)
_token_option: Callable[[_Command], _Command] = click.option(
    "--token-file", metavar="FILE", help="The token for that; or MYTHOS_TOKEN_FILE."
)


class _Span(click.ParamType["float"]):
    """A time such as 90, 90s, 10m, 2h or 7d, in seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, int | float):
            return float(value)
        try:
            return read_seconds(str(value), 0.0, 366 * 86_400.0)
        except ValueError as error:
            self.fail(str(error), param, ctx)


SPAN = _Span()


def configuration(data: str | None = None) -> Config:
    """What an option, the environment and the files that stand here say; exits if they hold a mistake."""
    try:
        options = {"data": data} if data else {}
        loaded = config_disk.read(options)
    except ConfigError as error:
        fail(str(error))
    return loaded.config


def fail(message: str, code: int = FAILED) -> NoReturn:
    click.echo(message, err=True)
    raise SystemExit(code)


def confirm(question: str, *, yes: bool) -> None:
    """Ask the person at the terminal, and end unless they agree. Where there is none, nobody is asked."""
    if not yes and sys.stdin.isatty() and not click.confirm(question, err=True):
        fail("Nothing was done.")


def pause(seconds: float) -> None:
    """Wait between two looks at a server."""
    select.select([], [], [], seconds)


class _Answer(dict[str, Any]):
    """An object of the server's: what it did not say ends the program with a sentence."""

    def __missing__(self, name: str) -> NoReturn:
        fail(
            f"The server did not say {name!r}: it is of another version than this mythosctl {__version__}. Restart it."
        )


@dataclass(frozen=True, slots=True)
class Remote:
    """A server, and how its answers are shown.

    :ivar plain: as sentences, one for each thing
    """

    data: str | None
    as_json: bool
    plain: bool
    url: str = ""
    token_file: str = ""

    def ask(self, order: str, *, patience: float = _PATIENCE, **members: Any) -> Mapping[str, Any]:
        """One question and its answer, which may take ``patience`` seconds; exits with a sentence if there is none, or
        if it is no."""
        question = json.dumps({"do": order, **members}).encode()
        path: Path | str = self.url
        if self.url:
            text = _over_https(self.url, self.token_file, question)
        else:
            path = configuration(self.data).data / "control.sock"
            text = _exchange(path, question + b"\n", patience)
        try:
            answer = json.loads(text, object_hook=_Answer)
        except ValueError:
            answer = None
        if not text.endswith(b"\n") or not isinstance(answer, _Answer):
            fail(
                f"What listens at {path} closed without an answer, or is no Mythos: see the server's log.", NOT_REACHED
            )
        if not answer.pop("ok", False):
            fail(answer["error"], REFUSED)
        return answer

    def show(self, answer: Mapping[str, Any], *lines: str) -> None:
        """All that the server said, or what is made of it."""
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False) if self.as_json else "\n".join(lines))

    def rows(self, heads: Sequence[str], rows: Iterable[Sequence[object]], sentence: str) -> list[str]:
        """One line for each row: in columns with their heads, or by a sentence with the heads' names in it."""
        texts = [[str(cell) for cell in row] for row in rows]
        if self.plain:
            return [sentence.format(**dict(zip(heads, row, strict=True))) for row in texts]
        widths = [max(len(cell) for cell in column) for column in zip(heads, *texts, strict=True)]
        lines = [[head.upper() for head in heads], *texts] if texts else []
        return [
            "  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
        ]

    def confirm(self, question: str, *, yes: bool) -> None:
        """As :func:`confirm`."""
        confirm(question, yes=yes)


def asking(command: _Command) -> _Command:
    """A command that asks a server: it gets a :class:`Remote` first, and the options that make one."""

    @wraps(command)
    def run(
        *, data: str | None, as_json: bool, plain: bool, url: str | None, token_file: str | None, **given: Any
    ) -> None:
        if data and url:
            raise click.UsageError("--data and --url name two servers: give one of them")
        where = "" if data else url or os.environ.get("MYTHOS_URL", "")
        token = token_file or os.environ.get("MYTHOS_TOKEN_FILE", "")
        command(Remote(data, as_json, plain or not sys.stdout.isatty(), where, token), **given)

    made: _Command = run
    for option in (data_option, _url_option, _token_option, json_option, _plain_option):
        made = option(made)
    return made


def _over_https(address: str, token_file: str, question: bytes) -> bytes:
    """One question there and one answer back, as a line; exits with a sentence if there is none."""
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError:
        fail(f"{address} is no address of a server, such as https://mud.example.org.", 2)
    if url.scheme not in ("http", "https") or not url.hostname:
        fail(f"{address} is no address of a server, such as https://mud.example.org.", 2)
    if url.scheme == "http" and url.hostname not in ("127.0.0.1", "::1", "localhost"):
        fail(f"A token would be overheard on the way to {address}: use https.", 2)
    token = _token(token_file)
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    line = kind(url.hostname, port, timeout=_PATIENCE)
    try:
        path = f"{url.path.rstrip('/')}/api/v1/control"
        line.request("POST", path, question, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        answer = line.getresponse()
        text = answer.read()
    except TimeoutError:
        fail(f"The server at {address} gave no answer within {_PATIENCE:.0f} seconds.", NOT_REACHED)
    except (OSError, HTTPException) as error:
        why = getattr(error, "strerror", None) or error
        fail(f"The server at {address} cannot be reached ({why}): see that it runs, and its port.", NOT_REACHED)
    finally:
        line.close()
    if answer.status == 200:
        return text + b"\n"
    try:
        said = json.loads(text)["error"]
    except (ValueError, LookupError, TypeError):
        fail(f"What answers at {address} is no Mythos: status {answer.status}.", NOT_REACHED)
    fail(str(said["message"] if isinstance(said, dict) else said), REFUSED)


def _token(path: str) -> str:
    if not path:
        fail("A server elsewhere wants a token: name its file with --token-file or MYTHOS_TOKEN_FILE.", 2)
    try:
        if Path(path).stat().st_mode & 0o077:
            fail(f"Others can read the token in {path}: chmod 600 {path}")
        return Path(path).read_text("ascii").strip()
    except (OSError, ValueError) as error:
        fail(f"The token in {path} cannot be read: {getattr(error, 'strerror', None) or 'it is no token'}.")


def exchange(path: Path, question: bytes, patience: float) -> bytes:
    """One line there and one back, without its end if the server closed before. :raises OSError:"""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(patience)
        line.connect(str(path))
        line.sendall(question)
        with line.makefile("rb") as answers:
            return answers.readline()


def _exchange(path: Path, question: bytes, patience: float) -> bytes:
    """As :func:`exchange`; exits with a sentence if there is no answer."""
    try:
        return exchange(path, question, patience)
    except (FileNotFoundError, ConnectionRefusedError):
        fail(f"No server runs on {path.parent}: start it, or name its directory with --data DIR.", NOT_REACHED)
    except PermissionError:
        fail(f"You may not open {path}: run mythosctl as the user that the server runs as.", NOT_REACHED)
    except TimeoutError:
        fail(f"The server at {path} gave no answer within {patience:.0f} seconds: see its log.", NOT_REACHED)
    except OSError as error:
        fail(f"The server at {path} cannot be reached: {error.strerror or error}.", NOT_REACHED)
