"""The control socket, over a real one: what operators ask, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.interfaces import IReactorUNIX
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from mythos.errors import Refusal
from mythos.flow.throttle import Throttle
from mythos.net.control import HERE, MOST_BYTES, ControlFactory
from mythos.net.operators import Audit
from mythos.net.worldorders import WorldOrders
from mythos.play.accounts import Accounts, WrongPassword
from mythos.play.names import BadName
from mythos.play.ports import Busy
from mythos.play.sanctions import Banned
from mythos.telemetry.health import Health
from mythos.telemetry.tail import KEPT, Tail
from mythos.wire.message import Role
from tests.conftest import Failures
from tests.scenes.people import in_town
from tests.scenes.scene import Scene

_UNIX: Any = IReactorUNIX(reactor)


class Operator(LineOnlyReceiver):
    """One connection of ``mythosctl``: each answer is waited for, in order."""

    delimiter = b"\n"
    MAX_LENGTH = 2**21

    def __init__(self) -> None:
        self._answers: list[dict[str, Any]] = []
        self._waiting: list[Deferred[dict[str, Any]]] = []
        self.closed: Deferred[None] = Deferred()

    def lineReceived(self, line: bytes) -> None:
        answer = json.loads(line)
        if self._waiting:
            self._waiting.pop(0).callback(answer)
        else:
            self._answers.append(answer)

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.closed.callback(None)

    def send(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def heard(self) -> Deferred[dict[str, Any]]:
        answer: Deferred[dict[str, Any]] = Deferred()
        if self._answers:
            answer.callback(self._answers.pop(0))
        else:
            self._waiting.append(answer)
        return answer

    def ask(self, order: str, **members: Any) -> Deferred[dict[str, Any]]:
        self.send(json.dumps({"do": order, **members}).encode() + b"\n")
        return self.heard()

    def hang_up(self) -> Deferred[None]:
        assert self.transport is not None
        self.transport.loseConnection()
        return self.closed


class Two:
    """What the house counts: two players."""

    def text(self) -> bytes:
        return b"mythos_players 2\n"

    def summary(self) -> dict[str, Any]:
        return {"players": 2}


class Desk:
    """A server's side: a scene, what was asked of the house, and connections to it."""

    def __init__(self, path: Path) -> None:
        self.scene = in_town()
        self.stopped: list[tuple[float, str]] = []
        self.reload: Callable[[], str] = lambda: "Town is loaded again: 5 rooms."
        self.health = Health("1.2", self.scene.clock.wall, lambda: 2, started=self.scene.clock.wall() - 60.0, state="")
        self.tail: Tail | None = Tail(StringIO())
        self._path = str(path)
        self._operators: list[Operator] = []
        self._port = self.open(self.scene.accounts)

    def open(self, accounts: Accounts) -> Any:
        orders = WorldOrders(
            self.scene.realm,
            accounts,
            self.health,
            ports=lambda: {"telnet": 4000},
            stop=lambda seconds, reason: self.stopped.append((seconds, reason)),
            counted=Two(),
            tail=self.tail,
            reload=lambda dry_run: "Town is good: 5 rooms." if dry_run else self.reload(),
            reload_config=lambda dry_run: f"dry run: {dry_run}",
            reload_tls=lambda: "The certificate was read again.",
            stay=lambda: bool(self.stopped),
            upgrade=self.upgrade,
        )
        self.control = ControlFactory(orders.orders)
        return _UNIX.listenUNIX(self._path, self.control, mode=0o600)

    async def upgrade(self, seconds: float) -> dict[str, Any]:
        return {"seconds": seconds}

    async def reopen(self, accounts: Accounts) -> None:
        await self._port.stopListening()
        self._port = self.open(accounts)

    async def operator(self) -> Operator:
        made = Operator()
        await connectProtocol(UNIXClientEndpoint(_UNIX, self._path), made)
        self._operators.append(made)
        return made

    async def close(self) -> None:
        for operator in self._operators:
            await operator.hang_up()
        await self._port.stopListening()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "control.sock")
    yield made
    blockon(Deferred.fromCoroutine(made.close()))


# ── orders ──────────────────────────────────────────────────────────────────────────────────────


