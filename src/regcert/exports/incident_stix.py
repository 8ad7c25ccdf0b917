"""An incident as STIX 2.1, in the words of the centre.

What is said once, whatever the incident: who the centre is, and the teams of each country. What is said of each value: an
indicator, and an aggregated sighting for each country that saw it. What is said of the whole: a grouping while it grows or, once
it is steady, a report in its place; never both, because MISP makes an event, and OpenCTI a container, of each. And a note: why it
is there, in plain words.

Here stands only what an object says. Its id follows from its handle; when it was made, and whether it has to be made anew, is
decided in `issued_stix.py`. So the same incident is always the same words.

Spec: STIX 2.1 §4.4 (grouping), §4.7 (indicator), §4.9 (location), §4.13 (note), §4.15 (report), §5.2 (sighting)
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from regcert.domain.holding import Holding
from regcert.domain.incident import Incident
from regcert.domain.region import NO_COUNTRY, Country
from regcert.domain.team import Team
from regcert.stix.canonical import canonical_bytes, digest
from regcert.stix.observable import Observable
from regcert.stix.pattern_text import write_pattern
from regcert.stix.timestamps import write_timestamp

MOST_VALUES = 500
IDENTITY = "identity centre"
# STIX knows no larger count.
_MOST_COUNT = 999_999_999
_MOST_NAME = 250
# The steps of the STIX scale Low, Med, High: a value's confidence moves by steps, or every sighting would make it anew.
_CONFIDENCE = ((60.0, 85), (30.0, 50), (0.0, 15))

# What objects say, by their handles, each behind those that it refers to.
Drafts: TypeAlias = dict[str, dict[str, Any]]
Groups: TypeAlias = Mapping[bytes, tuple[Observable, Sequence[Holding]]]


@dataclass(frozen=True, slots=True)
class Teller:
    """In whose words incidents are told.

    Args:
        centre: the team whose words they are.
        origin: of the host's log, which names the host.
        collection: id of the collection that it is told in; an object of one says nothing about those of another.
        countries: by their codes.
        footnotes: by their marks.
        generations: how often what a handle stands for was withdrawn.
    """

    centre: Team
    origin: str
    collection: str
    countries: Mapping[str, Country]
    footnotes: Mapping[str, str]
    generations: Mapping[str, int]

    def id_of(self, handle: str) -> str:
        """Name an object after what it stands for: the same on the same host and in the same collection, always."""
        if handle == IDENTITY:
            return self.centre.identity_id
        kind = handle.partition(" ")[0]
        again = self.generations.get(handle, 0)
        name = " ".join((self.origin, self.collection, handle, *([str(again)] if again else ())))
        return f"{kind}--{uuid.uuid5(uuid.NAMESPACE_URL, name)}"

    def label(self, code: str) -> str:
        """Write a country's name as it must be written."""
        return self.countries[code].label if code in self.countries else code

    def code(self, code: str) -> str:
        """Write a country's code with its mark."""
        country = self.countries.get(code)
        return f"{code}{country.mark}" if country else code

    def note(self, codes: Iterable[str]) -> str:
        """Write the footnotes that belong to some countries' names, each on a line of its own."""
        marks = sorted({self.countries[code].mark for code in codes if code in self.countries} - {""})
        return "".join(f"\n{mark} {self.footnotes.get(mark, '')}" for mark in marks)


def container_handle(incident_id: str, *, is_report: bool) -> str:
    """Return the handle of what holds an incident together."""
    return f"{'report' if is_report else 'grouping'} {incident_id}"


def note_handle(incident_id: str) -> str:
    """Return the handle of the note that says why."""
    return f"note {incident_id}"


def value_handles(key: bytes, holdings: Iterable[Holding]) -> list[str]:
    """Return the handles of what is said of a value: its indicator, and a sighting for each country that saw it."""
    return [f"indicator {key.hex()}", *(f"sighting {key.hex()} {code}" for code in _seen_in(holdings))]


def describe_incident(incident: Incident, groups: Groups, teller: Teller, *, is_report: bool) -> Drafts:
    """Say everything about an incident.

    Args:
        incident: as correlation found it; its names are those that may be told.
        groups: its values and who holds them, at most 500.
        teller: in whose words.
        is_report: whether it is steady enough for a report.

    Returns:
        What each object says, without id, versions and marking.
    """
    drafts: Drafts = {IDENTITY: {"name": teller.centre.name, "identity_class": "organization"}}
    for code in sorted({code for _, holdings in groups.values() for code in _seen_in(holdings)}):
        drafts |= _teams(code, teller)
    for key, (observable, holdings) in sorted(groups.items(), key=lambda group: group[1][0]):
        indicator, *sightings = value_handles(key, holdings)
        drafts[indicator] = _indicator(incident, observable, holdings, teller)
        for sighting in sightings:
            drafts[sighting] = _sighting(teller.id_of(indicator), sighting[-2:], holdings, teller)
    refs = [teller.id_of(handle) for handle in drafts if handle.startswith(("indicator ", "sighting "))]
    container = container_handle(incident.incident_id, is_report=is_report)
    drafts[container] = _container(incident, refs, teller) | _kind(is_report=is_report)
    drafts[note_handle(incident.incident_id)] = _why(incident, len(groups), teller) | {"object_refs": [teller.id_of(container)]}
    return drafts


