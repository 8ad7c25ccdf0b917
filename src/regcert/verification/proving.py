"""Proof files, held against what they are to prove: where an entry stands, and since when a quorum has seen it."""

from regcert.errors import Code, Refusal
from regcert.signing.verdict import Placed
from regcert.translog.policy import Policy
from regcert.translog.proof_file import ProofFile, read_proof_file
from regcert.translog.proofs import require_included
from regcert.translog.tree import leaf_hash
from regcert.verification.witnessed import Witnessed, read_witnessed

_SECOND_US = 1_000_000
_MOST_REMEMBERED = 4096


class Prover:
    """Judges proofs by one policy; a checkpoint that many proofs share is verified once.

    Args:
        policy: the reader's.
        host: the origin of the only log that counts; None for any of the policy.
    """

    def __init__(self, policy: Policy, host: str | None = None) -> None:
        self._policy = policy
        self._host = host
        self._seen: dict[bytes, Witnessed] = {}

    def read_checkpoint(self, note: bytes) -> Witnessed:
        """Read a checkpoint.

        Raises:
            Refusal: INVALID_CHECKPOINT, INVALID_COSIGNATURE, UNSAFE_KEY.
        """
        found = self._seen.get(note)
        if found is None:
            found = read_witnessed(note, self._policy)
            if self._host is not None and found.checkpoint.origin != self._host:
                raise Refusal(Code.INVALID_CHECKPOINT, "the checkpoint is of another log than this one")
            if len(self._seen) >= _MOST_REMEMBERED:
                self._seen.clear()
            self._seen[note] = found
        return found

    def place(self, data: bytes, entry: bytes, origin: str) -> tuple[Placed, Witnessed]:
        """Find out what a proof file proves of an entry.

        Args:
            data: the proof file, from anywhere.
            entry: of the log.
            origin: of the log that it must be.

        Raises:
            Refusal: INVALID_PROOF, INVALID_CHECKPOINT, INVALID_COSIGNATURE, TOO_LARGE.
        """
        return self.place_read(read_proof_file(data), entry, origin)

    def place_read(self, proof: ProofFile, entry: bytes, origin: str) -> tuple[Placed, Witnessed]:
        """Find out what a proof proves of an entry; as `place`."""
        seen = self.read_checkpoint(proof.note)
        if seen.checkpoint.origin != origin:
            raise Refusal(Code.INVALID_PROOF, "the proof is of another log than the publication")
        require_included(leaf_hash(entry), proof.index, seen.checkpoint.size, proof.hashes, seen.checkpoint.root)
        trusted_us = None if seen.trusted_s is None else seen.trusted_s * _SECOND_US
        return Placed(proof.index, trusted_us), seen
