"""Hear what coordinators decided about the values at hand, and what teams protect, before correlation judges and groups them."""

from collections.abc import Collection as Values
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from regcert.correlation import decided
from regcert.correlation.group import Held, Verdict
from regcert.correlation.guards import Guards
from regcert.correlation.protected import guard_protected
from regcert.correlation.stories import Keys, Told
from regcert.domain.decision import Decision, Deed
from regcert.domain.held_back import HeldBack
from regcert.domain.holding import Holding
from regcert.domain.incident import SHARED_BY_STORIES, Incident, Standing
from regcert.stix.observable import Observable
from regcert.store.decisions import load_decisions, load_members
from regcert.store.groups import Groups
from regcert.store.incidents import load_incidents
from regcert.store.programs import Program
from regcert.store.protected import load_audience

Group = tuple[Observable, Sequence[Holding]]
# A value that one country holds, or nobody, is not held back: it simply does not cross a border.
_SHOWN = frozenset({Held.GUARDED, Held.PROTECTED, Held.NOISE, Held.FALSE_POSITIVE, Held.ONE_ORIGIN})


@dataclass(slots=True)
class Bench:
    """What bears on the judgement of a scope's values.

    Args:
        scope: which audience.
        guards: what is benign everywhere.
        protected: what teams of the scope protect.
        teams: how many teams the scope has.
        groups: what was loaded of its values so far; of each of `loaded` that is not here, nobody holds anything.
    """

    scope: str
    guards: Guards
    protected: Guards
    teams: int
    groups: Groups = field(default_factory=dict)
    loaded: set[bytes] = field(default_factory=set)
    _decisions: dict[int, Decision] = field(default_factory=dict)
    _rulings: dict[bytes, Deed] = field(default_factory=dict)
    _heard: set[bytes] = field(default_factory=set)

    def hear(self, keys: AbstractSet[bytes]) -> Program[set[bytes]]:
        """Load what was decided about values. Return what it ties to them: that must be grouped together with them."""
        fresh = keys - self._heard
        self._heard |= fresh
        found = yield from load_decisions(self.scope, fresh)
        new = [one for one in found if one.position not in self._decisions]
        if not new:
            return set()
        self._decisions |= {one.position: one for one in new}
        self._rulings = decided.find_rulings(self._decisions.values())
        members = yield from load_members(self.scope, {one.incident_id for one in new if one.incident_id})
        return set(members).union(*(one.named | one.others for one in new if one.incident_id))

    def judge(self, key: bytes, group: Group) -> Verdict:
        """Judge a value that was heard about."""
        return decided.judge_decided(*group, self.guards, self.protected, self._rulings.get(key))

    def free(self, told: Told) -> Told:
        """Let a value that several stories share stand alone where a coordinator says that it counts."""
        counting = frozenset(key for key in told.shared if self._rulings.get(key) is Deed.COUNT)
        alone = tuple(frozenset({key}) for key in sorted(counting))
        return replace(told, clusters=(*told.clusters, *alone), shared=told.shared - counting) if counting else told

    def arrange(
        self,
        clusters: Sequence[Keys],
        contexts: Mapping[bytes, Values[str]],
        previous: Mapping[bytes, str],
        verdicts: Mapping[bytes, Verdict],
    ) -> tuple[Keys, ...]:
        """Apply merges, splits and pins to clusters of values that were all heard about."""
        if not self._decisions:
            return tuple(clusters)
        held = {key for key, one in verdicts.items() if one.supporters and one.held is not Held.NOISE}
        arranged = decided.arrange(clusters, self._decisions.values(), contexts)
        return decided.stay_pinned(arranged, self._decisions.values(), previous, held)

    def claim_ids(self, previous: Mapping[bytes, str]) -> Program[tuple[Mapping[bytes, str], frozenset[str]]]:
        """Find the ids that values remember, and those of them that are pinned."""
        claimed, pinned = decided.claim_ids(self._decisions.values(), previous)
        strange = set(claimed.values()) - set(previous.values())
        # An incident of that id that is not at hand keeps it.
        taken = yield from load_incidents(strange)
        return {key: one for key, one in claimed.items() if one not in taken}, pinned

    def mark(
        self, incident: Incident, members: Keys, groups: Mapping[bytes, Group], verdicts: Mapping[bytes, Verdict]
    ) -> Incident:
        """Say of an incident whether it is pinned or dismissed, and which of its values a whole region meets."""
        countries = [arrival.country for arrival in incident.spread]
        standing, back = decided.find_standing(incident.incident_id, members, countries, self._decisions.values())
        wide = sorted(groups[key][0] for key in members if key in verdicts and decided.is_wide(verdicts[key], self.teams))
        if standing is Standing.USUAL and not back and not wide:
            return incident
        return replace(incident, standing=standing, returned_for=back, wide=tuple(wide))

    def hold_back(
        self, groups: Mapping[bytes, Group], verdicts: Mapping[bytes, Verdict], shared: Values[bytes], placed: Values[bytes]
    ) -> dict[bytes, HeldBack]:
        """List the values that several countries hold and that are in no incident, with the reasons."""
        return {
            key: HeldBack(
                groups[key][0],
                tuple(arrival.country for arrival in verdict.spread),
                verdict.held or Held.SHARED,
                verdict.reason or SHARED_BY_STORIES,
                decided.is_wide(verdict, self.teams),
            )
            for key, verdict in verdicts.items()
            if key not in placed and (key in shared or (verdict.held in _SHOWN and len(verdict.spread) > 1))
        }


def open_bench(scope: str, guards: Guards) -> Program[Bench]:
    """Load what bears on the judgement of all values of a scope.

    Args:
        scope: within which audience.
        guards: what is benign everywhere.
    """
    audience = yield from load_audience(scope)
    return Bench(scope, guards, guard_protected(audience.protected), audience.teams)


@dataclass(slots=True)
class Benches:
    """The benches of one stretch: what one step of it has loaded is there for the next."""

    guards: Guards
    _open: dict[str, Bench] = field(default_factory=dict)

    def open(self, scope: str) -> Program[Bench]:
        """Open the bench of a scope, or return it as it is by now."""
        if scope not in self._open:
            self._open[scope] = yield from open_bench(scope, self.guards)
        return self._open[scope]


def in_incidents(clusters: Iterable[Keys]) -> set[bytes]:
    """Gather the values of some clusters."""
    return set[bytes]().union(*clusters)
