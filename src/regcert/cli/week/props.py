"""The STIX objects that appear in the week, built with stix2 as an ordinary producer builds them."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import stix2

from regcert.cli.week.script import Story, Value
from regcert.stix.observable import ObservableKind
from regcert.stix.timestamps import write_timestamp
from regcert.stix.tlp import MARKING_IDS, Tlp

StixJson = Mapping[str, object]


class _Stix2Object(Protocol):
    def serialize(self) -> str: ...


_NAMESPACE = uuid.UUID("0a3f8f2e-52e2-4b37-9d0c-6a0d7f8c1912")  # drawn once; ids follow from names, the same in every run
_MARKINGS = {tlp: marking_id for marking_id, tlp in MARKING_IDS.items()}  # TLP 2.0 stands last, and wins over 1.x
_PATHS: Mapping[ObservableKind, str] = {
    ObservableKind.IPV4: "ipv4-addr:value",
    ObservableKind.IPV6: "ipv6-addr:value",
    ObservableKind.DOMAIN: "domain-name:value",
    ObservableKind.URL: "url:value",
    ObservableKind.EMAIL: "email-message:from_ref.value",
    ObservableKind.SHA256: "file:hashes.'SHA-256'",
    ObservableKind.MUTEX: "mutex:name",
}


def stix_id(kind: str, *names: str) -> str:
    """Name an object after what it is: the same names give the same id."""
    return f"{kind}--{uuid.uuid5(_NAMESPACE, '/'.join((kind, *names)))}"


@dataclass(frozen=True, slots=True)
class Said:
    """Whose word an object is, from when, and how far it may go."""

    author: str
    at_us: int
    marking: Tlp

    @property
    def properties(self) -> dict[str, object]:
        """The same as properties of a STIX object."""
        at = write_timestamp(self.at_us)
        marking = _MARKINGS[self.marking]
        return {"created_by_ref": self.author, "created": at, "modified": at, "object_marking_refs": [marking]}


def identity(identity_id: str, name: str, at_us: int) -> StixJson:
    """Introduce a team, or the author of a feed."""
    at = write_timestamp(at_us)
    return _built(stix2.Identity(id=identity_id, name=name, identity_class="organization", created=at, modified=at))


def indicator(names: tuple[str, ...], said: Said, title: str, value: Value, indicates: str) -> StixJson:
    """Say that a value is bad from a moment on.

    Args:
        names: what the id follows from.
        said: whose word it is.
        title: for people.
        value: of a kind that has a path above; quotes and backslashes are escaped here.
        indicates: the indicator type.

    Spec: STIX 2.1 §4.7, §9.2
    """
    text = value.value.replace("\\", "\\\\").replace("'", "\\'")
    return _built(
        stix2.Indicator(
            id=stix_id("indicator", *names),
            name=title,
            indicator_types=[indicates],
            pattern=f"[{_PATHS[value.kind]} = '{text}']",
            pattern_type="stix",
            valid_from=write_timestamp(said.at_us),
            **said.properties,
        )
    )


def report(names: tuple[str, ...], said: Said, title: str, refs: Sequence[str]) -> StixJson:
    """Report some objects together."""
    return _built(
        stix2.Report(
            id=stix_id("report", *names),
            name=title,
            report_types=["indicator"],
            published=write_timestamp(said.at_us),
            object_refs=list(refs),
            **said.properties,
        )
    )


def context(story: Story, said: Said) -> StixJson:
    """Name what a story is about: a campaign, or a family of malware."""
    named = said.properties | {
        "id": stix_id(story.context, story.key),
        "name": story.title,
        "description": story.description,
    }
    if story.context == "campaign":
        return _built(stix2.Campaign(**named))
    return _built(stix2.Malware(**named, is_family=True, malware_types=["ransomware"]))


def indicates(source: str, target: str, said: Said) -> StixJson:
    """Tie an indicator to the campaign or the malware that it indicates."""
    return _built(
        stix2.Relationship(
            id=stix_id("relationship", source, target),
            relationship_type="indicates",
            source_ref=source,
            target_ref=target,
            **said.properties,
        )
    )


def _built(made: _Stix2Object) -> StixJson:
    value: StixJson = json.loads(made.serialize())
    return value
