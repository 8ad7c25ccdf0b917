"""Decisions and held back values as JSON, for machines."""

from collections.abc import Sequence

from regcert.domain.decision import Decided
from regcert.domain.held_back import HeldBack
from regcert.stix.timestamps import write_timestamp


def decision_json(one: Decided) -> dict[str, object]:
    """Describe a decision: what, by whom, when, why, and whether it still holds."""
    return {
        "id": one.decision_id,
        "do": one.deed.value,
        "incident": one.incident_id or None,
        "with": one.with_id or None,
        "reason": one.reason,
        "team": one.team,
        "by": one.token,
        "at": write_timestamp(one.at_us),
        "values": one.values,
        "undone": one.is_undone,
        "applied": one.is_applied,
    }


def held_json(one: HeldBack, collections: Sequence[str]) -> dict[str, object]:
    """Describe a value that is held back, and in which audience."""
    return {
        "kind": one.observable.kind.value,
        "value": one.observable.value,
        "countries": list(one.countries),
        "reason": one.held,
        "why": one.reason,
        "region_wide": one.wide,
        "collections": list(collections),
    }
