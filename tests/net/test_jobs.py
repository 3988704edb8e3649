"""The jobs service over a store, with a clock that is set by hand."""

from __future__ import annotations

import threading
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.task import Clock

from mythos.errors import Refusal
from mythos.flow.jobs import COOLDOWN, JobRow, Priority
from mythos.net.jobs import DEAD, GiveUp, Job, Jobs, Lanes
from mythos.play.ports import Busy, StoreDown
from mythos.store.memory import MemoryStore
from tests.conftest import Failures

WALL = 1_800_000_000.0


class Away(MemoryStore):
    """A store that does not answer while it is ``away``."""

    away = False

    def _run(self, work: Any) -> Deferred[Any]:
        if self.away:
            failed: Deferred[Any] = Deferred()
            failed.errback(StoreDown("the disk is full"))
            return failed
        return super()._run(work)


class Time(Clock):
    """Also the clock of the wall, and a reactor."""

    def wall(self) -> float:
        return WALL + self.seconds()

    def stand(self, seconds: float) -> None:
        """Let time pass in small steps, so that what is put off comes in between."""
        for _ in range(round(seconds * 10)):
            self.advance(0.1)


class Sent:
    """Work that fails or hangs as it is told to, and notes each try."""

    def __init__(self) -> None:
        self.tries: list[tuple[float, str, int, Any]] = []
        self.errors: list[Exception] = []
        self.hangs: list[Deferred[Any]] = []
        self.hang = False
        self.time: Time

    async def work(self, job: Job) -> Any:
        self.tries.append((self.time.seconds(), job.id, job.tries, dict(job.payload)))
        if self.hang:
            self.hangs.append(Deferred())
            return await self.hangs[-1]
        if self.errors:
            raise self.errors.pop(0)
        return job.payload.get("n")


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store() -> Iterator[Away]:
    made = Away()
    yield made
    made.close()


def service(store: Away, time: Time, **given: Any) -> tuple[Jobs, Sent]:
    jobs = Jobs(store, time, time, lambda: 0.5, Lanes(**given))
    sent = Sent()
    sent.time = time
    jobs.kind("quick", sent.work)
    jobs.kind("lasting", sent.work, lasting=True, timeout=5.0)
    run(jobs.start())
    return jobs, sent


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """What it returns, which it has to do at once."""
    found: list[Any] = []
    Deferred.fromCoroutine(work).addBoth(found.append)
    (result,) = found
    if hasattr(result, "raiseException"):
        result.raiseException()
    return result


def heard(answer: Deferred[Any]) -> list[Any]:
    """What it fires with, when it does."""
    found: list[Any] = []
    answer.addCallbacks(found.append, lambda failure: found.append(failure.value))
    return found


def dead(store: Away) -> list[JobRow]:
    return list(run(store.jobs(dead=True, most=9)))


def waiting(store: Away) -> list[JobRow]:
    return list(run(store.jobs(dead=False, most=9)))


def test_work_and_its_answer(store: Away, time: Time) -> None:
    """It is not done within what asks for it."""
    jobs, sent = service(store, time)
    answer = heard(jobs.submit("quick", {"n": 7}))
    assert sent.tries == answer == []
    time.advance(0.0)
    assert answer == [7]
    assert waiting(store) == dead(store) == []
    assert jobs.numbers().done["quick"] == 1


def test_tried_again_after_pauses_and_then_given_up(store: Away, time: Time) -> None:
    """Six tries: now, and after 1, 2, 5, 10 and 30 seconds; then a dead letter with the last error."""
    jobs, sent = service(store, time)
    sent.errors = [Refusal(f"no {number}") for number in range(9)]
    answer = heard(jobs.submit("quick", {"n": 7}, Priority.LOW))
    time.stand(60.0)
    assert [round(at) for at, *_ in sent.tries] == [0, 1, 3, 8, 18, 48]
    assert [tries for _, _, tries, _ in sent.tries] == [0, 1, 2, 3, 4, 5]
    assert len({id for _, id, _, _ in sent.tries}) == 1
    assert [str(error) for error in answer] == ["no 5"]
    (letter,) = dead(store)
    assert (letter.kind, letter.priority, letter.tries, letter.error) == ("quick", Priority.LOW, 6, "no 5")
    assert letter.payload == '{"n": 7}'
    assert letter.died == pytest.approx(WALL + 48.0, abs=1.0)
    numbers = jobs.numbers()
    assert (numbers.failed["quick"], numbers.retried["quick"], numbers.dead["quick"]) == (6, 5, 1)
    assert sum(numbers.states.values()) == 0