def find_shape(incident: Incident, groups: Groups) -> bytes:
    """Digest what is news in an incident: its names, its values and who saw them, its countries, its marking; but no number."""
    handles = sorted(handle for key, (_, holdings) in groups.items() for handle in value_handles(key, holdings))
    countries = [arrival.country for arrival in incident.spread]
    return digest(canonical_bytes([list(incident.names), countries, handles, int(incident.marking)], simple=True))


def describe_merge(incident_id: str, former_id: str, into_id: str) -> Drafts:
    """Say of an incident that it goes on in another one.

    Args:
        incident_id: which.
        former_id: of the object that held it together.
        into_id: of the one that holds the other together.
    """
    return {
        note_handle(incident_id): {
            "abstract": "It goes on as part of another incident.",
            "content": f"This incident turned out to be part of a larger one. It was withdrawn, and goes on as {into_id}.",
            "object_refs": [former_id, into_id],
        }
    }


def _teams(code: str, teller: Teller) -> Drafts:
    """Say which country's teams saw something: a group, because nobody here publishes the identity of another team."""
    if code == NO_COUNTRY:
        return {f"identity {code}": {"name": "Teams of no one country", "identity_class": "group"}}
    label, footnote = teller.label(code), teller.note((code,)).strip()
    described = {"description": footnote} if footnote else {}
    return {
        f"identity {code}": {"name": f"Teams in {label}", "identity_class": "group", **described},
        f"location {code}": {"name": label, "country": code, **described},
        f"relationship {code}": {
            "relationship_type": "located-at",
            "source_ref": teller.id_of(f"identity {code}"),
            "target_ref": teller.id_of(f"location {code}"),
        },
    }


def _indicator(incident: Incident, observable: Observable, holdings: Sequence[Holding], teller: Teller) -> dict[str, Any]:
    codes = sorted({one.team.country for one in holdings} - {NO_COUNTRY}, key=teller.label)
    return {
        "name": observable.value[:_MOST_NAME],
        "description": f"Held in {_join([teller.label(code) for code in codes])}.{teller.note(codes)}",
        "indicator_types": ["unknown"],
        "pattern": write_pattern(observable),
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": write_timestamp(min(one.first_us for one in holdings)),
        "confidence": next(step for least, step in _CONFIDENCE if incident.strength >= least),
    }


def _sighting(indicator_id: str, code: str, holdings: Sequence[Holding], teller: Teller) -> dict[str, Any]:
    """Sum up how the teams of one country saw a value: a hundred reports are one object.

    One for each country, because MISP reads the first of several places and OpenCTI counts all of it in each; and because when
    it got where is what neighbours ask.
    """
    saw = [one for one in holdings if one.positives and one.team.country == code]
    first_us, last_us = min(one.first_us for one in saw), max(one.last_us for one in saw)
    count = min(sum(one.positives for one in saw), _MOST_COUNT)
    return {
        "description": f"Seen {_times(count)}, from {_when(first_us)} to {_when(last_us)}",  # MISP knows no count, and shows this
        "sighting_of_ref": indicator_id,
        "first_seen": write_timestamp(first_us),
        "last_seen": write_timestamp(last_us),
        "count": count,
        "where_sighted_refs": [teller.id_of(f"identity {code}")],
        "summary": True,
    }


def _seen_in(holdings: Iterable[Holding]) -> list[str]:
    return sorted({one.team.country for one in holdings if one.positives})


def _container(incident: Incident, refs: list[str], teller: Teller) -> dict[str, Any]:
    codes = [arrival.country for arrival in incident.spread]
    labels = [teller.label(code) for code in codes]
    title = " / ".join(incident.names) or f"Seen in {_join(labels)}"
    return {
        "name": title[:_MOST_NAME],
        "description": f"It reached {', then '.join(labels)}.{teller.note(codes)}",
        "confidence": round(incident.strength),
        "external_references": [{"source_name": f"RegCERT {teller.origin}", "external_id": incident.incident_id}],
        "object_refs": refs,
    }


def _kind(*, is_report: bool) -> dict[str, Any]:
    return {"report_types": ["indicator"]} if is_report else {"context": "suspicious-activity"}


def _why(incident: Incident, told: int, teller: Teller) -> dict[str, Any]:
    codes = [arrival.country for arrival in incident.spread]
    values = len(incident.observables)
    lines = [
        f"Why this crosses borders: strength {round(incident.strength)} of 100.",
        *(_term(term.name, term.points, term.most, term.evidence) for term in incident.terms),
        "",
        "In the order in which it got there:",
        *(f"- {teller.label(arrival.country)}, {_when(arrival.first_us)}" for arrival in incident.spread),
        "",
        f"Held by {_join([f'{team.name} ({teller.code(team.country)})' for team in incident.teams])}.",
        f"{values} {'value' if values == 1 else 'values'}, seen {_times(incident.sightings)}, from {_when(incident.first_us)} to"
        f" {_when(incident.last_us)}." + (f" {told} of the values are told here." if told < values else ""),
    ]
    if incident.names:
        lines.append(f"Others call it: {'; '.join(incident.names)}.")
    return {
        "abstract": f"{' → '.join(map(teller.code, codes))}, {values} {'value' if values == 1 else 'values'}",
        "content": "\n".join(lines) + teller.note({*codes, *(team.country for team in incident.teams)}),
    }


def _term(name: str, points: float, most: float, evidence: str) -> str:
    scale = f" of {most:g}" if most else ""
    return f"- {name}: {points:+.1f}{scale}. {evidence}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _when(at_us: int) -> str:
    return f"{write_timestamp(at_us)[:16].replace('T', ' ')} UTC"


def _join(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "no one country"
