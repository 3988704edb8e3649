"""Breakers: when they open, whom they let through, and when they close."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.flow.backoff import PAUSES, pause
from mythos.flow.breaker import Breaker, BreakerOpen, Breakers, State


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker("router", failures=3, open_for=60.0)
    for _ in range(3):
        breaker.enter(at)
        breaker.failed(at)
    return breaker


def test_failures_in_a_row_open_it() -> None:
    """And not as many with a success between."""
    breaker = Breaker("router", failures=3, open_for=60.0)
    for well in (False, False, True, False, False):
        breaker.enter(0.0)
        (breaker.succeeded if well else breaker.failed)(0.0)
    assert breaker.state(0.0) is State.CLOSED
    breaker.failed(0.0)
    assert breaker.state(0.0) is State.OPEN


def test_open_it_refuses_with_a_sentence() -> None:
    with pytest.raises(BreakerOpen, match="router has failed again and again: it is tried again in 50 seconds"):
        opened().enter(10.0)


def test_one_at_a_time_may_try() -> None:
    breaker = opened()
    assert breaker.state(60.0) is State.HALF_OPEN
    breaker.enter(60.0)
    with pytest.raises(BreakerOpen):
        breaker.enter(60.0)
    breaker.succeeded(61.0)
    breaker.enter(61.0)


def test_two_successes_close_it() -> None:
    breaker = opened()
    for _ in range(2):
        assert breaker.state(60.0) is State.HALF_OPEN
        breaker.enter(60.0)
        breaker.succeeded(60.0)
    assert breaker.state(60.0) is State.CLOSED
    breaker.failed(61.0)
    assert breaker.state(61.0) is State.CLOSED


def test_one_failure_opens_it_again() -> None:
    """For as long as the first time, also after a success."""
    breaker = opened()
    breaker.enter(60.0)
    breaker.succeeded(60.0)
    breaker.enter(60.0)
    breaker.failed(70.0)
    assert (breaker.state(129.9), breaker.state(130.0)) == (State.OPEN, State.HALF_OPEN)
    breaker.enter(130.0)
    breaker.succeeded(130.0)
    assert breaker.state(130.0) is State.HALF_OPEN


def test_those_under_way_when_it_opened_do_not_count() -> None:
    """They neither keep it open longer nor close it."""
    breaker = opened()
    breaker.failed(50.0)
    breaker.succeeded(50.0)
    breaker.succeeded(50.0)
    assert (breaker.state(59.9), breaker.state(60.0)) == (State.OPEN, State.HALF_OPEN)


def test_a_try_without_an_end_keeps_nobody_out_for_ever() -> None:
    breaker = opened()
    breaker.enter(60.0)
    with pytest.raises(BreakerOpen):
        breaker.enter(119.9)
    breaker.enter(120.0)


def test_there_is_hope() -> None:
    """One may try at once, and if that fails it is as before; a closed one keeps its count."""
    breaker = opened()
    breaker.hope(5.0)
    breaker.enter(5.0)
    with pytest.raises(BreakerOpen):
        breaker.enter(5.0)
    breaker.failed(6.0)
    assert (breaker.state(65.9), breaker.state(66.0)) == (State.OPEN, State.HALF_OPEN)
    closed = Breaker("router", failures=2)
    closed.failed(0.0)
    closed.hope(0.0)
    closed.failed(0.0)
    assert closed.state(0.0) is State.OPEN


def test_an_operator_closes_it() -> None:
    breakers = Breakers(failures=1, open_for=60.0)
    breakers.of("redis").failed(0.0)
    breakers.of("s3")
    assert breakers.states(1.0) == {"redis": State.OPEN, "s3": State.CLOSED}
    breakers.reset("redis")
    breakers.of("redis").enter(1.0)
    with pytest.raises(KeyError):
        breakers.reset("none")


@given(st.lists(st.tuples(st.floats(0.0, 30.0), st.booleans()), max_size=60))
def test_nobody_is_let_through_while_it_is_open(tries: list[tuple[float, bool]]) -> None:
    """Whatever happens: once failures opened it, the next one goes 60 seconds later."""
    breaker, now, row, until = Breaker("router", failures=3, open_for=60.0), 0.0, 0, 0.0
    for wait, well in tries:
        now += wait
        try:
            breaker.enter(now)
        except BreakerOpen:
            assert now < until
            continue
        assert now >= until
        (breaker.succeeded if well else breaker.failed)(now)
        trying = until > 0.0 and breaker.state(now) is not State.CLOSED
        row = 0 if well else row + 1
        if not well and (row >= 3 or trying):
            until = now + 60.0
            assert breaker.state(now) is State.OPEN
        elif breaker.state(now) is State.CLOSED:
            until = 0.0


@given(st.integers(1, len(PAUSES)), st.floats(0.0, 1.0, exclude_max=True))
def test_pauses(failed: int, chance: float) -> None:
    """A quarter more or less by chance; after the last there is none."""
    wait = pause(failed, chance)
    assert wait is not None
    assert 0.75 * PAUSES[failed - 1] <= wait <= 1.25 * PAUSES[failed - 1]
    assert pause(failed, 0.5) == PAUSES[failed - 1]
    assert pause(len(PAUSES) + failed, chance) is None
