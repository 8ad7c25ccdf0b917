"""A blind match: the same value, held in circles that do not see each other, and what the sides of it agreed to say.

Nobody is named before they consent, and nobody learns more than the value that they hold already (docs/decisions/0021).
"""

from collections.abc import Collection as Values
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from regcert.clock import DAY_US
from regcert.stix.observable import Observable
from regcert.stix.tlp import Tlp

OPEN_FOR_US = 30 * DAY_US
STRICTEST = Tlp.AMBER
"""What is above this is never compared."""
MOST_COMPARED_A_DAY = 1000
MOST_TOLD_A_DAY = 50
MOST_SIDES = 20
MOST_OBJECTS = 100
MOST_NOTE_CHARACTERS = 1000


class Stance(StrEnum):
    """Where a side stands."""

    SILENT = "silent"
    ASKED = "asked"
    AGREED = "agreed"
    REFUSED = "refused"


CONSENTS = frozenset({Stance.ASKED, Stance.AGREED})


class Deed(StrEnum):
    """One step of the dialogue; the first and the last but one are the host's own."""

    TELL = "tell"
    ASK = "ask"
    FORWARD = "forward"
    AGREE = "agree"
    REFUSE = "refuse"
    CLOSE = "close"
    WITHDRAW = "withdraw"


class End(StrEnum):
    """Why a match is over, or will be."""

    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, order=True)
class Holder:
    """That a team holds a value in a circle, on terms that let it be compared."""

    scope: str
    team_id: int
    marking: Tlp


@dataclass(frozen=True, slots=True)
class Side:
    """One team in one circle.

    Args:
        team_id: whose side.
        team: its slug.
        name: as it writes itself.
        website: where it says how to reach it, or empty.
        scope: in which circle it holds the value.
        told_us: from when on it is told; a midnight.
        marking: the strictest of what it holds.
        stance: where it stands.
        objects: the ids that it put forward when it consented.
    """

    team_id: int
    team: str
    name: str
    website: str
    scope: str
    told_us: int
    marking: Tlp
    stance: Stance
    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the dialogue.

    Args:
        at_us: when.
        team_id: of which team, or None for the host.
        team: its slug, or None.
        deed: what was done.
        note: what was said with it, or empty.
    """

    at_us: int
    team_id: int | None
    team: str | None
    deed: Deed
    note: str


@dataclass(frozen=True, slots=True)
class BlindMatch:
    """One value, and the sides that hold it.

    Args:
        match_id: our key for it, a UUID.
        key: the value's.
        observable: the value.
        asked_us: when the first side asked, or 0.
        forwarded_us: when a coordinator forwarded it, or 0.
        closes_us: from when on nothing more can be done about it.
        end: why it closes then.
        sides: all of them.
    """

    match_id: str
    key: bytes
    observable: Observable
    asked_us: int
    forwarded_us: int
    closes_us: int
    end: End
    sides: tuple[Side, ...]

    def own(self, team_id: int, scopes: Values[str], now_us: int) -> tuple[Side, ...]:
        """The sides that somebody of a team who sees some circles has been told of."""
        return tuple(one for one in self.sides if one.team_id == team_id and one.scope in scopes and one.told_us <= now_us)

    def others(self, mine: tuple[Side, ...], now_us: int) -> tuple[Side, ...]:
        """The sides of other teams in other circles that are told by now."""
        teams, scopes = {one.team_id for one in mine}, {one.scope for one in mine}
        return tuple(one for one in self.sides if one.team_id not in teams and one.scope not in scopes and one.told_us <= now_us)

    def opened(self, mine: tuple[Side, ...], now_us: int) -> tuple[Side, ...]:
        """The other sides that are open to this one: both have consented, and a coordinator has forwarded it."""
        if not self.forwarded_us or not any(one.stance in CONSENTS for one in mine):
            return ()
        return tuple(one for one in self.others(mine, now_us) if one.stance in CONSENTS)

    def is_over(self, now_us: int) -> bool:
        """Whether nothing more can be done about it."""
        return self.closes_us <= now_us

    def state_for(self, mine: tuple[Side, ...], now_us: int) -> str:
        """Say in a word how it stands, to one side; nothing in it tells of a side that has not consented.

        That all the others refused is told, because whoever asked should not wait for them.
        """
        if self.is_over(now_us):
            return self.end.value
        if self.opened(mine, now_us):
            return "opened"
        stances = {one.stance for one in mine}
        others = self.others(mine, now_us)
        if Stance.REFUSED in stances or (self.forwarded_us and others and all(one.stance is Stance.REFUSED for one in others)):
            return "refused"
        if stances & CONSENTS:
            return "waiting" if self.forwarded_us else "asked"
        return "forwarded" if self.forwarded_us else "told"

    def state_for_broker(self, now_us: int) -> str:
        """Say in a word how it stands, to whoever forwards."""
        if self.is_over(now_us):
            return self.end.value
        if not self.forwarded_us:
            return "asked"
        return "opened" if any(self.opened((one,), now_us) for one in self.sides) else "forwarded"


def find_partners(newcomer: Holder, holders: Iterable[Holder], circles: Mapping[str, frozenset[int]]) -> list[Holder]:
    """Find those who hold the same value where neither sees the other.

    Args:
        newcomer: who brings the value.
        holders: who holds it.
        circles: the teams that read each circle that takes part.
    """
    return [
        one
        for one in holders
        if one.team_id != newcomer.team_id
        and newcomer.team_id not in circles[one.scope]
        and one.team_id not in circles[newcomer.scope]
    ]


def following_midnight(now_us: int) -> int:
    """Return the beginning of the next day (UTC): what happens on one day is told on the next, and so tells no hour."""
    return (now_us // DAY_US + 1) * DAY_US


@dataclass(frozen=True, slots=True)
class Seen:
    """A blind match as somebody sees it.

    Args:
        match: all of it; what may be shown of it follows from the rest.
        mine: the sides of the one who looks; none for whoever forwards.
        is_broker: whether it is shown because somebody has to forward it.
        now_us: when it was looked at.
    """

    match: BlindMatch
    mine: tuple[Side, ...]
    is_broker: bool
    now_us: int

    @property
    def state(self) -> str:
        """How it stands, in a word."""
        if self.is_broker:
            return self.match.state_for_broker(self.now_us)
        return self.match.state_for(self.mine, self.now_us)

    @property
    def others(self) -> tuple[Side, ...]:
        """The other sides; of these only how many circles they are, one or more, and the strictest marking is shown."""
        return self.match.others(self.mine, self.now_us)

    @property
    def opened(self) -> tuple[Side, ...]:
        """The sides that may be named."""
        return () if self.is_broker else self.match.opened(self.mine, self.now_us)

    @property
    def told_us(self) -> int:
        """The midnight at which it was told."""
        return min(one.told_us for one in (self.mine or self.match.sides))

    @property
    def ends_us(self) -> int:
        """When it ends at the latest, or has ended: that it will end earlier is not told before it does."""
        return self.match.closes_us if self.match.is_over(self.now_us) else self.told_us + OPEN_FOR_US

    def may_read(self, step: Step) -> bool:
        """Tell whether a step of the dialogue may be shown: one's own, the coordinators', and what was opened."""
        if step.team_id is None:
            return False  # the host's own steps tell the hour
        if self.is_broker or step.deed in {Deed.FORWARD, Deed.CLOSE}:
            return True
        named = {one.team_id for one in (*self.mine, *self.opened)}
        return step.team_id in named
