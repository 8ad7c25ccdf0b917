"""What teams have signed, out of a set of objects: each manifest, read, with its place in the log as far as that is known.

Spec: docs/signing.md §8.1
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise

from regcert.domain.publication import Listed, Publication
from regcert.signing.dsse import Envelope, pae
from regcert.signing.publication import commitment, read_manifest
from regcert.signing.verdict import Placed
from regcert.stix.reader import ReadObject
from regcert.translog.leaf import PublicationLeaf, tag
from regcert.verification.key_histories import History

Chain = tuple[str, str, str]
"""Host, collection and team: whose publications are counted together."""
NOWHERE = Placed(None, None)


@dataclass(frozen=True, slots=True)
class Statement:
    """One manifest that could be read.

    Args:
        listed: the manifest itself, as if it listed itself.
        envelope: its signature.
        publication: what it says.
    """

    listed: Listed
    envelope: Envelope
    publication: Publication

    @property
    def key_id(self) -> str:
        """The key that it names."""
        return self.envelope.signatures[0][0]

    @property
    def signed_as(self) -> tuple[bytes, str]:
        """What its leaf commits to: the hash of its payload, and the key."""
        return self.publication.digest, self.key_id

    @property
    def chain(self) -> Chain:
        """Among which publications it is counted."""
        return self.publication.host, self.publication.collection, self.publication.team

    def is_signed(self, histories: Mapping[str, History]) -> bool:
        """Tell whether its signature fits the key that it names, where a list of its team names that key."""
        history = histories.get(self.publication.team)
        key = history.find_key(self.key_id) if history else None
        message = pae(self.envelope.payload_type, self.envelope.payload)
        return key is not None and key.verify(self.envelope.signatures[0][1], message)

    def leaf(self, blind: bytes, number: int) -> bytes:
        """Write the entry that the log has of it, if it is this publication of the collection.

        Args:
            blind: of the collection.
            number: of the publication.
        """
        committed = commitment(self.publication.nonce, self.publication.digest)
        return PublicationLeaf(committed, self.key_id, tag(blind, number)).write()


def read_statement(read: ReadObject, listed: Listed) -> Statement:
    """Read a manifest object.

    Raises:
        Refusal: INVALID_MANIFEST.
    """
    envelope, publication = read_manifest(read.value)
    return Statement(listed, envelope, publication)


@dataclass(frozen=True, slots=True)
class Chains:
    """What the numbers of publications tell about a set.

    Args:
        forked: chains that tell two stories.
        gaps: chains of which a number is missing, from 1 to the last that counts, with the first that is.
    """

    forked: frozenset[Chain]
    gaps: Mapping[Chain, int]


def read_chains(counted: Iterable[Statement], disowned: Iterable[Statement] = ()) -> Chains:
    """Look at how publications follow each other.

    Args:
        counted: those whose signatures are good; what anybody can write says nothing about a team.
        disowned: those that were signed with a key when the team, as it says, did not have it alone, or not any more. They
            contradict nothing and nothing has to stand before them; but where one has a number, that number is not missing.
    """
    by_digest: dict[Chain, dict[int, dict[bytes, Publication]]] = {}
    for one in counted:
        numbered = by_digest.setdefault(one.chain, {})
        numbered.setdefault(one.publication.seq, {})[one.publication.digest] = one.publication
    filled: dict[Chain, set[int]] = {}
    for one in disowned:
        filled.setdefault(one.chain, set()).add(one.publication.seq)
    forked = frozenset(chain for chain, numbered in by_digest.items() if _is_forked(numbered))
    gaps = {
        chain: first for chain, numbered in by_digest.items() if (first := _find_gap(numbered.keys(), filled.get(chain, set())))
    }
    return Chains(forked, gaps)


def _is_forked(numbered: Mapping[int, Mapping[bytes, Publication]]) -> bool:
    if any(len(same) > 1 for same in numbered.values()):
        return True
    return any(
        following.prev != publication.digest
        for seq, same in numbered.items()
        for publication in same.values()
        for following in numbered.get(seq + 1, {}).values()
    )


def _find_gap(numbers: AbstractSet[int], filled: AbstractSet[int]) -> int:
    """Find the first number that is missing before the last, or 0."""
    known = sorted(numbers | {number for number in filled if number < max(numbers)})
    return next((before + 1 for before, after in pairwise([0, *known]) if after != before + 1), 0)
