"""Every name that operators of other servers know: what it sets here, who reads that, and which test sees it obeyed.

A setting without such a test, or that nobody but the reader of the configuration reads, fails here.
"""

from __future__ import annotations

import ast
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from mythos.app.house import House
from mythos.app.stores import open_store, target
from mythos.config import Config, Environment, Listen, LogFormat, LogLevel, Size, refusals
from mythos.config.model import DECLARED
from mythos.config.names import HINTS, absent, instead, neighbour
from mythos.config.redis import RedisUrl
from mythos.config.types import StoreUrl
from tests.config.reading import read
from tests.config.test_i3_gateway import EACH_VARIABLE
from tests.net.certificates import make

ROOT = Path(__file__).parents[2]
KEY = "q2JQ0r1c5T8cK4o1mUu9s3Zt7yXvBnAa"

#: Every variable of the guides of other servers.
PROMISED = """
    ENVIRONMENT PRODUCTION DEPLOYMENT_SIZE SERVER_ID DEBUG SECRET_KEY SECRET_KEY_PREVIOUS
    DATABASE_URL DB_HOST DB_PORT DB_NAME DB_USER DB_PASSWORD DB_PATH DB_POOL_SIZE DATABASE_POOL_MAX DATABASE_POOL_MIN
    DB_TIMEOUT REDIS_URL REDIS_HOST REDIS_PORT REDIS_PASSWORD REDIS_DB REDIS_POOL_MIN REDIS_POOL_MAX
    REDIS_MAX_CONNECTIONS MAX_CONNECTIONS_PER_PLAYER GAME_MAX_CONNECTIONS_PER_PLAYER CONNECTION_TIMEOUT
    HEALTH_CHECK_INTERVAL HEALTH_CHECK_TIMEOUT CLEANUP_INTERVAL RECONNECT_TIMEOUT_MINUTES CONNECTION_POOL_SIZE
    MAX_CONNECTIONS MESSAGE_BATCH_SIZE MESSAGE_QUEUE_SIZE MAX_QUEUE_SIZE PERFORMANCE_MONITORING ENABLE_METRICS
    METRICS_ENABLED METRICS_PORT LOG_LEVEL LOG_FORMAT LOG_FILE LOG_CORRELATION_ID SENTRY_DSN ENABLE_PROFILING
    CORS_ORIGINS ALLOWED_ORIGINS RATE_LIMIT_REQUESTS RATE_LIMIT_WINDOW MAX_REQUESTS_PER_MINUTE RATE_LIMIT_ENABLED
    USE_RATE_LIMITING RATE_LIMIT_PER_PLAYER_PER_MINUTE RATE_LIMIT_PER_ROOM_PER_SECOND RATE_LIMIT_WEBSOCKET_PER_SECOND
    RATE_LIMIT_TELLS RATE_LIMIT_CHANNELS RATE_LIMIT_PER_MINUTE RATE_LIMIT_BURST
    CACHE_ENABLED CACHE_DEFAULT_TTL CACHE_TTL CACHE_MAX_MEMORY_MB MAX_CONCURRENT_GAMES MAX_ACTIVE_GAMES
    MAX_EVENTS_PER_GAME EVENT_BUFFER_SIZE GC_COMPLETED_GAMES_AFTER GAME_SUMMARY_CACHE_SIZE USE_GAME_ARCHIVAL
    ARCHIVE_BACKEND ARCHIVE_URL ARCHIVE_BATCH_SIZE ARCHIVE_FLUSH_INTERVAL ARCHIVE_RETENTION_DAYS USE_EVENT_SOURCING
    USE_MEMORY_MONITORING MAX_MEMORY_MB MEMORY_CHECK_INTERVAL MEMORY_ALERT_THRESHOLD ENABLE_SSL SSL_ENABLED
    SSL_CERT_PATH SSL_KEY_PATH HOST PORT SERVER_HOST SERVER_PORT API_WS_HOST API_WS_PORT API_HOST API_PORT API_TCP_HOST
    API_TCP_PORT API_AUTH_ENABLED API_KEY_REACH I3_GATEWAY_SECRET MUD_NAME MUD_PORT MUD_ADMIN_EMAIL MUD_TYPE MUD_STATUS
    I3_ROUTER_HOST I3_ROUTER_PORT I3_ROUTER_NAME I3_ROUTER_FALLBACK_HOST I3_ROUTER_FALLBACK_PORT
    I3_ROUTER_FALLBACK_NAME I3_FALLBACK_ROUTER_HOST I3_FALLBACK_ROUTER_PORT I3_FALLBACK_ROUTER_NAME RECONNECT_DELAY
    HEARTBEAT_INTERVAL REACT_APP_API_URL REACT_APP_WS_URL REACT_APP_SSE_URL REACT_APP_ENVIRONMENT REACT_APP_DEBUG
    BACKUP_DIR GF_SECURITY_ADMIN_PASSWORD POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB MINIO_ROOT_USER
    MINIO_ROOT_PASSWORD DATABASES_DEFAULT DATABASES_HOST POOL_MODE MAX_CLIENT_CONN DEFAULT_POOL_SIZE
    PROMETHEUS_RETENTION GRAFANA_PASSWORD SOCKETIO_ASYNC_MODE WORKERS NATS_URL DATABASE_NPC_URL ANTHROPIC_API_KEY
    NGROK_AUTHTOKEN
""".split()  # fmt: skip

