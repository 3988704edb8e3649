"""Processes under measurement: started on their core, asked for what they used, ended."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.machine import BenchError, Plan, compiled, cpu_seconds, resident

__all__ = ["HOST", "Bound", "Mythos", "bound", "mythos", "quantile", "reachable", "relay"]

HOST = "127.0.0.1"
_HERE = Path(__file__).parent
#: Seconds a server may take to open its ports, and to stop.
_START, _STOP = 30.0, 15.0
#: Variables that a server is given: none that would configure it.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH")


@dataclass(frozen=True, slots=True)
class Bound:
    """A C program that does the least."""

    pid: int
    port: int

    def cpu(self) -> float:
        return cpu_seconds(self.pid)


@dataclass(frozen=True, slots=True)
class Mythos:
    """A running server.

    :ivar ports: of its listeners, by their names
    :ivar opened: seconds from the start of its process to the open port that was waited for
    :ivar data: its data directory
    """

    pid: int
    ports: Mapping[str, int]
    opened: float
    data: Path

    @property
    def telnet(self) -> int:
        return self.ports["telnet"]

    @property
    def http(self) -> int:
        return self.ports["http"]

    def cpu(self) -> float:
        return cpu_seconds(self.pid)

    def resident(self) -> int:
        return resident(self.pid)

    def histogram(self, name: str) -> list[tuple[float, float]]:
        """(upper bound in seconds, observations at or below it), from its metrics."""
        with urllib.request.urlopen(f"http://{HOST}:{self.ports['metrics']}/metrics", timeout=30) as answer:
            page = answer.read().decode()
        found = re.findall(rf'^{name}_bucket{{le="([^"]+)"}} (\S+)$', page, re.MULTILINE)
        if not found:
            raise BenchError(f"The server's metrics have no histogram {name}.")
        return [(float(le), float(count)) for le, count in found]


def quantile(before: list[tuple[float, float]], after: list[tuple[float, float]], share: float) -> float:
    """Of what came between two looks at a histogram: the upper bound of the bucket that holds this share."""
    counts = [(bound, late - early) for (bound, late), (_, early) in zip(after, before, strict=True)]
    total = counts[-1][1]
    if not total:
        raise BenchError("Nothing was observed between two looks at the server's metrics.")
    return next(bound for bound, count in counts if count >= total * share)


def reachable(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@contextmanager
def bound(plan: Plan, task: str) -> Iterator[Bound]:
    """:param task: ``echo`` or ``fanout``, see ``bench/c/bound.c``"""
    program = compiled(_HERE / "c" / "bound.c")
    with subprocess.Popen(
        [program, task],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {plan.server}),
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        yield Bound(process.pid, int(process.stdout.readline()))
        process.stdin.close()


@contextmanager
def mythos(
    plan: Plan, *, world: Path | None = None, config: bool = True, settings: Mapping[str, str] | None = None
) -> Iterator[Mythos]:
    """The installed ``twistd -n mythos`` in a directory of its own, which is gone afterwards.

    :param config: with the limits of ``bench/mythos.yaml``, else without any configuration
    :param settings: variables of its environment
    :raises BenchError: it does not start; with the end of its log
    """
    options = ["--telnet", "0", "--http", "0", "--metrics", "0"]
    if config:
        options += ["--config", str(_HERE / "mythos.yaml")]
    if world is not None:
        options += ["--world", str(world)]
    with _served(plan, options, settings or {}, wanted="telnet", profile=plan.profile) as server:
        yield server


@contextmanager
def relay(plan: Plan, name: str, settings: Mapping[str, str], *, router: bool = False) -> Iterator[Mythos]:
    """The same without a world: ``--roles i3``, with a log of warnings.

    :param name: its statistics of cProfile are written to a file with this behind its name
    :param settings: variables of its environment
    :param router: with a private router of its own
    :raises BenchError: it does not start; with the end of its log
    """
    options = ["--roles", "i3", *(["--i3-router", "--private"] if router else [])]
    known = {"MYTHOS_LOG_LEVEL": "warning", "MYTHOS_METRICS_ENABLED": "no", **settings}
    profile = plan.profile and plan.profile.with_name(f"{plan.profile.name}.{name}")
    with _served(plan, options, known, wanted="i3-router" if router else "gateway-tcp", profile=profile) as server:
        yield server


@contextmanager
def _served(
    plan: Plan, options: Sequence[str], settings: Mapping[str, str], *, wanted: str, profile: Path | None
) -> Iterator[Mythos]:
    """A server on its core, once the listener that is wanted is open."""
    twistd = shutil.which("twistd", path=str(Path(sys.executable).parent)) or shutil.which("twistd")
    if twistd is None:
        raise BenchError("twistd was not found: install Mythos into this environment (pip install .).")
    with tempfile.TemporaryDirectory(prefix="mythos-bench-") as home:
        data, log = Path(home, "data"), Path(home, "log")
        command = [twistd, *(["--profile", str(profile), "--profiler", "cprofile"] if profile else [])]
        command += ["-n", "mythos", "--data", str(data), *options]
        kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        with log.open("wb") as out:
            started = time.monotonic()
            process = subprocess.Popen(
                command,
                cwd=home,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=kept | dict(settings),
                preexec_fn=lambda: os.sched_setaffinity(0, {plan.server}),
            )
        try:
            ports = _ports(process, data / "ports.json", log, started + _START, wanted)
            opened = time.monotonic() - started
            yield Mythos(process.pid, ports, opened, data)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ports(process: subprocess.Popen[bytes], file: Path, log: Path, deadline: float, wanted: str) -> dict[str, int]:
    while process.poll() is None and time.monotonic() < deadline:
        try:
            ports: dict[str, int] = json.loads(file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            time.sleep(0.005)
            continue
        if wanted in ports and reachable(ports[wanted]):
            return ports
        time.sleep(0.005)
    state = "did not open its ports" if process.poll() is None else f"ended with status {process.returncode}"
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    raise BenchError(f"The server {state}. The end of its log:\n{tail}")
