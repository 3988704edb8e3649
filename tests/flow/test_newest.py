"""What is put in last stays."""

from __future__ import annotations

from mythos.flow.newest import keep


def test_the_oldest_goes() -> None:
    kept: dict[str, int] = {}
    for number, name in enumerate("abcd"):
        keep(kept, name, number, 3)
    assert kept == {"b": 1, "c": 2, "d": 3}


def test_what_is_put_in_again_is_the_newest() -> None:
    """And takes nobody's place."""
    kept = {"a": 1, "b": 2, "c": 3}
    keep(kept, "a", 4, 3)
    assert list(kept.items()) == [("b", 2), ("c", 3), ("a", 4)]
    keep(kept, "d", 5, 3)
    assert list(kept) == ["c", "a", "d"]
