"""``mythosctl shutdown``, ``reload``: what is done about the server itself."""

from __future__ import annotations

import click

from mythos.ctl.numbers import seconds_text
from mythos.ctl.remote import SPAN, Remote, asking, yes_option

__all__ = ["COMMANDS"]


@click.command()
@asking
@click.option("--in", "seconds", type=SPAN, default="0s", metavar="TIME", help="Not at once: in 90, 90s or 10m.")
@click.option("--reason", default="", help="What everybody is told.")
@click.option("--dry-run", is_flag=True, help="Only say whom it would cost their connection.")
@yes_option
def shutdown(remote: Remote, seconds: float, reason: str, dry_run: bool, yes: bool) -> None:
    """Stop the server. Everything is saved, and everybody can go on where they were."""
    if dry_run:
        answer = remote.ask("shutdown", seconds=seconds, reason=reason, dry_run=True)
        remote.show(answer, f"The server would stop; connections: {answer['connections']}.")
        return
    remote.confirm("Stop the server?", yes=yes)
    answer = remote.ask("shutdown", seconds=seconds, reason=reason)
    remote.show(answer, f"The server stops in {seconds_text(seconds)}." if seconds else "The server stops.")


@click.command()
@asking
def reload(remote: Remote) -> None:
    """Load the world's files again. If they hold a mistake, nothing changes."""
    answer = remote.ask("reload")
    remote.show(answer, answer["message"])


COMMANDS = (shutdown, reload)
