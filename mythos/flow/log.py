"""The session log: bounded, numbered, one for each session, read by many cursors.

The log is the only queue between the game and a connection. Each connection has a :class:`Cursor` and
pulls what it can write; memory is what the log keeps, however slow a reader is.

Numbers rise by one. A state message that is replaced by a newer one of the same name leaves a hole, which
says nothing was lost; a reader learns of it by the number before (``p``). Two rules keep losses loud:

* **trim**: an entry is freed when every cursor, attached or recently detached, has *acknowledged* it
  (acknowledged, never "sent"), or when a bound forces it out;
* **overtake**: a cursor that is below what is still kept gets a :class:`Gap` before anything else.
  No path skips an entry that was not replaced.

Without either rule a random model loses lines silently; ``tests/flow/test_log_model.py`` shows it.
Time is told, never asked. Seconds, monotonic.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Protocol

__all__ = ["PLACES", "Cursor", "Entry", "Gap", "Limits", "Logged", "SessionLog", "put_all"]

#: Places of connections that are gone, kept for one session.
PLACES = 16


class Logged(Protocol):
    """What a log keeps: anything with a size in bytes."""

    @property
    def size(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one log.

    :ivar events: most entries kept
    :ivar bytes: most bytes kept, by the entries' own ``size``
    :ivar window: seconds an entry, and the place of a connection that is gone, are kept
    """

    events: int = 512
    bytes: int = 65_536
    window: float = 600.0


#: (number, the second it was put, what)
Entry = tuple[int, float, Logged]


@dataclass(frozen=True, slots=True)
class Gap:
    """``missed`` numbers up to and with ``to`` are no longer kept."""

    to: int
    missed: int


class Cursor:
    """Where one connection stands. Its place outlives it for the window, so that it can come back.

    :ivar sent: the last number handed to it
    :ivar acked: the last number it said it has
    :ivar gone: the second it detached; None while attached
    :ivar kind: the door, so that a telnet client finds its own place again without a number
    :ivar name: what only its client can come back with, such as the digest of its token; may be empty
    """

    __slots__ = ("acked", "gone", "kind", "name", "sent")

    def __init__(self, kind: str, sent: int) -> None:
        self.kind = kind
        self.sent = sent
        self.acked = sent
        self.gone: float | None = None
        self.name = ""


