"""What becomes of a process that has handed its server to another: it keeps its place for whoever started it.

A supervisor, the first process of a container or a shell follows the process that it started, and no other. So that one
stays, as this small program: it passes signals on to the server, and ends as the server ends. Nothing of Mythos is
imported here, so that little memory stays with it.

It is run by ``python -I -S keeper.py PIPE PID``: the server's number, and a pipe that tells the next one's.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

__all__ = ["PASSED", "keep"]

#: Signals that are passed on.
PASSED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
#: prctl(2): children of a child that ends become ours.
_SET_CHILD_SUBREAPER = 36
#: sigaction(2): the kernel sent it, as a terminal does to all processes before it; so the server has it already.
_SI_KERNEL = 0x80


def keep(pipe: int, server: int) -> int:
    """Until the server ends; returns its wait status. The signals of :data:`PASSED` and SIGCHLD are blocked."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.set_blocking(pipe, False)
    awaited = {*PASSED, signal.SIGCHLD}
    while True:
        while True:
            try:
                ended, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return 1  # the server was ended by nobody we know
            if not ended:
                break
            if ended == server:
                server = _newest(pipe, 0)
                if not server:
                    return status
        came = signal.sigwaitinfo(awaited)
        server = _newest(pipe, server)
        if came.si_signo != signal.SIGCHLD and came.si_code != _SI_KERNEL:
            with contextlib.suppress(ProcessLookupError):
                os.kill(server, came.si_signo)


def _newest(pipe: int, server: int) -> int:
    """The number that was told last; ``server``: none was."""
    try:
        told = os.read(pipe, 4096).split()
    except BlockingIOError:
        told = []
    return int(told[-1]) if told else server


def _end(status: int) -> None:
    """As the server ended."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)  # the first process of a container outlives that
        os._exit(128 + number)
    os._exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {*PASSED, signal.SIGCHLD})
    _end(keep(int(sys.argv[1]), int(sys.argv[2])))
