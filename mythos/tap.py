"""twistd's door: ``twistd -n mythos``. The global reactor is met here and handed on."""

from __future__ import annotations

import atexit
import os
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, TextIO

from twisted.application.service import IService
from twisted.python import usage

from mythos import __version__
from mythos.app.files import EX_CONFIG, LINE, StartError, allow_files
from mythos.app.notify import Notifier
from mythos.app.settings import Settings
from mythos.config import Config, ConfigError, Loaded, LogFormat, disk, options, refusals
from mythos.errors import Refusal
from mythos.telemetry.logfile import LogFile
from mythos.telemetry.logs import Observer
from mythos.telemetry.tail import Tail

if TYPE_CHECKING:
    from mythos.app.server import Server
    from mythos.telemetry.sentry import Sentry

__all__ = ["CHECKS", "Options", "makeService"]

#: Options that check the configuration instead of starting a server; two names of one thing.
CHECKS: Final = ("validate-config", "dry-run")
_RUN: Final = "from twisted.scripts.twistd import run; run()"


class Options(usage.Options):
    """The settings that have an option; all others by environment, ``.env`` or ``mythos.yaml``."""

    synopsis = "[options]"
    longdesc = "Every option is also a name in the environment and a key of mythos.yaml: see mythosctl config init."
    optParameters: ClassVar = [[one.name, one.letter or None, None, one.help] for one in options() if one.metavar]
    optFlags: ClassVar = [
        *([one.name, one.letter or None, one.help] for one in options() if not one.metavar),
        *([name, None, "Check the configuration, name every mistake, and start nothing."] for name in CHECKS),
    ]

    @property
    def given(self) -> dict[str, str]:
        """What stood on the command line; a flag is ``yes``."""
        said = {one.name: self[one.name] for one in options() if self[one.name] not in (None, 0)}
        return {name: "yes" if value == 1 else str(value) for name, value in said.items()}

    def opt_version(self) -> NoReturn:
        """Print the version and exit."""
        _say(f"Mythos {__version__}")
        raise SystemExit(0)

    def opt_workers(self, number: str) -> NoReturn:
        """There is one: run more nodes instead."""
        raise usage.UsageError(f"one process is one node: leave --workers {number} out, and run more nodes instead")

    opt_w = opt_workers

    def postOptions(self) -> None:
        """Check the configuration here, if that is all: what is later asks whether a server runs already."""
        if any(self[name] for name in CHECKS):
            for note in _read(self).notes:
                _warn(note)
            _say("Configuration is valid!")
            raise SystemExit(0)


def makeService(options: Options) -> IService:
    """Read the configuration, and plan the house; nothing starts before ``startService``."""
    line = os.environ.pop(LINE, "")
    loaded = _read(options)
    config = loaded.config
    for note in loaded.notes:
        _say(note)
    as_json = config.log.format is LogFormat.JSON or (
        config.log.format is LogFormat.AUTO and not (sys.__stdout__ and sys.__stdout__.isatty())
    )
    try:
        if few := allow_files(config.limits.connections):
            _say(few)
    except StartError as error:
        _give_up(str(error))
    rotate = config.log.rotate_size, config.log.rotate_keep
    try:
        stream = LogFile(config.log.file, *rotate) if config.log.file else None
    except OSError as error:
        _give_up(f"The log {config.log.file} cannot be written: {error.strerror}. Another one: LOG_FILE or log.file.")
    levels = dict(one.split("=") for one in config.log.levels)
    tail = Tail(stream)
    observer = Observer(config.log.level.value, as_json=as_json, stream=tail, levels=levels)
    sentry = _sentry(config) if config.telemetry.sentry_dsn else None
    kind = _kind(config)
    from twisted.internet import reactor  # not before: it would load what a gateway alone does without

    if sentry is not None:
        observer.report = sentry.report
        reactor.addSystemEventTrigger("after", "shutdown", sentry.close)
    service = kind(config, reactor, say=_say, fail=partial(_fail, reactor), observer=observer)
    service.tail = tail
    service.settings = Settings(loaded, partial(_read_again, options, Path.cwd()))
    service.notifier = Notifier(os.environ)
    if "world" in config.roles:
        _make_renewable(service, options, line)
    elif line:
        _give_up("A server without a world cannot go on with one that has one: stop it, then start this one.")
    if config.log.profile_memory:
        from twisted.internet.threads import deferToThread

        from mythos.telemetry.memory import MemoryProfile

        service.beside = MemoryProfile(reactor, deferToThread)
    return service


