"""What ``mythosctl`` asks of a server, and what it makes of the answer."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from mythos.ctl.numbers import Numbers
from mythos.ctl.remote import Remote
from tests.ctl.conftest import Run
from tests.ctl.stub import Stub

STATUS: dict[str, Any] = {
    "status": "healthy",
    "version": "1.2",
    "uptime_s": 61.4,
    "world": "Town",
    "rooms": 5,
    "players": 3,
    "sessions": 4,
    "doors": {"telnet": 2, "websocket": 1},
    "ports": {"telnet": 4000, "http": 8000},
    "checks": {"database": {"status": "ok", "message": ""}},
}
TROUBLE = {**STATUS, "status": "unhealthy", "checks": {"database": {"status": "down", "message": "The disk is full."}}}
ANN = {
    "name": "Ann",
    "room": "t:inn",
    "keeper": False,
    "guest": False,
    "idle_s": 7,
    "doors": ["telnet from 127.0.0.1", "sse from 10.0.0.1"],
}
BOB = {**ANN, "name": "Bob", "doors": []}
KICK: dict[str, Any] = {"do": "kick", "name": "bob", "reason": "", "dry_run": False}
ROLE: dict[str, Any] = {"do": "account-role", "name": "bob", "keeper": True}
BAN: dict[str, Any] = {
    "do": "ban",
    "kind": "address",
    "what": "10.0.0.0/8",
    "seconds": 7 * 86_400.0,
    "reason": "Spam.",
    "dry_run": False,
}
SHOWN: dict[str, Any] = {
    "kind": "address",
    "what": "10.0.0.0/8",
    "since": "2026-11-21",
    "until": "2026-11-28",
    "reason": "Spam.",
    "by": "operator",
}
SESSION: dict[str, Any] = {
    **ANN,
    "session": "0123456789abcdef",
    "character": "c7",
    "standing": "present",
    "age_s": 7384,
    "epoch": "e1",
    "head": 40,
    "kept": 3,
    "kept_bytes": 2048,
    "next_c": 9,
    "waiting": 0,
    "cursors": [{"door": "telnet", "sent": 40, "acked": 38, "attached": True}],
}
GOING = {"name": "Bob", "character": "c7", "deleted_at": "2026-12-05T12:00:00+00:00"}
NUMBERS = """\
mythos_command_seconds_bucket{command="look",le="0.001"} 90
mythos_command_seconds_bucket{command="look",le="0.0025"} 100
mythos_command_seconds_bucket{command="look",le="+Inf"} 100
mythos_command_seconds_count{command="look"} 100
mythos_memory_usage_bytes 8.388608e+07
mythos_i3_up{mud="Town"} 1
"""


@pytest.mark.parametrize(
    ("words", "asked", "answer", "said"),
    [
        (["broadcast", "Tea is ready."], {"do": "broadcast", "text": "Tea is ready."}, {"heard": 2}, "2 people heard"),
        (["broadcast", "Tea"], {"do": "broadcast", "text": "Tea"}, {"heard": 1}, "1 person heard it."),
        (["kick", "bob", "--dry-run"], KICK | {"dry_run": True}, {"name": "Bob"}, "Bob would be sent away."),
        (["kick", "bob"], KICK, {"name": "Bob"}, "Bob is sent away."),
        (["kick", "bob", "--reason", "Bed."], KICK | {"reason": "Bed."}, {"name": "Bob"}, "Bob"),
        (["shutdown"], {"do": "shutdown", "seconds": 0.0, "reason": ""}, {"seconds": 0.0}, "The server stops."),
        (
            ["shutdown", "--in", "90", "--reason", "A new disk."],
            {"do": "shutdown", "seconds": 90.0, "reason": "A new disk."},
            {"seconds": 90.0},
            "The server stops in 1 min 30 s.",
        ),
        (
            ["reload"],
            {"do": "reload", "what": "world", "dry_run": False},
            {"message": "Town is loaded again."},
            "Town is loaded again.",
        ),
        (
            ["ban", "address", "10.0.0.0/8", "--for", "7d", "--reason", "Spam."],
            BAN,
            SHOWN | {"sent_away": ["Bob"]},
            "Banned: address 10.0.0.0/8 until 2026-11-28 (Spam.). Sent away: Bob.",
        ),
        (
            ["ban", "address", "10.0.0.0/8", "--for", "7d", "--reason", "Spam.", "--dry-run"],
            BAN | {"dry_run": True},
            SHOWN | {"sent_away": []},
            "Would be banned: address 10.0.0.0/8 until 2026-11-28 (Spam.). Sent away: nobody.",
        ),
        (
            ["unban", "address", "10.0.0.0/8"],
            {"do": "unban", "kind": "address", "what": "10.0.0.0/8"},
            SHOWN,
            "Lifted: address 10.0.0.0/8 until 2026-11-28 (Spam.).",
        ),
        (["bans"], {"do": "bans"}, {"bans": []}, "Nobody is banned or muted."),
        (
            ["bans"],
            {"do": "bans"},
            {"bans": [SHOWN | {"until": "", "reason": ""}]},
            "address 10.0.0.0/8, until for good: -",
        ),
        (
            ["mute", "bob", "--for", "90s"],
            {"do": "mute", "name": "bob", "seconds": 90.0, "reason": ""},
            {"name": "Bob", "seconds": 90.0},
            "Bob is muted for 1 min 30 s.",
        ),
        (["unmute", "bob"], {"do": "unmute", "name": "bob"}, {"name": "Bob"}, "Bob may speak again."),
        (["drain"], {"do": "drain", "message": ""}, {"players": 2}, "Nobody new is let in. 2 play still."),
        (["drain", "--message", "A"], {"do": "drain", "message": "A"}, {"players": 0}, "let in. Nobody plays."),
        (["resume"], {"do": "resume"}, {"stays": True}, "The server does not stop."),
        (
            ["account", "delete", "bob"],
            {"do": "account-delete", "name": "bob", "dry_run": False},
            GOING,
            "The account Bob (c7) is deleted at 2026-12-05T12:00:00+00:00, unless its player logs in before.",
        ),
        (
            ["account", "delete", "bob", "--now", "--dry-run"],
            {"do": "account-delete", "name": "bob", "seconds": 0.0, "dry_run": True},
            GOING,
            "The account Bob (c7) would be deleted at once.",
        ),
        (["account", "keep", "bob"], {"do": "account-keep", "name": "bob"}, {"name": "Bob"}, "The account Bob stays."),
        (
            ["account", "export", "bob", "-"],
            {"do": "account-export", "name": "bob"},
            {"kept": {"account": {"name": "Bob"}}},
            '"name": "Bob"',
        ),
        (["account", "role", "bob", "keeper"], ROLE, {"name": "Bob", "keeper": True}, "Bob is a keeper."),
        (
            ["account", "lock", "bob"],
            {"do": "ban", "kind": "account", "what": "bob", "reason": ""},
            {"what": "Bob"},
            "The account Bob is locked.",
        ),
        (
            ["account", "unlock", "bob"],
            {"do": "unban", "kind": "account", "what": "bob"},
            {"what": "Bob"},
            "The account Bob is unlocked.",
        ),
        (
            ["reload", "config", "--dry-run"],
            {"do": "reload", "what": "config", "dry_run": True},
            {"message": "Changed: log.level."},
            "Changed: log.level.",
        ),
        (["who"], {"do": "who"}, {"players": []}, "Nobody plays."),
    ],
)
def test_orders(
    run: Run, stub: Stub, words: list[str], asked: dict[str, Any], answer: dict[str, Any], said: str
) -> None:
    """Each command asks one thing, and says in a sentence what came of it."""
    stub.says(**answer)
    result = run(*words)
    assert (result.exit_code, result.stderr) == (0, "")
    assert said in result.stdout
    assert stub.asked == [asked]


def test_status(run: Run, stub: Stub) -> None:
    stub.says(**STATUS)
    result = run("status")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "healthy: Mythos 1.2, up 61 s",
        "world: Town, 5 rooms",
        "players: 3 (2 by telnet, 1 by websocket)",
        "ports: telnet 4000, http 8000",
    ]


def test_health(run: Run, stub: Stub) -> None:
    """Each part in a line; a server that takes no players is an exit code."""
    parts = {"database": {"status": "down", "message": "The disk is full."}, "disk": {"status": "ok", "message": ""}}
    rest = {"uptime_s": 5.0, "connections": 2, "database": "The disk is full.", "players": 2}
    stub.says(status="unhealthy", state="draining", checks=parts, **rest)
    result = run("health")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "unhealthy (draining)",
        "database is down: The disk is full.",
        "disk is ok: -",
    ]
    stub.says(status="degraded", checks=parts, **rest)
    result = run("health", "--json")
    assert (result.exit_code, json.loads(result.stdout)["checks"]) == (0, parts)


def test_status_of_a_server_in_trouble(run: Run, stub: Stub) -> None:
    """What is wrong is said, and a script sees it."""
    stub.says(**TROUBLE)
    result = run("status")
    assert result.exit_code == 1
    assert "database: The disk is full." in result.stdout


@pytest.mark.parametrize(("answer", "code"), [(STATUS, 0), (STATUS | {"status": "degraded"}, 0), (TROUBLE, 1)])
def test_status_as_json(run: Run, stub: Stub, answer: dict[str, Any], code: int) -> None:
    """All that the server said, and nothing else on standard output."""
    stub.says(**answer)
    result = run("status", "--json")
    assert (json.loads(result.stdout), result.exit_code) == (answer, code)


def test_who(run: Run, stub: Stub) -> None:
    stub.says(players=[ANN, BOB])
    assert run("who").stdout.splitlines() == [
        "Ann in t:inn: telnet from 127.0.0.1, sse from 10.0.0.1, idle 7 s",
        "Bob in t:inn: link-dead, idle 7 s",
    ]
    assert json.loads(run("who", "--json").stdout) == {"players": [ANN, BOB]}


def test_who_in_columns() -> None:
    """On a terminal; nothing is wider than what stands in it."""
    rows = [("Ann", "t:inn", "7 s"), ("Bartholomew", "t:square", "12 s")]
    columns = Remote(None, as_json=False, plain=False).rows(("name", "room", "idle"), rows, "{name} in {room}")
    assert columns == ["NAME         ROOM      IDLE", "Ann          t:inn     7 s", "Bartholomew  t:square  12 s"]
    assert Remote(None, as_json=False, plain=False).rows(("name",), [], "{name}") == []


def test_session(run: Run, stub: Stub) -> None:
    stub.says(**SESSION)
    assert run("session", "ann").stdout.splitlines() == [
        "Ann, a player (c7), present in t:inn",
        "session: 0123456789abcdef, 2 h 3 min old, idle 7 s",
        "doors: telnet from 127.0.0.1, sse from 10.0.0.1",
        "log: epoch e1, at 40, 3 kept (2 KB)",
        "  telnet: sent up to 40, acknowledged up to 38",
        "commands: the next is 9, 0 wait",
    ]
    assert stub.asked == [{"do": "session", "name": "ann"}]


def test_metrics(run: Run, stub: Stub) -> None:
    """All of them, or some by the beginning of their name."""
    stub.says(text=NUMBERS)
    assert run("metrics", "mythos_memory").stdout == "mythos_memory_usage_bytes: 83886080\n"
    assert run("metrics").stdout.splitlines()[-1] == "mythos_i3_up (mud Town): 1"
    found = json.loads(run("metrics", "mythos_i3", "--json").stdout)
    assert found == {"numbers": [["mythos_i3_up", {"mud": "Town"}, 1.0]]}
    result = run("metrics", "nothing")
    assert (result.exit_code, result.stdout) == (1, "There is no such number.\n")


def test_memory(run: Run, stub: Stub) -> None:
    stub.says(resident_bytes=3 * 2**20, collections=[9, 1, 0], sessions=2, types={"builtins.dict": 7})
    lines = run("memory", "--types").stdout.splitlines()
    assert lines == ["resident: 3 MB", "collections: 9, 1, 0", "sessions: 2", "  builtins.dict: 7"]
    assert stub.asked == [{"do": "memory", "types": True}]


@pytest.mark.parametrize("words", [[], ["--plain"], ["--json"]])
def test_top_once(run: Run, stub: Stub, words: list[str]) -> None:
    """Where no terminal reads, it is one answer, of all since the server's start."""
    stub.says(**STATUS, text=NUMBERS)
    result = run("top", *words)
    assert result.exit_code == 0
    if words == ["--json"]:
        numbers = json.loads(result.stdout)["numbers"]
        assert (numbers["commands_per_s"], numbers["command_p50"], numbers["command_p99"]) == (1.63, "1 ms", "2.5 ms")
    else:
        assert "commands: 1.6 a second, p50 1 ms, p99 2.5 ms" in result.stdout
        assert "tick: p99 none;" in result.stdout
        assert "memory: 80 MB;" in result.stdout
        assert "Intermud-3 as Town: up" in result.stdout
        assert max(map(len, result.stdout.splitlines())) < 80


