"""Those who keep a server running: systemd's units, its sockets, supervisor, logrotate."""

from __future__ import annotations

import configparser
import getpass
import grp
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from mythos.app.files import EX_CONFIG
from mythos.config import Environment, load, options, refusals
from tests.deploy.copies import ETC, adapted
from tests.deploy.supervised import supervised
from tests.house.clients import PATIENCE, Telnet, WebSocket
from tests.house.server import TWISTD, Server
from tests.postgres import until

_UNITS = ETC / "systemd"
_BIN = str(Path(TWISTD).parent)


def _section(path: Path, section: str) -> dict[str, str]:
    """Of a file that names nothing twice that is asked for here: the last of each."""
    found = configparser.RawConfigParser(strict=False, comment_prefixes=("#", ";"))
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(path.read_text())
    return dict(found[section])


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as they are installed, but for the place of the programs."""
    dropped = tmp_path / "mythos.service.d"
    dropped.mkdir()
    for name, place in (("mythos.service", tmp_path), ("sockets.conf", dropped)):
        (place / name).write_text(adapted(_UNITS / name, {"/opt/mythos/bin": _BIN}))
    (tmp_path / "mythos.socket").write_text((_UNITS / "mythos.socket").read_text())
    return tmp_path


def test_units(systemd_analyze: Path, units: Path) -> None:
    """systemd has nothing to say against them, with and without sockets."""
    for _ in range(2):
        names = [str(path) for path in units.glob("mythos.s*") if path.is_file()]
        command = [str(systemd_analyze), "verify", "--man=no", *names]
        run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        assert (run.returncode, run.stderr) == (0, "")
        (units / "mythos.socket").unlink(missing_ok=True)
        (units / "mythos.service.d" / "sockets.conf").unlink(missing_ok=True)


def test_it_is_shut_in(systemd_analyze: Path, units: Path) -> None:
    """What it could do beyond its own files and the network is next to nothing: at most 1.5 of 10."""
    command = ["security", "--offline=yes", "--no-pager", str(units / "mythos.service")]
    for most, status in (("15", 0), ("1", 1)):
        run = subprocess.run(
            [str(systemd_analyze), *command, f"--threshold={most}"], capture_output=True, text=True, timeout=PATIENCE
        )
        assert run.returncode == status, run.stdout + run.stderr


def test_the_server_has_what_they_name() -> None:
    """The options are the server's, and exit codes that would only repeat themselves end the attempts."""
    service, program = (
        _section(_UNITS / "mythos.service", "Service"),
        _section(ETC / "supervisor/mythos.conf", "program:mythos"),
    )
    sockets = _section(_UNITS / "sockets.conf", "Service")
    known = {f"--{option.name}" for option in options()} | {"--env-file"}
    for command in (service["ExecStart"], sockets["ExecStart"], program["command"]):
        first, own = command.split(" mythos ")
        assert first == "/opt/mythos/bin/twistd --nodaemon --pidfile="
        assert set(re.findall(r"--[\w-]+", own)) <= known
    assert str(EX_CONFIG) in service["RestartPreventExitStatus"].split()
    assert str(EX_CONFIG) in program["exitcodes"].split(",")
    assert int(service["LimitNOFILE"]) == 65_536


def test_production_takes_them() -> None:
    """With a secret, neither the shipped variables nor the sockets are a reason not to start in production."""
    sockets = _section(_UNITS / "sockets.conf", "Service")
    name, _, value = sockets["Environment"].partition("=")
    command = sockets["ExecStart"].split()
    given = dict(zip([word.removeprefix("--") for word in command[4::2]], command[5::2], strict=True))
    files = {Path("/env"): (ETC / "env.example").read_text()}
    for chosen, variables in (({}, {}), (given, {name: value})):
        loaded = load(
            options={**chosen, "env-file": "/env"},
            environ={"SECRET_KEY": "0123456789abcdef" * 4, **variables},
            files=files.get,
            cwd=Path("/"),
        )
        assert loaded.config.environment is Environment.PRODUCTION
        assert refusals(loaded.config, uid=1000) == []
        assert loaded.notes == ()