#: A variable, a value that is not the default, what it sets, and what the rest of the server receives.
OTHERS: list[tuple[str, str, str, Any]] = [
    ("ENVIRONMENT", "production", "environment", Environment.PRODUCTION),
    ("PRODUCTION", "true", "environment", Environment.PRODUCTION),
    ("BACKUP_DIR", "/backups", "backup.dir", Path("/backups")),
    ("DEPLOYMENT_SIZE", "large", "size", Size.LARGE),
    ("DEPLOYMENT_SIZE", "large", "limits.connections", 5000),
    ("DEBUG", "true", "log.level", LogLevel.DEBUG),
    ("SECRET_KEY", KEY, "security.secret_key", KEY),
    ("SECRET_KEY_PREVIOUS", KEY, "security.secret_key_previous", KEY),
    ("DATABASE_URL", "postgres://h/d", "database.url", StoreUrl("postgresql://h/d")),
    ("DB_HOST", "h", "database.url", StoreUrl("postgresql://h/")),
    ("DB_NAME", "d", "database.url", StoreUrl("postgresql://localhost/d")),
    ("DB_PATH", "/old.db", "database.url", StoreUrl("sqlite:////old.db")),
    ("DB_PASSWORD", "hush", "database.password", "hush"),
    ("DB_TIMEOUT", "30", "database.acquire_timeout", 30.0),
    ("MAX_CONNECTIONS_PER_PLAYER", "2", "sessions.connections", 2),
    ("GAME_MAX_CONNECTIONS_PER_PLAYER", "2", "sessions.connections", 2),
    ("CONNECTION_TIMEOUT", "180", "sessions.idle_timeout", 180.0),
    ("CLEANUP_INTERVAL", "30", "sessions.sweep_interval", 30.0),
    ("RECONNECT_TIMEOUT_MINUTES", "15", "sessions.resume_window", 900.0),
    ("CONNECTION_POOL_SIZE", "7", "limits.connections", 7),
    ("PERFORMANCE_MONITORING", "false", "metrics.latency", False),
    ("ENABLE_METRICS", "false", "metrics.enabled", False),
    ("METRICS_ENABLED", "false", "metrics.enabled", False),
    ("METRICS_PORT", "9191", "metrics.listen", Listen.parse("9191")),
    ("LOG_FORMAT", "json", "log.format", LogFormat.JSON),
    ("HEALTH_CHECK_INTERVAL", "45", "health.interval", 45.0),
    ("HEALTH_CHECK_TIMEOUT", "10", "health.timeout", 10.0),
    ("USE_MEMORY_MONITORING", "false", "memory.monitor", False),
    ("MAX_MEMORY_MB", "4096", "memory.max_mb", 4096),
    ("MAX_MEMORY_MB", "4GB", "memory.max_mb", 4096),
    ("MEMORY_ALERT_THRESHOLD", "70", "memory.alert_percent", 70),
    ("MEMORY_CHECK_INTERVAL", "60", "memory.interval", 60.0),
    ("ENABLE_PROFILING", "true", "log.profile_memory", True),
    ("ENABLE_PROFILING", "memory", "log.profile_memory", True),
    ("CORS_ORIGINS", '["https://a.example"]', "http.cors_origins", ("https://a.example",)),
    ("ALLOWED_ORIGINS", "https://a.example", "http.cors_origins", ("https://a.example",)),
    ("RATE_LIMIT_REQUESTS", "50", "limits.http.requests", 50),
    ("RATE_LIMIT_WINDOW", "30", "limits.http.window", 30.0),
    ("MAX_REQUESTS_PER_MINUTE", "50", "limits.http.requests", 50),
    ("USE_RATE_LIMITING", "false", "limits.enabled", False),
    ("RATE_LIMIT_PER_PLAYER_PER_MINUTE", "60", "limits.player.per_minute", 60),
    ("RATE_LIMIT_PER_ROOM_PER_SECOND", "5", "limits.room.per_second", 5),
    ("RATE_LIMIT_WEBSOCKET_PER_SECOND", "5", "limits.websocket.per_second", 5),
    ("SSL_CERT_PATH", "/both.pem", "tls.certificate", Path("/both.pem")),
    ("SSL_CERT_PATH", "/both.pem", "tls.enabled", True),
    ("HOST", "10.0.0.1", "http.listen", Listen.parse("10.0.0.1:8000")),
    ("PORT", "5000", "http.listen", Listen.parse("5000")),
    ("SERVER_HOST", "10.0.0.1", "http.listen", Listen.parse("10.0.0.1:8000")),
    ("SENTRY_DSN", "https://key@sentry.example/1", "telemetry.sentry_dsn", "https://key@sentry.example/1"),
    ("LOG_CORRELATION_ID", "no", "log.correlation", False),
    ("SERVER_PORT", "54768", "http.listen", Listen.parse("54768")),
    ("REDIS_URL", "redis://r", "redis.url", RedisUrl.read("redis://r")),
    ("REDIS_HOST", "r", "redis.url", RedisUrl.read("redis://r:6379")),
    ("REDIS_PASSWORD", "hush", "redis.password", "hush"),
    ("REDIS_POOL_MIN", "3", "redis.pool_min", 3),
    ("REDIS_POOL_MAX", "50", "redis.pool_max", 50),
    ("REDIS_MAX_CONNECTIONS", "20", "redis.pool_max", 20),
    ("CACHE_ENABLED", "false", "cache.enabled", False),
    ("CACHE_DEFAULT_TTL", "60", "cache.ttl", 60.0),
    ("CACHE_TTL", "600", "cache.ttl", 600.0),
    ("CACHE_MAX_MEMORY_MB", "64", "cache.max_memory", 64),
    ("DEPLOYMENT_SIZE", "large", "cache.max_memory", 1024),
]
WITH_EFFECT = [*OTHERS, *EACH_VARIABLE]