def test_numbers_between_two_looks() -> None:
    """What rose since the look before counts, and nothing that was before."""
    before = Numbers([("a_seconds_bucket", {"le": "0.1"}, 100.0), ("a_seconds_bucket", {"le": "+Inf"}, 100.0)])
    now = Numbers([("a_seconds_bucket", {"le": "0.1"}, 101.0), ("a_seconds_bucket", {"le": "+Inf"}, 103.0)])
    assert now.percentile("a_seconds", 0.5, Numbers()) == "100 ms"
    assert now.percentile("a_seconds", 0.5, before) == "over 100 ms"
    assert now.percentile("a_seconds", 0.5, now) == "none"


def test_logs(run: Run, stub: Stub) -> None:
    stub.says(lines=["one", "two"], last=9, left_out=0)
    assert run("logs", "-n", "5", "--player", "Ann").stdout == "one\ntwo\n"
    assert stub.asked == [{"do": "logs", "most": 5, "words": "Ann"}]
    stub.says(lines=[], last=9, left_out=0)
    assert run("logs").stdout == "The log has no such line.\n"
    assert run("logs", "-f", "--json").exit_code == 2


@pytest.mark.parametrize("words", [["--keeper"], []])
def test_account_create(run: Run, stub: Stub, words: list[str]) -> None:
    """The password comes by standard input, where no list of processes shows it, and is printed nowhere."""
    stub.says(name="Zoe")
    result = run("account", "create", "zoe", *words, stdin="correct horse\r\nnot this")
    assert (result.exit_code, result.stdout) == (0, "The account Zoe is made.\n")
    question = {"do": "create-account", "name": "zoe", "password": "correct horse", "keeper": bool(words)}
    assert stub.asked == [question]


