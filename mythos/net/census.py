"""What the process holds: memory, and the objects that are counted for it."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from pathlib import Path
from typing import Any

__all__ = ["process", "types"]

_STATUS = Path("/proc/self/status")


def process() -> dict[str, Any]:
    """Bytes by what the system says, and Python's own counts. Members that the system does not tell are missing."""
    found: dict[str, Any] = {}
    try:
        lines = dict(line.split(":", 1) for line in _STATUS.read_text("ascii").splitlines())
    except OSError:
        lines = {}
    for name, key in (("resident_bytes", "VmRSS"), ("peak_bytes", "VmHWM"), ("swapped_bytes", "VmSwap")):
        if key in lines:
            found[name] = int(lines[key].split()[0]) * 1024
    found["blocks"] = sys.getallocatedblocks()
    found["frozen_objects"] = gc.get_freeze_count()
    found["collections"] = [one["collections"] for one in gc.get_stats()]
    return found


def types(most: int) -> dict[str, int]:
    """How many objects there are of each type, the most numerous first: of those made since the start that the
    collector follows. Takes a second for ten million."""
    counted = Counter(type(one) for one in gc.get_objects())
    return {f"{kind.__module__}.{kind.__qualname__}": count for kind, count in counted.most_common(most)}
