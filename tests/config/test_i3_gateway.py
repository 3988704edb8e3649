"""The settings of the Intermud-3 gateway whose API ours speaks, by the names its users know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mythos.config import ApiKey, Listen, LogFormat, LogLevel
from mythos.config.model import DECLARED
from mythos.config.names import HINTS, UNUSED_KEYS
from tests.config.archmesh import CODE
from tests.config.reading import CWD, mistakes, read

FILES = Path(__file__).with_name("i3_gateway")
DOC = Path(__file__).parents[2] / "docs/from-i3-gateway.md"
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
        "API_KEY_DEMO", "MAX_CONNECTIONS", "ENABLE_AUTH", "GATEWAY_HOST", "GATEWAY_PORT", "GATEWAY_TIMEOUT",
        "I3_GATEWAY_SECRET", "PROFILE", "RELOAD",
    ]  # fmt: skip
    assert loaded.notes[-1] == (
        "Accepted, without effect, as this version does not have a switch for this: ENABLE_OOB_MAIL, ENABLE_TELL."
    )


EACH_VARIABLE: list[tuple[str, str, str, Any]] = [
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
    ("API_AUTH_ENABLED", "false", "gateway.keyless", "default"),
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
    ("RECONNECT_DELAY", "7", "i3.reconnect_delay", 7.0),
    ("HEARTBEAT_INTERVAL", "7", "i3.heartbeat", 7.0),
    ("KEEPALIVE_INTERVAL", "7", "i3.heartbeat", 7.0),
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
]


@pytest.mark.parametrize(("name", "text", "key", "value"), EACH_VARIABLE)
def test_each_variable(name: str, text: str, key: str, value: Any) -> None:
    """It changes what the rest of the server receives."""
    assert read().values[key] != value
    loaded = read(env={name: text})
    assert loaded.values[key] == value
    assert loaded.notes == tuple(f"{name} {HINTS[name]}." for name in HINTS.keys() & {name})


@pytest.mark.parametrize(
    "name",
    [
        "ENABLE_AUTH", "GATEWAY_HOST", "GATEWAY_MAX_PACKET_SIZE", "GATEWAY_PORT", "GATEWAY_RETRY_ATTEMPTS",
        "GATEWAY_RETRY_DELAY", "GATEWAY_TIMEOUT", "I3_GATEWAY_SECRET", "PROFILE", "RELOAD",
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
        "MYTHOS_GATEWAY_KEYS_FILE: error: expected a MUD and its key of at least 16 letters, without blanks"
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("API_KEY_REACH", "short", "expected a MUD and its key of at least 16 letters, without blanks"),
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


def test_keys_do_not_stand_in_our_own_list() -> None:
    expected = "mythos.yaml:1:18: error: a secret does not stand in this file: use keys_file: FILE, or keys: ${NAME}"
    assert mistakes(f"gateway: {{keys: [A={KEY}]}}\n") == [expected]
    assert read("gateway: {keys: ['A=${A}']}\n", env={"A": KEY}).config.gateway.keys == (ApiKey("A", KEY),)


def test_keys_are_not_printed() -> None:
    (found,) = mistakes(env={"MYTHOS_GATEWAY_MUD_KEYS": f"A={KEY}", "API_KEY_B": KEY})
    assert "differently" in found
    assert KEY not in found


def test_file_as_its_code_reads_it() -> None:
    """Every value arrives; what has no meaning here is said, once for each key, with its place."""
    loaded = read((FILES / "code.yaml").read_text())
    config, gateway = loaded.config, loaded.config.gateway
    mud = config.mud
    assert (mud.name, mud.admin_email, mud.type, mud.status) == ("Harbour", "keeper@example.org", "Circle", "open")
    assert (mud.mudlib, mud.base_mudlib, mud.driver) == ("HarbourLib", "CircleMUD", "CircleMUD 3.1")
    assert config.telnet.listen == Listen.parse("4100")
    assert config.i3.routers == ("*i4 192.0.2.3:8081", "*dalet 97.107.133.86:8787")
    assert config.i3.primary.password == 0
    assert gateway.listen == Listen.parse("0.0.0.0:8090")
    assert gateway.tcp == Listen.parse("0.0.0.0:8091")
    assert gateway.keys == (
        ApiKey("Harbour", KEY, ("*",), 500),
        ApiKey("Far Shore", "7f4c2a9be1d84f06a5c3907bd2e86f14", ("tell", "info")),
    )
    assert (gateway.connections, gateway.per_minute, gateway.burst) == (1200, 90, 15)
    assert gateway.per_method == ("tell=30", "who=10")
    assert (gateway.idle_timeout, gateway.ping_interval, gateway.ping_timeout) == (1800, 25, 8)
    assert (gateway.queue, gateway.queue_time, gateway.history, gateway.longest) == (700, 200, 50, 1024)
    assert (config.log.level, config.log.format) == (LogLevel.WARNING, LogFormat.TEXT)
    assert config.log.file == CWD / "logs/harbour.log"
    assert config.data == CWD / "state"
    assert not config.debug
    assert loaded.secret_files == (CWD / "mythos.yaml",)
    said = [note.partition(": ")[2] for note in loaded.notes]
    left_out = [note for note in said if note.startswith("this entry")]
    assert [note.partition(";")[0] for note in left_out] == [
        "this entry is an example from a guide and no key here", "this entry has no key and is left out.",
    ]  # fmt: skip
    weak = [note for note in said if note.endswith(" says it.")]
    assert weak == [
        "gateway.max_connections has no effect: api.websocket.max_connections/api.tcp.max_connections says it.",
        "gateway.queue_size has no effect: api.session.max_queue_size says it.",
    ]
    assert [note.partition(" ")[0] for note in said if note not in (*left_out, *weak)] == [
        "mud.services", "mud.oob_services", "router.connection.timeout", "router.connection.max_reconnect_attempts",
        "gateway.host", "gateway.port",
        "gateway.max_packet_size", "gateway.timeout", "gateway.retry_attempts", "gateway.retry_delay",
        "gateway.worker_threads", "gateway.auth", "api.tcp.buffer_size", "api.websocket.max_frame_size",
        "api.websocket.compression", "api.auth.require_tls",
        "api.session.cleanup_interval", "api.metrics",
        "logging.components", "channels.default_channels", "state.save_interval", "state.backup_enabled",
        "state.backup_count", "metrics.port", "metrics.path", "development.reload", "development.profile",
    ]  # fmt: skip


def test_file_as_its_guide_shows_it() -> None:
    """What the gateway itself ignores in silence is meant here."""
    env = {"MUD_NAME": "Reach", "MUD_ADMIN_EMAIL": "a@b", "LOG_FILE": "/var/log/i3.log"}
    loaded = read((FILES / "guide.yaml").read_text(), env=env)
    config, gateway = loaded.config, loaded.config.gateway
    assert (config.mud.name, config.mud.type, config.mud.status) == ("Reach", "LP", "Development")
    assert config.i3.routers == (
        "*i3 192.0.2.3:8080", "*one one.example.org:8787", "*two two.example.org:8080",
    )  # fmt: skip
    assert (gateway.listen, gateway.tcp) == (Listen.parse("0.0.0.0:8090"), Listen.parse("127.0.0.1:8091"))
    assert (gateway.connections, gateway.queue) == (150, 1500)
    assert (gateway.allow, gateway.deny) == (("192.0.2.0/24", "127.0.0.1/32"), ())
    assert (config.limits.enabled, config.limits.tells, config.limits.channels) == (True, 8, 18)
    assert (config.log.level, config.log.format) == (LogLevel.ERROR, LogFormat.JSON)
    assert [note.split()[1] for note in loaded.notes] == [
        "api.auth.secret", "services", "performance.worker_threads",
        "performance.async_workers", "performance.connection_pool_size", "performance.message_batch_size",
    ]  # fmt: skip


def nested(key: str, text: str) -> str:
    """One key by its path, as YAML."""
    return "{" + ": {".join(key.split(".")) + f": {text}" + "}" * len(key.split(".")) + "\n"


EACH_KEY: list[tuple[str, str, str, Any]] = [
    ("mud.port", "4100", "telnet.listen", Listen.parse("4100")),
    ("mud.mud_type", "Circle", "mud.type", "Circle"),
    ("mud.open_status", "open", "mud.status", "open"),
    ("router.primary.host", "192.0.2.3", "i3.routers", ("*192.0.2.3 192.0.2.3:8080",)),
    ("router.primary.port", "3004", "i3.primary.port", 3004),
    ("router.primary.name", "'*wir'", "i3.primary.name", "*wir"),
    ("router.primary.password", "12345", "i3.primary.password", 12345),
    ("router.fallback", "[{host: 192.0.2.4}]", "i3.routers", ("*192.0.2.4 192.0.2.4:8080",)),
    ("api.enabled", "false", "gateway.tcp", Listen()),
    ("api.host", "0.0.0.0", "gateway.listen", Listen.parse("0.0.0.0:8080")),
    ("api.port", "8090", "gateway.listen", Listen.parse("8090")),
    ("api.websocket.enabled", "false", "gateway.listen", Listen()),
    ("api.websocket.host", "0.0.0.0", "gateway.tcp", Listen.parse("0.0.0.0:8081")),
    ("api.websocket.port", "8090", "gateway.listen", Listen.parse("8090")),
    ("api.websocket.max_connections", "7", "gateway.connections", 7),
    ("api.websocket.ping_interval", "7", "gateway.ping_interval", 7.0),
    ("api.websocket.ping_timeout", "7", "gateway.ping_timeout", 7.0),
    ("api.tcp.enabled", "false", "gateway.tcp", Listen()),
    ("api.tcp.host", "0.0.0.0", "gateway.tcp", Listen.parse("0.0.0.0:8081")),
    ("api.tcp.port", "8091", "gateway.tcp", Listen.parse("8091")),
    ("api.tcp.max_connections", "7", "gateway.connections", 7),
    ("api.auth.api_keys", f"[{{key: {KEY}, mud_name: Reach}}]", "gateway.keys", (ApiKey("Reach", KEY),)),
    ("api.auth.enabled", "false", "gateway.keyless", "default"),
    ("api.rate_limits.default.per_minute", "7", "gateway.per_minute", 7),
    ("api.rate_limits.default.burst", "7", "gateway.burst", 7),
    ("api.session.timeout", "77", "gateway.idle_timeout", 77.0),
    ("api.session.max_queue_size", "7", "gateway.queue", 7),
    ("api.session.queue_ttl", "7", "gateway.queue_time", 7.0),
    ("gateway.max_connections", "7", "gateway.connections", 7),
    ("gateway.queue_size", "7", "gateway.queue", 7),
    ("performance.cache_ttl", "7", "cache.ttl", 7.0),
    ("performance.cache_size", "7", "cache.max_entries", 7),
    ("performance.max_connections", "7", "gateway.connections", 7),
    ("performance.message_queue_size", "7", "gateway.queue", 7),
    ("channels.history_size", "7", "gateway.history", 7),
    ("channels.max_message_length", "77", "gateway.longest", 77),
    ("security.ip_whitelist", "[192.0.2.0/24]", "gateway.allow", ("192.0.2.0/24",)),
    ("security.ip_blacklist", "192.0.2.0/24", "gateway.deny", ("192.0.2.0/24",)),
    ("security.rate_limiting.enabled", "no", "limits.enabled", False),
    ("security.rate_limiting.tells_per_minute", "7", "limits.tells", 7),
    ("security.rate_limiting.channels_per_minute", "7", "limits.channels", 7),
    ("logging.level", "WARNING", "log.level", LogLevel.WARNING),
    ("logging.format", "console", "log.format", LogFormat.TEXT),
    ("logging.file", "a.log", "log.file", CWD / "a.log"),
    ("logging.max_size", "2097152", "log.rotate_size", 2**21),
    ("logging.rotate_size", "2097152", "log.rotate_size", 2**21),
    ("logging.backup_count", "7", "log.rotate_keep", 7),
    ("state.directory", "state/", "data", CWD / "state"),
    ("development.debug", "true", "debug", True),
    ("performance.connection_timeout", "7", "i3.connect_timeout", 7.0),
    ("performance.reconnect_delay", "7", "i3.reconnect_delay", 7.0),
    ("router.connection.reconnect_delay", "7", "i3.reconnect_delay", 7.0),
    ("router.connection.keepalive_interval", "7", "i3.heartbeat", 7.0),
    ("api.rate_limits.by_method", "{tell: 7, who: '5'}", "gateway.per_method", ("tell=7", "who=5")),
    ("security.rate_limiting.who_per_minute", "7", "gateway.per_method", ("who=7",)),
]


@pytest.mark.parametrize(("key", "text", "ours", "value"), EACH_KEY)
def test_each_key(key: str, text: str, ours: str, value: Any) -> None:
    """It changes what the rest of the server receives."""
    assert read().values[ours] != value
    loaded = read(nested(key, text))
    assert loaded.values[ours] == value
    assert loaded.notes == ()


def test_keys_are_asked_for_or_not() -> None:
    """To ask for them is as ever; our own name for whoever comes without one is stronger than theirs."""
    assert read(nested("api.auth.enabled", "true"), env={"API_AUTH_ENABLED": "yes"}).config == read().config
    loaded = read("gateway: {keyless: Salt Reach}\napi: {auth: {enabled: no}}\n")
    assert loaded.config.gateway.keyless == "Salt Reach"
    assert loaded.notes == ("mythos.yaml:2:23: api.auth.enabled has no effect: gateway.keyless says it.",)


def test_no_key_is_forgotten() -> None:
    """Each has its line above, and is told of on the page for those who come from there."""
    keys = {name for setting in DECLARED.settings() for alias in setting.keys for name in alias.names}
    ours = {key for key, *_ in EACH_KEY}
    assert ours | {key for key, *_ in CODE} == keys
    page = DOC.read_text(encoding="utf-8")
    assert [key for key in (*ours, *UNUSED_KEYS) if f"`{key}`" not in page] == []


@pytest.mark.parametrize("key", UNUSED_KEYS)
def test_each_key_without_effect(key: str) -> None:
    """Its values are not looked at."""
    loaded = read(nested(key, "{any: [thing]}"))
    (note,) = loaded.notes
    assert note.startswith(f"mythos.yaml:1:{nested(key, '').index(key.split('.')[-1], key.count('.') * 3) + 1}: {key} ")
    assert loaded.config == read().config


def test_where_a_value_came_from() -> None:
    loaded = read("api:\n  port: 8090\n")
    assert str(loaded.sources["gateway.listen"]) == "mythos.yaml:2:9 api.port"


def test_strings_with_variables_inside() -> None:
    keys = "api: {auth: {api_keys: [{key: '${A}${B}', mud_name: M}]}}\n"
    yaml = "logging: {file: 'logs/${MUD_NAME:x}-${WHAT:i3}.log'}\n" + keys
    loaded = read(yaml, env={"MUD_NAME": "reach", "A": KEY, "B": "=="})
    assert loaded.config.log.file == CWD / "logs/reach-i3.log"
    assert loaded.config.gateway.keys == (ApiKey("M", f"{KEY}=="),)
    assert loaded.secret_files == ()


def test_files_that_hold_secrets() -> None:
    """A key in the file, or a password, also as a default, makes it one to be kept from others."""
    for text, env, held in (
        (KEY, {}, True),
        (f"'${{A:{KEY}}}'", {}, True),
        (f"'${{A:{KEY}}}'", {"A": KEY[::-1]}, False),
        ("demo-key-123", {}, False),
    ):
        loaded = read(nested("api.auth.api_keys", f"[{{key: {text}, mud_name: M}}]"), env=env)
        assert loaded.secret_files == ((CWD / "mythos.yaml",) if held else ())
    assert read(nested("router.primary.password", "5")).secret_files == (CWD / "mythos.yaml",)
    assert read(nested("router.primary.password", "0")).secret_files == ()


def test_the_password_of_before() -> None:
    """It stands in a file of its own there."""
    loaded = read(files={"state/router-password": "12345\n"}, env={"I3_ROUTER_PASSWORD_FILE": "state/router-password"})
    assert loaded.config.i3.primary.password == 12345


def test_its_layers_are_ours() -> None:
    """A variable wins over the file, also where the file does not name it."""
    yaml = (FILES / "code.yaml").read_text()
    config = read(yaml, env={"API_PORT": "9000", "MAX_CONNECTIONS": "5", "API_TCP_PORT": "9001"}).config
    assert config.gateway.listen == Listen.parse("0.0.0.0:9000")
    assert config.gateway.tcp == Listen.parse("0.0.0.0:9001")
    assert config.gateway.connections == 5


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("api:\n  prot: 8080\n", "2:3: error: unknown key 'prot'; did you mean 'port'?"),
        ("router: {primry: {}}\n", "1:10: error: unknown key 'primry'; did you mean 'primary'?"),
        ("router: 5\n", "1:9: error: expected a mapping, not text"),
        (
            "api: {port: 70000, websocket: {enabled: yes}}\n",
            "1:13: error: expected a port from 0 to 65535, not '70000'",
        ),
        ("api: {port: 80, websocket: {enabled: perhaps}}\n", "1:38: error: expected yes or no, not 'perhaps'"),
        (
            "api: {websocket: {max_connections: 5}, tcp: {max_connections: x}}\n",
            "1:63: error: expected a whole number, not 'x'",
        ),
        ("router: {fallback: {host: a}}\n", "1:20: error: expected a list, not a mapping"),
        ("router: {fallback: [{hots: a}]}\n", "1:22: error: unknown key 'hots'; did you mean 'host'?"),
        ("router: {fallback: [{host: a, port: x}]}\n", "1:37: error: expected a whole number, not 'x'"),
        (
            "router: {fallback: [{host: a, password: 5}]}\n",
            "1:21: error: a password is kept for the primary router alone",
        ),
        ("api: {auth: {enabled: perhaps}}\n", "1:23: error: expected yes or no, not 'perhaps'"),
        ("gateway: {keyless: '*M'}\n", "1:20: error: expected the name of a MUD, without @ in it or a star before it"),
        (
            "api: {auth: {api_keys: [{key: short, mud_name: M}]}}\n",
            "1:25: error: expected a MUD and its key of at least 16 letters, without blanks",
        ),
        (
            f"api: {{auth: {{api_keys: [{{key: {KEY}, mud_name: M, permissions: [tel]}}]}}}}\n",
            "1:92: error: expected one of *, tell, channel, info, admin, not 'tel'",
        ),
        (
            "api: {rate_limits: {by_method: {tell: many}}}\n",
            "1:39: error: expected a method and its requests in a minute, such as tell=30, not 'tell=many'",
        ),
        ("logging: {file: '${NOPE}'}\n", "1:17: error: ${NOPE} is not set and has no default; ${NOPE:value} gives one"),
        (
            "gateway: {listen: 8080}\napi: {port: 8090}\n",
            "2:13: error: api.port and gateway.listen (mythos.yaml:1:19) both set gateway.listen, differently: "
            "tcp:8090:interface=127.0.0.1 and tcp:8080:interface=127.0.0.1",
        ),
    ],
)  # fmt: skip
def test_each_mistake(yaml: str, expected: str) -> None:
    """One exact line for each, with the place."""
    assert mistakes(yaml) == [f"mythos.yaml:{expected}"]


def test_all_mistakes_at_once() -> None:
    found = mistakes("mud: {port: x}\nlogging: {level: loud}\napi: {auth: {api_keys: [{key: a, mud: b}]}}\n")
    assert [line.split(": error: ")[0] for line in found] == [
        "mythos.yaml:1:13", "mythos.yaml:2:18", "mythos.yaml:3:34",
    ]  # fmt: skip
