"""Signatures of other parties on JSON Web Tokens (RFC 7515), by joserfc and cryptography.

The algorithm is one of a short list, and what a token says of its keys (`jku`, `jwk`, `x5u`) is not looked at: a key is
the issuer's, or it is none.

joserfc and PyJWT were compared: both are alive, free, and check what they are told to. PyJWT imports `cryptography`
itself wherever it finds it, so auth would load it with the first access token, which needs none of it; joserfc is
imported here alone, when a code comes back, from a folder that is not on the path before. It also refuses what is not
written as it should be, last characters of a part that stand for the same bits for one.
"""

import json
from collections.abc import Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from shared.domain.openid import refused

FIELDS = {"RS256": ("RSA", ("n", "e")), "ES256": ("EC", ("crv", "x", "y"))}
"""The algorithms, the type of key of each, and what makes up its public half."""
MAX_TOKEN = 32 * 1024
SHORTEST_RSA = 2048
"""Bits (RFC 7518 §3.3)."""
REGISTRY = jws.JWSRegistry(algorithms=list(FIELDS), strict_check_header=False)
REGISTRY.max_header_length = MAX_TOKEN
"""Some issuers put whole certificates there."""

type Json = Mapping[str, Any]
type Key = RSAKey | ECKey


def key_of(token: str, keys: Json) -> Key | None:
    """The one key of a set that a token says it is signed by; None when there is none, or more than one.

    Args:
        token: as it came.
        keys: a set of keys (RFC 7517 §5).

    Raises:
        Unauthenticated: it is no token, or signed by an algorithm that is not believed.
    """
    header = _extracted(token).headers()
    algorithm, name = str(header["alg"]), header.get("kid")
    listed = keys.get("keys")
    fitting = [
        one
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict)
        and one.get("kty") == FIELDS[algorithm][0]
        and one.get("use", "sig") == "sig"
        and one.get("alg", algorithm) == algorithm
        and (name is None or one.get("kid") == name)
    ]
    # Without a name, or with one that two have, which of them is meant would be a guess.
    return _key(fitting[0], algorithm) if len(fitting) == 1 else None


def read(token: str, key: Key) -> Json:
    """What a token says, if it is signed by this key. Whether that is believed is judged elsewhere.

    Raises:
        Unauthenticated: it is not.
    """
    found = _extracted(token)
    try:
        good = jws.validate_compact(found, key, registry=REGISTRY)
        claims = json.loads(found.payload) if good else None
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise refused("its signature is not its issuer's") from error
    if not isinstance(claims, dict):
        raise refused("its signature is not its issuer's")
    return claims


def _extracted(token: str) -> jws.CompactSignature:
    if not 0 < len(token) <= MAX_TOKEN:
        raise refused("there is none, or it is too long")
    try:
        found = jws.extract_compact(token.encode(), registry=REGISTRY)
        header = found.headers()
        algorithm = header.get("alg")
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise refused("it cannot be read") from error
    if not isinstance(algorithm, str) or algorithm not in FIELDS:
        raise refused(f"only {' and '.join(FIELDS)} are believed")
    # A token of another kind, an access token say, is none that speaks of a sign-in (RFC 8725 §3.11).
    if "crit" in header or str(header.get("typ", "JWT")).upper() != "JWT":
        raise refused("it is another kind of token")
    return found


def _key(one: Json, algorithm: str) -> Key | None:
    kind, parts = FIELDS[algorithm]
    try:
        given = {"kty": kind, **{part: one[part] for part in parts}}
        key = RSAKey.import_key(given) if kind == "RSA" else ECKey.import_key(given)
        if isinstance(key, ECKey):
            return key if key.curve_name == "P-256" else None
        return key if key.get_op_key("verify").key_size >= SHORTEST_RSA else None
    except (JoseError, ValueError, TypeError, KeyError):
        return None