def test_no_lane_is_held_between_tries(store: Away, time: Time) -> None:
    jobs, sent = service(store, time, least=1, most=1)
    sent.errors = [Refusal("no")]
    first = heard(jobs.submit("quick", {"n": 1}))
    second = heard(jobs.submit("quick", {"n": 2}))
    time.stand(0.2)
    assert (first, second) == ([], [2])
    time.stand(1.0)
    assert first == [1]


def test_what_will_never_do_is_given_up_at_once(store: Away, time: Time) -> None:
    jobs, sent = service(store, time)
    sent.errors = [GiveUp("There is no such place.")]
    answer = heard(jobs.submit("quick", {}))
    time.advance(0.0)
    assert [type(error) for error in answer] == [GiveUp]
    assert [letter.error for letter in dead(store)] == ["There is no such place."]


def test_a_try_that_takes_too_long(store: Away, time: Time) -> None:
    """It is cancelled, its lane is free, and it is tried again."""
    jobs, sent = service(store, time, least=1, most=1)
    sent.hang = True
    answer = heard(jobs.submit("lasting", {}))
    time.advance(0.0)
    (hung,) = sent.hangs
    time.stand(4.8)
    assert not hung.called
    time.stand(0.4)
    assert hung.called
    sent.hang = False
    assert heard(jobs.submit("quick", {})) == []
    time.stand(1.2)
    assert [(kind, tries) for _, kind, tries, _ in sent.tries][-1][1] == 1
    assert answer == [None]
    assert jobs.numbers().failed["lasting"] == 1


def test_it_never_ends(store: Away, time: Time) -> None:
    """Hung for good, each time: the dead letter says so."""
    jobs, sent = service(store, time)
    sent.hang = True
    answer = heard(jobs.submit("lasting", {}))
    time.stand(90.0)
    assert [type(error) for error in answer] == [TimeoutError]
    assert [letter.error for letter in dead(store)] == ["It was not done within 5 seconds."]


def test_what_breaks_is_logged(store: Away, time: Time, failures: Failures) -> None:
    """An error of ours, unlike one that was to be expected; no secret of it stands in the letter."""
    jobs, sent = service(store, time)
    secret = "x" * 43
    sent.errors = [ValueError(f"token {secret}") for _ in range(6)]
    answer = heard(jobs.submit("quick", {}))
    time.stand(60.0)
    assert [type(error) for error in answer] == [ValueError]
    assert [letter.error for letter in dead(store)] == ["ValueError: token [secret]"]
    assert len(failures.flush(ValueError)) == 6


def test_no_place(store: Away, time: Time) -> None:
    """Each priority has a bound of its own, and what is to be tried again counts."""
    jobs, sent = service(store, time, bound=2, least=1, most=1)
    sent.hang = True
    answers = [heard(jobs.submit("quick", {})) for _ in range(3)]
    assert [[type(error) for error in answer] for answer in answers] == [[], [], [Busy]]
    assert heard(jobs.submit("quick", {}, Priority.HIGH)) == []
    assert jobs.trouble() == "100 % of the places of one priority are taken."
    time.advance(0.0)
    sent.hangs[0].errback(Refusal("no"))
    sent.hang = False
    assert [type(error) for error in heard(jobs.submit("quick", {}))] == [Busy]
    time.stand(2.0)
    assert heard(jobs.submit("quick", {})) == []
    assert jobs.trouble() == ""


def test_turns_come_between(store: Away, time: Time) -> None:
    """However much waits, only so many begin in one turn of the reactor."""
    jobs, sent = service(store, time, least=3, most=3)
    for _ in range(20):
        jobs.submit("quick", {})
    found = []

    def turn() -> None:
        found.append(len(sent.tries))
        if found[-1] < 20:
            time.callLater(0.0, turn)

    time.callLater(0.0, turn)
    time.advance(0.0)
    assert found == [3, 6, 9, 12, 15, 18, 20]


