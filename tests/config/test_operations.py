"""docs/operations.md from its beginning to its end, typed on one server, as an operator would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.house.server import PATIENCE, Server
from tests.postgres import Cluster
from tests.telemetry.test_manual import MANUAL, SECTIONS

_ROOT: Final = Path(__file__).parents[2]
_PASSWORD: Final = "a good long one"


def _blocks(section: str) -> list[str]:
    text = MANUAL.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def _typed(block: str, place: Path, **instead: str) -> str:
    """Its output; every line of it works."""
    for written, real in instead.items():
        block = block.replace(
            {"http": "localhost:8000", "database": "postgresql://mythos@localhost/mythos"}[written], real
        )
    env = {name: value for name, value in os.environ.items() if not name.startswith("MYTHOS_")}
    env |= {"PATH": f"{Path(sys.executable).parent}:{env['PATH']}", "PYTHONPATH": str(_ROOT)}
    env |= {"MYTHOS_TELNET": "0", "MYTHOS_HTTP": "0", "MYTHOS_METRICS": "0"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=place,
        env=env,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
    )
    assert done.returncode == 0, (block, done.stdout, done.stderr)
    return done.stdout


def test_every_block_is_run() -> None:
    """By this file or by the test of what it says of itself; the order is that in which things are met."""
    sections = re.findall(r"^## (.+)$", MANUAL, re.MULTILINE)
    first = ["Install", "Upgrade", "Upgrade under the players", "Back up", "Tune", "Orders"]
    assert [*sections[: len(first)], *sections[-2:]] == [*first, "Alerts", "Move to PostgreSQL"]
    ours = {"Install", "Upgrade", "Back up", "Tune", "Move to PostgreSQL"}
    assert {section for section in sections if _blocks(section)} == {*ours, *SECTIONS}


def test_how_it_is_installed() -> None:
    """As the README says, whose line is run where packages are built."""
    install, _ = _blocks("Install")
    assert install.strip() in (_ROOT / "README.md").read_text("utf-8")


def test_from_beginning_to_end(tmp_path: Path, cluster: Cluster) -> None:
    """The same player is there after an upgrade, in what was restored, and in PostgreSQL."""
    player = {"name": "Morwenna", "password": _PASSWORD}
    data = tmp_path / "mythos-data"
    _, before = _blocks("Install")
    assert "PASS store" not in _typed(before, tmp_path)
    server = Server(data).start()
    server.post("/api/v1/register", player)

    old, new = _blocks("Upgrade")
    _typed(old, tmp_path)
    server.wait()
    server = Server(data).start()
    assert "schema: " in _typed(new, tmp_path, http=f"127.0.0.1:{server.ports['http']}")
    assert server.post("/api/v1/login", player)["token"]

    save, bring_back = _blocks("Back up")
    _typed(save, tmp_path)
    assert "is sound" in _typed(bring_back, tmp_path)
    with Server(tmp_path / "restored") as restored:
        assert restored.post("/api/v1/login", player)["token"]

    (tune,) = _blocks("Tune")
    assert "limits.connections: 5000" in _typed(tune, tmp_path)

    (move,) = _blocks("Move to PostgreSQL")
    name = cluster.make()
    said = _typed(move, tmp_path, database=cluster.url_of(name))
    server.wait()
    assert "PostgreSQL" in said
    with Server(data) as server:
        assert server.post("/api/v1/login", player)["token"]
        server.stop()
    assert cluster.ask("SELECT name FROM account", database=name) == [("Morwenna",)]
    cluster.drop(name)
