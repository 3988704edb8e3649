"""The builders' guide is true: its world loads, and it names every key that the loader knows and none else."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from mythos.content import load, loader
from mythos.content.clauses import _CONDITIONS, _EFFECTS

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "building.md").read_text("utf-8")


def test_the_world_of_the_guide() -> None:
    """Each block begins with the name of its file; together they are a world of two zones."""
    blocks = re.findall(r"```yaml\n# (\S+)\n(.*?)```", GUIDE, re.DOTALL)
    assert len(blocks) == GUIDE.count("```yaml")
    atlas = load(dict(blocks))
    assert atlas.title == "The Isle"
    assert len(atlas.zones) == 2
    assert atlas.rooms[atlas.start].exits["north"].to == "shore:cliff"
    assert atlas.npcs["shore:maud"].shop is not None


def keys() -> set[str]:
    """What the loader asks its fields for."""
    asked = set()
    for node in ast.walk(ast.parse(Path(str(loader.__file__)).read_text("utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in ("fields", "top", "step")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            asked.add(str(node.args[0].value))
    return asked


def test_every_key_is_explained() -> None:
    """In its reference part, as code."""
    reference = GUIDE.partition("## Every key")[2]
    named = {word for words in re.findall(r"`([^`\n]+)`", reference) for word in re.findall(r"[a-z][a-z-]*", words)}
    found = keys()
    assert {"title", "exits", "shuts-after", "one-way", "stackable", "topics", "recall"} <= found
    assert found - named == set()
    assert (set(_CONDITIONS) | set(_EFFECTS)) - named == set()


def test_what_it_says_the_checker_says() -> None:
    """Each sentence of the last table stands in the loader, but for the names in it."""
    source = Path(str(loader.__file__)).read_text("utf-8") + (ROOT / "mythos/config/nodes.py").read_text("utf-8")
    source += (ROOT / "mythos/config/problems.py").read_text("utf-8")
    for said in re.findall(r"^\| `([^`]+)` \|", GUIDE.partition("## What you may be told")[2], re.MULTILINE):
        for part in re.split(r"'[^']*'|\d+|\?|; did you mean", said):
            words = part.strip(" ;:")
            assert words in source or words.replace("room", "{one.kind}") in source, said
