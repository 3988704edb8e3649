"""``mythosctl``: what operators do beside a running server, or without one.

Exit codes: 0 done, 1 refused or found wanting, 2 wrong usage, 3 no server answered.
"""

from __future__ import annotations

import sqlite3

import click

from mythos import __version__
from mythos.ctl.config import config
from mythos.ctl.remote import COMMANDS, data_option, directory_of, fail
from mythos.ctl.world import world
from mythos.store.fsck import INVARIANTS, check

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mythosctl")
def main() -> None:
    """Operate a Mythos server."""


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(__version__)


@main.command()
@data_option
def fsck(data: str | None) -> None:
    """Check that nothing in the store was made, lost or copied outside its ledger. Changes nothing."""
    path = directory_of(data) / "mythos.db"
    if not path.exists():
        fail(f"There is no {path}. Name the server's data directory with --data DIR.")
    try:
        broken = list(check(path))
    except sqlite3.Error as error:
        fail(f"{path} cannot be read: {error}.")
    for one in broken:
        click.echo(str(one))
    if broken:
        fail("\n".join(f"{name}: {INVARIANTS[name]}" for name in sorted({one.invariant for one in broken})))
    click.echo(f"{path} is sound: {', '.join(INVARIANTS)} hold.")


for _command in (config, world, *COMMANDS):
    main.add_command(_command)
