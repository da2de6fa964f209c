"""Access tokens as JSON Web Tokens (RFC 7519, RFC 9068) signed by HMAC-SHA-256 (RFC 7518 §3.2).

Whoever reads tokens here is given the secret, so a key pair would protect nothing more, and `cryptography` would weigh
13 MB in every function. PyJWT and joserfc were compared: both are alive, free, and check what they are told to; joserfc
needs `cryptography` for every algorithm, PyJWT not for this one, and it reads the key sets of other issuers too.
Neither refuses a token that is spelled otherwise than it was written, so that is done here. It is imported with the
first request that brings a token.
"""

import base64
import binascii
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

import jwt

from shared.domain.errors import Unavailable
from shared.domain.tokens import AccessClaims

ALGORITHM = "HS256"
TYPE = "at+jwt"
ISSUER = "lambent"
AUDIENCE = "lambent-api"
LONGEST = timedelta(minutes=15)
SKEW = timedelta(seconds=60)
"""How far apart the clocks of two machines may be."""
PART = r"[A-Za-z0-9_-]"
SHAPE = re.compile(rf"{PART}{{20,200}}\.{PART}{{20,600}}\.{PART}{{43}}")
HEADER = frozenset({"alg", "typ", "kid"})
CLAIMS = frozenset({"iss", "aud", "sub", "sid", "iat", "exp"})
SHORTEST_SECRET = 32
REMEMBERED = 256
"""Tokens whose signature a process has checked."""


class JoseTokens:
    """Implements `shared.ports.tokens.Tokens`."""

    def __init__(self, secrets: str) -> None:
        """Derive the keys.

        Args:
            secrets: what they are derived from, separated by commas, each 32 characters at least. The first one signs,
                all of them are believed: a new one is put in front, and the old one taken away a quarter of an hour
                later, without anybody being signed out.

        Raises:
            Unavailable: there is none, or one is too short.
        """
        parts = [part.strip() for part in secrets.split(",") if part.strip()]
        if not parts or any(len(part) < SHORTEST_SECRET for part in parts):
            detail = (
                "this deployment has no secret to sign tokens by" if not parts else "a secret to sign by is too short"
            )
            raise Unavailable(detail, code="not_configured")
        keys = [_key(part) for part in parts]
        self._keys = {_name(key): key for key in keys}
        self._first = keys[0]
        # A client shows the same token for ten minutes; what is judged by the clock is judged each time.
        self._signed = lru_cache(REMEMBERED)(self._read)

    def issue(self, claims: AccessClaims) -> str:
        """See the port."""
        body = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(claims.user_id),
            "sid": str(claims.session_id),
            "iat": int(claims.issued_at.timestamp()),
            "exp": int(claims.expires_at.timestamp()),
        }
        return jwt.encode(body, self._first, algorithm=ALGORITHM, headers={"typ": TYPE, "kid": _name(self._first)})

    def read(self, token: str, now: datetime) -> AccessClaims | None:
        """See the port."""
        claims = self._signed(token)
        if claims is None or not claims.issued_at - SKEW <= now < claims.expires_at <= claims.issued_at + LONGEST:
            return None
        return claims

    def _read(self, token: str) -> AccessClaims | None:
        """What a token says, if it was signed here, whenever that was."""
        if not SHAPE.fullmatch(token) or not all(_canonical(part) for part in token.split(".")):
            return None
        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.get(header.get("kid", ""))
            if key is None or header.keys() != HEADER or header["typ"] != TYPE or header["alg"] != ALGORITHM:
                return None
            # Times are judged below, by the clock of this system.
            body = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": sorted(CLAIMS), "verify_exp": False, "verify_iat": False},
            )
            return AccessClaims(
                UUID(str(body["sub"])), UUID(str(body["sid"])), _moment(body["iat"]), _moment(body["exp"])
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            return None


def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"lambent access token", hashlib.sha256)


def _name(key: bytes) -> str:
    return hmac.digest(key, b"name", hashlib.sha256).hex()[:16]


def _canonical(part: str) -> bool:
    """Whether this is how these bytes are spelled: several last characters stand for the same bits."""
    try:
        read = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        return False
    return base64.urlsafe_b64encode(read).rstrip(b"=").decode() == part


def _moment(seconds: object) -> datetime:
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise TypeError("a time is a whole number of seconds")
    return datetime.fromtimestamp(seconds, UTC)
