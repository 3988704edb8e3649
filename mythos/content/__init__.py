"""Zone files and the world they make."""

from mythos.content.loader import WorldError, load

__all__ = ["WorldError", "load"]
