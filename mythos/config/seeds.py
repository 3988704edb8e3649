"""What is in force, under the names that another server's users know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from mythos.config.declare import Alias, Setting
from mythos.config.listen import Listen
from mythos.config.load import Loaded
from mythos.config.model import DECLARED, Config, Environment
from mythos.config.names import absent, instead
from mythos.config.show import MASK

__all__ = ["SEEDS", "Seed", "Translated", "find", "translated"]


@dataclass(frozen=True, slots=True)
class Seed:
    """Another server.

    :param letter: short for its name.
    :param names: its variables, in the order of its guide.
    """

    letter: str
    name: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Translated:
    """One variable of another server.

    :param value: as it can be written there and here; secrets are masked. Empty: not set.
    :param remark: why it has no effect here; empty if it has.
    """

    name: str
    value: str
    remark: str = ""


def _seed(letter: str, name: str, names: str) -> Seed:
    return Seed(letter, name, tuple(names.split()))


SEEDS: Final = (
    _seed(
        "A",
        "dual-connections",
        """DATABASE_URL SECRET_KEY DEBUG LOG_LEVEL MAX_CONNECTIONS_PER_PLAYER CONNECTION_TIMEOUT HEALTH_CHECK_INTERVAL
        CLEANUP_INTERVAL MESSAGE_BATCH_SIZE CONNECTION_POOL_SIZE PERFORMANCE_MONITORING CORS_ORIGINS RATE_LIMIT_REQUESTS
        RATE_LIMIT_WINDOW ENABLE_METRICS METRICS_PORT LOG_FORMAT SENTRY_DSN SERVER_ID SERVER_HOST SERVER_PORT""",
    ),
    _seed(
        "B",
        "arcane-codex",
        """SECRET_KEY PRODUCTION HOST PORT CORS_ORIGINS SSL_ENABLED DB_PATH DB_TIMEOUT DB_POOL_SIZE REDIS_URL
        REDIS_PASSWORD RATE_LIMIT_ENABLED MAX_REQUESTS_PER_MINUTE RECONNECT_TIMEOUT_MINUTES MAX_CONCURRENT_GAMES
        CACHE_ENABLED CACHE_DEFAULT_TTL LOG_LEVEL DEBUG""",
    ),
    _seed(
        "C",
        "archmesh",
        """ENVIRONMENT DEPLOYMENT_SIZE REDIS_HOST REDIS_PORT DB_HOST DB_PORT DB_NAME DB_USER DB_PASSWORD ENABLE_SSL
        SSL_CERT_PATH SSL_KEY_PATH ALLOWED_ORIGINS CACHE_MAX_MEMORY_MB""",
    ),
    _seed(
        "D",
        "i3-gateway",
        """MUD_NAME MUD_PORT MUD_ADMIN_EMAIL MUD_TYPE MUD_STATUS API_WS_HOST API_WS_PORT API_TCP_HOST API_TCP_PORT
        API_AUTH_ENABLED I3_GATEWAY_SECRET I3_ROUTER_HOST I3_ROUTER_PORT I3_ROUTER_NAME I3_FALLBACK_ROUTER_HOST
        I3_FALLBACK_ROUTER_PORT LOG_LEVEL LOG_FILE MAX_CONNECTIONS MESSAGE_QUEUE_SIZE CACHE_TTL RECONNECT_DELAY
        HEARTBEAT_INTERVAL RATE_LIMIT_ENABLED RATE_LIMIT_TELLS RATE_LIMIT_CHANNELS RATE_LIMIT_PER_MINUTE
        RATE_LIMIT_BURST""",
    ),
    _seed(
        "E",
        "liap",
        """ENVIRONMENT DATABASE_URL DATABASE_POOL_MIN DATABASE_POOL_MAX REDIS_URL REDIS_POOL_MIN REDIS_POOL_MAX
        MAX_ACTIVE_GAMES MAX_EVENTS_PER_GAME EVENT_BUFFER_SIZE GC_COMPLETED_GAMES_AFTER GAME_SUMMARY_CACHE_SIZE
        ARCHIVE_BACKEND ARCHIVE_URL ARCHIVE_BATCH_SIZE ARCHIVE_FLUSH_INTERVAL ARCHIVE_RETENTION_DAYS
        RATE_LIMIT_PER_PLAYER_PER_MINUTE RATE_LIMIT_PER_ROOM_PER_SECOND RATE_LIMIT_WEBSOCKET_PER_SECOND METRICS_ENABLED
        METRICS_PORT HEALTH_CHECK_TIMEOUT MAX_MEMORY_MB MEMORY_CHECK_INTERVAL MEMORY_ALERT_THRESHOLD USE_GAME_ARCHIVAL
        USE_MEMORY_MONITORING USE_RATE_LIMITING USE_EVENT_SOURCING ENABLE_PROFILING LOG_LEVEL LOG_FORMAT
        LOG_CORRELATION_ID""",
    ),
)


def find(word: str) -> Seed | None:
    """By its letter or its name."""
    return next((seed for seed in SEEDS if word.lower() in (seed.letter.lower(), seed.name)), None)


def translated(loaded: Loaded, seed: Seed) -> Iterator[Translated]:
    """Every variable of `seed`, with what is in force here."""
    for name in seed.names:
        found = next(((setting, alias) for setting, alias in _ALIASES if name in alias.names), None)
        if found is not None:
            yield Translated(name, _value(name, *found, loaded))
        elif why := instead(name):
            yield Translated(name, "", why)
        else:
            yield Translated(name, "", f"this version does not have {absent(name)}")


_ALIASES: Final = [(setting, alias) for setting in DECLARED.settings() for alias in setting.env]


def _value(name: str, setting: Setting, alias: Alias, loaded: Loaded) -> str:
    value = loaded.values[setting.key]
    if name in _WRITERS:
        return _WRITERS[name](loaded.config)
    assert alias.plain
    if setting.secret:
        return MASK if value else ""
    return _plain(value) if isinstance(value, bool | float) else setting.type.write(value)


def _plain(value: Any) -> str:
    """Other servers know no units."""
    return str(value).lower() if isinstance(value, bool) else f"{value:.15g}"


def _place(of: Callable[[Config], Listen]) -> tuple[Callable[[Config], str], Callable[[Config], str]]:
    """Host and port of a door, as two variables."""
    return (lambda config: of(config).host), (lambda config: "" if of(config).off else str(of(config).port))


def _postgres(part: str) -> Callable[[Config], str]:
    def write(config: Config) -> str:
        url = config.database.url
        if not url.postgres:
            return ""
        found = urlsplit(url.url)
        parts = {"host": found.hostname, "port": found.port, "name": unquote(found.path[1:]), "user": found.username}
        return str(parts[part] or "")

    return write


def _redis(config: Config) -> tuple[str, str]:
    """Host and port of one Redis; what Sentinels say is not to be written so."""
    url = config.redis.url
    return (url.hosts[0][0], str(url.hosts[0][1])) if url is not None and url.hosts and not url.name else ("", "")


def _minute(config: Config) -> str:
    limits = config.limits.http
    return str(round(limits.requests * 60 / limits.window))


_HOST, _PORT = _place(lambda config: config.http.listen)
_WS_HOST, _WS_PORT = _place(lambda config: config.gateway.listen)
_TCP_HOST, _TCP_PORT = _place(lambda config: config.gateway.tcp)

#: Variables that are not the text of a setting, or whose users expect a number alone.
_WRITERS: Final[dict[str, Callable[[Config], str]]] = {
    "PRODUCTION": lambda config: _plain(config.environment is Environment.PRODUCTION),
    "HOST": _HOST,
    "PORT": _PORT,
    "SERVER_HOST": _HOST,
    "SERVER_PORT": _PORT,
    "API_WS_HOST": _WS_HOST,
    "API_WS_PORT": _WS_PORT,
    "API_TCP_HOST": _TCP_HOST,
    "API_TCP_PORT": _TCP_PORT,
    "MUD_PORT": _place(lambda config: config.telnet.listen)[1],
    "METRICS_PORT": _place(lambda config: config.metrics.listen)[1],
    "DB_HOST": _postgres("host"),
    "DB_PORT": _postgres("port"),
    "DB_NAME": _postgres("name"),
    "DB_USER": _postgres("user"),
    "REDIS_HOST": lambda config: _redis(config)[0],
    "REDIS_PORT": lambda config: _redis(config)[1],
    "DB_PATH": lambda config: str(config.database.path or ""),
    "MAX_REQUESTS_PER_MINUTE": _minute,
    "RECONNECT_TIMEOUT_MINUTES": lambda config: _plain(config.sessions.resume_window / 60),
    "API_AUTH_ENABLED": lambda config: _plain(not config.gateway.keyless),
    "ENABLE_PROFILING": lambda config: _plain(config.log.profile_memory),
}
