"""``mythosctl account``, ``kick``, ``ban``, ``mute``, ``broadcast``: what is done about people."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from mythos.ctl.numbers import seconds_text
from mythos.ctl.remote import SPAN, Remote, asking, fail, yes_option
from mythos.net.i3.state import save

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


@account.command("list")
@asking
def list_accounts(remote: Remote) -> None:
    """List all accounts, those with a keeper's rights marked."""
    found: list[Mapping[str, Any]] = []
    behind = 0
    while True:
        answer = remote.ask("accounts", behind=behind)
        found.extend(answer["accounts"])
        behind = answer["next"]
        if not behind:
            break
    rows = [(one["name"], "keeper" if one["keeper"] else "player") for one in found]
    lines = remote.rows(("name", "role"), rows, "{name}, {role}")
    remote.show({"accounts": found}, *lines or ["There are no accounts."])


@account.command("show")
@asking
@click.argument("name")
def show_account(remote: Remote, name: str) -> None:
    """Show an account: its role, whether it plays, whether it is banned."""
    answer = remote.ask("account", name=name)
    role = "keeper" if answer["keeper"] else "player"
    notes = [f"banned: {_ban_text(answer['banned'])}"] if answer["banned"] else []
    notes += [f"to be deleted at {answer['deleted_at']}"] if answer["deleted_at"] else []
    remote.show(answer, f"{answer['name']}, {role} ({answer['character']}): {answer['standing']}", *notes)


@account.command("passwd")
@asking
@click.argument("name")
@yes_option
def set_password(remote: Remote, name: str, yes: bool) -> None:
    """Give an account another password; whoever is in by the old one is sent out. It is asked for, as with create."""
    remote.confirm(f"Change the password of {name}?", yes=yes)
    answer = remote.ask("account-password", name=name, password=_password())
    remote.show(answer, f"The password of {answer['name']} is changed.")


@account.command()
@asking
@click.argument("name")
@click.argument("role", type=click.Choice(["player", "keeper"]))
def role(remote: Remote, name: str, role: str) -> None:
    """Give an account a keeper's rights, or take them."""
    answer = remote.ask("account-role", name=name, keeper=role == "keeper")
    remote.show(answer, f"{answer['name']} is a {'keeper' if answer['keeper'] else 'player'}.")


@account.command()
@asking
@click.argument("name")
@click.option("--now", is_flag=True, help="Without the two weeks in which its player may come back.")
@click.option("--dry-run", is_flag=True, help="Only say which it would be.")
@yes_option
def delete(remote: Remote, name: str, now: bool, dry_run: bool, yes: bool) -> None:
    """Delete an account, its character and all that is kept on its player.

    Whoever is in is sent out. For two weeks the player can come back by logging in, and nothing has happened; then it
    is gone from the store, and from backups that are made later. What was given to others stays theirs, and nobody can
    take the name for 90 days.
    """
    members: dict[str, Any] = {"name": name, **({"seconds": 0.0} if now else {})}
    if not dry_run:
        gone = "now, for good" if now else "in two weeks, unless its player comes back"
        remote.confirm(f"{name}, the character and all it holds will be gone {gone}. Delete it?", yes=yes)
    answer = remote.ask("account-delete", **members, dry_run=dry_run)
    when = "at once" if now else f"at {answer['deleted_at']}, unless its player logs in before"
    would = "would be" if dry_run else "is"
    remote.show(answer, f"The account {answer['name']} ({answer['character']}) {would} deleted {when}.")


@account.command()
@asking
@click.argument("name")
def keep(remote: Remote, name: str) -> None:
    """Do not delete an account after all."""
    answer = remote.ask("account-keep", name=name)
    remote.show(answer, f"The account {answer['name']} stays.")


