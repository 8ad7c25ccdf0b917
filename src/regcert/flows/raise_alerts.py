"""Tell teams what concerns them, in the transaction in which correlation has found it."""

import uuid
from collections import defaultdict
from collections.abc import Collection as Values
from collections.abc import Iterable, Mapping, Sequence

from regcert.correlation.alerting import (
    Turned,
    bound,
    find_approached,
    find_turned,
    gather_sighted,
    may_be_warned,
    raise_incident,
    raise_sighted,
    tell_holders,
)
from regcert.correlation.group import Held, weigh
from regcert.domain.alert import AlertKind, Raised
from regcert.domain.change import Change
from regcert.domain.incident import Incident
from regcert.domain.team import Team
from regcert.flows.derive import load_held
from regcert.flows.hear_decisions import Bench, Benches
from regcert.store.alerts import enter_alerts
from regcert.store.ledger import ScopedKey, Span, by_scope, observable_key
from regcert.store.programs import Program
from regcert.store.untold import find_seen, find_told, find_untold_sightings, list_readers, load_tiles

# What may be sighted without making an incident: nobody else published it, or only in the same country.
_TOLD_OF = frozenset({None, Held.ONE_COUNTRY})
# Of how many values of an incident it is remembered that a team was warned: enough to know the story again under another id.
_REMEMBERED = 50


def raise_alerts(
    span: Span, changes: Iterable[Change], matched: Values[ScopedKey], benches: Benches, now_us: int
) -> Program[None]:
    """Raise the alerts that a stretch of the ledger gives cause for, each once for its team.

    1. What a team holds turned cross-border: an incident began with it, took it in, or the team has joined one.
    2. Another team saw what a team published, whichever of the two was first told here.
    3. An incident came close to a country that it has not reached.

    Args:
        span: the stretch.
        changes: what became of incidents.
        matched: values that older sightings were found to have seen.
        benches: of this stretch.
        now_us: what time it is.
    """
    of_scope: defaultdict[str, list[Change]] = defaultdict(list)
    for change in changes:
        of_scope[change.incident.scope].append(change)
    seen = by_scope({*(yield from find_seen(span)), *matched})
    raised: list[Raised] = []
    for scope in sorted(of_scope.keys() | seen.keys()):
        told: list[Raised] = []
        turned = find_turned(of_scope[scope])
        untold = (yield from find_untold_sightings(scope, seen[scope])) if scope in seen else {}
        if turned or untold:
            bench = yield from benches.open(scope)
            told += yield from _tell_holders(bench, turned)  # 1
            told += yield from _tell_publishers(bench, untold)  # 2
        near = yield from _find_near(of_scope[scope], now_us)
        if told or near:
            readers = yield from list_readers(scope)
            told += yield from _warn(scope, near, readers)  # 3
            # Whoever may write here and not read is told nothing.
            may_read = {team.team_id for team in readers}
            raised += (one for one in told if one.team_id in may_read)
    if raised:
        yield from enter_alerts(bound(raised), now_us)


def _tell_holders(bench: Bench, turned: Sequence[Turned]) -> Program[list[Raised]]:
    asked = {value for one in turned for value in (one.incident.observables if one.joined else one.fresh)}
    key_of = {value: observable_key(value) for value in asked}
    keys = set(key_of.values())
    yield from bench.hear(keys)
    groups = yield from load_held(bench.scope, keys, bench)
    teams = {value: weigh(holdings).teams for value, holdings in groups.values()}
    told = yield from find_told(bench.scope, AlertKind.CROSSING, keys)
    raised: list[Raised] = []
    for one in turned:
        holders = {value: teams[value] for value in one.incident.observables if value in teams}
        for team, values in tell_holders(one, holders).items():
            news = {value for value in values if (team.team_id, key_of[value], 0) not in told}
            if news:
                subjects = sorted((key_of[value], 0) for value in news)
                raised.append(raise_incident(team.team_id, AlertKind.CROSSING, one.incident, news, subjects))
    return raised


def _tell_publishers(bench: Bench, untold: Mapping[tuple[int, bytes], Values[int]]) -> Program[list[Raised]]:
    keys = {key for _, key in untold}
    yield from bench.hear(keys)
    groups = yield from load_held(bench.scope, keys, bench)
    counting = {key for key, group in groups.items() if bench.judge(key, group).held in _TOLD_OF}
    return gather_sighted(
        raise_sighted(publisher, bench.scope, *groups[key], untold[publisher, key], key)
        for publisher, key in sorted(untold)
        if key in counting
    )


def _find_near(changes: Sequence[Change], now_us: int) -> Program[list[tuple[Incident, frozenset[str]]]]:
    tiles = (yield from load_tiles()) if changes else {}
    found = ((change.after, find_approached(change, tiles, now_us)) for change in changes)
    return [(incident, countries) for incident, countries in found if incident is not None and countries]


def _warn(scope: str, near: Sequence[tuple[Incident, frozenset[str]]], readers: Sequence[Team]) -> Program[list[Raised]]:
    keys = {incident.incident_id: _subjects(incident) for incident, _ in near}
    told: defaultdict[bytes, set[int]] = defaultdict(set)
    for team_id, key, _ in (yield from find_told(scope, AlertKind.APPROACHING, {key for some in keys.values() for key in some})):
        told[key].add(team_id)
    raised: list[Raised] = []
    for incident, countries in near:
        subjects = [(key, 0) for key in keys[incident.incident_id]]
        knowing = set[int]().union(*(told[key] for key, _ in subjects if key in told))
        raised += (
            raise_incident(team.team_id, AlertKind.APPROACHING, incident, incident.observables, subjects)
            for team in readers
            if team.country in countries and may_be_warned(team) and team.team_id not in knowing
        )
    return raised


def _subjects(incident: Incident) -> list[bytes]:
    return [uuid.UUID(incident.incident_id).bytes, *map(observable_key, incident.observables[:_REMEMBERED])]
