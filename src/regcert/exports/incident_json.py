"""An incident as JSON, for machines: the form that the API and `regcert incidents --json` share."""

from collections.abc import Sequence
from typing import TypeAlias

from regcert.domain.holding import Holding
from regcert.domain.incident import Incident
from regcert.stix.observable import Observable
from regcert.stix.timestamps import write_timestamp

Evidence: TypeAlias = Sequence[tuple[Observable, Sequence[Holding]]]


def incident_json(incident: Incident, score: float, evidence: Evidence = ()) -> dict[str, object]:
    """Describe an incident.

    Args:
        incident: as one principal may see it.
        score: its score now, 0 to 100.
        evidence: values of it and who holds them; of these it is told who vouches for them.

    Returns:
        A JSON value; `countries` stand in the order in which it reached them. schemas/incident.schema.json says the same.
    """
    held = dict(evidence)
    return {
        "id": incident.incident_id,
        "names": list(incident.names),
        "score": round(score, 1),
        "marking": incident.marking.label,
        "countries": [
            {"country": arrival.country, "first_seen": write_timestamp(arrival.first_us)} for arrival in incident.spread
        ],
        "teams": [team.slug for team in incident.teams],
        "observables": [
            {"kind": one.kind.value, "value": one.value} | _vouched(held.get(one, ())) for one in incident.observables
        ],
        "sightings": incident.sightings,
        "first_seen": write_timestamp(incident.first_us),
        "last_seen": write_timestamp(incident.last_us),
        "reasons": [
            {"term": term.name, "points": round(term.points, 1), "most": term.most, "evidence": term.evidence}
            for term in incident.terms
        ],
    }


def _vouched(holdings: Sequence[Holding]) -> dict[str, object]:
    """Name the teams that signed for a value, those for which only the host vouches, and those that pass on another's word.

    Nothing is said where that is not known.
    """
    published = [one for one in holdings if one.published]
    attested = {one.team.slug for one in published if not one.signed}
    signed = {one.team.slug for one in published} - attested
    if not published:
        return {}
    relayed = {one.team.slug for one in published if one.origin != one.team.identity_id}
    return {"signed_by": sorted(signed), "attested_for": sorted(attested), "relayed_by": sorted(relayed)}
