"""Ed25519 public keys, and a check of signatures that is stricter than the library's.

Some keys sign for everything: a point of small order lets one constant signature pass for any message (of eight such points and
their careless spellings, two do so always and the others for every second to eighth message). OpenSSL takes them all. Here they
are refused when a key is read, and again when a signature is checked, also as the point within a signature.
"""

from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from regcert.errors import Code, Refusal

KEY_BYTES = 32
SIGNATURE_BYTES = 64
_FIELD = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _FIELD) % _FIELD
_SIGN = 1 << 255

# Every encoding of the eight points whose order divides 8: y is 1, -1, 0 or one of two square roots, or 0 or 1 written as p or
# p + 1; each with either sign bit. tests/signing computes them from the curve.
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL_ORDER = frozenset(
    (y | sign).to_bytes(KEY_BYTES, "little")
    for y in (0, 1, _FIELD - 1, _ORDER_8, _FIELD - _ORDER_8, _FIELD, _FIELD + 1)
    for sign in (0, _SIGN)
)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key; `read_public_key` makes one of bytes that come from outside.

    Args:
        raw: 32 bytes.
    """

    raw: bytes
    key_id: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key_id", sha256(self.raw).hexdigest())

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Tell whether this key signed a message; False for whatever is no signature, never an exception.

        1. 64 bytes; neither the key nor the signature's point is of small order.
        2. The signature's number is below the order of the group: else adding the order makes a second signature.
        3. The equation without the cofactor, by comparing bytes, so that every verifier comes to one answer.

        Spec: RFC 8032 §5.1.7
        """
        if len(signature) != SIGNATURE_BYTES or self.raw in SMALL_ORDER or signature[:KEY_BYTES] in SMALL_ORDER:  # 1
            return False
        if int.from_bytes(signature[KEY_BYTES:], "little") >= _ORDER:  # 2
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)  # 3
        except (InvalidSignature, ValueError):
            return False
        return True


def read_public_key(raw: bytes) -> PublicKey:
    """Read a public key.

    Args:
        raw: from anywhere.

    Raises:
        Refusal: UNSAFE_KEY unless it is the one encoding of a point on the curve, and not of small order.

    Spec: RFC 8032 §5.1.2, §5.1.3
    """
    if len(raw) != KEY_BYTES:
        raise Refusal(Code.UNSAFE_KEY, f"an Ed25519 public key has {KEY_BYTES} bytes; check that all of it was copied")
    if raw in SMALL_ORDER:
        raise Refusal(Code.UNSAFE_KEY, "anybody can sign for this key; make a new one with `regcert key new`")
    y = int.from_bytes(raw, "little") & (_SIGN - 1)
    if y >= _FIELD or not _is_on_curve(y):
        raise Refusal(Code.UNSAFE_KEY, "these bytes are no Ed25519 public key; check that they were copied without a mistake")
    return PublicKey(raw)


def _is_on_curve(y: int) -> bool:
    """Tell whether (y^2 - 1) / (d y^2 + 1) has a square root; it is not zero, those points are of small order."""
    square = y * y % _FIELD
    return pow((square - 1) * (_D * square + 1), (_FIELD - 1) // 2, _FIELD) == 1
