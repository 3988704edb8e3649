"""Names that one of the other servers has in its code: keys of our file too."""

from __future__ import annotations

from typing import Any

__all__ = ["CODE"]

#: A name, a value that is not the default, what it sets, and what the rest of the server receives.
CODE: list[tuple[str, str, str, Any]] = [
    ("min_workers", "3", "jobs.min_lanes", 3),
    ("max_workers", "7", "jobs.max_lanes", 7),
    ("scale_threshold", "0.7", "jobs.scale_threshold", 0.7),
    ("processing_timeout", "10", "jobs.timeout", 10.0),
    ("circuit_breaker_threshold", "3", "breaker.failures", 3),
    ("circuit_breaker_timeout", "30", "breaker.open_for", 30.0),
]