async def test_status(desk: Desk) -> None:
    operator = await desk.operator()
    answer = await operator.ask("status")
    assert answer.pop("timestamp")
    assert answer == {
        "ok": True,
        "status": "healthy",
        "version": "1.2",
        "uptime_s": 60.0,
        "connections": 2,
        "database": "ok",
        "checks": {},
        "world": "Town",
        "rooms": 5,
        "players": 2,
        "sessions": 2,
        "doors": {"telnet": 2},
        "ports": {"telnet": 4000},
    }


async def test_status_tells_players_from_sessions(desk: Desk) -> None:
    """One whose line broke long ago does not play, and can come back."""
    ear = desk.scene.ears["Ann"]
    desk.scene.realm.detach(ear, ear.session)
    desk.scene.clock.advance(desk.scene.realm.pace.grace + 1)
    desk.scene.realm.sweep()
    answer = await (await desk.operator()).ask("status")
    assert (answer["players"], answer["sessions"], answer["doors"]) == (1, 2, {"telnet": 1})


async def test_status_of_a_server_in_trouble(desk: Desk) -> None:
    desk.health.checks["database"] = lambda: "The disk is full."
    answer = await (await desk.operator()).ask("status")
    assert (answer["ok"], answer["status"], answer["database"]) == (True, "unhealthy", "The disk is full.")


async def test_who(desk: Desk) -> None:
    """Everyone who plays, by what an operator wants to know; a broken line shows."""
    desk.scene.clock.advance(7.0)
    desk.scene.type("Bob", "west")
    desk.scene.me("Bob").keeper = True
    desk.scene.arrive("Gus", guest=True, room="t:inn")
    ear = desk.scene.ears["Ann"]
    desk.scene.realm.detach(ear, ear.session)
    answer = await (await desk.operator()).ask("who")
    doors = ["telnet from 127.0.0.1"]
    plain = {"keeper": False, "guest": False, "idle_s": 0, "doors": doors}
    assert answer["players"] == [
        plain | {"name": "Ann", "room": "t:inn", "idle_s": 7, "doors": []},
        plain | {"name": "Bob", "room": "t:square", "keeper": True},
        plain | {"name": "Gus", "room": "t:inn", "guest": True},
    ]


async def test_session(desk: Desk) -> None:
    """By a name, by the beginning of one, or by that of its id."""
    operator = await desk.operator()
    found = await operator.ask("session", name="ann")
    session = desk.scene.ears["Ann"].session
    assert (found["name"], found["session"], found["standing"]) == ("Ann", session.id, "present")
    assert (found["head"], found["kept"], found["next_c"]) == (session.log.head, len(session.log.entries), 1)
    assert [one["door"] for one in found["cursors"]] == ["telnet"]
    assert await operator.ask("session", name="an") == await operator.ask("session", name=session.id[:8]) == found
    assert (await operator.ask("session", name="Zoe"))["error"] == "Nobody called Zoe is here just now."


async def test_metrics(desk: Desk) -> None:
    assert await (await desk.operator()).ask("metrics") == {"ok": True, "text": "mythos_players 2\n"}


async def test_memory(desk: Desk) -> None:
    operator = await desk.operator()
    await operator.ask("broadcast", text="Tea.")
    found = await operator.ask("memory")
    assert (found["sessions"], found["characters"], found["rooms"]) == (2, 2, 5)
    assert found["resident_bytes"] > 1_000_000
    assert found["kept_bytes"] > 0
    assert "types" not in found
    counted = (await operator.ask("memory", types=True))["types"]
    assert list(counted.values()) == sorted(counted.values(), reverse=True)


async def test_logs(desk: Desk) -> None:
    """The last lines, those that hold some words, and those since the last look."""
    assert desk.tail is not None
    operator = await desk.operator()
    assert await operator.ask("logs") == {"ok": True, "lines": [], "last": 0, "left_out": 0}
    for text in ("one Ann\n", "two Bob\n", "three ANN\n  and more\n"):
        desk.tail.write(text)
    assert (await operator.ask("logs", most=2))["lines"] == ["two Bob", "three ANN\n  and more"]
    assert (await operator.ask("logs", words="ann"))["lines"] == ["one Ann", "three ANN\n  and more"]
    assert await operator.ask("logs", since=2) == {
        "ok": True,
        "lines": ["three ANN\n  and more"],
        "last": 3,
        "left_out": 0,
    }
    assert (await operator.ask("logs", most=0))["lines"] == []
    for _ in range(KEPT + 10):
        desk.tail.write("flood\n")
    answer = await operator.ask("logs", since=3)
    assert (answer["left_out"], answer["last"]) == (10, 3 + KEPT + 10)
    assert (await operator.ask("logs", most=KEPT + 1))["error"] == f"Of the log, 0 to {KEPT} lines are kept."


