"""What systemd is told of a service of ``Type=notify``: sd_notify(3), one datagram for each time."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from twisted.logger import Logger

__all__ = ["Notifier"]

_log = Logger()

#: Seconds that systemd may take to take a datagram.
_PATIENCE = 0.5


class Notifier:
    """:ivar ours: systemd started this process itself, and follows it
    :ivar watchdog: seconds within which it wants to hear of us; 0.0: it does not
    :param heir: another process of this server, which systemd follows, handed it to us
    """

    def __init__(self, environ: Mapping[str, str], *, heir: bool = False) -> None:
        self._socket = environ.get("NOTIFY_SOCKET", "")
        pid = str(os.getpid())
        self.ours = bool(self._socket) and (heir or environ.get("SYSTEMD_EXEC_PID", pid) == pid)
        self.watchdog = 0.0
        if self.ours and (heir or environ.get("WATCHDOG_PID", pid) == pid):
            usec = environ.get("WATCHDOG_USEC", "")
            self.watchdog = int(usec) / 1e6 if usec.isdigit() else 0.0

    def tell(self, *facts: str) -> None:
        """Such as ``READY=1``. Nobody is told where nobody asked; a failure is logged."""
        if not self.ours:
            return
        address = "\0" + self._socket[1:] if self._socket.startswith("@") else self._socket
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.settimeout(_PATIENCE)
                line.connect(address)
                line.sendall("\n".join(facts).encode())
        except OSError as error:
            _log.warn("systemd cannot be told {facts}: {error}", facts=facts, error=error)
