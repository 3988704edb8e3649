"""The plan: the only place where parts meet."""

from mythos.app.files import EX_CONFIG, StartError, read_world
from mythos.app.house import House

__all__ = ["EX_CONFIG", "House", "StartError", "read_world"]