async def test_logs_that_are_too_long(desk: Desk) -> None:
    """An answer has a bound: the oldest lines are left out."""
    assert desk.tail is not None
    for number in range(30):
        desk.tail.write(f"{number} " + "x" * 100_000)
    lines = (await (await desk.operator()).ask("logs"))["lines"]
    assert (len(lines), lines[-1][:3]) == (10, "29 ")


async def test_logs_that_are_not_kept(desk: Desk) -> None:
    desk.tail = None
    await desk.reopen(desk.scene.accounts)
    assert (await (await desk.operator()).ask("logs"))["error"].startswith("This server keeps no lines of its log")


async def test_what_is_only_asked_for(desk: Desk) -> None:
    """A dry run says what would be, and does nothing."""
    operator = await desk.operator()
    assert await operator.ask("kick", name="bo", dry_run=True) == {"ok": True, "name": "Bob"}
    answer = await operator.ask("shutdown", seconds=5, dry_run=True)
    assert answer == {"ok": True, "seconds": 5.0, "connections": 2}
    assert (len(list(desk.scene.realm.sessions())), desk.stopped) == (2, [])


async def test_ban_of_an_address(desk: Desk) -> None:
    """Who is in is sent away with the reason; a dry run only names them."""
    operator = await desk.operator()
    desk.scene.ears["Bob"].address = "10.0.0.7"
    asked = {"kind": "address", "what": "10.0.0.9/8", "seconds": 3600, "reason": "Spam."}
    dry = await operator.ask("ban", **asked, dry_run=True)
    assert (dry["what"], dry["sent_away"]) == ("10.0.0.0/8", ["Bob"])
    assert (await operator.ask("bans"))["bans"] == []
    found = await operator.ask("ban", **asked)
    assert (found["sent_away"], found["by"], found["until"] > found["since"]) == (["Bob"], "operator", True)
    assert any(words.endswith("UTC. Spam.") for words in desk.scene.hear("Bob"))
    assert [session.me.name for session in desk.scene.realm.sessions()] == ["Ann"]
    assert [one["what"] for one in (await operator.ask("bans"))["bans"]] == ["10.0.0.0/8"]
    assert (await operator.ask("unban", kind="address", what="10.0.0.0/8"))["reason"] == "Spam."
    assert (await operator.ask("bans"))["bans"] == []


async def test_ban_of_an_account(desk: Desk) -> None:
    """Its password opens nothing, nor a token of before; and the name is nobody else's meanwhile."""
    operator = await desk.operator()
    await operator.ask("create-account", name="zoe", password="correct horse")
    accounts = desk.scene.accounts
    session = await accounts.login("zoe", "correct horse", "10.0.0.1")
    token = (await accounts.grant(session)).token
    assert (await operator.ask("ban", kind="account", what="zoe", reason="Rest."))["what"] == "Zoe"
    with pytest.raises(Banned, match=r"You may not come in here\. Rest\."):
        await accounts.login("zoe", "correct horse", "10.0.0.1")
    with pytest.raises(Refusal):
        await accounts.session_by(token)
    shown = await operator.ask("account", name="ZOE")
    assert (shown["banned"]["reason"], shown["keeper"]) == ("Rest.", False)
    await operator.ask("unban", kind="account", what="zoe")
    assert (await operator.ask("account", name="zoe"))["banned"] is None
    assert (await accounts.login("zoe", "correct horse", "10.0.0.1")).me.name == "Zoe"


