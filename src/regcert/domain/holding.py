"""A holding: that a team, through one origin, holds or saw an observable."""

from dataclasses import dataclass

from regcert.domain.team import Team
from regcert.stix.tlp import Tlp


@dataclass(frozen=True, slots=True)
class Holding:
    """What one team says about one observable, through one origin, within one scope.

    Args:
        team: who holds it.
        origin: the STIX identity id whose word it is: the team's own, or a third party's that the team relays. What a team
            saw itself is always its own word.
        first_us: earliest event time, never arrival time.
        last_us: latest event time.
        published: whether the team published it as an indicator or observation.
        positives: how often it reported having seen it, the sum of counts.
        negatives: how often it reported having looked and not seen it.
        false_positive: whether it calls the value harmless.
        marking: the strictest marking of what this was read from.
        signed: whether the team signed for an object that publishes it; else the host attests that it came from the team.
        derived: whether the team named not this but a value that stands in it, such as a URL of this host.
    """

    team: Team
    origin: str
    first_us: int
    last_us: int
    published: bool
    positives: int
    negatives: int
    false_positive: bool
    marking: Tlp
    signed: bool = False
    derived: bool = False

    @property
    def supports(self) -> bool:
        """Whether it says that the value is out there."""
        return self.published or self.positives > 0