def test_doors_that_systemd_holds(tmp_path: Path) -> None:
    """Who comes while the server restarts waits, and is let in then; who played goes on."""
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    telnet, http = (door.getsockname()[1] for door in doors)
    first, second = (door.fileno() for door in doors)
    command = _section(_UNITS / "sockets.conf", "Service")["ExecStart"]
    command = command.replace("/opt/mythos/bin", _BIN).replace("/var/lib/mythos", str(tmp_path / "data"))
    launch = (
        f"exec 18<&{first} 19<&{second} 3<&18 4<&19; export LISTEN_PID=$$ LISTEN_FDS=2"
        f" LISTEN_FDNAMES=mythos.socket:mythos.socket; exec {command} --metrics 0"
    )
    environ = {**os.environ, "ENVIRONMENT": "test"}

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["bash", "-c", launch], env=environ, cwd=tmp_path, pass_fds=(first, second), stdout=subprocess.DEVNULL
        )

    server = start()
    try:
        house = Server(tmp_path / "data")
        house.ports = {"http": http}
        ann = WebSocket(http, house.post("/api/v1/guest")["token"])
        ann.command("say one")
        server.terminate()
        assert server.wait(PATIENCE) == -signal.SIGTERM
        waiting = Telnet(telnet)
        server = start()
        waiting.until("name? ")
        back = WebSocket(http, ann.token, epoch=ann.epoch, last=ann.last)
        assert back.hello["resumed"] is True
    finally:
        server.kill()
        server.wait()
        for door in doors:
            door.close()


def test_supervisor_starts_it_again(supervisord: Path, tmp_path: Path) -> None:
    """After a kill; not after a stop."""
    with supervised(supervisord, tmp_path) as program:
        ports = program.data / "ports.json"
        pid = program.ask("pid", "mythos")
        ports.unlink()
        os.kill(int(pid), signal.SIGKILL)
        until(ports.exists)
        assert program.ask("pid", "mythos") != pid
        assert program.ask("stop", "mythos") == "mythos: stopped"
        assert not ports.exists()
        assert "STOPPED" in program.ask("status", "mythos")
        assert "telnet" in (tmp_path / "mythos.log").read_text()


def test_a_log_is_rotated(logrotate: Path, tmp_path: Path) -> None:
    """The server goes on in a new file, by what a reload of the unit does; no word is lost."""
    reload = _section(_UNITS / "mythos.service", "Service")["ExecReload"]
    logs = tmp_path / "log"
    logs.mkdir(mode=0o750)
    log, rules, state = logs / "mythos.log", tmp_path / "rules", tmp_path / "state"
    variables = {"LOG_FILE": str(log), "MYTHOS_LOG_ROTATE_SIZE": "0", "MYTHOS_TELNET_TRUSTED_PROXIES": "127.0.0.1"}
    with Server(tmp_path / "data", env=variables) as house:
        own = f"    su {getpass.getuser()} {grp.getgrgid(os.getegid()).gr_name}\n" if os.geteuid() == 0 else ""
        changes = {"/var/log/mythos": str(logs), "    su mythos mythos\n": own}
        changes["systemctl reload mythos"] = reload.replace("$MAINPID", str(house.pid))
        rules.write_text(adapted(ETC / "logrotate" / "mythos", changes))
        checked = subprocess.run([logrotate, "-d", rules], capture_output=True, text=True, timeout=PATIENCE)
        assert checked.returncode == 0
        assert "error" not in checked.stderr

        def be_logged() -> None:
            stranger = Telnet(house.ports["telnet"])
            stranger.send("no header")
            stranger.close()
            until(lambda: log.exists() and "did not say for whom it speaks" in log.read_text())

        be_logged()
        old = log.read_text()
        subprocess.run([logrotate, "-f", "-s", state, rules], check=True, timeout=PATIENCE)
        until(log.exists)
        be_logged()
        assert (logs / "mythos.log.1").read_text().startswith(old)
        assert log.read_text().startswith("{")
        assert house.stop() == 143
