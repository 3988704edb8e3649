"""Variables other servers know and this one does not read: an operator hears once that they have no effect."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final

__all__ = ["remarks"]

_INSTEAD: Final = {
    "WORKERS": "one process is one node; run more nodes instead",
    "SOCKETIO_ASYNC_MODE": "WebSocket and event streams are served directly",
    "ANTHROPIC_API_KEY": "nothing here asks a language model",
    "DATABASE_NPC_URL": "NPCs live in the one database, DATABASE_URL",
}

#: Whole names, or beginnings of names (with ``*``), of parts that this version does not have.
_WITHOUT_EFFECT: Final = """
    SERVER_ID DB_PORT DB_USER DB_PASSWORD DB_POOL_SIZE DB_TIMEOUT DATABASE_POOL_MIN DATABASE_POOL_MAX REDIS_*
    HEALTH_CHECK_INTERVAL HEALTH_CHECK_TIMEOUT MAX_CONNECTIONS MESSAGE_BATCH_SIZE MESSAGE_QUEUE_SIZE MAX_QUEUE_SIZE
    LOG_CORRELATION_ID SENTRY_DSN ENABLE_PROFILING RATE_LIMIT_PER_MINUTE RATE_LIMIT_BURST CACHE_ENABLED
    CACHE_DEFAULT_TTL CACHE_TTL CACHE_MAX_MEMORY_MB MAX_CONCURRENT_GAMES MAX_ACTIVE_GAMES MAX_EVENTS_PER_GAME
    EVENT_BUFFER_SIZE GC_COMPLETED_GAMES_AFTER GAME_SUMMARY_CACHE_SIZE USE_GAME_ARCHIVAL ARCHIVE_*
    USE_EVENT_SOURCING USE_MEMORY_MONITORING MAX_MEMORY_MB MEMORY_CHECK_INTERVAL MEMORY_ALERT_THRESHOLD ENABLE_SSL
    SSL_ENABLED SSL_CERT_PATH SSL_KEY_PATH API_WS_* API_TCP_* API_HOST API_PORT API_AUTH_ENABLED API_KEY_*
    I3_* MUD_TYPE MUD_STATUS RECONNECT_DELAY HEARTBEAT_INTERVAL REACT_APP_* BACKUP_DIR NATS_*
"""

_PATTERN: Final = re.compile("|".join(re.escape(name).replace(r"\*", ".+") for name in _WITHOUT_EFFECT.split()))


def remarks(given: Iterable[str], read: Collection[str]) -> tuple[str, ...]:
    """Sentences on the names in `given` that are known but not among those `read` by a setting."""
    unread = sorted(set(given) - set(read))
    silent = [name for name in unread if _PATTERN.fullmatch(name)]
    notes = [f"{name} has no effect: {_INSTEAD[name]}." for name in unread if name in _INSTEAD]
    if silent:
        notes.append(f"No effect in this version: {', '.join(silent)}.")
    return tuple(notes)
