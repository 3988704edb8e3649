"""Bans and mutes: what they are on, how long, and that nothing counts that is not kept."""

from __future__ import annotations

from typing import Any

import pytest

from mythos.errors import Refusal
from mythos.play.sanctions import MOST, REASON, Kind, Sanction, Sanctions, network_of


def ban(what: str = "10.0.0.0/8", kind: Kind = Kind.ADDRESS, until: float = 0.0, reason: str = "") -> Sanction:
    return Sanction(kind, what, what, 100.0, until, reason, "operator")


@pytest.mark.parametrize(
    ("network", "address", "is_on"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "::ffff:10.1.2.3", True),
        ("10.0.0.0/8", "2001:db8::1", False),
        ("2001:db8::/32", "2001:db8::1", True),
        ("0.0.0.0/1", "a socket", False),
    ],
)
def test_an_address(network: str, address: str, is_on: bool) -> None:
    sanctions = Sanctions()
    sanctions.add(ban(network), 100.0)
    assert (sanctions.of_address(address, 100.0) is not None) == is_on


@pytest.mark.parametrize("kind", [Kind.NAME, Kind.ACCOUNT])
def test_a_name(kind: Kind) -> None:
    """However it is written."""
    sanctions = Sanctions()
    sanctions.add(ban("ann", kind), 100.0)
    assert sanctions.of_name("\u00c1nn", 100.0)
    assert sanctions.of_name("Anna", 100.0) is None


def test_an_end() -> None:
    """From that second on it does not count, and is let go of with the next change."""
    kept: list[Any] = []
    sanctions = Sanctions(keep=lambda all: kept.append(all))
    sanctions.add(ban(until=200.0, reason="Spam."), 100.0)
    assert sanctions.every(199.0)[0].sentence() == "You may not come in here until 1970-01-01 00:03 UTC. Spam."
    assert sanctions.every(200.0) == []
    assert sanctions.of_address("10.0.0.1", 200.0) is None
    sanctions.add(ban("ann", Kind.NAME), 201.0)
    assert [one["what"] for one in kept[-1]] == ["ann"]


def test_kept() -> None:
    """What was kept is what counts after a restart."""
    kept: list[Any] = []
    sanctions = Sanctions(keep=lambda all: kept.append(all))
    sanctions.add(ban(until=200.0, reason="Spam."), 100.0)
    sanctions.add(ban("c7", Kind.MUTE, 300.0), 100.0)
    again = Sanctions(kept[-1])
    assert again.every(150.0) == sanctions.every(150.0)
    assert again.of_address("10.0.0.1", 150.0) == sanctions.every(150.0)[0]
    assert again.lift(Kind.MUTE, "c7", 150.0).until == 300.0
    with pytest.raises(Refusal, match="no such mute"):
        again.lift(Kind.MUTE, "c7", 150.0)


def test_what_cannot_be_kept_does_not_count() -> None:
    full = False

    def keep(all: Any) -> None:
        if full:
            raise Refusal("The disk is full.")

    sanctions = Sanctions(keep=keep)
    sanctions.add(ban(), 100.0)
    full = True
    with pytest.raises(Refusal, match="full"):
        sanctions.add(ban("ann", Kind.NAME), 100.0)
    with pytest.raises(Refusal, match="full"):
        sanctions.lift(Kind.ADDRESS, "10.0.0.0/8", 100.0)
    assert [one.what for one in sanctions.every(100.0)] == ["10.0.0.0/8"]


def test_bounds() -> None:
    sanctions = Sanctions([ban(f"name{number}", Kind.NAME).kept() for number in range(MOST)])
    with pytest.raises(Refusal, match="There are 10000"):
        sanctions.add(ban(), 100.0)
    sanctions.add(ban("name7", Kind.NAME, reason="in its place"), 100.0)
    with pytest.raises(Refusal, match="A reason has up to"):
        sanctions.add(ban(reason="x" * (REASON + 1)), 100.0)


def test_networks() -> None:
    assert network_of("10.1.2.3/8") == "10.0.0.0/8"
    assert network_of("::ffff:10.1.2.3") == "10.1.2.3/32"
    assert network_of("2001:db8::1") == "2001:db8::1/128"


@pytest.mark.parametrize("text", ["", "10.0.0", "10.0.0.0/33", "Ann", "0.0.0.0/0", "127.0.0.1", "::/0", "::1"])
def test_no_network(text: str) -> None:
    """Nor one that has this machine in it."""
    with pytest.raises(Refusal):
        network_of(text)