#: These say something only beside another.
BESIDE: dict[str, tuple[dict[str, str], str, Any]] = {
    "SSL_KEY_PATH": ({"SSL_CERT_PATH": "/c.pem", "SSL_KEY_PATH": "/key.pem"}, "tls.key", Path("/key.pem")),
    "DB_PORT": ({"DB_HOST": "h", "DB_PORT": "6432"}, "database.url", StoreUrl("postgresql://h:6432/")),
    "REDIS_PORT": ({"REDIS_HOST": "h", "REDIS_PORT": "7000"}, "redis.url", RedisUrl.read("redis://h:7000")),
    "REDIS_DB": ({"REDIS_HOST": "h", "REDIS_DB": "2"}, "redis.url", RedisUrl.read("redis://h:6379/2")),
    "DB_USER": ({"DB_HOST": "h", "DB_USER": "u"}, "database.url", StoreUrl("postgresql://u@h/")),
    "ENABLE_SSL": ({"SSL_CERT_PATH": "/both.pem", "ENABLE_SSL": "false"}, "tls.enabled", False),
    "SSL_ENABLED": ({"SSL_CERT_PATH": "/both.pem", "SSL_ENABLED": "no"}, "tls.enabled", False),
}

#: A setting, and the test that sees it obeyed.
OBEYED = {
    "environment": "tests/config/test_tap.py::test_what_production_refuses",
    "size": "tests/config/test_load.py::test_sizes_set_defaults",
    "debug": "tests/config/test_obeyed.py::test_what_is_logged",
    "public": "tests/config/test_load.py::test_public_opens_doors",
    "roles": "tests/house/test_gateway.py::test_alone",
    "data": "tests/house/test_house.py::test_a_planned_restart_loses_nothing",
    "world.dir": "tests/config/test_obeyed.py::test_the_world",
    "world.seed": "tests/config/test_obeyed.py::test_chance_repeats",
    "world.tick": "tests/config/test_obeyed.py::test_the_world",
    "world.flush_interval": "tests/config/test_obeyed.py::test_the_world",
    "mud.name": "tests/config/test_obeyed.py::test_what_a_router_is_told",
    "mud.admin_email": "tests/config/test_obeyed.py::test_what_a_router_is_told",
    "mud.type": "tests/config/test_obeyed.py::test_what_a_router_is_told",
    "mud.status": "tests/config/test_obeyed.py::test_what_a_router_is_told",
    "mud.mudlib": "tests/config/test_obeyed.py::test_what_a_router_is_told",
    "mud.base_mudlib": "tests/config/test_obeyed.py::test_what_a_router_is_told",
    "mud.driver": "tests/config/test_obeyed.py::test_what_a_router_is_told",
    "mud.announce_port": "tests/config/test_obeyed.py::test_what_a_router_is_told",
    "mud.mssp": "tests/house/test_mssp.py::test_what_the_operator_says",
    "telnet.listen": "tests/house/test_house.py::test_a_session_over_all_doors",
    "telnet.tls": "tests/house/test_tls.py::test_a_guest_plays_over_tls",
    "telnet.allow_plaintext": "tests/config/test_gate.py::test_consents",
    "telnet.msdp": "tests/config/test_obeyed.py::test_what_telnet_offers",
    "telnet.mxp": "tests/config/test_obeyed.py::test_what_telnet_offers",
    "telnet.gui_url": "tests/config/test_obeyed.py::test_what_telnet_offers",
    "telnet.gui_version": "tests/config/test_obeyed.py::test_what_telnet_offers",
    "telnet.map_url": "tests/config/test_obeyed.py::test_what_telnet_offers",
    "telnet.trusted_proxies": "tests/house/test_tls.py::test_behind_a_proxy",
    "telnet.mccp2": "tests/config/test_obeyed.py::test_what_telnet_offers",
    "telnet.mccp3": "tests/config/test_obeyed.py::test_what_telnet_offers",
    "tls.certificate": "tests/house/test_tls.py::test_a_guest_plays_over_tls",
    "tls.key": "tests/house/test_tls.py::test_a_broken_certificate_at_the_start",
    "tls.enabled": "tests/config/test_obeyed.py::test_a_certificate_that_is_not_used",
    "http.listen": "tests/house/test_house.py::test_a_session_over_all_doors",
    "http.cors_origins": "tests/config/test_obeyed.py::test_pages_of_other_sites",
    "http.trusted_proxies": "tests/net/test_api.py::test_too_many_requests",
    "http.permessage_deflate": "tests/net/test_deflate.py::test_it_may_be_switched_off",
    "metrics.enabled": "tests/config/test_obeyed.py::test_without_metrics",
    "metrics.listen": "tests/config/test_obeyed.py::test_the_world",
    "metrics.latency": "tests/config/test_obeyed.py::test_the_world",
    "health.interval": "tests/telemetry/test_outside.py::test_without_its_database",
    "health.timeout": "tests/telemetry/test_health.py::test_no_answer",
    "memory.monitor": "tests/telemetry/test_outside.py::test_memory_is_short",
    "memory.max_mb": "tests/telemetry/test_outside.py::test_memory_is_short",
    "memory.alert_percent": "tests/telemetry/test_watch.py::test_watermarks",
    "memory.interval": "tests/telemetry/test_outside.py::test_memory_is_short",
    "disk.warn_percent": "tests/telemetry/test_watch.py::test_disk",
    "disk.seal": "tests/telemetry/test_outside.py::test_the_disk_is_full",
    "redis.url": "tests/house/test_redis.py::test_two_servers_share_their_limits",
    "redis.password": "tests/house/test_redis.py::test_a_password_and_more_connections",
    "redis.cache_url": "tests/house/test_redis.py::test_a_redis_for_the_cache",
    "redis.pool_min": "tests/house/test_redis.py::test_a_password_and_more_connections",
    "redis.pool_max": "tests/cluster/test_redis.py::test_it_opens_more_while_all_are_busy",
    "redis.timeout": "tests/house/test_redis.py::test_frozen_while_people_play",
    "cache.enabled": "tests/house/test_redis.py::test_switched_off",
    "cache.ttl": "tests/house/test_redis.py::test_bounds_of_the_cache",
    "cache.max_memory": "tests/house/test_redis.py::test_bounds_of_the_cache",
    "cache.max_entries": "tests/house/test_redis.py::test_bounds_of_the_cache",
    "cache.compress_over": "tests/house/test_redis.py::test_bounds_of_the_cache",
    "cache.sweep": "tests/house/test_redis.py::test_bounds_of_the_cache",
    "backup.every": "tests/house/test_backups.py::test_by_the_clock",
    "backup.dir": "tests/house/test_backups.py::test_by_the_clock",
    "backup.keep": "tests/house/test_backups.py::test_by_the_clock",
    "backup.encrypt": "tests/house/test_backups.py::test_by_the_clock",
    "database.url": "tests/house/test_postgres.py::test_it_plays",
    "database.direct_url": "tests/store/test_postgres_schema.py::test_the_server_needs_no_right_to_change_the_schema",
    "database.password": "tests/store/test_postgres_faults.py::test_a_password_that_changes",
    "database.acquire_timeout": "tests/store/test_postgres_faults.py::test_a_process_that_hangs",
    "database.start_timeout": "tests/house/test_postgres.py::test_it_waits_for_a_database_that_is_not_up_yet",
    "jobs.min_lanes": "tests/config/test_obeyed.py::test_how_many_jobs",
    "jobs.max_lanes": "tests/config/test_obeyed.py::test_how_many_jobs",
    "jobs.scale_threshold": "tests/config/test_obeyed.py::test_how_many_jobs",
    "jobs.queue": "tests/config/test_obeyed.py::test_how_many_jobs",
    "jobs.timeout": "tests/config/test_obeyed.py::test_how_many_jobs",
    "breaker.failures": "tests/house/test_webhooks.py::test_a_breaker",
    "breaker.open_for": "tests/house/test_webhooks.py::test_a_breaker_that_is_not_open_for_long",
    "webhooks.url": "tests/house/test_webhooks.py::test_from_start_to_stop",
    "webhooks.events": "tests/house/test_webhooks.py::test_what_is_told",
    "webhooks.secret": "tests/house/test_webhooks.py::test_from_start_to_stop",
    "webhooks.allow_private": "tests/house/test_webhooks.py::test_settings_that_make_no_sense",
    "security.secret_key": "tests/config/test_obeyed.py::test_keys_that_sign",
    "security.secret_key_previous": "tests/config/test_obeyed.py::test_keys_that_sign",
    "log.level": "tests/config/test_obeyed.py::test_what_is_logged",
    "log.format": "tests/config/test_obeyed.py::test_what_is_logged",
    "log.file": "tests/config/test_obeyed.py::test_what_is_logged",
    "log.levels": "tests/telemetry/test_logs.py::test_levels",
    "log.rotate_size": "tests/telemetry/test_logs.py::test_rotated",
    "log.rotate_keep": "tests/telemetry/test_logs.py::test_rotated",
    "telemetry.sentry_dsn": "tests/telemetry/test_sentry.py::test_a_server_reports",
    "log.correlation": "tests/telemetry/test_outside.py::test_the_log",
    "log.profile_memory": "tests/telemetry/test_memory.py::test_once_a_minute",
    "sessions.connections": "tests/config/test_obeyed.py::test_limits_of_a_player",
    "sessions.idle_timeout": "tests/net/test_transport.py::test_a_peer_that_vanishes_is_found",
    "sessions.resume_window": "tests/config/test_obeyed.py::test_how_long_who_left_stays",
    "sessions.grace": "tests/config/test_obeyed.py::test_how_long_who_left_stays",
    "sessions.grace_combat": "tests/play/test_realm.py::test_linkdead_then_away_then_back",
    "sessions.sweep_interval": "tests/config/test_obeyed.py::test_guests_of_before_are_swept",
    "sessions.log_events": "tests/config/test_obeyed.py::test_how_much_is_kept",
    "sessions.log_bytes": "tests/config/test_obeyed.py::test_how_much_is_kept",
    "limits.enabled": "tests/config/test_obeyed.py::test_no_limits",
    "limits.connections": "tests/config/test_obeyed.py::test_limits_of_the_doors",
    "limits.tells": "tests/config/test_obeyed.py::test_limits_of_a_player",
    "limits.channels": "tests/config/test_obeyed.py::test_limits_of_a_player",
    "limits.logins": "tests/config/test_obeyed.py::test_limits_of_the_doors",
    "limits.player.per_minute": "tests/config/test_obeyed.py::test_limits_of_a_player",
    "limits.player.burst": "tests/config/test_obeyed.py::test_limits_of_a_player",
    "limits.room.per_second": "tests/config/test_obeyed.py::test_limits_of_a_room",
    "limits.websocket.per_second": "tests/net/test_websocket.py::test_a_flood_is_paced_and_nothing_of_it_lost",
    "limits.accept.per_second": "tests/net/test_telnet_options.py::test_those_a_proxy_speaks_for_are_counted",
    "limits.accept.open": "tests/net/test_telnet_options.py::test_those_a_proxy_speaks_for_are_counted",
    "limits.http.requests": "tests/config/test_obeyed.py::test_limits_of_the_doors",
    "limits.http.window": "tests/config/test_obeyed.py::test_limits_of_the_doors",
    "i3.routers": "tests/house/test_intermud.py::test_people_of_two_muds_talk",
    "i3.connect_timeout": "tests/net/i3/test_link.py::test_its_times_are_the_operators",
    "i3.reconnect_delay": "tests/net/i3/test_link.py::test_its_times_are_the_operators",
    "i3.heartbeat": "tests/net/i3/test_link.py::test_its_times_are_the_operators",
    "i3.throttle": "tests/net/i3/test_link.py::test_never_faster_than_routers_allow",
    "i3.primary.host": "tests/config/test_obeyed.py::test_what_a_router_is_told",
    "i3.primary.port": "tests/config/test_obeyed.py::test_what_a_router_is_told",
    "i3.primary.name": "tests/config/test_obeyed.py::test_what_a_router_is_told",
    "i3.primary.password": "tests/config/test_obeyed.py::test_what_a_router_is_told",
    "i3.fallback.host": "tests/config/test_obeyed.py::test_what_a_router_is_told",
    "i3.fallback.port": "tests/config/test_obeyed.py::test_what_a_router_is_told",
    "i3.fallback.name": "tests/config/test_obeyed.py::test_what_a_router_is_told",
    "i3.router.enabled": "tests/house/test_gateway.py::test_alone",
    "i3.router.listen": "tests/house/test_gateway.py::test_alone",
    "i3.router.name": "tests/house/test_gateway.py::test_keys_of_the_configuration",
    "i3.router.private": "tests/net/i3/test_exchange.py::test_a_flood_is_not_heard_for_a_while",
    "gateway.enabled": "tests/config/test_obeyed.py::test_the_gateway",
    "gateway.listen": "tests/house/test_gateway.py::test_alone",
    "gateway.address": "tests/config/test_i3_gateway.py::test_each_variable",
    "gateway.tcp": "tests/house/test_gateway.py::test_alone",
    "gateway.tcp_address": "tests/config/test_i3_gateway.py::test_each_variable",
    "gateway.keys": "tests/house/test_gateway.py::test_keys_of_the_configuration",
    "gateway.mud_keys": "tests/config/test_obeyed.py::test_the_gateway",
    "gateway.keyless": "tests/net/gateway/test_talk.py::test_any_key_is_good_where_it_is_said",
    "gateway.connections": "tests/config/test_obeyed.py::test_the_gateway",
    "gateway.per_minute": "tests/config/test_obeyed.py::test_the_gateway",
    "gateway.burst": "tests/config/test_obeyed.py::test_the_gateway",
    "gateway.per_method": "tests/net/gateway/test_events.py::test_a_method_has_a_rate_of_its_own",
    "gateway.idle_timeout": "tests/net/gateway/test_talk.py::test_silence",
    "gateway.ping_interval": "tests/net/gateway/test_talk.py::test_silence",
    "gateway.ping_timeout": "tests/net/gateway/test_talk.py::test_silence",
    "gateway.queue": "tests/net/gateway/test_talk.py::test_tells_wait_for_a_client",
    "gateway.queue_time": "tests/net/gateway/test_talk.py::test_resuming_in_vain",
    "gateway.history": "tests/net/gateway/test_methods.py::test_channel_history",
    "gateway.longest": "tests/config/test_obeyed.py::test_the_gateway",
    "gateway.echo": "tests/net/gateway/test_events.py::test_packets_become_events",
    "gateway.allow": "tests/net/gateway/test_hostile.py::test_denied_addresses",
    "gateway.deny": "tests/net/gateway/test_hostile.py::test_denied_addresses",
}  # fmt: skip