async def test_ban_of_a_name(desk: Desk) -> None:
    operator = await desk.operator()
    await operator.ask("ban", kind="name", what="Voldemort")
    with pytest.raises(BadName, match="may not be taken here"):
        await desk.scene.accounts.register_new("voldemort", "correct horse")


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"kind": "address", "what": "127.0.0.1"}, "has this machine in it"),
        ({"kind": "address", "what": "Ann"}, "no address and no network"),
        ({"kind": "account", "what": "Zoe"}, "There is no account 'Zoe'."),
        ({"kind": "face", "what": "Ann"}, "A ban is on an address, an account or a name."),
        ({"kind": "name", "what": "Eve", "reason": "x" * 501}, "A reason has up to 500 letters."),
    ],
)
async def test_no_ban(desk: Desk, members: dict[str, Any], error: str) -> None:
    operator = await desk.operator()
    assert error in (await operator.ask("ban", **members))["error"]
    assert (await operator.ask("bans"))["bans"] == []
    assert (await operator.ask("unban", kind="name", what="Eve"))["error"].startswith("There is no such ban.")


async def test_mute(desk: Desk) -> None:
    operator = await desk.operator()
    assert await operator.ask("mute", name="ann", seconds=60, reason="Hush.") == {
        "ok": True,
        "name": "Ann",
        "seconds": 60.0,
    }
    assert desk.scene.hear("Ann")[-1].endswith("for a while. Hush.")
    desk.scene.type("Ann", "chat hello")
    assert "again in" in desk.scene.hear("Ann")[-1]
    assert [(one["kind"], one["what"]) for one in (await operator.ask("bans"))["bans"]] == [("mute", "Ann")]
    assert (await operator.ask("unmute", name="ANN"))["name"] == "Ann"
    desk.scene.type("Ann", "chat hello")
    assert desk.scene.hear("Ann")[-1] == "[chat] Ann: hello"
    assert (await operator.ask("unmute", name="Ann"))["error"] == "Nobody called Ann is muted."
    assert "a second to a year" in (await operator.ask("mute", name="ann", seconds=0))["error"]


async def test_drain(desk: Desk) -> None:
    """Nobody new; who plays goes on; health says so, until it is resumed."""
    operator = await desk.operator()
    assert await operator.ask("drain", message="A new disk.") == {"ok": True, "players": 2}
    assert desk.scene.hear_all() == {name: ["[notice] A new disk."] for name in ("Ann", "Bob")}
    assert (await operator.ask("status"))["state"] == desk.health.not_ready() == "draining"
    with pytest.raises(Busy, match="Nobody new is let in"):
        desk.scene.accounts.guest()
    with pytest.raises(Busy):
        await desk.scene.accounts.register_new("Zoe", "correct horse")
    assert not await desk.scene.accounts.known("Zoe")
    desk.scene.type("Ann", "say still here")
    assert desk.scene.hear("Bob") == ['Ann says, "still here"']
    assert await operator.ask("resume") == {"ok": True, "stays": False}
    assert desk.health.not_ready() == ""
    desk.scene.accounts.guest()
    assert "nothing to resume" in (await operator.ask("resume"))["error"]
    desk.stopped.append((9.0, ""))
    assert await operator.ask("resume") == {"ok": True, "stays": True}


async def test_accounts(desk: Desk) -> None:
    """They are listed, and what an operator changes of them counts at once."""
    operator = await desk.operator()
    for name in ("zoe", "yves"):
        await operator.ask("create-account", name=name, password="correct horse")
    listed = await operator.ask("accounts")
    assert ([one["name"] for one in listed["accounts"]][-2:], listed["next"]) == (["Zoe", "Yves"], 0)
    accounts = desk.scene.accounts
    session = await accounts.login("zoe", "correct horse", "10.0.0.1")
    refresh = (await accounts.grant(session)).refresh
    assert await operator.ask("account-role", name="zoe", keeper=True) == {"ok": True, "name": "Zoe", "keeper": True}
    assert session.me.keeper
    assert await operator.ask("account-password", name="zoe", password="battery staple") == {"ok": True, "name": "Zoe"}
    with pytest.raises(Refusal):
        await accounts.refresh(refresh)
    with pytest.raises(WrongPassword):
        await accounts.login("zoe", "correct horse", "10.0.0.1")
    assert (await accounts.login("zoe", "battery staple", "10.0.0.1")).me.keeper
    assert "at least 8" in (await operator.ask("account-password", name="yves", password="short"))["error"]
    assert (await operator.ask("account-role", name="eve", keeper=True))["error"] == "There is no account 'eve'."


