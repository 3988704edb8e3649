"""Resume tokens: what a client shows to go on with its session, without logging in again.

Each connection is given a token of its own, in place of the one it showed. The old one is good until the client has
proved that it got the new one (by showing it, or by sending anything behind its ``hello``), and for 30 s more: neither
a ``hello`` that is lost nor a second device that comes and goes costs anybody their session. Only digests are kept.
"""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["Chain", "ResumeTokens"]

#: Seconds an old token is still good once its successor has arrived.
OVERLAP = 30.0
#: Chains of a session: of the devices and tabs that come and go, the one unused for longest is forgotten.
CHAINS = 16
#: Tokens of a chain that are good: the one that was shown, and the newest that were given for it.
TOKENS = 4

#: The tokens of one device or tab, oldest first: SHA-256 in hex, and the unix second it ends (0.0: not by itself).
Chain = tuple[tuple[str, float], ...]


class ResumeTokens:
    """The tokens of one session.

    :ivar chains: the one used last at the end
    """

    __slots__ = ("chains",)

    def __init__(self, chains: tuple[Chain, ...] = ()) -> None:
        self.chains = chains

    def give(self, digest: str, shown: str, wall: float) -> None:
        """A new token, for who showed the one of digest ``shown``; in a chain of its own if that is none of these."""
        chain = self._chain_of(shown)
        others = tuple([one for one in self.chains if one is not chain])
        ending = [token for token in chain if token[1] > wall]
        good = [token for token in chain if not token[1]]
        good = good[:1] + good[1:][-(TOKENS - 2) :]  # the first may be the only one that its client has
        self.chains = (*others[-(CHAINS - 1) :], (*ending[-TOKENS:], *good, (digest, 0.0)))

    def arrived(self, digest: str, wall: float) -> None:
        """Its client has this one: those given before it end soon."""
        chain = self._chain_of(digest)
        at = next((at for at, (other, _) in enumerate(chain) if other == digest), 0)
        if any(not ends for _, ends in chain[:at]):
            now = (*[(other, ends or wall + OVERLAP) for other, ends in chain[:at]], *chain[at:])
            self.chains = tuple([now if one is chain else one for one in self.chains])

    def good(self, digest: str, wall: float) -> bool:
        return any(other == digest and (not ends or ends > wall) for other, ends in self._chain_of(digest))

    def keep(self, digests: Collection[str]) -> None:
        """Those of the devices that have one of these, and no others."""
        self.chains = tuple([one for one in self.chains if any(digest in digests for digest, _ in one)])

    def _chain_of(self, digest: str) -> Chain:
        return next((chain for chain in self.chains if any(other == digest for other, _ in chain)), ())
