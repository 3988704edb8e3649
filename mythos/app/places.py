"""What a world is made of, from its files and ours: the world itself, and the web client."""

from __future__ import annotations

from pathlib import Path

from mythos.app.files import StartError
from mythos.content import load as load_atlas
from mythos.net.site import WebFiles
from mythos.world.zones import Atlas

__all__ = ["read_world", "web_files"]

_PACKAGE = Path(__file__).parents[1]


def read_world(directory: Path | None) -> Atlas:
    """The world of a directory, or the starter world.

    :raises MythosError: with every problem, by file, line and column
    """
    root = directory or _PACKAGE / "content" / "starter"
    files = {
        str(path.relative_to(root)): _text(path)
        for path in sorted(root.rglob("*"))
        if path.suffix in (".yaml", ".md") and path.is_file()
    }
    if not files:
        raise StartError(f"{root} holds no world: there is no world.yaml in it. Name another with --world DIR.")
    return load_atlas(files)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise StartError(f"{path} is not UTF-8: byte {error.start} cannot be read. Save it as UTF-8.") from error
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}.") from error


def web_files() -> WebFiles:
    root = _PACKAGE / "webclient"
    return WebFiles({str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()})
