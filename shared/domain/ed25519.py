"""Ed25519 (RFC 8032, section 5.1) in plain integers: what a receipt is verified with wherever there is a Python.

Signing takes some milliseconds and is not guarded against someone who measures them; it serves a machine of one's own.
A deployment lets its key service sign.
"""

import hashlib

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)

type Point = tuple[int, int, int, int]
"""Extended homogeneous coordinates: x = X/Z, y = Y/Z, x·y = T/Z."""

NEUTRAL: Point = (0, 1, 1, 0)


def public_key(seed: bytes) -> bytes:
    """The 32 bytes that verify what the 32 secret bytes `seed` sign.

    Raises:
        ValueError: the seed has another length.
    """
    return _packed(_times(_secret(seed)[0], BASE))


def sign(seed: bytes, message: bytes) -> bytes:
    """The 64 bytes of the message's signature.

    Raises:
        ValueError: the seed has another length than 32.
    """
    scalar, prefix = _secret(seed)
    key = _packed(_times(scalar, BASE))
    nonce = _number(prefix + message)
    commitment = _packed(_times(nonce, BASE))
    answer = (nonce + _number(commitment + key + message) * scalar) % ORDER
    return commitment + answer.to_bytes(32, "little")


def verifies(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is the key's of exactly this message."""
    if len(key) != 32 or len(signature) != 64:
        return False
    point, commitment = _unpacked(key), _unpacked(signature[:32])
    answer = int.from_bytes(signature[32:], "little")
    if point is None or commitment is None or answer >= ORDER:
        return False
    challenge = _number(signature[:32] + key + message)
    return _equal(_times(answer, BASE), _sum(commitment, _times(challenge, point)))


def _secret(seed: bytes) -> tuple[int, bytes]:
    if len(seed) != 32:
        raise ValueError("the seed of a signing key has 32 bytes")
    hashed = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(hashed[:32], "little") & (2**254 - 8) | 2**254
    return scalar, hashed[32:]


def _number(data: bytes) -> int:
    return int.from_bytes(hashlib.sha512(data).digest(), "little") % ORDER


def _sum(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: Point) -> Point:
    total = NEUTRAL
    while scalar:
        if scalar & 1:
            total = _sum(total, point)
        point = _sum(point, point)
        scalar >>= 1
    return total


def _equal(one: Point, other: Point) -> bool:
    return (one[0] * other[2] - other[0] * one[2]) % P == 0 and (one[1] * other[2] - other[1] * one[2]) % P == 0


def _packed(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _unpacked(data: bytes) -> Point | None:
    packed = int.from_bytes(data, "little")
    y, sign_bit = packed & (2**255 - 1), packed >> 255
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign_bit):
        return None
    if x & 1 != sign_bit:
        x = P - x
    return x, y, 1, x * y % P


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE: Point = _unpacked(BASE_Y.to_bytes(32, "little")) or NEUTRAL
