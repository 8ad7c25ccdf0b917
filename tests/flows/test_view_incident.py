"""The page of one incident: what stands behind its values, by which key it was signed, nothing that is marked more strictly."""

import orjson

from regcert.flows.publish import publish
from regcert.flows.view_incident import IncidentDetail, view_incident
from regcert.stix.observable import read_observable
from regcert.stix.tlp import Tlp
from tests.flows.test_correlate import DAYS, fresh, incidents, naming
from tests.made import sdo
from tests.signers import enrol
from tests.store.acting import INDICATORS, Acting

AMBER = {"object_marking_refs": ["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"]}
STRICT = {"object_marking_refs": ["marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"]}
MITRE = {"source_name": "mitre-attack", "external_id": "T1566.001"}


async def viewed(acting: Acting, team: str = "hr-cert") -> IncidentDetail:
    [one] = await incidents(acting, team)
    return await view_incident(acting.database, acting.clock, await acting.principal(team), one)


async def test_incident_tells_sectors_techniques_confidence_and_what_links_it(acting):
    """From reports, indicators and sightings of its audience; a technique that is marked more strictly is not told."""
    values = [fresh(), fresh()]
    collection = await acting.collection(ceiling=Tlp.AMBER_STRICT)
    phase = {"kill_chain_name": "lockheed-martin-cyber-kill-chain", "phase_name": "delivery"}
    technique = sdo("attack-pattern", name="Spearphishing Attachment", external_references=[MITRE], **AMBER)
    secret = sdo("attack-pattern", name="x", external_references=[MITRE | {"external_id": "T1003"}], **STRICT)
    made = {
        team: naming(*values, valid_from=DAYS[team], confidence=confidence, kill_chain_phases=[phase], **AMBER)
        for team, confidence in (("alcirt", 80), ("srb-cert", 40))
    }
    refs = [made["alcirt"]["id"], technique["id"], secret["id"]]
    report = sdo("report", name="A wave", published=DAYS["alcirt"], object_refs=refs, **AMBER)
    status = await acting.publish(made["alcirt"], technique, secret, report, collection=collection)
    assert status["success_count"] == 4
    await acting.publish(made["srb-cert"], team="srb-cert", collection=collection)
    for team, sector in (("alcirt", "finance"), ("srb-cert", "finance"), ("mkd-cert", "energy")):
        await acting.sight({"value": values[0], "sector": sector, "first_seen": DAYS["mkd-cert"]}, team=team)
    await acting.catch_up()
    facts = (await viewed(acting)).facts
    assert facts.sectors == (("finance", 2), ("energy", 1))
    assert facts.phases == ("lockheed-martin-cyber-kill-chain: delivery",)
    assert (facts.confidence, facts.confident) == (40, 2)
    assert ("A wave", 2) in {(link.name, link.values) for link in facts.links}
    assert [(one.technique, one.name) for one in facts.techniques] == [("T1566.001", "Spearphishing Attachment")]


async def test_incident_says_by_which_key_a_value_was_signed(acting):
    """The id of the team's key beside what it signed; nothing beside what the host only attests."""
    value = fresh()
    signer = await enrol(acting.database, acting.clock)
    own = naming(value, valid_from=DAYS["alcirt"])
    body = orjson.dumps({"objects": [await signer.manifest([own]), own]})
    await publish(acting.database, acting.schemas, await acting.received(body, "alcirt", INDICATORS))
    await acting.publish(naming(value, valid_from=DAYS["srb-cert"]), team="srb-cert")
    await acting.catch_up()
    [(key_id,)] = {(row["key_id"],) for row in await acting.rows("publications")}
    assert (await viewed(acting)).signers == {(read_observable(value), "alcirt"): (key_id,)}
