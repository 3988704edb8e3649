"""``mythosctl token`` and ``mythosctl audit``: who may order from elsewhere, and what was ordered."""

from __future__ import annotations

import click

from mythos.ctl.remote import SPAN, Remote, asking, yes_option

__all__ = ["COMMANDS"]


@click.group()
def token() -> None:
    """Tokens of operators who ask over HTTPS."""


@token.command()
@asking
@click.argument("name")
@click.option("--rights", default="look", help="Of: look, people, life, all; with commas. look, if not given.")
@click.option("--for", "seconds", type=SPAN, default="90d", metavar="TIME", help="Good for so long; 90d.")
def create(remote: Remote, name: str, rights: str, seconds: float) -> None:
    """Make a token, and call it NAME. It is shown once: its first line is all that a token file holds."""
    answer = remote.ask("token-create", name=name, rights=rights, seconds=seconds)
    said = f"is {answer['id']}, {answer['name']}, for {', '.join(answer['rights'])}, until {answer['ends']}."
    remote.show(answer, answer["token"], f"{said} It is shown only now.")


@token.command("list")
@asking
def list_tokens(remote: Remote) -> None:
    """List the tokens that are good; none of them can be shown again."""
    answer = remote.ask("token-list")
    rows = [(one["id"], one["name"], ",".join(one["rights"]), one["ends"]) for one in answer["tokens"]]
    lines = remote.rows(("id", "name", "rights", "until"), rows, "{id}: {name}, for {rights}, until {until}")
    remote.show(answer, *lines or ["There are no tokens: mythosctl token create NAME"])


@token.command()
@asking
@click.argument("id")
@yes_option
def revoke(remote: Remote, id: str, yes: bool) -> None:
    """Make token ID worth nothing, now."""
    remote.confirm(f"Make token {id} worth nothing, for good?", yes=yes)
    answer = remote.ask("token-revoke", id=id)
    remote.show(answer, f"{answer['id']} ({answer['name']}) is revoked.")


@click.command()
@asking
@click.option("--lines", "-n", type=click.IntRange(1, 1000), default=50, help="So many of the last; 50.")
def audit(remote: Remote, lines: int) -> None:
    """Print what operators ordered. When, who and from where, what, and whether it was allowed."""
    answer = remote.ask("audit", most=lines)
    said = [
        f"{one['at']} {one['who']}: {one['order']} {one['about']}".rstrip() + f" ({one['outcome']})"
        for one in answer["entries"]
    ]
    remote.show(answer, *said or ["Nothing was ordered."])


COMMANDS = (token, audit)
