"""What a verifying reader asks of a host besides objects: its log with all entries, publications, and proofs."""

from urllib.parse import quote

import msgspec

from regcert.domain.publication import MANIFEST_TYPE
from regcert.outbound.answers import unreadable
from regcert.stix.identifier import is_stix_id
from regcert.stix.reader import MAX_SAFE_INTEGER
from regcert.translog.tiles import TILE_WIDTH, TileName, read_entries, tile_width
from regcert.verification.answers_kept import Answer
from regcert.verification.log_reader import LogReader
from regcert.verification.mirror import Row

MOST_PAGES = 100_000


class _Page(msgspec.Struct):
    publications: list[Row]
    more: bool
    blind: str | None = None


class HostReader(LogReader):
    """One host, whose every word is a claim; arguments are those of `LogReader`."""

    async def find_witnessed(self, quorum: int) -> bytes | None:
        """Fetch the newest checkpoint with so many cosignatures, or None where there is none.

        Args:
            quorum: how many, 1 to 31.

        Raises:
            Refusal: UNREACHABLE, BUSY, UNAUTHENTICATED, REFUSED_BY_SERVER.
        """
        answer = await self._get(f"/log/checkpoint/witnessed?quorum={quorum}")
        return None if answer.status == 404 else self._require(answer).body

    async def fetch_entries(self, number: int, size: int) -> list[bytes]:
        """Fetch a bundle of entries, as wide as a tree has it.

        Args:
            number: of the bundle, from 0.
            size: of the tree, from a checkpoint that the log signed.

        Raises:
            Refusal: as above; INVALID_PROOF where it is not a bundle of that width.
        """
        width = tile_width(0, number, size)
        answer = await self._get(f"/log/{TileName(None, number, width).path}")
        if answer.status == 404 and width < TILE_WIDTH:
            answer = await self._get(f"/log/{TileName(None, number).path}")
            return read_entries(self._require(answer).body, TILE_WIDTH)[:width]
        return read_entries(self._require(answer).body, width)

    async def fetch_publications(self, collection: str, after: int) -> tuple[list[Row], str]:
        """Fetch what the host lists of a collection's publications.

        Args:
            collection: its id or alias.
            after: the number behind which to begin.

        Returns:
            The publications as listed, and the collection's blind in hex; empty where it tells none.

        Raises:
            Refusal: as above; REFUSED_BY_SERVER where they cannot be read, or never end.
        """
        rows: list[Row] = []
        for _ in range(MOST_PAGES):
            page = await self._fetch_page(collection, after)
            rows += page.publications
            if not page.more:
                return rows, page.blind or ""
            if not page.publications or page.publications[-1].number <= after:
                break
            after = page.publications[-1].number
        raise unreadable()

    async def find_proof(self, collection: str, stix_id: str, version: str) -> Answer | None:
        """Fetch what the host says about one object's signature, or None where it says that there is no such object.

        Raises:
            Refusal: as above.
        """
        path = f"/api/v1/objects/{quote(stix_id, safe='')}/{quote(version, safe='')}/proof"
        answer = await self._get(f"{path}?collection={quote(collection, safe='')}")
        if answer.status == 404:
            return None
        try:
            return msgspec.json.decode(self._require(answer).body, type=Answer)
        except (msgspec.DecodeError, ValueError) as error:
            raise unreadable() from error

    async def _fetch_page(self, collection: str, after: int) -> _Page:
        path = f"/api/v1/collections/{quote(collection, safe='')}/publications?after={after}"
        body = self._require(await self._get(path)).body
        try:
            page = msgspec.json.decode(body, type=_Page)
            blind = bytes.fromhex(page.blind or "")
        except (msgspec.DecodeError, ValueError) as error:
            raise unreadable() from error
        if len(blind) not in {0, 32} or blind.hex() != (page.blind or "") or not all(_is_row(row) for row in page.publications):
            raise unreadable()
        return page


def _is_row(row: Row) -> bool:
    """Tell whether a row can be one; its ids become names of files here."""
    is_manifest = is_stix_id(row.manifest) and row.manifest.startswith(f"{MANIFEST_TYPE}--")
    counted = all(0 < number <= MAX_SAFE_INTEGER for number in (row.number, row.seq)) and 0 <= row.leaf_index <= MAX_SAFE_INTEGER
    return is_manifest and counted and is_stix_id(row.team)
