"""An OpenID provider, asked over HTTPS: where its endpoints are, what its keys are, and whom a code stands for.

What it answers is bounded, no redirect is followed, and everything is asked within seconds. Its own addresses come from its
discovery document, which the operator chose by naming the issuer; still, none of them may be plain HTTP, except on the loopback.

Spec: OpenID Connect Discovery 1.0 §4, RFC 6749 §4.1.3, RFC 7636
"""

import asyncio
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlsplit

import aiohttp
import orjson

from regcert.errors import Code, Refusal

MOST_BYTES = 256 * 1024
TIMEOUT_S = 10.0
KEEP_S = 3600.0
LEAST_AGE_S = 60.0
_MOST_CHARACTERS = 2000
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Account:
    """This host, as the provider knows it.

    Args:
        issuer: the provider's address, without a trailing slash unless it writes itself with one.
        client_id: our name there.
        client_secret: what we show it; empty where it asks for none.
    """

    issuer: str
    client_id: str
    client_secret: str


class Provider:
    """One provider; asked rarely, and its answers are kept for an hour.

    Args:
        ours: how it knows us.

    Raises:
        Refusal: INVALID_SETTING for an address over which others could read along.
    """

    def __init__(self, ours: Account) -> None:
        if not _is_safe(ours.issuer):
            raise Refusal(Code.INVALID_SETTING, "oidc_issuer must be the provider's https:// address, without anything behind it")
        self.ours = ours
        self._described: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, Mapping[str, Any]] | None = None
        self._asking = asyncio.Lock()

    async def find_endpoint(self, name: str) -> str:
        """Find an endpoint by the name that discovery gives it.

        Raises:
            Refusal: BUSY where the provider does not answer as one.
        """
        async with self._asking:
            if self._described is None or time.monotonic() - self._described[0] > KEEP_S:
                document = await _fetch(f"{self.ours.issuer.rstrip('/')}/.well-known/openid-configuration")
                if document.get("issuer") != self.ours.issuer:  # else it could speak for another one
                    raise _silent()
                self._described = time.monotonic(), document
            address = self._described[1].get(name)
        if not isinstance(address, str) or not _is_safe(address):
            raise _silent()
        return address

    async def get_keys(self, *, fresh: bool = False) -> Mapping[str, Any]:
        """Get the provider's keys.

        Args:
            fresh: ask again, because one was not among them; at most once a minute.
        """
        address = await self.find_endpoint("jwks_uri")
        async with self._asking:
            age_s = time.monotonic() - self._keys[0] if self._keys else KEEP_S + 1
            if self._keys is None or age_s > (LEAST_AGE_S if fresh else KEEP_S):
                self._keys = time.monotonic(), await _fetch(address)
            return self._keys[1]

    async def redeem(self, code: str, verifier: str, redirect_uri: str) -> str:
        """Exchange a code for an identity token, not yet known to be worth anything.

        Args:
            code: that the browser brought.
            verifier: whose SHA-256 went with the question.
            redirect_uri: that went with the question.

        Raises:
            Refusal: UNAUTHENTICATED where the provider does not know the code; BUSY where it does not answer as one.
        """
        address = await self.find_endpoint("token_endpoint")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self.ours.client_id,
            "code_verifier": verifier,
        }
        answer = await _fetch(address, form, self._authorization())
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _silent()
        return token

    def _authorization(self) -> str:
        if not self.ours.client_secret:
            return ""
        words = f"{quote_plus(self.ours.client_id)}:{quote_plus(self.ours.client_secret)}"
        return f"Basic {b64encode(words.encode()).decode()}"


def _is_safe(address: str) -> bool:
    """Tell whether nobody can read along at an address, or put words into the provider's mouth."""
    try:
        parts = urlsplit(address)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        is_safe = is_safe and bool(parts.hostname) and "@" not in parts.netloc and not parts.fragment and parts.port != 0
    except ValueError:
        return False
    return is_safe and len(address) <= _MOST_CHARACTERS and address.isascii() and address.isprintable()


async def _fetch(address: str, form: Mapping[str, str] | None = None, authorization: str = "") -> Mapping[str, Any]:
    headers = {"Accept": "application/json"} | ({"Authorization": authorization} if authorization else {})
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
            method = "GET" if form is None else "POST"
            async with session.request(method, address, data=form, headers=headers, allow_redirects=False) as reply:
                body = await _read(reply)
                status = reply.status
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise _silent() from error
    if form is not None and status in {400, 401, 403}:
        raise Refusal(Code.UNAUTHENTICATED, "the provider does not know this sign-in; begin again")
    try:
        document = orjson.loads(body)
    except ValueError as error:
        raise _silent() from error
    if status != 200 or not isinstance(document, dict):
        raise _silent()
    return document


async def _read(reply: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for piece in reply.content.iter_chunked(1 << 16):
        body += piece
        if len(body) > MOST_BYTES:
            raise _silent()
    return body


def _silent() -> Refusal:
    return Refusal(Code.BUSY, "the provider does not answer as one; try again later, or sign in another way")