@account.command()
@asking
@click.argument("name")
@click.argument("file")
def export(remote: Remote, name: str, file: str) -> None:
    """Write all that is kept on a player into FILE as JSON. No secrets are in it; - is standard output."""
    kept = remote.ask("account-export", name=name)["kept"]
    if file == "-":
        click.echo(json.dumps(kept, indent=2, ensure_ascii=False))
        return
    path = Path.cwd() / file
    try:
        save(kept, path)
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}.")
    about = {"file": str(path), "name": kept["account"]["name"]}
    remote.show(about, f"{path} holds all that is kept on {about['name']}: keep it from others.")


_reason = click.option("--reason", default="", help="What they are told.")


@account.command()
@asking
@click.argument("name")
@_reason
def lock(remote: Remote, name: str, reason: str) -> None:
    """Keep an account out until it is unlocked; as: ban account NAME."""
    answer = remote.ask("ban", kind="account", what=name, reason=reason)
    remote.show(answer, f"The account {answer['what']} is locked.")


@account.command()
@asking
@click.argument("name")
def unlock(remote: Remote, name: str) -> None:
    """Let an account in again."""
    answer = remote.ask("unban", kind="account", what=name)
    remote.show(answer, f"The account {answer['what']} is unlocked.")


# ── bans and mutes ──────────────────────────────────────────────────────────────────────────────

_kind = click.argument("kind", type=click.Choice(["address", "account", "name"]))


@click.command()
@asking
@_kind
@click.argument("what")
@click.option("--for", "seconds", type=SPAN, metavar="TIME", help="Not for good: for 90m, 12h or 7d.")
@_reason
@click.option("--dry-run", is_flag=True, help="Only say who would be sent away.")
def ban(remote: Remote, kind: str, what: str, seconds: float | None, reason: str, dry_run: bool) -> None:
    """Keep an address, an account or a name out. Addresses may be networks; who is in is sent away."""
    answer = remote.ask("ban", kind=kind, what=what, seconds=seconds or 0.0, reason=reason, dry_run=dry_run)
    sent = ", ".join(answer["sent_away"]) or "nobody"
    remote.show(answer, f"{'Would be banned' if dry_run else 'Banned'}: {_ban_text(answer)}. Sent away: {sent}.")


@click.command()
@asking
@_kind
@click.argument("what")
def unban(remote: Remote, kind: str, what: str) -> None:
    """Lift a ban."""
    answer = remote.ask("unban", kind=kind, what=what)
    remote.show(answer, f"Lifted: {_ban_text(answer)}.")


@click.command()
@asking
def bans(remote: Remote) -> None:
    """List all bans and mutes."""
    answer = remote.ask("bans")
    rows = [(one["kind"], one["what"], one["until"] or "for good", one["reason"] or "-") for one in answer["bans"]]
    lines = remote.rows(("kind", "what", "until", "reason"), rows, "{kind} {what}, until {until}: {reason}")
    remote.show(answer, *lines or ["Nobody is banned or muted."])


def _ban_text(ban: Mapping[str, Any]) -> str:
    until = f"until {ban['until']}" if ban["until"] else "for good"
    return f"{ban['kind']} {ban['what']} {until}" + (f" ({ban['reason']})" if ban["reason"] else "")


@click.command()
@asking
@click.argument("name")
@click.option("--for", "seconds", type=SPAN, default="10m", metavar="TIME", help="For so long; 10m.")
@_reason
def mute(remote: Remote, name: str, seconds: float, reason: str) -> None:
    """Keep a player from channels, tells and shouts for a while. Restarts do not end it."""
    answer = remote.ask("mute", name=name, seconds=seconds, reason=reason)
    remote.show(answer, f"{answer['name']} is muted for {seconds_text(answer['seconds'])}.")


@click.command()
@asking
@click.argument("name")
def unmute(remote: Remote, name: str) -> None:
    """Let a player speak again."""
    answer = remote.ask("unmute", name=name)
    remote.show(answer, f"{answer['name']} may speak again.")


COMMANDS = (account, broadcast, kick, ban, unban, bans, mute, unmute)
