"""A small world in which things change hands all the time."""

from __future__ import annotations

from pathlib import Path

__all__ = ["NAMES", "write"]

#: A prototype's id -> how bots hear of it.
NAMES = {"fair:pebble": "pebble", "fair:shell": "shell", "fair:knife": "knife"}

_FILES = {
    "world.yaml": "id: fair\ntitle: The Fair\nstart: fair:green\nhome: fair:green\nzones: [fair]\n",
    "zones/fair/zone.yaml": "title: The Fair\nrecall: green\n",
    "zones/fair/items.yaml": """
items:
  pebble: {name: pebble, text: A pebble., price: 2}
  shell: {name: shell, text: A shell., price: 4}
  knife: {name: knife, text: A knife., price: 6}
""",
    "zones/fair/npcs.yaml": """
npcs:
  marta:
    name: Marta
    text: She trades.
    gold: 1000000
    shop: {sells: [knife], buys: "*", pays: 50}
""",
    "zones/fair/rooms.yaml": """
rooms:
  green:
    title: The Green
    text: Grass.
    exits: {north: pond}
    items: [{proto: pebble, keep: 60, every: 1s}]
    npcs: [marta]
  pond:
    title: The Pond
    text: Water.
    exits: {south: green}
    items: [{proto: shell, keep: 60, every: 1s}]
""",
}


def write(directory: Path) -> Path:
    """Its files into a new directory."""
    for name, text in _FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory
