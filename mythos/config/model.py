"""Every setting, declared once: the frozen configuration that the rest of the server receives.

Times are seconds (float), sizes bytes, paths absolute once `load` has made them so. Names of variables are those
operators know from other servers; each setting also has ``MYTHOS_`` and its key in capitals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final
from urllib.parse import quote

from mythos.config import intermud, types
from mythos.config.declare import Alias, Given, LeftOut, Section, Size, declared, section, setting
from mythos.config.listen import Listen, host_and_port
from mythos.config.redis import RedisUrl
from mythos.config.scalars import boolean
from mythos.config.types import (
    BOOL,
    EMAIL,
    LISTEN,
    NAME,
    TEXT,
    ApiKey,
    enumeration,
    integer,
    seconds,
    size,
)

__all__ = ["DECLARED", "Config", "Environment", "LogFormat", "LogLevel"]


class Environment(Enum):
    """What the server is used for. Production refuses to start on what would be careless there."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    TEST = "test"
    PRODUCTION = "production"


class LogLevel(Enum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class LogFormat(Enum):
    """AUTO: text on a terminal, else json."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"


# ruff: noqa: RUF009  (`setting` and `section` are dataclasses.field with more to say)


def _on_network(given: Given) -> bool:
    roles = given["roles"]
    doors: list[Listen] = [given["telnet.listen"], given["http.listen"]] if "doors" in roles else []
    if "doors" in roles and given["tls.certificate"] and given["tls.enabled"]:
        doors.append(given["telnet.tls"])
    if "i3" in roles:
        doors += [given["gateway.listen"], given["gateway.tcp"]]
        if given["i3.router.enabled"]:
            doors.append(given["i3.router.listen"])
    if given["metrics.enabled"]:
        doors.append(given["metrics.listen"])
    return any(door.on_network for door in doors)


def _open(listen: Listen, given: Given) -> Listen:
    return listen.opened() if given["public"] else listen


def _database(url: types.StoreUrl, given: Given) -> types.StoreUrl:
    return url if url.path is None else types.StoreUrl(f"sqlite:///{given.cwd / url.path}")


def _sqlite(given: Mapping[str, str]) -> str:
    return f"sqlite:///{given['DB_PATH']}"


def _profile(given: Mapping[str, str]) -> str | None:
    word = given["ENABLE_PROFILING"].lower()
    if word == "cpu":
        raise LeftOut("counts memory alone: py-spy looks at a process that runs")
    return "yes" if word == "memory" else word


def _production(given: Mapping[str, str]) -> str | None:
    return "production" if boolean(given["PRODUCTION"]) else None


#: The parts of a database's address as variables of their own.
_PARTS: Final = ("DB_HOST", "DB_NAME", "DB_PORT", "DB_USER")


def _pg(given: Mapping[str, str]) -> str | None:
    if not given.keys() & {"DB_HOST", "DB_NAME"}:
        return None
    host, port = given.get("DB_HOST", "localhost"), given.get("DB_PORT", "")
    socket = f"?host={quote(host, safe='/')}" if host.startswith("/") else ""
    place = f"{'' if socket else host}{f':{port}' if port else ''}"
    user = f"{quote(given['DB_USER'], safe='')}@" if "DB_USER" in given else ""
    return f"postgresql://{user}{place}/{quote(given.get('DB_NAME', ''), safe='')}{socket}"


def _redis(given: Mapping[str, str]) -> str | None:
    if "REDIS_HOST" not in given:
        return None
    db = f"/{given['REDIS_DB']}" if "REDIS_DB" in given else ""
    return f"redis://{given['REDIS_HOST']}:{given.get('REDIS_PORT', '6379')}{db}"


def _http(host: str, port: str) -> Alias:
    return Alias((host, port), lambda given: host_and_port(given.get(host, ""), given.get(port, ""), default="8000"))


# A setting is read as one short paragraph.
# fmt: off


@dataclass(frozen=True, slots=True)
class Telnet:
    listen: Listen = setting(
        LISTEN, "4000", "Where players' telnet clients connect.", env=("MUD_PORT",), keys=("mud.port",),
        option="telnet", metavar="PORT|ENDPOINT", adjust=_open
    )
    tls: Listen = setting(
        LISTEN, "4443", "The same over TLS, version 1.2 or later; open as soon as tls.certificate is set.", adjust=_open
    )
    allow_plaintext: bool = setting(
        BOOL, "no", "Consent to telnet without encryption on a public address; passwords can be overheard.",
        env=("ALLOW_PLAINTEXT_TELNET",)
    )
    msdp: bool = setting(
        BOOL, "no", "Offer MSDP, for clients that read it and not GMCP."
    )
    mxp: bool = setting(
        BOOL, "no", "Offer MXP, so that exits and things can be clicked in clients that do not know OSC 8."
    )
    gui_url: str = setting(types.URL, "", "A package for Mudlet, which it installs when somebody comes in.")
    gui_version: str = setting(NAME, "1", "Its version; another one makes Mudlet fetch it again.")
    map_url: str = setting(types.URL, "", "A map for Mudlet, an XML file in the format of MMP.")
    trusted_proxies: tuple[str, ...] = setting(
        types.NETWORKS, "", "Addresses or networks of proxies that say by the PROXY protocol for whom they speak."
    )
    mccp2: bool = setting(BOOL, "yes", "Offer to compress what clients are sent (MCCP2).")
    mccp3: bool = setting(BOOL, "no", "Take what clients compress (MCCP3); it saves little, as players type little.")


@dataclass(frozen=True, slots=True)
class Tls:
    certificate: Path | None = setting(
        types.OPTIONAL_PATH, "",
        "Your certificate in PEM, those that lead to its root behind it; read again when it changes, and at SIGHUP.",
        env=("SSL_CERT_PATH",)
    )
    enabled: bool = setting(
        BOOL, "no", "Off: no door has TLS, though there is a certificate.", env=("ENABLE_SSL", "SSL_ENABLED"),
        derived=lambda given: "yes" if given["tls.certificate"] else "no", rule="on as soon as there is a certificate"
    )
    key: Path | None = setting(
        types.OPTIONAL_PATH, "", "Its key, without a password.", env=("SSL_KEY_PATH",),
        derived=lambda given: str(given["tls.certificate"] or ""), rule="in the file of the certificate"
    )


@dataclass(frozen=True, slots=True)
class Http:
    listen: Listen = setting(
        LISTEN, "8000", "The web client, WebSocket, event stream and API.",
        env=(_http("HOST", "PORT"), _http("SERVER_HOST", "SERVER_PORT")), option="http", metavar="PORT|ENDPOINT",
        adjust=_open
    )
    cors_origins: tuple[str, ...] = setting(
        types.ORIGINS, "", "Other sites whose pages may use the API and WebSocket; empty: only our own.",
        env=("CORS_ORIGINS", "ALLOWED_ORIGINS"), live=True
    )
    trusted_proxies: tuple[str, ...] = setting(
        types.NETWORKS, "",
        "Addresses or networks of proxies whose word on a client's address is believed: X-Forwarded-For, PROXY, or over"
        " telnet IPADDRESS."
    )
    permessage_deflate: bool = setting(
        BOOL, "yes", "Compress what is long for WebSockets that offer permessage-deflate, once for all who hear it."
    )


@dataclass(frozen=True, slots=True)
class Metrics:
    enabled: bool = setting(BOOL, "yes", "Serve /metrics for Prometheus.", env=("ENABLE_METRICS", "METRICS_ENABLED"))
    listen: Listen = setting(
        LISTEN, "9090", "Where /metrics is served; it has no password: keep it off public addresses.",
        env=("METRICS_PORT",), option="metrics", metavar="PORT|ENDPOINT"
    )
    latency: bool = setting(
        BOOL, "yes", "Measure how long commands and deliveries take.", env=("PERFORMANCE_MONITORING",)
    )


@dataclass(frozen=True, slots=True)
class Health:
    interval: float = setting(
        seconds(1, 3600), "60s", "Ask the parts how they are at least this often, also when nobody asks for /health.",
        env=("HEALTH_CHECK_INTERVAL",), by_size=("60s", "30s", "15s", "10s")
    )
    timeout: float = setting(
        seconds(0.1, 300), "5s", "A part that has not answered for this long counts as down.",
        env=("HEALTH_CHECK_TIMEOUT",)
    )


@dataclass(frozen=True, slots=True)
class Telemetry:
    sentry_dsn: str = setting(
        TEXT, "", "Where your project in Sentry takes errors; needs its library: pip install 'mythos[sentry]'.",
        env=("SENTRY_DSN",), secret=True
    )


@dataclass(frozen=True, slots=True)
class Memory:
    monitor: bool = setting(
        BOOL, "yes", "Let in fewer people, and drop the slowest readers, before memory runs out.",
        env=("USE_MEMORY_MONITORING",)
    )
    max_mb: int = setting(
        types.megabytes(0, 2**24), "0",
        "Megabytes the server may use; 0: what its container allows, or 75 % of the machine's.",
        env=("MAX_MEMORY_MB",)
    )
    alert_percent: int = setting(
        integer(1, 99), "80", "From here on no new guests come in; at 90 slow readers go, at 95 nobody new comes.",
        env=("MEMORY_ALERT_THRESHOLD",)
    )
    interval: float = setting(
        seconds(0.1, 3600), "10s", "Look at it this often.", env=("MEMORY_CHECK_INTERVAL",)
    )


@dataclass(frozen=True, slots=True)
class DiskSpace:
    warn_percent: int = setting(
        integer(0, 99), "10", "Say that the disk of the store is filling up when less than this is free; 0: never."
    )
    seal: int = setting(
        size(0, 2**40), "64MB", "With less than this nothing changes hands, as on a full disk, until there is room."
    )


@dataclass(frozen=True, slots=True)
class Mud:
    name: str = setting(NAME, "Mythos", "The name of your MUD, as players and MUD lists see it.", env=("MUD_NAME",))
    admin_email: str = setting(EMAIL, "", "Where people can write to you.", env=("MUD_ADMIN_EMAIL",))
    type: str = setting(
        NAME, "Mythos", "What kind of MUD other MUDs are told this is.", env=("MUD_TYPE",),
        keys=("mud.mud_type",)
    )
    status: str = setting(
        NAME, "open for public", "What they are told of who may come.", env=("MUD_STATUS",),
        keys=("mud.open_status",)
    )
    announce_port: int = setting(
        integer(0, 65535), "0", "The port that they and MUD lists are told; 0: that of telnet.listen."
    )
    mudlib: str = setting(NAME, "Mythos", "The library they are told of.")
    base_mudlib: str = setting(NAME, "Mythos", "What that is made from.")
    mssp: tuple[str, ...] = setting(
        types.MSSP, "",
        "More that MUD lists are told, by MSSP: GENRE=Fantasy, WEBSITE=https://mud.example.org. A name that comes twice"
        " has both values.", live=True
    )
    driver: str = setting(NAME, "", "The program they are told of; empty: Mythos and its version.")


@dataclass(frozen=True, slots=True)
class Database:
    url: types.StoreUrl = setting(
        types.STORE, "sqlite:///mythos-data/mythos.db",
        "sqlite:///FILE, postgresql://USER@HOST/DATABASE, or memory: to forget everything at the end.",
        env=("DATABASE_URL", Alias(_PARTS, _pg, weak=True), Alias(("DB_PATH",), _sqlite, weak=True)),
        derived=lambda given: f"sqlite:///{given['data']}/mythos.db", rule="mythos.db in the data directory",
        adjust=_database
    )
    direct_url: types.StoreUrl | None = setting(
        types.OPTIONAL_STORE, "",
        "PostgreSQL as the owner of its tables, past any pooler, to change their schema; empty: as url."
    )
    password: str = setting(
        TEXT, "", "PostgreSQL's password, if it does not stand in url.", env=("DB_PASSWORD",), secret=True
    )
    acquire_timeout: float = setting(
        seconds(0.1, 300), "2s", "Whoever asks for something waits this long for a connection that was lost.",
        env=("DB_TIMEOUT",)
    )
    start_timeout: float = setting(seconds(0, 3600), "30s", "A start waits this long for PostgreSQL to come up.")

    @property
    def path(self) -> Path | None:
        """The SQLite file; None for others."""
        return self.url.path


@dataclass(frozen=True, slots=True)
class Redis:
    url: RedisUrl | None = setting(
        types.OPTIONAL_REDIS, "",
        "Redis, by which servers share their limits and what is cached: redis://:PASSWORD@HOST:PORT/DB, rediss:// with"
        " TLS, unix:///SOCKET, redis+sentinel://HOST,HOST/NAME. Empty: none is needed.",
        env=("REDIS_URL", Alias(("REDIS_HOST", "REDIS_PORT", "REDIS_DB"), _redis, weak=True))
    )
    password: str = setting(
        TEXT, "", "Its password, if that does not stand in url.", env=("REDIS_PASSWORD",), secret=True
    )
    cache_url: RedisUrl | None = setting(
        types.OPTIONAL_REDIS, "", "Another Redis for what is cached, which may forget; empty: the same."
    )
    pool_min: int = setting(integer(1, 100), "1", "Connections to it that are always open.", env=("REDIS_POOL_MIN",))
    pool_max: int = setting(
        integer(1, 100), "4", "The most connections: one more is opened while all are busy.",
        env=("REDIS_POOL_MAX", "REDIS_MAX_CONNECTIONS")
    )
    timeout: float = setting(
        seconds(0.01, 30), "500ms", "Nobody waits longer for an answer of it; it counts as away then."
    )


@dataclass(frozen=True, slots=True)
class Cache:
    enabled: bool = setting(BOOL, "yes", "Keep pages and answers of other MUDs for a while.", env=("CACHE_ENABLED",))
    ttl: float = setting(
        seconds(1, 86400), "5m", "For how long; answers of other MUDs are kept for a minute at most.",
        env=("CACHE_DEFAULT_TTL", "CACHE_TTL"), keys=(Alias(("performance.cache_ttl",), weak=True),)
    )
    max_memory: int = setting(
        types.megabytes(1, 2**20), "128", "Megabytes it may take; what was used longest ago goes first.",
        env=("CACHE_MAX_MEMORY_MB",), by_size=("128", "512", "1024", "2048")
    )
    max_entries: int = setting(
        integer(1, 10**7), "10000", "Entries it may have.", keys=(Alias(("performance.cache_size",), weak=True),)
    )
    compress_over: int = setting(
        size(64, 2**30), "1KB", "What is this large is kept packed, if that is smaller."
    )
    sweep: float = setting(seconds(1, 86400), "5m", "Look for what is too old this often.")


@dataclass(frozen=True, slots=True)
class Backup:
    every: float = setting(
        seconds(0, 366 * 86_400), "0", "Make a backup so often, while people play, and verify it: 24h; 0: never."
    )
    dir: Path = setting(
        types.PATH, "mythos-data/backups", "The directory they are in; another disk is better.", env=("BACKUP_DIR",),
        derived=lambda given: f"{given['data']}/backups", rule="backups in the data directory"
    )
    keep: float = setting(
        seconds(0, 10_000 * 86_400), "30d", "Remove those that are older, but never the last one that was verified."
    )
    encrypt: Path | None = setting(
        types.OPTIONAL_PATH, "", "Encrypt them with the key in this file, and include secrets; empty: do neither."
    )


@dataclass(frozen=True, slots=True)
class Jobs:
    min_lanes: int = setting(
        integer(1, 100), "2", "Jobs that may run at once: so many at least.", keys=("min_workers",)
    )
    max_lanes: int = setting(
        integer(1, 100), "5", "So many at most.", by_size=("5", "20", "50", "100"), keys=("max_workers",)
    )
    scale_threshold: float = setting(
        types.SHARE, "0.8", "There are more of them when more than this share of them was in use.",
        keys=("scale_threshold",)
    )
    queue: int = setting(
        integer(1, 1_000_000), "1000", "Jobs of one priority that may wait; beyond it they are refused.",
        by_size=("1000", "50000", "100000", "500000")
    )
    timeout: float = setting(
        seconds(0.1, 3600), "30s", "A try may take this long, unless its kind says otherwise.",
        keys=("processing_timeout",)
    )


@dataclass(frozen=True, slots=True)
class Breaker:
    failures: int = setting(
        integer(1, 1000), "5", "Failures in a row after which something outside is left alone for a while.",
        keys=("circuit_breaker_threshold",)
    )
    open_for: float = setting(
        seconds(0.1, 3600), "60s", "For how long; then one may try whether it works again.",
        keys=("circuit_breaker_timeout",)
    )


@dataclass(frozen=True, slots=True)
class Webhooks:
    url: tuple[str, ...] = setting(
        types.WEBHOOKS, "", "Addresses that are told what happens to the server; empty: none.", secret=True
    )
    events: tuple[str, ...] = setting(
        types.EVENTS, "", "What they are told of: server.started, alert; empty: all there is in docs/operations.md."
    )
    secret: str = setting(
        TEXT, "", "Signs what they are sent; of at least 24 letters, or whsec_ and base64.", secret=True
    )
    allow_private: bool = setting(
        BOOL, "no", "They may be on this machine or on a private network."
    )


@dataclass(frozen=True, slots=True)
class Security:
    secret_key: str = setting(
        TEXT, "",
        "Signs what clients hold; at least 32 bytes. Empty: made at first start, kept in the data directory.",
        env=("SECRET_KEY",), secret=True
    )
    secret_key_previous: str = setting(
        TEXT, "", "The key before, still accepted while you change it.", env=("SECRET_KEY_PREVIOUS",), secret=True
    )


@dataclass(frozen=True, slots=True)
class Log:
    level: LogLevel = setting(
        enumeration(LogLevel), "info", "debug, info, warning, error or critical.", env=("LOG_LEVEL",),
        keys=("logging.level",), option="log-level", metavar="LEVEL",
        derived=lambda given: "debug" if given["debug"] else "info", rule="info, or debug with 'debug: yes'",
        live=True
    )
    format: LogFormat = setting(
        enumeration(LogFormat, console="text"), "auto", "text, json, or auto: text on a terminal, else json.",
        env=("LOG_FORMAT",), keys=("logging.format",), option="log-format", metavar="text|json"
    )
    file: Path | None = setting(
        types.OPTIONAL_PATH, "", "Write the log to this file; empty: to standard output.", env=("LOG_FILE",),
        keys=("logging.file",)
    )
    rotate_size: int = setting(
        size(0, 2**40), "10MB", "Begin a new file when this one is larger; 0: leave that to logrotate and SIGHUP.",
        keys=("logging.rotate_size", "logging.max_size")
    )
    rotate_keep: int = setting(
        integer(0, 1000), "5", "Files kept beside it: FILE.1 and so on, the latest first.",
        keys=("logging.backup_count",)
    )
    levels: tuple[str, ...] = setting(
        types.LEVELS, "", "Other levels for parts: mythos.store=debug, mythos.net.telnet=warning.", live=True
    )
    correlation: bool = setting(
        BOOL, "yes", "Tell with each line what caused it: the command, and the session.", env=("LOG_CORRELATION_ID",)
    )
    profile_memory: bool = setting(
        BOOL, "no", "Tell the log once a minute which lines of code hold most memory; slows the server down.",
        env=(Alias(("ENABLE_PROFILING",), _profile),), option="profile-memory"
    )


@dataclass(frozen=True, slots=True)
class Sessions:
    connections: int = setting(
        integer(1, 64), "4", "Connections one character may have at once.",
        env=("MAX_CONNECTIONS_PER_PLAYER", "GAME_MAX_CONNECTIONS_PER_PLAYER"), live=True
    )
    idle_timeout: float = setting(
        seconds(10, 86400), "5m",
        "Give a connection up that shows no sign of life for this long; 75s at most. Who only reads stays.",
        env=("CONNECTION_TIMEOUT",), live=True
    )
    resume_window: float = setting(
        seconds(0, 86400, unit=60), "10m", "Keep what a player missed for this long (a bare number is minutes).",
        env=("RECONNECT_TIMEOUT_MINUTES",)
    )
    grace: float = setting(
        seconds(0, 3600), "60s", "A character without connection stays in the world for this long.", live=True
    )
    grace_combat: float = setting(seconds(0, 7200), "5m", "The same while it fights, or has just fought.", live=True)
    sweep_interval: float = setting(
        seconds(1, 3600), "60s", "Look for connections and sessions to end.", env=("CLEANUP_INTERVAL",)
    )
    log_events: int = setting(integer(16, 65536), "512", "Messages kept for each session until they are acknowledged.")
    log_bytes: int = setting(size(4096, 2**26), "64KB", "The same, in bytes.")


@dataclass(frozen=True, slots=True)
class PlayerLimits:
    per_minute: int = setting(
        integer(1, 10**9), "1200", "Commands of one player in a minute; beyond, they wait.",
        env=("RATE_LIMIT_PER_PLAYER_PER_MINUTE",), live=True
    )
    burst: int = setting(integer(1, 10**9), "40", "Commands that may come at once.", live=True)


@dataclass(frozen=True, slots=True)
class RoomLimits:
    per_second: int = setting(
        integer(1, 10_000), "10", "Lines that players may cause in one room in a second; beyond, they wait.",
        env=("RATE_LIMIT_PER_ROOM_PER_SECOND",), live=True
    )


@dataclass(frozen=True, slots=True)
class WebsocketLimits:
    per_second: int = setting(
        integer(1, 10_000), "20", "Frames from one connection in a second, four times that at once.",
        env=("RATE_LIMIT_WEBSOCKET_PER_SECOND",), live=True
    )


@dataclass(frozen=True, slots=True)
class AcceptLimits:
    per_second: int = setting(integer(1, 10_000), "5", "New connections from one address in a second.", live=True)
    open: int = setting(integer(1, 100_000), "30", "Connections open from one address.", live=True)


@dataclass(frozen=True, slots=True)
class HttpLimits:
    requests: int = setting(
        integer(1, 1_000_000), "100", "HTTP requests from one address (IPv6: /64) within the window.",
        env=("RATE_LIMIT_REQUESTS", "MAX_REQUESTS_PER_MINUTE"), live=True
    )
    window: float = setting(
        seconds(1, 86400), "60s", "The window.",
        env=("RATE_LIMIT_WINDOW", Alias(("MAX_REQUESTS_PER_MINUTE",), lambda _: "60s")), live=True
    )


@dataclass(frozen=True, slots=True)
class Limits:
    enabled: bool = setting(
        BOOL, "yes", "Off lifts the rates below; the bounds of the protocols stay.",
        env=("RATE_LIMIT_ENABLED", "USE_RATE_LIMITING"), keys=("security.rate_limiting.enabled",), live=True
    )
    connections: int = setting(
        integer(1, 1_000_000), "100", "Connections of this server through all doors.", env=("CONNECTION_POOL_SIZE",),
        by_size=("100", "1000", "5000", "10000"), live=True
    )
    tells: int = setting(
        integer(1, 10_000), "10", "Tells by one player in a minute.", env=("RATE_LIMIT_TELLS",),
        keys=("security.rate_limiting.tells_per_minute",), live=True
    )
    channels: int = setting(
        integer(1, 10_000), "20", "Lines of one player on one channel in a minute.", env=("RATE_LIMIT_CHANNELS",),
        keys=("security.rate_limiting.channels_per_minute",), live=True
    )
    logins: int = setting(integer(1, 10_000), "10", "Failed logins to one account in 15 minutes.")
    player: PlayerLimits = section(PlayerLimits, "One player's commands.")
    room: RoomLimits = section(RoomLimits, "One room.")
    websocket: WebsocketLimits = section(WebsocketLimits, "One WebSocket connection.")
    accept: AcceptLimits = section(AcceptLimits, "One address at the doors.")
    http: HttpLimits = section(HttpLimits, "One address at the API.")


@dataclass(frozen=True, slots=True)
class World:
    dir: Path | None = setting(
        types.OPTIONAL_PATH, "", "The directory of your world; empty: the starter world.", option="world", metavar="DIR"
    )
    seed: int | None = setting(
        types.OPTIONAL_INT, "", "The seed of chance, to repeat a run; empty: a new one each time."
    )
    tick: float = setting(seconds(0.05, 60), "1s", "How often the world moves by itself.")
    flush_interval: float = setting(
        seconds(0.1, 60), "5s",
        "At most this much of walking and fighting is lost in a crash; items and gold never are."
    )


@dataclass(frozen=True, slots=True)
class I3Router:
    enabled: bool = setting(
        BOOL, "no", "Run a small Intermud-3 router of your own, for a private network and for trying things out.",
        option="i3-router"
    )
    listen: Listen = setting(LISTEN, "8787", "Where MUDs reach it.")
    name: str = setting(NAME, "mythos", "Its name; a star is put before it, as before every router's.")
    private: bool = setting(BOOL, "no", "No limit of packets, for a network of your own.", option="private")


@dataclass(frozen=True, slots=True)
class I3Primary:
    host: str = setting(
        types.HOST, "", "Its host; empty: there is none but those of the list.", env=("I3_ROUTER_HOST",),
        keys=("router.primary.host",)
    )
    port: int = setting(
        integer(1, 65535), "8080", "Its port.", env=("I3_ROUTER_PORT",), keys=("router.primary.port",)
    )
    name: str = setting(
        types.ROUTER_NAME, "", "Its name.", env=("I3_ROUTER_NAME",), keys=("router.primary.name",),
        derived=intermud.router_name("i3.primary"), rule="the name of a router that is well known, else its host"
    )
    password: int = setting(
        types.ROUTER_PASSWORD, "", "What it gave your MUD to be known by, if it knows it already.",
        env=("I3_ROUTER_PASSWORD",), keys=("router.primary.password",), secret=True
    )


@dataclass(frozen=True, slots=True)
class I3Fallback:
    host: str = setting(
        types.HOST, "", "Its host; empty: there is none but those of the list.",
        env=("I3_FALLBACK_ROUTER_HOST", "I3_ROUTER_FALLBACK_HOST")
    )
    port: int = setting(
        integer(1, 65535), "8080", "Its port.", env=("I3_FALLBACK_ROUTER_PORT", "I3_ROUTER_FALLBACK_PORT")
    )
    name: str = setting(
        types.ROUTER_NAME, "", "Its name.", env=("I3_FALLBACK_ROUTER_NAME", "I3_ROUTER_FALLBACK_NAME"),
        derived=intermud.router_name("i3.fallback"), rule="the name of a router that is well known, else its host"
    )


@dataclass(frozen=True, slots=True)
class I3:
    routers: tuple[str, ...] = setting(
        types.ROUTERS, "", "Intermud-3 routers to be on, the best first: *name host:port; empty: none, or your own.",
        keys=(intermud.FALLBACK,), adjust=intermud.all_routers
    )
    connect_timeout: float = setting(
        seconds(1, 300), "30s", "A connection to a router may take this long.", keys=("performance.connection_timeout",)
    )
    reconnect_delay: float = setting(
        seconds(1, 300), "5s", "The first pause before a router is tried again; it doubles up to five minutes.",
        env=("RECONNECT_DELAY",), keys=("router.connection.reconnect_delay", "performance.reconnect_delay")
    )
    heartbeat: float = setting(
        seconds(1, 3600), "60s", "Look this often whether a router is silent; after four such times it is asked.",
        env=("HEARTBEAT_INTERVAL", "KEEPALIVE_INTERVAL"), keys=("router.connection.keepalive_interval",)
    )
    throttle: int = setting(
        integer(0, 1000), "8", "Packets sent to a router in a second; 0: no limit, for a private router."
    )
    primary: I3Primary = section(I3Primary, "A router in parts, as variables name it: before those of the list.")
    fallback: I3Fallback = section(I3Fallback, "The same, after those of the list.")
    router: I3Router = section(I3Router, "A router of your own.")


@dataclass(frozen=True, slots=True)
class Gateway:
    enabled: bool = setting(
        BOOL, "yes", "Off: there is none, whatever else is said.", env=("API_ENABLED",), keys=("api.enabled",)
    )
    listen: Listen = setting(
        LISTEN, "8080", "Where MUDs without Intermud-3 reach it by WebSocket; open as soon as a key exists.",
        env=("API_PORT", "API_WS_PORT"),
        keys=(intermud.unless_off("api.port", "api.websocket.enabled"), Alias(("api.websocket.port",), weak=True)),
        option="gateway", metavar="PORT|ENDPOINT", adjust=intermud.websocket_listen
    )
    address: str = setting(
        types.ADDRESS, "", "The address of that, if only a port is given; empty: loopback.",
        env=("API_HOST", "API_WS_HOST"), keys=("api.host", Alias(("api.websocket.host",), weak=True))
    )
    tcp: Listen = setting(
        LISTEN, "8081", "The same over TCP, one line for each message.", env=("API_TCP_PORT",),
        keys=(intermud.unless_off("api.tcp.port", "api.tcp.enabled"),), adjust=intermud.tcp_listen
    )
    tcp_address: str = setting(
        types.ADDRESS, "", "The address of that, if only a port is given.", env=("API_TCP_HOST",),
        keys=("api.tcp.host",), derived=lambda given: given["gateway.address"], rule="the address of the other"
    )
    keys: tuple[ApiKey, ...] = setting(
        types.KEYS, "",
        "Keys that are good beside those of mythosctl gateway keys: MUD=key, of at least 16 letters; behind it, if you "
        "like, what it is for (tell, channel, info, admin) and its requests in a minute.",
        keys=(intermud.API_KEYS,), secret=True, adjust=intermud.all_keys
    )
    mud_keys: tuple[ApiKey, ...] = setting(
        types.KEYS, "",
        "More of them, one in each variable API_KEY_<MUD>; mud.name in capitals, with MUD at its end or not, is yours.",
        env=(intermud.API_KEY_VARIABLES,), secret=True, adjust=intermud.own_key_named
    )
    keyless: str = setting(
        types.MUD, "",
        "The MUD that everybody is who shows a key that nobody has, from this machine or from gateway.allow; empty: "
        "such keys are no good.",
        env=(intermud.auth_off("API_AUTH_ENABLED"),), keys=(intermud.auth_off("api.auth.enabled"),)
    )
    connections: int = setting(
        integer(1, 100_000), "1000", "Connections of MUDs, over WebSocket and TCP together.", env=("MAX_CONNECTIONS",),
        keys=(
            intermud.added("api.websocket.max_connections", "api.tcp.max_connections"),
            Alias(("performance.max_connections",), weak=True), Alias(("gateway.max_connections",), weak=True)
        ), live=True
    )
    per_minute: int = setting(
        integer(1, 10**9), "100", "Requests of one connection in a minute; with Redis also of one key.",
        env=("RATE_LIMIT_PER_MINUTE",),
        keys=("api.rate_limits.default.per_minute",), live=True
    )
    burst: int = setting(
        integer(1, 10**9), "20", "Requests that may come at once.", env=("RATE_LIMIT_BURST",),
        keys=("api.rate_limits.default.burst",), live=True
    )
    per_method: tuple[str, ...] = setting(
        types.RATES, "", "Requests of single methods in a minute, within those: tell=30, who=10.",
        keys=("api.rate_limits.by_method", intermud.rate_of("who", "security.rate_limiting.who_per_minute"))
    )
    idle_timeout: float = setting(
        seconds(10, 86400), "1h", "Close a connection after this long without a word.", keys=("api.session.timeout",)
    )
    ping_interval: float = setting(
        seconds(1, 3600), "30s", "Between two pings of a WebSocket.", keys=("api.websocket.ping_interval",)
    )
    ping_timeout: float = setting(
        seconds(1, 3600), "10s", "Close a WebSocket that does not answer one.", keys=("api.websocket.ping_timeout",)
    )
    queue: int = setting(
        integer(1, 100_000), "1000", "Events kept for a client that is away, and tells for a MUD.",
        env=("MESSAGE_QUEUE_SIZE", "MAX_QUEUE_SIZE"),
        keys=(
            "api.session.max_queue_size", Alias(("performance.message_queue_size",), weak=True),
            Alias(("gateway.queue_size",), weak=True)
        )
    )
    queue_time: float = setting(seconds(1, 86400), "5m", "For how long.", keys=("api.session.queue_ttl",))
    history: int = setting(
        integer(0, 10_000), "100", "Lines kept of each channel, for each MUD.", keys=("channels.history_size",)
    )
    longest: int = setting(
        integer(64, 65_536), "2048", "Characters of one message.", keys=("channels.max_message_length",)
    )
    echo: bool = setting(BOOL, "yes", "Tell a MUD of its own lines on channels, as routers do.")
    allow: tuple[str, ...] = setting(
        types.NETWORKS, "", "Addresses or networks that may connect; empty: all.", keys=("security.ip_whitelist",),
        live=True
    )
    deny: tuple[str, ...] = setting(
        types.NETWORKS, "", "Those that may not, whatever else is said.", keys=("security.ip_blacklist",),
        live=True
    )


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration. ``Config()`` has every default, on loopback, for the directory it runs in."""

    environment: Environment = setting(
        enumeration(Environment), "development", "development, staging, test or production.",
        env=("ENVIRONMENT", Alias(("PRODUCTION",), _production)),
        derived=lambda given: "production" if _on_network(given) else "development",
        rule="production as soon as a listener is not on loopback, else development"
    )
    size: Size = setting(
        enumeration(Size), "small", "small, medium, large or enterprise; sets the defaults of what grows with it.",
        env=("DEPLOYMENT_SIZE",), derived=lambda given: "medium" if _on_network(given) else "small",
        rule="small on loopback, else medium"
    )
    debug: bool = setting(
        BOOL, "no", "Log more, show keepers where errors come from. Not in production.", env=("DEBUG",),
        keys=("development.debug",), option="debug"
    )
    public: bool = setting(
        BOOL, "no", "Open telnet and HTTP to the network; consents to plain telnet, makes the secrets it lacks.",
        option="public"
    )
    roles: tuple[str, ...] = setting(
        types.ROLES, "doors, world, i3", "What this server does; i3 alone: a gateway and a router, without a world.",
        option="roles", metavar="LIST"
    )
    data: Path = setting(
        types.PATH, "mythos-data", "The directory for database, secrets and control socket.",
        keys=("state.directory",), option="data", metavar="DIR"
    )
    world: World = section(World, "The world.", scalar="dir")
    mud: Mud = section(Mud, "Who you are.")
    telnet: Telnet = section(Telnet, "The telnet door.", scalar="listen")
    tls: Tls = section(Tls, "The certificate of telnet over TLS.")
    http: Http = section(Http, "The web door.", scalar="listen")
    metrics: Metrics = section(Metrics, "Numbers for operators.", scalar="listen")
    health: Health = section(Health, "What /health looks at.")
    telemetry: Telemetry = section(Telemetry, "Who else hears of errors.")
    memory: Memory = section(Memory, "How much memory the server may use.")
    disk: DiskSpace = section(DiskSpace, "The disk that the store is on.")
    database: Database = section(Database, "What outlives the process.", scalar="url")
    redis: Redis = section(Redis, "Redis, which several servers share.", scalar="url")
    cache: Cache = section(Cache, "What is kept to be told again.")
    backup: Backup = section(Backup, "Backups by the clock.")
    jobs: Jobs = section(Jobs, "Work that no command waits for: webhooks.")
    breaker: Breaker = section(Breaker, "When something outside is left alone that fails again and again.")
    webhooks: Webhooks = section(Webhooks, "Who is told what happens to the server.")
    security: Security = section(Security, "Secrets: name a file (secret_key_file) or a variable (${NAME}).")
    log: Log = section(Log, "The log.")
    sessions: Sessions = section(Sessions, "A player's presence, over all connections.")
    limits: Limits = section(Limits, "How much of everything.")
    i3: I3 = section(I3, "Other MUDs, over Intermud-3.")
    gateway: Gateway = section(Gateway, "A way onto Intermud-3 for MUDs that do not speak it.", scalar="listen")


# fmt: on

DECLARED: Final[Section] = declared(Config)