def _make_renewable(service: Any, options: Options, line: str) -> None:
    """Let it start another process of itself, with the same options in the same place; ``line``: as which it runs."""
    from mythos.app.handover import Program
    from mythos.app.succession import Succession

    words = [f"--{name}" if value == "yes" else f"--{name}={value}" for name, value in options.given.items()]
    run = f"import sys; sys.path.append({str(Path(__file__).parents[1])!r}); sys.argv[0] = 'twistd'; {_RUN}"
    twistd = (sys.executable, "-P", "-c", run, "--nodaemon", "--pidfile=", "mythos")
    service.program = Program((*twistd, *words), Path.cwd())
    if line:
        service.succession = Succession(int(line))


def _sentry(config: Config) -> Sentry:
    from mythos.telemetry.sentry import SentryError, open_sentry

    dsn, environment = config.telemetry.sentry_dsn, config.environment.value
    try:
        return open_sentry(dsn, version=__version__, environment=environment, seconds=time.monotonic)
    except SentryError as error:
        _give_up(str(error))


def _read(options: Options) -> Loaded:
    """The configuration, or the end of the process with every reason why it cannot be used."""
    try:
        loaded = disk.read(options.given)
    except ConfigError as error:
        _give_up("\n".join(str(problem) for problem in error.problems))
    if reasons := _refusals(loaded):
        _give_up("\n".join(reasons))
    return loaded


def _read_again(options: Options, cwd: Path) -> Loaded:
    """:raises MythosError: it cannot be used; with every reason"""
    loaded = disk.read(options.given, cwd)
    if reasons := _refusals(loaded):
        raise Refusal(" ".join(reasons))
    return loaded


def _refusals(loaded: Loaded) -> list[str]:
    return refusals(
        loaded.config,
        uid=os.getuid(),
        has_secret=(loaded.config.data / "secret").exists(),
        readable_by_others=disk.exposed(loaded),
    )


def _kind(config: Config) -> type[Server]:
    """Only what is needed is imported: a gateway alone must not carry the game in its memory.

    Nor OpenSSL, if none of its doors is a TLS endpoint and no Redis is named, nor what Autobahn has for WAMP: all do
    without, as where that is not installed.
    """
    if "world" in config.roles:
        from mythos.app.house import House

        return House
    doors = (config.gateway.listen, config.gateway.tcp, config.i3.router.listen, config.metrics.listen)
    spared = ["argon2", "cbor2"]
    shares = config.redis.url is not None or config.redis.cache_url is not None
    if not shares and not any(door.endpoint.startswith("ssl") for door in doors):
        spared.append("OpenSSL")
    for name in spared:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    from mythos.app.relay import Relay

    if shares:
        from mythos.app.redis import connect

        Relay.connect = staticmethod(connect)
    return Relay


def _say(text: str) -> None:
    _write(sys.__stdout__, text)


def _warn(text: str) -> None:
    _write(sys.__stderr__, text)


def _write(stream: TextIO | None, text: str) -> None:
    """The server goes on where nobody listens, or the disk behind it is full. Signs it does not know are escaped."""
    if stream is None:
        return
    told = text.encode(stream.encoding, "backslashreplace").decode(stream.encoding)
    with suppress(OSError):
        stream.write(told + "\n")
        stream.flush()


def _give_up(text: str) -> NoReturn:
    _warn(text)
    raise SystemExit(EX_CONFIG)


def _fail(reactor: Any, text: str) -> None:
    """The start failed after the reactor began to run: say so, stop, and exit with the code for an operator's part."""
    _warn(text)
    atexit.register(os._exit, EX_CONFIG)
    reactor.callWhenRunning(reactor.stop)
