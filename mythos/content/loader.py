"""Zone files -> a world, or every problem in all of them at once, each by file, line and column.

A world is a directory: ``world.yaml``, ``zones/<zone>/{zone,rooms,items,npcs,quests}.yaml``, ``help/*.md``. The loader
gets it as a mapping of relative paths to texts and touches no disk. Ids are ``zone:thing``; inside its zone
a thing is named bare.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import chain, count
from zlib import crc32

from mythos.config.nodes import Fields, Kind, Node, parse
from mythos.config.problems import DocumentError, Problems, Spot, near
from mythos.content.clauses import conditions, effects
from mythos.ids import RoomId, ZoneId
from mythos.world.zones import (
    COMPASS,
    DIRECTIONS,
    OPPOSITE,
    SLOTS,
    Atlas,
    Door,
    Exit,
    ItemProto,
    NpcProto,
    Quest,
    Room,
    Shop,
    Spawn,
    Topic,
    Zone,
)

__all__ = ["WorldError", "load"]

_STEPS = {**{way: (x, y, 0) for way, (x, y) in COMPASS.items()}, "up": (0, 0, 1), "down": (0, 0, -1)}
_SLUG = re.compile(r"[a-z][a-z0-9-]*")
#: Most words of a room's text.
WORDS = 90
#: A way's own name that is nearer to a direction than this is a slip of the fingers.
_MISSPELT = 0.75


class WorldError(DocumentError):
    """The builders': the world cannot be loaded; ``problems`` names everything wrong with it."""


def load(files: Mapping[str, str]) -> Atlas:
    """:raises WorldError: naming every mistake"""
    problems = Problems()
    atlas = _Reader(files, problems).read()
    problems.check(WorldError)
    assert atlas is not None
    return atlas


@dataclass(slots=True)
class _Reference:
    """An id that something named, to be looked up when everything is read."""

    node: Node
    id: str
    kind: str