def test_accounts(run: Run, stub: Stub) -> None:
    stub.says(accounts=[{"id": 1, "name": "Ann", "keeper": True}, {"id": 2, "name": "Bob", "keeper": False}], next=0)
    assert run("account", "list").stdout == "Ann, keeper\nBob, player\n"
    stub.says(name="Bob", keeper=False, character="c9", standing="gone", banned=SHOWN, deleted_at="2026-12-05")
    assert run("account", "show", "bob").stdout.splitlines() == [
        "Bob, player (c9): gone",
        "banned: address 10.0.0.0/8 until 2026-11-28 (Spam.)",
        "to be deleted at 2026-12-05",
    ]
    stub.says(name="Bob")
    assert run("account", "passwd", "bob", stdin="battery staple\n").stdout == "The password of Bob is changed.\n"
    assert stub.asked[-1] == {"do": "account-password", "name": "bob", "password": "battery staple"}


def test_drain_that_waits(run: Run, stub: Stub) -> None:
    """Somebody who stays to the end of the time is an exit code."""
    stub.says(players=1)
    result = run("drain", "--timeout", "500ms")
    assert (result.exit_code, result.stdout) == (1, "Nobody new is let in. 1 play still.\n")
    assert [one["do"] for one in stub.asked] == ["drain", "status"]


