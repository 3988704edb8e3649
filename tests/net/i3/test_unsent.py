"""Tells that wait for a router: kept over a kill, and sent once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mythos.net.i3.link import SECOND
from mythos.net.i3.unsent import Unsent
from mythos.wire.i3 import packets
from tests.net.i3.test_link import Net

RATE = 8


class Kept(Net):
    """A link that lets two tells pass after its startup, then eight within a second, and a file for what waits."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, rate=RATE)
        self.file = path / "i3-unsent.json"
        self.unsent = Unsent(self.file, self.link.turn)
        self.unsent.watch("Ours", self.link)
        self.unsent.remember()

    def tell(self, *words: str) -> None:
        for one in words:
            assert self.link.send(packets.Tell("Ours", "ann", "Other MUD", "zoe", "Ann", one))

    def told(self) -> list[str]:
        return [one[7] for one in self.take() if one[0] == "tell"]

    @property
    def kept(self) -> list[str]:
        return [one[7] for one in json.loads(self.file.read_text()).get("Ours", ())]


WORDS = [str(number) for number in range(20)]


def test_a_kill(tmp_path: Path) -> None:
    """Nothing is written until something has to wait; then what stands on disk is what was not sent, at any time."""
    net = Kept(tmp_path)
    net.let_in()
    net.tell(*WORDS[:2])
    heard = net.told()
    assert not net.file.exists()
    net.tell(*WORDS[2:])
    assert (heard, net.kept) == (WORDS[:2], WORDS[2:])
    net.reactor.advance(SECOND)
    heard += net.told()
    assert heard + net.kept == WORDS
    assert len(heard) == 2 + RATE
    for _ in range(2):
        net = Kept(tmp_path)
        net.let_in()
        heard += net.told()
        assert heard + net.kept == WORDS
    net.reactor.advance(SECOND)
    assert heard + net.told() == WORDS
    assert net.kept == []
    assert Kept(tmp_path).link.unsent() == []


def test_one_write_for_all_that_go_at_one_time(tmp_path: Path) -> None:
    """And it is written before they are."""
    net = Kept(tmp_path)
    net.let_in()
    net.tell(*WORDS)
    writes: list[list[str]] = []
    save = net.unsent.save

    def counted() -> None:
        save()
        assert net.told() == []
        writes.append(net.kept)

    net.take()
    net.unsent.save = counted  # type: ignore[method-assign]
    net.reactor.advance(SECOND)
    assert writes == [WORDS[2 + RATE :]]
    assert net.told() == WORDS[2 : 2 + RATE]


def test_a_link_that_is_no_more(tmp_path: Path) -> None:
    """Its tells go with it; so do those of a MUD that is not there after a restart."""
    net = Kept(tmp_path)
    net.let_in()
    net.tell(*WORDS)
    other = Unsent(net.file, net.link.turn)
    other.remember()
    assert net.kept == WORDS[2:]
    net.unsent.forget("Ours")
    assert json.loads(net.file.read_text()) == {}


@pytest.mark.parametrize("text", ["{", "[]", '{"Ours": 5}', '{"Ours": [[]]}', '{"Ours": [["tell", 5, "Ours"]]}'])
def test_a_file_of_no_sense(tmp_path: Path, text: str) -> None:
    """It is set aside, and nothing of it is sent."""
    (tmp_path / "i3-unsent.json").write_text(text)
    net = Kept(tmp_path)
    assert net.link.unsent() == []
    assert (tmp_path / "i3-unsent.bad").read_text() == text


def test_a_full_disk(tmp_path: Path) -> None:
    """It is sent all the same, and not again after a kill."""
    net = Kept(tmp_path)
    net.let_in()
    net.tell(*WORDS)
    net.take()
    (tmp_path / "i3-unsent.part").mkdir()
    net.reactor.advance(SECOND)
    assert net.told() == WORDS[2 : 2 + RATE]
    assert not net.file.exists()
    assert Kept(tmp_path).link.unsent() == []
    (tmp_path / "i3-unsent.part").rmdir()
    net.reactor.advance(SECOND)
    assert net.told() + net.kept == WORDS[2 + RATE :]
