"""``mythosctl drain``, ``resume``, ``shutdown``, ``reload``, ``upgrade``: what is done about the server itself."""

from __future__ import annotations

import click

from mythos.ctl.numbers import seconds_text
from mythos.ctl.remote import FAILED, SPAN, Remote, asking, pause, yes_option

__all__ = ["COMMANDS"]

#: Seconds between two looks at who plays still.
_LOOK = 0.5
#: Seconds that an upgrade may take beside those that the new process takes to get ready.
_HANDING = 30.0


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
@click.argument("what", type=click.Choice(["config", "tls", "world"]), default="world")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
def reload(remote: Remote, what: str, dry_run: bool) -> None:
    """Load files again. The world's, the configuration or the certificate.

    If they hold a mistake, nothing changes. Of the configuration it says what cannot change without a restart; SIGHUP
    reads it again too, and the certificate.
    """
    if dry_run and what == "tls":
        raise click.UsageError("--dry-run does not go with tls")
    answer = remote.ask("reload", what=what, dry_run=dry_run)
    remote.show(answer, answer["message"])


@click.command()
@asking
@click.option("--message", default="", help="What everybody is told.")
@click.option("--timeout", type=SPAN, default="0s", metavar="TIME", help="Wait so long for everybody to leave.")
def drain(remote: Remote, message: str, timeout: float) -> None:
    """Let nobody new in. Who plays goes on, everything is saved, and health says draining.

    With --timeout: exit 1 if somebody still plays then.
    """
    answer = remote.ask("drain", message=message)
    waited, left = 0.0, answer["players"]
    while left and waited < timeout:
        pause(_LOOK)
        waited += _LOOK
        now = remote.ask("status")["players"]
        if now != left:
            left = now
            click.echo(f"{left} play still.", err=True)
    remote.show({"players": left}, "Nobody new is let in. " + (f"{left} play still." if left else "Nobody plays."))
    if timeout and left:
        raise SystemExit(FAILED)


@click.command()
@asking
def resume(remote: Remote) -> None:
    """Let everybody in again, and do not stop after all."""
    answer = remote.ask("resume")
    remote.show(answer, "The server does not stop." if answer["stays"] else "Everybody is let in again.")


@click.command()
@asking
@click.option("--timeout", type=SPAN, default="30s", metavar="TIME", help="What the new process may take to get ready.")
@yes_option
def upgrade(remote: Remote, timeout: float, yes: bool) -> None:
    """Go on in a new process: a new version, a new configuration. Nobody loses their connection.

    If the new process fails, the old one goes on and this says why. Only on the server's own machine.
    """
    if remote.url:
        raise click.UsageError("upgrade is ordered on the server's own machine, without --url")
    remote.confirm("Hand everybody to a new process?", yes=yes)
    answer = remote.ask("upgrade", patience=timeout + _HANDING, seconds=timeout)
    remote.show(
        answer,
        f"The server goes on as process {answer['pid']}: {answer['handed']} connections were handed over,"
        f" {answer['rest']} come back by themselves; everybody waited {answer['pause_ms']} ms.",
    )


COMMANDS = (drain, resume, shutdown, reload, upgrade)
