"""RFC 1143 for both sides, against a table, against itself, and against clients that bend the rules."""

from __future__ import annotations

from collections import deque
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.wire.negotiation import Change, NegotiationFlood, Options, Policy, Side
from mythos.wire.telnet import Negotiation, Option, Parser, Verb, negotiate

WILL, WONT, DO, DONT = Verb.WILL, Verb.WONT, Verb.DO, Verb.DONT
ALLOWED = 31
POLICY = Policy((), frozenset({ALLOWED}), frozenset({ALLOWED}))

#: Steps that lead to a state of the peer's side of an option that is allowed.
STATES = {
    "NO": "",
    "YES": "will",
    "WANTNO": "will off",
    "WANTNO/O": "will off on",
    "WANTYES": "on",
    "WANTYES/O": "on off",
}
#: state, step -> (answer, change, state afterwards): the table of RFC 1143, section 7.
TABLE = [
    ("NO", "will", DO, True, "YES"),
    ("NO", "wont", None, None, "NO"),
    ("NO", "on", DO, None, "WANTYES"),
    ("NO", "off", None, None, "NO"),
    ("YES", "will", None, None, "YES"),
    ("YES", "wont", DONT, False, "NO"),
    ("YES", "on", None, None, "YES"),
    ("YES", "off", DONT, None, "WANTNO"),
    ("WANTNO", "will", None, None, "NO"),
    ("WANTNO", "wont", None, None, "NO"),
    ("WANTNO", "on", None, None, "WANTNO/O"),
    ("WANTNO", "off", None, None, "WANTNO"),
    ("WANTNO/O", "will", None, True, "YES"),
    ("WANTNO/O", "wont", DO, None, "WANTYES"),
    ("WANTNO/O", "on", None, None, "WANTNO/O"),
    ("WANTNO/O", "off", None, None, "WANTNO"),
    ("WANTYES", "will", None, True, "YES"),
    ("WANTYES", "wont", None, False, "NO"),
    ("WANTYES", "on", None, None, "WANTYES"),
    ("WANTYES", "off", None, None, "WANTYES/O"),
    ("WANTYES/O", "will", DONT, None, "WANTNO"),
    ("WANTYES/O", "wont", None, None, "NO"),
    ("WANTYES/O", "on", None, None, "WANTYES"),
    ("WANTYES/O", "off", None, None, "WANTYES/O"),
]
MIRROR = {WILL: DO, WONT: DONT, DO: WILL, DONT: WONT}


def take(options: Options, side: Side, step: str, now: float = 0.0) -> tuple[bytes, Change | None]:
    """Carry out one step of the table at either side."""
    if step == "on":
        return (options.ask_him if side is Side.HIM else options.offer_us)(ALLOWED, now), None
    if step == "off":
        return (options.drop_him if side is Side.HIM else options.drop_us)(ALLOWED, now), None
    verb = {"will": WILL, "wont": WONT}[step]
    return options.received(verb if side is Side.HIM else MIRROR[verb], ALLOWED, now)


def reach(side: Side, state: str) -> Options:
    options = Options(POLICY)
    for step in STATES[state].split():
        take(options, side, step)
    return options


def fingerprint(options: Options, side: Side) -> list[object]:
    """How it behaves from here: walks of two steps tell any two states of the table apart."""
    seen: list[object] = []
    for walk in product(("will", "wont", "on", "off"), repeat=2):
        replayed = Options(POLICY)
        replayed._states = dict(options._states)
        seen += [take(replayed, side, step) for step in walk]
    return seen


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("state", "step", "answer", "on", "after"), TABLE)
def test_table(side: Side, state: str, step: str, answer: Verb | None, on: bool | None, after: str) -> None:
    """Each cell: what is answered, what is told, where it leads; our side is the mirror of the peer's."""
    options = reach(side, state)
    reply, change = take(options, side, step)
    if answer is not None and side is Side.US:
        answer = MIRROR[answer]
    assert reply == (negotiate(answer, ALLOWED) if answer is not None else b"")
    assert change == (Change(ALLOWED, side, on) if on is not None else None)
    assert fingerprint(options, side) == fingerprint(reach(side, after), side)
    assert (options.him if side is Side.HIM else options.us)(ALLOWED) == (after == "YES")


def test_states_are_told_apart() -> None:
    """The fingerprint used above is different for each state."""
    prints = [fingerprint(reach(Side.HIM, state), Side.HIM) for state in STATES]
    assert all(prints.count(one) == 1 for one in prints)


def test_opening() -> None:
    """The order at connect; some clients take another order for a server they know, and reconnect."""
    options = Options(Policy.standard(msdp=True, mxp=True))
    assert options.open(0.0) == bytes.fromhex("fffd18 fffd1f fffd27 fffb2a fffb19 fffbc9 fffb46 fffb45 fffb5b")
    assert not options.settled


