"""What counts as one place."""

from __future__ import annotations

import pytest

from mythos.flow.throttle import Throttle, network, unmapped


@pytest.mark.parametrize(
    ("address", "same", "place"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.0/24"),
        ("::FFFF:c000:207", "192.0.2.7", "192.0.2.0/24"),
        ("2001:db8::7", "2001:db8::7", "2001:db8::/64"),
        ("::1", "::1", "::/64"),
        ("local", "local", "local"),
        ("no:address", "no:address", "no:address"),
    ],
)
def test_an_address_and_its_network(address: str, same: str, place: str) -> None:
    """IPv4 that comes to a listener for both is IPv4: all of it would be one network of IPv6."""
    assert unmapped(address) == same
    assert network(address) == place


async def test_guesses_by_a_listener_for_both() -> None:
    """One who guesses slows down nobody elsewhere."""
    throttle = Throttle(tries=2)
    waits = [await throttle.wait(name, "::ffff:192.0.2.7", 0.0) > 0 for name in "abcdefghijkl"]
    assert waits == [False] * 10 + [True] * 2
    assert await throttle.wait("x", "::ffff:198.51.100.7", 0.0) == 0.0
    assert await throttle.wait("x", "192.0.2.8", 0.0) > 0
    assert throttle.refused == 3