@pytest.mark.parametrize("stdin", ["", "\n", "\n\nlate"])
def test_account_without_a_password(run: Run, stub: Stub, stdin: str) -> None:
    result = run("account", "create", "zoe", stdin=stdin)
    assert result.exit_code == 1
    assert "There is no password" in result.stderr
    assert stub.asked == []


# ── answers that are none ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("words", [["status", "--json"], ["who"], ["kick", "Zoe"], ["reload"], ["shutdown"]])
def test_refused(run: Run, stub: Stub, words: list[str]) -> None:
    """The server's own sentence, where mistakes go, and a code of its own."""
    stub.refuses("Nobody called Zoe is here just now.")
    result = run(*words)
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr == "Nobody called Zoe is here just now.\n"


def test_no_server(run: Run) -> None:
    result = run("status")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("No server runs on ")
    assert result.stderr.endswith("mythos-data: start it, or name its directory with --data DIR.\n")


def test_a_server_that_was_killed(run: Run, tmp_path: Path) -> None:
    """Its socket is still there, and nobody listens."""
    (tmp_path / "mythos-data").mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "mythos-data" / "control.sock"))
    result = run("status")
    assert (result.exit_code, "No server runs on" in result.stderr) == (3, True)


def test_a_directory_too_deep(run: Run, tmp_path: Path) -> None:
    """The system has a limit for the paths of sockets: said in a sentence, too."""
    result = run("status", "--data", "d" * 120)
    assert result.exit_code == 3
    assert "cannot be reached: AF_UNIX path too long" in result.stderr