def test_no_option_is_offered_both_ways() -> None:
    """Some clients keep one bit for both directions."""
    offered = [option for _, option in Policy.standard(msdp=True, mxp=True).offers]
    assert len(offered) == len(set(offered))


def test_crossing_will_is_the_answer() -> None:
    """A WILL that crosses our DO is its answer and is not answered."""
    options = Options(Policy.standard())
    options.open(0.0)
    assert options.received(WILL, Option.NAWS, 0.0) == (b"", Change(Option.NAWS, Side.HIM, True))
    assert options.received(WILL, Option.NAWS, 0.0) == (b"", None)


def test_settled() -> None:
    """Once each offer is answered, either way, there is nothing to wait for."""
    options = Options(Policy.standard())
    options.open(0.0)
    for side, option in Policy.standard().offers:
        assert not options.settled
        options.received(WONT if side is Side.HIM else DO, option, 0.0)
    assert options.settled


def test_echo_is_off_at_once() -> None:
    """A client that leaves WONT ECHO unanswered hides the second password too."""
    options = Options(Policy.standard())
    for _ in range(2):
        assert options.offer_us(Option.ECHO, 0.0) == b"\xff\xfb\x01"
        assert options.received(DO, Option.ECHO, 0.0)[1] == Change(Option.ECHO, Side.US, True)
        assert options.drop_us(Option.ECHO, 0.0) == b"\xff\xfc\x01"
        assert not options.us(Option.ECHO)


def test_echo_of_a_silent_client() -> None:
    """WONT ECHO is said even if WILL ECHO was never answered, and a DO that crosses it is refused."""
    options = Options(Policy.standard())
    options.offer_us(Option.ECHO, 0.0)
    assert options.drop_us(Option.ECHO, 0.0) == b"\xff\xfc\x01"
    assert options.received(DO, Option.ECHO, 0.0) == (b"\xff\xfc\x01", None)
    assert options.received(DONT, Option.ECHO, 0.0) == (b"", None)
    assert options.offer_us(Option.ECHO, 1.0) == b"\xff\xfb\x01"


def test_unasked_echo_is_refused() -> None:
    """Neither DO ECHO nor WILL ECHO is granted, and a client that asks again is answered again."""
    options = Options(Policy.standard())
    for _ in range(2):
        assert options.received(DO, Option.ECHO, 0.0) == (b"\xff\xfc\x01", None)
        assert options.received(WILL, Option.ECHO, 0.0) == (b"\xff\xfe\x01", None)


def test_sga_is_granted_beside_linemode_alone() -> None:
    """Without it terminals would send each key by itself, and edit nothing."""
    options = Options(Policy.standard())
    for _ in range(2):
        assert options.received(DO, Option.SGA, 0.0) == (negotiate(WONT, Option.SGA), None)
    assert options.received(WILL, Option.LINEMODE, 0.0)[0] == negotiate(DO, Option.LINEMODE)
    assert options.received(DO, Option.SGA, 0.0) == (b"\xff\xfb\x03", Change(Option.SGA, Side.US, True))


def test_missing_acknowledgement() -> None:
    """WANTNO falls to NO after five seconds: the next wish is sent, and a queued one comes true."""
    options = reach(Side.HIM, "WANTNO")
    assert options.ask_him(ALLOWED, 5.0) == negotiate(DO, ALLOWED)
    options = reach(Side.HIM, "WANTNO/O")
    assert options.expire(4.9) == b""
    assert options.expire(5.0) == negotiate(DO, ALLOWED)
    assert options.expire(6.0) == b""
    assert options.received(WILL, ALLOWED, 7.0) == (b"", Change(ALLOWED, Side.HIM, True))


def test_unknown_options_are_refused_once() -> None:
    """Once per option and side; repeats are not answered and nothing is stored for them."""
    options = Options(Policy.standard())
    for option in (102, 200, 255):
        assert options.received(WILL, option, 0.0) == (negotiate(DONT, option), None)
        assert options.received(DO, option, 0.0) == (negotiate(WONT, option), None)
        assert options.received(WILL, option, 0.0) == (b"", None)
        assert options.received(DO, option, 0.0) == (b"", None)
    assert not options._states


