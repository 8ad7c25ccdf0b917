"""Client certificates, known by the SHA-256 of their DER: what a token may have to come with.

Whether a certificate is genuine was decided where TLS ended: by this host against its `tls_client_ca`, or by a proxy that the
operator trusts. Here it only gets its name.
"""

import base64
import hashlib
import re
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from regcert.errors import Code, Refusal

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_MOST_CHARACTERS = 16_384


def read_fingerprint(text: str) -> str:
    """Read a fingerprint as tools print it, with or without colons, and return 64 lower-case hexadecimal digits.

    Raises:
        Refusal: MALFORMED_REQUEST.
    """
    found = _find_fingerprint(text)
    if found is None:
        raise Refusal(Code.MALFORMED_REQUEST, "a certificate is named by the SHA-256 of its DER, in 64 hexadecimal digits")
    return found


def fingerprint_of(der: bytes) -> str:
    """Return the name of a certificate."""
    return hashlib.sha256(der).hexdigest()


def find_certificate(header: str | None) -> str | None:
    """Find the certificate in a header that a trusted proxy sets; None where there is none, or nothing that is one.

    Args:
        header: its SHA-256 in hexadecimal, its DER as RFC 9440 writes it (`:base64:`), or its PEM with `%` escapes (nginx).

    Spec: RFC 9440 §2.1
    """
    text = (header or "").strip()
    if not text or len(text) > _MOST_CHARACTERS:
        return None
    try:
        if text.startswith(":") and text.endswith(":") and len(text) > 2:
            return fingerprint_of(base64.b64decode(text[1:-1], validate=True))
        if text.upper().startswith("-----BEGIN"):
            certificate = x509.load_pem_x509_certificate(unquote(text).encode())
            return fingerprint_of(certificate.public_bytes(Encoding.DER))
    except ValueError:
        return None
    return _find_fingerprint(text)


def _find_fingerprint(text: str) -> str | None:
    found = _FINGERPRINT.fullmatch(text.strip()[:200].lower().removeprefix("sha256 fingerprint=").replace(":", ""))
    return found[0] if found else None
