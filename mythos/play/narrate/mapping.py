"""Maps: where the ways lead, as a picture made of letters or in words."""

from __future__ import annotations

from mythos.play.settings import chosen
from mythos.wire.message import Line, Role, Span, line
from mythos.world.state import Character, World
from mythos.world.vicinity import Place, vicinity
from mythos.world.zones import COMPASS

__all__ = ["BESIDE", "STEPS", "about", "picture", "words"]

#: Steps that a map beside a look shows, and the command ``map``; and the most places told in words.
BESIDE, STEPS = 2, 4
_TOLD = {BESIDE: 8, STEPS: 24}


def about(world: World, me: Character) -> list[Line]:
    """The map that stands beside each look, as its player wants it; nothing, if they want none."""
    wanted = chosen(me, "map")
    if wanted == "off":
        return []
    if wanted == "words" or chosen(me, "screenreader") == "on":
        return words(world, me, BESIDE)
    return picture(world, me, BESIDE)


def picture(world: World, me: Character, steps: int) -> list[Line]:
    """``@`` is here, ``o`` a room, ``u``, ``d`` and ``x`` one with a way up, down and both; ``+`` a closed door.

    Below one that does not stand beside a look are the ways out of here that have no place in it.
    """
    places = vicinity(world, me, steps)
    grid = {place.at: place for place in places if place.at is not None}
    drawn = {place.room for place in grid.values()}
    signs: dict[tuple[int, int], str] = {}
    for at, place in grid.items():
        signs[at[0] * 2, at[1] * 2] = _sign(place) if place.path else "@"
        for direction, to in place.ways.items():
            if (step := COMPASS.get(direction)) is None:
                continue
            there = grid.get((at[0] + step[0], at[1] + step[1]))
            if there.room != to if there is not None else to in drawn:
                continue  # it leads somewhere else than the picture would say
            between = at[0] * 2 + step[0], at[1] * 2 + step[1]
            signs[between] = "+" if direction in place.shut else _crossed(signs.get(between, ""), _LINES[step])
    return [*_rows(signs), *(_off_the_map(world, places[0]) if steps > BESIDE else ())]


#: How a way is drawn, by where it leads.
_LINES = {
    step: "|" if step[0] == 0 else "-" if step[1] == 0 else "/" if step[0] == step[1] else "\\"
    for step in COMPASS.values()
}


def _sign(place: Place) -> str:
    up, down = "up" in place.ways, "down" in place.ways
    return "x" if up and down else "u" if up else "d" if down else "o"


def _crossed(drawn: str, sign: str) -> str:
    """What is drawn where something may be already: two ways that cross are an X, a door stays."""
    return sign if drawn in ("", sign) else "+" if drawn == "+" else "X"


def _rows(signs: dict[tuple[int, int], str]) -> list[Line]:
    left, right = min(x for x, _ in signs), max(x for x, _ in signs)
    top, bottom = max(y for _, y in signs), min(y for _, y in signs)
    rows = ["".join([signs.get((x, y), " ") for x in range(left, right + 1)]) for y in range(top, bottom - 1, -1)]
    return [line("map", row.rstrip()) for row in rows]


def _off_the_map(world: World, here: Place) -> list[Line]:
    others = [way for way in here.ways if way not in COMPASS]
    if not others:
        return []
    spans: list[str | Span] = []
    for way in others:
        spans += [", " if spans else "Also: ", Span(way, Role.EXIT)]
        if way not in here.shut:
            spans.append(f" to {world.room(here.ways[way]).title}")
    return [line("room", *spans, ".")]


def words(world: World, me: Character, steps: int) -> list[Line]:
    """The same for the ear: each place and the way to it, the nearest first, a line for each."""
    here, *places = vicinity(world, me, steps)
    told = [
        line("room", world.room(place.room).title, ": ", Span(_path(place.path), Role.EXIT), ".")
        for place in places[: _TOLD[steps]]
    ]
    for way in [way for way in here.ways if way in here.shut]:
        door = world.room(here.room).exits[way].door
        told.append(line("room", f"Behind the closed {door.name if door else 'door'}: ", Span(way, Role.EXIT), "."))
    if not told:
        return [line("room", "No way leads on from here that you can see.")]
    return [line("room", Span(f"Near {world.room(here.room).title}:", Role.TITLE)), *told]


def _path(path: tuple[str, ...]) -> str:
    """``north, then west``; ``twice north``."""
    legs: list[tuple[str, int]] = []
    for way in path:
        if legs and legs[-1][0] == way:
            legs[-1] = way, legs[-1][1] + 1
        else:
            legs.append((way, 1))
    return ", then ".join([way if count == 1 else f"{_TIMES[count]} {way}" for way, count in legs])


_TIMES = {2: "twice", 3: "three times", 4: "four times"}
