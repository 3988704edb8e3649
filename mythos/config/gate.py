"""What a production server refuses to start on."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network
from pathlib import Path
from typing import Final

from mythos.config.examples import is_placeholder
from mythos.config.model import Config, Environment

__all__ = ["MIN_SECRET", "refusals"]

MIN_SECRET: Final = 32  # bytes


def refusals(
    config: Config, *, uid: int, has_secret: bool = False, readable_by_others: Iterable[Path] = ()
) -> list[str]:
    """One sentence for each reason not to start; outside of production none but a gateway that is open to everybody.

    :param uid: the user the server would run as.
    :param has_secret: the data directory holds a key from an earlier start.
    :param readable_by_others: of ``Loaded.secret_files``, those that other users of the machine can read.
    """
    reasons = [*_keyless(config)]
    if config.environment is not Environment.PRODUCTION:
        return reasons
    reasons += _secrets(config, has_secret)
    reasons += _examples(config)
    reasons += [f"{path} holds a secret and other users can read it: chmod 600 {path}." for path in readable_by_others]
    if (
        "doors" in config.roles
        and config.telnet.listen.on_network
        and not (config.telnet.allow_plaintext or config.public)
    ):
        reasons.append(
            f"telnet.listen ({config.telnet.listen}) is reachable from the network without encryption: consent with "
            "ALLOW_PLAINTEXT_TELNET=yes or --public, or listen on 127.0.0.1."
        )
    if config.metrics.enabled and config.metrics.listen.on_network:
        reasons.append(
            f"metrics.listen ({config.metrics.listen}) is reachable from the network and has no password: listen on "
            "127.0.0.1, or set metrics.enabled to no."
        )
    reasons += _redis(config)
    if "*" in config.http.cors_origins:
        reasons.append("http.cors_origins (CORS_ORIGINS) holds *: name the sites that may use the API.")
    for key, networks in (
        ("http.trusted_proxies", config.http.trusted_proxies),
        ("telnet.trusted_proxies", config.telnet.trusted_proxies),
    ):
        if not all(ip_network(one, strict=False).prefixlen for one in networks):
            reasons.append(f"{key} would believe everybody's word on their address: name your proxies alone.")
    if config.debug:
        reasons.append("debug (DEBUG) is on: turn it off.")
    if not config.limits.enabled:
        reasons.append("limits.enabled (RATE_LIMIT_ENABLED) is off: turn it on; raise single limits where they pinch.")
    if uid == 0:
        reasons.append("The server would run as root: start it as a user of its own.")
    return reasons


def _keyless(config: Config) -> Iterable[str]:
    gateway = config.gateway
    if not gateway.keyless or "i3" not in config.roles:
        return
    if "world" in config.roles and gateway.keyless.lower() == config.mud.name.lower():
        yield "gateway.keyless is the name of the world that runs here (mud.name): choose another."
    named = gateway.allow and all(ip_network(one).prefixlen for one in gateway.allow)
    doors = [door for door in (gateway.listen, gateway.tcp) if door.on_network]
    if doors and not named:
        yield (
            "gateway.keyless (API_AUTH_ENABLED=no, api.auth.enabled: false) would let everybody in who reaches "
            f"{doors[0]}: name those who may come in gateway.allow, listen on 127.0.0.1, or ask for keys."
        )


def _redis(config: Config) -> Iterable[str]:
    redis = config.redis
    for key, url in (("redis.url (REDIS_URL)", redis.url), ("redis.cache_url", redis.cache_url)):
        if url is None:
            continue
        password = url.with_password(redis.password).password
        if url.on_network and not password:
            yield (
                f"{key} is on another machine and has no password: set requirepass there and REDIS_PASSWORD here, or "
                "use a Redis on 127.0.0.1."
            )
        elif password and is_placeholder(password):
            yield f"The password of {key} is an example from a guide: set your own in Redis and in REDIS_PASSWORD."


def _secrets(config: Config, has_secret: bool) -> Iterable[str]:
    security = config.security
    if "doors" in config.roles and not (security.secret_key or has_secret or config.public):
        yield (
            f"security.secret_key (SECRET_KEY) is missing: set one of at least {MIN_SECRET} bytes, such as "
            "'openssl rand -hex 32' prints, or start once with --public to have it made."
        )
    for key, name, secret in (
        ("security.secret_key", "SECRET_KEY", security.secret_key),
        ("security.secret_key_previous", "SECRET_KEY_PREVIOUS", security.secret_key_previous),
    ):
        if secret and is_placeholder(secret):
            yield f"{key} ({name}) is an example from a guide: set your own, such as 'openssl rand -hex 32' prints."
        elif secret and len(secret.encode()) < MIN_SECRET:
            yield f"{key} ({name}) is shorter than {MIN_SECRET} bytes: 'openssl rand -hex 32' prints one that is not."


def _examples(config: Config) -> Iterable[str]:
    """What guides print where other secrets belong; the way out is the same."""
    if any(is_placeholder(one) for one in (config.database.password, config.database.url.password)):
        yield "The password of database.url (DATABASE_URL, DB_PASSWORD) is an example from a guide: set your own."
    if "i3" in config.roles:
        for key in config.gateway.keys:
            if is_placeholder(key.secret):
                yield (
                    f"The key of {key.mud} in gateway.keys is an example from a guide: have one made by "
                    f"'mythosctl gateway keys create {key.mud}'."
                )
