"""The lists of a router: changes, deletions, bad entries, and what is kept of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mythos.wire.i3.directory import MOST, Directory
from mythos.wire.i3.packets import ChannelList, MudInfo, MudList

INFO = [-1, "192.0.2.3", 4000, 0, 0, "lib", "base", "driver", "LP", "open", "a@example.org", {"tell": 1}, 0]
DOWN = [0, *INFO[1:]]


def muds(id: int, **entries: Any) -> MudList:
    return MudList("*r", "", "Ours", "", id, entries)


def test_changes() -> None:
    """Names that are not in a packet stay as they were; 0 takes one out; each change is told once."""
    directory, told = Directory(), []
    directory.watchers.append(lambda *change: told.append(change))
    directory.learn(muds(1, A=INFO, B=INFO))
    directory.learn(muds(2, B=DOWN))
    directory.learn(muds(3, B=DOWN, A=0, C=0))
    up, down = MudInfo.read(INFO), MudInfo.read(DOWN)
    assert told == [("A", None, up), ("B", None, up), ("B", up, down), ("A", up, None)]
    assert directory.muds == {"B": down}
    assert directory.mudlist_id == 3


def test_bad_entries_cost_only_themselves() -> None:
    directory = Directory()
    entries: dict[Any, Any] = {5: INFO, "": INFO, "\x1b[mOdd\n MUD": INFO, "x": [1], "y": "z", "Good": INFO}
    directory.learn(MudList("*r", "", "Ours", "", 1, entries))
    assert list(directory.muds) == ["Odd MUD", "Good"]
    channels: dict[Any, Any] = {"gossip": ["A\x07", 0], "bad": ["A"], 5: ["A", 0], "typed": ["A", "0"]}
    directory.learn(ChannelList("*r", "", "Ours", "", 7, channels))
    assert {name: (info.host, info.kind) for name, info in directory.channels.items()} == {"gossip": ("A", 0)}


def test_a_list_without_end() -> None:
    directory = Directory()
    directory.learn(MudList("*r", "", "Ours", "", 1, {f"m{number}": INFO for number in range(MOST + 50)}))
    assert len(directory.muds) == MOST
    directory.learn(muds(2, m1=DOWN))
    assert not directory.muds["m1"].up


def test_names() -> None:
    directory = Directory()
    directory.learn(muds(1, **{"Salt Reach": INFO}))
    assert [directory.mud(name) for name in ("salt reach", "Salt Reach", "other")] == [
        "Salt Reach",
        "Salt Reach",
        "other",
    ]


def test_what_is_kept() -> None:
    directory = Directory()
    directory.learn(muds(41, A=INFO, B=DOWN))
    directory.learn(ChannelList("*r", "", "Ours", "", 7, {"gossip": ["*r", 2]}))
    again = Directory()
    again.remember(json.loads(json.dumps(directory.kept())))
    assert (again.muds, again.channels) == (directory.muds, directory.channels)
    assert (again.mudlist_id, again.chanlist_id) == (41, 7)


@pytest.mark.parametrize("kept", [{}, {"muds": []}, {"muds": {"A": [1]}, "channels": {}, "mudlist_id": 1}, {"muds": 5}])
def test_what_was_not_kept_by_us(kept: dict[str, Any]) -> None:
    """Nothing is remembered then."""
    directory = Directory()
    with pytest.raises(ValueError, match="no lists of a router"):
        directory.remember(kept)
    assert directory.muds == {}
