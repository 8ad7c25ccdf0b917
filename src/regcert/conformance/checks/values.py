"""Objects come back as they were posted, value for value.

Spec: TAXII 2.1 §5.4, §5.5; STIX 2.1 §3 for what may be in an object
"""

import uuid
from collections.abc import Callable
from typing import Any

from regcert.conformance import made
from regcert.conformance.check import Check, Keyword, each
from regcert.conformance.made import Object
from regcert.conformance.peer import Peer, match_ids
from regcert.conformance.verdict import expect, inert

_EXTENSION = "extension-definition--b7ad4a1c-7c2e-4c54-8ad1-5f0c9c7e2a10"


def _custom() -> Object:
    return made.indicator(x_text="text", x_number=7, x_truth=True, x_list=["a", "b"], x_object={"inner": {"deep": [1, 2]}})


def _envelope_words() -> Object:
    return made.indicator(x_version="1", version="2.7", date_added="never", media_type="text/plain", more=True, x_next="here")


def _extended() -> Object:
    return made.indicator(extensions={_EXTENSION: {"extension_type": "property-extension", "rank": 5, "toxicity": 8.25}})


def _unicode() -> Object:
    return made.indicator(
        description='Čačak, Ѓевгелија, Shqipëri, 東京, עברית, 🛡 and a\u0301 that is two signs; "quotes" \\ / \t'
    )


def _numbers() -> Object:
    return made.indicator(confidence=85, x_numbers=[0, -1, 1.5, -0.25, 1e-7, 123456789012, 9007199254740991])


def _times() -> Object:
    created, modified = "2026-01-10T10:00:00Z", "2026-01-10T10:00:00.120Z"
    return made.indicator(created=created, modified=modified, valid_from="2026-01-10T10:00:00.1200Z")


def _long() -> Object:
    return made.indicator(description="long " * 60_000)


def _relationship() -> Object:
    return made.made(
        "relationship",
        relationship_type="indicates",
        source_ref=made.new_id("indicator"),
        target_ref=made.new_id("malware"),
    )


def _sighting() -> Object:
    return made.made("sighting", sighting_of_ref=made.new_id("indicator"), count=3, description=made.NOTE)


def _marked() -> Object:
    # TLP:CLEAR of TLP 2.0, and the same in granular form.
    clear = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
    granular = [{"marking_ref": clear, "selectors": ["name"]}]
    return made.indicator(object_marking_refs=[clear], granular_markings=granular)


def _referring() -> Object:
    references = [{"source_name": "a source", "url": "https://conformance.example/?a=1&b=%20", "external_id": "X-1"}]
    return made.indicator(external_references=references, labels=["one", "two"])


def _revoked() -> Object:
    return made.indicator(revoked=True, modified="2026-01-12T00:00:00.000Z")


def _file() -> Object:
    digest = uuid.uuid4().hex * 2
    name = '{"hashes":{"SHA-256":"' + digest + '"}}'
    stix_id = f"file--{uuid.uuid5(uuid.UUID('00abedb4-aa42-466c-9c01-fed23315a9b7'), name)}"
    return {"type": "file", "spec_version": "2.1", "id": stix_id, "hashes": {"SHA-256": digest}}


def _report() -> Object:
    members = [made.new_id("indicator") for _ in range(50)]
    return made.made("report", name=made.NOTE, published=made.CREATED, object_refs=members)


_KINDS: tuple[tuple[str, str, Callable[[], Object]], ...] = (
    ("indicator", "An indicator comes back as it was posted.", made.indicator),
    ("malware", "A malware object comes back as it was posted.", made.malware),
    ("identity", "An identity comes back as it was posted.", made.identity),
    ("relationship", "A relationship comes back as it was posted.", _relationship),
    ("sighting", "A sighting comes back as it was posted.", _sighting),
    ("report", "A report with fifty references comes back as it was posted.", _report),
    ("marking-definition", "A marking, which has no `modified`, comes back as it was posted.", made.marking),
    (
        "bare-observable",
        "A cyber-observable without spec_version, created and modified comes back without them.",
        made.observable,
    ),
    ("observable", "A cyber-observable with a spec_version comes back with it.", _file),
    ("custom-properties", "Custom properties of every JSON kind come back, with their values.", _custom),
    (
        "envelope-words",
        "Properties that are called like TAXII's own (version, date_added, more) stay the object's.",
        _envelope_words,
    ),
    ("extensions", "Extensions come back as they were posted.", _extended),
    ("other-scripts", "Text in any script comes back sign for sign.", _unicode),
    ("numbers", "Numbers keep their value.", _numbers),
    ("timestamps", "Timestamps keep their text, with as many decimals as they were written with.", _times),
    ("long-text", "A text of 300,000 characters comes back whole.", _long),
    ("markings", "Markings of an object and of its parts come back.", _marked),
    ("references", "External references and labels come back.", _referring),
    ("revoked", "An object that is revoked comes back, with its word that it is.", _revoked),
)


def _judge(make: Callable[[], Object]) -> Callable[[Peer], Any]:
    async def judge(host: Peer) -> None:
        one = make()
        await host.stored(one)
        found = (await host.objects(match_ids([one]))).objects
        expect(len(found) == 1, f"{len(found)} objects came for one id")
        wrong = [name for name in {*one, *found[0]} if one.get(name, ...) != found[0].get(name, ...)]
        shown = ", ".join(f"{name} is {inert(repr(found[0].get(name)), 60)}" for name in sorted(wrong))
        expect(not wrong, f"not as posted: {shown}")

    return judge


VALUES: tuple[Check, ...] = tuple(
    each(Keyword.MUST, "5.4", f"value-for-value-{name}", rule, _judge(make)) for name, rule, make in _KINDS
)
