"""The settings of the Intermud-3 gateway whose API ours speaks, by the names its users know."""

from __future__ import annotations

from typing import Any

import pytest

from mythos.config import ApiKey, Listen, LogFormat
from tests.config.reading import mistakes, read

KEY = "q2JQ0r1c5T8cK4o1mUu9s3Zt7yXvBnAa"

DOTENV = """\
MUD_NAME=LuminariMUD
MUD_PORT=4100
MUD_ADMIN_EMAIL=keeper@example.org
MUD_TYPE=Circle
MUD_STATUS=open
API_WS_HOST=0.0.0.0
API_WS_PORT=8090
API_TCP_HOST=0.0.0.0
API_TCP_PORT=8091
API_AUTH_ENABLED=true
API_KEY_LUMINARI=7f4c2a9be1d84f06a5c3907bd2e86f147f4c2a9be1d84f06a5c3907bd2e86f14
API_KEY_DEMO=demo-key-123
I3_GATEWAY_SECRET=<generated-secret>
I3_ROUTER_HOST=204.209.44.3
I3_ROUTER_PORT=8080
I3_ROUTER_PASSWORD=0
I3_FALLBACK_ROUTER_HOST=backup.router.i3
I3_FALLBACK_ROUTER_PORT=8787
GATEWAY_HOST=localhost
GATEWAY_PORT=4001
GATEWAY_TIMEOUT=30
LOG_LEVEL=WARNING
LOG_FORMAT=console
LOG_FILE=logs/i3-gateway.log
MAX_CONNECTIONS=500
MESSAGE_QUEUE_SIZE=5000
CACHE_TTL=600
CONNECTION_TIMEOUT=300
KEEPALIVE_INTERVAL=60
RATE_LIMIT_ENABLED=true
RATE_LIMIT_TELLS=10
RATE_LIMIT_CHANNELS=20
ENABLE_AUTH=true
ENABLE_TELL=true
ENABLE_OOB_MAIL=false
DEBUG=false
RELOAD=false
PROFILE=false
"""


def test_env_file() -> None:
    """It is read as it is; what has no meaning here is said, once."""
    loaded = read(dotenv=DOTENV)
    config = loaded.config
    assert config.mud.name == "LuminariMUD"
    assert config.i3.routers == ("*i4 204.209.44.3:8080", "*backup.router.i3 backup.router.i3:8787")
    assert config.gateway.listen == Listen.tcp("0.0.0.0", 8090)
    assert config.gateway.tcp == Listen.tcp("0.0.0.0", 8091)
    assert [key.mud for key in config.gateway.keys] == ["LuminariMUD"]
    assert config.log.format is LogFormat.TEXT
    assert [note.partition(" ")[0] for note in loaded.notes[:-1]] == [
        "API_KEY_DEMO", "API_AUTH_ENABLED", "CACHE_TTL", "ENABLE_AUTH", "GATEWAY_HOST", "GATEWAY_PORT",
        "GATEWAY_TIMEOUT", "I3_GATEWAY_SECRET", "KEEPALIVE_INTERVAL", "PROFILE", "RELOAD",
    ]  # fmt: skip
    assert loaded.notes[-1] == "No effect in this version: ENABLE_OOB_MAIL, ENABLE_TELL."


