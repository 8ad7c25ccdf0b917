"""Talking to a host in bytes: many requests on one connection, and what comes back for each, whenever the host hangs up."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

HANG_S = 120  # not a promise of speed: what has not been answered by then never will be


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host said to one request.

    Args:
        status: of its first line.
        headers: by their names in small letters.
        head: all of it in front of the body.
        body: as it came, still coded.
    """

    status: int
    headers: dict[str, str]
    head: bytes
    body: bytes

    @property
    def json(self) -> Any:
        """What the body says, or None where it is no JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    @property
    def is_ours(self) -> bool:
        """Whether the application said it, and not the parser of HTTP in front of it."""
        return "x-request-id" in self.headers


async def talk(host: str, port: int, methods: Sequence[str], requests: Sequence[bytes], *, ends: bool = False) -> list[Answer]:
    """Send requests one behind the other without waiting, and read what is answered.

    Args:
        host: its address.
        port: its port.
        methods: of the requests: the answer to a HEAD has no body.
        requests: their bytes.
        ends: whether to say behind them that no more will come: without that, a host waits for a body that is too short.

    Returns:
        The answers in their order: fewer than requests where the host hung up.

    Raises:
        TimeoutError: the host neither answered nor hung up.
    """
    async with asyncio.timeout(HANG_S):
        reader, writer = await asyncio.open_connection(host, port)
        sending = asyncio.create_task(_send(writer, requests, ends=ends))
        try:
            return await _read_answers(reader, methods)
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await sending
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def _send(writer: asyncio.StreamWriter, requests: Sequence[bytes], *, ends: bool) -> None:
    with suppress(ConnectionError):
        for request in requests:
            writer.write(request)
            await writer.drain()
        if ends:
            writer.write_eof()


async def _read_answers(reader: asyncio.StreamReader, methods: Sequence[str]) -> list[Answer]:
    answers: list[Answer] = []
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        while len(answers) < len(methods):
            answer = await _read_answer(reader, methods[len(answers)])
            if answer.status >= 200:
                answers.append(answer)
            if answer.status >= 200 and not answer.is_ours:
                break  # what the parser refuses is the end of its connection
    return answers


async def _read_answer(reader: asyncio.StreamReader, method: str) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    status = int(first.split(" ")[1])
    if method == "HEAD" or status in {204, 304} or status < 200:
        return Answer(status, headers, head, b"")
    if headers.get("transfer-encoding") == "chunked":
        return Answer(status, headers, head, await _read_chunks(reader))
    if "content-length" in headers:
        return Answer(status, headers, head, await reader.readexactly(int(headers["content-length"])))
    return Answer(status, headers, head, await reader.read())


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    pieces = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(pieces)
