"""Identity tokens of an OpenID provider: who somebody is, in the provider's words, believed only if every one of them is right.

Spec: OpenID Connect Core 1.0 §3.1.3.7; RFC 8725 for what is refused
"""

import hmac
import warnings
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import Key, KeySet, RSAKey, import_key

from regcert.clock import SECOND_US
from regcert.errors import Code, Refusal

# Each is a signature that only the provider can make. `none` is none, and HS256 is one that whoever knows a public key,
# taken for a shared secret, can make, too.
ALGORITHMS = ("RS256", "ES256", "EdDSA")
MOST_KEYS = 100
LEEWAY_S = 60
_MOST_CHARACTERS = 16_384
_MOST_SUBJECT = 255
_LEAST_RSA_BITS = 2048
_KINDS = frozenset({"RSA", "EC", "OKP"})


def read_keys(document: Mapping[str, Any]) -> KeySet:
    """Read a provider's public keys; those of other kinds or for other uses are left out.

    Raises:
        Refusal: UNAUTHENTICATED where none is left.
    """
    listed = document.get("keys")
    keys = [_find_key(one) for one in listed[:MOST_KEYS]] if isinstance(listed, list) else []
    found: list[Key] = [key for key in keys if key is not None]
    if not found:
        raise _refused()
    return KeySet(found)


def _find_key(one: object) -> Key | None:
    if not isinstance(one, dict) or one.get("use", "sig") != "sig" or one.get("kty") not in _KINDS or "d" in one:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            key: Key = import_key(one)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None if isinstance(key, RSAKey) and key.public_key.key_size < _LEAST_RSA_BITS else key


def read_id_token(token: str, keys: KeySet, *, issuer: str, client_id: str, nonce: str, now_us: int) -> str:
    """Read an identity token, and return its subject.

    Args:
        token: as the provider's token endpoint gave it.
        keys: of the provider.
        issuer: the provider that it must be of.
        client_id: our own name there, for which it must be.
        nonce: of the sign-in that asked for it.
        now_us: now; the provider's clock may be a minute off.

    Raises:
        Refusal: UNAUTHENTICATED, with one sentence for every reason.
    """
    if len(token) > _MOST_CHARACTERS:
        raise _refused()
    try:
        with warnings.catch_warnings():  # joserfc says that EdDSA has a newer name
            warnings.simplefilter("ignore", SecurityWarning)
            claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise _refused() from error
    now_s, subject = now_us / SECOND_US, claims.get("sub")
    is_ours = (
        claims.get("iss") == issuer
        and _is_for(client_id, claims)
        and _is_number(claims.get("exp"))
        and claims["exp"] > now_s - LEEWAY_S
        and all(_is_number(claims.get(name, 0)) and claims.get(name, 0) <= now_s + LEEWAY_S for name in ("nbf", "iat"))
        and isinstance(claims.get("nonce"), str)
        and hmac.compare_digest(claims["nonce"].encode("utf-8", "replace"), nonce.encode())
    )
    if not is_ours or not isinstance(subject, str) or not 1 <= len(subject) <= _MOST_SUBJECT or not subject.isprintable():
        raise _refused()
    return subject


def account(issuer: str, subject: str) -> str:
    """Name an account: a subject is somebody only at its own provider."""
    return f"{issuer} {subject}"


def _is_for(client_id: str, claims: Mapping[str, Any]) -> bool:
    audience = claims.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    if client_id not in listed:
        return False
    return claims.get("azp", client_id) == client_id and (len(listed) == 1 or "azp" in claims)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refused() -> Refusal:
    return Refusal(Code.UNAUTHENTICATED, "the provider did not say who you are in a way that holds; sign in again")
