"""An incident as JSON, for machines: the form that the API and `regcert incidents --json` share."""

from regcert.domain.incident import Incident
from regcert.stix.timestamps import write_timestamp


def incident_json(incident: Incident, score: float) -> dict[str, object]:
    """Describe an incident.

    Args:
        incident: as one principal may see it.
        score: its score now, 0 to 100.

    Returns:
        A JSON value; `countries` stand in the order in which it reached them. schemas/incident.schema.json says the same.
    """
    return {
        "id": incident.incident_id,
        "names": list(incident.names),
        "score": round(score, 1),
        "marking": incident.marking.label,
        "countries": [
            {"country": arrival.country, "first_seen": write_timestamp(arrival.first_us)} for arrival in incident.spread
        ],
        "teams": [team.slug for team in incident.teams],
        "observables": [{"kind": one.kind.value, "value": one.value} for one in incident.observables],
        "sightings": incident.sightings,
        "first_seen": write_timestamp(incident.first_us),
        "last_seen": write_timestamp(incident.last_us),
        "reasons": [
            {"term": term.name, "points": round(term.points, 1), "most": term.most, "evidence": term.evidence}
            for term in incident.terms
        ],
    }
