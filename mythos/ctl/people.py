"""``mythosctl account``, ``kick``, ``broadcast``: what is done about people."""

from __future__ import annotations

import sys

import click

from mythos.ctl.remote import Remote, asking, fail

__all__ = ["COMMANDS"]


@click.command()
@asking
@click.argument("text")
def broadcast(remote: Remote, text: str) -> None:
    """Say TEXT to everyone who plays."""
    answer = remote.ask("broadcast", text=text)
    heard = answer["heard"]
    remote.show(answer, "1 person heard it." if heard == 1 else f"{heard} people heard it.")


@click.command()
@asking
@click.argument("name")
@click.option("--reason", default="", help="What they are told.")
@click.option("--dry-run", is_flag=True, help="Only say who it would be.")
def kick(remote: Remote, name: str, reason: str, dry_run: bool) -> None:
    """Send a player out of the game; they may come back."""
    answer = remote.ask("kick", name=name, reason=reason, dry_run=dry_run)
    remote.show(answer, f"{answer['name']} {'would be' if dry_run else 'is'} sent away.")


@click.group()
def account() -> None:
    """Accounts of players."""


@account.command()
@asking
@click.argument("name")
@click.option("--keeper", is_flag=True, help="With a keeper's rights.")
def create(remote: Remote, name: str, keeper: bool) -> None:
    """Make an account. The password is asked for, or is the first line of standard input."""
    made = remote.ask("create-account", name=name, password=_password(), keeper=keeper)
    remote.show(made, f"The account {made['name']} is made.")


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


COMMANDS = (account, broadcast, kick)
