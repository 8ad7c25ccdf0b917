"""Identity tokens: every claim that is wrong, and every algorithm that anybody could sign with, is refused."""

import base64
import hmac
import json
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from regcert.errors import Code, Refusal
from regcert.identity.id_tokens import read_id_token, read_keys

NOW_S = 1_795_000_000
ISSUER, CLIENT, NONCE = "https://id.example", "regcert", "nonce-of-this-sign-in"
CLAIMS = {"iss": ISSUER, "aud": CLIENT, "sub": "ana", "exp": NOW_S + 300, "iat": NOW_S, "nonce": NONCE}
RSA = RSAKey.generate_key(2048, {"kid": "r"})
KEYS: dict[str, Key] = {
    "RS256": RSA,
    "ES256": ECKey.generate_key("P-256", {"kid": "e"}),
    "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "o"}),
}
STRANGER = RSAKey.generate_key(2048, {"kid": "r"})


def sign(claims: dict[str, Any], alg: str = "RS256", key: Key | None = None, **header: Any) -> str:
    key = key or KEYS[alg]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return jwt.encode({"alg": alg, "kid": key.kid, **header}, claims, key, algorithms=[alg])


def forge(secret: bytes) -> str:
    """Sign with what everybody knows."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "kid": "r"}, CLAIMS)]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = base64.urlsafe_b64encode(hmac.digest(secret, text, "sha256")).rstrip(b"=")
    return (text + b"." + signature).decode()


def read(token: str, keys: list[Key] | None = None) -> str:
    published = {"keys": [key.as_dict(private=False) for key in keys or list(KEYS.values())]}
    return read_id_token(token, read_keys(published), issuer=ISSUER, client_id=CLIENT, nonce=NONCE, now_us=NOW_S * 1_000_000)


@pytest.mark.parametrize("alg", KEYS)
@pytest.mark.parametrize("claims", [{}, {"aud": [CLIENT]}, {"aud": [CLIENT, "other"], "azp": CLIENT}, {"exp": NOW_S - 59}])
def test_token_is_read_when_it_is_ours(alg: str, claims: dict[str, Any]) -> None:
    """Each algorithm that is allowed; an audience alone or in a list; a clock that is a minute off."""
    assert read(sign(CLAIMS | claims, alg)) == "ana"


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in CLAIMS.items() if key != name}


WRONG: dict[str, Callable[[], str]] = {
    "other issuer": lambda: sign(CLAIMS | {"iss": "https://evil.example"}),
    "issuer with a slash": lambda: sign(CLAIMS | {"iss": ISSUER + "/"}),
    "other audience": lambda: sign(CLAIMS | {"aud": "other"}),
    "audience among others": lambda: sign(CLAIMS | {"aud": [CLIENT, "other"]}),
    "made for another": lambda: sign(CLAIMS | {"aud": [CLIENT, "other"], "azp": "other"}),
    "audience of parts": lambda: sign(CLAIMS | {"aud": [[CLIENT]]}),
    "expired": lambda: sign(CLAIMS | {"exp": NOW_S - 60}),
    "expiry as text": lambda: sign(CLAIMS | {"exp": str(NOW_S + 300)}),
    "not yet": lambda: sign(CLAIMS | {"nbf": NOW_S + 61}),
    "from the future": lambda: sign(CLAIMS | {"iat": NOW_S + 61}),
    "other nonce": lambda: sign(CLAIMS | {"nonce": "other"}),
    "subject as number": lambda: sign(CLAIMS | {"sub": 1}),
    "empty subject": lambda: sign(CLAIMS | {"sub": ""}),
    "long subject": lambda: sign(CLAIMS | {"sub": "x" * 256}),
    "subject with a line": lambda: sign(CLAIMS | {"sub": "a\nb"}),
    **{f"no {name}": lambda name=name: sign(without(name)) for name in ("iss", "aud", "sub", "exp", "nonce")},  # type: ignore[misc]
    "stranger's key": lambda: sign(CLAIMS, key=STRANGER),
    "no such key": lambda: sign(CLAIMS, kid="x"),
    "public key as a secret": lambda: forge(RSA.as_pem(private=False)),
    "public key of the document as a secret": lambda: forge(str(RSA.as_dict(private=False)["n"]).encode()),
    "algorithm that is not allowed": lambda: sign(CLAIMS, "RS512", RSA),
    "changed": lambda: sign(CLAIMS)[:-8] + "AAAAAAAA",
    "none": lambda: ".".join([*base64.urlsafe_b64encode(b'{"alg":"none"}').decode().split(), sign(CLAIMS).split(".")[1], ""]),
    "nothing": lambda: "",
    "noise": lambda: "a.b.c",
    "huge": lambda: sign(CLAIMS | {"x": "x" * 20_000}),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_token_is_refused_when_anything_is_wrong(name: str) -> None:
    """One code and one sentence for all of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        token = WRONG[name]()
    with pytest.raises(Refusal) as refused:
        read(token)
    assert refused.value.code is Code.UNAUTHENTICATED
    assert refused.value.message == "the provider did not say who you are in a way that holds; sign in again"


@pytest.mark.parametrize(
    "document",
    [
        {}, {"keys": None}, {"keys": []}, {"keys": ["x", None, {}]}, {"keys": [{"kty": "oct", "k": "AAAA"}]},
        {"keys": [KEYS["ES256"].as_dict(private=True)]}, {"keys": [KEYS["ES256"].as_dict(private=False) | {"use": "enc"}]},
        {"keys": [{"kty": "RSA", "n": "!", "e": "AQAB"}]},
    ],
)  # fmt: skip
def test_keys_are_refused_when_none_is_a_public_key_to_sign_with(document: dict[str, Any]) -> None:
    """A shared secret is no key here, and neither is what is no key."""
    with pytest.raises(Refusal):
        read_keys(document)


def test_keys_are_left_out_when_they_are_too_short() -> None:
    """An RSA key of 1024 bits is factored by those who have the machines."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        short = RSAKey.generate_key(1024)
    with pytest.raises(Refusal):
        read_keys({"keys": [short.as_dict(private=False)]})
