"""Every store that keeps jobs does it the same way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mythos.flow.jobs import JobRow, Priority
from mythos.play.ports import BadBatch
from tests.store.batches import AnyStore


def row(number: int, *, died: float | None = None, priority: Priority = Priority.NORMAL) -> JobRow:
    return JobRow(f"{number:028}", "webhook", priority, '{"to": "Zoë 🦀"}', 1_800_000_000.25, 0, "", died)


async def test_nothing_yet(store: AnyStore) -> None:
    assert list(await store.jobs(dead=False, most=10)) == list(await store.jobs(dead=True, most=10)) == []
    assert await store.job("none") is None
    await store.drop_jobs([])
    await store.drop_jobs(["none"])
    assert await store.trim_dead_jobs(0) == 0


@pytest.mark.parametrize("priority", Priority)
async def test_a_job_comes_back(store: AnyStore, priority: Priority) -> None:
    await store.put_job(row(1, priority=priority))
    assert await store.job(row(1).id) == row(1, priority=priority)


async def test_the_oldest_first(store: AnyStore) -> None:
    """However they were written, and those that are dead apart."""
    for number in (3, 1, 2, 4):
        await store.put_job(row(number))
    for number in (7, 5, 6):
        await store.put_job(row(number, died=9.5))
    assert list(await store.jobs(dead=False, most=3)) == [row(1), row(2), row(3)]
    assert list(await store.jobs(dead=True, most=2)) == [row(6, died=9.5), row(7, died=9.5)]


async def test_tried_given_up_and_begun_anew(store: AnyStore) -> None:
    """A job keeps its id, and there is one of it."""
    await store.put_job(row(1))
    tried = replace(row(1), tries=2, error="It does not answer.")
    await store.put_job(tried)
    assert list(await store.jobs(dead=False, most=9)) == [tried]
    await store.put_job(replace(tried, died=77.5))
    assert list(await store.jobs(dead=False, most=9)) == []
    await store.put_job(row(1))
    assert list(await store.jobs(dead=False, most=9)) == [row(1)]
    assert list(await store.jobs(dead=True, most=9)) == []


async def test_dropped(store: AnyStore) -> None:
    for number in (1, 2, 3):
        await store.put_job(row(number))
    await store.drop_jobs([row(1).id, row(3).id, "none"])
    assert list(await store.jobs(dead=False, most=9)) == [row(2)]


async def test_only_so_many_dead(store: AnyStore) -> None:
    """The newest stay, and what is to run stays in any case."""
    await store.put_job(row(1))
    for number in range(2, 7):
        await store.put_job(row(number, died=1.0))
    assert await store.trim_dead_jobs(2) == 3
    assert list(await store.jobs(dead=True, most=9)) == [row(5, died=1.0), row(6, died=1.0)]
    assert list(await store.jobs(dead=False, most=9)) == [row(1)]


async def test_a_row_that_does_not_fit(store: AnyStore) -> None:
    """It is refused as such, and the store goes on."""
    with pytest.raises(BadBatch):
        await store.put_job(replace(row(1), tries=-1))
    await store.put_job(row(1))
    assert await store.job(row(1).id) == row(1)
