"""One write for each connection, at the end of the read that caused it."""

from __future__ import annotations

import pytest

from mythos.net.turn import Turn
from tests.conftest import Failures


class Plug:
    """A connection that gathers, as those of the gateway do."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.writes: list[str] = []
        self._out = ""

    def send(self, text: str) -> None:
        self._out += text
        if self._out == text:
            self.turn.wake(self.flush)

    def flush(self) -> None:
        out, self._out = self._out, ""
        self.writes.append(out)


class Broken(Plug):
    def flush(self) -> None:
        raise RuntimeError("a bug of this connection")


def test_one_write_for_all(failures: Failures) -> None:
    """Of each connection, in the order in which they had something to say; one that breaks costs no other."""
    turn = Turn()
    one, other = Plug(turn), Plug(turn)

    def work(text: str) -> None:
        for letter in text:
            one.send(letter)
            Broken(turn).send(letter)
            other.send(letter.upper())
        turn.during(one.send, "!")  # a read that another brings about is part of it
        assert not one.writes

    turn.during(work, "ab")
    assert (one.writes, other.writes) == (["ab!"], ["AB"])
    assert len(failures.flush(RuntimeError)) == 2


def test_at_once_without_a_read() -> None:
    """What a timer brings about is not kept back."""
    plug = Plug(Turn())
    plug.send("a")
    plug.send("b")
    assert plug.writes == ["a", "b"]


def test_a_read_that_fails() -> None:
    """What was said before it failed is written, and the next read begins anew."""
    plug = Plug(turn := Turn())

    def work(text: str) -> None:
        plug.send(text)
        raise ValueError(text)

    for text in ("a", "b"):
        with pytest.raises(ValueError, match=text):
            turn.during(work, text)
    assert plug.writes == ["a", "b"]


def test_what_comes_first(failures: Failures) -> None:
    """Is done before anything of its turn is written, also if that is in its middle or never; then it is done."""
    turn = Turn()
    plug = Plug(turn)
    done: list[str] = []

    def flush() -> None:
        turn.ready()
        Plug.flush(plug)
        done.append("written")

    plug.flush = flush  # type: ignore[method-assign]

    def work(text: str) -> None:
        turn.first(lambda: done.append(text))
        plug.send(text)
        assert not done
        if text == "middle":
            flush()
            assert done == ["middle", "written"]

    for text in ("end", "middle"):
        turn.during(work, text)
        assert done[:2] == [text, "written"]
        assert done.count(text) == 1
        done.clear()
    turn.during(lambda text: turn.first(lambda: done.append(text)), "nothing is written")
    turn.first(lambda: done.append("at once"))
    assert done == ["nothing is written", "at once"]

    def broken() -> None:
        raise ZeroDivisionError

    turn.during(turn.first, broken)
    turn.during(plug.send, "after it")
    assert plug.writes[-1] == "after it"
    assert len(failures.flush(ZeroDivisionError)) == 1
