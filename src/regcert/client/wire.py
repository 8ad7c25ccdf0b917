"""One request and its answer: bounded, on one origin, tried again where that cannot do harm.

What is tried again: GET and HEAD where the server is busy (429, 503) or the connection fails; POST where the server is busy or
was never reached. A POST that broke off halfway is not: whether it was taken is not known, and whoever publishes decides. DELETE
is never repeated. Redirects are not followed, cookies are not kept.
"""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from regcert import __version__
from regcert.client.inflate import Inflater
from regcert.client.options import Options
from regcert.client.trying import Trying
from regcert.errors import Code, Refusal
from regcert.outbound.answers import refusal_of, require_token, unreachable, unreadable
from regcert.outbound.patience import BUSY

MEDIA_TYPE = "application/taxii+json;version=2.1"
Credentials = str | tuple[str, str] | None

_SAFE = frozenset({"GET", "HEAD"})
_FAILURES = (aiohttp.ClientError, TimeoutError, OSError)
_NEVER_REACHED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_HOPELESS = (aiohttp.ClientSSLError, aiohttp.InvalidURL)
_MOST_REASON_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Ask:
    """One request.

    Args:
        method: GET, HEAD, POST or DELETE.
        address: absolute, with its trailing slash, without a query.
        query: its fields, each once.
        headers: beyond those that every request has.
        body: of a POST.
        wait_s: how much longer than usual the answer may take, seconds.
    """

    method: str
    address: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that says yes, or 304 where that was asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """Connections to one origin, with the credentials for it.

    Args:
        origin: of every request; the credentials go nowhere else.
        credentials: a token, a user and a password, or nothing.
        options: bounds, patience, TLS.

    Raises:
        Refusal: UNAUTHENTICATED for credentials that cannot stand in a header.
    """

    def __init__(self, origin: URL, credentials: Credentials, options: Options) -> None:
        self._origin = origin
        self._options = options
        self._headers = {"Accept": MEDIA_TYPE, "Accept-Encoding": "gzip", "User-Agent": f"RegCERT/{__version__}"}
        if credentials is not None:
            self._headers["Authorization"] = _authorization(credentials, options.scheme)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            auto_decompress=False,  # it knows no bound: `Inflater` does
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=self._options.proxies_from_environment,
        )
        # aiohttp sends a second time on its own where a kept connection breaks, also a DELETE. Who tries again is decided here.
        self._session._retry_connection = False  # noqa: SLF001 - there is no public way
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
        self._session = None

    async def ask(self, ask: Ask) -> Reply:
        """Send a request until it is answered.

        Raises:
            Refusal: what the server says when it says no; UNREACHABLE; BUSY when patience is over; REFUSED_BY_SERVER.
        """
        self._require_origin(ask.address)
        trying = Trying(self._options.patience, self._options.timing)
        while True:
            try:
                reply = await self._send(ask)
            except _FAILURES as error:
                if _may_repeat(ask.method, error) and await trying.again():
                    continue
                raise unreachable(str(self._origin)) from error
            if reply.status in BUSY and ask.method != "DELETE" and await trying.again(reply.headers.get("Retry-After")):
                continue
            if reply.status < 300 and reply.body:
                _require_media_type(reply.headers.get("Content-Type", ""))
            if reply.status < 300 or (reply.status == 304 and "If-None-Match" in ask.headers):
                return reply
            raise refusal_of(reply.status, reply.body)

    async def _send(self, ask: Ask) -> Reply:
        if self._session is None:
            raise RuntimeError("open the client first: async with AsyncClient(...) as client")
        bounds = self._options.bounds
        timeout = aiohttp.ClientTimeout(
            total=bounds.total_s + ask.wait_s, connect=bounds.connect_s, sock_read=bounds.silence_s + ask.wait_s
        )
        query = f"?{urlencode(ask.query)}" if ask.query else ""
        async with self._session.request(
            ask.method,
            URL(ask.address + query, encoded=True),
            headers={**self._headers, **ask.headers},
            data=None if ask.body is None else io.BytesIO(ask.body),
            allow_redirects=False,
            timeout=timeout,
            ssl=self._options.tls or True,
        ) as response:
            if response.status < 300:
                body = await _read(response, bounds.most_answer_bytes)
            else:
                body = await _read_reason(response)
            return Reply(response.status, response.headers, body)

    def _require_origin(self, address: str) -> None:
        """Refuse to take the credentials anywhere but to the origin that was named, whatever led there."""
        if not on_origin(address, self._origin):
            raise Refusal(Code.REFUSED_BY_SERVER, "the server points to another origin; name that one if it is to get your token")


def on_origin(address: str, origin: URL) -> bool:
    """Tell whether an absolute address stays on an origin, without a name or password in it."""
    try:
        url = URL(address, encoded=True)
        plain = url.raw_user is None and url.raw_password is None
        return plain and (url.scheme, (url.host or "").lower(), url.port) == (origin.scheme, origin.host, origin.port)
    except ValueError:
        return False


def _require_media_type(content_type: str) -> None:
    """Refuse an answer that calls itself something else than JSON, or another version of TAXII.

    Blanks, quotes, other parameters, no version, plain JSON and no media type at all do no harm and are let be.

    Raises:
        Refusal: REFUSED_BY_SERVER.

    Spec: TAXII 2.1 §1.6.8, §3.1
    """
    name, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if name and not name.endswith(("/json", "+json")):
        raise unreadable()
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if name == "application/taxii+json" and key.strip() == "version" and value.strip(' "') not in {"", "2.1"}:
            raise Refusal(Code.REFUSED_BY_SERVER, "the server answers in another version of TAXII than 2.1")


def _authorization(credentials: str | tuple[str, str], scheme: str) -> str:
    if isinstance(credentials, str):
        return f"{scheme} {require_token(credentials)}"
    user, password = credentials
    if ":" in user or not (user + password).isprintable():
        raise Refusal(Code.UNAUTHENTICATED, "a user name has no colon, and neither it nor the password control characters")
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _may_repeat(method: str, error: BaseException) -> bool:
    if isinstance(error, _HOPELESS):
        return False
    return method in _SAFE or (method == "POST" and isinstance(error, _NEVER_REACHED))


async def _read(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    inflater = Inflater(response.headers.get("Content-Encoding", ""), most_bytes)
    async for part in response.content.iter_chunked(1 << 16):
        inflater.feed(part)
    return inflater.close()


async def _read_reason(response: aiohttp.ClientResponse) -> bytes:
    """Read why a server says no, as far as that can be read: the number is worth more."""
    try:
        return await _read(response, _MOST_REASON_BYTES)
    except Refusal:
        return b""
