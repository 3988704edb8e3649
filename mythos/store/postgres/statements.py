"""What the store says to PostgreSQL. A batch is a few statements of arrays, whatever its size.

An array goes as one literal, not as a list of values: it costs PostgreSQL and us half as much.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, Final

from mythos.store.rows import ACCOUNTS, Rows

__all__ = [
    "ACCOUNT_BY_ID",
    "ACCOUNT_BY_KEY",
    "ACCOUNT_OF",
    "BEGIN_BATCH",
    "CHARACTER",
    "CHARACTER_GOLD",
    "GRANT",
    "IDLE",
    "LATER_COMMANDS",
    "LEAVING",
    "MISFITS",
    "PREPARE",
    "REVOKE",
    "SESSIONS",
    "SETTINGS",
    "WORLD",
    "WORLD_GOLD",
    "at_once",
    "columns",
    "misfit",
    "taken",
    "takings",
    "writes",
]

_VALUE: Final = re.compile(r"%s::([a-z0-9]+(?:\[\])?)")

#: Each new connection's: what may take how long, when a peer counts as gone, and that a commit is on disk.
SETTINGS: Final = (
    "SET statement_timeout = '5s'; SET lock_timeout = '1s'; SET idle_in_transaction_session_timeout = '10s';"
    " SET tcp_user_timeout = '10s'; SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5;"
    " SET tcp_keepalives_count = 3; SET default_transaction_isolation = 'read committed';"
    " SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit')"
    " WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)"
)


def _prepared(name: str, *parts: str) -> tuple[str, str]:
    """How a statement is prepared and how it is executed.

    :param parts: of the statement; each value stands in it as ``%s::type``
    """
    sql = " ".join(parts)
    types = re.findall(_VALUE, sql)
    numbers = count(1)
    numbered = re.sub(_VALUE, lambda _: f"${next(numbers)}", sql)
    values = ", ".join(["%s"] * len(types))
    return f"PREPARE {name} ({', '.join(types)}) AS {numbered};", f"EXECUTE {name} ({values});"


_BEGUN: Final = (
    "WITH held AS (SELECT epoch FROM fence FOR SHARE), begun AS (INSERT INTO batch"
    " SELECT %s::text, %s::bigint FROM held WHERE epoch = %s::bigint"
    " ON CONFLICT (incarnation) DO UPDATE SET number = excluded.number WHERE batch.number < excluded.number"
    " RETURNING number),"
    " took AS (UPDATE balance SET amount = amount + total, rev = rev + count FROM"
    " unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[]) AS taken (holder, asset, total, count)"
    " WHERE balance.holder = taken.holder AND balance.asset = taken.asset AND EXISTS (SELECT 1 FROM begun) RETURNING 1)"
)
#: A batch begins: by its name, and with what it takes from balances. Whether it begins (not if it is written already,
#: or if the epoch is another server's), and from how many balances it took.
_PREPARE_BEGIN, BEGIN_BATCH = _prepared(
    "begin_batch", _BEGUN, "SELECT (SELECT count(*) FROM begun), (SELECT count(*) FROM took)"
)
#: The same, but it divides by zero unless it begins and takes from so many.
_PREPARE_SURE, _SURE = _prepared(
    "sure_batch",
    _BEGUN,
    "SELECT 1 / (EXISTS (SELECT 1 FROM begun) AND (SELECT count(*) FROM took) = %s::bigint)::int",
)
_PREPARE_GONE, _GONE = _prepared("gone", "DELETE FROM entity WHERE id = ANY(%s::text[])")
_PREPARE_ENTITIES, _ENTITIES = _prepared(
    "entities",
    "INSERT INTO entity (id, kind, proto, zone, place, stack, data) SELECT * FROM"
    " unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[])"
    " ON CONFLICT (id) DO UPDATE SET proto = excluded.proto, zone = excluded.zone, place = excluded.place,"
    " stack = excluded.stack, data = excluded.data, rev = entity.rev + 1",
)
_PREPARE_LEDGER, _LEDGER = _prepared(
    "ledger",
    "INSERT INTO ledger (tx, kind, session, c, asked, at) SELECT * FROM"
    " unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::float8[])",
)
_PREPARE_LINES, _LINES = _prepared(
    "ledger_lines",
    "INSERT INTO ledger_line (tx, holder, asset, delta) SELECT * FROM"
    " unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[])",
)
_PREPARE_BALANCES, _BALANCES = _prepared(
    "balances",
    "INSERT INTO balance (holder, asset, amount, rev) SELECT * FROM"
    " unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[])"
    " ON CONFLICT (holder, asset) DO UPDATE SET amount = balance.amount + excluded.amount,"
    " rev = balance.rev + excluded.rev",
)
_PREPARE_SESSIONS, _SESSIONS = _prepared(
    "sessions",
    "INSERT INTO session (id, character, epoch, head, floor, next_c, asked, undone, tokens, cursors, seen, log, since)"
    " SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[],"
    " %s::text[], %s::text[], %s::text[], %s::float8[], %s::text[], %s::float8[])"
    " ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, head = excluded.head, floor = excluded.floor,"
    " next_c = excluded.next_c, asked = excluded.asked, undone = excluded.undone, tokens = excluded.tokens,"
    " cursors = excluded.cursors, seen = excluded.seen, log = excluded.log, since = excluded.since",
)
_PREPARE_ENDED, _ENDED = _prepared("ended", "DELETE FROM session WHERE id = ANY(%s::text[])")
#: Counters only rise: a batch that had to be tried again may come behind an account that took a newer id.
_PREPARE_META, _META = _prepared(
    "meta",
    "INSERT INTO meta (key, value) SELECT * FROM unnest(%s::text[], %s::text[])"
    " ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE excluded.value::numeric > meta.value::numeric",
)
#: Each new connection's that batches go through: to plan a statement takes the server longer than to run it.
PREPARE: Final = "DEALLOCATE ALL;" + "".join(
    (
        *(_PREPARE_BEGIN, _PREPARE_SURE, _PREPARE_GONE, _PREPARE_ENTITIES, _PREPARE_LEDGER, _PREPARE_LINES),
        *(_PREPARE_BALANCES, _PREPARE_SESSIONS, _PREPARE_ENDED, _PREPARE_META),
    )
)
#: Whose balance does not allow what a batch does to it: holder, asset, by how much, and what there is.
MISFITS: Final = (
    "SELECT holder, asset, total, amount FROM unnest(%s::text[], %s::text[], %s::numeric[], %s::bigint[])"
    " AS changed (holder, asset, total, count) LEFT JOIN balance USING (holder, asset)"
    " WHERE coalesce(amount, 0) + total NOT BETWEEN 0 AND 9223372036854775807 OR (amount IS NULL AND total < 0)"
)

SESSIONS: Final = (
    "SELECT id, character, epoch, head, floor, next_c, asked, undone, tokens, cursors, seen, log, since FROM session"
    " ORDER BY id"
)
#: Commands that the ledger knows of and their session's row does not: it was written before.
LATER_COMMANDS: Final = (
    "SELECT session.id, ledger.c, ledger.asked FROM session JOIN ledger ON ledger.session = session.id"
    " AND ledger.c >= session.next_c ORDER BY ledger.c"
)
#: Characters that no session could bring back; guests among them are nobody's any more.
IDLE: Final = (
    "SELECT id, data FROM entity WHERE kind = 'c'"
    " AND id NOT IN (SELECT character FROM session) AND id NOT IN (SELECT character FROM account) ORDER BY made"
)
#: All entities that no character is or holds, in the order they were made; and the coins of all such holders.
WORLD: Final = (
    "WITH RECURSIVE held (id) AS (SELECT id FROM entity WHERE kind = 'c'"
    " UNION SELECT entity.id FROM entity JOIN held ON entity.place = held.id)"
    " SELECT id, kind, proto, zone, place, stack, data FROM entity"
    " WHERE id NOT IN (SELECT id FROM held) ORDER BY made"
)
WORLD_GOLD: Final = (
    "WITH RECURSIVE held (id) AS (SELECT id FROM entity WHERE kind = 'c'"
    " UNION SELECT entity.id FROM entity JOIN held ON entity.place = held.id)"
    " SELECT holder, amount FROM balance WHERE asset = 'gold' AND amount > 0 AND holder NOT IN (SELECT id FROM held)"
)
#: One character and all it holds, however deep; and the coins in there.
CHARACTER: Final = (
    "WITH RECURSIVE held (id) AS (SELECT id FROM entity WHERE kind = 'c' AND id = %s"
    " UNION SELECT entity.id FROM entity JOIN held ON entity.place = held.id)"
    " SELECT id, kind, proto, zone, place, stack, data FROM entity"
    " WHERE id IN (SELECT id FROM held) ORDER BY made"
)
CHARACTER_GOLD: Final = (
    "WITH RECURSIVE held (id) AS (SELECT id FROM entity WHERE kind = 'c' AND id = %s"
    " UNION SELECT entity.id FROM entity JOIN held ON entity.place = held.id)"
    " SELECT holder, amount FROM balance WHERE asset = 'gold' AND amount > 0 AND holder IN (SELECT id FROM held)"
)

#: A token used twice at once: its family may be revoked before the first use has made its successor.
GRANT: Final = (
    "INSERT INTO refresh_grant (hash, family, session, account, expires, state) SELECT %s, %s, %s, %s, %s,"
    " CASE WHEN EXISTS (SELECT 1 FROM refresh_grant WHERE family = %s AND state = 'revoked')"
    " THEN 'revoked' ELSE 'good' END ON CONFLICT (hash) DO NOTHING"
)
ACCOUNT_BY_ID: Final = ACCOUNTS + " WHERE id = %s"
ACCOUNT_BY_KEY: Final = ACCOUNTS + " WHERE key = %s"
ACCOUNT_OF: Final = ACCOUNTS + " WHERE character = %s"
LEAVING: Final = ACCOUNTS + " WHERE leaves > 0 AND leaves <= %s ORDER BY id"
#: An account plays in one session after another: the grants of those before are as good as those of the last.
REVOKE: Final = (
    "UPDATE refresh_grant SET state = 'revoked' WHERE session = %(session)s OR account ="
    " (SELECT account.id FROM account JOIN session USING (character) WHERE session.id = %(session)s)"
)


def columns(rows: Iterable[Sequence[Any]]) -> list[str]:
    """The rows as an array for each column."""
    return [_array(column) for column in zip(*rows, strict=True)]


def _array(values: Iterable[Any]) -> str:
    """A literal of one dimension, of texts, numbers and nothings."""
    return f"{{{','.join([_element(value) for value in values])}}}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def taken(rows: Sequence[tuple[str, str, int, int]]) -> list[str]:
    """The same of :func:`takings`, of which there may be none."""
    return columns(rows) if rows else ["{}"] * 4


def at_once(batch: Rows, epoch: int) -> tuple[str, list[Any]]:
    """A batch that is known not to be written yet: all of it in one go, which fails if anything is not as it should
    be."""
    takings_ = takings(batch)
    sql, values = writes(batch)
    return _SURE + sql, [batch.incarnation, batch.number, epoch, *taken(takings_), len(takings_), *values]


def writes(batch: Rows) -> tuple[str, list[Any]]:
    """Everything of a batch but what it takes from balances: statements that go out together, and their values."""
    said: list[str] = []
    values: list[Any] = []

    def add(sql: str, *arrays: Any) -> None:
        said.append(sql)
        values.extend(arrays)

    if batch.gone:
        add(_GONE, _array(batch.gone))
    if batch.entities:
        add(_ENTITIES, *columns(batch.entities))
    if batch.ledger:
        add(_LEDGER, *columns(batch.ledger))
    if batch.lines:
        add(_LINES, *columns(batch.lines))
    if given := [row for row in _balances(batch) if row[2] >= 0]:
        add(_BALANCES, *columns(given))
    if batch.sessions:
        add(_SESSIONS, *columns(batch.sessions))
    if batch.ended:
        add(_ENDED, _array(batch.ended))
    add(_META, *columns(batch.meta))
    return "".join(said), values


def takings(batch: Rows) -> list[tuple[str, str, int, int]]:
    """Holder, asset, by how much and in how many lines: an upsert would check the fall itself, which is no row of its
    own."""
    return [row for row in _balances(batch) if row[2] < 0]


def _balances(batch: Rows) -> list[tuple[str, str, int, int]]:
    return [(holder, asset, total, count) for (holder, asset), (total, count) in batch.balances.items()]


def misfit(batch: Rows) -> str:
    """The row that holds a value for which there is no column; empty if there is none."""
    tables: dict[str, Iterable[Sequence[Any]]] = {
        "entity": batch.entities,
        "ledger": batch.ledger,
        "ledger_line": batch.lines,
        "balance": _balances(batch),
        "session": batch.sessions,
    }
    for table, rows in tables.items():
        for row in rows:
            if not all(map(_fits, row)):
                return f"{table} {' '.join([repr(part) for part in row[:3]])}"
    return ""


def _fits(value: Any) -> bool:
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
    return True
