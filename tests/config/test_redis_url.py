"""Where a Redis is: every form of its address, what is refused, and that no password is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mythos.config import ConfigError
from mythos.config.redis import RedisUrl
from tests.config.reading import read


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("redis://r", {"hosts": (("r", 6379),), "db": 0, "tls": False}),
        ("redis://:p%40%2Fw@h:7/3", {"hosts": (("h", 7),), "password": "p@/w", "db": 3}),
        ("redis://mythos:pw@[::1]:7?db=2", {"hosts": (("::1", 7),), "user": "mythos", "password": "pw", "db": 2}),
        ("rediss://h?ssl_ca_certs=/ca.pem", {"tls": True, "ca": Path("/ca.pem")}),
        ("unix://:pw@/run/redis.sock?db=1", {"socket": "/run/redis.sock", "hosts": (), "password": "pw", "db": 1}),
        (
            "redis+sentinel://:pw@a:1,b/world/2?sentinel_password=s",
            {"hosts": (("a", 1), ("b", 26379)), "name": "world", "db": 2, "password": "pw", "sentinel_password": "s"},
        ),
    ],
)
def test_forms(text: str, parts: dict[str, Any]) -> None:
    found = RedisUrl.read(text)
    assert {name: getattr(found, name) for name in parts} == parts


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("redis+cluster://:canary@h", "Redis Cluster is not supported"),
        ("http://canary@h", "expected redis://"),
        ("redis://", "expected redis://"),
        ("redis://h:0", "a port from 1 to 65535"),
        ("redis://:canary/more@h", "/ as %2F"),
        ("redis://:canary@more@h", "write @ as %40"),
        ("redis://h/canary", "0 to 65535"),
        ("redis://h?canary=1", "means nothing"),
        ("unix://h/x", "expected unix:///PATH"),
        ("redis+sentinel://:canary@a,b", "the name of what they watch"),
    ],
)
def test_refused(text: str, why: str) -> None:
    """With what was expected, and without the password."""
    with pytest.raises(ConfigError, match=why.replace("?", r"\?")) as wrong:
        read(env={"REDIS_URL": text})
    assert "canary" not in str(wrong.value).replace("canary means", "")


@pytest.mark.parametrize(
    "text", ["redis://:canary@h", "redis://u:canary@h?password=canary", "redis+sentinel://a/b?sentinel_password=canary"]
)
def test_no_password_is_shown(text: str) -> None:
    found = RedisUrl.read(text)
    assert found.secret
    assert "canary" not in f"{found} {found!r} {read(env={'REDIS_URL': text}).config}"


def test_its_password_apart() -> None:
    """It fills one that is missing, and no other."""
    assert RedisUrl.read("redis://h").with_password("pw").password == "pw"
    assert RedisUrl.read("redis://:own@h").with_password("pw").password == "own"
    assert read(env={"REDIS_URL": "redis://a", "REDIS_HOST": "b"}).config.redis.url == RedisUrl.read("redis://a")
