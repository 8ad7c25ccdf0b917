"""What the host published as the centre: the newest version of each object, and how the next one follows from it."""

from dataclasses import dataclass

from regcert.stix.tlp import Tlp

MILLISECOND_US = 1000


@dataclass(frozen=True, slots=True)
class Issued:
    """One object as it was published last.

    Args:
        handle: what it stands for, its STIX type first: `grouping <incident id>`, `indicator <key>`, `location AL`.
        stix_id: its id.
        incident_id: the incident that it goes with, empty for what goes with all of them.
        generation: how often an object of this handle was withdrawn before; STIX knows no way back from `revoked`.
        created_us: when its first version was made.
        version_us: when its newest version was made.
        digest: of what it said, SHA-256.
        marking: of its newest version; no later one carries a milder one.
        revoked: whether it was withdrawn.
    """

    handle: str
    stix_id: str
    incident_id: str
    generation: int
    created_us: int
    version_us: int
    digest: bytes
    marking: Tlp
    revoked: bool

    def next_version_us(self, now_us: int) -> int:
        """When the next version is made: later than this one, also where the clock stepped back.

        In whole milliseconds, which is what every client keeps of a time.
        """
        return max(now_us - now_us % MILLISECOND_US, self.version_us + MILLISECOND_US)
