"""Never more than so many within any second, however they are tried."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mythos.flow.window import Window


@given(st.integers(1, 10), st.lists(st.floats(0, 1.5, allow_nan=False), max_size=60))
def test_never_more_than_so_many(most: int, steps: list[float]) -> None:
    window, now, spent = Window(most), 0.0, []
    for step in steps:
        now += step
        wait = window.take(now)
        if not wait:
            spent.append(now)
        else:
            assert 0.0 < wait <= 1.0
            now += wait
            assert window.take(now) < 1e-9
            spent.append(now)
    for at, later in zip(spent, spent[most:], strict=False):
        assert later - at > 1.0 - 1e-9


def test_what_is_used_counts() -> None:
    window = Window(8)
    window.use(0.0, 6)
    assert [window.take(0.5) for _ in range(3)] == [0.0, 0.0, 0.5]