def test_timing_mark() -> None:
    """Every DO is answered; our own probe waits for its answer, and either word is one."""
    options = Options(Policy.standard())
    for _ in range(3):
        assert options.received(DO, Option.TIMING_MARK, 0.0) == (b"\xff\xfb\x06", None)
    assert options.probe() == b"\xff\xfd\x06"
    assert options.probe() == b""
    assert options.received(WONT, Option.TIMING_MARK, 0.0) == (b"", Change(Option.TIMING_MARK, Side.HIM, False))
    assert options.received(WONT, Option.TIMING_MARK, 0.0) == (b"", None)
    assert options.probe() == b"\xff\xfd\x06"


def test_probes_are_no_flood() -> None:
    """A long session with a probe after each flush stays within the limits."""
    options = Options(Policy.standard())
    for second in range(10_000):
        assert options.probe()
        assert options.received(WILL, Option.TIMING_MARK, float(second))[1] is not None


def test_limits() -> None:
    """100 answers in the first ten seconds, then 20 a second, 600 in all; tenfold closes."""
    options = Options(Policy.standard())
    answers = [bool(options.received(DO, Option.TIMING_MARK, 1.0)[0]) for _ in range(200)]
    assert answers == [True] * 100 + [False] * 100
    later = [bool(options.received(DO, Option.TIMING_MARK, 20.0)[0]) for _ in range(30)]
    assert later == [True] * 20 + [False] * 10
    total = sum(bool(options.received(DO, Option.TIMING_MARK, 30.0 + n)[0]) for n in range(1000))
    assert total == 600 - 230
    with pytest.raises(NegotiationFlood):
        for _ in range(6000):
            options.received(DO, Option.TIMING_MARK, 2000.0)
    with pytest.raises(NegotiationFlood):
        hasty = Options(Policy.standard())
        for _ in range(1001):
            hasty.received(DO, Option.TIMING_MARK, 1.0)


class Mirror:
    """A client without a loop guard: it agrees to everything, each time."""

    def answer(self, data: bytes) -> bytes:
        events = Parser().receive(data)
        return b"".join([negotiate(MIRROR[e.verb], e.option) for e in events if isinstance(e, Negotiation)])


def test_mirror_client() -> None:
    """It gets at most one reply for each change."""
    options, mirror = Options(Policy.standard()), Mirror()
    sent = options.open(0.0)
    replies, changes = 0, 0
    for _ in range(10):
        events = Parser().receive(mirror.answer(sent))
        sent = b""
        for event in events:
            assert isinstance(event, Negotiation)
            reply, change = options.received(event.verb, event.option, 0.0)
            sent += reply
            replies += bool(reply)
            changes += change is not None
    assert sent == b""
    assert replies == 0
    assert changes == len(Policy.standard().offers)


WISHES = st.lists(
    st.tuples(
        st.sampled_from(["A", "B"]),
        st.sampled_from(["offer_us", "drop_us", "ask_him", "drop_him"]),
        st.sampled_from([ALLOWED, Option.ECHO, Option.MSSP]),
        st.integers(0, 3),
    ),
    max_size=12,
)


@given(WISHES, st.booleans())
def test_two_endpoints_never_loop(wishes: list[tuple[str, str, int, int]], strict: bool) -> None:
    """Whatever both want and however messages cross, they come to rest, and agree on what is on."""
    policy = POLICY if strict else Policy((), frozenset({ALLOWED, Option.MSSP}), frozenset({ALLOWED, Option.MSSP}))
    ends = {"A": Options(policy), "B": Options(policy)}
    ways: dict[str, deque[bytes]] = {"A": deque(), "B": deque()}  # what is on its way to each
    carried = 0

    def deliver(to: str) -> None:
        nonlocal carried
        for event in Parser().receive(ways[to].popleft()):
            assert isinstance(event, Negotiation)
            carried += 1
            reply, _ = ends[to].received(event.verb, event.option, 0.0)
            if reply:
                ways["B" if to == "A" else "A"].append(reply)

    for who, wish, option, deliveries in wishes:
        if sent := getattr(ends[who], wish)(option, 0.0):
            ways["B" if who == "A" else "A"].append(sent)
        for _ in range(deliveries):
            for to in ends:
                if ways[to]:
                    deliver(to)
    while ways["A"] or ways["B"]:
        deliver("A" if ways["A"] else "B")
        assert carried <= 6 * len(wishes)
    for option in (ALLOWED, Option.MSSP):
        assert ends["A"].us(option) == ends["B"].him(option)
        assert ends["B"].us(option) == ends["A"].him(option)


@given(st.lists(st.tuples(st.sampled_from(Verb), st.integers(0, 255)), max_size=60))
def test_any_peer(said: list[tuple[Verb, int]]) -> None:
    """Never more than one reply, of three bytes, to one message."""
    options = Options(Policy.standard())
    options.open(0.0)
    for verb, option in said:
        reply, _ = options.received(verb, option, 0.0)
        assert len(reply) in (0, 3)
