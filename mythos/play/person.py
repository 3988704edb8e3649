"""All that is kept on one person, as plain values for JSON. No secret is among them: no hash, no token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mythos.flow.log import Logged
from mythos.ids import EntityId
from mythos.play.ports import Account, AccountStore, SessionRecord
from mythos.play.realm import Realm
from mythos.play.sanctions import Kind
from mythos.play.sessions import Session
from mythos.wire.message import Line
from mythos.world.state import Character, World

__all__ = ["person", "sentences"]

#: Postings of the ledger in one answer, the newest.
POSTINGS: Final = 10_000


async def person(realm: Realm, store: AccountStore, account: Account) -> dict[str, Any]:
    """What is kept on the player of an account.

    ``postings`` are what it got and gave, the newest first; ``more_postings``: there are older ones.
    """
    traces = await store.traces(account.id, account.character, POSTINGS + 1)
    sleepers, wall = realm.accounts.sleepers, realm.clock.wall()
    me = await sleepers.character(account.character)
    mine = ((Kind.MUTE, account.character), (Kind.ACCOUNT, account.key), (Kind.NAME, account.key))
    awake = realm.session_of(account.character)
    said = realm.channels.said_by(account.name)
    if realm.intermud is not None:
        said |= realm.intermud.said_by(account.name)
    found = {
        "made": _time(wall),
        "account": {
            "id": account.id,
            "name": account.name,
            "keeper": account.keeper,
            "deleted_at": _time(account.leaves) if account.leaves else "",
        },
        "character": _character(realm.world, me) if me is not None else None,
        "sessions": [
            *([] if awake is None else [_session(awake)]),
            *[_asleep(record) for record in sleepers.of(account.character)],
        ],
        "logins": [{"good_until": _time(ends), "state": state} for ends, state in traces.logins],
        "sanctions": [
            {"kind": one.kind.value, "until": _time(one.until) if one.until else "", "reason": one.reason, "by": one.by}
            for one in realm.accounts.sanctions.every(wall)
            if (one.kind, one.what) in mine
        ],
        "said": said,
        "postings": [
            {"world_second": at, "turn": kind, "asset": asset, "amount": amount}
            for at, kind, asset, amount in traces.postings[:POSTINGS]
        ],
        "more_postings": len(traces.postings) > POSTINGS,
    }
    if me is not None and awake is None:
        realm.put_away(me)  # it was brought here to be looked at
    return found


def sentences(found: Any, about: str = "") -> Iterator[str]:
    """Plain values as lines of words, one for each: ``character, settings, brief: on``."""
    if isinstance(found, Mapping):
        for name, value in found.items():
            yield from sentences(value, f"{about}, {name}" if about else name)
    elif isinstance(found, list):
        for number, value in enumerate(found, 1):
            yield from sentences(value, f"{about} {number}")
    else:
        yield f"{about}: {found if found != '' else '-'}"


def _character(world: World, me: Character) -> dict[str, Any]:
    return {
        "number": me.id,
        "name": me.name,
        "room": me.room,
        "hp": me.hp,
        "max_hp": me.max_hp,
        "xp": me.xp,
        "level": me.level,
        "title": me.title,
        "gold": me.gold,
        "remembered_by_dialogue": me.flags or {},
        "settings": me.settings or {},
        "aliases": me.aliases or {},
        "hidden_exits_found": sorted(me.seen or ()),
        "holds": _held(world, me.id),
    }


def _held(world: World, holder: EntityId) -> list[dict[str, Any]]:
    return [
        {"thing": item.proto.id, "count": item.stack, "worn": item.worn, "holds": _held(world, item.id)}
        for item in world.held(holder)
    ]


def _session(session: Session) -> dict[str, Any]:
    return {
        "standing": session.standing.value,
        "commands": session.next_c - 1,
        "connections": [{"door": one.kind, "address": one.address} for one in session.connections],
        "told": _told(what for _, _, what in session.log.entries),
    }


def _asleep(record: SessionRecord) -> dict[str, Any]:
    return {
        "standing": "asleep",
        "commands": record.next_c - 1,
        "seen": _time(record.seen),
        "told": _told(what for _, _, what in record.log or ()),
    }


def _told(messages: Iterable[Logged]) -> list[str]:
    return [what.text for what in messages if isinstance(what, Line)]


def _time(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="seconds")
