"""The listeners of a server: opened with one sentence for each that cannot be, and closed together."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort

from mythos.app.files import StartError, os_sentence, write_whole
from mythos.config import Listen
from mythos.net.adopt import Adopted

__all__ = ["Doors", "host"]

#: How the port of each door is chosen.
_OPENED_BY = {
    **{name: f"--{name} PORT" for name in ("telnet", "http", "metrics", "gateway")},
    "telnet-tls": "MYTHOS_TELNET_TLS=PORT",
    "i3-router": "MYTHOS_I3_ROUTER_LISTEN=PORT",
    "gateway-tcp": "MYTHOS_GATEWAY_TCP=PORT",
}


class Doors:
    """:param data: where the ports in use stand, and the control socket
    :ivar ports: name of a listener -> its port
    :ivar inherited: of the process of before: name -> its endpoint, and what listens there already
    """

    def __init__(self, reactor: Any, data: Path) -> None:
        self.ports: dict[str, int] = {}
        self._reactor = reactor
        self._data = data
        self.inherited: dict[str, tuple[str, Adopted]] = {}
        self._listening: dict[str, tuple[str, IListeningPort]] = {}

    async def open(self, name: str, listen: Listen, factory: Any) -> None:
        """:raises StartError: it cannot be opened"""
        if listen.off:
            return
        try:
            port = await self._listen(name, listen, factory)
        except CannotListenError as error:
            what = f"Port {error.port}" if isinstance(error.port, int) else os.fsdecode(error.port)
            if listen.on_network and error.interface:
                what += f" of {error.interface}"
            raise StartError(
                f"{what} for {name} cannot be opened ({_reason(error)}): choose another with {_OPENED_BY[name]}."
            ) from error
        except OSError as error:
            raise StartError(f"The listener {name} cannot be opened. {os_sentence(error)}") from error
        self._listening[name] = listen.endpoint, port
        self.ports[name] = getattr(port.getHost(), "port", 0)

    async def _listen(self, name: str, listen: Listen, factory: Any) -> Any:
        endpoint = listen.endpoint
        before, found = self.inherited.get(name, ("", None))
        if found is None or before != endpoint:
            return await self._endpoint(name, listen).listen(factory)
        del self.inherited[name]
        if endpoint.startswith("systemd:"):  # its sockets were given to the process of before
            return found.adoptStreamPort(-1, -1, factory)
        return await serverFromString(found, endpoint).listen(factory)

    def _endpoint(self, name: str, listen: Listen) -> Any:
        """:raises StartError: it cannot be made"""
        try:
            return serverFromString(self._reactor, _with_backlog(listen.endpoint))
        except OSError as error:  # of a key or a certificate that it names
            raise StartError(f"The listener {name} ({listen.endpoint}) cannot be made. {os_sentence(error)}") from error
        except Exception as error:  # what an endpoint's text may lack or hold raises anything, OpenSSL's own errors too
            raise StartError(_no_endpoint(name, listen, error)) from error

    def plugs(self) -> list[tuple[str, str, int]]:
        """Of each listener its name, its endpoint and its socket."""
        return [(name, endpoint, port.fileno()) for name, (endpoint, port) in self._listening.items()]  # type: ignore[attr-defined]

    def open_control(self, factory: Any) -> None:
        """The control socket, which its owner alone may open. :raises StartError:"""
        control = self._data / "control.sock"
        _, found = self.inherited.pop("control", ("", None))
        if found is not None:
            self._listening["control"] = "", found.listenUNIX("", factory)
            return
        try:
            control.unlink(missing_ok=True)
            port = self._reactor.listenUNIX(str(control), factory, mode=stat.S_IRUSR | stat.S_IWUSR)
            self._listening["control"] = "", port
        except CannotListenError as error:
            raise StartError(
                f"The control socket {control} cannot be opened ({error.socketError}): choose another directory with"
                " --data DIR."
            ) from error
        except OSError as error:
            raise StartError(os_sentence(error)) from error

    def tell(self) -> None:
        """Write the ports in use to ``ports.json``; what the process of before listened on beside them is closed."""
        for _, found in self.inherited.values():
            found.close()
        self.inherited.clear()
        write_whole(self._data / "ports.json", json.dumps(self.ports))

    async def close(self) -> None:
        """Nobody new comes in."""
        for _, port in self._listening.values():
            closing = port.stopListening()
            if isinstance(closing, Deferred):
                await closing

    def gone(self) -> None:
        """The server is no more."""
        (self._data / "control.sock").unlink(missing_ok=True)
        (self._data / "ports.json").unlink(missing_ok=True)


def host(listen: Listen) -> str:
    """The name by which somebody on this machine reaches it."""
    return "localhost" if listen.host in ("127.0.0.1", "0.0.0.0", "::1", "") else listen.host


def _with_backlog(endpoint: str) -> str:
    """Twisted lets 50 connections wait to be accepted; a storm of players coming back is more."""
    return f"{endpoint}:backlog=1024" if endpoint.startswith("tcp") and "backlog=" not in endpoint else endpoint


def _no_endpoint(name: str, listen: Listen, error: Exception) -> str:
    if listen.endpoint.startswith("systemd:") and isinstance(error, LookupError):
        return (
            f"systemd gave no socket for {name} ({listen.endpoint}): start it by its .socket unit, with as many"
            " ListenStream lines as listeners that name systemd."
        )
    way = f"choose another with {_OPENED_BY[name]}"
    return f"The listener {name} ({listen.endpoint}) cannot be made ({_said(error)}): {way}."


def _reason(error: CannotListenError) -> str:
    return str(getattr(error.socketError, "strerror", "") or error.socketError)


def _said(error: Exception) -> str:
    """OpenSSL's errors are lists of (library, function, reason)."""
    reasons = error.args[0] if error.args else ""
    return ", ".join(str(one[-1]) for one in reasons) if isinstance(reasons, list) else str(reasons)