def test_lanes_follow_the_work(store: Away, time: Time) -> None:
    jobs, sent = service(store, time, least=2, most=20, timeout=3600.0)
    sent.hang = True
    for _ in range(50):
        jobs.submit("quick", {})
    found = []
    for _ in range(3):
        time.stand(COOLDOWN + 1.0)
        jobs.look()
        time.advance(0.0)
        found.append((jobs.numbers().lanes, len(sent.hangs)))
    assert found == [(7, 7), (12, 12), (17, 17)]


# ── what outlives the server ────────────────────────────────────────────────────────────────────


def test_a_lasting_job_has_a_row_until_it_is_done(store: Away, time: Time) -> None:
    jobs, sent = service(store, time)
    sent.hang = True
    jobs.submit("lasting", {"n": 1})
    (row,) = waiting(store)
    assert (row.kind, row.payload, row.tries) == ("lasting", '{"n": 1}', 0)
    time.advance(0.0)
    sent.hangs[0].errback(Refusal("no"))
    assert [(one.id, one.tries, one.error) for one in waiting(store)] == [(row.id, 1, "no")]
    sent.hang = False
    time.stand(2.0)
    assert waiting(store) == []


def test_the_next_server_takes_it_up(store: Away, time: Time) -> None:
    """After a kill: under the same id, with the tries it had; and once, though it is told to begin twice."""
    jobs, sent = service(store, time)
    sent.hang = True
    jobs.submit("lasting", {"n": 1})
    jobs.submit("quick", {"n": 2})
    time.advance(0.0)
    sent.hangs[0].errback(Refusal("no"))
    _, again = service(store, later := Time())
    later.advance(0.0)
    assert [(id, tries, payload) for _, id, tries, payload in again.tries] == [(sent.tries[0][1], 1, {"n": 1})]
    assert waiting(store) == []


def test_asked_for_before_the_start(store: Away, time: Time) -> None:
    """It has a row by then, and runs once."""
    jobs = Jobs(store, time, time, lambda: 0.5)
    sent = Sent()
    sent.time = time
    jobs.kind("lasting", sent.work, lasting=True)
    jobs.submit("lasting", {})
    time.advance(1.0)
    assert sent.tries == []
    run(jobs.start())
    time.stand(1.0)
    assert len(sent.tries) == 1


def test_a_stop_waits_a_moment(store: Away, time: Time) -> None:
    """What is under way ends; what hangs is cancelled; the row of a lasting one stays, and another is let go."""
    jobs, sent = service(store, time)
    sent.hang = True
    first, second, third = (heard(jobs.submit(kind, {})) for kind in ("quick", "lasting", "quick"))
    time.advance(0.0)
    stopped = heard(Deferred.fromCoroutine(jobs.stop()))
    assert [type(error) for error in heard(jobs.submit("quick", {}))] == [Busy]
    sent.hangs[0].callback("done")
    time.stand(1.5)
    assert (first, stopped) == (["done"], [])
    time.stand(1.0)
    assert stopped == [None]
    assert [type(error) for error in second + third][:1] == [CancelledError]
    assert len(waiting(store)) == 1
    assert dead(store) == []
    assert time.getDelayedCalls() == []


def test_a_stop_with_nothing_to_do(store: Away, time: Time) -> None:
    jobs, _ = service(store, time)
    assert run(jobs.stop()) is None
    assert time.getDelayedCalls() == []


def test_what_is_asked_for_at_the_end_is_done(store: Away, time: Time) -> None:
    """A lasting one, asked for before the stop in the same breath."""
    jobs, sent = service(store, time)
    jobs.submit("lasting", {})
    stopped = heard(Deferred.fromCoroutine(jobs.stop()))
    time.advance(0.0)
    assert (stopped, len(sent.tries), waiting(store)) == ([None], 1, [])


def test_a_store_that_is_away(store: Away, time: Time) -> None:
    """Jobs are done all the same; what the store should have heard it hears when it is back."""
    jobs, sent = service(store, time)
    store.away = True
    sent.hang = True
    jobs.submit("lasting", {"n": 1})
    done = heard(jobs.submit("lasting", {"n": 2}))
    time.advance(0.0)
    sent.hangs[1].callback("done")
    assert done == ["done"]
    assert jobs.trouble() == "The store has yet to take 2 rows of jobs."
    jobs.look()
    store.away = False
    assert waiting(store) == []
    jobs.look()
    assert [row.payload for row in waiting(store)] == ['{"n": 1}']
    assert jobs.trouble() == ""


