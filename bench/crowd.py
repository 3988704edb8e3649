"""A crowd that listens: what is said is heard by all of it, each line once, whole, in one order."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterable, Sequence
from time import monotonic

from bench.ears import Ear, Misheard

__all__ = ["Crowd", "Hearer"]


class Hearer:
    """One connection. ``count``: how many lines it has heard."""

    __slots__ = ("count", "ear", "socket")

    def __init__(self, plug: socket.socket, ear: Ear) -> None:
        plug.setblocking(False)
        self.socket = plug
        self.ear = ear
        self.count = 0


class Crowd:
    """:param speakers: those who say something; they hear the others and themselves like everybody
    :param typed: words -> what a speaker sends to say them
    """

    def __init__(
        self,
        listeners: Iterable[Hearer],
        speakers: Sequence[Hearer],
        *,
        typed: Callable[[bytes], bytes] = b"say %b\r\n".__mod__,
    ) -> None:
        self._speakers = speakers
        self._typed = typed
        self._poll = select.epoll()
        self._by_number = {hearer.socket.fileno(): hearer for hearer in (*listeners, *speakers)}
        for number in self._by_number:
            self._poll.register(number, select.EPOLLIN)
        self._order: list[bytes] = []
        self._due: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._by_number)

    def close(self) -> None:
        self._poll.close()
        for hearer in self._by_number.values():
            hearer.socket.close()

    def settle(self, quiet: float = 0.3, most: float = 10.0) -> None:
        """Read until nothing came for ``quiet`` seconds.

        :raises Misheard: somebody hears words that are not due
        """
        end = monotonic() + most
        while monotonic() < end:
            ready = self._poll.poll(quiet)
            if not ready:
                return
            for number, _ in ready:
                self._hear(self._by_number[number])
        raise Misheard(f"the server was still talking after {most} s")

    def say(self, words: Sequence[bytes], within: float = 20.0) -> None:
        """Each speaker says one of the words, all at once; wait until everybody has heard them.

        :param words: never said before
        :raises Misheard: somebody heard something else, in another order, twice, or not in time
        """
        self._due.update(words)
        goal = len(self._order) + len(words)
        for speaker, text in zip(self._speakers, words, strict=False):
            speaker.socket.send(self._typed(text))
        left = len(self._by_number)
        end = monotonic() + within
        while left:
            for number, _ in self._poll.poll(0):  # a reader that slept would have to be woken, at the sender's cost
                hearer = self._by_number[number]
                before = hearer.count
                self._hear(hearer)
                if hearer.count == goal > before:
                    left -= 1
            if monotonic() > end:
                raise Misheard(f"{left} of {len(self)} had not heard everything after {within} s")

    def _hear(self, hearer: Hearer) -> None:
        data = hearer.socket.recv(65_536)
        if not data:
            raise Misheard("the server closed a connection")
        ear = hearer.ear
        heard = ear.feed(data)
        if ear.replies:
            hearer.socket.send(ear.replies)
            ear.replies.clear()
        if not heard:
            return
        order = self._order
        hearer.count, before = hearer.count + len(heard), hearer.count
        known = order[before : hearer.count]
        if known == heard:
            return
        if heard[: len(known)] != known:
            raise Misheard(f"heard {heard}, where others heard {known}")
        for words in heard[len(known) :]:
            if words not in self._due:
                raise Misheard(f"heard {words!r}, which nobody said or which came twice")
            self._due.discard(words)
            order.append(words)
