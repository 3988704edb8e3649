"""What operators ask of jobs and breakers over the control socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from mythos.config.problems import near
from mythos.errors import Refusal
from mythos.flow.breaker import State
from mythos.flow.jobs import JobRow
from mythos.net.control import Answer, Order, Question
from mythos.net.jobs import DEAD, Jobs

__all__ = ["JobOrders"]


class JobOrders:
    """:param states: of every breaker, by name
    :param reset: closes one; raises KeyError if there is none of that name
    """

    def __init__(self, jobs: Jobs, states: Callable[[], Mapping[str, State]], reset: Callable[[str], None]) -> None:
        self._jobs = jobs
        self._states = states
        self._reset = reset

    @property
    def orders(self) -> dict[str, Order]:
        return {
            "jobs": self._list,
            "job": self._show,
            "job-replay": self._replay,
            "job-delete": self._delete,
            "breakers": self._breakers,
            "breaker-reset": self._reset_one,
        }

    async def _list(self, asked: Question) -> Answer:
        """How many there are, and the dead letters."""
        letters = await self._jobs.letters(DEAD)
        return {**self._jobs.detail(), "dead": [_told(row) for row in letters]}

    async def _show(self, asked: Question) -> Answer:
        row = await self._jobs.letter(asked.text("what"))
        return {**_told(row), "payload": json.loads(row.payload)}

    async def _replay(self, asked: Question) -> Answer:
        """``what``: the id of one; or ``all`` of them."""
        ids = await self._ids(asked)
        for id in ids:
            await self._jobs.replay(id)
        return {"replayed": ids}

    async def _delete(self, asked: Question) -> Answer:
        """As above."""
        ids = await self._ids(asked)
        for id in ids:
            await self._jobs.delete(id)
        return {"deleted": ids}

    async def _ids(self, asked: Question) -> list[str]:
        if asked.flag("all"):
            return [row.id for row in await self._jobs.letters(DEAD)]
        return [asked.text("what")]

    async def _breakers(self, asked: Question) -> Answer:
        return {"breakers": {name: state.name.lower().replace("_", "-") for name, state in self._states().items()}}

    async def _reset_one(self, asked: Question) -> Answer:
        name = asked.text("name")
        try:
            self._reset(name)
        except KeyError:
            raise Refusal(f"There is no breaker {name!r}{near(name, self._states()) or '.'}") from None
        return {"name": name}


def _told(row: JobRow) -> dict[str, Any]:
    """Without what it is about, which may be anybody's."""
    return {
        "id": row.id,
        "kind": row.kind,
        "priority": row.priority.name.lower(),
        "made": _time(row.made),
        "died": None if row.died is None else _time(row.died),
        "tries": row.tries,
        "error": row.error,
    }


def _time(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds")
