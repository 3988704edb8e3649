"""What is done before memory or a disk is full."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mythos.telemetry.process import Cpu, memory_limit, resident
from mythos.telemetry.watch import Disk, Steps, disk_of, watermarks


@pytest.mark.parametrize(
    ("first", "marks"), [(80, (80, 90, 95)), (50, (50, 90, 95)), (92, (92, 92, 95)), (99, (99, 99, 99))]
)
def test_watermarks(first: int, marks: tuple[int, ...]) -> None:
    """They rise, whatever the first is."""
    assert watermarks(first) == marks


def test_steps() -> None:
    """Up at once, several if it has to be; down only when it is well below, so that it does not flutter."""
    steps = Steps(watermarks(80))
    seen = [
        (steps.take(percent), steps.step) for percent in (79.9, 80.0, 80.0, 96.0, 93.0, 91.9, 88.0, 86.0, 79.0, 76.0)
    ]
    assert seen == [
        (False, 0),
        (True, 1),
        (False, 1),
        (True, 3),
        (False, 3),
        (True, 2),
        (False, 2),
        (True, 1),
        (False, 1),
        (True, 0),
    ]


def test_disk() -> None:
    """What others than root may write; a file system that cannot be asked, or has no size, is no alarm."""

    def look(path: str) -> os.statvfs_result:
        return os.statvfs_result((4096, 1024, 1000, 300, 200, 0, 0, 0, 0, 255))

    assert disk_of(Path("/"), look) == Disk(1_024_000, 204_800)
    assert Disk(1_024_000, 204_800).free_percent == 20.0
    assert disk_of(Path("/no/such/place")) is None
    assert disk_of(Path("/"), lambda path: os.statvfs_result((4096, 4096, 0, 0, 0, 0, 0, 0, 0, 255))) is None
    assert disk_of(Path(__file__)) is not None


def test_memory() -> None:
    """It is there, and more is allowed."""
    assert 2**20 < resident() < memory_limit()


def test_cpu() -> None:
    """Of one processor: a second of work in a second of time is all of it."""
    now = 0.0
    cpu = Cpu(lambda: now)
    begun = os.times().user
    while os.times().user - begun < 0.05:
        pass
    now = 0.1
    cpu.sample()
    assert 40.0 <= cpu.percent <= 200.0
    now = 1_000.0
    cpu.sample()
    assert cpu.percent < 1.0
