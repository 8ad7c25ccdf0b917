"""A bare HTTP client for looking at somebody's server: it sends exactly what it is told and says exactly what came back.

Nothing is added but what HTTP itself needs (Host, the length of a body), nothing is followed, nothing is unpacked and nothing is
tried again: who judges a server must see what it does. Each request goes on a connection of its own, so that a connection that
one answer broke is not the next request's trouble.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Self

import aiohttp
from yarl import URL

from regcert.errors import Code, Refusal
from regcert.outbound.answers import require_server

MOST_ANSWER_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 1 << 16
_UNASKED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Args:
        status: the HTTP number, or 0 where nothing that is HTTP came.
        headers: names as they were sent, and values, in their order.
        body: as it was sent, also where it is coded.
        trouble: why there is no answer, in our words; empty where there is one.
    """

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    trouble: str = ""


class HttpWire:
    """One server, asked request by request; `open_wire` makes it.

    Args:
        origin: scheme, host and port; no request leaves it.
        session: with which it is asked.
    """

    def __init__(self, origin: str, session: aiohttp.ClientSession) -> None:
        self.origin = origin
        self._session = session

    async def ask(
        self,
        method: str,
        path: str,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        *,
        chunked: bool = False,
    ) -> Answer:
        """Send one request and wait for its answer.

        Args:
            method: as it is sent.
            path: with its query, beginning with `/`; goes out as it stands.
            headers: those and no others; a name may stand twice.
            body: its bytes, or None for none.
            chunked: send the body in chunks, without saying how long it is.
        """
        if not path.startswith("/") or path.startswith("//"):
            return Answer(trouble="the address leads away from the server")
        sent = None if body is None else _pieces(body) if chunked else BytesIO(body)
        try:
            async with self._session.request(
                method, URL(self.origin + path, encoded=True), headers=list(headers), data=sent, allow_redirects=False
            ) as response:
                taken = bytearray()
                async for part in response.content.iter_chunked(_CHUNK_BYTES):
                    taken += part
                    if len(taken) > MOST_ANSWER_BYTES:
                        return Answer(trouble=f"the answer is larger than {MOST_ANSWER_BYTES} bytes")
                shown = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers)
                return Answer(response.status, shown, bytes(taken))
        except TimeoutError:
            return Answer(trouble="no answer came in time")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(trouble=f"the connection broke ({type(error).__name__})")


@asynccontextmanager
async def open_wire(server: str, timeout_s: float, *, proxies_from_environment: bool = False) -> AsyncIterator[HttpWire]:
    """Open a wire to the host of an address.

    Args:
        server: any address on it.
        timeout_s: how long one answer may take, with its body.
        proxies_from_environment: go through the proxy that the environment names; a judge does not.

    Raises:
        Refusal: INVALID_SETTING.
    """
    address = require_server(server)
    try:
        origin = str(URL(address).origin())
    except ValueError as error:
        raise Refusal(Code.INVALID_SETTING, "the server must be an address such as https://regcert.example") from error
    async with aiohttp.ClientSession(
        auto_decompress=False,
        connector=aiohttp.TCPConnector(force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=_UNASKED,
        trust_env=proxies_from_environment,
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        max_line_size=65_536,
        max_field_size=65_536,
    ) as session:
        yield HttpWire(origin, session)


class _Pieces:
    """A body in pieces: aiohttp sends what it cannot measure in chunks."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._at >= len(self._body):
            raise StopAsyncIteration
        self._at += _CHUNK_BYTES
        return self._body[self._at - _CHUNK_BYTES : self._at]


def _pieces(body: bytes) -> AsyncIterator[bytes]:
    return _Pieces(body)
