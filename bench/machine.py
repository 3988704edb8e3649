"""The machine: its cores, what a process has used of them, and a C compiler."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BenchError", "Plan", "anonymous", "compiled", "cpu_seconds", "resident"]


class BenchError(Exception):
    """A measure could not be made; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to measure.

    :ivar runs: how often; the median counts
    :ivar server: the core of the server and of the bounds; ``load``: the cores of everything else
    :ivar quick: one short run, to see that it works
    :ivar profile: where the server writes its cProfile statistics, if it shall
    """

    runs: int
    server: int
    load: frozenset[int]
    quick: bool = False
    profile: Path | None = None

    @classmethod
    def make(cls, *, quick: bool, profile: Path | None = None) -> Plan:
        """The server gets the last core that this process may use, the load the others.

        :raises BenchError: there is only one
        """
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise BenchError("Two cores are needed: one for the server, one for the load.")
        return cls(1 if quick else 3, cores[-1], frozenset(cores[:-1]), quick, profile)

    def some(self, full: int) -> int:
        """``full``, or a fifth of it in a quick run."""
        return max(1, full // 5) if self.quick else full


def cpu_seconds(pid: int) -> float:
    """Time on a core of all living threads of a process, by the scheduler's own account."""
    spent = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            spent += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            continue  # a thread that has just ended
    return spent / 1e9


def resident(pid: int) -> int:
    """Resident memory of a process, in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def anonymous(pid: int) -> int:
    """The part of it that stands in no file, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:"))
    return int(found) * 1024


def compiled(source: Path, *, path: str | None = None) -> Path:
    """The program made of one C file: compiled at first use, kept for the next.

    :param path: where compilers are looked for; None: ``PATH``
    :raises BenchError: there is no compiler, or it fails
    """
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    made = Path(tempfile.gettempdir()) / f"mythos-bench-{os.getuid()}" / f"{source.stem}-{digest}"
    if made.exists() and made.stat().st_uid == os.getuid():
        return made
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name, path=path))), None)
    if compiler is None:
        raise BenchError("The bounds are C programs, and no compiler was found: apt install gcc libc6-dev")
    made.parent.mkdir(mode=0o700, exist_ok=True)
    part = made.with_suffix(f".{os.getpid()}")
    done = subprocess.run([compiler, "-O2", "-o", part, source], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{compiler} failed on {source.name}:\n{done.stderr}")
    part.rename(made)
    return made
