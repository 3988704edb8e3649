"""The server is renewed while everybody talks: each line is heard once and each command run once, whoever dies."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from pathlib import Path

import pytest

from mythos.store.fsck import check
from tests.chaos.talkers import Choir, Compressed, Deflated, Socket, Talker, Telnet
from tests.house.clients import WebSocket
from tests.house.renewed import Refused, Renewed
from tests.house.server import select_nothing

_FEW, _MANY = (40, 12), (1000, 200)
_TIMES, _KILLS = 3, 4
#: What the control forgets in the new process: half lines, and what had been sent already.
_FORGETS = {
    "half lines": "import mythos.wire.telnet as t\nwas = t.Parser.restore\n"
    "def restore(self, state): was(self, {**state, '_pending': None})\nt.Parser.restore = restore",
    "where it stood": "import mythos.play.handover as h\nwas = h.take_up\n"
    "def take_up(realm, session, state):\n"
    "    was(realm, session, state)\n"
    "    for one in session.log.cursors: one.sent = max(session.log.floor, one.sent - 1)\n"
    "h.take_up = take_up",
}


def _talkers(house: Renewed, counts: tuple[int, int], dice: random.Random) -> list[Talker]:
    made: list[Talker] = []
    for kinds, count, door in (((Telnet, Compressed), counts[0], "telnet"), ((Socket, Deflated), counts[1], "http")):
        for number in range(count):
            guest = house.post("/api/v1/guest")
            kind = kinds[number // 2 % 2]
            made.append(kind(house.ports[door], guest["token"], guest["name"], random.Random(dice.random())))
    return made


def _until_said(choir: Choir, each: int) -> None:
    """Until everybody has said so many lines more."""
    wanted = [(one, len(one.said) + each) for one in choir.talkers]
    while any(len(one.said) < count and not one.broken for one, count in wanted):
        assert choir.is_alive(), choir.error
        select_nothing(0.05)


def _renewed(house: Renewed, choir: Choir, times: int) -> list[float]:
    """Seconds that the server says everybody waited."""
    waits = []
    for _ in range(times):
        _until_said(choir, 2)
        answer = house.renew(120.0)
        assert (answer["handed"], answer["rest"]) == (len(choir.talkers), 0)
        waits.append(answer["pause_ms"] / 1000)
    _until_said(choir, 2)
    return waits


@pytest.mark.chaos
def test_every_line_once(tmp_path: Path, long: bool, capsys: pytest.CaptureFixture[str]) -> None:
    dice = random.Random(5)
    with Renewed(tmp_path) as house:
        choir = Choir(_talkers(house, _MANY if long else _FEW, dice), dice)
        choir.start()
        _until_said(choir, 15)  # so that compression is offered and agreed on
        waits = _renewed(house, choir, _TIMES)
        choir.hush()
    said = sum(len(one.said) for one in choir.talkers)
    worst = max(max(one.waits) for one in choir.talkers)
    with capsys.disabled():
        print(
            f"\n{len(choir.talkers)} people, {said} lines, {len(waits)} times renewed: {max(waits):.3f} s at the worst,"
            f" {worst:.3f} s as seen by a client; {len(choir.wrong())} heard or said something else"
        )
    assert choir.wrong() == []
    assert all(one.compressed for one in choir.talkers if isinstance(one, Compressed))
    assert any(one.deflated for one in choir.talkers if isinstance(one, Deflated))


@pytest.mark.parametrize("what", _FORGETS)
def test_what_is_forgotten_is_noticed(tmp_path: Path, what: str) -> None:
    """The control."""
    dice = random.Random(6)
    with Renewed(tmp_path) as house:
        choir = Choir(_talkers(house, _FEW, dice), dice)
        choir.start()
        _until_said(choir, 2)
        house.fault.write_text(_FORGETS[what])
        house.renew()
        choir.hush()
    assert len(choir.wrong()) >= len(choir.talkers) // 4


@pytest.mark.chaos
def test_killed_at_any_moment(tmp_path: Path, long: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """kill -9 of the old process or the new one while it hands over. The new one: nobody notices. The old one: either
    the new one has everything, or it ends too, and all come back to what they were told."""
    dice = random.Random(7)
    ends = {"went on": 0, "came back": 0}
    for number in range(_KILLS * (5 if long else 1)):
        place = tmp_path / str(number)
        place.mkdir()
        house = Renewed(place).start()
        choir = Choir(_talkers(house, (12, 4), dice), dice)
        choir.start()
        _until_said(choir, 2)
        sockets = [WebSocket(house.ports["http"], house.post("/api/v1/guest")["token"]) for _ in range(2)]
        for one in sockets:
            one.command("say here")
        new, renewed = _die(house, kill_new=number % 2 == 0, dice=dice)
        if _answers(house):
            ends["went on"] += 1
            _until_said(choir, 3)
            choir.hush()
            assert choir.wrong() == []
            for one in sockets:
                assert one.command("say again")["t"] == "done"
            if number % 2:
                os.kill(new, signal.SIGKILL)
        else:
            assert number % 2 or renewed  # then it was the server that was killed, and nobody else
            ends["came back"] += 1
            choir.hush()
            assert not [one.said for one in choir.talkers if one.said != list(range(len(one.said)))]
            house.kill()
            house.start()
            for one in sockets:
                back = WebSocket(house.ports["http"], one.token, epoch=one.epoch, last=one.last)
                assert back.command("say again")["t"] == "done"
                assert back.hello["resumed"] or back.last > 0
        house.kill()
        assert list(check(house.data / "mythos.db")) == []
    with capsys.disabled():
        print(f"\nkilled: {ends}")


def _die(house: Renewed, *, kill_new: bool, dice: random.Random) -> tuple[int, bool]:
    """Renew, and kill one of the two processes on the way; returns the number of the new one, and whether the operator
    was told that it is the server."""
    old, told = house.pid, []

    def renew() -> None:
        with contextlib.suppress(Refused, OSError, ValueError):
            told.append(house.renew())

    renewing = threading.Thread(target=renew)
    renewing.start()
    children = Path(f"/proc/{old}/task/{old}/children")
    while not (found := children.read_text().split()):
        select_nothing(0.005)
    new = int(found[-1])
    select_nothing(0.4 + dice.random() * 1.2)
    with contextlib.suppress(ProcessLookupError):
        os.kill(new if kill_new else old, signal.SIGKILL)
    renewing.join()
    return new, bool(told)


def _answers(house: Renewed) -> bool:
    try:
        return bool(house.get("/health/live"))
    except OSError:
        return False
