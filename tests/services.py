"""Programs of the machine that tests drive: found, installed where that is possible, and reported when missing.

A test asks by fixture (``chromium``, ``tintin``, ``cc``) and gets the program's path; by ``cluster`` it gets a
PostgreSQL that runs, by ``redis`` a Redis. Looked at in this order: the
variable ``MYTHOS_TEST_<NAME>``, the path, then as root on a Debian-like system one attempt with apt, which
``MYTHOS_TEST_INSTALL=0`` forbids. A test that gets nothing does not run; neither does any other that skips itself. The
last line of the run counts them and says what would make them run. With ``MYTHOS_TEST_REQUIRE=all`` they are failures,
but for the programs that ``not_installable.txt`` names.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tests.postgres import Cluster
from tests.redis import RedisProcess

__all__ = [
    "SERVICES",
    "NotRun",
    "Service",
    "amtool",
    "cc",
    "chromium",
    "cluster",
    "exempt",
    "find",
    "firefox",
    "haproxy",
    "install",
    "logrotate",
    "lua",
    "netcat",
    "nft",
    "nginx",
    "node",
    "pgbouncer",
    "postgres",
    "promtool",
    "putty",
    "redis",
    "redis_sentinel",
    "redis_server",
    "supervisord",
    "systemd_analyze",
    "telnet",
    "tintin",
    "tinyfugue",
]

NOT_INSTALLABLE: Final = Path(__file__).with_name("not_installable.txt")
#: Seconds that apt may take for one program, and that another process which installs may be waited for.
_APT: Final = 300


@dataclass(frozen=True, slots=True)
class Service:
    """A program that some tests drive.

    :param name: of the fixture; in capitals, of the variable.
    :param tests: what its tests are called in the closing line.
    :param commands: its names on the path, the best first.
    :param packages: Debian's.
    """

    name: str
    tests: str
    commands: tuple[str, ...]
    packages: tuple[str, ...]

    @property
    def variable(self) -> str:
        return f"MYTHOS_TEST_{self.name.upper()}"

    @property
    def remedy(self) -> str:
        """The command that would make the tests run."""
        return f"apt-get install {' '.join(self.packages)}"

    @property
    def reason(self) -> str:
        """What stands behind the number of tests in the closing line."""
        return f"{self.tests} ({self.remedy})"


CHROMIUM: Final = Service("chromium", "browser", ("chromium", "chromium-browser", "google-chrome"), ("chromium",))
FIREFOX: Final = Service("firefox", "Firefox", ("firefox-esr", "firefox"), ("firefox-esr",))
TINTIN: Final = Service("tintin", "TinTin++", ("tt++",), ("tintin++",))
TINYFUGUE: Final = Service("tinyfugue", "TinyFugue", ("tf5", "tf"), ("tf5",))
TELNET: Final = Service("telnet", "telnet", ("telnet",), ("telnet",))
PUTTY: Final = Service("putty", "PuTTY", ("plink",), ("putty-tools",))
NETCAT: Final = Service("netcat", "netcat", ("nc.openbsd", "nc"), ("netcat-openbsd",))
CC: Final = Service("cc", "C compiler", ("cc", "gcc", "clang"), ("gcc", "libc6-dev"))
NODE: Final = Service("node", "Node", ("node", "nodejs"), ("nodejs",))
LUA: Final = Service("lua", "Lua", ("lua5.4", "lua5.3", "lua"), ("lua5.4", "lua-socket"))
POSTGRES: Final = Service("postgres", "PostgreSQL", ("postgres",), ("postgresql",))
PGBOUNCER: Final = Service("pgbouncer", "pgbouncer", ("pgbouncer",), ("pgbouncer",))
NGINX: Final = Service("nginx", "nginx", ("nginx",), ("nginx", "libnginx-mod-stream"))
HAPROXY: Final = Service("haproxy", "haproxy", ("haproxy",), ("haproxy",))
SYSTEMD: Final = Service("systemd_analyze", "systemd", ("systemd-analyze",), ("systemd",))
SUPERVISOR: Final = Service("supervisord", "supervisor", ("supervisord",), ("supervisor",))
LOGROTATE: Final = Service("logrotate", "logrotate", ("logrotate",), ("logrotate",))
PROMTOOL: Final = Service("promtool", "Prometheus", ("promtool",), ("prometheus",))
AMTOOL: Final = Service("amtool", "Alertmanager", ("amtool",), ("prometheus-alertmanager",))
SENTINEL: Final = Service("redis_sentinel", "Sentinel", ("redis-sentinel",), ("redis-sentinel",))
REDIS: Final = Service("redis_server", "Redis", ("redis-server", "valkey-server"), ("redis-server",))
NFT: Final = Service("nft", "nftables", ("nft",), ("nftables",))
SERVICES: Final = (
    CHROMIUM, FIREFOX, TINTIN, TINYFUGUE, TELNET, PUTTY, NETCAT, CC, NODE, LUA, POSTGRES, PGBOUNCER, NGINX, HAPROXY,
    SYSTEMD, SUPERVISOR, LOGROTATE, PROMTOOL, AMTOOL, SENTINEL, REDIS, NFT
)  # fmt: skip


def find(service: Service, environ: Mapping[str, str]) -> Path | None:
    """The program, if it is here.

    :raises FileNotFoundError: if the variable names a program that is not there.
    """
    named = environ.get(service.variable)
    if named:
        there = shutil.which(named)
        if there is None:
            raise FileNotFoundError(f"{service.variable} names {named}, which is not a program")
        return Path(there)
    path = environ.get("PATH", os.defpath)
    if "/usr/bin" in path.split(os.pathsep):  # Debian puts games, servers and versions of PostgreSQL beside it
        versions = sorted(
            Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: float(one.parent.name), reverse=True
        )
        path = os.pathsep.join([path, "/usr/games", "/usr/sbin", *map(str, versions)])
    found = (shutil.which(command, path=path) for command in service.commands)
    return next((Path(program) for program in found if program), None)


def may_install(environ: Mapping[str, str], uid: int) -> bool:
    """True as root on a Debian-like system, unless forbidden."""
    if environ.get("MYTHOS_TEST_INSTALL") == "0" or uid != 0:
        return False
    return shutil.which("apt-get", path=environ.get("PATH", os.defpath)) is not None


def install(service: Service, environ: Mapping[str, str], lock: Path, tell: Callable[[str], None]) -> Path | None:
    """The program, after one attempt to install it; None if it is not there even then.

    :param lock: a file that holds back other test runs on this machine meanwhile.
    :param tell: hears when it begins and how it ended.
    """
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        found = find(service, environ)
        if found is not None:
            return found
        tell(f"{service.remedy} (for the {service.tests} tests) ...")
        mistake = _apt(["update"], environ) or _apt(
            ["install", "-y", "--no-install-recommends", *service.packages], environ
        )
        tell(f"{service.remedy}: {mistake or 'done'}")
        return find(service, environ)


def _apt(arguments: list[str], environ: Mapping[str, str]) -> str:
    """Run apt-get; what went wrong, or nothing."""
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=60", *arguments]
    quiet = {**environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        run = subprocess.run(command, env=quiet, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_APT)
    except subprocess.TimeoutExpired:
        return f"gave up after {_APT} s"
    if run.returncode == 0:
        return ""
    said = (run.stderr or run.stdout).strip().splitlines()
    return said[-1] if said else f"exit {run.returncode}"


def exempt(text: str) -> frozenset[str]:
    """The reasons that do not count under ``MYTHOS_TEST_REQUIRE``, from lines of a name and why.

    :raises ValueError: if a name is no service.
    """
    lines = (line.strip() for line in text.splitlines())
    names = {line.split()[0] for line in lines if line and not line.startswith("#")}
    known = {service.name: service.reason for service in SERVICES}
    if unknown := sorted(names - known.keys()):
        raise ValueError(f"{NOT_INSTALLABLE.name} names {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    return frozenset(known[name] for name in names)


@dataclass(slots=True, eq=False)  # pytest keeps its plugins in sets
class NotRun:
    """The tests that did not run, counted by reason; a plugin of pytest.

    :param allowed: reasons that do not count.
    :param required: what did not run is a failure.
    """

    allowed: frozenset[str]
    required: bool
    reasons: Counter[str] = field(default_factory=Counter)

    def note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.outcome != "skipped":
            return
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else getattr(report, "wasxfail", "")
        self.reasons[str(text).removeprefix("Skipped: ") or "skipped without a reason"] += 1

    @property
    def failures(self) -> int:
        """How many of them count as failures."""
        return sum(n for reason, n in self.reasons.items() if reason not in self.allowed) if self.required else 0

    def closing(self, outcomes: Mapping[str, int]) -> str:
        """``612 passed · NOT RUN: 4 browser (apt-get install chromium)``; nothing when all of it ran."""
        if not self.reasons:
            return ""
        parts = [f"{n} {word}" for word, n in outcomes.items() if n]
        parts.append("NOT RUN: " + ", ".join(f"{n} {reason}" for reason, n in sorted(self.reasons.items())))
        if self.failures:
            parts.append("which MYTHOS_TEST_REQUIRE=all forbids")
        return " · ".join(parts)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.note(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A process beside this one has ended; each collects everything."""
        self.reasons |= Counter(getattr(node, "workeroutput", {}).get(_NOT_COLLECTED, {}))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.failures and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Here, because the closing line comes after all that pytest itself prints."""
        terminal = config.pluginmanager.getplugin("terminalreporter")
        outcomes = {word: len(terminal.stats.get(key, ())) for key, word in _WORDS.items()} if terminal else {}
        if terminal and (line := self.closing(outcomes)):
            terminal.write_line(line)


@dataclass(slots=True, eq=False)
class NotCollected:
    """What a process beside the first one does not collect: pytest-xdist tells nobody of it; a plugin of pytest.

    :param told: what the first process is told.
    """

    told: dict[str, Any]
    seen: NotRun = field(default_factory=lambda: NotRun(frozenset(), required=False))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.seen.note(report)

    def pytest_sessionfinish(self) -> None:
        self.told[_NOT_COLLECTED] = dict(self.seen.reasons)


_NOT_COLLECTED: Final = "mythos-not-collected"
_WORDS: Final = {"failed": "failed", "error": "errors", "passed": "passed"}


def pytest_configure(config: pytest.Config) -> None:
    required = os.environ.get("MYTHOS_TEST_REQUIRE", "")
    if required not in ("", "all"):
        raise pytest.UsageError(f"MYTHOS_TEST_REQUIRE is all or not set, not {required!r}")
    if (told := getattr(config, "workeroutput", None)) is not None:
        config.pluginmanager.register(NotCollected(told), "mythos-not-collected")
        return
    config.pluginmanager.register(NotRun(exempt(NOT_INSTALLABLE.read_text()), bool(required)), "mythos-not-run")


@contextmanager
def _speaking(config: pytest.Config) -> Iterator[Callable[[str], None]]:
    """A way to tell the one who waits, past the capturing of output."""
    capture = config.pluginmanager.getplugin("capturemanager")
    terminal = config.pluginmanager.getplugin("terminalreporter")
    with capture.global_and_fixture_disabled():
        yield terminal.write_line if terminal else lambda text: print(text, file=sys.stderr)


def _provide(config: pytest.Config, service: Service) -> Path:
    found = find(service, os.environ)
    if found is None and may_install(os.environ, os.geteuid()):
        lock = Path(tempfile.gettempdir()) / "mythos-tests-apt.lock"
        with _speaking(config) as tell:
            found = install(service, os.environ, lock, tell)
    if found is None:
        pytest.skip(service.reason)
    return found


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config) -> Path:
    """Chromium or Chrome; as root it needs ``--no-sandbox``."""
    return _provide(pytestconfig, CHROMIUM)


@pytest.fixture(scope="session")
def firefox(pytestconfig: pytest.Config) -> Path:
    """Firefox; it is spoken to by WebDriver BiDi."""
    return _provide(pytestconfig, FIREFOX)


@pytest.fixture(scope="session")
def tintin(pytestconfig: pytest.Config) -> Path:
    """TinTin++; it needs a terminal with a size."""
    return _provide(pytestconfig, TINTIN)


@pytest.fixture(scope="session")
def tinyfugue(pytestconfig: pytest.Config) -> Path:
    """TinyFugue."""
    return _provide(pytestconfig, TINYFUGUE)


@pytest.fixture(scope="session")
def telnet(pytestconfig: pytest.Config) -> Path:
    """The telnet that every system has or had."""
    return _provide(pytestconfig, TELNET)


@pytest.fixture(scope="session")
def putty(pytestconfig: pytest.Config) -> Path:
    """PuTTY without its window."""
    return _provide(pytestconfig, PUTTY)


@pytest.fixture(scope="session")
def netcat(pytestconfig: pytest.Config) -> Path:
    """netcat: a connection and nothing else."""
    return _provide(pytestconfig, NETCAT)


@pytest.fixture(scope="session")
def cc(pytestconfig: pytest.Config) -> Path:
    """A C compiler with the headers of libc."""
    return _provide(pytestconfig, CC)


@pytest.fixture(scope="session")
def node(pytestconfig: pytest.Config) -> Path:
    """Node, of any version that is still seen."""
    return _provide(pytestconfig, NODE)


@pytest.fixture(scope="session")
def lua(pytestconfig: pytest.Config) -> Path:
    """Lua with LuaSocket."""
    return _provide(pytestconfig, LUA)


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Path:
    """The server program of PostgreSQL, with its companions beside it."""
    return _provide(pytestconfig, POSTGRES)


@pytest.fixture(scope="session")
def pgbouncer(pytestconfig: pytest.Config) -> Path:
    """pgbouncer; as root it needs another user."""
    return _provide(pytestconfig, PGBOUNCER)


@pytest.fixture(scope="session")
def nginx(pytestconfig: pytest.Config) -> Path:
    """nginx with its module for streams."""
    return _provide(pytestconfig, NGINX)


@pytest.fixture(scope="session")
def haproxy(pytestconfig: pytest.Config) -> Path:
    """haproxy, 2.4 or later."""
    return _provide(pytestconfig, HAPROXY)


@pytest.fixture(scope="session")
def systemd_analyze(pytestconfig: pytest.Config) -> Path:
    """What checks units of systemd; it needs none that runs."""
    return _provide(pytestconfig, SYSTEMD)


@pytest.fixture(scope="session")
def supervisord(pytestconfig: pytest.Config) -> Path:
    """supervisor's server."""
    return _provide(pytestconfig, SUPERVISOR)


