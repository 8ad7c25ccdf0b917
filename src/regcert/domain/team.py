"""A team: a CERT, CSIRT or other member organisation of the region."""

from dataclasses import dataclass
from enum import StrEnum


class TeamKind(StrEnum):
    """What a team answers for."""

    NATIONAL = "national"
    GOVERNMENT = "government"
    ACADEMIC = "academic"
    SECTORAL = "sectoral"
    COORDINATION = "coordination"
    CONSTITUENT = "constituent"


@dataclass(frozen=True, slots=True)
class Team:
    """A member organisation, as the region file or `regcert team add` introduced it.

    Args:
        team_id: our key for it.
        slug: its short name in commands and addresses, lower case, at most 40 characters.
        name: as it writes itself.
        country: ISO 3166-1 alpha-2; `XK` for Kosovo*, `ZZ` for a team that belongs to no one country.
        kind: what it answers for; a coordination team's reports name no country.
        identity_id: the id of its STIX identity: who `created_by_ref` means.
        website: where it says how to reach it, or empty.
    """

    team_id: int
    slug: str
    name: str
    country: str
    kind: TeamKind
    identity_id: str
    website: str = ""

    def __hash__(self) -> int:
        """Correlation puts teams into sets more often than anything else: a string remembers its hash, seven fields do not."""
        return hash(self.slug)
