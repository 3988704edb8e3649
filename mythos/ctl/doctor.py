"""``mythosctl doctor``: is it safe now? One line for each thing that can be wrong, with the way out.

Looks at the configuration, the machine and the store from here, and asks the server if one runs. Changes nothing.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import socket
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import psycopg2

from mythos.app.files import clock_behind, files_for
from mythos.app.stores import target
from mythos.config import Config, ConfigError, Listen, Loaded, refusals
from mythos.config import disk as config_disk
from mythos.ctl.remote import FAILED, data_option, exchange, json_option
from mythos.errors import MythosError
from mythos.net.certificate import BadCertificate, Certificate
from mythos.store.file import explained
from mythos.store.migrate import applied_in, steps
from mythos.store.postgres.schema import connected, schema_of

__all__ = ["doctor"]

#: Of the disk's size: less is a warning, and less is a failure.
_LOW, _OUT = 0.10, 0.02
#: Bytes that are a failure however large the disk is.
_LEAST = 100 * 2**20
#: Seconds before its end at which a certificate is spoken of.
_RENEW = 14 * 86_400.0
#: What says that something keeps the clock right.
_SYNCHRONIZED = Path("/run/systemd/timesync/synchronized"), Path("/run/chrony"), Path("/run/ntpd.pid")


@dataclass(frozen=True, slots=True)
class _Line:
    """:ivar verdict: PASS, WARN or FAIL"""

    verdict: str
    what: str
    message: str


@click.command()
@data_option
@json_option
def doctor(data: str | None, as_json: bool) -> None:
    """Say whether it is safe now. A line for each thing: PASS, WARN or FAIL; exit 1 if anything fails."""
    lines = list(_lines(data))
    bad = any(line.verdict == "FAIL" for line in lines)
    if as_json:
        click.echo(json.dumps({"ok": not bad, "checks": list(map(asdict, lines))}, indent=2, ensure_ascii=False))
    else:
        for line in lines:
            click.echo(f"{line.verdict} {line.what}: {line.message}")
    if bad:
        raise SystemExit(FAILED)


def _lines(data: str | None) -> Iterator[_Line]:
    try:
        options = {"data": data} if data else {}
        loaded = config_disk.read(options)
    except ConfigError as error:
        for problem in error.problems:
            yield _Line("FAIL", "configuration", str(problem))
        return
    config = loaded.config
    runs = _status(config.data)
    yield from _configuration(loaded)
    looks: tuple[Callable[[Config], Iterator[_Line]], ...] = (
        _weak, _directory, _disk, _clock, _certificate, _schema, _files,
    )  # fmt: skip
    for look in looks:
        yield from look(config)
    yield from _server(runs)
    if runs is None:
        yield from _ports(config)
    if runs is None or "backup" not in runs["checks"]:
        yield _Line("WARN", "backup", "Nothing tells when the last one was made: see that there is one.")


def _configuration(loaded: Loaded) -> Iterator[_Line]:
    reasons = refusals(
        loaded.config,
        uid=os.geteuid(),
        has_secret=(loaded.config.data / "secret").exists(),
        readable_by_others=config_disk.exposed(loaded),
    )
    for reason in reasons:
        yield _Line("FAIL", "configuration", reason)
    for note in loaded.notes:
        yield _Line("WARN", "configuration", note)
    if not reasons:
        yield _Line("PASS", "configuration", f"It is good, for {loaded.config.environment.value}.")


def _weak(config: Config) -> Iterator[_Line]:
    """What a public server may do, and better did not."""
    found = []
    if config.telnet.listen.on_network:
        found.append(f"Passwords over telnet on {config.telnet.listen} can be overheard: offer TLS beside it.")
    if config.metrics.enabled and config.metrics.listen.on_network:
        found.append(f"The numbers on {config.metrics.listen} have no password: listen on 127.0.0.1.")
    if config.http.listen.on_network and not config.http.trusted_proxies:
        found.append(f"The web client on {config.http.listen} has no TLS and no proxy in front that has it.")
    if not config.limits.enabled:
        found.append("No rate is limited (limits.enabled): turn that on before others can reach the server.")
    if config.debug:
        found.append("debug is on: turn it off.")
    for message in found:
        yield _Line("WARN", "addresses", message)
    if not found:
        yield _Line("PASS", "addresses", "What others can reach is guarded.")


def _directory(config: Config) -> Iterator[_Line]:
    data = config.data
    if not data.exists():
        yield _Line("WARN", "data directory", f"There is no {data}: the first start makes it.")
        return
    if not data.is_dir():
        yield _Line("FAIL", "data directory", f"{data} is a file: choose another with --data DIR.")
        return
    found = data.stat()
    if stat.S_IMODE(found.st_mode) & 0o077:
        yield _Line("FAIL", "data directory", f"Others may open {data}: chmod 700 {data}")
    elif not os.access(data, os.W_OK | os.X_OK):
        yield _Line("FAIL", "data directory", f"You may not write {data}: run this and the server as its owner.")
    else:
        yield _Line("PASS", "data directory", f"{data} is yours alone.")
    for path in sorted(data.iterdir()):
        if path.is_file() and path.stat().st_uid != found.st_uid:
            yield _Line("FAIL", "data directory", f"{path} belongs to another user than {data}: chown it.")


def _disk(config: Config) -> Iterator[_Line]:
    place = next(path for path in (config.data, *config.data.absolute().parents) if path.exists())
    usage = shutil.disk_usage(place)
    said = f"{usage.free / 2**30:.1f} GB free of {usage.total / 2**30:.1f} at {place}."
    if usage.free < max(_LEAST, _OUT * usage.total):
        yield _Line("FAIL", "disk", f"{said} Make room: nothing can change hands when it is full.")
    elif usage.free < _LOW * usage.total:
        yield _Line("WARN", "disk", f"{said} Make room soon.")
    else:
        yield _Line("PASS", "disk", said)


def _clock(config: Config) -> Iterator[_Line]:
    now = time.time()
    said = time.strftime("%Y-%m-%d %H:%M", time.gmtime(now))
    if behind := clock_behind(config.data, now):
        yield _Line("FAIL", "clock", behind)
    elif any(path.exists() for path in _SYNCHRONIZED):
        yield _Line("PASS", "clock", f"It is {said} UTC, and something keeps it right.")
    else:
        yield _Line("WARN", "clock", f"It is {said} UTC; nothing here seems to keep it right.")


def _certificate(config: Config) -> Iterator[_Line]:
    path, key = config.tls.certificate, config.tls.key
    if path is None or key is None:
        return
    try:
        left = Certificate(path, key).ends - time.time()
    except BadCertificate as error:
        yield _Line("FAIL", "certificate", str(error))
        return
    if left <= 0:
        yield _Line("FAIL", "certificate", f"{path} ended {-left / 86_400:.0f} days ago: put a new one in its place.")
    elif left < _RENEW:
        yield _Line("WARN", "certificate", f"{path} ends in {left / 86_400:.0f} days: put a new one in its place.")
    else:
        yield _Line("PASS", "certificate", f"{path} is good for {left / 86_400:.0f} days.")


def _schema(config: Config) -> Iterator[_Line]:
    database = config.database
    if database.url.postgres:
        where, known = target(database), steps("postgresql")
        try:
            with connected(where.run) as opened:
                schema, _ = schema_of(opened.cursor(), known)
        except (MythosError, psycopg2.Error) as error:
            yield _Line("FAIL", "store", " ".join(str(error).split()))
            return
    elif database.path is None:
        yield _Line("WARN", "store", "Everything is kept in memory, and lost at the end.")
        return
    else:
        known = steps()
        if not database.path.exists():
            yield _Line("WARN", "store", f"There is no {database.path}: the first start makes it.")
            return
        try:
            with (
                explained(database.path),
                closing(sqlite3.connect(f"{database.path.absolute().as_uri()}?mode=ro", uri=True)) as opened,
            ):
                schema = applied_in(opened, known)
        except MythosError as error:
            yield _Line("FAIL", "store", str(error))
            return
    if schema < known[-1].number:
        yield _Line("WARN", "store", f"Its schema is {schema} of {known[-1].number}: back it up; a start upgrades it.")
    else:
        yield _Line("PASS", "store", f"Its schema is {schema}, which is today's.")


def _files(config: Config) -> Iterator[_Line]:
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)  # the server takes what it may
    wanted = files_for(config.limits.connections)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        yield _Line("FAIL", "ulimit", f"{allowed} open files are allowed here, {wanted} are needed: ulimit -n {wanted}")
    else:
        yield _Line("PASS", "ulimit", f"Files enough for {config.limits.connections} connections.")


# ── the server ──────────────────────────────────────────────────────────────────────────────────


def _status(data: Path) -> dict[str, Any] | None:
    """What a server says of itself; None: none runs."""
    if not (data / "control.sock").exists():
        return None
    try:
        answer = json.loads(exchange(data / "control.sock", b'{"do": "status"}\n', 5.0))
    except (OSError, ValueError):
        return None
    return answer if isinstance(answer, dict) and answer.get("ok") else None


def _server(status: dict[str, Any] | None) -> Iterator[_Line]:
    if status is None:
        yield _Line("WARN", "server", "None runs, or it does not answer.")
        return
    if status.get("state"):
        yield _Line("FAIL", "server", f"It takes no players: {status['state']}.")
    else:
        yield _Line("PASS", "server", f"Mythos {status['version']} runs.")
    for name, check in status["checks"].items():
        verdict = {"ok": "PASS", "degraded": "WARN"}.get(check["status"], "FAIL")
        yield _Line(verdict, f"server's {name}", check["message"] or "As it should be.")


def _ports(config: Config) -> Iterator[_Line]:
    """Whether a start could open its doors."""
    doors = {"telnet": config.telnet.listen, "http": config.http.listen}
    if config.metrics.enabled:
        doors["metrics"] = config.metrics.listen
    taken = [f"{name} ({listen})" for name, listen in doors.items() if not _free(listen)]
    if taken:
        yield _Line("FAIL", "ports", f"Something else listens, or you may not, for {', '.join(taken)}.")
    else:
        yield _Line("PASS", "ports", f"Free for {', '.join(doors)}.")


def _free(listen: Listen) -> bool:
    if listen.off or not listen.host or not listen.port:
        return True
    kind = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    with socket.socket(kind) as plug:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            plug.bind((listen.host, listen.port))
        except OSError as error:
            return error.errno == errno.EADDRNOTAVAIL
    return True
