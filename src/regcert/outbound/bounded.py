"""An HTTP transport for taxii2-client, which by itself waits for ever, reads whatever comes and follows redirects."""

from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter

MOST_ANSWER_BYTES = 256 * 1024 * 1024
_TIMEOUT_S = (10, 60)  # to connect, and between two pieces of an answer


class TooMuch(requests.RequestException):
    """An answer is larger than any that makes sense."""


class BoundedTransport(HTTPAdapter):
    """Sends one request, waits a bounded time and reads a bounded answer."""

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
        response = super().send(request, stream=True, timeout=_TIMEOUT_S, verify=verify, cert=cert, proxies=proxies)
        body = bytearray()
        for part in response.iter_content(1 << 16):
            body += part
            if len(body) > MOST_ANSWER_BYTES:
                response.close()
                raise TooMuch(response=response)
        response._content = bytes(body)  # noqa: SLF001 - there is no other way to hand over what was read
        return response


def bound(session: Any) -> None:
    """Make a requests session patient within bounds, and stay where it was sent.

    A redirect raises `requests.TooManyRedirects`: a token is for the host it was given to.
    """
    session.mount("http://", BoundedTransport())
    session.mount("https://", BoundedTransport())
    session.max_redirects = 0
