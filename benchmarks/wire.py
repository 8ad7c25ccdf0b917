"""One connection, and the bytes that go over it: requests written beforehand, answers looked at only where a number is needed."""

import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)")
_FIRST_BYTES = 1 << 20
_NO_BODY = frozenset({204, 304})


class Exchange:
    """One connection with one request under way at most; opened again for the next request where the server closes it.

    Args:
        port: of the loopback.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._buffer = bytearray(_FIRST_BYTES)
        self._socket = self._open()
        self._is_closing = False
        self._unsent = memoryview(b"")
        self._reset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; what was read stays."""
        self._socket.close()

    def fileno(self) -> int:
        """Return the socket's number, which changes when the connection is opened again; -1 while it is closed."""
        return self._socket.fileno()

    def ask(self, request: bytes) -> bool:
        """Begin a request; return whether all of it could be sent at once."""
        if self._is_closing:
            self._socket = self._open()
        self._reset()
        self._unsent = memoryview(request)
        return self.push()

    def push(self) -> bool:
        """Send what the connection takes now; return whether all is sent."""
        with suppress(BlockingIOError):
            while self._unsent:
                self._unsent = self._unsent[self._socket.send(self._unsent, socket.MSG_DONTWAIT) :]
        return not self._unsent

    def pull(self) -> bool:
        """Read what has come, waiting if nothing has; return whether the answer is whole."""
        count = self._socket.recv_into(memoryview(self._buffer)[self._got :])
        if not count:
            raise ConnectionError("the server closed the connection in the middle of an answer")
        self._got += count
        if not self._end:
            self._read_head()
        is_whole = 0 < self._end <= self._got
        if is_whole and self._is_closing:
            self._socket.close()  # at once: a server of few workers may wait for it before it turns to anybody else
        return is_whole

    def fetch(self, request: bytes) -> int:
        """Ask, wait for the answer, and return its status."""
        self.ask(request)
        while not self.push():
            pass
        while not self.pull():
            pass
        return self.status

    @property
    def body(self) -> bytearray:
        """A copy of the answer's body."""
        return self._buffer[self._start : self._end]

    @property
    def size_bytes(self) -> int:
        """Length of the body."""
        return self._end - self._start

    def ends(self, count: int) -> tuple[bytearray, bytearray]:
        """Copy the first and the last bytes of the body, where the envelope's own properties stand."""
        return self._buffer[self._start : min(self._start + count, self._end)], self._buffer[
            max(self._start, self._end - count) : self._end
        ]

    def header(self, name: bytes) -> str | None:
        """Find a header; its name in small letters."""
        head = bytes(self._buffer[: self._start])
        at = head.lower().find(b"\r\n" + name + b":")
        return None if at < 0 else head[at + 3 + len(name) : head.index(b"\r\n", at + 2)].strip().decode()

    def _reset(self) -> None:
        self.status = 0
        self._got = self._start = self._end = 0

    def _open(self) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self._port))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def _read_head(self) -> None:
        at = self._buffer.find(b"\r\n\r\n", 0, self._got)
        if at < 0:
            return
        head = bytes(self._buffer[:at]).lower()
        self.status = int(head[9:12])
        self._is_closing = b"\r\nconnection: close" in head
        self._start = at + 4
        found = _LENGTH.search(head)
        if self.status in _NO_BODY:
            self._end = self._start
        elif found is None:
            raise RuntimeError("an answer without a length")
        else:
            self._end = self._start + int(found[1])
        if self._end > len(self._buffer):
            self._buffer.extend(bytes(self._end - len(self._buffer)))


@dataclass(frozen=True, slots=True)
class Speech:
    """How requests to one server are written.

    Args:
        collection: path of the collection, with a slash at its end.
        accounts: values of the Authorization header.
    """

    collection: str
    accounts: tuple[str, ...]

    def get(self, query: str, resource: str = "objects/", account: int = 0, headers: str = "") -> bytes:
        """Write a GET of something below the collection."""
        return f"GET {self.collection}{resource}?{query} HTTP/1.1\r\n{self._headers(account)}{headers}\r\n".encode()

    def get_in_parts(self, query: str, account: int = 0) -> tuple[bytes, bytes]:
        """Write a GET of objects in two parts, between which more of the query fits."""
        head, tail = self.get(query, account=account).split(b" HTTP/1.1", 1)
        return head, b" HTTP/1.1" + tail

    def post(self, body: bytes, account: int = 0) -> bytes:
        """Write the POST of an envelope."""
        length = f"Content-Type: {_MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
        return f"POST {self.collection}objects/ HTTP/1.1\r\n{self._headers(account)}{length}".encode() + body

    def _headers(self, account: int) -> str:
        authorization = self.accounts[account % len(self.accounts)]
        return f"Host: 127.0.0.1\r\nAuthorization: {authorization}\r\nAccept: {_MEDIA_TYPE}\r\n"


_MEDIA_TYPE = "application/taxii+json;version=2.1"
