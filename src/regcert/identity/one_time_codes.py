"""Codes from a telephone: six digits that hold for half a minute, made of a secret that the telephone shares with us.

Spec: RFC 6238 with SHA-1, six digits and 30 seconds, which is what every authenticator app understands; RFC 4226 §5
"""

import base64
import hmac
import secrets
from urllib.parse import quote, urlencode

from regcert.clock import SECOND_US

STEP_S = 30
DIGITS = 6
_SECRET_BYTES = 20
_MOST_CHARACTERS = 64
# A telephone's clock may be off by as much as one step, and a person is not faster.
_DRIFT = 1


def new_secret() -> bytes:
    """Make a secret of 160 random bits."""
    return secrets.token_bytes(_SECRET_BYTES)


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """Compute the code of one step.

    Spec: RFC 4226 §5.3
    """
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def find_step(secret: bytes, code: str, now_us: int, used: int) -> int | None:
    """Find the step that a code is of; None where it is of none that may be used now.

    Args:
        secret: shared with the telephone.
        code: what was typed; blanks in it are overlooked.
        now_us: now.
        used: the last step of which a code was used: that one, and all before it, are good for nothing any more.
    """
    typed = "".join(code[:_MOST_CHARACTERS].split()).encode("utf-8", "replace")
    now = now_us // (STEP_S * SECOND_US)
    found = None
    for step in range(now - _DRIFT, now + _DRIFT + 1):  # all of them, so that no answer is faster than another
        if hmac.compare_digest(code_at(secret, step).encode(), typed) and step > used:
            found = step
    return found


def write_secret(secret: bytes) -> str:
    """Write a secret as people type it into an app: in base 32."""
    return base64.b32encode(secret).decode().rstrip("=")


def otpauth_uri(secret: bytes, login: str, host: str) -> str:
    """Write a secret as the address that authenticator apps read from a QR code.

    Args:
        secret: 20 bytes.
        login: whose.
        host: what people call this host; stands before the login in the app.
    """
    query = {"secret": write_secret(secret), "issuer": host, "algorithm": "SHA1", "digits": DIGITS, "period": STEP_S}
    return f"otpauth://totp/{quote(host, safe='')}:{quote(login, safe='')}?{urlencode(query, quote_via=quote)}"