@pytest.mark.parametrize(
    ("name", "text", "key", "value"),
    [
        ("MUD_NAME", "Reach", "mud.name", "Reach"),
        ("MUD_PORT", "4100", "telnet.listen", Listen.parse("4100")),
        ("MUD_ADMIN_EMAIL", "a@b", "mud.admin_email", "a@b"),
        ("MUD_TYPE", "Circle", "mud.type", "Circle"),
        ("MUD_STATUS", "open", "mud.status", "open"),
        ("API_ENABLED", "false", "gateway.listen", Listen()),
        ("API_ENABLED", "false", "gateway.tcp", Listen()),
        ("API_HOST", "0.0.0.0", "gateway.listen", Listen.parse("0.0.0.0:8080")),
        ("API_HOST", "10.0.0.1", "gateway.tcp", Listen.parse("10.0.0.1:8081")),
        ("API_PORT", "8090", "gateway.listen", Listen.parse("8090")),
        ("API_WS_HOST", "*", "gateway.listen", Listen.parse("0.0.0.0:8080")),
        ("API_WS_PORT", "8090", "gateway.listen", Listen.parse("8090")),
        ("API_TCP_HOST", "::1", "gateway.tcp", Listen.parse("[::1]:8081")),
        ("API_TCP_PORT", "8091", "gateway.tcp", Listen.parse("8091")),
        ("API_KEY_REACH", KEY, "gateway.keys", (ApiKey("REACH", KEY),)),
        ("I3_ROUTER_HOST", "router.example", "i3.routers", ("*router.example router.example:8080",)),
        ("I3_ROUTER_PORT", "3004", "i3.primary.port", 3004),
        ("I3_ROUTER_NAME", "wir", "i3.primary.name", "*wir"),
        ("I3_ROUTER_PASSWORD", "12345", "i3.primary.password", 12345),
        ("I3_FALLBACK_ROUTER_HOST", "97.107.133.86", "i3.routers", ("*dalet 97.107.133.86:8080",)),
        ("I3_FALLBACK_ROUTER_PORT", "8787", "i3.fallback.port", 8787),
        ("I3_FALLBACK_ROUTER_NAME", "*dalet", "i3.fallback.name", "*dalet"),
        ("I3_ROUTER_FALLBACK_HOST", "10.0.0.1", "i3.routers", ("*10.0.0.1 10.0.0.1:8080",)),
        ("I3_ROUTER_FALLBACK_PORT", "8787", "i3.fallback.port", 8787),
        ("I3_ROUTER_FALLBACK_NAME", "*dalet", "i3.fallback.name", "*dalet"),
        ("LOG_LEVEL", "WARNING", "log.level", read(env={"MYTHOS_LOG_LEVEL": "warning"}).config.log.level),
        ("LOG_FORMAT", "console", "log.format", LogFormat.TEXT),
        ("LOG_FILE", "/var/log/i3.log", "log.file", read(env={"MYTHOS_LOG_FILE": "/var/log/i3.log"}).config.log.file),
        ("MAX_CONNECTIONS", "500", "gateway.connections", 500),
        ("MESSAGE_QUEUE_SIZE", "5000", "gateway.queue", 5000),
        ("MAX_QUEUE_SIZE", "5000", "gateway.queue", 5000),
        ("RATE_LIMIT_PER_MINUTE", "60", "gateway.per_minute", 60),
        ("RATE_LIMIT_BURST", "6", "gateway.burst", 6),
        ("RATE_LIMIT_ENABLED", "no", "limits.enabled", False),
        ("RATE_LIMIT_TELLS", "7", "limits.tells", 7),
        ("RATE_LIMIT_CHANNELS", "7", "limits.channels", 7),
    ],
)
def test_each_variable(name: str, text: str, key: str, value: Any) -> None:
    """It changes what the rest of the server receives."""
    assert read().values[key] != value
    loaded = read(env={name: text})
    assert loaded.values[key] == value
    assert loaded.notes == ()


@pytest.mark.parametrize(
    "name",
    [
        "API_AUTH_ENABLED", "CACHE_TTL", "ENABLE_AUTH", "GATEWAY_HOST", "GATEWAY_MAX_PACKET_SIZE", "GATEWAY_PORT",
        "GATEWAY_RETRY_ATTEMPTS", "GATEWAY_RETRY_DELAY", "GATEWAY_TIMEOUT", "HEARTBEAT_INTERVAL", "I3_GATEWAY_SECRET",
        "KEEPALIVE_INTERVAL", "PROFILE", "RECONNECT_DELAY", "RELOAD",
    ],
)  # fmt: skip
def test_each_variable_without_effect(name: str) -> None:
    """One sentence that says why."""
    (note,) = read(env={name: "1"}).notes
    assert note.startswith(f"{name} has no effect: ")