def test_unknown_work(store: Away, time: Time) -> None:
    """A row of another version's: a dead letter, which can be deleted and not replayed."""
    run(store.put_job(JobRow("a", "digging", Priority.LOW, "{}", WALL)))
    jobs, _ = service(store, time)
    assert [(letter.id, letter.error) for letter in dead(store)] == [("a", "This server does no such work.")]
    with pytest.raises(Refusal, match="does no such work as digging"):
        run(jobs.replay("a"))
    run(jobs.delete("a"))
    assert dead(store) == []


# ── dead letters ────────────────────────────────────────────────────────────────────────────────


def given_up(store: Away, time: Time) -> tuple[Jobs, Sent, JobRow]:
    jobs, sent = service(store, time)
    sent.errors = [GiveUp("never")]
    jobs.submit("quick", {"n": 3}).addErrback(lambda _: None)
    time.advance(0.0)
    (letter,) = dead(store)
    sent.tries.clear()
    return jobs, sent, letter


def test_replayed(store: Away, time: Time) -> None:
    """Under its id; it is no dead letter any more while it runs, and a row until it is done."""
    jobs, sent, letter = given_up(store, time)
    sent.hang = True
    run(jobs.replay(letter.id))
    assert dead(store) == []
    assert [row.id for row in waiting(store)] == [letter.id]
    for _ in range(2):
        with pytest.raises(Refusal, match="There is no dead letter"):
            run(jobs.replay(letter.id))
        time.advance(0.0)
    assert [(id, tries, payload) for _, id, tries, payload in sent.tries] == [(letter.id, 0, {"n": 3})]
    sent.hangs[0].callback(None)
    assert waiting(store) == dead(store) == []


def test_replayed_in_vain(store: Away, time: Time) -> None:
    jobs, sent, letter = given_up(store, time)
    sent.errors = [GiveUp("still not")]
    run(jobs.replay(letter.id))
    time.advance(0.0)
    assert [(one.id, one.error, one.tries) for one in dead(store)] == [(letter.id, "still not", 1)]


def test_replayed_without_a_place(store: Away, time: Time) -> None:
    """It stays where it is."""
    jobs, sent, letter = given_up(store, time)
    sent.hang = True
    for _ in range(1_000):
        jobs.submit("quick", {})
    with pytest.raises(Refusal, match="too much work waits"):
        run(jobs.replay(letter.id))
    assert dead(store) == [letter]


def test_deleted(store: Away, time: Time) -> None:
    jobs, _, letter = given_up(store, time)
    run(jobs.delete(letter.id))
    assert dead(store) == []
    for order in (jobs.delete, jobs.replay, jobs.letter):
        with pytest.raises(Refusal, match=f"There is no dead letter '{letter.id}'"):
            run(order(letter.id))


def test_what_waits_is_no_letter(store: Away, time: Time) -> None:
    jobs, sent = service(store, time)
    sent.hang = True
    jobs.submit("lasting", {})
    (row,) = waiting(store)
    with pytest.raises(Refusal):
        run(jobs.delete(row.id))
    assert waiting(store) == [row]


def test_only_so_many_letters(store: Away, time: Time) -> None:
    for number in range(DEAD + 5):
        run(store.put_job(JobRow(f"{number:08}", "quick", Priority.LOW, "{}", WALL, died=WALL)))
    jobs, sent = service(store, time)
    sent.errors = [GiveUp("never")]
    jobs.submit("quick", {}).addErrback(lambda _: None)
    time.advance(0.0)
    letters = run(jobs.letters(DEAD + 10))
    assert len(letters) == DEAD
    assert letters[-1].error == "never"


# ── threads ─────────────────────────────────────────────────────────────────────────────────────


async def test_work_that_blocks(store: Away) -> None:
    """It is done in a thread of its own pool."""

    class Now:
        def seconds(self) -> float:
            return IReactorTime(reactor).seconds()

        def wall(self) -> float:
            return WALL

    jobs = Jobs(store, IReactorFromThreads(reactor), Now(), lambda: 0.5)

    async def work(job: Job) -> str:
        return await jobs.in_thread(lambda word: f"{word} {threading.current_thread().name}", "in")

    jobs.kind("blocking", work)
    await jobs.start()
    try:
        answer = await jobs.submit("blocking", {})
    finally:
        await jobs.stop()
    assert answer.startswith("in PoolThread-jobs-")
