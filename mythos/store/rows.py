"""Between living things and rows: one encoding for every store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from mythos.flow.jobs import JobRow, Priority
from mythos.ids import AccountId, EntityId, PlaceId, RoomId, SessionId
from mythos.play.commits import Batch
from mythos.play.ports import Account, BadBatch, Contents, SessionRecord, StoredEntities
from mythos.play.sessions import ANSWERS
from mythos.wire.message import Line, Message, Role, Span, State
from mythos.world.npcs import npc_id
from mythos.world.state import BURN, MINT, Character, DoorState, Entity, Item, Npc, SpawnState, World
from mythos.world.zones import Atlas

__all__ = [
    "ACCOUNTS",
    "DEAD_JOBS",
    "JOB",
    "LOGINS",
    "POSTINGS",
    "PUT_JOB",
    "SOME_ACCOUNTS",
    "TRIM_JOBS",
    "WAITING_JOBS",
    "EntityRow",
    "Rows",
    "SessionRow",
    "decode_account",
    "decode_character",
    "decode_contents",
    "decode_entities",
    "decode_job",
    "decode_session",
    "encode",
    "encode_job",
]

#: Rows as :func:`decode_account` reads them.
ACCOUNTS = "SELECT id, name, key, password, character, keeper, leaves FROM account"
#: Those behind an id, so many; to be formatted with how a parameter is written.
SOME_ACCOUNTS = ACCOUNTS + " WHERE id > {} ORDER BY id LIMIT {}"

#: As above; of a row, and of how many.
PUT_JOB = (
    "INSERT INTO job (id, kind, priority, payload, made, tries, error, died) VALUES ({0}, {0}, {0}, {0}, {0}, {0}, {0},"
    " {0}) ON CONFLICT (id) DO UPDATE SET tries = excluded.tries, error = excluded.error, died = excluded.died"
)
JOB = "SELECT id, kind, priority, payload, made, tries, error, died FROM job WHERE id = {0}"
WAITING_JOBS = (
    "SELECT id, kind, priority, payload, made, tries, error, died FROM job WHERE died IS NULL ORDER BY id LIMIT {0}"
)
DEAD_JOBS = (
    "SELECT * FROM (SELECT id, kind, priority, payload, made, tries, error, died FROM job WHERE died IS NOT NULL"
    " ORDER BY id DESC LIMIT {0}) AS newest ORDER BY id"
)
TRIM_JOBS = (
    "DELETE FROM job WHERE died IS NOT NULL AND id NOT IN"
    " (SELECT id FROM job WHERE died IS NOT NULL ORDER BY id DESC LIMIT {0}) RETURNING id"
)
#: Of an account its refresh tokens, and of a character its postings, the newest first; to be formatted likewise.
LOGINS = "SELECT expires, state FROM refresh_grant WHERE account = {} ORDER BY expires"
POSTINGS = (
    "SELECT at, kind, asset, delta FROM ledger_line JOIN ledger USING (tx) WHERE holder = {} ORDER BY tx DESC LIMIT {}"
)

_dumps = msgspec.json.encode
_loads = msgspec.json.decode

#: id, kind, proto, zone, place, stack, data
EntityRow = tuple[str, str, str, str | None, str, int, str]
#: id, character, epoch, head, floor, next_c, asked, undone, tokens, cursors, seen, log, since
SessionRow = tuple[str, str, str, int, int, int, str, str, str, str, float, str | None, float]
#: tx, kind, session, c, asked, at (the world's second)
LedgerRow = tuple[int, str, str | None, int | None, int | None, float]


@dataclass(frozen=True, slots=True)
class Rows:
    """A batch as plain values.

    :ivar lines: tx, holder, asset, delta
    :ivar balances: (holder, asset) -> (sum of deltas, number of lines), without mint and burn
    """

    incarnation: str
    number: int
    entities: Sequence[EntityRow]
    gone: Sequence[str]
    ledger: Sequence[LedgerRow]
    lines: Sequence[tuple[int, str, str, int]]
    balances: dict[tuple[str, str], tuple[int, int]]
    sessions: Sequence[SessionRow]
    ended: Sequence[str]
    meta: Sequence[tuple[str, str]]


def encode(batch: Batch) -> Rows:
    """:raises BadBatch: something in it cannot be a row"""
    try:
        return _encode(batch)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise BadBatch(f"batch {batch.number} does not encode: {error}") from error


def _encode(batch: Batch) -> Rows:
    ledger: list[LedgerRow] = []
    lines: list[tuple[int, str, str, int]] = []
    balances: dict[tuple[str, str], tuple[int, int]] = {}
    for done in batch.transactions:
        ledger.append((done.tx, done.kind, done.session, done.c, done.asked, batch.now))
        for posting in done.postings:
            for holder, delta in ((posting.source, -posting.amount), (posting.target, posting.amount)):
                lines.append((done.tx, holder, posting.asset, delta))
                if holder not in (MINT, BURN):
                    total, count = balances.get((holder, posting.asset), (0, 0))
                    balances[holder, posting.asset] = (total + delta, count + 1)
    return Rows(
        incarnation=batch.incarnation,
        number=batch.number,
        entities=[_entity_row(entity) for entity in batch.entities],
        gone=batch.gone,
        ledger=ledger,
        lines=lines,
        balances=balances,
        sessions=[_session_row(record) for record in batch.sessions if not record.ended],
        ended=[record.id for record in batch.sessions if record.ended],
        meta=[("now", repr(batch.now)), ("next_id", str(batch.next_id)), ("next_tx", str(batch.next_tx))],
    )


def _zone(place: str) -> str | None:
    zone, colon, _ = place.partition(":")
    return zone if colon and zone not in ("n", "s", "d") else None


def _entity_row(entity: Entity) -> EntityRow:
    if type(entity) is Item:
        place: str = entity.place
        data = f'{{"worn":"{entity.worn}","lit":{"true" if entity.lit else "false"}}}'  # both are ours, never typed
        return entity.id, "i", entity.proto.id, _zone(place), place, entity.stack, data
    if type(entity) is Character:
        data = _dumps(
            {
                "name": entity.name,
                "hp": entity.hp,
                "max_hp": entity.max_hp,
                "account": entity.account,
                "keeper": entity.keeper,
                "xp": entity.xp,
                "level": entity.level,
                "title": entity.title,
                "flags": entity.flags,
                "settings": entity.settings,
                "aliases": entity.aliases,
                "seen": sorted(entity.seen) if entity.seen else None,
            }
        ).decode()
        return entity.id, "c", "", _zone(entity.room), entity.room, 1, data
    if type(entity) is Npc:
        data = _dumps(
            {
                "hp": entity.hp,
                "returns": entity.returns,
                "met": sorted(entity.met),
            }
        ).decode()
        return entity.id, "n", entity.proto.id, _zone(entity.room), entity.room, 1, data
    if type(entity) is DoorState:
        data = _dumps({"closed": entity.closed, "locked": entity.locked, "resets": entity.resets}).decode()
        return entity.id, "d", "", None, "", 1, data
    if type(entity) is SpawnState:
        return entity.id, "s", "", None, "", 1, _dumps({"made": entity.made, "next": entity.next}).decode()
    raise TypeError(f"no row for {type(entity).__name__}")


def decode_entities(rows: Iterable[EntityRow], gold: dict[str, int], world: World) -> StoredEntities:
    """Rows -> entities against the world's atlas, without those whose prototype is no more.

    :param gold: holder -> coins; bodies get theirs, the rest are hoards
    """
    atlas = world.atlas
    found: list[Entity] = []
    for id, kind, proto, _, place, stack, text in rows:
        data: dict[str, Any] = _loads(text)
        if kind == "i":
            known = atlas.items.get(proto)
            if known is None:
                continue
            found.append(Item(EntityId(id), known, _place(place), stack, data["worn"], data["lit"]))
        elif kind == "n":
            person, where = atlas.npcs.get(proto), _stands(atlas, id, place)
            if person is None or where is None:
                continue
            npc = Npc(EntityId(id), person.name, where, data["hp"], person.hp, gold.pop(id, 0), proto=person)
            npc.returns = data["returns"]
            npc.met = {EntityId(who) for who in data["met"]}
            found.append(npc)
        elif kind == "c":
            room = RoomId(place) if place in atlas.rooms else atlas.home
            me = Character(EntityId(id), data["name"], room, data["hp"], data["max_hp"], gold.pop(id, 0))
            me.account = None if data["account"] is None else AccountId(data["account"])
            me.keeper, me.xp, me.level, me.title = data["keeper"], data["xp"], data["level"], data["title"]
            me.flags, me.settings, me.aliases = data["flags"], data["settings"], data["aliases"]
            me.seen = set(data["seen"]) if data["seen"] else None
            found.append(me)
        elif kind == "d":
            found.append(DoorState(EntityId(id), data["closed"], data["locked"], data["resets"]))
        else:
            found.append(SpawnState(EntityId(id), data["made"], data["next"]))
    return StoredEntities(found, {_place(holder): amount for holder, amount in gold.items()})


def _stands(atlas: Atlas, id: str, place: str) -> RoomId | None:
    """The room of an NPC. One whose room is no more is where its spawn is: it would be made again, with all its goods,
    if it were not there. None: there is no such spawn either."""
    if place in atlas.rooms:
        return RoomId(place)
    return next((one.room for zone in atlas.zones.values() for one in zone.spawns if npc_id(one) == id), None)


def _place(place: str) -> PlaceId:
    return EntityId(place)  # a room's id and an entity's are told apart by who looks them up


def decode_contents(
    world: World,
    entities: Iterable[EntityRow],
    gold: dict[str, int],
    sessions: Iterable[SessionRow],
    later: Iterable[tuple[str, int, int | None]],
    idle: Iterable[tuple[str, str]],
    meta: dict[str, str],
) -> Contents:
    """What a store holds when a server starts.

    :param later: commands that the ledger knows of and their session's row does not: session, c, asked, by c
    :param idle: id and data of the characters that have neither a session nor an account's row
    """
    commands: dict[str, list[tuple[int, int | None]]] = {}
    for session, c, asked in later:
        commands.setdefault(session, []).append((c, asked))
    records = [decode_session(row) for row in sessions]
    return Contents(
        decode_entities(entities, gold, world),
        [_with_commands(one, commands[one.id]) if one.id in commands else one for one in records],
        [EntityId(id) for id, data in idle if _loads(data)["account"] is None],
        now=float(meta.get("now", "0")),
        next_id=int(meta.get("next_id", "1")),
        next_tx=int(meta.get("next_tx", "1")),
        fresh=not meta,
    )


def _with_commands(record: SessionRecord, later: list[tuple[int, int | None]]) -> SessionRecord:
    """A session that was killed. Of commands that moved nothing nobody knows whether they were heard: they count as
    undone."""
    last = later[-1][0]
    known = {c for c, _ in later}
    undone = [c for c in range(max(record.next_c, last - ANSWERS), last) if c not in known]
    asked = [(c, checksum) for c, checksum in later if checksum is not None]
    return replace(
        record, next_c=last + 1, asked=(*record.asked, *asked)[-ANSWERS:], undone=(*record.undone, *undone)[-ANSWERS:]
    )


def decode_character(
    world: World, entities: Iterable[EntityRow], gold: dict[str, int], account: tuple[Any, ...] | None
) -> StoredEntities:
    """A character and what it holds.

    :param account: the row of its account, as for :func:`decode_account`
    """
    stored = decode_entities(entities, gold, world)
    owner = decode_account(account)
    if owner is not None:  # it may be newer than the character's row: a guest had just registered
        for me in stored.entities:
            if isinstance(me, Character):
                me.name, me.account, me.keeper = owner.name, owner.id, owner.keeper
    return stored


def decode_account(row: tuple[Any, ...] | None) -> Account | None:
    """:param row: as :data:`ACCOUNTS` gives it"""
    if row is None:
        return None
    id, name, key, password, character, keeper, leaves = row
    return Account(AccountId(id), name, key, password, EntityId(character), bool(keeper), leaves)


# ── sessions ────────────────────────────────────────────────────────────────────────────────────


def _session_row(record: SessionRecord) -> SessionRow:
    log = None
    if record.log is not None:
        log = _dumps([(number, age, _message(what)) for number, age, what in record.log]).decode()
    return (
        record.id,
        record.character,
        record.epoch,
        record.head,
        record.floor,
        record.next_c,
        _dumps(record.asked).decode(),
        _dumps(record.undone).decode(),
        _dumps(record.tokens).decode(),
        _dumps(record.cursors).decode(),
        record.seen,
        log,
        record.since,
    )


def decode_session(row: SessionRow) -> SessionRecord:
    id, character, epoch, head, floor, next_c, asked, undone, tokens, cursors, seen, log, since = row
    entries = None
    if log is not None:
        entries = tuple([(number, age, _words(what)) for number, age, what in _loads(log)])
    return SessionRecord(
        SessionId(id),
        EntityId(character),
        epoch,
        head,
        next_c,
        tuple([tuple([(digest, ends) for digest, ends in chain]) for chain in _loads(tokens)]),
        seen,
        tuple([(c, checksum) for c, checksum in _loads(asked)]),
        tuple(_loads(undone)),
        entries,
        floor,
        tuple([(kind, acked) for kind, acked in _loads(cursors)]),
        since=since,
    )


def _message(what: Message) -> list[Any]:
    if type(what) is Line:
        return [what.kind, [[span.text, span.colour.value if span.colour else None] for span in what.spans]]
    assert type(what) is State
    return ["", what.name, what.data]


def _words(what: list[Any]) -> Message:
    if what[0] == "":
        return State(what[1], what[2])
    return Line(what[0], tuple([Span(text, Role(role) if role else None) for text, role in what[1]]))


def encode_job(job: JobRow) -> tuple[Any, ...]:
    return (job.id, job.kind, int(job.priority), job.payload, job.made, job.tries, job.error, job.died)


def decode_job(row: Sequence[Any]) -> JobRow:
    id, kind, priority, *rest = row
    return JobRow(id, kind, Priority(priority), *rest)
