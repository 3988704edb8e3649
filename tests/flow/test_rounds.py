"""Going round many things in parts."""

from __future__ import annotations

from mythos.flow.rounds import PART, Rounds


def test_each_once_in_a_round() -> None:
    everything = list(range(2 * PART + 3))
    rounds = Rounds(5.0, lambda: everything)
    parts = [rounds.part(1.0 + 0.1 * step) for step in range(4)]
    assert [len(part) for part in parts] == [PART, PART, 3, 0]
    assert [one for part in parts for one in part] == everything


def test_the_next_round_begins_when_it_is_due() -> None:
    """Five seconds after the one before began, with what is there then; late, if that one took longer."""
    there = ["ann"]
    rounds = Rounds(5.0, lambda: there)
    assert rounds.part(100.0) == ["ann"]
    there.append("bob")
    assert rounds.part(104.9) == []
    assert rounds.part(105.0) == ["ann", "bob"]


def test_what_comes_during_a_round_waits_for_the_next() -> None:
    there = list(range(PART + 1))
    rounds = Rounds(1.0, lambda: there)
    rounds.part(0.0)
    there.append(-1)
    assert rounds.part(2.0) == [PART]
    assert rounds.part(2.0)[:1] == [0]