@dataclass(slots=True)
class _Reader:
    files: Mapping[str, str]
    problems: Problems
    rooms: dict[RoomId, Room] = field(default_factory=dict)
    items: dict[str, ItemProto] = field(default_factory=dict)
    npcs: dict[str, NpcProto] = field(default_factory=dict)
    quests: dict[str, Quest] = field(default_factory=dict)
    zones: dict[ZoneId, Zone] = field(default_factory=dict)
    where: dict[str, Node] = field(default_factory=dict)  # room or exit ("room direction") -> where it is written
    one_way: set[tuple[RoomId, str]] = field(default_factory=set)
    placed: set[RoomId] = field(default_factory=set)
    references: list[_Reference] = field(default_factory=list)
    spawns: dict[str, list[Spawn]] = field(default_factory=dict)
    marked: set[str] = field(default_factory=set)

    def read(self) -> Atlas | None:
        world = self._document("world.yaml")
        if world is None:
            if not any(one.path == "world.yaml" for one in self.problems):
                self.problems.add(Spot("world.yaml", 1, 1), "there is no world.yaml with a title, a start and zones")
            return None
        top = Fields(world, self.problems)
        top.text("id")
        title = top.text("title", required=True)
        greeting = top.text("greeting")
        zones = [(node, node.as_text(self.problems)) for node in top.children("zones", required=True)]
        for node, zone in zones:
            if not any(path.startswith(f"zones/{zone}/") for path in self.files):
                self.problems.add(node, f"there is no directory zones/{zone}")
        start = self._refer(top.required("start"), "", "room")
        home = self._refer(top.required("home"), "", "room")
        top.done()
        for _, zone in zones:
            self._zone(zone)
        self._look_up()
        if not len(self.problems):
            self._doors()
            self._check_exits()
            self._check_reach(RoomId(start))
            self._check_places()
            self._lay_out()
        return Atlas(
            title,
            RoomId(start),
            RoomId(home),
            self.zones,
            self.rooms,
            self.items,
            self.npcs,
            self.quests,
            self._help(),
            greeting,
        )

    def _document(self, path: str) -> Node | None:
        text = self.files.get(path)
        return None if text is None else parse(text, path, self.problems)

    # ── a zone ──────────────────────────────────────────────────────────────────────────────────

    def _zone(self, zone: str) -> None:
        base = f"zones/{zone}/"
        self.spawns[zone] = []
        for id, node in self._things(zone, base + "items.yaml", "items"):
            self.items[id] = self._item(id, Fields(node, self.problems))
        for id, node in self._things(zone, base + "npcs.yaml", "npcs"):
            self.npcs[id] = self._npc(zone, id, Fields(node, self.problems))
        for id, node in self._things(zone, base + "quests.yaml", "quests"):
            self.quests[id] = self._quest(id, Fields(node, self.problems))
        for id, node in self._things(zone, base + "rooms.yaml", "rooms"):
            self.where[id] = node
            self.rooms[RoomId(id)] = self._room(zone, RoomId(id), Fields(node, self.problems))
        head = self._document(base + "zone.yaml")
        if head is None:
            self.problems.add(Spot(base + "zone.yaml", 1, 1), "a zone has a zone.yaml with a title and a recall")
            return
        fields = Fields(head, self.problems)
        title = fields.text("title", required=True)
        recall = self._refer(fields.required("recall"), zone, "room")
        fields.text("notes")
        fields.done()
        self.zones[ZoneId(zone)] = Zone(ZoneId(zone), title, RoomId(recall), tuple(self.spawns[zone]))

    def _things(self, zone: str, path: str, kind: str) -> Iterator[tuple[str, Node]]:
        document = self._document(path)
        if document is None:
            return
        fields = Fields(document, self.problems)
        for name, node in fields.mapping(kind):
            if not _SLUG.fullmatch(name.text):
                self.problems.add(name, f"'{name.text}' is no id: small letters, digits and hyphens")
            else:
                yield f"{zone}:{name.text}", node
        fields.done()

    def _item(self, id: str, fields: Fields) -> ItemProto:
        name = fields.text("name", required=True)
        words = [*fields.list_of_text("words"), *name.split()[-1:]]
        low, high = self._range(fields, "damage")
        slot = fields.choice("slot", SLOTS)
        proto = ItemProto(
            id=id,
            name=name,
            words=tuple(dict.fromkeys([word.lower() for word in words])),
            text=self._prose(fields, "text", required=True),
            lies=fields.text("lies"),
            plural=fields.text("plural"),
            article=fields.text("article", "an" if name[:1].lower() in "aeiou" else "a"),
            price=fields.int("price", low=0),
            takeable=fields.bool("takeable", True),
            stackable=fields.bool("stackable"),
            slot=slot,
            damage=(low, high),
            armour=fields.int("armour", low=0, high=100),
            capacity=fields.int("capacity", low=0, high=100),
            light=fields.bool("light"),
            read=fields.text("read"),
        )
        if proto.stackable and (proto.slot or proto.capacity):
            self.problems.add(fields.node, "what stacks cannot be worn and cannot hold things")
        fields.text("notes")
        fields.done()
        return proto

    def _range(self, fields: Fields, name: str) -> tuple[int, int]:
        ends = [node.as_int(self.problems, low=0, high=1000) for node in fields.children(name)]
        if ends and (len(ends) != 2 or ends[0] > ends[1]):
            self.problems.add(fields.node, f"'{name}' is [least, most]")
            return 0, 0
        return (ends[0], ends[1]) if ends else (0, 0)

    def _npc(self, zone: str, id: str, fields: Fields) -> NpcProto:
        name = fields.text("name", required=True)
        words = [*fields.list_of_text("words"), *name.split()[-1:]]
        damage = self._range(fields, "damage")
        shop = fields.fields("shop")
        proto = NpcProto(
            id=id,
            name=name,
            words=tuple(dict.fromkeys([word.lower() for word in words])),
            text=self._prose(fields, "text", required=True),
            stands=fields.text("stands"),
            topics=tuple([self._topic(zone, Fields(node, self.problems)) for node in fields.children("topics")]),
            shop=self._shop(zone, shop) if shop else None,
            hp=fields.int("hp", 20, low=1),
            damage=damage if damage != (0, 0) else (1, 3),
            gold=fields.int("gold", low=0, high=10**15),
            carries=tuple([self._refer(node, zone, "item") for node in fields.children("carries")]),
            wanders=fields.int("wanders", low=0, high=1000),
            fights=fields.bool("fights"),
            aggressive=fields.bool("aggressive"),
            xp=fields.int("xp", low=0),
            idles=fields.list_of_text("idles"),
        )
        fields.text("notes")
        fields.done()
        return proto

    def _topic(self, zone: str, fields: Fields) -> Topic:
        when, do = fields.get("when"), fields.children("do")
        topic = Topic(
            tuple([word.lower() for word in fields.list_of_text("words")]),
            self._prose(fields, "say", required=True),
            tuple(conditions(when, zone, self._named, self.problems)) if when else (),
            tuple(effects(do, zone, self._named, self.problems)),
        )
        self.marked.update(effect.name for effect in topic.do if effect.what == "task")
        fields.done()
        return topic

    def _shop(self, zone: str, fields: Fields) -> Shop:
        buys = fields.get("buys")
        bought: tuple[str, ...] = ()
        if buys is not None and buys.kind is Kind.TEXT:
            if buys.as_text(self.problems) != "*":
                self.problems.add(buys, "'buys' is a list of items, or '*' for anything with a price")
            bought = ("*",)
        elif buys is not None:
            bought = tuple([self._refer(node, zone, "item") for node in fields.children("buys")])
        sells = fields.children("sells", required=True)
        shop = Shop(
            tuple([self._refer(node, zone, "item") for node in sells]),
            bought,
            fields.int("asks", 100, low=1, high=10_000),
            fields.int("pays", 50, low=0, high=10_000),
        )
        if shop.pays >= shop.asks:
            self.problems.add(fields.node, "the keeper pays as much as it asks: money could be pumped out of the shop")
        if shop.buys and not shop.pays:
            self.problems.add(fields.node, "the keeper buys, and pays nothing")
        for node, id in zip(sells, shop.sells, strict=True):
            self.references.append(_Reference(node, id, "ware"))
        fields.done()
        return shop

    def _quest(self, id: str, fields: Fields) -> Quest:
        steps: dict[str, str] = {}
        for node in fields.children("steps", required=True):
            step = Fields(node, self.problems)
            name, text = step.text("name", required=True), step.text("text", required=True)
            if name in steps:
                self.problems.add(node, f"the step '{name}' is there twice")
            steps[name] = text
            self.where[f"{id}:{name}"] = node
            step.done()
        if not steps:
            self.problems.add(fields.node, "a task has steps")
        quest = Quest(id, fields.text("title", required=True), tuple(steps.items()), fields.text("done"))
        fields.done()
        return quest

    def _room(self, zone: str, id: RoomId, fields: Fields) -> Room:
        details: dict[str, str] = {}
        for key, value in fields.mapping("details"):
            text = value.as_text(self.problems)
            for word in key.text.split(","):
                details[word.strip().lower()] = text
        exits: dict[str, Exit] = {}
        for key, value in fields.mapping("exits"):
            self.where[f"{id} {key.text}"] = key
            exits[key.text] = self._exit(zone, id, key, value)
        coords = [node.as_int(self.problems) for node in fields.children("coords")]
        if coords and len(coords) != 3:
            self.problems.add(fields.node, "'coords' is [x, y, z]")
        if len(coords) == 3:
            self.placed.add(id)
        room = Room(
            id=id,
            zone=ZoneId(zone),
            title=fields.text("title", required=True),
            text=self._prose(fields, "text", required=True),
            exits=exits,
            details=details,
            night=self._prose(fields, "night"),
            dark=fields.bool("dark"),
            outdoors=fields.bool("outdoors"),
            lit=fields.bool("lit"),
            safe=fields.bool("safe"),
            terrain=fields.text("terrain", "town"),
            place=(crc32(id.encode()) & 0x7FFFFFFF) or 1,
            coords=(coords[0], coords[1], coords[2]) if len(coords) == 3 else (0, 0, 0),
            found=fields.text("found"),
        )
        for kind in ("items", "npcs"):
            for node in fields.children(kind):
                self._spawn(zone, id, kind.removesuffix("s"), node)
        fields.text("notes")
        fields.done()
        return room

    def _exit(self, zone: str, room: RoomId, key: Node, value: Node) -> Exit:
        if key.text not in DIRECTIONS and (
            not _SLUG.fullmatch(key.text) or get_close_matches(key.text, DIRECTIONS, n=1, cutoff=_MISSPELT)
        ):
            self.problems.add(key, f"'{key.text}' is no direction{near(key.text, DIRECTIONS)}")
        if value.kind is Kind.TEXT:
            return Exit(key.text, RoomId(self._refer(value, zone, "room")))
        fields = Fields(value, self.problems)
        to = RoomId(self._refer(fields.required("to"), zone, "room"))
        name, lock = fields.text("door"), fields.get("key")
        locked = fields.bool("locked")
        door = None
        if name:
            door = Door(
                name,
                self._refer(lock, zone, "item") if lock else None,
                fields.bool("closed", True) or locked,
                locked,
                fields.seconds("shuts-after", 300.0, low=0.0),
            )
            if locked and lock is None:
                self.problems.add(value, f"the {name} is locked and has no key")
        elif lock or locked or fields.has("closed"):
            self.problems.add(value, "what has a lock is a door: name it with 'door'")
        if fields.bool("one-way"):
            self.one_way.add((room, key.text))
        exit = Exit(key.text, to, door, fields.bool("hidden"))
        fields.done()
        return exit

    def _spawn(self, zone: str, room: RoomId, kind: str, node: Node) -> None:
        if node.kind is Kind.TEXT:
            proto, keep, every = self._refer(node, zone, kind), 1, 300.0
        else:
            fields = Fields(node, self.problems)
            proto = self._refer(fields.required(kind if fields.has(kind) else "proto"), zone, kind)
            keep = fields.int("keep", 1, low=1, high=100)
            every = fields.seconds("every", 300.0, low=0.0)
            fields.done()
        base = f"{room}:{proto.partition(':')[2]}"
        taken = {spawn.id for spawn in self.spawns[zone]}
        id = next(name for name in chain((base,), (f"{base}:{n}" for n in count(2))) if name not in taken)
        self.spawns[zone].append(Spawn(id, proto, room, keep, every))

    def _prose(self, fields: Fields, name: str, *, required: bool = False) -> str:
        node = fields.get(name, required=required)
        if node is None:
            return ""
        text = node.as_text(self.problems)
        clean = " ".join(text.split())
        if re.search(r"[-=_*#~+|/\\<>^.!?,;:]{3,}", clean):
            self.problems.add(node, f"'{name}' has three signs in a row, which a screen reader spells out")
        if len(clean.split()) > WORDS:
            self.problems.add(node, f"'{name}' has {len(clean.split())} words; at most {WORDS} are read")
        return clean

    # ── what was named must be there ────────────────────────────────────────────────────────────

    def _named(self, node: Node, name: str, zone: str, kind: str) -> str:
        id = name if ":" in name or not zone else f"{zone}:{name}"
        self.references.append(_Reference(node, id, kind))
        return id

    def _refer(self, node: Node | None, zone: str, kind: str) -> str:
        return "" if node is None else self._named(node, node.as_text(self.problems), zone, kind)

    def _look_up(self) -> None:
        steps = {f"{quest.id}:{name}" for quest in self.quests.values() for name, _ in quest.steps}
        known: dict[str, Iterable[str]] = {
            "room": self.rooms,
            "item": self.items,
            "ware": self.items,
            "npc": self.npcs,
            "step": steps,
        }
        for one in self.references:
            there = known[one.kind]
            if one.id not in there:
                if one.kind != "ware":
                    self.problems.add(one.node, f"there is no {one.kind} '{one.id}'{near(one.id, there)}")
            elif one.kind == "ware" and not self.items[one.id].price:
                self.problems.add(one.node, f"'{one.id}' is sold and has no price")
        for step in steps - self.marked:
            self.problems.add(self.where[step], f"nothing marks the step '{step}': the task can never be done")

    # ── exits ───────────────────────────────────────────────────────────────────────────────────

    def _back(self, room: Room, exit: Exit) -> Exit | None:
        """The exit that leads back: the opposite one, or any."""
        other = self.rooms[exit.to]
        opposite = other.exits.get(OPPOSITE.get(exit.direction, ""))
        if opposite is not None and opposite.to == room.id:
            return opposite
        return next((one for one in other.exits.values() if one.to == room.id), None)

    def _doors(self) -> None:
        """A door that is written on one side is on both."""
        for room in tuple(self.rooms.values()):
            for exit in room.exits.values():
                back = self._back(room, exit)
                if exit.door is not None and back is not None and back.door is None:
                    other = self.rooms[exit.to]
                    exits = {**other.exits, back.direction: replace(back, door=exit.door)}
                    self.rooms[other.id] = replace(other, exits=exits)

    def _check_exits(self) -> None:
        obtainable = {spawn.proto for spawns in self.spawns.values() for spawn in spawns}
        obtainable |= {item for npc in self.npcs.values() for item in npc.carries}
        obtainable |= {ware for npc in self.npcs.values() if npc.shop for ware in npc.shop.sells}
        obtainable |= {
            effect.name
            for npc in self.npcs.values()
            for topic in npc.topics
            for effect in topic.do
            if effect.what == "give-item"
        }
        for room in self.rooms.values():
            for exit in room.exits.values():
                here = self.where.get(f"{room.id} {exit.direction}", self.where[room.id])
                if exit.to == room.id:
                    self.problems.add(here, "an exit leads to its own room")
                elif self._back(room, exit) is None and (room.id, exit.direction) not in self.one_way:
                    self.problems.add(
                        here, f"nothing leads back from '{exit.to}': write 'one-way: yes' if that is meant"
                    )
                if exit.door and exit.door.key and exit.door.locked and exit.door.key not in obtainable:
                    self.problems.add(here, f"the key '{exit.door.key}' is nowhere to be had")
            if not room.exits:
                self.problems.add(self.where[room.id], "a room without an exit")

    def _check_reach(self, start: RoomId) -> None:
        seen, wave = {start}, deque([start])
        while wave:
            for exit in self.rooms[wave.popleft()].exits.values():
                if exit.to not in seen:
                    seen.add(exit.to)
                    wave.append(exit.to)
        for id in self.rooms:
            if id not in seen:
                self.problems.add(self.where[id], f"no way leads to '{id}' from the start")

    def _check_places(self) -> None:
        numbers: dict[int, RoomId] = {}
        for room in self.rooms.values():
            other = numbers.setdefault(room.place, room.id)
            if other != room.id:
                self.problems.add(
                    self.where[room.id], f"by chance '{room.id}' and '{other}' get one map number: rename one"
                )

    def _lay_out(self) -> None:
        """Rooms without coordinates get them by the compass, from the first room of each zone."""
        for zone in self.zones:
            members = [room.id for room in self.rooms.values() if room.zone == zone]
            at = {id: self.rooms[id].coords for id in members if id in self.placed}
            for first in members:
                if first not in at:
                    at[first] = (0, 0, 0) if not at else (max(x for x, _, _ in at.values()) + 10, 0, 0)
                wave = deque([first])
                while wave:
                    room = self.rooms[wave.popleft()]
                    x, y, z = at[room.id]
                    for exit in room.exits.values():
                        step = _STEPS.get(exit.direction)
                        if step and exit.to not in at and self.rooms[exit.to].zone == zone:
                            at[exit.to] = (x + step[0], y + step[1], z + step[2])
                            wave.append(exit.to)
            for id in members:
                self.rooms[id] = replace(self.rooms[id], coords=at[id])

    # ── help ────────────────────────────────────────────────────────────────────────────────────

    def _help(self) -> dict[str, str]:
        """Topics by each of their words."""
        topics: dict[str, str] = {}
        for path, text in self.files.items():
            if not (path.startswith("help/") and path.endswith(".md")):
                continue
            _, mark, rest = text.partition("---\n")
            head, end, body = rest.partition("---\n")
            node = parse(head, path, self.problems) if mark and end else None
            if node is None:
                self.problems.add(Spot(path, 1, 1), "a topic begins with a title and words between two lines of ---")
                continue
            fields = Fields(node, self.problems)
            title = fields.text("title", required=True)
            for word in fields.text("words", required=True).split(","):
                topics[word.strip().lower()] = f"{title}\n\n{body.strip()}"
            fields.done()
        return topics
