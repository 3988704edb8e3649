"""What a production server refuses to start on."""

from __future__ import annotations

from pathlib import Path

import pytest

from mythos.config import Config, Environment, refusals
from mythos.config.disk import exposed
from mythos.config.examples import is_placeholder
from tests.config.reading import read

GOOD = {"SECRET_KEY": "7f4c2a9be1d84f06a5c3907bd2e86f14", "ENVIRONMENT": "production"}


def refused(uid: int = 1000, **env: str) -> list[str]:
    return refusals(read(env={**GOOD, **env}).config, uid=uid)


def test_a_good_server_starts() -> None:
    assert refused() == []


def test_development_is_left_alone() -> None:
    assert refused(0, ENVIRONMENT="development", DEBUG="yes", CORS_ORIGINS="*", SECRET_KEY="x") == []
    assert refusals(Config(), uid=0) == []


@pytest.mark.parametrize(
    ("env", "begins"),
    [
        ({"SECRET_KEY": ""}, "security.secret_key (SECRET_KEY) is missing: "),
        ({"SECRET_KEY": "your-secret-key-here"}, "security.secret_key (SECRET_KEY) is an example from a guide: "),
        ({"SECRET_KEY": "0123456789abcdef"}, "security.secret_key (SECRET_KEY) is shorter than 32 bytes: "),
        ({"SECRET_KEY_PREVIOUS": "changeme"}, "security.secret_key_previous (SECRET_KEY_PREVIOUS) is an example "),
        ({"CORS_ORIGINS": "*"}, "http.cors_origins (CORS_ORIGINS) holds *: "),
        ({"DEBUG": "true"}, "debug (DEBUG) is on: "),
        ({"RATE_LIMIT_ENABLED": "false"}, "limits.enabled (RATE_LIMIT_ENABLED) is off: "),
        ({"DB_HOST": "db", "DB_NAME": "mud", "DB_PASSWORD": "secure_password"}, "The password of database.url "),
        ({"DATABASE_URL": "postgresql://mud:your_password@db/mud"}, "The password of database.url "),
        ({"DATABASE_URL": "postgresql:///mud?password=minioadmin"}, "The password of database.url "),
        ({"REDIS_URL": "redis://elsewhere"}, "redis.url (REDIS_URL) is on another machine and has no password: "),
        (
            {"MYTHOS_REDIS_CACHE_URL": "redis://elsewhere"},
            "redis.cache_url is on another machine and has no password: ",
        ),
        ({"REDIS_URL": "redis://:changeme@r"}, "The password of redis.url (REDIS_URL) is an example from a guide: "),
        ({"REDIS_URL": "redis://r", "REDIS_PASSWORD": "changeme"}, "The password of redis.url (REDIS_URL) is an ex"),
        ({"MYTHOS_GATEWAY_KEYS": "Far=changeme-please-0123456789"}, "The key of Far in gateway.keys is an example "),
        ({"MYTHOS_HTTP_TRUSTED_PROXIES": "10.0.0.0/8, 0.0.0.0/0"}, "http.trusted_proxies would believe everybody's "),
        ({"MYTHOS_TELNET_TRUSTED_PROXIES": "::/0"}, "telnet.trusted_proxies would believe everybody's "),
        ({"MUD_PORT": "0.0.0.0:4000"}, "telnet.listen (tcp:4000) is reachable from the network without encryption: "),
        ({"METRICS_PORT": "*:9090"}, "metrics.listen (tcp:9090) is reachable from the network and has no password: "),
    ],
)
def test_each_reason(env: dict[str, str], begins: str) -> None:
    """One sentence, naming the setting and the way out."""
    (reason,) = refusals(read(env=GOOD | env).config, uid=1000)
    assert reason.startswith(begins)
    assert reason.endswith(".")


def test_root() -> None:
    assert refused(0) == ["The server would run as root: start it as a user of its own."]


def test_all_reasons_at_once() -> None:
    assert (
        len(refused(0, SECRET_KEY="test", DEBUG="1", CORS_ORIGINS="*", RATE_LIMIT_ENABLED="0", MUD_PORT=":4000")) == 6
    )


def test_consents() -> None:
    """Plain telnet needs a word; ``public`` is that word, and has missing secrets made; so does an earlier start."""
    assert refused(MUD_PORT=":4000", ALLOW_PLAINTEXT_TELNET="yes") == []
    assert refused(MYTHOS_PUBLIC="yes", SECRET_KEY="") == []
    assert refusals(read(env={**GOOD, "SECRET_KEY": ""}).config, uid=1, has_secret=True) == []
    assert len(refused(MYTHOS_PUBLIC="yes", SECRET_KEY="your-secret-key")) == 1
    assert refused(METRICS_PORT="*:9090", METRICS_ENABLED="no") == []


OPEN = {"API_AUTH_ENABLED": "no", "ENVIRONMENT": "development"}


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"API_HOST": "::1"},
        {"API_HOST": "0.0.0.0", "MYTHOS_GATEWAY_ALLOW": "192.0.2.0/24, 2001:db8::5"},
        {"API_HOST": "0.0.0.0", "API_ENABLED": "no"},
        {"API_HOST": "0.0.0.0", "MYTHOS_ROLES": "doors, world"},
        {"API_HOST": "0.0.0.0", "API_AUTH_ENABLED": "yes"},
        {"MYTHOS_GATEWAY_KEYLESS": "Mythos", "MYTHOS_ROLES": "i3"},
    ],
)
def test_a_gateway_without_keys(env: dict[str, str]) -> None:
    """It starts if only this machine, or those who are named, can come."""
    assert refused(1000, **OPEN | env) == []


