"""``mythosctl``: what operators do beside a running server, or without one.

Results go to stdout, talk and mistakes to stderr. Exit codes: 0 done, 1 failed or found wanting, 2 wrong usage,
3 no server was reached, 4 the server refused.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import click
import psycopg2

from mythos import __version__
from mythos.app.files import os_sentence
from mythos.app.stores import target
from mythos.ctl import backup, jobs, life, look, people, tokens
from mythos.ctl.bots import bots
from mythos.ctl.cache import cache
from mythos.ctl.completion import completion
from mythos.ctl.config import config
from mythos.ctl.db import db
from mythos.ctl.doctor import doctor
from mythos.ctl.gateway import gateway
from mythos.ctl.remote import configuration, data_option, fail, json_option
from mythos.ctl.world import world
from mythos.store.file import why
from mythos.store.fsck import INVARIANTS, check, check_postgres
from mythos.store.postgres.schema import PostgresError, Target

__all__ = ["main"]


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        """What the answer cannot be written to is a sentence as well."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # who reads has read enough: click ends without a word
        except OSError as error:
            if error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left of it must not fail again at the end
                fail(f"The answer cannot be written ({error.strerror}): make room, or send it elsewhere.")
            fail(os_sentence(error))


@click.group(cls=_Group)
@click.version_option(__version__, prog_name="mythosctl")
def main() -> None:
    """Operate a Mythos server."""


@main.command()
@json_option
def version(as_json: bool) -> None:
    """Print the version."""
    click.echo(json.dumps({"version": __version__}) if as_json else __version__)


@main.command()
@data_option
@json_option
def fsck(data: str | None, as_json: bool) -> None:
    """Check that the store is sound. Nothing was made, lost or copied outside its ledger.

    Changes nothing, and may run beside the server.
    """
    database = configuration(data).database
    where: Path | Target
    if database.url.postgres:
        where = target(database)
    elif database.path is None:
        fail("The configuration keeps everything in memory: there is no store to check.")
    else:
        where = database.path
        if not where.exists():
            fail(f"There is no {where}: name the server's data directory with --data DIR.")
    try:
        broken = list(check_postgres(where) if isinstance(where, Target) else check(where))
    except PostgresError as error:
        fail(str(error))
    except sqlite3.Error as error:
        fail(why(database.path or Path(), error))
    except psycopg2.Error as error:
        fail(f"{where} cannot be read: {' '.join(str(error).split())}. See database.url.")
    if as_json:
        found = [{"invariant": one.invariant, "message": one.message} for one in broken]
        click.echo(json.dumps({"ok": not broken, "problems": found}, indent=2, ensure_ascii=False))
    else:
        for one in broken:
            click.echo(str(one))
    if broken:
        names = sorted({one.invariant for one in broken})
        fail(
            "\n".join([f"{where} is not sound. These do not hold:", *(f"{name}: {INVARIANTS[name]}" for name in names)])
        )
    if not as_json:
        click.echo(f"{where} is sound: {', '.join(INVARIANTS)} hold.")


_SINGLE = (bots, cache, completion, config, db, doctor, gateway, world)
for _command in (
    *_SINGLE,
    *backup.COMMANDS,
    *jobs.COMMANDS,
    *look.COMMANDS,
    *people.COMMANDS,
    *life.COMMANDS,
    *tokens.COMMANDS,
):
    main.add_command(_command)
