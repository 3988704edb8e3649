"""What the manual tells operators to type, typed: against a real server, with its log where runbooks have it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.house.clients import WebSocket
from tests.house.server import PATIENCE, Server, select_nothing

MANUAL: Final = (Path(__file__).parents[2] / "docs/operations.md").read_text("utf-8")
SECTIONS: Final = ("Health", "Metrics", "How much of it is in use", "Logs")


def lines(section: str) -> list[str]:
    """Of the shell blocks of a section."""
    text = MANUAL.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = tmp_path_factory.mktemp("manual")
    (place / "logs").mkdir()
    env = {"LOG_FILE": "logs/mythos.log", "LOG_FORMAT": "text"}
    with Server(place / "data", env=env) as server:
        socket = WebSocket(server.ports["http"], server.post("/api/v1/guest")["token"])
        socket.command("look")
        for _ in range(100):
            if "WebSocket connected" in (place / "logs/mythos.log").read_text():
                break
            select_nothing(0.05)
        with (place / "logs/mythos.log").open("a") as log:
            log.write("2026-11-21 12:00:00 ERROR    lane: the store does not take batch 7\n")
        yield server
        socket.cut()


@pytest.mark.skipif(shutil.which("curl") is None, reason="shell blocks with curl (apt-get install curl)")
@pytest.mark.parametrize("line", [line for section in SECTIONS for line in lines(section)])
def test_typed(line: str, house: Server) -> None:
    """Each line works, and says something: no count of what runbooks look for is zero."""
    command = line.replace(":8000", f":{house.ports['http']}").replace(":9090", f":{house.ports['metrics']}")
    run = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        cwd=house.data.parent,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() not in ("", "0")
    if command.startswith("curl") and "|" not in command:
        assert json.loads(run.stdout)


def test_each_section_has_some() -> None:
    """The control: none of these sections is without a line to type."""
    assert all(lines(section) for section in SECTIONS)
