"""One of the two processes that are ten thousand players; ``bench/measures/sessions.py`` starts them.

``python -m bench.horde PORT COUNT ADDRESS``: waits for a line on its standard input, leads its players in, each to its
room, prints ``{"first", "last"}`` (monotonic seconds: the first connect, the last prompt); waits for a line with a
number of seconds, plays for so long, and prints ``{"typed", "prompted", "left"}``.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from ipaddress import IPv4Address
from typing import Final

from bench import doors, world

__all__ = ["main"]

#: Players on their way in at once; and from one source address.
AT_ONCE: Final = 1500
PER_ADDRESS: Final = 1000
#: Of the players a fifth is active, with a command every four seconds; every tenth command is heard by the room.
COMMANDS: Final = 0.05
ALOUD: Final = 10


def play(players: list[socket.socket], seconds: float) -> dict[str, int]:
    """Type at a steady pace, read what comes."""
    poll = select.epoll()
    by_number = {plug.fileno(): plug for plug in players}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    typed = prompted = 0
    waits: set[int] = set()
    start = time.monotonic()
    while (now := time.monotonic()) < start + seconds or (waits and now < start + seconds + 5):
        due = int(min(now - start, seconds) * COMMANDS * len(players))
        while typed < due:
            plug = players[typed * 7919 % len(players)]  # a prime: players far apart, in other rooms
            plug.send(b"say hello to all of you\r\n" if typed % ALOUD == 0 else b"look\r\n")
            waits.add(plug.fileno())
            typed += 1
        for number, _ in poll.poll(0.005):
            data = by_number[number].recv(65_536)
            if not data:
                poll.unregister(number)
                del by_number[number]
            elif number in waits and data.endswith(b"> "):
                waits.discard(number)
                prompted += 1
    return {"typed": typed, "prompted": prompted, "left": len(by_number)}


def main(port: int, count: int, address: str) -> None:
    base = IPv4Address(address)
    sys.stdin.readline()
    first = time.monotonic()
    players = doors.enter(
        port, count, world.walk, at_once=AT_ONCE, source=lambda number: str(base + number // PER_ADDRESS)
    )
    print(json.dumps({"first": first, "last": time.monotonic()}), flush=True)
    print(json.dumps(play(players, float(sys.stdin.readline()))), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
