"""An HTTP transport for taxii2-client, which by itself waits for ever, reads whatever comes, follows redirects, tries once."""

import random
import time
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from regcert.outbound.patience import BUSY, Patience

MOST_ANSWER_BYTES = 256 * 1024 * 1024
_TIMEOUT_S = (10, 60)  # to connect, and between two pieces of an answer


class TooMuch(requests.RequestException):
    """An answer is larger than any that makes sense."""


class BoundedTransport(HTTPAdapter):
    """Sends a request until the server is no longer busy or patience is over; waits a bounded time, reads a bounded answer.

    A POST that was answered 429 or 503 is sent again too: nothing was stored, and if it was, the same object again is no new one.
    """

    _patience = Patience()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002 - the signature is the library's
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,  # noqa: ARG002
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request and read all of its answer.

        Raises:
            TooMuch: more came than MOST_ANSWER_BYTES, counted behind any compression.
        """
        started, failed = time.monotonic(), 0
        while True:
            response = super().send(request, stream=True, timeout=_TIMEOUT_S, verify=verify, cert=cert, proxies=proxies)
            _read(response)
            if response.status_code not in BUSY:
                return response
            failed += 1
            said, spent_s = response.headers.get("Retry-After"), time.monotonic() - started
            delay_s = self._patience.find_delay_s(failed, spent_s, said, time.time_ns() // 1000, random.random)
            if delay_s is None:
                return response
            time.sleep(delay_s)


def bound(session: Any) -> None:
    """Make a requests session patient within bounds, and stay where it was sent.

    A redirect raises `requests.TooManyRedirects`: a token is for the host it was given to.
    """
    session.mount("http://", BoundedTransport())
    session.mount("https://", BoundedTransport())
    session.max_redirects = 0


def _read(response: requests.Response) -> None:
    """Read an answer within its bound.

    Raises:
        TooMuch: there is more.
    """
    body = bytearray()
    for part in response.iter_content(1 << 16):
        body += part
        if len(body) > MOST_ANSWER_BYTES:
            response.close()
            raise TooMuch(response=response)
    response._content = bytes(body)  # noqa: SLF001 - there is no other way to hand over what was read
