"""Proofs for a mirror: since when each publication is known, and whether the host shows the keys that its log has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from regcert.domain.key_list import KeyList
from regcert.errors import Refusal
from regcert.signing.dsse import Envelope
from regcert.signing.key_list import require_successor
from regcert.signing.verdict import Placed
from regcert.stix.timestamps import write_timestamp
from regcert.translog.proof_file import ProofFile, read_proof_file
from regcert.translog.proofs import inclusion_proof, tiles_for_inclusion
from regcert.translog.tiles import Place, node_reader
from regcert.verification.alarms import Alarm, Alert
from regcert.verification.answers_kept import Answer, ShownList
from regcert.verification.host_reader import HostReader
from regcert.verification.key_histories import History, find_key_list
from regcert.verification.mirrored import Mirrored
from regcert.verification.statements import Statement
from regcert.verification.witnessed import Witnessed


@dataclass(slots=True)
class Collector:
    """Fetches what proves the publications of a mirror.

    Args:
        host: what is asked.
        collection: which.
        mirrored: what the mirror has.
        tiles: those that were fetched, by checkpoint.
    """

    host: HostReader
    collection: str
    mirrored: Mirrored
    tiles: dict[tuple[int, Place], bytes] = field(default_factory=dict)

    async def collect(self, statements: Sequence[Statement]) -> None:
        """Keep a proof for each publication that has none with a trusted time yet.

        Of checkpoints that a quorum has cosigned, the smallest that includes a publication tells earliest that it was there.
        The one that does so for a publication does it for the next ones, too, as far as it includes them; so the host is
        asked anew only behind it.
        """
        current: Witnessed | None = None
        for one, index in self._waiting(statements):
            if current is None or current.checkpoint.size <= index:
                current = await self._find_earliest(one, index)
            if current is not None and current.checkpoint.size > index:
                await self._keep(one, index, current)

    async def find_key_alerts(self, statements: Sequence[Statement]) -> list[Alert]:
        """Hold the key lists that the host shows against those of its log, once for each team."""
        newest = {one.publication.team: one for one in statements if one.publication.manifest_id in self.mirrored.rows}
        alerts: list[Alert] = []
        for team, one in newest.items():
            answer = await self._ask(one)
            if answer is not None:
                alerts += self._compare(team, answer.key_lists)
        return alerts

    def _waiting(self, statements: Sequence[Statement]) -> list[tuple[Statement, int]]:
        """List the publications without a timed proof, in the order of the log."""
        found = []
        for one in statements:
            row = self.mirrored.rows.get(one.publication.manifest_id)
            if row is not None and self.mirrored.is_entered(one, row) and not self._has_proof(one, row.number):
                found.append((one, row.leaf_index))
        return sorted(found, key=lambda pair: pair[1])

    def _has_proof(self, one: Statement, number: int) -> bool:
        proof = self.mirrored.mirror.find_proof(one.publication.manifest_id)
        placed = None if proof is None else self._prove(proof, one, number)
        return placed is not None and placed[0].witnessed_us is not None

    def _prove(self, proof: bytes, one: Statement, number: int) -> tuple[Placed, Witnessed] | None:
        entry = one.leaf(self.mirrored.blind, number)
        try:
            return self.mirrored.prover.place(proof, entry, self.mirrored.state.host)
        except Refusal:
            return None

    async def _find_earliest(self, one: Statement, index: int) -> Witnessed | None:
        """Find the smallest checkpoint with a quorum that includes a publication: by the host's word, else the newest."""
        answer = await self._ask(one)
        row = self.mirrored.rows[one.publication.manifest_id]
        proven = [self._prove(proof, one, row.number) for proof in (answer.proofs if answer else ())]
        timed = [seen for found in proven if found is not None for place, seen in [found] if place.witnessed_us is not None]
        if self.mirrored.witnessed is not None and self.mirrored.witnessed.trusted_s is not None:
            timed.append(self.mirrored.witnessed)
        return min((seen for seen in timed if seen.checkpoint.size > index), key=lambda seen: seen.checkpoint.size, default=None)

    async def _keep(self, one: Statement, index: int, seen: Witnessed) -> None:
        size = seen.checkpoint.size
        wanted = [place for place in tiles_for_inclusion(index, size) if (size, place) not in self.tiles]
        fetched = await self.host.fetch_tiles(wanted, size)
        self.tiles |= {(size, place): tile for place, tile in fetched.items()}
        tiles: Mapping[Place, bytes] = {place: self.tiles[size, place] for place in tiles_for_inclusion(index, size)}
        try:
            proof = ProofFile(index, tuple(inclusion_proof(index, size, node_reader(tiles))), seen.note.write()).write()
            row = self.mirrored.rows[one.publication.manifest_id]
            self.mirrored.prover.place_read(
                read_proof_file(proof), one.leaf(self.mirrored.blind, row.number), one.publication.host
            )
        except (Refusal, KeyError, ValueError):
            return  # tiles that prove nothing; the copy of the log still says where it stands
        self.mirrored.mirror.write_proof(one.publication.manifest_id, proof)

    async def _ask(self, one: Statement) -> Answer | None:
        version = write_timestamp(one.publication.issued_us)
        return await self.host.find_proof(self.collection, one.publication.manifest_id, version)

    def _compare(self, team: str, shown: Sequence[ShownList]) -> list[Alert]:
        history = self.mirrored.histories.get(team, History(team))
        entered = {one.key_list.digest: one.leaf_index for one in history.lists}
        last = history.lists[-1].key_list if history.lists else None
        seen: set[bytes] = set()
        for one in shown:
            read = find_key_list(one.envelope)
            if isinstance(read, Refusal) or read[1].team != team:
                return [Alert(Alarm.FORGED_KEY_LIST, f"the host shows a key list for {team} that its root did not sign")]
            seen.add(read[1].digest)
            if entered.get(read[1].digest) == one.leaf_index:
                continue
            if one.leaf_index < self.mirrored.state.size or not _continues(last, *read):
                return [
                    Alert(Alarm.FORGED_KEY_LIST, f"the host shows a key list for {team} that does not stand in the log there")
                ]
            last = read[1]  # newer than the checkpoint
        if entered.keys() - seen:
            return [Alert(Alarm.WITHHELD_KEY_LIST, f"the log has a key list of {team} that the host does not show")]
        return []


def _continues(before: KeyList | None, envelope: Envelope, after: KeyList) -> bool:
    try:
        require_successor(before, envelope, after)
    except Refusal:
        return False
    return True
