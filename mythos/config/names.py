"""Names other servers know and this one does not use: an operator hears once that they have no effect, and why."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

__all__ = ["ABSENT", "HINTS", "INSTEAD", "NEIGHBOURS", "UNUSED_KEYS", "absent", "instead", "neighbour", "remarks"]

_POOL: Final = "two connections serve all"
_PACE: Final = "the link to a router never gives up, and keeps its own pace"

#: Names that mean nothing here, and what does instead. As below, a star at the end stands for any letters.
INSTEAD: Final = {
    "WORKERS": "one process is one node; run more nodes instead",
    "SOCKETIO_ASYNC_MODE": "WebSocket and event streams are served directly",
    "NATS_*": "one process needs no broker",
    "NGROK_*": "MYTHOS_PUBLIC=yes opens the doors, a tunnel is started beside the server",
    "ANTHROPIC_API_KEY": "nothing here asks a language model",
    "DATABASE_NPC_URL": "NPCs live in the one database, DATABASE_URL",
    "DB_POOL_SIZE": _POOL,
    "DATABASE_POOL_MIN": _POOL,
    "DATABASE_POOL_MAX": _POOL,
    "MESSAGE_BATCH_SIZE": "all that a connection is told in one turn goes out as one, as far as it takes it",
    "I3_GATEWAY_SECRET": "keys are all that a MUD needs at the gateway",
    "ENABLE_AUTH": "API_AUTH_ENABLED says whether the gateway asks for a key",
    "GATEWAY_HOST": "the gateway listens where API_HOST says",
    "GATEWAY_PORT": "the gateway listens where API_PORT and API_TCP_PORT say",
    "GATEWAY_MAX_PACKET_SIZE": "the size of a packet is fixed, MYTHOS_GATEWAY_LONGEST bounds a message",
    "GATEWAY_TIMEOUT": "MYTHOS_GATEWAY_IDLE_TIMEOUT ends silent connections",
    "GATEWAY_RETRY_ATTEMPTS": _PACE,
    "GATEWAY_RETRY_DELAY": "RECONNECT_DELAY is the first pause before a router is tried again",
    "RELOAD": "a server is started again to read its code, mythosctl reload reads the world",
    "PROFILE": "--profile-memory tells where memory goes",
}

#: Names that do what they say, and yet not what one may think.
HINTS: Final = {
    "MAX_CONNECTIONS": "counts the connections of MUDs at the gateway; CONNECTION_POOL_SIZE counts those of players",
}

#: Parts that this version does not have, and what sets them elsewhere. One line at the start names what is given.
ABSENT: Final = {
    "more than one node": "SERVER_ID",
    "games": "MAX_CONCURRENT_GAMES MAX_ACTIVE_GAMES MAX_EVENTS_PER_GAME EVENT_BUFFER_SIZE GC_COMPLETED_GAMES_AFTER"
    " GAME_SUMMARY_CACHE_SIZE USE_EVENT_SOURCING",
    "an archive": "USE_GAME_ARCHIVAL ARCHIVE_*",
    "a web client on a host of its own": "REACT_APP_*",
    "a switch for this": "ENABLE_*",
    "a setting of this name": "REDIS_* CACHE_* RATE_LIMIT_* API_WS_* API_TCP_* I3_*",
}

#: What belongs to other containers of the same ``.env``; nothing is said of it.
NEIGHBOURS: Final = """
    GF_* GRAFANA_PASSWORD POSTGRES_* MINIO_* DATABASES_* POOL_MODE MAX_CLIENT_CONN DEFAULT_POOL_SIZE
    PROMETHEUS_RETENTION
