"""The map as words, and as the XML that mapping clients read.

The XML is MMP (wiki.mudlet.org/w/Standards:MMP). A room's id is the ``num`` of its GMCP ``Room.Info``, so that a client
that has read the map knows where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Final
from urllib.parse import quote

from mythos.ids import RoomId, ZoneId
from mythos.net.pages_markup import Markup, link, tag
from mythos.world.charted import charted, open_ways
from mythos.world.zones import Atlas, Room

__all__ = ["Chart", "Sheet"]

#: Rooms, or zones of a world too large for one page, on a page; so a page stays below 20 kB.
ROOMS: Final = 40
ZONES: Final = 60
#: Of the 16 colours of a terminal, those for terrains.
_COLOURS: Final = (1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of the map.

    :ivar path: its own
    """

    title: str
    description: str
    path: str
    inside: tuple[Markup, ...]


class Chart:
    """The map of one atlas: made once, as it does not change."""

    def __init__(self, atlas: Atlas) -> None:
        self.atlas = atlas
        self._rooms = charted(atlas)
        self._place = {room.id: place for rooms in self._rooms.values() for place, room in enumerate(rooms)}
        self._whole = len(self._place) <= ROOMS
        self._borders = {zone: self._bordering(zone) for zone in self._rooms}

    def overview(self, part: int) -> Sheet | None:
        """Every zone: with its rooms, if all of them fit on one page. None: there is no such part."""
        parts = 1 if self._whole else _parts(len(self._rooms), ZONES)
        if not 1 <= part <= parts:
            return None
        if self._whole:
            inside = [one for zone in self._rooms for one in self._section(zone)]
        else:
            zones = list(self._rooms)[(part - 1) * ZONES : part * ZONES]
            inside = [tag("ul", *[tag("li", *self._summary(zone)) for zone in zones])]
        world = self.atlas.title
        known = f"{_count(len(self._rooms), 'zone')} and {_count(len(self._place), 'room')}"
        return Sheet(
            "Map" if part == 1 else f"Map, part {part}",
            f"The map of {world} in words: {known}, and the ways between them.",
            _numbered("/map", part),
            (
                tag("p", f"{known}. Hidden ways are for you to find."),
                *inside,
                *_turning("/map", part, parts),
                tag("p", "For Mudlet and other clients that draw maps: ", link("/world/map.xml", "map.xml"), "."),
            ),
        )

    def zone(self, id: str, part: int) -> Sheet | None:
        """The rooms of one zone. None: there is no such zone, or no such part of it."""
        zone = ZoneId(id)
        rooms = self._rooms.get(zone, [])
        parts = _parts(len(rooms), ROOMS)
        if not 1 <= part <= parts:
            return None
        path, way_to = _zone_path(zone), self._way_to(zone, part)
        shown = rooms[(part - 1) * ROOMS : part * ROOMS]
        inside = [one for room in shown for one in self._room(room, "h2", way_to)]
        title = f"Map: {self.atlas.zones[zone].title}"
        return Sheet(
            title if part == 1 else f"{title}, part {part}",
            f"{_count(len(rooms), 'room')} of {self.atlas.title}, and the ways between them.",
            _numbered(path, part),
            (
                tag("p", *self._bordered(zone)),
                *inside,
                *_turning(path, part, parts),
                tag("p", link("/map", "The whole map")),
            ),
        )

    def paths(self) -> Iterator[str]:
        """Of every page, but for the further parts of one."""
        yield "/map"
        if not self._whole:
            yield from [_zone_path(zone) for zone in self._rooms]

    # ── words ───────────────────────────────────────────────────────────────────────────────────

    def _section(self, zone: ZoneId) -> Iterator[Markup]:
        yield tag("h2", self.atlas.zones[zone].title)
        for room in self._rooms[zone]:
            yield from self._room(room, "h3", lambda to: f"#{quote(to, safe=':')}")

    def _summary(self, zone: ZoneId) -> Iterator[str]:
        yield link(_zone_path(zone), self.atlas.zones[zone].title)
        yield ": "
        yield from self._bordered(zone)

    def _bordered(self, zone: ZoneId) -> Iterator[str]:
        yield _count(len(self._rooms[zone]), "room")
        for place, other in enumerate(self._borders[zone]):
            yield ", " if place else "; next to "
            yield link(_zone_path(other), self.atlas.zones[other].title)
        yield "."

    def _room(self, room: Room, heading: str, way_to: Callable[[RoomId], str]) -> Iterator[Markup]:
        yield tag(heading, room.title, id=room.id)
        words: list[str] = []
        for way in open_ways(room):
            to = way.direction if words else way.direction.capitalize()
            words += [
                "; " if words else "",
                f"{to} to ",
                link(way_to(way.to), self.atlas.rooms[way.to].title),
            ]
            words += [f", through the {way.door.name}"] if way.door is not None else []
        first = "Newcomers start here. " if room.id == self.atlas.start else ""
        yield tag("p", first, *words, ".") if words else tag("p", first, "There is no way out that can be seen.")

    def _way_to(self, zone: ZoneId, part: int) -> Callable[[RoomId], str]:
        """The address of a room, on a part of a zone's page."""

        def address(to: RoomId) -> str:
            there = self.atlas.rooms[to].zone, self._place[to] // ROOMS + 1
            page = "" if there == (zone, part) else _numbered(_zone_path(there[0]), there[1])
            return f"{page}#{quote(to, safe=':')}"

        return address

    def _bordering(self, zone: ZoneId) -> list[ZoneId]:
        """The zones its ways lead to, in the order of the map."""
        rooms = self.atlas.rooms
        found = {rooms[way.to].zone for room in self._rooms[zone] for way in open_ways(room)}
        return [other for other in self._rooms if other in found and other != zone]

    # ── XML ─────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def xml(self) -> bytes:
        """The whole map in MMP. Doors are told as their builder left them; clients that do not know a direction
        (``ashore``) leave the way out."""
        areas = {zone: number for number, zone in enumerate(self._rooms, 1)}
        rooms = [room for each in self._rooms.values() for room in each]
        terrains = {terrain: number for number, terrain in enumerate(sorted({room.terrain for room in rooms}), 1)}
        lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<map>", "<areas>"]
        lines += [f'<area id="{id}" name="{escape(self.atlas.zones[zone].title)}"/>' for zone, id in areas.items()]
        lines += ["</areas>", "<rooms>"]
        for room in rooms:
            lines += self._xml_room(room, areas[room.zone], terrains[room.terrain])
        lines += ["</rooms>", "<environments>"]
        lines += [
            f'<environment id="{id}" name="{escape(terrain)}" color="{_COLOURS[(id - 1) % len(_COLOURS)]}"/>'
            for terrain, id in terrains.items()
        ]
        return "\n".join([*lines, "</environments>", "</map>", ""]).encode()

    def _xml_room(self, room: Room, area: int, environment: int) -> Iterator[str]:
        x, y, z = room.coords
        yield f'<room id="{room.place}" area="{area}" title="{escape(room.title)}" environment="{environment}">'
        yield f'<coord x="{x}" y="{y}" z="{z}"/>'
        for way in open_ways(room):
            door = "" if way.door is None else ' door="2"' if way.door.closed else ' door="1"'
            target = self.atlas.rooms[way.to].place
            yield f'<exit direction="{escape(way.direction)}" target="{target}"{door}/>'
        yield "</room>"


def _parts(count: int, size: int) -> int:
    return -(-count // size)


def _turning(path: str, part: int, parts: int) -> Iterator[Markup]:
    """The ways to the next part of a page and to the one before."""
    if parts > 1:
        ways: list[str] = [f"Part {part} of {parts}."]
        ways += [" ", link(_numbered(path, part - 1), "The part before")] if part > 1 else []
        ways += [" ", link(_numbered(path, part + 1), "The next part")] if part < parts else []
        yield tag("nav", tag("p", *ways), aria_label="Parts")


def _zone_path(zone: ZoneId) -> str:
    return f"/map/{quote(zone, safe='')}"


def _numbered(path: str, part: int) -> str:
    return path if part == 1 else f"{path}?part={part}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