@pytest.mark.parametrize("answer", [b"", b'{"ok": true, "players"', b'{"ok": true}', b"HTTP/1.1 400\r\n", b"[1]\n"])
def test_no_answer(run: Run, stub: Stub, answer: bytes) -> None:
    """A server that dies while it answers, and what is no Mythos."""
    stub.answer = answer
    result = run("reload")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "closed without an answer, or is no Mythos" in result.stderr


@pytest.mark.parametrize("words", [["status"], ["who"], ["reload"], ["kick", "Ann"], ["broadcast", "Tea"]])
def test_a_server_of_another_version(run: Run, stub: Stub, words: list[str]) -> None:
    """One that was not restarted after an update may not say what is asked for."""
    stub.says(players=[{"name": "Ann"}], doors={}, ports={}, checks={"database": {}})
    result = run(*words)
    assert result.exit_code == 1
    assert "it is of another version than this mythosctl" in result.stderr


# ── which server ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("by", ["option", "variable", "file", ".env"])
def test_which_server(run: Run, tmp_path: Path, by: str) -> None:
    """Found by the same reader as the server's own."""
    with Stub(tmp_path / "elsewhere") as stub:
        stub.says(message="Loaded.")
        words, env = ["reload"], {}
        match by:
            case "option":
                words += ["--data", "elsewhere"]
                env = {"MYTHOS_DATA": "nowhere"}
            case "variable":
                env = {"MYTHOS_DATA": str(tmp_path / "elsewhere")}
            case "file":
                (tmp_path / "mythos.yaml").write_text("data: elsewhere\n")
            case _:
                (tmp_path / ".env").write_text("MYTHOS_DATA=elsewhere\n")
        result = run(*words, **env)
        assert (result.exit_code, result.stdout) == (0, "Loaded.\n")


def test_a_bad_configuration(run: Run, tmp_path: Path) -> None:
    """Every mistake with its place; no server is guessed at."""
    (tmp_path / "mythos.yaml").write_text("dta: elsewhere\ntick: 1\n")
    result = run("status")
    assert result.exit_code == 1
    assert "mythos.yaml:1:1: error: unknown key 'dta'" in result.stderr
    assert "mythos.yaml:2:1: error:" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["stauts"],
        ["kick"],
        ["broadcast"],
        ["shutdown", "--in", "soon"],
        ["who", "--jsn"],
        ["account", "create"],
        ["account", "delete"],
        ["account", "export", "bob"],
        ["top", "--every", "soon"],
        ["top", "--every", "0"],
        ["logs", "-n", "many"],
        ["session"],
        ["completion", "csh"],
        ["ban", "10.0.0.0/8"],
        ["reload", "moon"],
        ["reload", "tls", "--dry-run"],
        ["ban", "face", "Ann"],
        ["ban", "name", "Ann", "--for", "ever"],
        ["account", "role", "ann", "god"],
    ],
)
def test_wrong_usage(run: Run, stub: Stub, words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert "Usage: " in result.stderr
    assert stub.asked == []
