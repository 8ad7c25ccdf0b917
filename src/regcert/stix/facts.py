"""What stored objects say beside their observables: techniques, phases of kill chains, how sure somebody is.

Objects were judged by their schemas when they came, but what a schema leaves open may be anything: whatever is not plainly what
it should be is left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

_TECHNIQUE = re.compile(r"T[0-9]{4}(?:\.[0-9]{3})?")
_MOST_NAME_CHARS = 120


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What one object says.

    Args:
        stix_id: its id.
        name: what it is called, cut to 120 characters; empty where it has no name.
        techniques: ATT&CK ids with the name of the technique, empty where the object is none itself.
        phases: each as `chain: phase`.
        confidence: 0 to 100, or None where it states none.
    """

    stix_id: str
    name: str
    techniques: tuple[tuple[str, str], ...]
    phases: tuple[str, ...]
    confidence: int | None


def read_facts(body: bytes) -> ObjectFacts:
    """Read the facts of a stored object.

    Spec: STIX 2.1 §3.2 (confidence), §2.5 (external reference), §2.8 (kill chain phase), §4.1 (attack pattern)
    """
    value: dict[str, Any] = orjson.loads(body)
    confidence = value.get("confidence")
    is_stated = isinstance(confidence, int) and not isinstance(confidence, bool) and 0 <= confidence <= 100
    name = _text(value.get("name"))
    called = name if value.get("type") == "attack-pattern" else ""
    return ObjectFacts(
        str(value.get("id", "")),
        name,
        tuple((technique, called) for technique in dict.fromkeys(_techniques(value))),
        tuple(dict.fromkeys(_phases(value))),
        confidence if is_stated else None,
    )


def _techniques(value: dict[str, Any]) -> Iterator[str]:
    for each in _dicts(value.get("external_references")):
        source, found = each.get("source_name"), each.get("external_id")
        if isinstance(source, str) and source.startswith("mitre") and isinstance(found, str) and _TECHNIQUE.fullmatch(found):
            yield found


def _phases(value: dict[str, Any]) -> Iterator[str]:
    for each in _dicts(value.get("kill_chain_phases")):
        chain, phase = _text(each.get("kill_chain_name")), _text(each.get("phase_name"))
        if chain and phase:
            yield f"{chain}: {phase}"


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value[:_MOST_NAME_CHARS] if isinstance(value, str) and value.isprintable() else ""
