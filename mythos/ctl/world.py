"""``mythosctl world``: checks and counts a world's files, without a server."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from mythos.app.places import read_world
from mythos.config.problems import DocumentError
from mythos.ctl.remote import FAILED, configuration, fail, json_option
from mythos.errors import MythosError
from mythos.world.zones import Atlas

__all__ = ["world"]


@click.group()
def world() -> None:
    """Check and count the files of a world. Those of DIR, else of the configuration, else the starter world."""


_directory = click.argument(
    "directory", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="[DIR]"
)


def _read(directory: Path | None, *, as_json: bool = False) -> Atlas:
    """The world; exits with every mistake, each by a path that an editor can jump to."""
    directory = directory or configuration().world.dir
    try:
        return read_world(directory)
    except DocumentError as error:
        problems = [replace(one, path=str((directory or Path()) / one.path)) for one in error.problems]
        if as_json:
            click.echo(json.dumps({"ok": False, "problems": list(map(asdict, problems))}, indent=2, ensure_ascii=False))
            raise SystemExit(FAILED) from error
        count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        fail("\n".join([*map(str, problems), f"The world has {count}."]))
    except MythosError as error:
        fail(str(error))


@world.command()
@_directory
@json_option
def check(directory: Path | None, as_json: bool) -> None:
    """Name every mistake by file, line and column."""
    atlas = _read(directory, as_json=as_json)
    if as_json:
        click.echo(json.dumps({"ok": True, "problems": []}, indent=2))
        return
    click.echo(f"{atlas.title} is good: {_many(len(atlas.rooms), 'room')} in {_many(len(atlas.zones), 'zone')}.")


@world.command()
@_directory
@json_option
def stats(directory: Path | None, as_json: bool) -> None:
    """Count what there is."""
    counts = _counts(_read(directory))
    if as_json:
        click.echo(json.dumps(counts, indent=2, ensure_ascii=False))
        return
    for zone in counts["zones"]:
        click.echo("{title}: {rooms} rooms, {words} words, {spawns} spawns".format(**zone))
    click.echo(
        "{title}: {rooms} rooms, {items} items, {people} people, {quests} quests, {words} words".format(**counts)
    )


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _counts(atlas: Atlas) -> dict[str, Any]:
    """:return: ``words`` are those of the rooms: their texts by day and night, and their details"""
    zones = []
    for zone in atlas.zones.values():
        rooms = [room for room in atlas.rooms.values() if room.zone == zone.id]
        words = sum(len(f"{room.text} {room.night} {' '.join(room.details.values())}".split()) for room in rooms)
        zones.append({"title": zone.title, "rooms": len(rooms), "words": words, "spawns": len(zone.spawns)})
    return {
        "title": atlas.title,
        "rooms": len(atlas.rooms),
        "items": len(atlas.items),
        "people": len(atlas.npcs),
        "quests": len(atlas.quests),
        "topics": len(atlas.help),
        "words": sum(zone["words"] for zone in zones),
        "zones": zones,
    }