@pytest.fixture(scope="session")
def logrotate(pytestconfig: pytest.Config) -> Path:
    """logrotate."""
    return _provide(pytestconfig, LOGROTATE)


@pytest.fixture(scope="session")
def promtool(pytestconfig: pytest.Config) -> Path:
    """What checks files of Prometheus."""
    return _provide(pytestconfig, PROMTOOL)


@pytest.fixture(scope="session")
def amtool(pytestconfig: pytest.Config) -> Path:
    """What checks files of Alertmanager."""
    return _provide(pytestconfig, AMTOOL)


@pytest.fixture(scope="session")
def redis_sentinel(pytestconfig: pytest.Config) -> Path:
    """Redis that watches other Redis."""
    return _provide(pytestconfig, SENTINEL)


@pytest.fixture(scope="session")
def redis_server(pytestconfig: pytest.Config) -> Path:
    """The server program of Redis."""
    return _provide(pytestconfig, REDIS)


@pytest.fixture(scope="session")
def nft(pytestconfig: pytest.Config) -> Path:
    """nftables, 1.0 or later."""
    return _provide(pytestconfig, NFT)


@pytest.fixture(scope="session")
def cluster(postgres: Path) -> Iterator[Cluster]:
    """A PostgreSQL that runs, for all tests; each makes databases of its own."""
    made = Cluster(postgres)
    made.start()
    yield made
    made.remove()


@pytest.fixture
def redis(redis_server: Path) -> Iterator[RedisProcess]:
    """A Redis of its own that runs; the test may kill and freeze it."""
    made = RedisProcess(redis_server)
    made.start()
    yield made
    made.remove()
