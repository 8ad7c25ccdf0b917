"""Show one incident with all that a person needs to understand why it is there."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median_low

from regcert.clock import Clock
from regcert.domain.decision import Decided
from regcert.domain.holding import Holding
from regcert.domain.incident import Facts, Link, Technique
from regcert.domain.principal import Principal
from regcert.flows.list_decisions import list_decisions
from regcert.flows.list_incidents import Ranked, get_incident
from regcert.stix.facts import ObjectFacts, read_facts
from regcert.stix.observable import Observable
from regcert.store.database import Database
from regcert.store.evidence import Behind, load_behind
from regcert.store.ledger import observable_key
from regcert.store.sighted import load_reported

MOST_FACTS = 20
MOST_LINKS = 5

Signers = Mapping[tuple[Observable, str], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class IncidentDetail:
    """One incident with what stands behind it.

    Args:
        ranked: the incident and its score now.
        evidence: its values and who holds each, at most 500.
        facts: what the objects and reports behind them say besides.
        signers: for each value and team, by slug, the ids of the keys that signed what the team publishes of it.
        history: what coordinators decided about it, the newest first.
    """

    ranked: Ranked
    evidence: Sequence[tuple[Observable, Sequence[Holding]]]
    facts: Facts
    signers: Signers
    history: Sequence[Decided]


async def view_incident(database: Database, clock: Clock, principal: Principal, incident_id: str) -> IncidentDetail:
    """Gather one incident, all of it from what the principal may see.

    Args:
        database: where from.
        clock: for its age.
        principal: who looks.
        incident_id: which.

    Raises:
        Refusal: FORBIDDEN; NOT_FOUND where there is none of that id for the principal.
    """
    ranked, evidence = await get_incident(database, clock, principal, incident_id)
    incident = ranked.incident
    keys = {observable_key(one): one for one, _ in evidence}
    behind = await database.run(load_behind(incident.scope, keys, incident.marking))
    read = [read_facts(body) for body in behind.bodies]
    told = _techniques(read)
    reported = await database.run(load_reported(incident.scope, [one.technique for one in told], incident.marking))
    seen = {one: tuple(sorted({each.team for each in by if each.kind == "positive"})) for one, by in reported.items()}
    techniques = tuple(Technique(one.technique, one.name, one.told_by, seen.get(one.technique, ())) for one in told)
    signers = {(keys[key], team): found for (key, team), found in behind.signers.items()}
    history = await list_decisions(database, principal, incident.incident_id)
    facts = replace(_facts(behind, read), techniques=techniques)
    return IncidentDetail(ranked, evidence, facts, signers, history)


def _facts(behind: Behind, read: Sequence[ObjectFacts]) -> Facts:
    names = {one.stix_id: one.name for one in read}
    links = sorted(
        (Link(one, names.get(one, ""), len(keys)) for one, keys in behind.named_by.items() if len(keys) > 1),
        key=lambda link: (-link.values, not link.name, link.stix_id),
    )
    phases = Counter(phase for one in read for phase in one.phases)
    stated = [one.confidence for one in read if one.confidence is not None]
    return Facts(
        sectors=tuple(
            (sector, len(teams))
            for sector, teams in sorted(behind.sectors.items(), key=lambda item: (-len(item[1]), item[0]))[:MOST_FACTS]
        ),
        phases=tuple(sorted(phases, key=lambda phase: (-phases[phase], phase))[:MOST_FACTS]),
        confidence=median_low(stated) if stated else None,
        confident=len(stated),
        links=tuple(links[:MOST_LINKS]),
    )


def _techniques(read: Iterable[ObjectFacts]) -> list[Technique]:
    counted: Counter[str] = Counter()
    names: dict[str, str] = {}
    for one in read:
        for technique, name in one.techniques:
            counted[technique] += 1
            names[technique] = max(names.get(technique, ""), name)
    ordered = sorted(counted, key=lambda technique: (-counted[technique], technique))
    return [Technique(one, names[one], counted[one]) for one in ordered[:MOST_FACTS]]
