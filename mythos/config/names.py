"""Names other servers know and this one does not use: an operator hears once that they have no effect, and why."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final

__all__ = ["UNUSED_KEYS", "remarks"]

_INSTEAD: Final = {
    "WORKERS": "one process is one node; run more nodes instead",
    "SOCKETIO_ASYNC_MODE": "WebSocket and event streams are served directly",
    "ANTHROPIC_API_KEY": "nothing here asks a language model",
    "DATABASE_NPC_URL": "NPCs live in the one database, DATABASE_URL",
    "DB_POOL_SIZE": "two connections serve all",
    "DATABASE_POOL_MIN": "two connections serve all",
    "DATABASE_POOL_MAX": "two connections serve all",
    "I3_GATEWAY_SECRET": "keys are all that a MUD needs at the gateway",
    "ENABLE_AUTH": "API_AUTH_ENABLED says whether the gateway asks for a key",
    "CACHE_TTL": "nothing is cached for a time",
    "KEEPALIVE_INTERVAL": "the link to a router keeps its own pace",
    "HEARTBEAT_INTERVAL": "the link to a router keeps its own pace",
    "RECONNECT_DELAY": "the link to a router keeps its own pace",
    "GATEWAY_HOST": "the gateway listens where API_HOST says",
    "GATEWAY_PORT": "the gateway listens where API_PORT and API_TCP_PORT say",
    "GATEWAY_MAX_PACKET_SIZE": "the size of a packet is fixed, MYTHOS_GATEWAY_LONGEST bounds a message",
    "GATEWAY_TIMEOUT": "MYTHOS_GATEWAY_IDLE_TIMEOUT ends silent connections",
    "GATEWAY_RETRY_ATTEMPTS": "the link to a router never gives up",
    "GATEWAY_RETRY_DELAY": "the link to a router keeps its own pace",
    "RELOAD": "a server is started again to read its code, mythosctl reload reads the world",
    "PROFILE": "--profile-memory tells where memory goes",
}

#: Whole names, or beginnings of names (with ``*``), of parts that this version does not have.
_WITHOUT_EFFECT: Final = """
    SERVER_ID REDIS_*
    MESSAGE_BATCH_SIZE SENTRY_DSN RATE_LIMIT_*
    CACHE_ENABLED CACHE_DEFAULT_TTL CACHE_MAX_MEMORY_MB MAX_CONCURRENT_GAMES MAX_ACTIVE_GAMES MAX_EVENTS_PER_GAME
    EVENT_BUFFER_SIZE GC_COMPLETED_GAMES_AFTER GAME_SUMMARY_CACHE_SIZE USE_GAME_ARCHIVAL ARCHIVE_*
    USE_EVENT_SOURCING ENABLE_*
    SSL_ENABLED API_WS_* API_TCP_* I3_* REACT_APP_* BACKUP_DIR NATS_*
"""

_PACE: Final = "the link to a router keeps its own pace"
_LOOPS: Final = "one process serves all; nothing is to be tuned"

#: Keys of the file by their whole paths; a mapping stands for all that is in it.
UNUSED_KEYS: Final = {
    "mud.services": "other MUDs are told of the services that there are",
    "mud.oob_services": "other MUDs are told of the services that there are",
    "router.connection": _PACE,
    "gateway.host": "api.host says where the gateway listens",
    "gateway.port": "api.port and api.tcp.port say where the gateway listens",
    "gateway.max_packet_size": "the size of a packet is fixed, gateway.longest bounds a message",
    "gateway.timeout": "gateway.idle_timeout ends silent connections",
    "gateway.retry_attempts": "the link to a router never gives up",
    "gateway.retry_delay": _PACE,
    "gateway.worker_threads": _LOOPS,
    "gateway.auth": "keys are all that a MUD needs at the gateway",
    "api.tcp.buffer_size": _LOOPS,
    "api.websocket.max_frame_size": "the size of a frame is fixed, gateway.longest bounds a message",
    "api.websocket.compression": "messages of the gateway are short, and are not compressed",
    "api.auth.require_tls": "TLS belongs into a front, or into an endpoint: ssl:PORT:privateKey=FILE:certKey=FILE",
    "api.auth.secret": "keys are all that a MUD needs at the gateway",
    "api.rate_limits.by_method": "gateway.per_method: tell=30, who=10 does it",
    "api.session.cleanup_interval": "what is old goes by itself",
    "api.metrics": "metrics.enabled says whether there are any",
    "logging.components": "log.levels does it: mythos.store=debug",
    "channels.default_channels": "clients join the channels they want",
    "state.save_interval": "what must not be lost is written at once",
    "state.backup_enabled": "copy the data directory to keep it",
    "state.backup_count": "copy the data directory to keep it",
    "metrics.port": "the gateway's own port has /metrics, metrics.listen the numbers of the whole server",
    "metrics.path": "the path is /metrics",
    "development.reload": "a server is started again to read its code",
    "development.profile": "log.profile_memory tells where memory goes",
    "services": "all services are on; gateway.queue bounds what is kept for a MUD that is away",
    "performance.cache_ttl": "nothing is cached for a time",
    "performance.cache_size": "nothing is cached for a time",
    "performance.connection_timeout": _PACE,
    "performance.reconnect_delay": _PACE,
    "performance.worker_threads": _LOOPS,
    "performance.async_workers": _LOOPS,
    "performance.connection_pool_size": _LOOPS,
    "performance.message_batch_size": _LOOPS,
    "security.rate_limiting.who_per_minute": "gateway.per_method: tell=30, who=10 does it",
}

_PATTERN: Final = re.compile("|".join(re.escape(name).replace(r"\*", ".+") for name in _WITHOUT_EFFECT.split()))


def remarks(given: Iterable[str], read: Collection[str]) -> tuple[str, ...]:
    """Sentences on the names in `given` that are known but not among those `read` by a setting."""
    unread = sorted(set(given) - set(read))
    silent = [name for name in unread if _PATTERN.fullmatch(name) and name not in _INSTEAD]
    notes = [f"{name} has no effect: {_INSTEAD[name]}." for name in unread if name in _INSTEAD]
    if silent:
        notes.append(f"No effect in this version: {', '.join(silent)}.")
    return tuple(notes)