#: What the reader alone reads, since another setting receives it.
WITHIN = {
    "size": "limits.connections",
    "debug": "log.level",
    "gateway.enabled": "gateway.listen",
    "gateway.address": "gateway.listen",
    "gateway.tcp_address": "gateway.tcp",
    "gateway.mud_keys": "gateway.keys",
    "i3.primary.port": "i3.routers",
    "i3.fallback.host": "i3.routers",
    "i3.fallback.port": "i3.routers",
    "i3.fallback.name": "i3.routers",
    "backup.dir": "backup.every",
    "backup.keep": "backup.every",
    "backup.encrypt": "backup.every",
}


@pytest.mark.parametrize(("name", "text", "key", "value"), OTHERS)
def test_each_variable(name: str, text: str, key: str, value: Any) -> None:
    """It changes what the rest of the server receives."""
    assert read().values[key] != value
    loaded = read(env={name: text})
    assert loaded.values[key] == value
    assert loaded.notes == ()


@pytest.mark.parametrize("name", BESIDE)
def test_each_variable_beside_another(name: str) -> None:
    env, key, value = BESIDE[name]
    assert read(env=env).values[key] == value
    assert read(env={one: text for one, text in env.items() if one != name}).values[key] != value


@pytest.mark.parametrize("name", PROMISED)
def test_each_name_is_spoken_for(name: str) -> None:
    """It sets something, or one line at the start says why it does not; what belongs to others is passed over."""
    sets = {row[0] for row in WITH_EFFECT} | BESIDE.keys()
    expected = [] if name in sets or neighbour(name) else [name]
    notes = [note for note in read(env={name: "1"}).notes if name not in HINTS] if name not in sets else []
    assert [name for note in notes if name in note] == expected
    assert [name in sets, bool(instead(name) or (absent(name) and name not in sets)), neighbour(name)].count(True) == 1