async def test_broadcast(desk: Desk) -> None:
    """Everyone hears it, wherever they are, and that it is a notice."""
    desk.scene.type("Bob", "west")
    desk.scene.hear_all()
    answer = await (await desk.operator()).ask("broadcast", text="Tea is ready — «soon».")
    assert answer == {"ok": True, "heard": 2}
    assert desk.scene.hear_all() == {name: ["[notice] Tea is ready — «soon»."] for name in ("Ann", "Bob")}


async def test_broadcast_is_a_warning(desk: Desk) -> None:
    """A screen reader and a client with colours can tell it from what players say."""
    await (await desk.operator()).ask("broadcast", text="Hear, hear.")
    message: Any = desk.scene.ears["Ann"].session.log.entries[-1][2]
    assert [(span.text, span.role) for span in message.spans] == [("[notice] ", Role.WARNING), ("Hear, hear.", None)]


async def test_kick(desk: Desk) -> None:
    """The player reads why before the line closes; the others see them go; the beginning of a name will do."""
    answer = await (await desk.operator()).ask("kick", name="bo", reason="Go to bed.")
    assert answer == {"ok": True, "name": "Bob"}
    assert "You are sent away. Go to bed." in desk.scene.hear("Bob")
    assert desk.scene.ears["Bob"].closed == (1000, "kicked")
    assert any("Bob" in words for words in desk.scene.hear("Ann"))
    assert [session.me.name for session in desk.scene.realm.sessions()] == ["Ann"]


async def test_kick_somebody_who_is_not_there(desk: Desk) -> None:
    operator = await desk.operator()
    answer = await operator.ask("kick", name="Zoe")
    assert answer == {"ok": False, "error": "Nobody called Zoe is here just now."}
    desk.scene.arrive("Bobby")
    assert "Which do you mean: Bob, Bobby?" not in (await operator.ask("kick", name="bob")).values()
    desk.scene.arrive("Bodo")
    assert await operator.ask("kick", name="bo") == {"ok": False, "error": "Which do you mean: Bobby, Bodo?"}


@pytest.mark.parametrize(
    ("members", "stopped"),
    [({}, (0.0, "")), ({"seconds": 90, "reason": "A new disk."}, (90.0, "A new disk.")), ({"seconds": 0.5}, (0.5, ""))],
)
async def test_shutdown(desk: Desk, members: dict[str, Any], stopped: tuple[float, str]) -> None:
    answer = await (await desk.operator()).ask("shutdown", **members)
    assert answer == {"ok": True, "seconds": stopped[0], "connections": 2}
    assert desk.stopped == [stopped]


@pytest.mark.parametrize(
    "seconds", ["-1", "86401", "NaN", "Infinity", "1e999", "1" + "0" * 400, "true", '"5"', "null", "[]"]
)
async def test_shutdown_at_no_time(desk: Desk, seconds: str) -> None:
    """What is no time within a day stops nothing."""
    operator = await desk.operator()
    operator.send(b'{"do": "shutdown", "seconds": %s}\n' % seconds.encode())
    answer = await operator.heard()
    assert not answer["ok"]
    assert "broke" not in answer["error"]
    assert desk.stopped == []


async def test_reload(desk: Desk) -> None:
    """What the house says of it, good or bad, with every line of it."""
    operator = await desk.operator()
    assert await operator.ask("reload") == {"ok": True, "message": "Town is loaded again: 5 rooms."}

    def refuse() -> str:
        raise Refusal("Nothing was changed. a.yaml:1:1: error: x\nb.yaml:2:2: error: y")

    desk.reload = refuse
    answer = await operator.ask("reload")
    assert answer == {"ok": False, "error": "Nothing was changed. a.yaml:1:1: error: x\nb.yaml:2:2: error: y"}


async def test_reload_of_what(desk: Desk) -> None:
    operator = await desk.operator()
    for what, dry_run, message in (
        ("config", False, "dry run: False"),
        ("config", True, "dry run: True"),
        ("world", True, "Town is good: 5 rooms."),
        ("tls", False, "The certificate was read again."),
    ):
        assert (await operator.ask("reload", what=what, dry_run=dry_run))["message"] == message
    error = (await operator.ask("reload", what="moon"))["error"]
    assert error == "There is no 'moon' to load again here. There is: config, tls, world."