"""

_LOOPS: Final = "one process serves all; nothing is to be tuned"
_OWN_PACE: Final = "the link to a router keeps its own pace"

#: Keys of the file by their whole paths; a mapping stands for all that is in it.
UNUSED_KEYS: Final = {
    "mud.services": "other MUDs are told of the services that there are",
    "mud.oob_services": "other MUDs are told of the services that there are",
    "router.connection.timeout": "a silent router is asked whether it is there, i3.heartbeat says how often",
    "router.connection.max_reconnect_attempts": _PACE,
    "gateway.host": "api.host says where the gateway listens",
    "gateway.port": "api.port and api.tcp.port say where the gateway listens",
    "gateway.max_packet_size": "the size of a packet is fixed, gateway.longest bounds a message",
    "gateway.timeout": "gateway.idle_timeout ends silent connections",
    "gateway.retry_attempts": _PACE,
    "gateway.retry_delay": _OWN_PACE,
    "gateway.worker_threads": _LOOPS,
    "gateway.auth": "keys are all that a MUD needs at the gateway",
    "api.tcp.buffer_size": _LOOPS,
    "api.websocket.max_frame_size": "the size of a frame is fixed, gateway.longest bounds a message",
    "api.websocket.compression": "messages of the gateway are short, and are not compressed",
    "api.auth.require_tls": "TLS belongs into a front, or into an endpoint: ssl:PORT:privateKey=FILE:certKey=FILE",
    "api.auth.secret": "keys are all that a MUD needs at the gateway",
    "api.session.cleanup_interval": "what is old goes by itself",
    "api.metrics": "metrics.enabled says whether there are any",
    "logging.components": "log.levels does it: mythos.store=debug",
    "channels.default_channels": "clients join the channels they want",
    "state.save_interval": "what must not be lost is written at once",
    "state.backup_enabled": "backup.every makes backups of the whole server",
    "state.backup_count": "backup.keep says for how long backups are kept",
    "metrics.port": "the gateway's own port has /metrics, metrics.listen the numbers of the whole server",
    "metrics.path": "the path is /metrics",
    "development.reload": "a server is started again to read its code",
    "development.profile": "log.profile_memory tells where memory goes",
    "services": "all services are on; gateway.queue bounds what is kept for a MUD that is away",
    "performance.worker_threads": _LOOPS,
    "performance.async_workers": _LOOPS,
    "performance.connection_pool_size": _LOOPS,
    "performance.message_batch_size": _LOOPS,
}


def _pattern(names: str) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(name).replace(r"\*", ".+") for name in names.split()))


_ABSENT: Final = {part: _pattern(names) for part, names in ABSENT.items()}
_INSTEAD: Final = {_pattern(name): why for name, why in INSTEAD.items()}
_NEIGHBOURS: Final = _pattern(NEIGHBOURS)


def instead(name: str) -> str:
    """Why a known name has no effect here; empty if that cannot be said."""
    return next((why for pattern, why in _INSTEAD.items() if pattern.fullmatch(name)), "")


def absent(name: str) -> str:
    """The part that a name sets elsewhere, and that this version does not have; empty if there is none."""
    return next((part for part, pattern in _ABSENT.items() if pattern.fullmatch(name)), "")


def neighbour(name: str) -> bool:
    """It belongs to another container of the same ``.env``."""
    return _NEIGHBOURS.fullmatch(name) is not None


def remarks(given: Iterable[str], read: Collection[str]) -> tuple[str, ...]:
    """Sentences on the names in `given` that are known but not among those `read` by a setting, or easily mistaken."""
    unread = sorted(set(given) - set(read))
    notes = [f"{name} {HINTS[name]}." for name in sorted(set(given) & set(HINTS))]
    notes += [f"{name} has no effect: {why}." for name in unread if (why := instead(name))]
    parts: dict[str, list[str]] = {}
    for name in unread:
        if not instead(name) and (part := absent(name)):
            parts.setdefault(part, []).append(name)
    return (*notes, *_accepted(parts))


def _accepted(parts: Mapping[str, Collection[str]]) -> Iterable[str]:
    if parts:
        listed = "; ".join(f"{part}: {', '.join(parts[part])}" for part in ABSENT if part in parts)
        yield f"Accepted, without effect, as this version does not have {listed}."
