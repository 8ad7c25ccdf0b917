"""What the suite needs of a connection: something that sends exactly what a check says."""

from collections.abc import Sequence
from typing import Protocol


class Answered(Protocol):
    """What came back from one request."""

    @property
    def status(self) -> int:
        """The HTTP number, or 0 where no answer came."""

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """Names and values, in their order."""

    @property
    def body(self) -> bytes:
        """The body as it was sent, bounded."""

    @property
    def trouble(self) -> str:
        """Why there is no answer; empty where there is one."""


class Wire(Protocol):
    """A server that can be asked; implementations stay on the host that was named and follow no redirect."""

    @property
    def origin(self) -> str:
        """Scheme, host and port of the server."""

    async def ask(
        self,
        method: str,
        path: str,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        *,
        chunked: bool = False,
    ) -> Answered:
        """Send one request, with these headers and no others, and wait a bounded time for a bounded answer."""
