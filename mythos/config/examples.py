"""Secrets that everybody knows."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_placeholder"]

#: What guides and examples print where a secret belongs.
_PLACEHOLDER: Final = re.compile(
    r"your[-_ ].*|.*(?:change|replace)[-_ ]?(?:me|this|it).*|.*(?:secret|api)[-_ ]?key[-_ ]?here.*|<.*>|.*placeholder.*"
    r"|.*insert[-_ ].*|(?:dev|test|my|super|default)[-_ ].*(?:secret|key|password).*|.*(?:secret|password)[-_ ]?123.*"
    r"|(?:secure|archmesh|mythos|your)[-_]?password|minioadmin|archive|test|admin|password|secret|example.*|(.)\1*"
    r"|(?:demo|admin)[-_]key.*|luminari-i3-gateway-2025",
    re.IGNORECASE,
)


def is_placeholder(secret: str) -> bool:
    """True for what stands in guides where a secret belongs."""
    return bool(_PLACEHOLDER.fullmatch(secret.strip()))
