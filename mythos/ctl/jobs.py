"""``mythosctl jobs``, ``mythosctl breaker``: work beside the game, and what is outside that it needs."""

from __future__ import annotations

import json
from typing import Any

import click

from mythos.ctl.remote import Remote, asking, yes_option

__all__ = ["COMMANDS"]


@click.group()
def jobs() -> None:
    """Work beside the game, and what of it was given up."""


@jobs.command("list")
@asking
def list_jobs(remote: Remote) -> None:
    """Say how many jobs there are, and list the dead letters."""
    answer = remote.ask("jobs")
    counts = "{queued} wait, {running} run, {delayed} are to be tried again; {lanes} lanes.".format(**answer)
    rows = [(one["id"], one["kind"], one["died"], str(one["tries"]), one["error"]) for one in answer["dead"]]
    lines = remote.rows(
        ("id", "kind", "given up", "tries", "error"), rows, "{id} {kind}, given up {given up}, {tries} tries: {error}"
    )
    remote.show(answer, counts, *lines or ["There are no dead letters."])


@jobs.command("show")
@asking
@click.argument("id")
def show_job(remote: Remote, id: str) -> None:
    """Show a dead letter, with what it is about."""
    answer = remote.ask("job", what=id)
    about = json.dumps(answer["payload"], indent=2, ensure_ascii=False)
    said = "{kind}, {priority}, asked for {made}, given up {died} after {tries} tries: {error}".format(**answer)
    remote.show(answer, said, about)


_id = click.argument("id", required=False)
_all = click.option("--all", "every", is_flag=True, help="All dead letters.")


@jobs.command()
@asking
@_id
@_all
def replay(remote: Remote, id: str | None, every: bool) -> None:
    """Run a dead letter once more, under its id."""
    answer = remote.ask("job-replay", **_which(id, every))
    remote.show(answer, f"{_count(answer['replayed'])} run once more.")


@jobs.command()
@asking
@_id
@_all
@yes_option
def delete(remote: Remote, id: str | None, every: bool, yes: bool) -> None:
    """Delete a dead letter."""
    which = _which(id, every)
    remote.confirm("Delete all dead letters?" if every else f"Delete {id}?", yes=yes)
    answer = remote.ask("job-delete", **which)
    remote.show(answer, f"{_count(answer['deleted'])} deleted.")


def _which(id: str | None, every: bool) -> dict[str, Any]:
    if every == (id is not None):
        raise click.UsageError("give the id of a dead letter, or --all")
    return {"all": True} if id is None else {"what": id}


def _count(ids: list[str]) -> str:
    return "1 job is" if len(ids) == 1 else f"{len(ids)} jobs are"


@click.group()
def breaker() -> None:
    """What failed again and again, and is left alone."""


@breaker.command("list")
@asking
def list_breakers(remote: Remote) -> None:
    """List them, and what each is: closed, half-open or open."""
    answer = remote.ask("breakers")
    lines = remote.rows(("name", "state"), list(answer["breakers"].items()), "{name}, {state}")
    remote.show(answer, *lines or ["There are none: nothing outside was asked for anything yet."])


@breaker.command()
@asking
@click.argument("name")
def reset(remote: Remote, name: str) -> None:
    """Close one now; of a router: try it at once."""
    answer = remote.ask("breaker-reset", name=name)
    remote.show(answer, f"{answer['name']} is tried again.")


COMMANDS = (jobs, breaker)
