"""What a team signs when it publishes: for whom, where, after what, and exactly which objects."""

from dataclasses import dataclass

import msgspec

MANIFEST_TYPE = "publication-manifest"
EXTENSION_ID = "extension-definition--7d5b1a2e-3c44-4c0e-9f4b-5e6a0c8d2b17"


class Listed(msgspec.Struct, frozen=True, gc=False):
    """One object as a publication lists it. A struct: a publication makes ten thousand of them.

    Args:
        stix_id: its id.
        version: the exact text of `modified`, else of `created`, else None.
        digest: SHA-256 of its canonical form, 32 bytes.
    """

    stix_id: str
    version: str | None
    digest: bytes

    @property
    def place(self) -> tuple[str, str]:
        """Where it stands in the list; both texts are ASCII, so characters sort as bytes do."""
        return self.stix_id, self.version or ""


@dataclass(frozen=True, slots=True)
class Publication:
    """What one signature of a team covers.

    Args:
        manifest_id: of the STIX object that carries it, `publication-manifest--` and a UUID.
        host: origin of the log of the host that it is made for.
        collection: id of the collection that it is made for.
        team: STIX identity of the team that signs.
        seq: counts the team's publications in this collection, 1 to 2^53 - 1, without gaps.
        prev: `digest` of the one before it, None for the first.
        issued_us: when the team says that it signed; nothing is decided by it.
        nonce: 32 random bytes that keep its leaf in the log from being guessed.
        markings: of the manifest object, ascending, at most 20.
        objects: 1 to 10,000, ascending, each once.
        declassifies: ids of listed objects whose markings this publication lowers, on purpose.
        digest: SHA-256 of the payload, 32 bytes.
    """

    manifest_id: str
    host: str
    collection: str
    team: str
    seq: int
    prev: bytes | None
    issued_us: int
    nonce: bytes
    markings: tuple[str, ...]
    objects: tuple[Listed, ...]
    declassifies: frozenset[str]
    digest: bytes
