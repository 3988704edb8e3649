"""A client of the gateway, over all its connections: what it may, what it joined, and what it was told."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from mythos.flow.bucket import Bucket
from mythos.net.gateway.events import Event
from mythos.net.gateway.keys import Key

if TYPE_CHECKING:
    from mythos.net.gateway.mud import GatewayMud

__all__ = ["ApiSession", "Door"]


#: Bytes of events that a session keeps: as many as a connection takes at once.
HOLD: Final = 1_000_000
#: Numbers passed over after a kill: some were given to events that were told and not kept.
PASSED: Final = 1_000_000


class Door(Protocol):
    """One connection of a client, on either road.

    :ivar alone: its address is the client's own: neither a web page nor a proxy of which we know nothing
    """

    address: str
    alone: bool

    def send(self, message: bytes) -> None:
        """One JSON text; all that one read brings about go out together."""

    def rest(self, seconds: float) -> None:
        """Read nothing for a while, so that the client has to wait with what it sends."""

    def close(self, code: int, reason: str) -> None:
        """Behind what was sent. ``code`` as a WebSocket close code."""


class ApiSession:
    """Lives from authentication until its client has been away for too long; then it can no longer be resumed.

    :ivar of_methods: buckets of the methods that have limits of their own
    :ivar door: its connection; None: it is away
    :ivar seq: number of the last event it was told
    :ivar left_at: the same, when its connection was lost
    :ivar resume_from: it asked to be told again what came after this number
    :ivar warned: second it was last told that it is near its limit
    :ivar channels: those it joined, with the user's name it gave; they end with it
    :ivar away_since: unix second its connection was lost
    """

    __slots__ = (
        "_held",
        "_log",
        "_passed",
        "away_since",
        "bucket",
        "channels",
        "door",
        "id",
        "key",
        "left_at",
        "mud",
        "of_methods",
        "resume_from",
        "seq",
        "warned",
    )

    def __init__(self, id: str, mud: GatewayMud, key: Key, bucket: Bucket, now: float) -> None:
        self.id = id
        self.mud = mud
        self.key = key
        self.bucket = bucket
        self.of_methods: dict[str, Bucket] = {}
        self.door: Door | None = None
        self.channels: dict[str, str] = {}
        self.seq = 0
        self.left_at = 0
        self.resume_from: int | None = None
        self.away_since = now
        self.warned = -1e9
        self._log: deque[tuple[int, Event]] = deque()
        self._held = 0
        self._passed = (0, 0)

    def wants(self, event: Event) -> bool:
        return (not event.channel or event.channel in self.channels) and self.key.permits(event.permission)

    def tell(self, event: Event, most: int) -> None:
        """Now if it is there, and again if it resumes; the ``most`` newest are kept, as far as :data:`HOLD` goes."""
        self.seq += 1
        log = self._log
        log.append((self.seq, event))
        self._held += event.size
        while len(log) > most or (self._held > HOLD and len(log) > 1):
            self._drop()
        if self.door is not None:
            self.door.send(event.encode(self.seq))

    def forget(self, before: float) -> None:
        """Let go of what was told before a unix second."""
        log = self._log
        while log and log[0][1].at < before:
            self._drop()

    def _drop(self) -> None:
        _, event = self._log.popleft()
        self._held -= event.size

    def missed(self, last: int) -> tuple[int, int]:
        """How many events after ``last`` it can be told again, and how many are lost to it."""
        kept = sum(seq > last for seq, _ in self._log)  # those its key is not for, too: it does not lack them
        bottom, top = self._passed
        return kept, self.seq - last - kept - max(0, top - max(bottom, last))

    def tell_again(self, last: int) -> None:
        """What came after ``last``."""
        assert self.door is not None
        for seq, event in self._log:
            if seq > last and self.key.permits(event.permission):
                self.door.send(event.encode(seq))

    def heard(self, event: Event) -> bool:
        """Whether this one stands in its log."""
        return any(one.id == event.id for _, one in self._log)

    # ── what outlives the server ────────────────────────────────────────────────────────────────

    def kept(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "key": self.key.id,
            "channels": self.channels,
            "seq": self.seq,
            "passed": self._passed,
            "left_at": self.seq if self.door is not None else self.left_at,
            "away_since": 0.0 if self.door is not None else self.away_since,
            "log": [[seq, event.id] for seq, event in self._log],
        }

    def events(self) -> Iterator[Event]:
        """Those it can be told again."""
        for _, event in self._log:
            yield event

    def remember(self, kept: Mapping[str, Any], events: Mapping[int, Event], now: float, *, stopped: bool) -> None:
        """What :meth:`kept` gave before a restart. One whose connection the restart cut is away since now.

        :param events: those of the log, by id
        :param stopped: nothing was told after it
        """
        self.channels = dict(kept["channels"])
        self.seq, self.left_at = kept["seq"], kept["left_at"]
        self.away_since = kept["away_since"] or now
        bottom, top = kept["passed"]
        self._passed = bottom, top
        self._log.extend([(seq, events[id]) for seq, id in kept["log"]])
        self._held = sum([event.size for _, event in self._log])
        if not stopped:
            self.seq += PASSED
            self._passed = self.seq - PASSED, self.seq
