"""What the host publishes as the centre, in the hands of other people's tools: polled, parsed, converted."""

import asyncio
import json
from typing import Any

import pytest
import stix2
from taxii2client.v21 import Collection, as_pages

from regcert.workers import centre as worker
from tests.hosting import ROOT, RunningHost
from tests.made import indicator

UUID = "5a0b2c2e-7f0e-4d63-9f0c-0f0d1b7f6a41"  # of regional-incidents in the sample region: taxii2-client wants no alias
VALUES = {"domain-name": "evil.example", "ipv4-addr": "198.51.100.7", "url": "https://evil.example/a"}
ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def polled(host: RunningHost) -> list[dict[str, Any]]:
    """Let two countries publish the same values and a third see one; poll what the worker makes of it with taxii2-client."""
    for team in ("alcirt", "srb-cert"):
        pattern = " OR ".join(f"{kind}:value = '{value}'" for kind, value in VALUES.items())
        await host.post([indicator(f"[{pattern}]")], team=team)
    path, headers = f"{host.url}/api/v1/sightings", await host.headers("mkd-cert")
    report = {"value": "evil.example", "count": 12, "first_seen": host.at(-1), "last_seen": host.at()}
    async with host.http.post(path, json=report, headers=headers | {"Content-Type": "application/json"}) as response:
        assert response.status < 300
    await host.caught_up()
    token = await host.token("hr-cert")

    def poll() -> list[dict[str, Any]]:
        with Collection(f"{host.url}{ROOT}/collections/{UUID}/", user="x", password=token) as opened:
            return [one for page in as_pages(opened.get_objects, per_request=3) for one in page.get("objects", [])]

    async with asyncio.timeout(30):
        while not (objects := await asyncio.to_thread(poll)):  # noqa: ASYNC110 - the worker tells nobody
            await asyncio.sleep(0.05)
    return objects


@ONE
async def test_incident_is_polled_and_parsed_when_it_is_out(host: RunningHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker publishes by itself; taxii2-client pages through it, stix2 parses all of it, and it holds together."""
    monkeypatch.setattr(worker, "LOOK_EVERY_S", 0.05)
    objects = await polled(host)
    parsed = [stix2.parse(one, allow_custom=False) for one in objects]
    assert {one.pattern for one in parsed if one.type == "indicator"} == {
        f"[{kind}:value = '{value}']" for kind, value in VALUES.items()
    }
    known = {one.id for one in parsed}
    [grouping] = [one for one in parsed if one.type == "grouping"]
    [sighting] = [one for one in parsed if one.type == "sighting"]
    assert {*grouping.object_refs, *sighting.where_sighted_refs, *(one.created_by_ref for one in [grouping, sighting])} <= known
    assert sighting.count == 12


@ONE
async def test_incident_becomes_an_event_when_misp_converts_it(host: RunningHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """misp-stix: one event, an attribute for each value, a sighting for each country that saw it, and the note."""
    converter = pytest.importorskip("misp_stix_converter", reason="misp-stix is not installed")
    monkeypatch.setattr(worker, "LOOK_EVERY_S", 0.05)
    objects = await polled(host)
    parser = converter.ExternalSTIX2toMISPParser()
    parser.load_stix_bundle(stix2.parse(stix2.Bundle(objects, allow_custom=False).serialize()))
    parser.parse_stix_bundle()
    event = json.loads(parser.misp_event.to_json())
    [grouping] = [one for one in objects if one["type"] == "grouping"]
    assert event["info"] == grouping["name"]
    attributes = {one["value"]: one for one in event["Attribute"]}
    assert set(attributes) == set(VALUES.values())
    [sighting] = attributes["evil.example"]["Sighting"]
    assert sighting["Organisation"]["name"] == "Teams in North Macedonia"
    assert sighting["source"].startswith("Seen 12 times")
    [note] = event["Note"]
    assert note["note"].startswith("Why this crosses borders")
    assert "tlp:amber" in {tag["name"] for tag in event["Tag"]}
