"""The scheduler of jobs against a model that does it the slow way."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mythos.flow.jobs import COOLDOWN, LOOK, WEIGHTS, Priority, Scheduler

BOUND, LEAST, MOST = 8, 2, 12
priorities = st.sampled_from(Priority)


def made(**more: float) -> Scheduler[int]:
    given = {"bound": BOUND, "least": LEAST, "most": MOST, "threshold": 0.8, **more}
    return Scheduler(0.0, **given)  # type: ignore[arg-type]


class Jobs(RuleBasedStateMachine):
    """Each job is a number. It is in one place at a time: refused, waiting, running, to be tried again, done."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.scheduler = made()
        self.next = 0
        self.waiting: dict[Priority, list[int]] = {priority: [] for priority in Priority}
        self.running: dict[int, Priority] = {}
        self.later: dict[int, tuple[float, Priority]] = {}
        self.passed_over: Counter[Priority] = Counter()

    def held(self, priority: Priority) -> int:
        running = sum(one is priority for one in self.running.values())
        later = sum(one is priority for _, one in self.later.values())
        return len(self.waiting[priority]) + running + later

    @rule(priority=priorities)
    def submit(self, priority: Priority) -> None:
        room = self.held(priority) < BOUND
        assert self.scheduler.reserve(priority) is room
        if room:
            self.scheduler.put(self.next, priority)
            self.waiting[priority].append(self.next)
            self.next += 1

    @rule(priority=priorities)
    def reserve_in_vain(self, priority: Priority) -> None:
        if self.scheduler.reserve(priority):
            self.scheduler.forget(priority)

    @rule()
    def take(self) -> None:
        for job, (due, priority) in sorted(self.later.items(), key=lambda one: (one[1][0], one[0])):
            if due <= self.now:
                del self.later[job]
                self.waiting[priority].append(job)
        taken = self.scheduler.take(self.now)
        if not any(self.waiting.values()) or len(self.running) >= self.scheduler.lanes:
            assert taken is None
            return
        assert taken is not None
        job, priority = taken
        assert job in self.waiting[priority]
        self.waiting[priority].remove(job)
        self.running[job] = priority
        for other in Priority:
            self.passed_over[other] = (
                self.passed_over[other] + 1 if other is not priority and self.waiting[other] else 0
            )
            assert self.passed_over[other] < 2 * sum(WEIGHTS.values()) / WEIGHTS[other]

    @precondition(lambda self: self.running)
    @rule(data=st.data(), again=st.booleans(), wait=st.floats(0.0, 40.0))
    def end(self, data: st.DataObject, again: bool, wait: float) -> None:
        job = data.draw(st.sampled_from(sorted(self.running)))
        priority = self.running.pop(job)
        if again:
            self.scheduler.again(self.now, job, priority, self.now + wait)
            self.later[job] = self.now + wait, priority
        else:
            self.scheduler.done(self.now, priority)

    @rule(seconds=st.floats(0.0, 40.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def look(self) -> None:
        self.scheduler.look(self.now)
        assert self.scheduler.utilisation >= 0.0

    @invariant()
    def nothing_is_lost_or_runs_twice(self) -> None:
        assert self.scheduler.busy == len(self.running)
        running = Counter(self.running.values())
        assert self.scheduler.running == {priority: running[priority] for priority in Priority}
        queued, delayed = self.scheduler.queued, self.scheduler.delayed
        for priority in Priority:
            assert queued[priority] + delayed[priority] + running[priority] == self.held(priority) <= BOUND

    @invariant()
    def lanes_are_between_their_bounds(self) -> None:
        assert LEAST <= self.scheduler.lanes <= MOST


Jobs.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestJobs = Jobs.TestCase


def fill(scheduler: Scheduler[int], priority: Priority, count: int) -> None:
    for number in range(count):
        assert scheduler.reserve(priority)
        scheduler.put(number, priority)


def test_weights() -> None:
    """With all four waiting, eight, four, two and one of fifteen; and the low one is not the last of all."""
    scheduler = made(bound=100)
    for priority in Priority:
        fill(scheduler, priority, 100)
    taken = []
    for _ in range(60):
        found = scheduler.take(0.0)
        assert found is not None
        taken.append(found[1])
        scheduler.done(0.0, found[1])
    for first in range(0, 60, 15):
        assert Counter(taken[first : first + 15]) == WEIGHTS


def test_one_who_comes_late_has_no_claim_to_the_past() -> None:
    """Low jobs were alone for long: the first critical one goes before the next of them."""
    scheduler = made(bound=100)
    fill(scheduler, Priority.LOW, 50)
    for _ in range(40):
        assert scheduler.take(0.0) is not None
        scheduler.done(0.0, Priority.LOW)
    fill(scheduler, Priority.CRITICAL, 1)
    found = scheduler.take(0.0)
    assert found is not None
    assert found[1] is Priority.CRITICAL


def test_first_come_first_served() -> None:
    scheduler = made()
    fill(scheduler, Priority.NORMAL, 2)
    assert [scheduler.take(0.0), scheduler.take(0.0)] == [(0, Priority.NORMAL), (1, Priority.NORMAL)]


def busy(scheduler: Scheduler[int], since: float) -> int:
    """All lanes in use."""
    while scheduler.reserve(Priority.NORMAL):
        scheduler.put(0, Priority.NORMAL)
    count = 0
    while scheduler.take(since) is not None:
        count += 1
    return count


def test_lanes_grow_while_they_are_in_use_and_go_when_they_are_not() -> None:
    """Five more and two fewer at a time, half a minute between."""
    scheduler = made(bound=100)
    found = []
    now = 0.0
    for _ in range(9):
        busy(scheduler, now)
        now += LOOK
        scheduler.look(now)
        found.append(scheduler.lanes)
    assert found == [7, 7, 7, 12, 12, 12, 12, 12, 12]
    while scheduler.busy:
        scheduler.done(now, Priority.NORMAL)
    found = []
    while scheduler.lanes > LEAST:
        now += COOLDOWN
        scheduler.look(now)
        found.append(scheduler.lanes)
    assert found == [10, 8, 6, 4, 2]


@pytest.mark.parametrize(("share", "lanes"), [(0.7, 2), (0.9, 7)])
def test_the_threshold_is_of_time_in_use(share: float, lanes: int) -> None:
    """Not of what happens to run at the instant of the look."""
    scheduler = made(bound=100)
    assert busy(scheduler, 0.0) == 2
    for _ in range(2):
        scheduler.done(share * LOOK, Priority.NORMAL)
    scheduler.look(LOOK)
    assert scheduler.utilisation == pytest.approx(share)
    assert scheduler.lanes == lanes


def test_many_that_wait_want_more_lanes() -> None:
    scheduler = made(bound=2_000)
    fill(scheduler, Priority.LOW, 1_001)
    scheduler.look(LOOK)
    assert scheduler.lanes == 7


def test_fewer_lanes_end_nothing() -> None:
    """While more run than there are lanes, nothing new begins."""
    scheduler = made(bound=100)
    busy(scheduler, 0.0)
    scheduler.look(LOOK)
    for _ in range(2):
        scheduler.done(LOOK, Priority.NORMAL)
    end = LOOK + 10 * COOLDOWN
    assert busy(scheduler, end) == 7
    scheduler.look(end)
    assert (scheduler.lanes, scheduler.busy) == (5, 7)
    found = []
    for _ in range(3):
        scheduler.done(end, Priority.NORMAL)
        found.append(scheduler.take(end) is not None)
    assert found == [False, False, True]
