"""``mythosctl world``: checks and counts a world's files, without a server."""

from __future__ import annotations

from pathlib import Path

import click

from mythos.app import read_world
from mythos.ctl.remote import fail
from mythos.errors import MythosError
from mythos.world.zones import Atlas

__all__ = ["world"]


@click.group()
def world() -> None:
    """Check and count the files of a world."""


_directory = click.argument(
    "directory", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="[DIR]"
)


def _read(directory: Path | None) -> Atlas:
    try:
        return read_world(directory)
    except (MythosError, OSError, UnicodeDecodeError) as error:
        fail(str(error))


@world.command()
@_directory
def check(directory: Path | None) -> None:
    """Name every mistake in DIR by file, line and column; without DIR, check the world that comes with Mythos."""
    atlas = _read(directory)
    click.echo(f"{atlas.title} is good: {len(atlas.rooms)} rooms in {len(atlas.zones)} zones.")


@world.command()
@_directory
def stats(directory: Path | None) -> None:
    """Count what is in DIR."""
    atlas = _read(directory)
    for zone in atlas.zones.values():
        rooms = [room for room in atlas.rooms.values() if room.zone == zone.id]
        words = sum(len(f"{room.text} {room.night} {' '.join(room.details.values())}".split()) for room in rooms)
        click.echo(f"{zone.title}: {len(rooms)} rooms, {words} words, {len(zone.spawns)} spawns")
    counts = {"items": atlas.items, "people": atlas.npcs, "tasks": atlas.quests, "topics of help": atlas.help}
    click.echo(f"{atlas.title}: " + ", ".join(f"{len(what)} {name}" for name, what in counts.items()))
