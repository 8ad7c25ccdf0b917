"""An alert as JSON, for machines: the form that the API and `regcert alerts --json` share."""

from regcert.domain.alert import Alert, AlertKind
from regcert.stix.timestamps import write_timestamp


def alert_json(alert: Alert) -> dict[str, object]:
    """Describe an alert.

    Args:
        alert: as one principal may see it.

    Returns:
        A JSON value; `countries` stand in the order of their first events.
    """
    told = alert.evidence
    return {
        "id": alert.number,
        "kind": alert.kind.value,
        "at": write_timestamp(alert.number),
        "sentence": sentence(alert),
        "marking": alert.marking.label,
        "incident": told.incident_id,
        "incidents": told.incidents,
        "names": list(told.names),
        "countries": [{"country": one.country, "first_seen": write_timestamp(one.first_us)} for one in told.countries],
        "teams": list(told.teams),
        "values": [{"kind": one.kind.value, "value": one.value} for one in told.observables],
        "total": told.total,
        "last_seen": write_timestamp(told.last_us),
        "seen": None if alert.seen_us is None else write_timestamp(alert.seen_us),
    }


def sentence(alert: Alert) -> str:
    """Say in a sentence what an alert tells; countries by their codes, because whoever shows names knows their footnotes."""
    told = alert.evidence
    values = "a value" if told.total == 1 else f"{told.total} values"
    countries = ", ".join(one.country for one in told.countries)
    if alert.kind is AlertKind.SIGHTED:
        return f"Others saw {values} that you published: in {countries}."
    if alert.kind is AlertKind.CROSSING:
        crosses = "crosses borders" if told.total == 1 else "cross borders"
        return f"{values[:1].upper()}{values[1:]} that you hold {crosses}: {countries}."
    what = "An incident comes" if told.incidents == 1 else f"{told.incidents} incidents come"
    return f"{what} close to your country, where nobody has told of it yet: {countries}."
