"""A TCP proxy that fails as networks do: it cuts, it stalls, it lets some requests never through."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

__all__ = ["Proxy"]


@dataclass(eq=False)
class _Pair:
    """One connection through the proxy."""

    near: socket.socket
    far: socket.socket
    flowing: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.flowing.set()

    def carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self.flowing.wait()
                sink.sendall(data)
        self.close()

    def close(self) -> None:
        self.flowing.set()
        for end in (self.near, self.far):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Proxy:
    """Passes connections on to a port of this machine.

    :ivar port: where new connections lead
    :ivar blocked: a connection whose first bytes are these is closed at once; one of these, if there are several
    """

    def __init__(self, port: int, blocked: bytes | tuple[bytes, ...] = ()) -> None:
        self.blocked = blocked
        self.port = port
        self._pairs: set[_Pair] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Close all that is open, whatever is on its way; new connections are taken."""
        for pair in self._take():
            pair.close()

    def stall(self) -> None:
        """Nothing moves any more on what is open, and nobody is told; new connections are taken."""
        with self._lock:
            for pair in self._pairs:
                pair.flowing.clear()

    def _take(self) -> set[_Pair]:
        with self._lock:
            taken, self._pairs = self._pairs, set()
        return taken

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._open, args=(near,), daemon=True).start()

    def _open(self, near: socket.socket) -> None:
        try:
            first = near.recv(65_536)
            if not first or (self.blocked and first.startswith(self.blocked)):
                near.close()
                return
            far = socket.create_connection(("127.0.0.1", self.port))
            far.sendall(first)
        except OSError:
            near.close()
            return
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = _Pair(near, far)
        with self._lock:
            self._pairs.add(pair)
        threading.Thread(target=pair.carry, args=(far, near), daemon=True).start()
        pair.carry(near, far)
        with self._lock:
            self._pairs.discard(pair)