def test_host_and_port_of_different_layers() -> None:
    """Neither makes the other forgotten."""
    config = read("gateway: {address: 0.0.0.0}\n", dotenv="API_PORT=8090\n", env={"API_TCP_PORT": "8091"}).config
    assert config.gateway.listen == Listen.parse("0.0.0.0:8090")
    assert config.gateway.tcp == Listen.parse("0.0.0.0:8091")
    assert read("gateway: 127.0.0.1:1\n", env={"API_HOST": "0.0.0.0"}).config.gateway.listen.host == "127.0.0.1"
    routers = read("i3: {routers: '*dalet 97.107.133.86:8787'}\n", env={"I3_ROUTER_HOST": "10.0.0.1"}).config.i3.routers
    assert routers == ("*10.0.0.1 10.0.0.1:8080", "*dalet 97.107.133.86:8787")


def test_a_router_counts_once() -> None:
    env = {"I3_ROUTER_HOST": "10.0.0.1", "I3_ROUTER_NAME": "*a", "MYTHOS_I3_ROUTERS": "*b 10.0.0.1:8080,*c c:1"}
    assert read(env=env).config.i3.routers == ("*a 10.0.0.1:8080", "*c c:1")


def test_whose_key_a_variable_holds() -> None:
    """The own MUD's, if the name is its; what else names the key knows better."""
    other = KEY[::-1]
    env = {"API_KEY_SALT": KEY, "API_KEY_SALT_REACH": other}
    for name in ("Saltreach", "Salt Reach MUD"):
        assert [key.mud for key in read(env={**env, "MUD_NAME": name}).config.gateway.keys] == ["SALT", name]
    env = {"API_KEY_SALTREACH": other, "MYTHOS_GATEWAY_KEYS": f"Third={other} tell"}
    assert read(env=env).config.gateway.keys == (ApiKey("Third", other, ("tell",)),)


def test_keys_from_files() -> None:
    """One for each line; in variables by the name of a file too."""
    files = {"keys": f"A={KEY} tell\nB={KEY[::-1]}\n", "reach": KEY + "1\n", "bad": "A=short"}
    loaded = read(files=files, env={"MYTHOS_GATEWAY_KEYS_FILE": "keys", "API_KEY_REACH_FILE": "reach"})
    assert [key.mud for key in loaded.config.gateway.keys] == ["A", "B", "REACH"]
    assert [path.name for path in loaded.secret_files] == ["keys", "reach"]
    assert mistakes(files=files, env={"MYTHOS_GATEWAY_KEYS_FILE": "bad"}) == [
        "MYTHOS_GATEWAY_KEYS_FILE: error: expected a MUD's name, = and its key of at least 16 letters"
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("API_KEY_REACH", "short", "expected a MUD's name, = and its key of at least 16 letters"),
        ("API_HOST", "nowhere.example", "expected an address such as 127.0.0.1, not 'nowhere.example'"),
        ("I3_ROUTER_HOST", "a b", "expected the name of a host or its address, not 'a b'"),
        ("I3_ROUTER_NAME", "*a b", "expected a router's name such as *i4, not '*a b'"),
        ("I3_ROUTER_PORT", "0", "expected at least 1, not 0"),
        ("I3_ROUTER_PASSWORD", "x", "expected a whole number, not 'x'"),
    ],
)
def test_wrong_variables(name: str, text: str, message: str) -> None:
    assert mistakes(env={name: text}) == [f"{name}: error: {message}"]
    assert mistakes(dotenv=f"{name}={text}\n") == [f".env:1:{len(name) + 2}: error: {name}: {message}"]


def test_keys_are_not_printed() -> None:
    (found,) = mistakes(env={"MYTHOS_GATEWAY_MUD_KEYS": f"A={KEY}", "API_KEY_B": KEY})
    assert "differently" in found
    assert KEY not in found
