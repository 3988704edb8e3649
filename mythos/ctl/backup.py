"""``mythosctl backup``, ``verify``, ``restore``."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import psycopg2

from mythos.app.files import open_data, os_sentence
from mythos.app.stores import target
from mythos.config import Config
from mythos.ctl.numbers import bytes_text, seconds_text
from mythos.ctl.remote import SPAN, configuration, confirm, data_option, fail, json_option, yes_option
from mythos.errors import MythosError
from mythos.store import backup as backups
from mythos.store.backup_file import is_encrypted, read_key
from mythos.store.fsck import INVARIANTS, Broken
from mythos.store.postgres.schema import Target
from mythos.store.shelf import mark, prune

__all__ = ["COMMANDS", "Bar"]

#: Seconds between two looks at a bar, and between two lines where no terminal reads.
_BAR, _LINE = 0.1, 10.0


class Bar:
    """How far long work is: a bar with the time left on a terminal, elsewhere a line every ten seconds."""

    def __init__(self, *, terminal: bool, seconds: Callable[[], float], write: Callable[[str], None]) -> None:
        self._terminal = terminal
        self._seconds = seconds
        self._write = write
        self._what = ""
        self._began = self._said = seconds()

    def __call__(self, what: str, done: int, total: int) -> None:
        """See :data:`mythos.store.backup.Progress`."""
        now = self._seconds()
        if what != self._what:
            self._what, self._began = what, now
            if self._terminal:
                self._said = 0.0
        if now - self._said < (_BAR if self._terminal else _LINE) and not (self._terminal and done >= total):
            return
        self._said = now
        part = done / total if total else 1.0
        left = f", {seconds_text(round((now - self._began) * (1.0 - part) / part))} left" if 0.0 < part < 1.0 else ""
        if self._terminal:
            self._write(f"\r\033[K{what:<18} [{'#' * int(20 * part):20}] {part:4.0%}{left}")
        else:
            self._write(f"{what}: {part:.0%}{left}\n")

    def end(self) -> None:
        """What comes next stands where the bar was."""
        if self._terminal and self._what:
            self._write("\r\033[K")


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


@contextmanager
def _working(where: object) -> Iterator[Bar]:
    """What goes wrong is a sentence; the bar is gone before."""
    bar = Bar(terminal=sys.stderr.isatty(), seconds=time.monotonic, write=_write)
    try:
        try:
            yield bar
        finally:
            bar.end()
    except MythosError as error:
        fail(str(error))
    except OSError as error:
        fail(os_sentence(error) if error.filename else f"{where} cannot be used: {error.strerror or error}.")
    except (sqlite3.Error, psycopg2.Error) as error:
        fail(f"{where} cannot be used: {' '.join(str(error).split())}.")
    except KeyboardInterrupt:
        fail("Broken off. Nothing half done is left.")


def _store(config: Config) -> Path | Target:
    if config.database.url.postgres:
        return target(config.database)
    if config.database.path is None:
        fail("The configuration keeps everything in memory: there is no store.")
    return config.database.path


def _key(path: str | None) -> bytes | None:
    return None if path is None else read_key(Path(path))


def _about(path: Path, manifest: backups.Manifest) -> dict[str, Any]:
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "encrypted": is_encrypted(path),
        "version": manifest.version,
        "schema": manifest.schema,
        "made": manifest.made,
        "source": manifest.source,
        "rows": manifest.rows,
        "files": manifest.kept,
    }


def _show(about: dict[str, Any], broken: list[Broken], *lines: str, as_json: bool) -> None:
    """What was done; ends the program with exit code 1 if the store in the backup is not sound."""
    if as_json:
        found = [{"invariant": one.invariant, "message": one.message} for one in broken]
        click.echo(json.dumps({"ok": not broken, **about, "problems": found}, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join([*lines, *map(str, broken)]))
    if broken:
        fail(f"The store in {about['file']} is not sound: see mythosctl fsck, and keep the backups before it.")


def _entities(manifest: backups.Manifest) -> str:
    return f"{manifest.rows.get('entity', 0)} entities, {manifest.rows.get('account', 0)} accounts"


@click.command()
@click.argument("directory", metavar="[DIR]", required=False)
@data_option
@click.option("--encrypt", metavar="KEYFILE", help="Encrypt it with the key in this file, and include secrets.")
@click.option("--keep", type=SPAN, metavar="TIME", help="Remove those older than 30d, but not the last verified one.")
@click.option("--no-verify", is_flag=True, help="Do not read it back and check it.")
@json_option
def backup(
    directory: str | None, data: str | None, encrypt: str | None, keep: float | None, no_verify: bool, as_json: bool
) -> None:
    """Write a backup into DIR, and check it. Players play on.

    Without DIR it goes where backup.dir says, or into backups/ in the data directory. Secrets of the server are in it
    only if it is encrypted.
    """
    config = configuration(data)
    store = _store(config)
    to = config.backup.dir if directory is None else Path.cwd() / directory
    with _working(to) as bar:
        key = _key(encrypt)
        now = datetime.fromtimestamp(time.time(), UTC)
        path, manifest = backups.back_up(store, config.data, to, now=now, key=key, tell=bar)
        broken = [] if no_verify else backups.verify(path, key, tell=bar)[1]
        if not no_verify and not broken:
            mark(path)
        if keep is not None:
            prune(to, timedelta(seconds=keep), now)
        about = {**_about(path, manifest), "verified": not no_verify and not broken}
    lines = [f"{path}: {bytes_text(about['bytes'])}, {_entities(manifest)}."]
    if not no_verify and not broken:
        lines.append(f"It was unpacked elsewhere and is sound: {', '.join(INVARIANTS)} hold.")
    if key is None and any((config.data / name).exists() for name in backups.SECRETS):
        lines.append("The server's secrets are not in it: --encrypt KEYFILE takes them along.")
    _show(about, broken, *lines, as_json=as_json)


@click.command()
@click.argument("file")
@click.option("--key", metavar="KEYFILE", help="The key of an encrypted backup.")
@json_option
def verify(file: str, key: str | None, as_json: bool) -> None:
    """Unpack the backup FILE elsewhere, and check everything in it."""
    path = Path.cwd() / file
    with _working(path) as bar:
        manifest, broken = backups.verify(path, _key(key), tell=bar)
        if not broken:
            with suppress(OSError):  # it may be where nobody writes
                mark(path)
        about = _about(path, manifest)
    lines = [f"{path}: made {manifest.made} by Mythos {manifest.version} from {manifest.source}."]
    lines.append(f"It holds {_entities(manifest)}; files: {', '.join(manifest.kept) or 'none'}.")
    if not broken:
        lines.append(f"It is sound: {', '.join(INVARIANTS)} hold.")
    _show(about, broken, *lines, as_json=as_json)


@click.command()
@click.argument("file")
@data_option
@click.option("--key", metavar="KEYFILE", help="The key of an encrypted backup.")
@click.option("--replace", is_flag=True, help="In the place of what is there, which is kept as .before-restore.")
@click.option("--dry-run", is_flag=True, help="Only say whether it could be done.")
@yes_option
@json_option
def restore(
    file: str, data: str | None, key: str | None, replace: bool, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Bring a backup back. Into an empty data directory, or with --replace into any.

    The store is the configured one, of either kind, whatever the backup was made from. All of it is restored, or
    nothing.
    """
    config = configuration(data)
    store = _store(config)
    path = Path.cwd() / file
    if replace and not dry_run:
        confirm(f"Put what is in {path} in the place of what is in {store}?", yes=yes)
    with _working(path) as bar, ExitStack() as held:
        secret = _key(key)
        directories = {config.data, *([store.parent] if isinstance(store, Path) else [])}
        for directory in sorted(directories):
            if directory == config.data or (directory / "lock").exists():
                held.enter_context(_alone(directory, dry_run=dry_run))
        if isinstance(store, Path) and not dry_run:
            store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        manifest = backups.restore(path, secret, store, config.data, dry_run=dry_run, tell=bar, replace=replace)
        about = {**_about(path, manifest), "store": str(store), "data": str(config.data), "dry_run": dry_run}
    lines = [f"{path} {'can be' if dry_run else 'is'} restored into {store}: {_entities(manifest)}."]
    if replace and not dry_run:
        lines.append(f"What was there is kept beside it, as {backups.BEFORE}.")
    if "secret" not in manifest.kept:
        lines.append(f"It has no secrets: a server makes a new key, unless {config.data / 'secret'} is there.")
    _show(about, [], *lines, as_json=as_json)


@contextmanager
def _alone(directory: Path, *, dry_run: bool) -> Iterator[None]:
    """Keep servers off a data directory. What was made for that goes again, unless it is needed now.

    :raises StartError: a server runs on it, or it cannot be written
    """
    had = directory.exists(), (directory / "lock").exists()
    if dry_run and not had[0]:
        yield
        return
    lock = open_data(directory)
    done = False
    try:
        yield
        done = not dry_run
    finally:
        if not done and not had[1]:
            (directory / "lock").unlink(missing_ok=True)
            if not had[0]:
                with suppress(OSError):
                    directory.rmdir()
        os.close(lock)


COMMANDS = (backup, verify, restore)