@pytest.mark.parametrize("keeper", [False, True])
async def test_create_account(desk: Desk, keeper: bool) -> None:
    """Whom it makes can log in, with the rights it was given and no others."""
    operator = await desk.operator()
    answer = await operator.ask("create-account", name="zoe", password="correct horse", keeper=keeper)
    assert answer == {"ok": True, "name": "Zoe"}
    session = await desk.scene.accounts.login("ZOE", "correct horse", "127.0.0.1")
    assert (session.me.name, session.me.keeper) == ("Zoe", keeper)


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"name": "Annx", "password": "correct horse"}, "The name Annx is taken."),
        ({"name": "Zoe", "password": "short"}, "A password has at least 8 characters."),
        ({"name": "Z0e", "password": "correct horse"}, "A name has letters only"),
        ({"name": "Zoe", "password": "correct\0horse"}, "'password' holds control characters"),
        ({"name": "Zoe"}, "The member 'password' is missing"),
        ({"name": "Zoe", "password": "correct horse", "keeper": 1}, "'keeper' is true or false"),
    ],
)
async def test_create_no_account(desk: Desk, members: dict[str, Any], error: str) -> None:
    answer = await (await desk.operator()).ask("create-account", **members)
    assert not answer["ok"]
    assert error in answer["error"]
    assert not await desk.scene.accounts.known("Zoe")


# ── the protocol ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"", "That is not JSON"),
        (b"status", "That is not JSON"),
        (b"\xff\xfe{", "That is not JSON"),
        (b"[" * 60_000, "That is not JSON"),
        (b'{"do": "kick", "seconds": 1' + b"0" * 5_000 + b"}", "That is not JSON"),
        (b'["status"]', "A question is a JSON object"),
        (b"{}", "The member 'do' is missing"),
        (b'{"do": 7}', "The member 'do' is missing"),
        (b'{"do": "\\ud800"}', "'do' holds control characters"),
        (b'{"do": "stauts"}', "There is no order 'stauts'; did you mean 'status'?"),
        (b'{"do": "jump"}', "There is no order 'jump'."),
        (b'{"do": "broadcast"}', "The member 'text' is missing"),
        (b'{"do": "broadcast", "text": "a\\u001b[2Jb"}', "'text' holds control characters"),
        (b'{"do": "broadcast", "text": "a\\nb"}', "'text' holds control characters"),
        (b'{"do": "kick", "name": ["Ann"]}', "The member 'name' is missing"),
        (b'{"do": "logs", "since": NaN}', "The member 'since' is a number"),
        (b'{"do": "status", "id": {}}', "The member 'id' is a number, or a text"),
    ],
)
async def test_what_cannot_be_understood(desk: Desk, line: bytes, error: str) -> None:
    """It is answered with what is wrong with it, and the connection is as good as before."""
    operator = await desk.operator()
    operator.send(line + b"\n")
    answer = await operator.heard()
    assert not answer["ok"]
    assert answer["error"].startswith(error) or error in answer["error"]
    assert (await operator.ask("status"))["ok"]
    assert desk.scene.hear_all() == {"Ann": [], "Bob": []}


@pytest.mark.parametrize("id", [0, 17, "a-1", True])
async def test_id(desk: Desk, id: Any) -> None:
    """A question's own name comes back with its answer, good or bad."""
    operator = await desk.operator()
    assert (await operator.ask("who", id=id))["id"] == id
    assert await operator.ask("jump", id=id) == {"ok": False, "error": "There is no order 'jump'.", "id": id}


async def test_in_order_however_it_is_cut(desk: Desk) -> None:
    """Questions sent at once, in pieces, are answered one after the other."""
    operator = await desk.operator()
    data = b"".join(b'{"do": "broadcast", "text": "%d", "id": %d}\n' % (n, n) for n in range(20))
    for start in range(0, len(data), 7):
        operator.send(data[start : start + 7])
    assert [(await operator.heard())["id"] for _ in range(20)] == list(range(20))
    assert desk.scene.hear("Ann") == [f"[notice] {n}" for n in range(20)]


async def test_the_longest_line(desk: Desk) -> None:
    operator = await desk.operator()
    head = b'{"do": "broadcast", "text": "'
    operator.send(head + b"x" * (MOST_BYTES - len(head) - 2) + b'"}\n')
    assert (await operator.heard())["ok"]