@pytest.mark.parametrize(
    ("env", "door"),
    [
        ({"API_HOST": "0.0.0.0"}, "tcp:8080"),
        ({"API_TCP_HOST": "0.0.0.0", "MYTHOS_GATEWAY_DENY": "192.0.2.0/24"}, "tcp:8081"),
        ({"API_HOST": "0.0.0.0", "MYTHOS_GATEWAY_ALLOW": "127.0.0.1, ::/0"}, "tcp:8080"),
    ],
)
def test_a_gateway_that_is_open_to_everybody(env: dict[str, str], door: str) -> None:
    """No server starts with it, whatever it is for."""
    (reason,) = refused(1000, **OPEN | env)
    assert reason.startswith("gateway.keyless (API_AUTH_ENABLED=no, api.auth.enabled: false) would let everybody in ")
    assert f" reaches {door}: name those who may come in gateway.allow," in reason


def test_a_gateway_without_keys_by_the_name_of_the_world() -> None:
    """Two would be on the network by one name."""
    (reason,) = refused(1000, **OPEN, MYTHOS_GATEWAY_KEYLESS="mythos")
    assert reason == "gateway.keyless is the name of the world that runs here (mud.name): choose another."


def test_secret_files_others_can_read() -> None:
    config = read(env=GOOD).config
    assert refusals(config, uid=1, readable_by_others=[Path("/run/key")]) == [
        "/run/key holds a secret and other users can read it: chmod 600 /run/key."
    ]


def test_the_key_of_the_data_directory(tmp_path: Path) -> None:
    """It is a secret as those that are configured are."""
    loaded = read(env={"MYTHOS_DATA": str(tmp_path)})
    assert exposed(loaded) == []
    (tmp_path / "secret").write_text("7f4c2a9be1d84f06a5c3907bd2e86f14")
    (tmp_path / "secret").chmod(0o604)
    assert exposed(loaded) == [tmp_path / "secret"]
    (tmp_path / "secret").chmod(0o640)
    assert exposed(loaded) == []


@pytest.mark.parametrize(
    "secret",
    [
        "your-secret-key", "your-secret-key-here", "your-production-secret-key", "<generated-secret>", "minioadmin",
        "secure_password", "archive", "test", "changeme-please-change-me-0123456789", "archmesh_password",
        "your_password", "dev-secret-key-do-not-use-in-production", "x" * 64,
        "demo-key-123", "admin-key-456", "luminari-i3-gateway-2025", "<generated-api-key>",
    ],
)  # fmt: skip
def test_examples_from_guides(secret: str) -> None:
    assert is_placeholder(secret)


def test_made_keys_are_no_examples() -> None:
    assert not is_placeholder("q2JQ0r1c5T8cK4o1mUu9s3Zt7yXvBnAa")
    assert not is_placeholder("7f4c2a9be1d84f06a5c3907bd2e86f147f4c2a9be1d84f06a5c3907bd2e86f14")


@pytest.mark.parametrize(
    ("env", "environment"),
    [
        ({}, "development"),
        ({"MYTHOS_GATEWAY": "0.0.0.0:8080"}, "production"),
        ({"API_TCP_HOST": "0.0.0.0"}, "production"),
        ({"MYTHOS_I3_ROUTER_LISTEN": "0.0.0.0:8787"}, "development"),
        ({"MYTHOS_I3_ROUTER_LISTEN": "0.0.0.0:8787", "MYTHOS_I3_ROUTER": "yes"}, "production"),
        ({"MUD_PORT": "0.0.0.0:4000", "MYTHOS_ROLES": "i3"}, "development"),
    ],
)
def test_doors_of_other_muds(env: dict[str, str], environment: str) -> None:
    """The gateway and our own router count as much as the doors of players, if they are opened at all."""
    assert read(env=env).config.environment.value == environment


def test_a_gateway_alone_needs_no_secret() -> None:
    """It signs nothing that players hold."""
    env = {"MYTHOS_ROLES": "i3", "MYTHOS_GATEWAY": "0.0.0.0:8080", "MUD_PORT": "0.0.0.0:4000"}
    config = read(env=env).config
    assert config.environment.value == "production"
    assert refusals(config, uid=1000) == []


def test_telnet_over_tls() -> None:
    """Its key is a secret; only with a certificate does its listener count."""
    on_network = {"MYTHOS_TELNET_TLS": "0.0.0.0:4443"}
    assert read(env=on_network).config.environment is Environment.DEVELOPMENT
    loaded = read(env=on_network | {"SSL_CERT_PATH": "cert.pem", "SSL_KEY_PATH": "key.pem"})
    assert loaded.config.environment is Environment.PRODUCTION
    assert [path.name for path in loaded.secret_files] == ["key.pem"]
    assert read(env={"SSL_CERT_PATH": "both.pem"}).config.tls.key == read(env={}).config.data.with_name("both.pem")
