"""The server as supervisor runs it, by the file that is shipped."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.copies import ETC, adapted
from tests.house.clients import PATIENCE
from tests.house.server import TWISTD
from tests.postgres import until

__all__ = ["Supervised", "supervised"]


@dataclass(frozen=True, slots=True)
class Supervised:
    """:ivar data: the server's directory"""

    data: Path
    control: tuple[str, ...]
    environ: dict[str, str]

    def ask(self, *words: str) -> str:
        """What supervisorctl says."""
        run = subprocess.run(
            [*self.control, *words], capture_output=True, text=True, timeout=PATIENCE, env=self.environ
        )
        return run.stdout.strip()


@contextmanager
def supervised(supervisord: Path, place: Path) -> Iterator[Supervised]:
    """From the time its doors are open."""
    data, environ = place / "data", {**os.environ, "ENVIRONMENT": "test"}
    environ |= {f"MYTHOS_{door}": "127.0.0.1:0" for door in ("TELNET", "HTTP", "METRICS")}
    program = adapted(
        ETC / "supervisor" / "mythos.conf",
        {
            "/opt/mythos/bin": str(Path(TWISTD).parent),
            "/var/lib/mythos --env": f"{data} --env",
            "directory=/var/lib/mythos": f"directory={place}",
            "/etc/mythos/mythos.env": str(ETC / "env.example"),
            "/var/log/mythos/": f"{place}/",
            "user=mythos\n": "",
            "startsecs=5": "startsecs=0",
        },
    )
    socket_file, settings = place / "supervisor.sock", place / "supervisord.conf"
    settings.write_text(
        f"[supervisord]\nnodaemon=true\nlogfile={place}/supervisord.log\npidfile={place}/supervisord.pid\n"
        f"[unix_http_server]\nfile={socket_file}\n[supervisorctl]\nserverurl=unix://{socket_file}\n"
        "[rpcinterface:supervisor]\n"
        f"supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n{program}"
    )
    running = subprocess.Popen([supervisord, "-c", settings], env=environ, stdout=subprocess.DEVNULL)
    try:
        until((data / "ports.json").exists)
        yield Supervised(data, (str(supervisord.with_name("supervisorctl")), "-c", str(settings)), environ)
    finally:
        running.terminate()
        running.wait(PATIENCE)