@pytest.mark.parametrize("end", [b"\n", b""])
async def test_a_longer_line(desk: Desk, end: bytes) -> None:
    """Refused before it is kept, whether or not it ends; that connection is closed and no other."""
    operator, other = await desk.operator(), await desk.operator()
    operator.send(b"x" * (MOST_BYTES + 1) + end)
    assert await operator.heard() == {"ok": False, "error": "A question is one line of up to 65536 bytes."}
    await operator.closed
    assert (await other.ask("status"))["ok"]


class SlowHasher:
    """Hashes when it is told to."""

    def __init__(self) -> None:
        self.hashing: Deferred[str] = Deferred()

    async def hash(self, password: str) -> str:
        return await self.hashing

    async def verify(self, hash: str | None, password: str) -> bool:
        return False

    def outdated(self, hash: str) -> bool:
        return False


def slow(scene: Scene, hasher: SlowHasher) -> Accounts:
    return Accounts(scene.realm, scene.store, scene.store, hasher, scene.realm.tokens, scene.clock, Throttle())


async def test_one_waits_for_the_other(desk: Desk) -> None:
    """While an order waits, those behind it on its connection do too; other connections do not."""
    hasher = SlowHasher()
    await desk.reopen(slow(desk.scene, hasher))
    operator, other = await desk.operator(), await desk.operator()
    first = operator.ask("create-account", name="Zoe", password="correct horse")
    second = operator.ask("who", id=2)
    assert (await other.ask("who"))["ok"]
    assert not first.called
    assert not second.called
    hasher.hashing.callback("hash")
    assert await first == {"ok": True, "name": "Zoe"}
    assert (await second)["id"] == 2


async def test_too_many_wait(desk: Desk) -> None:
    """Who asks without end while an order waits is told so and cut off; what was asked is still done."""
    hasher = SlowHasher()
    await desk.reopen(slow(desk.scene, hasher))
    operator = await desk.operator()
    operator.send(b'{"do": "create-account", "name": "Zoe", "password": "correct horse"}\n')
    operator.send(b'{"do": "who"}\n' * 100)
    assert await operator.heard() == {"ok": False, "error": "More than 64 questions wait for an answer."}
    await operator.closed
    hasher.hashing.callback("hash")
    assert await desk.scene.accounts.known("Zoe")


async def test_an_order_that_breaks(desk: Desk, failures: Failures) -> None:
    """A fault of ours is a sentence to the operator and a trace in the log; nothing else ends."""

    def burst() -> str:
        raise RuntimeError("a secret detail")

    desk.reload = burst
    operator = await desk.operator()
    answer = await operator.ask("reload", id=5)
    assert answer == {"ok": False, "error": "Something broke in the server; its log says what.", "id": 5}
    assert [str(one.value) for one in failures.flush(RuntimeError)] == ["a secret detail"]
    assert (await operator.ask("status"))["ok"]


def test_an_audit_log_that_cannot_be_written(tmp_path: Path) -> None:
    """Nobody orders from elsewhere then; who is on the machine still can. Lines that a crash cut are left out."""
    audit = Audit(tmp_path / "audit.log", lambda: 0.0)
    audit.write("t1 ann", "kick", "Bob", "ordered")
    with (tmp_path / "audit.log").open("a") as file:
        file.write('{"at": "19')
    assert [one["order"] for one in audit.last(9)] == ["kick"]
    (tmp_path / "audit.log").unlink()
    (tmp_path / "audit.log").mkdir()
    with pytest.raises(Refusal, match="Nothing is ordered while"):
        audit.write("t1 ann", "kick", "Bob", "ordered")
    audit.write(HERE, "shutdown", "", "ordered")


async def test_upgrade(desk: Desk) -> None:
    """With the time that was given for it, within bounds, and on this machine alone: nobody else would be answered."""
    operator = await desk.operator()
    assert (await operator.ask("upgrade", seconds=7))["seconds"] == 7.0
    assert "1 to 600 seconds" in (await operator.ask("upgrade", seconds=0))["error"]
    answer = await desk.control.answer(b'{"do": "upgrade"}', "somebody elsewhere")
    assert "on the server's own machine" in answer["error"]
