"""Secrets and access tokens."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import jwt

from mythos.ids import AccountId, EntityId, SessionId
from mythos.play.ports import Claims, TokenInvalid

__all__ = ["ACCESS", "JWTTokens", "derive"]

#: Seconds an access token is good.
ACCESS = 3_600.0
#: Seconds two clocks may differ.
LEEWAY = 30.0
_ISSUER = "mythos"


def derive(secret_key: str, purpose: str) -> bytes:
    """A key of its own for each purpose, from the one secret of the server."""
    return hashlib.blake2b(secret_key.encode(), key=purpose.encode(), digest_size=32).digest()


class JWTTokens:
    """HS256 and nothing else; the key is found by its ``kid``. A former key still reads what it signed.

    PyJWT's own checks of time are off: time is told to us.
    """

    def __init__(self, secret_key: str, previous: str = "") -> None:
        self._keys: dict[str, bytes] = {}
        for known in (previous, secret_key):
            if known:
                key = derive(known, "access token")
                self._kid = hashlib.sha256(key).hexdigest()[:8]
                self._keys[self._kid] = key

    def secret(self) -> str:
        return secrets.token_urlsafe(32)

    def digest(self, secret: str) -> str:
        return hashlib.sha256(secret.encode()).hexdigest()

    def access(self, session: SessionId, character: EntityId, account: AccountId | None, wall: float) -> str:
        claims: dict[str, Any] = {
            "iss": _ISSUER,
            "aud": _ISSUER,
            "sub": session,
            "chr": character,
            "acc": account,
            "nbf": int(wall - LEEWAY),
            "iat": int(wall),
            "exp": int(wall + ACCESS),
            "jti": secrets.token_hex(8),
        }
        return jwt.encode(claims, self._keys[self._kid], algorithm="HS256", headers={"kid": self._kid})

    def read(self, token: str, wall: float) -> Claims:
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token,
                key,
                algorithms=["HS256"],
                audience=_ISSUER,
                issuer=_ISSUER,
                options={
                    "require": ["iss", "aud", "sub", "exp", "nbf", "jti"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
            if not claims["nbf"] - LEEWAY <= wall <= claims["exp"] + LEEWAY:
                raise TokenInvalid("That token is too old. Log in again.")
            account = claims["acc"]
            return Claims(
                SessionId(claims["sub"]),
                EntityId(claims["chr"]),
                None if account is None else AccountId(account),
                float(claims["iat"]),
                float(claims["exp"]),
            )
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            raise TokenInvalid("That token is not good. Log in again.") from error
