"""The other end of the socket: requests made beforehand, answers read as bytes and looked at only where a number is needed.

Threads suffice for several clients at once: they wait in the kernel, and what they do between is a fraction of the server's.
"""

import re
import socket
from dataclasses import dataclass
from typing import Self

_MEDIA_TYPE = "application/taxii+json;version=2.1"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_NEXT = re.compile(rb'"next":"([^"]+)"')
_TAIL_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `body` is a view that the next request overwrites."""

    status: int
    body: memoryview

    @property
    def next(self) -> str | None:
        """The cursor, from the last bytes of the body."""
        found = _NEXT.search(self.body[-_TAIL_BYTES:])
        return found[1].decode() if found else None


class Client:
    """One connection that stays open.

    Args:
        port: of the loopback.
        token: a bearer token.
        collection: path of the collection.
    """

    def __init__(self, port: int, token: str, collection: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(4 << 20)
        self._collection = collection
        self._headers = _headers(token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, request: bytes) -> Reply:
        """Send a request as it is and read the answer."""
        self._socket.sendall(request)
        return self._receive()

    def get(self, query: str, resource: str = "objects") -> Reply:
        """Ask the collection for objects, or for its manifest."""
        return self.send(f"GET {self._collection}{resource}/?{query} HTTP/1.1\r\n{self._headers}\r\n".encode())

    def _receive(self) -> Reply:
        view = memoryview(self._buffer)
        got = 0
        while (head := self._buffer.find(b"\r\n\r\n", 0, got)) < 0:
            got += self._receive_into(view[got:])
        found = _LENGTH.search(self._buffer, 0, head)
        if found is None:
            raise RuntimeError("an answer without a length")
        start, end = head + 4, head + 4 + int(found[1])
        if end > len(self._buffer):
            raise RuntimeError(f"an answer of {end} bytes")
        while got < end:
            got += self._receive_into(view[got:end])
        return Reply(int(self._buffer[9:12]), view[start:end])

    def _receive_into(self, view: memoryview) -> int:
        count = self._socket.recv_into(view)
        if not count:
            raise ConnectionError("the server closed the connection")
        return count


def post(token: str, collection: str, body: bytes) -> bytes:
    """Write the POST of an envelope, ready to be sent by anybody."""
    length = f"Content-Type: {_MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
    return f"POST {collection}objects/ HTTP/1.1\r\n{_headers(token)}{length}".encode() + body


def _headers(token: str) -> str:
    return f"Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nAccept: {_MEDIA_TYPE}\r\n"
