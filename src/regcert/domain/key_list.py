"""The keys of a team, as its root key lists them."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256


class KeyStatus(StrEnum):
    """What a key may still do; it only ever goes down this list."""

    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"


class KeyReason(StrEnum):
    """Why a key is not active any more."""

    NONE = ""
    SUPERSEDED = "superseded"
    COMPROMISED = "compromised"


@dataclass(frozen=True, slots=True)
class TeamKey:
    """One key of a team.

    Args:
        public: the raw Ed25519 public key, 32 bytes.
        key_id: SHA-256 of it, 64 hexadecimal digits.
        status: what it may still do.
        reason: why it is not active any more; `retired` may leave it out.
        compromised_since_us: from when on somebody else may have had it; None where nobody knows, or nobody had it.
    """

    public: bytes
    key_id: str
    status: KeyStatus
    reason: KeyReason
    compromised_since_us: int | None


@dataclass(frozen=True, slots=True)
class KeyList:
    """One version of a team's key list.

    Args:
        team: STIX identity of the team.
        version: from 1, without gaps.
        prev: `digest` of the version before it, None for the first.
        root: the raw public key that signs the list, and nothing else.
        issued_us: when the team says that it made it.
        expires_us: when nobody should rely on it any more, at most 400 days later.
        keys: 0 to 100, ascending by their bytes; a key that was listed once stays listed.
        digest: SHA-256 of the payload, 32 bytes.
    """

    team: str
    version: int
    prev: bytes | None
    root: bytes
    issued_us: int
    expires_us: int
    keys: tuple[TeamKey, ...]
    digest: bytes

    def find_key(self, key_id: str) -> TeamKey | None:
        """Find a key by its id."""
        return next((key for key in self.keys if key.key_id == key_id), None)


def team_key(
    public: bytes,
    status: KeyStatus = KeyStatus.ACTIVE,
    reason: KeyReason = KeyReason.NONE,
    compromised_since_us: int | None = None,
) -> TeamKey:
    """Make the entry of a key from its 32 bytes."""
    return TeamKey(public, sha256(public).hexdigest(), status, reason, compromised_since_us)
