"""Layers into one configuration, or every mistake at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mythos.config import ApiKey, Config, ConfigError, Environment, Listen, LogFormat, LogLevel, Size, load, shown
from mythos.config.model import DECLARED
from tests.config.reading import CWD, mistakes, read

KEY = "q2JQ0r1c5T8cK4o1mUu9s3Zt7yXvBnAa"
LISTENERS = "a port, ADDRESS:PORT, an endpoint such as tcp:4000:interface=127.0.0.1, or off"


def test_nothing_given() -> None:
    """Loopback only, development, small, and an SQLite file in the data directory."""
    config = read().config
    assert config.environment is Environment.DEVELOPMENT
    assert config.size is Size.SMALL
    assert config.telnet.listen.endpoint == "tcp:4000:interface=127.0.0.1"
    assert config.http.listen.endpoint == "tcp:8000:interface=127.0.0.1"
    assert config.metrics.listen.endpoint == "tcp:9090:interface=127.0.0.1"
    assert config.data == CWD / "mythos-data"
    assert config.database.path == CWD / "mythos-data/mythos.db"
    assert config.world.dir is None
    assert config.security.secret_key == ""
    assert config.sessions.resume_window == 600.0
    assert config.sessions.log_bytes == 65536
    assert config.limits.player.per_minute == 1200
    assert config.log.format is LogFormat.AUTO


def test_defaults_without_reading() -> None:
    """``Config()`` is what an empty configuration gives, but for where paths start."""
    loaded = read().config
    assert Config().limits == loaded.limits
    assert Config().sessions == loaded.sessions
    assert Config().telnet == loaded.telnet


def test_each_layer_wins_over_the_next() -> None:
    """Command line, environment, .env, file, preset, default."""
    yaml, dotenv = "limits: {connections: 11}\n", "CONNECTION_POOL_SIZE=12\n"
    env, options = {"CONNECTION_POOL_SIZE": "13"}, {"telnet": "4014"}
    assert read().config.limits.connections == 100
    assert read(env={"DEPLOYMENT_SIZE": "large"}).config.limits.connections == 5000
    assert read(yaml, env={"DEPLOYMENT_SIZE": "large"}).config.limits.connections == 11
    assert read(yaml, dotenv=dotenv).config.limits.connections == 12
    assert read(yaml, dotenv=dotenv, env=env).config.limits.connections == 13
    assert read("telnet: 4011\n", env={"MUD_PORT": "4013"}, options=options).config.telnet.listen.port == 4014


def test_sources_are_named() -> None:
    loaded = read(
        "mud:\n  name: Reach\n",
        dotenv="# mail\nMUD_ADMIN_EMAIL=a@example.org\n",
        env={"LOG_LEVEL": "DEBUG"},
        options={"http": "0"},
    )
    sources = {key: str(source) for key, source in loaded.sources.items()}
    assert sources["mud.name"] == "mythos.yaml:2:9"
    assert sources["mud.admin_email"] == ".env:2:17 MUD_ADMIN_EMAIL"
    assert sources["log.level"] == "environment LOG_LEVEL"
    assert sources["http.listen"] == "--http"
    assert sources["limits.connections"] == "preset small"
    assert sources["telnet.listen"] == "default"
    assert sources["size"] == "default: small on loopback, else medium"


@pytest.mark.parametrize(
    ("size", "connections"), [("small", 100), ("MEDIUM", 1000), ("large", 5000), ("enterprise", 10000)]
)
def test_sizes_set_defaults(size: str, connections: int) -> None:
    assert read(f"size: {size}\n").config.limits.connections == connections


def test_sizes_set_how_many_jobs_there_may_be() -> None:
    found = [read(f"size: {size.value}\n").config.jobs for size in Size]
    assert [jobs.max_lanes for jobs in found] == [5, 20, 50, 100]
    assert [jobs.queue for jobs in found] == [1_000, 50_000, 100_000, 500_000]


def test_public_opens_doors() -> None:
    """Telnet and HTTP on every interface, metrics not; production and medium follow from it."""
    config = read(options={"public": "yes"}).config
    assert config.telnet.listen == Listen.tcp("0.0.0.0", 4000)
    assert config.http.listen.endpoint == "tcp:8000"
    assert not config.metrics.listen.on_network
    assert config.environment is Environment.PRODUCTION
    assert config.size is Size.MEDIUM
    assert config.limits.connections == 1000


def test_public_leaves_what_was_said() -> None:
    config = read("public: yes\ntelnet: {listen: '127.0.0.1:4000'}\nhttp: off\n").config
    assert not config.telnet.listen.on_network
    assert config.http.listen.off
    assert config.environment is Environment.DEVELOPMENT


def test_a_public_listener_makes_production() -> None:
    assert read("http: {listen: 0.0.0.0:80}\n").config.environment is Environment.PRODUCTION
    assert read("metrics: '*:9090'\n").config.environment is Environment.PRODUCTION
    assert read("metrics: {listen: '*:9090', enabled: no}\n").config.environment is Environment.DEVELOPMENT
    assert read("environment: staging\nhttp: 0.0.0.0:80\n").config.environment is Environment.STAGING
    assert read(env={"PRODUCTION": "true"}).config.environment is Environment.PRODUCTION


def test_names_of_other_servers() -> None:
    """Variables as operators of the five systems have them."""
    config = read(
        env={
            "DATABASE_URL": "sqlite+aiosqlite:///./data/players.db",
            "MAX_CONNECTIONS_PER_PLAYER": "2",
            "CONNECTION_TIMEOUT": "180",
            "CLEANUP_INTERVAL": "30",
            "RECONNECT_TIMEOUT_MINUTES": "15",
            "CORS_ORIGINS": "https://a.example, https://b.example",
            "MAX_REQUESTS_PER_MINUTE": "50",
            "RATE_LIMIT_ENABLED": "true",
            "RATE_LIMIT_TELLS": "7",
            "HOST": "127.0.0.2",
            "PORT": "5000",
            "METRICS_PORT": "9191",
            "LOG_LEVEL": "WARNING",
            "LOG_FORMAT": "json",
            "LOG_FILE": "/var/log/mud.log",
            "ALLOW_PLAINTEXT_TELNET": "yes",
        }
    ).config
    assert config.database.path == CWD / "data/players.db"
    assert (config.sessions.connections, config.sessions.idle_timeout, config.sessions.sweep_interval) == (2, 180, 30)
    assert config.sessions.resume_window == 900.0
    assert config.http.cors_origins == ("https://a.example", "https://b.example")
    assert (config.limits.http.requests, config.limits.http.window) == (50, 60)
    assert config.limits.tells == 7
    assert config.http.listen.endpoint == "tcp:5000:interface=127.0.0.2"
    assert config.metrics.listen == Listen.parse("9191")
    assert (config.log.level, config.log.format) == (LogLevel.WARNING, LogFormat.JSON)
    assert config.log.file == Path("/var/log/mud.log")
    assert config.telnet.allow_plaintext


def test_the_name_of_the_machine_is_no_address() -> None:
    """Some shells export HOST."""
    assert read(env={"HOST": "workstation"}).config.http.listen == Listen.parse("8000")
    assert read(env={"HOST": "10.0.0.1"}).config.http.listen == Listen.parse("10.0.0.1:8000")


def test_every_key_has_its_own_variable() -> None:
    for setting in DECLARED.settings():
        assert "MYTHOS_" + setting.key.upper().replace(".", "_") in setting.names
        assert not setting.option or "MYTHOS_" + setting.option.upper().replace("-", "_") in setting.names
    assert read(env={"MYTHOS_TELNET": "4001"}).config.telnet.listen.port == 4001
    assert read(env={"MYTHOS_LIMITS_ROOM_PER_SECOND": "3"}).config.limits.room.per_second == 3


def test_database_url_wins_over_parts() -> None:
    env = {"DATABASE_URL": "memory:", "DB_PATH": "old.db", "DB_HOST": "db"}
    assert read(env=env).config.database.path is None
    assert read(env={"DB_PATH": "/data/old.db"}).config.database.url.url == "sqlite:////data/old.db"


@pytest.mark.parametrize(
    ("env", "url"),
    [
        ({"DATABASE_URL": "postgres://u:p@h/d"}, "postgresql://u:p@h/d"),
        ({"DATABASE_URL": "postgresql+asyncpg://h/d?sslmode=require"}, "postgresql://h/d?sslmode=require"),
        ({"DB_HOST": "db"}, "postgresql://db/"),
        ({"DB_NAME": "mud"}, "postgresql://localhost/mud"),
        (
            {"DB_HOST": "db", "DB_PORT": "6432", "DB_NAME": "a b", "DB_USER": "me@here", "DB_PASSWORD": "x"},
            "postgresql://me%40here@db:6432/a%20b",
        ),
        ({"DB_HOST": "/run/postgresql", "DB_NAME": "mud"}, "postgresql:///mud?host=/run/postgresql"),
        ({"DB_HOST": "db", "DB_PATH": "old.db"}, "postgresql://db/"),
        ({"DB_PORT": "5432", "DB_PATH": "old.db"}, "sqlite:////srv/mud/old.db"),
    ],
)
def test_the_spellings_of_a_database(env: dict[str, str], url: str) -> None:
    """PostgreSQL as other servers name it, whole or in parts."""
    assert read(env=env).config.database.url.url == url


def test_a_password_is_not_shown() -> None:
    """Wherever it stands in the address; a file with it must not be readable by others."""
    for url, seen in {
        "postgresql://u:hush@h/d": "postgresql://u:********@h/d",
        "postgresql://h/d?a=b&password=hush&c=d": "postgresql://h/d?a=b&password=********&c=d",
    }.items():
        loaded = read(f"database: {{url: '{url}'}}\n")
        assert loaded.config.database.url.url == url
        assert "hush" not in repr(loaded.config)
        assert {one.key: one.value for one in shown(loaded)}["database.url"] == seen
        assert [path.name for path in loaded.secret_files] == ["mythos.yaml"]
    assert not read("database: {url: 'postgresql://u@h/d'}\n").secret_files
    assert read(env={"DB_PASSWORD": "hush"}).config.database.password == "hush"


def test_empty_is_not_set() -> None:
    """Compose files pass every variable they know, set or not."""
    loaded = read("mud: {name: , admin_email: ~}\nlimits:\n", env={"MUD_NAME": " ", "SECRET_KEY": "", "PORT": ""})
    assert loaded.config.mud.name == "Mythos"
    assert loaded.config.http.listen.port == 8000


def test_variables_in_the_file() -> None:
    config = read(
        "mud: {name: '${TOWN:Reach} ${SUFFIX:-of ${x}', admin_email: '${MAIL:}'}\n"
        "http: {cors_origins: ['https://${TOWN:reach}.example']}\n",
        env={"TOWN": "Quay"},
        dotenv="TOWN=Other\nSUFFIX=At Sea $${not}\n",
    )
    assert config.config.mud.name == "Quay At Sea $${not}"
    assert config.config.mud.admin_email == ""
    assert config.config.http.cors_origins == ("https://Quay.example",)
    assert read("mud: {name: 'a$${b}'}\n").config.mud.name == "a${b}"


def test_a_section_can_be_one_value() -> None:
    """``world: DIR`` and ``telnet: PORT`` as on the command line."""
    config = read("world: reach\ntelnet: 4001\n").config
    assert config.world.dir == CWD / "reach"
    assert config.telnet.listen.port == 4001


def test_lists_in_both_forms() -> None:
    for written in ("10.0.0.0/8, ::1", "[10.0.0.0/8, '::1']"):
        assert read(f"http:\n  trusted_proxies: {written}\n").config.http.trusted_proxies == ("10.0.0.0/8", "::1/128")
    assert read(env={"CORS_ORIGINS": '["https://a.example"]'}).config.http.cors_origins == ("https://a.example",)


def test_keys_of_the_gateway() -> None:
    """A MUD and its key; behind it what it is for, and its rate. A key may end with an equals sign."""
    keys = read(env={"MYTHOS_GATEWAY_KEYS": f"Reach={KEY}==, Dead Souls={KEY} tell channel 60,Third={KEY} 5"}).config
    assert keys.gateway.keys == (
        ApiKey("Reach", f"{KEY}=="),
        ApiKey("Dead Souls", KEY, ("tell", "channel"), 60),
        ApiKey("Third", KEY, ("*",), 5),
    )
    written = ", ".join(map(str, keys.gateway.keys))
    assert read(env={"MYTHOS_GATEWAY_KEYS": written}).config.gateway.keys == keys.gateway.keys
    assert KEY not in repr(keys.gateway.keys)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Reach=short", "expected a MUD and its key of at least 16 letters, without blanks"),
        (KEY, "expected a MUD and its key of at least 16 letters, without blanks"),
        (f"Reach={KEY} tel", "expected one of *, tell, channel, info, admin or requests in a minute, not 'tel'"),
        (f"Reach={KEY} 60 70", "expected one number of requests in a minute, not 60 70"),
        (f"Reach={KEY} 0", "expected at least 1, not 0"),
    ],
)
def test_wrong_keys_of_the_gateway(text: str, expected: str) -> None:
    assert mistakes(env={"MYTHOS_GATEWAY_KEYS": text}) == [f"MYTHOS_GATEWAY_KEYS: error: {expected}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fantasy", "expected a field of MSSP and its value, such as GENRE=Fantasy, not 'Fantasy'"),
        ("genre=Fantasy", "expected a field of MSSP and its value, such as GENRE=Fantasy, not 'genre=Fantasy'"),
        ("GENRE=", "expected a field of MSSP and its value, such as GENRE=Fantasy, not 'GENRE='"),
        ("PLAYERS=1000", "PLAYERS is counted, not set"),
    ],
)
def test_wrong_fields_of_mssp(text: str, expected: str) -> None:
    assert mistakes(env={"MYTHOS_MUD_MSSP": text}) == [f"MYTHOS_MUD_MSSP: error: {expected}"]


def test_fields_of_mssp() -> None:
    """Names hold blanks; a value may hold an equals sign."""
    text = "MINIMUM AGE = 12, WEBSITE=https://mud.example.org/?a=b"
    assert read(env={"MYTHOS_MUD_MSSP": text}).config.mud.mssp == (
        "MINIMUM AGE=12",
        "WEBSITE=https://mud.example.org/?a=b",
    )


@pytest.mark.parametrize("text", ["mud.example.org", "ftp://mud.example.org/map.xml", "https://", "https://a b"])
def test_wrong_addresses_of_pages(text: str) -> None:
    expected = f"expected an address that begins with https:// or http://, not {text!r}"
    assert mistakes(env={"MYTHOS_TELNET_MAP_URL": text}) == [f"MYTHOS_TELNET_MAP_URL: error: {expected}"]


def test_named_files() -> None:
    files = {"/etc/mud.yaml": "mud: {name: Named}\n", "prod.env": "RATE_LIMIT_TELLS=3\n"}
    loaded = read("mud: {name: Usual}\n", files=files, options={"config": "/etc/mud.yaml", "env-file": "prod.env"})
    assert loaded.config.mud.name == "Named"
    assert loaded.config.limits.tells == 3
    named = {"MYTHOS_CONFIG": "/etc/mud.yaml", "MYTHOS_ENV_FILE": "prod.env"}
    assert read(files=files, env=named).config == loaded.config


def test_secrets_come_from_files_and_variables() -> None:
    files = {"/run/secrets/key": "k" * 40 + "\n"}
    for loaded in (
        read(files=files, env={"SECRET_KEY_FILE": "/run/secrets/key"}),
        read("security: {secret_key_file: /run/secrets/key}\n", files=files),
    ):
        assert loaded.config.security.secret_key == "k" * 40
        assert loaded.secret_files == (Path("/run/secrets/key"),)
    for loaded in (
        read(files={"/run/url": "postgres://u:p@h/d\n"}, env={"DATABASE_URL_FILE": "/run/url"}),
        read("database: {url_file: /run/url}\n", files={"/run/url": "postgres://u:p@h/d\n"}),
    ):
        assert loaded.config.database.url.url == "postgresql://u:p@h/d"
        assert loaded.secret_files == (Path("/run/url"),)
    assert read("security: {secret_key: '${KEY}'}\n", env={"KEY": "abc"}).config.security.secret_key == "abc"


def test_no_secret_is_printed_by_accident() -> None:
    assert "hush" not in repr(read(env={"SECRET_KEY": "hush"}).config)


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("telnets: 4000\n", "1:1: error: unknown key 'telnets'; did you mean 'telnet'?"),
        ("limits: {player: {burts: 3}}\n", "1:19: error: unknown key 'burts'; did you mean 'burst'?"),
        ("telnet:\n  listen: 70000\n", "2:11: error: expected a port from 0 to 65535, not '70000'"),
        ("telnet: {listen: many}\n", f"1:18: error: expected {LISTENERS}, not 'many'"),
        ("http: {listen: 'example.org:80'}\n", "1:16: error: expected an address such as 127.0.0.1, not 'example.org'"),
        ("debug: perhaps\n", "1:8: error: expected yes or no, not 'perhaps'"),
        ("size: huge\n", "1:7: error: expected one of small, medium, large, enterprise, not 'huge'"),
        ("sessions: {connections: two}\n", "1:25: error: expected a whole number, not 'two'"),
        ("sessions: {connections: 0}\n", "1:25: error: expected at least 1, not 0"),
        ("sessions: {idle_timeout: 5}\n", "1:26: error: expected at least 10s, not 5s"),
        ("sessions: {grace: soon}\n", "1:19: error: expected a time such as 10s, 5m or 2h, not 'soon'"),
        ("sessions: {log_bytes: 64XB}\n", "1:23: error: expected a size such as 64KB or 128MB, not '64XB'"),
        (
            "database: {url: 'mysql://u:secret@h/d'}\n",
            "1:17: error: expected sqlite:///FILE, postgresql://USER@HOST/DATABASE or memory:, not 'mysql:...'",
        ),
        (
            "database:\n  url: postgresql://u:secret@h:70000/d\n",
            "2:8: error: expected postgresql://USER@HOST:PORT/DATABASE, with a port from 0 to 65535",
        ),
        (
            "http: {cors_origins: [https://a.example/path]}\n",
            "1:23: error: expected an origin such as https://mud.example.org, without a path, not 'https://a.example/path'",
        ),
        (
            "http: {trusted_proxies: 10.0.0.1/8}\n",
            "1:25: error: expected an address or a network such as 10.0.0.0/8, not '10.0.0.1/8'",
        ),
        ("mud: {admin_email: me}\n", "1:20: error: expected an e-mail address, not 'me'"),
        ("mud: {name: [a]}\n", "1:13: error: expected text, not a list"),
        ("limits: [1]\n", "1:9: error: expected a mapping, not a list"),
        ("limits: 5\n", "1:9: error: expected a mapping, not text"),
        ("mud: {name: a, name: b}\n", "1:16: error: the key 'name' is already given at line 1"),
        ("mud: {name: !x a}\n", "1:13: error: tags are not used here: !x"),
        ("mud: {name: '${NOPE}'}\n", "1:13: error: ${NOPE} is not set and has no default; ${NOPE:value} gives one"),
        (
            "mud: {name: '${no'}\n",
            "1:13: error: '${' begins a variable: expected ${NAME} or ${NAME:default}; write $${ for the signs",
        ),
        (
            "security: {secret_key: abcdef}\n",
            "1:24: error: a secret does not stand in this file: use secret_key_file: FILE, or secret_key: ${NAME}",
        ),
        (
            "security: {secret_key_file: nowhere}\n",
            "1:29: error: there is no file nowhere: write the secret into it, or name another",
        ),
        (
            "tls: {enabled: yes}\n",
            "1:16: error: TLS needs a certificate: name its file in tls.certificate (SSL_CERT_PATH)",
        ),
        ("world: {seed: x}\n", "1:15: error: expected a whole number, not 'x'"),
    ],
)
def test_each_mistake_in_the_file(yaml: str, expected: str) -> None:
    """One exact line for each, with the place."""
    assert mistakes(yaml) == [f"mythos.yaml:{expected}"]


def test_mistakes_outside_of_the_file() -> None:
    """Variables and options are named as the operator wrote them."""
    assert mistakes(env={"MUD_PORT": "x"}) == [f"MUD_PORT: error: expected {LISTENERS}, not 'x'"]
    assert mistakes(options={"log-level": "loud"}) == [
        "--log-level: error: expected one of debug, info, warning, error, critical, not 'loud'"
    ]
    assert mistakes(options={"telnt": "1"}) == ["--telnt: error: unknown option; did you mean 'telnet'?"]
    assert mistakes(env={"MYTHOS_TELNET_LISTN": "1"}) == [
        "MYTHOS_TELNET_LISTN: error: unknown setting; did you mean 'MYTHOS_TELNET_LISTEN'?"
    ]
    assert mistakes(options={"config": "none.yaml"}) == [
        "--config: error: there is no file none.yaml: write it, or name another"
    ]
    assert mistakes(env={"MYTHOS_ENV_FILE": "none"}) == [
        "MYTHOS_ENV_FILE: error: there is no file none: write it, or name another"
    ]
    assert mistakes(env={"SECRET_KEY_FILE": "none"}) == [
        "SECRET_KEY_FILE: error: there is no file none: write the secret into it, or name another"
    ]
    assert mistakes(env={"DB_HOST": "db", "DB_PORT": "many"}) == [
        "DB_HOST: error: expected postgresql://USER@HOST:PORT/DATABASE, with a port from 0 to 65535"
    ]


def test_mistakes_in_dotenv() -> None:
    assert mistakes(dotenv="\nexport MUD_PORT=x\n") == [f".env:2:17: error: MUD_PORT: expected {LISTENERS}, not 'x'"]
    assert mistakes(dotenv="no sense\n") == [".env:1:1: error: expected NAME=value"]
    assert mistakes(dotenv="A='x\n") == [".env:1:3: error: the quote ' is not closed, or something follows it"]
    assert mistakes(dotenv="A=1\nA=2\n") == [".env:2:1: error: A is already set to something else at line 1"]
    assert mistakes(dotenv="MYTHOS_DEBG=1\n") == [
        ".env:1:13: error: MYTHOS_DEBG: unknown setting; did you mean 'MYTHOS_DEBUG'?"
    ]


def test_unreadable_files() -> None:
    def refuse(path: Path) -> str | None:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(ConfigError) as caught:
        load(options={}, environ={}, files=refuse, cwd=CWD)
    assert str(caught.value).split("\n") == [
        ".env: error: .env cannot be read (Permission denied): let the server's user read it, or name another",
        "mythos.yaml: error: mythos.yaml cannot be read (Permission denied): let the server's user read it, or name"
        " another",
    ]


def test_all_layers_are_checked_at_once() -> None:
    """Even a value that a stronger layer replaces must be right."""
    found = mistakes(
        "debug: x\nsize: y\n", env={"DEBUG": "z"}, dotenv="LOG_LEVEL=loud\n", options={"log-format": "xml"}
    )
    assert [line.split(": error: ")[0] for line in found] == [
        "--log-format", ".env:1:11", "DEBUG", "mythos.yaml:1:8", "mythos.yaml:2:7",
    ]  # fmt: skip


def test_synonyms_must_agree() -> None:
    """Two names for one setting in one layer: the same value, however written, or an error with both names."""
    assert read(env={"RATE_LIMIT_ENABLED": "true", "USE_RATE_LIMITING": "yes"}).config.limits.enabled
    assert mistakes(env={"RATE_LIMIT_ENABLED": "true", "USE_RATE_LIMITING": "no"}) == [
        "USE_RATE_LIMITING: error: USE_RATE_LIMITING and RATE_LIMIT_ENABLED both set limits.enabled, differently: "
        "no and yes"
    ]
    assert mistakes(dotenv="RATE_LIMIT_REQUESTS=100\nMAX_REQUESTS_PER_MINUTE=60\n") == [
        ".env:2:25: error: MAX_REQUESTS_PER_MINUTE and RATE_LIMIT_REQUESTS (.env:1:21) both set limits.http.requests, "
        "differently: 60 and 100"
    ]
    assert mistakes(env={"RATE_LIMIT_WINDOW": "30", "MAX_REQUESTS_PER_MINUTE": "60"}) == [
        "MAX_REQUESTS_PER_MINUTE: error: MAX_REQUESTS_PER_MINUTE and RATE_LIMIT_WINDOW both set limits.http.window, "
        "differently: 60s and 30s"
    ]
    assert mistakes(env={"ENVIRONMENT": "development", "PRODUCTION": "1"}) == [
        "PRODUCTION: error: PRODUCTION and ENVIRONMENT both set environment, differently: production and development"
    ]
    assert mistakes("security: {secret_key: '${A:x}', secret_key_file: key}\n", files={"key": "y"}) == [
        "mythos.yaml:1:51: error: give secret_key or secret_key_file, not both"
    ]


def test_synonyms_of_secrets_are_not_printed() -> None:
    (found,) = mistakes(env={"SECRET_KEY": "hush1", "MYTHOS_SECURITY_SECRET_KEY": "hush2"})
    assert "differently" in found
    assert "hush" not in found


def test_synonyms_in_different_layers_are_fine() -> None:
    env, dotenv = {"RATE_LIMIT_ENABLED": "no"}, "USE_RATE_LIMITING=yes\n"
    assert not read(env=env, dotenv=dotenv).config.limits.enabled


def test_unknown_others_are_ignored() -> None:
    """But what an operator may count on is mentioned, once, if it is set."""
    loaded = read(
        env={
            "PATH": "/bin",
            "POSTGRES_PASSWORD": "x",
            "MYTHOS_TEST_REQUIRE": "all",
            "WORKERS": "4",
            "SENTRY_DSN": "",
        },
        dotenv="ARCHIVE_URL=/a\nMAX_ACTIVE_GAMES=7\n",
    )
    assert loaded.notes == (
        "WORKERS has no effect: one process is one node; run more nodes instead.",
        "Accepted, without effect, as this version does not have games: MAX_ACTIVE_GAMES; an archive: ARCHIVE_URL.",
    )


def test_dotenv_forms() -> None:
    text = (
        '# a comment\r\n\r\nexport MUD_NAME="The \\"Reach\\""  # why\r\nLOG_LEVEL = \'debug\'\r\n'
        "MUD_ADMIN_EMAIL=a@b # c\nRATE_LIMIT_TELLS=3\n"
    )
    config = read(dotenv=text).config
    assert config.mud.name == 'The "Reach"'
    assert config.log.level is LogLevel.DEBUG
    assert config.mud.admin_email == "a@b"
    assert config.limits.tells == 3


@settings(deadline=None)
@given(st.text(max_size=60), st.text(alphabet="AB='\"# \\\n", max_size=30), st.text(max_size=20))
def test_any_text(yaml: str, dotenv: str, value: str) -> None:
    """Only ConfigError comes out."""
    try:
        read(yaml, dotenv=dotenv, env={"MUD_PORT": value, "CORS_ORIGINS": value, "DATABASE_URL": value})
    except ConfigError as error:
        assert error.problems