class SessionLog:
    """See the module.

    :ivar epoch: identity of this history; a new one whenever some of it may be lost
    :ivar head: the last number given; 0: none yet
    :ivar floor: every number up to it is freed
    """

    __slots__ = ("_states", "cursors", "entries", "epoch", "floor", "head", "limits", "size")

    def __init__(self, epoch: str, limits: Limits, head: int = 0) -> None:
        self.epoch = epoch
        self.limits = limits
        self.head = head
        self.floor = head
        self.size = 0
        self.entries: list[Entry] = []
        self.cursors: list[Cursor] = []
        self._states: dict[str, int] | None = None

    # ── writing ─────────────────────────────────────────────────────────────────────────────────

    def put(self, what: Logged, now: float) -> int:
        """Append; returns its number."""
        self.head = number = self.head + 1
        self.entries.append((number, now, what))
        self.size = size = self.size + what.size
        limits = self.limits
        if size > limits.bytes or len(self.entries) > limits.events:
            self._force()
        return number

    def put_several(self, several: Sequence[Logged], now: float) -> None:
        """Append each of them, in order: what one turn tells one listener."""
        entries, head = self.entries, self.head
        self.head = head + len(several)
        entries.extend(zip(range(head + 1, self.head + 1), repeat(now), several))
        self.size = size = self.size + sum([what.size for what in several])
        if size > self.limits.bytes or len(entries) > self.limits.events:
            self._force()

    def put_state(self, name: str, what: Logged, now: float) -> int:
        """Append the newest value of ``name``; an older one that is still kept is replaced."""
        states = self._states
        if states is None:
            states = self._states = {}
        old = states.get(name)
        if old is not None and old > self.floor:
            index = bisect_left(self.entries, (old,))
            self.size -= self.entries[index][2].size
            del self.entries[index]
        number = states[name] = self.put(what, now)
        return number

    def restore(self, floor: int, entries: list[Entry]) -> None:
        """What was kept before a planned restart, into a log that is empty; its head is given already."""
        self.floor = floor
        self.entries = entries
        self.size = sum([entry[2].size for entry in entries])

    def _force(self) -> None:
        """Free the oldest until the bounds hold, and an eighth more, so that a full log is not cut at every line; the
        newest entry always stays."""
        entries, limits = self.entries, self.limits
        drop, size = 0, self.size
        last = len(entries) - 1
        most, least = limits.bytes - limits.bytes // 8, len(entries) - limits.events + limits.events // 8
        while drop < last and (size > most or drop < least):
            size -= entries[drop][2].size
            drop += 1
        self._free(drop, size)

    def _free(self, count: int, size: int) -> None:
        if count:
            self.floor = self.entries[count - 1][0]
            del self.entries[:count]
            self.size = size

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    def overtaken(self, cursor: Cursor) -> Gap | None:
        """The overtake rule: asked before each pull; moves the cursor over what is gone.

        What it acknowledged stays as it was: the gap may be lost on its way like anything else.
        """
        if cursor.sent >= self.floor:
            return None
        gap = Gap(self.floor, self.floor - cursor.sent)
        cursor.sent = self.floor
        return gap

    def pull(self, cursor: Cursor, most: int) -> list[Entry]:
        """The next entries for a cursor that is not overtaken, in order, up to and with the one that makes them more
        than ``most`` bytes. The cursor moves over them."""
        entries = self.entries
        if not entries or cursor.sent >= self.head:
            cursor.sent = max(cursor.sent, self.head)
            return []
        if entries[-1][0] <= cursor.sent + 1:  # the usual case: it has seen all but the newest
            found = entries[-1:] if entries[-1][0] > cursor.sent else []
        else:
            start = bisect_left(entries, (cursor.sent + 1,))
            if self.size <= most:
                found = entries[start:]
            else:
                end, size = start, 0
                while end < len(entries) and (size <= most or end == start):
                    size += entries[end][2].size
                    end += 1
                found = entries[start:end]
        if found:
            cursor.sent = found[-1][0]
        return found

    def behind(self, cursor: Cursor, now: float) -> tuple[int, float]:
        """(bytes, seconds) that a cursor has still to be sent: how slow it is."""
        if cursor.sent >= self.head:
            return 0, 0.0
        start = bisect_left(self.entries, (cursor.sent + 1,))
        waiting = self.entries[start:]
        if not waiting:
            return 0, 0.0
        return sum(entry[2].size for entry in waiting), now - waiting[0][1]

    def waits(self, cursor: Cursor, now: float) -> float:
        """Seconds that the oldest entry a cursor has still to be sent has been kept; 0.0 if there is none."""
        if cursor.sent >= self.head:
            return 0.0
        start = bisect_left(self.entries, (cursor.sent + 1,))
        return now - self.entries[start][1] if start < len(self.entries) else 0.0

    # ── cursors ─────────────────────────────────────────────────────────────────────────────────

    def attach(self, kind: str, epoch: str | None, last: int | None) -> tuple[Cursor, str]:
        """A connection came; returns its cursor and why it does not go on from ``last``: empty if it does.

        The reason is ``new`` (it named no place), ``epoch``, ``ahead`` or ``behind``. Then the cursor starts at the
        head, and the caller owes it a snapshot. One that is behind has acknowledged no more than before: it may be
        gone again before it hears of that.
        """
        if last is None or epoch is None:
            reason = "new"
        elif epoch != self.epoch:
            reason = "epoch"
        elif last > self.head:
            reason = "ahead"
        elif last < self.floor:
            reason = "behind"
        else:
            cursor = Cursor(kind, last)
            self.cursors.append(cursor)
            return cursor, ""
        cursor = Cursor(kind, self.head)
        if reason == "behind":
            assert last is not None
            cursor.acked = last
        self.cursors.append(cursor)
        return cursor, reason

    def return_of(self, kind: str) -> int | None:
        """Where the last connection of a door that is gone stands, for a client that cannot tell.

        It may lie below what is kept: then attaching there says so.
        """
        place = self._left_by(kind)
        return None if place is None else place.acked

    def _left_by(self, kind: str) -> Cursor | None:
        """The place of the last connection of a door that is gone; of several, the one named last."""
        found: Cursor | None = None
        for cursor in self.cursors:
            if (
                cursor.kind == kind
                and cursor.gone is not None
                and (found is None or cursor.gone >= (found.gone or 0.0))
            ):
                found = cursor
        return found

    def succeed(self, cursor: Cursor, name: str | None = None) -> None:
        """The client of ``cursor`` is the one whose place has that ``name``, or (None) that left by the same door
        last: that place need not be kept for it any longer.

        Nothing less certain will do. To give a place up because a client came back *near* it frees what another
        connection that is away still needs.
        """
        if name is not None:
            place = next((one for one in self.cursors if one.name == name and one.gone is not None), None)
        else:
            place = self._left_by(cursor.kind)
        if place is not None and place is not cursor:
            self.cursors.remove(place)
            self.trim()

    def detach(self, cursor: Cursor, now: float) -> None:
        """The connection is gone; its place stays for the window, unless :data:`PLACES` others went later."""
        cursor.gone = now
        gone = [one for one in self.cursors if one.gone is not None]
        if len(gone) > PLACES:
            self.cursors.remove(min(gone, key=lambda one: one.gone or 0.0))
            self.trim()

    def ack(self, cursor: Cursor, number: int) -> bool:
        """It has everything up to ``number``. False: it claims more than it was sent, and nothing is done."""
        if number > cursor.sent:
            return False
        if number > cursor.acked:
            cursor.acked = number
            self.trim()
        return True

    def trim(self) -> None:
        """The trim rule."""
        if not self.entries or not self.cursors:
            return
        seen = min([cursor.acked for cursor in self.cursors])
        if self.entries[0][0] <= seen:
            count = bisect_left(self.entries, (seen + 1,))
            freed = sum([entry[2].size for entry in self.entries[:count]])
            self._free(count, self.size - freed)

    def sweep(self, now: float) -> None:
        """Free what is older than the window, and the places of connections gone longer than that."""
        old = now - self.limits.window
        if any(cursor.gone is not None and cursor.gone < old for cursor in self.cursors):
            self.cursors = [cursor for cursor in self.cursors if cursor.gone is None or cursor.gone >= old]
            self.trim()
        if self.entries and self.entries[0][1] < old:
            count = bisect_left(self.entries, old, key=_at)
            freed = sum([entry[2].size for entry in self.entries[:count]])
            self._free(count, self.size - freed)


def put_all(logs: Iterable[SessionLog], what: Logged, now: float) -> None:
    """:meth:`SessionLog.put` of the same into many logs: the inner loop of every crowd, so without a call for each."""
    size = what.size
    for log in logs:
        log.head = number = log.head + 1
        entries = log.entries
        entries.append((number, now, what))
        log.size += size
        limits = log.limits
        if log.size > limits.bytes or len(entries) > limits.events:
            log._force()


def _at(entry: Entry) -> float:
    return entry[1]
