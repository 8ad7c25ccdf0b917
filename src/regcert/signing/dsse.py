"""DSSE envelopes: a payload, what kind it is, and who signed exactly these bytes.

There is no algorithm in it that a stranger could choose: the key decides. The kind is signed with the payload, so that a
signature for one purpose is none for another.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from regcert.domain.exact import find_base64, write_base64
from regcert.errors import Code, Refusal
from regcert.signing.private_key import PrivateKey
from regcert.signing.public_key import SIGNATURE_BYTES, PublicKey

PUBLICATION = "application/vnd.regcert.publication+json; v=1"
KEY_LIST = "application/vnd.regcert.key-list+json; v=1"
POSSESSION = "application/vnd.regcert.possession+json; v=1"
MAX_PAYLOAD_BYTES = 2 * 1024 * 1024
MAX_SIGNATURES = 8

_MAX_PAYLOAD_CHARACTERS = (MAX_PAYLOAD_BYTES + 2) // 3 * 4
_SIGNATURE_CHARACTERS = (SIGNATURE_BYTES + 2) // 3 * 4
_TYPES = frozenset({PUBLICATION, KEY_LIST, POSSESSION})
_KEY_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload and its signatures, of which nothing is believed before `require_signed`.

    Args:
        payload_type: what kind the payload is.
        payload: the bytes that were signed.
        signatures: key ids and signatures, 1 to 8, ascending by key id.
    """

    payload_type: str
    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]

    def as_json(self) -> dict[str, object]:
        """Return the envelope as a JSON value; there is one for each envelope."""
        signatures = [{"keyid": key_id, "sig": write_base64(signature)} for key_id, signature in self.signatures]
        return {"payloadType": self.payload_type, "payload": write_base64(self.payload), "signatures": signatures}


def pae(payload_type: str, payload: bytes) -> bytes:
    """Write what is signed: the kind and the payload, each behind its length, so that no two pairs read alike.

    Spec: DSSE v1.0.2, "Signature Definition"
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload_type: str, payload: bytes, keys: Iterable[PrivateKey]) -> Envelope:
    """Sign a payload with one key or several.

    Args:
        payload_type: what kind it is.
        payload: at most 2 MiB.
        keys: 1 to 8.
    """
    message = pae(payload_type, payload)
    return Envelope(payload_type, payload, tuple(sorted((key.public.key_id, key.sign(message)) for key in keys)))


def read_envelope(value: object, refused_as: Code = Code.BAD_SIGNATURE) -> Envelope:
    """Read an envelope; no signature is checked yet.

    Strict where DSSE is lenient: no other member, one alphabet of base64, signatures in one order, each key once. What can be
    written in two ways can be changed without breaking the signature.

    Args:
        value: JSON from anywhere.
        refused_as: the code of the refusal; what the envelope is for decides it.

    Raises:
        Refusal: `refused_as`.

    Spec: DSSE v1.0.2, "JSON envelope"
    """
    if not isinstance(value, Mapping) or value.keys() != {"payloadType", "payload", "signatures"}:
        raise Refusal(refused_as, "a signed envelope has exactly 'payloadType', 'payload' and 'signatures'")
    kind, payload, signatures = value["payloadType"], value["payload"], value["signatures"]
    if not isinstance(kind, str) or kind not in _TYPES:
        raise Refusal(refused_as, "the payload type of the envelope is none that is signed here")
    if not isinstance(payload, str) or len(payload) > _MAX_PAYLOAD_CHARACTERS:
        raise Refusal(refused_as, f"the payload of an envelope is base64 of at most {MAX_PAYLOAD_BYTES} bytes")
    data = find_base64(payload)
    if not data or len(data) > MAX_PAYLOAD_BYTES:
        raise Refusal(refused_as, "the payload is not base64 as RFC 4648 §4 writes it, padded and without line breaks")
    if not isinstance(signatures, list) or not 1 <= len(signatures) <= MAX_SIGNATURES:
        raise Refusal(refused_as, f"an envelope has 1 to {MAX_SIGNATURES} signatures")
    read = tuple(_read_signature(one, refused_as) for one in signatures)
    if any(before >= after for (before, _), (after, _) in pairwise(read)):
        raise Refusal(refused_as, "the signatures of an envelope stand in the order of their key ids, each key once")
    return Envelope(kind, data, read)


def require_signed(envelope: Envelope, payload_type: str, keys: Mapping[str, PublicKey]) -> str:
    """Require that every signature of an envelope is one of these keys', and good.

    Every one: a signature that nobody has looked at must not stand beside one that is believed.

    Args:
        envelope: as it was read.
        payload_type: what it must be; a signature of another purpose counts for nothing.
        keys: by key id, those that may sign.

    Returns:
        The id of the first key that signed.

    Raises:
        Refusal: UNKNOWN_KEY, BAD_SIGNATURE.
    """
    if envelope.payload_type != payload_type:
        raise Refusal(Code.BAD_SIGNATURE, "the envelope was signed for another purpose")
    message = pae(envelope.payload_type, envelope.payload)
    for key_id, signature in envelope.signatures:
        key = keys.get(key_id)
        if key is None:
            raise Refusal(Code.UNKNOWN_KEY, "no such key may sign this; `regcert key list` shows which may")
        if not key.verify(signature, message):
            raise Refusal(Code.BAD_SIGNATURE, "a signature does not fit the payload; sign its exact bytes again")
    return envelope.signatures[0][0]


def _read_signature(value: object, refused_as: Code) -> tuple[str, bytes]:
    if not isinstance(value, Mapping) or value.keys() != {"keyid", "sig"}:
        raise Refusal(refused_as, "a signature of an envelope has exactly 'keyid' and 'sig'")
    key_id, text = value["keyid"], value["sig"]
    if not isinstance(key_id, str) or _KEY_ID.fullmatch(key_id) is None:
        raise Refusal(refused_as, "a key id is the SHA-256 of the public key, 64 hexadecimal digits in lower case")
    signature = find_base64(text) if isinstance(text, str) and len(text) == _SIGNATURE_CHARACTERS else None
    if signature is None or len(signature) != SIGNATURE_BYTES:
        raise Refusal(refused_as, f"a signature is base64 of {SIGNATURE_BYTES} bytes")
    return key_id, signature
