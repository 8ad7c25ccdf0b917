"""An incident as JSON, for machines: the form that the API and `regcert incidents --json` share."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from regcert.domain.holding import Holding
from regcert.domain.incident import Facts, Incident
from regcert.stix.observable import Observable
from regcert.stix.timestamps import write_timestamp

Evidence: TypeAlias = Sequence[tuple[Observable, Sequence[Holding]]]
Signers: TypeAlias = Mapping[tuple[Observable, str], Sequence[str]]

_NO_FACTS = Facts()


def incident_json(
    incident: Incident, score: float, evidence: Evidence = (), facts: Facts = _NO_FACTS, signers: Signers | None = None
) -> dict[str, object]:
    """Describe an incident.

    Args:
        incident: as one principal may see it.
        score: its score now, 0 to 100.
        evidence: values of it and who holds them; of these it is told who vouches for them.
        facts: what the objects and reports behind it say besides; of each only what somebody says.
        signers: by value and team, the ids of the keys that signed what the team publishes of it.

    Returns:
        A JSON value; `countries` stand in the order in which it reached them. schemas/incident.schema.json says the same.
    """
    held = dict(evidence)
    return {
        "id": incident.incident_id,
        "names": list(incident.names),
        "score": round(score, 1),
        "standing": incident.standing.value,
        **({"returned_for": list(incident.returned_for)} if incident.returned_for else {}),
        "marking": incident.marking.label,
        "countries": [
            {"country": arrival.country, "first_seen": write_timestamp(arrival.first_us)} for arrival in incident.spread
        ],
        "teams": [team.slug for team in incident.teams],
        "observables": [
            {"kind": one.kind.value, "value": one.value}
            | ({"derived": True} if one in incident.derived else {})
            | ({"region_wide": True} if one in incident.wide else {})
            | _vouched(one, held.get(one, ()), signers or {})
            for one in incident.observables
        ],
        "sightings": incident.sightings,
        "first_seen": write_timestamp(incident.first_us),
        "last_seen": write_timestamp(incident.last_us),
        "reasons": [
            {"term": term.name, "points": round(term.points, 1), "most": term.most, "evidence": term.evidence}
            for term in incident.terms
        ],
    } | _facts(facts)


def _facts(facts: Facts) -> dict[str, object]:
    told: dict[str, object] = {
        "links": [{"id": one.stix_id, "name": one.name, "values": one.values} for one in facts.links],
        "sectors": [{"sector": sector, "teams": teams} for sector, teams in facts.sectors],
        "techniques": [
            {"technique": one.technique, "name": one.name, "objects": one.told_by, "seen_by": list(one.seen_by)}
            for one in facts.techniques
        ],
        "kill_chain_phases": list(facts.phases),
        "confidence": facts.confidence,
    }
    return {name: value for name, value in told.items() if value is not None and value != []}


def _vouched(observable: Observable, holdings: Sequence[Holding], signers: Signers) -> dict[str, object]:
    """Name the teams that signed for a value, those for which only the host vouches, and those that pass on another's word.

    Nothing is said where that is not known.
    """
    published = [one for one in holdings if one.published]
    attested = {one.team.slug for one in published if not one.signed}
    signed = {one.team.slug for one in published} - attested
    if not published:
        return {}
    relayed = {one.team.slug for one in published if one.origin != one.team.identity_id}
    keys = {slug: list(signers[observable, slug]) for slug in sorted(signed) if (observable, slug) in signers}
    told = {"signed_by": sorted(signed), "attested_for": sorted(attested), "relayed_by": sorted(relayed)}
    return told | ({"keys": keys} if keys else {})
