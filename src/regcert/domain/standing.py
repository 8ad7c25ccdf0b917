"""How an object stands where somebody may read it."""

from dataclasses import dataclass

from regcert.stix.tlp import Tlp


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest version of an object in one collection.

    Args:
        version_us: its version, as an instant.
        marking: how sensitive it is there.
        team_id: which team published it.
        author: whose word it is.
        digest: of its canonical form.
    """

    version_us: int
    marking: Tlp
    team_id: int
    author: str
    digest: bytes
