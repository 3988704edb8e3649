"""Mythos: a MUD server that anyone can reach and that never drops a line."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("mythos")
except PackageNotFoundError:  # run from a bare checkout through mythos.tac
    __version__ = "0+checkout"
