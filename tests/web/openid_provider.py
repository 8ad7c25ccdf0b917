"""A small OpenID provider on the loopback: it does what it is told, also what none should."""

import base64
import hashlib
import secrets
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey

from regcert.assembly.host import listening


@dataclass
class SmallProvider:
    """Knows one client, and who is at the keyboard."""

    url: str = ""
    subject: str = "subject-of-ana"
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"}))
    described: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, web.Response] = field(default_factory=dict)
    token: str | None = None
    now_s: int = 0
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def agree(self, address: str) -> tuple[str, str]:
        """Do what a person does at the provider: sign in and agree; return the code and the state."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query, strict_parsing=True).items()}
        assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == ("code", "openid", "S256")
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return code, asked["state"]

    async def describe(self, request: web.Request) -> web.Response:
        return self._answer(
            request,
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize?theme=dark",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
            | self.described,
        )

    async def keys(self, request: web.Request) -> web.Response:
        return self._answer(request, {"keys": [self.key.as_dict(private=False)]})

    async def redeem(self, request: web.Request) -> web.Response:
        form = await request.post()
        asked = self.codes.pop(str(form["code"]), None)
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        is_client = request.headers["Authorization"] == "Basic " + base64.b64encode(b"regcert:s%26cret").decode()
        if (
            asked is None
            or challenge != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
            or not is_client
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims = {
            "iss": self.url, "aud": asked["client_id"], "sub": self.subject, "exp": self.now_s + 300, "iat": self.now_s,
            "nonce": asked["nonce"],
        } | self.claims  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            token = self.token or jwt.encode({"alg": "ES256", "kid": self.key.kid} | self.header, claims, self.key)
        return self._answer(request, {"id_token": token, "access_token": "x", "token_type": "Bearer"})

    def _answer(self, request: web.Request, document: Any) -> web.Response:
        self.asked.append(request.path)
        return self.answers.get(request.path) or web.json_response(document)


@asynccontextmanager
async def providing(now_s: int) -> AsyncIterator[SmallProvider]:
    """Run a provider until the block ends."""
    provider, app = SmallProvider(now_s=now_s), web.Application()
    app.router.add_get("/.well-known/openid-configuration", provider.describe)
    app.router.add_get("/keys", provider.keys)
    app.router.add_post("/token", provider.redeem)
    app.router.add_post("/elsewhere", provider.redeem)
    async with listening(app, "127.0.0.1", 0) as port:
        provider.url = f"http://127.0.0.1:{port}"
        yield provider
