"""A host's log, read over HTTP like static files; whatever comes is a claim."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from regcert import __version__
from regcert.errors import Code, Refusal
from regcert.outbound.answers import inert, refusal_of, require_server, require_token
from regcert.outbound.wire import Answer, HttpWire
from regcert.signing.note import MOST_NOTE_BYTES
from regcert.translog.tiles import TILE_WIDTH, Place, TileName, tile_width
from regcert.translog.tree import HASH_BYTES

TIMEOUT_S = 30.0


class LogReader:
    """The log of one host.

    Args:
        wire: to the host; it bounds what it reads.
        server: the host's address, with the path in front of `/log` if it has one.
        token: of somebody who may read the log.

    Raises:
        Refusal: INVALID_SETTING, UNAUTHENTICATED.

    Spec: C2SP tlog-tiles, "APIs"
    """

    def __init__(self, wire: HttpWire, server: str, token: str) -> None:
        self._wire = wire
        self._prefix = urlsplit(require_server(server)).path
        self._headers = [
            ("Authorization", f"Bearer {require_token(token)}"),
            ("Accept-Encoding", "identity"),
            ("User-Agent", f"RegCERT/{__version__}"),
        ]

    async def fetch_checkpoint(self) -> bytes:
        """Fetch the newest checkpoint, with the cosignatures that the host hands out.

        Raises:
            Refusal: UNREACHABLE, BUSY, UNAUTHENTICATED, NOT_FOUND, REFUSED_BY_SERVER; INVALID_CHECKPOINT where it is too large.
        """
        answer = self._require(await self._get("/log/checkpoint"))
        if len(answer.body) > MOST_NOTE_BYTES:
            raise Refusal(Code.INVALID_CHECKPOINT, "the server's checkpoint is too large to be one; ask the host's operator")
        return answer.body

    async def fetch_tiles(self, places: Iterable[Place], size: int) -> dict[Place, bytes]:
        """Fetch tiles, each as wide as a tree has it.

        Args:
            places: few; a proof needs at most two a level.
            size: of the tree, from a checkpoint that the log signed.

        Raises:
            Refusal: as above; INVALID_PROOF where a tile has another length.

        Spec: C2SP tlog-tiles, "Partial Tiles"
        """
        return {place: await self._fetch_tile(place, tile_width(*place, size)) for place in places}

    async def hand_in(self, cosigned: bytes) -> None:
        """Hand a cosigned checkpoint to the host, which shows it to everybody.

        Raises:
            Refusal: what the host says when it says no.
        """
        kind = ("Content-Type", "text/plain; charset=utf-8")
        path = f"{self._prefix}/api/v1/log/cosignatures"
        self._require(await self._wire.ask("POST", path, [*self._headers, kind], cosigned))

    async def _fetch_tile(self, place: Place, width: int) -> bytes:
        path = TileName(*place, width).path
        answer = await self._get(f"/log/{path}")
        if answer.status == 404 and width < TILE_WIDTH:  # it may be full by now, and kept as such alone
            answer = await self._get(f"/log/{TileName(*place).path}")
        hashes = self._require(answer).body
        if len(hashes) not in {width * HASH_BYTES, TILE_WIDTH * HASH_BYTES}:
            raise Refusal(Code.INVALID_PROOF, "a tile of the server's log is not as long as it must be; ask the host's operator")
        return hashes[: width * HASH_BYTES]

    async def _get(self, path: str) -> Answer:
        return await self._wire.ask("GET", self._prefix + path, self._headers)

    def _require(self, answer: Answer) -> Answer:
        if answer.trouble:
            raise Refusal(Code.UNREACHABLE, f"{inert(self._wire.origin)} does not answer: {answer.trouble}")
        if not 200 <= answer.status < 300:
            raise refusal_of(answer.status, answer.body)
        return answer
