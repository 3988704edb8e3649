"""Batches made by hand, and a look behind the port."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mythos.ids import EntityId, PlaceId, SessionId
from mythos.play.commits import Batch, Transaction
from mythos.play.ports import SessionRecord, Store
from mythos.store.postgres.store import PostgresStore
from mythos.store.sqlite import SQLiteStore
from mythos.world.state import Entity, Posting

__all__ = ["ANN", "BOB", "AnyStore", "ask", "batch", "everything", "paid", "write"]

AnyStore = SQLiteStore | PostgresStore
ANN, BOB = EntityId("c1"), EntityId("c2")


def paid(
    tx: int,
    source: PlaceId,
    target: PlaceId,
    amount: int,
    *,
    asset: str = "gold",
    session: SessionId | None = None,
    c: int | None = None,
    kind: str = "give",
) -> Transaction:
    """A turn of one posting."""
    return Transaction(tx, kind, session, c, (Posting(asset, source, target, amount),))


def batch(
    number: int,
    *transactions: Transaction,
    entities: Iterable[Entity] = (),
    gone: Iterable[EntityId] = (),
    sessions: Iterable[SessionRecord] = (),
    incarnation: str = "first",
    next_id: int = 1,
    next_tx: int = 1,
) -> Batch:
    """A batch that closes at the world's second ``10 * number``."""
    return Batch(
        incarnation,
        number,
        tuple(entities),
        tuple(gone),
        transactions,
        tuple(sessions),
        10.0 * number,
        next_id,
        next_tx,
    )


async def write(store: Store, what: Batch) -> None:
    await store.write(store.encode(what))


async def ask(store: AnyStore, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Ask the database itself, on the store's own connection. A ``?`` stands for a value."""
    if isinstance(store, PostgresStore):
        return await store.world.query(sql.replace("?", "%s"), values)
    return await store._run(lambda database: database.execute(sql, values).fetchall())


async def everything(store: AnyStore) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    catalogue = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
    if isinstance(store, PostgresStore):
        catalogue = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    tables = await ask(store, catalogue)
    return {name: await ask(store, f"SELECT * FROM {name} ORDER BY 1, 2") for (name,) in tables}  # noqa: S608
