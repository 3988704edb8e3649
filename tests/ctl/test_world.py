"""``mythosctl world``: a builder's mistakes by their places, and what there is in numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ctl.conftest import Run

FILES = {
    "world.yaml": "id: fair\ntitle: The Fair\nstart: fair:green\nhome: fair:green\nzones: [fair]\n",
    "zones/fair/zone.yaml": "title: The Fairground\nrecall: green\n",
    "zones/fair/items.yaml": "items:\n  pebble: {name: pebble, text: A pebble., price: 2}\n",
    "zones/fair/npcs.yaml": "npcs:\n  marta: {name: Marta, text: She trades.}\n",
    "zones/fair/rooms.yaml": """\
rooms:
  green:
    title: The Green
    text: Grass and a pond.
    details: {grass: "Wet, green grass."}
    exits: {north: pond}
    items: [{proto: pebble, keep: 60, every: 1s}]
    npcs: [marta]
  pond:
    title: The Pond
    text: Water.
    exits: {south: green}
""",
}


@pytest.fixture
def fair(tmp_path: Path) -> Path:
    """The directory of a world of two rooms, where commands are typed beside it."""
    for name, text in FILES.items():
        path = tmp_path / "fair" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "fair"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_good(run: Run, fair: Path) -> None:
    result = run("world", "check", "fair")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "The Fair is good: 2 rooms in 1 zone.\n"
    assert json.loads(run("world", "check", "fair", "--json").stdout) == {"ok": True, "problems": []}


def test_every_mistake(run: Run, fair: Path) -> None:
    """All at once, by paths that an editor can jump to from where the command was typed."""
    edit(fair / "world.yaml", "title:", "titel:")
    edit(fair / "zones" / "fair" / "rooms.yaml", "north: pond", "north: pound")
    result = run("world", "check", "fair")
    assert (result.exit_code, result.stdout) == (1, "")
    *problems, sum_of_it = result.stderr.splitlines()
    assert any(line.startswith("fair/world.yaml:2:1: error: unknown key 'titel'") for line in problems)
    assert any(line.startswith("fair/zones/fair/rooms.yaml:6:20: error: ") for line in problems)
    assert sum_of_it == f"The world has {len(problems)} mistakes."
    for line in problems:
        assert Path(line.split(":")[0]).exists()


def test_mistakes_as_json(run: Run, fair: Path) -> None:
    edit(fair / "zones" / "fair" / "npcs.yaml", "marta: {name", "marta: {nam")
    result = run("world", "check", "fair", "--json")
    answer = json.loads(result.stdout)
    assert (result.exit_code, result.stderr, answer["ok"]) == (1, "", False)
    first = answer["problems"][0]
    assert (first["path"], first["line"]) == ("fair/zones/fair/npcs.yaml", 2)
    assert all(problem["message"] and problem["column"] for problem in answer["problems"])


def test_the_configured_world(run: Run, fair: Path) -> None:
    """Without DIR it is the world that the server would load: the starter world where nothing is configured."""
    assert "The Fair" in run("world", "check", MYTHOS_WORLD="fair").stdout
    starter = run("world", "check")
    assert starter.exit_code == 0
    assert "The Fair" not in starter.stdout


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (None, "fair holds no world: there is no world.yaml in it. Name another with --world DIR.\n"),
        (b"title: \xff\n", "fair/world.yaml is not UTF-8: byte 7"),
    ],
)
@pytest.mark.parametrize("command", ["check", "stats"])
def test_no_world(run: Run, tmp_path: Path, command: str, made: bytes | None, said: str) -> None:
    (tmp_path / "fair").mkdir()
    if made is not None:
        (tmp_path / "fair" / "world.yaml").write_bytes(made)
    result = run("world", command, "fair")
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr


def test_a_configured_directory_that_is_not_there(run: Run) -> None:
    result = run("world", "check", MYTHOS_WORLD="nowhere")
    assert (result.exit_code, "nowhere" in result.stderr) == (1, True)


def test_wrong_directory(run: Run) -> None:
    result = run("world", "check", "nowhere")
    assert (result.exit_code, "nowhere" in result.stderr) == (2, True)


def test_stats(run: Run, fair: Path) -> None:
    """The numbers are those of the files; words are what a player can read of the rooms."""
    counts = json.loads(run("world", "stats", "fair", "--json").stdout)
    assert counts == {
        "title": "The Fair",
        "rooms": 2,
        "items": 1,
        "people": 1,
        "quests": 0,
        "topics": 0,
        "words": 8,
        "zones": [{"title": "The Fairground", "rooms": 2, "words": 8, "spawns": 2}],
    }
    assert run("world", "stats", "fair").stdout.splitlines() == [
        "The Fairground: 2 rooms, 8 words, 2 spawns",
        "The Fair: 2 rooms, 1 items, 1 people, 0 quests, 8 words",
    ]
