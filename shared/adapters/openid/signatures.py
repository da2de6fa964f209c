"""Signatures of other parties on JSON Web Tokens (RFC 7515), by PyJWT and cryptography.

Imported when the first code comes back: both together cost some 60 ms. The algorithm is one of a short list, and what
the token says of its keys (`jku`, `jwk`, `x5u`) is not looked at: a key is the issuer's, or it is none.
"""

from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from shared.domain.openid import refused

TYPES = {"RS256": "RSA", "ES256": "EC"}
"""The algorithms, and the type of key of each."""
MAX_TOKEN = 32 * 1024
SHORTEST_RSA = 2048
"""Bits (RFC 7518 §3.3)."""

type Json = Mapping[str, Any]


def key_of(token: str, keys: Json) -> jwt.PyJWK | None:
    """The one key of a set that a token says it is signed by; None when there is none, or more than one.

    Args:
        token: as it came.
        keys: a set of keys (RFC 7517 §5).

    Raises:
        Unauthenticated: it is no token, or signed by an algorithm that is not believed.
    """
    header = _header(token)
    algorithm, name = header["alg"], header.get("kid")
    listed = keys.get("keys")
    fitting = [
        one
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict)
        and one.get("kty") == TYPES[algorithm]
        and one.get("use", "sig") == "sig"
        and one.get("alg", algorithm) == algorithm
        and (name is None or one.get("kid") == name)
    ]
    # Without a name, or with one that two have, which of them is meant would be a guess.
    return _key(fitting[0], algorithm) if len(fitting) == 1 else None


def read(token: str, key: jwt.PyJWK) -> Json:
    """What a token says, if it is signed by this key. Whether that is believed is judged elsewhere.

    Raises:
        Unauthenticated: it is not.
    """
    try:
        claims: Json = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            # Everything a token says is judged in one place, by the clock of this system.
            options={
                "verify_signature": True,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_aud": False,
                "verify_iss": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise refused("its signature is not its issuer's") from error
    return claims


def _header(token: str) -> Json:
    if not 0 < len(token) <= MAX_TOKEN:
        raise refused("there is none, or it is too long")
    try:
        header: Json = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise refused("it cannot be read") from error
    if not isinstance(header.get("alg"), str) or header["alg"] not in TYPES:
        raise refused(f"only {' and '.join(TYPES)} are believed")
    # A token of another kind, an access token say, is none that speaks of a sign-in (RFC 8725 §3.11).
    if "crit" in header or str(header.get("typ", "JWT")).upper() != "JWT":
        raise refused("it is another kind of token")
    return header


def _key(one: Json, algorithm: str) -> jwt.PyJWK | None:
    try:
        key = jwt.PyJWK(dict(one), algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    made = key.key
    if isinstance(made, RSAPublicKey):
        return key if made.key_size >= SHORTEST_RSA else None
    return key if isinstance(made, EllipticCurvePublicKey) and isinstance(made.curve, SECP256R1) else None