def test_each_name_with_effect_is_here() -> None:
    """Every variable of the declarations, but for those with our own prefix and those with _FILE behind them."""
    named = {
        name.replace("*", "REACH")
        for setting in DECLARED.settings()
        for alias in setting.env
        for name in alias.names
        if not name.startswith("MYTHOS_")
    }
    ours = {"ALLOW_PLAINTEXT_TELNET"}
    assert named - ours == {row[0] for row in WITH_EFFECT} | BESIDE.keys()


def test_each_setting_is_obeyed() -> None:
    """A test that is named above, and that is there, sees each."""
    assert OBEYED.keys() == {setting.key for setting in DECLARED.settings()}
    for path in {place.partition("::")[0] for place in OBEYED.values()}:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        tests = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        named = {place.partition("::")[2] for place in OBEYED.values() if place.startswith(f"{path}::")}
        assert named <= tests, path


def recording(section: Any, seen: set[str], path: str = "") -> Any:
    """The same configuration, which notes the keys that are read of it."""
    kind, names = type(section), {field.name for field in fields(section)}

    def look(self: Any, name: str) -> Any:
        if name in names:
            seen.add(path + name)
        return object.__getattribute__(self, name)

    copy: Any = object.__new__(type(kind.__name__, (kind,), {"__slots__": (), "__getattribute__": look}))
    for name in names:
        value = getattr(section, name)
        inner = recording(value, seen, f"{path}{name}.") if is_dataclass(value) and name in _SECTIONS else value
        object.__setattr__(copy, name, inner)
    return copy


