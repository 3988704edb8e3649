"""What is typed in the small town of the people's tests, and who hears what."""

from __future__ import annotations

from tests.scenes.scene import Scene
from tests.world.town import ATLAS

__all__ = ["in_town", "typed"]


def in_town(people: str = "Ann Bob", *, room: str = "t:inn") -> Scene:
    """A scene in the town, everybody in the inn, where nobody else is."""
    return Scene(ATLAS, people, room=room)


def typed(scene: Scene, who: str, *lines: str) -> dict[str, list[str]]:
    """What each one heard of it; who heard nothing is left out."""
    scene.type(who, *lines)
    return {name: words for name, words in scene.hear_all().items() if words}
