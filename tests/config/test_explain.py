"""Settings in words: the page, the variables, one name, and the names of another server."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from mythos.config.explain import document, explained, variables
from mythos.config.model import DECLARED
from mythos.config.names import UNUSED_KEYS
from mythos.config.seeds import SEEDS, Seed, translated
from tests.config.reading import read
from tests.config.test_names import PROMISED
from tests.config.test_show import ROOT, run, runner

__all__ = ["runner"]

KEY = "q2JQ0r1c5T8cK4o1mUu9s3Zt7yXvBnAa"


def test_the_page_is_what_is_declared(runner: CliRunner) -> None:
    assert (ROOT / "docs/settings.md").read_text(encoding="utf-8") == document() == run(runner, "doc").stdout


def test_each_name_is_on_the_page() -> None:
    for setting in DECLARED.settings():
        keys = [name for alias in setting.keys for name in alias.names]
        for name in (setting.key, *setting.names, *keys):
            assert name.startswith("MYTHOS_") or f"`{name}`" in document(), name


def test_all_as_variables(runner: CliRunner) -> None:
    """Every line can be used by removing '# ', and says what holds anyway."""
    assert run(runner, "env").stdout == variables()
    used = re.sub(r"(?m)^# ([A-Z][A-Z0-9_]*=)", r"\1", variables())
    assert read(dotenv=used).config == read().config
    assert str(read(dotenv=used).sources["telnet.msdp"]).startswith(".env:")
    assert used.count("\n# ") >= len(tuple(DECLARED.settings()))


def test_all_as_a_file(runner: CliRunner) -> None:
    assert run(runner, "default").stdout == (ROOT / "etc/mythos.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*PROMISED, *UNUSED_KEYS, "telnet.listen", "--telnet", "telnet", "--config"])
def test_each_name_is_explained(name: str) -> None:
    """Not one that is promised is unknown."""
    word = name.removeprefix("--")
    keys = [
        setting.key
        for setting in DECLARED.settings()
        if word in (setting.key, setting.option, *setting.names)
        or (word == "API_KEY_REACH" and "API_KEY_*" in setting.names)
    ]
    said = explained(name, read())
    assert [line.split(":")[0] for line in said.splitlines() if re.match(r"[a-z0-9_.]+: ?", line)] == keys
    assert keys or name in said


def test_one_name(runner: CliRunner) -> None:
    """What it sets, what is in force and why; its other names; never a secret."""
    said = run(runner, "explain", "RATE_LIMIT_TELLS", MYTHOS_LIMITS_TELLS="7").stdout
    assert said.splitlines() == [
        "limits.tells: 7",
        "  Tells by one player in a minute.",
        "  from: environment MYTHOS_LIMITS_TELLS",
        "  changes at SIGHUP",
        "  variable: MYTHOS_LIMITS_TELLS, RATE_LIMIT_TELLS",
        "  keys: security.rate_limiting.tells_per_minute",
    ]
    assert run(runner, "explain", "ARCHIVE_URL").stdout == (
        "ARCHIVE_URL is accepted, without effect: this version does not have an archive.\n"
    )
    assert run(runner, "explain", "WORKERS").stdout.startswith("WORKERS has no effect: one process is one node")
    assert "belongs to another program" in run(runner, "explain", "POSTGRES_USER").stdout
    assert KEY not in run(runner, "explain", "SECRET_KEY", SECRET_KEY=KEY).stdout
    unknown = run(runner, "explain", "MUD_NAM")
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert "there is no setting MUD_NAM; did you mean 'MUD_NAME'?" in unknown.stderr
    wrong = run(runner, "explain", "DEBUG", DEBUG="perhaps")
    assert (wrong.exit_code, wrong.stderr) == (1, "DEBUG: error: expected yes or no, not 'perhaps'\n")


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_under_the_names_of_another(seed: Seed) -> None:
    """What is printed sets the same again."""
    given = {
        "MAX_CONNECTIONS_PER_PLAYER": "2", "CONNECTION_TIMEOUT": "90s", "METRICS_PORT": "9191", "SECRET_KEY": KEY,
        "RATE_LIMIT_REQUESTS": "50", "RATE_LIMIT_WINDOW": "60", "RECONNECT_TIMEOUT_MINUTES": "15", "DEBUG": "yes",
        "PORT": "5000", "SSL_CERT_PATH": "cert.pem", "SSL_KEY_PATH": "key.pem", "API_TCP_PORT": "9001",
        "I3_ROUTER_HOST": "127.0.0.1", "MEMORY_CHECK_INTERVAL": "5s", "CORS_ORIGINS": "https://a.example",
    }  # fmt: skip
    loaded = read(env=given)
    shown = list(translated(loaded, seed))
    assert [one.name for one in shown] == list(seed.names)
    assert KEY not in str(shown)
    env = {"SSL_CERT_PATH": "cert.pem"} | {one.name: one.value for one in shown if "********" not in one.value}
    again = [one for one in translated(read(env=env), seed) if one.name in env]
    assert again == [one for one in shown if one.name in env]
    assert sum(bool(one.value) for one in shown) >= 4


def test_show_under_the_names_of_another(runner: CliRunner) -> None:
    for word in ("B", "b", "arcane-codex"):
        said = run(runner, "show", "--as-seed", word, PORT="5000").stdout.splitlines()
        assert "PORT=5000" in said
        assert "# DB_POOL_SIZE: two connections serve all" in said
    assert run(runner, "show", "--as-seed", "F").exit_code == 2


def test_what_production_needs(runner: CliRunner, tmp_path: Path) -> None:
    """One line for each, and the exit code."""
    root = os.geteuid() == 0
    good = run(runner, "check", "--production", SECRET_KEY=KEY)
    assert good.exit_code == int(root)
    assert [line for line in good.stdout.splitlines() if line.startswith("FAIL")] == (
        ["FAIL user: The server would run as root: start it as a user of its own."] if root else []
    )
    Path("key").write_text("hush-hush", encoding="utf-8")
    Path("key").chmod(0o644)
    bad = run(
        runner, "check", "--production", DEBUG="yes", CORS_ORIGINS="*", RATE_LIMIT_ENABLED="no", HOST="0.0.0.0",
        MUD_PORT="0.0.0.0:4000", METRICS_PORT="0.0.0.0:9090", SECRET_KEY_PREVIOUS_FILE="key", API_AUTH_ENABLED="no",
        API_HOST="0.0.0.0",
    )  # fmt: skip
    failed = [line.split(":")[0] for line in bad.stdout.splitlines() if line.startswith("FAIL")]
    assert [line for line in failed if line != "FAIL user"] == [
        "FAIL secret key", "FAIL secret key", "FAIL files of secrets", "FAIL telnet", "FAIL HTTPS", "FAIL metrics",
        "FAIL sites that may use the API", "FAIL rate limits", "FAIL debug", "FAIL gateway",
    ]  # fmt: skip
    assert bad.exit_code == 1


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_the_page_for_its_users(seed: Seed) -> None:
    """Each has one, with each of its names and what that sets, and how to see them all."""
    page = (ROOT / f"docs/from-{seed.name}.md").read_text(encoding="utf-8")
    assert [name for name in seed.names if f"`{name}`" not in page] == []
    assert f"mythosctl config show --as-seed {seed.letter}" in page
    for one in translated(read(), seed):
        if one.remark and seed.letter != "D":
            assert f"| `{one.name}` | " in page and one.remark in page, one