_SECTIONS = {part for setting in DECLARED.settings() for part in setting.key.split(".")[:-1]}


class Watched(House):
    """Says when it has started."""

    def __init__(self, config: Config, started: Deferred[None]) -> None:
        super().__init__(config, reactor, say=lambda text: None, fail=lambda text: started.errback(RuntimeError(text)))
        self._started = started

    async def start(self) -> None:
        await super().start()
        self._started.callback(None)


async def test_somebody_reads_each_setting(tmp_path: Path) -> None:
    """The server that runs, its gate, or the program that starts it; else it would be a word without effect."""
    make(tmp_path / "both.pem", tmp_path / "both.pem", "mud")
    doors = dict.fromkeys(("TELNET", "HTTP", "METRICS", "TELNET_TLS", "GATEWAY", "GATEWAY_TCP"), "0")
    env = {
        **{f"MYTHOS_{name}": port for name, port in doors.items()},
        "MYTHOS_I3_ROUTER_LISTEN": "0",
        "MYTHOS_I3_ROUTER": "yes",
        "I3_ROUTER_HOST": "127.0.0.1",
        "I3_ROUTER_PORT": "1",
        "I3_ROUTER_PASSWORD": "5",
        "SSL_CERT_PATH": str(tmp_path / "both.pem"),
        "MYTHOS_TELNET_GUI_URL": "https://a.example/gui",
        "MYTHOS_TELNET_MAP_URL": "https://a.example/map",
        "MYTHOS_GATEWAY_KEYS": f"Reach={KEY}",
        "MYTHOS_DATA": str(tmp_path / "data"),
        "REDIS_URL": f"unix://{tmp_path / 'none'}",
        "MYTHOS_REDIS_CACHE_URL": f"unix://{tmp_path / 'none'}",
    }
    seen: set[str] = set()
    public = read(env={"ENVIRONMENT": "production", "MUD_PORT": "0.0.0.0:0"}).config
    refusals(recording(public, seen), uid=1)
    postgres = recording(read(env={"DB_HOST": "/nowhere", "MYTHOS_DATABASE_START_TIMEOUT": "0"}).config, seen)
    assert target(postgres.database).url == "postgresql:///?host=/nowhere"
    with pytest.raises(Exception, match="cannot be reached"):
        await open_store(postgres.database, reactor, lambda text: None, lambda text: None)
    started: Deferred[None] = Deferred()
    house = Watched(recording(read(env=env).config, seen), started)
    house.startService()
    try:
        await started
        house._mssp()
        house.health.parts()
    finally:
        await house.stopService()
    programs = [ROOT / "mythos" / name for name in ("tap.py", "app/relay.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in programs)
    seen |= {setting.key for setting in DECLARED.settings() if f"config.{setting.key}" in text}
    unread = {setting.key for setting in DECLARED.settings()} - seen - WITHIN.keys()
    assert unread == set()
    assert seen >= set(WITHIN.values())
