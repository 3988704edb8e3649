"""``mythosctl cache``: what is kept to be told again, and to forget it."""

from __future__ import annotations

import click

from mythos.ctl.numbers import bytes_text
from mythos.ctl.remote import Remote, asking, yes_option

__all__ = ["cache"]


@click.group()
def cache() -> None:
    """What the server keeps to tell it again."""


@cache.command()
@asking
def show(remote: Remote) -> None:
    """Show how much is in it. And how much of what is looked for is there, by namespace."""
    answer = remote.ask("cache")
    total = answer["total"]
    rows = [
        (
            *(name, one["entries"], bytes_text(one["bytes"]), one["hits"], one["shared"], one["misses"]),
            *(f"{100 * one['hit_rate']:.0f} %", one["evictions"], one["expired"]),
        )
        for name, one in answer["namespaces"].items()
    ]
    lines = remote.rows(
        ("namespace", "entries", "size", "hits", "shared", "misses", "rate", "evicted", "expired"),
        rows,
        "{namespace}: {entries} entries, {size}; {hits} hits ({shared} from Redis), {misses} misses: {rate};"
        " {evicted} evicted, {expired} expired",
    )
    state = "Redis is its second level." if answer["shared"] else "It is in memory alone."
    room = f"{bytes_text(total['bytes'])} of {bytes_text(answer['room'])} in use. {state}"
    remote.show(answer, *lines, room if answer["room"] else "Nothing is kept: it is switched off, or memory is short.")


@cache.command()
@asking
@click.argument("namespace")
@yes_option
def clear(remote: Remote, namespace: str, yes: bool) -> None:
    """Forget what is in NAMESPACE. It is made again when it is asked for; on all servers that share a Redis."""
    remote.confirm(f"Forget all that is cached in {namespace}?", yes=yes)
    answer = remote.ask("cache-clear", name=namespace)
    remote.show(answer, f"{answer['cleared']} entries of {answer['name']} are forgotten.")
