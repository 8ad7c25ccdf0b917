"""Posting objects.

Spec: TAXII 2.1 §5.5
"""

import asyncio
import json
import uuid

from regcert.conformance import made
from regcert.conformance.check import must, needed_by, should
from regcert.conformance.peer import Peer, match_ids, named
from regcert.conformance.verdict import NotOffered, Skipped, expect

_NO = (400, 422)


@must("5.5")
async def post_is_accepted(host: Peer) -> None:
    """An envelope is answered with 202 and a status."""
    reply = (await host.post_objects(made.indicator())).has_status(202)
    expect("status" in reply.document and "id" in reply.document, "the body is no status")


@must("5.5")
async def envelope_of_several_is_accepted(host: Peer) -> None:
    """An envelope of several objects is taken whole."""
    status = await host.status_of(made.indicator(), made.malware(), made.identity())
    expect(status.get("success_count") == 3, f"success_count is {status.get('success_count')!r}")


@must("5.5")
async def observable_without_times_is_taken(host: Peer) -> None:
    """A cyber-observable, which has neither spec_version nor created nor modified, is taken."""
    status = await host.status_of(made.observable())
    expect(status.get("success_count") == 1, f"failures: {status.get('failures')!r}")


@must("5.5")
async def observable_with_spec_version_is_taken(host: Peer) -> None:
    """A cyber-observable that names its spec_version, but has neither created nor modified, is taken."""
    status = await host.status_of(made.observable(spec_version="2.1"))
    expect(status.get("success_count") == 1, f"failures: {status.get('failures')!r}")


@must("5.5")
async def marking_without_modified_is_taken(host: Peer) -> None:
    """A marking, which has no `modified`, is taken."""
    status = await host.status_of(made.marking())
    expect(status.get("success_count") == 1, f"failures: {status.get('failures')!r}")


@must("5.5")
async def duplicate_is_no_failure(host: Peer) -> None:
    """The same version again, unchanged, is a success."""
    one = made.indicator()
    await host.stored(one)
    status = await host.status_of(one)
    expect(status.get("failure_count") == 0, f"failures: {status.get('failures')!r}")
    expect(status.get("success_count") == 1, f"success_count is {status.get('success_count')!r}")


@must("5.5")
async def duplicate_is_stored_once(host: Peer) -> None:
    """The same version again is not there twice."""
    one = made.indicator()
    for _ in range(2):
        await host.stored(one)
    for query in ("", "&match[version]=all"):
        found = (await host.objects(match_ids([one]) + query)).objects
        expect(len(found) == 1, f"it is there {len(found)} times")


@should("5.5")
async def duplicate_is_not_delivered_again(host: Peer) -> None:
    """The same version again is not new to who has read it."""
    one = made.indicator()
    await host.stored(one)
    added = (await host.records(match_ids([one])))[0].get("date_added")
    await host.stored(one)
    found = (await host.objects(f"{match_ids([one])}&added_after={added}")).ids
    expect(not found, "it came again to who had read it")


@must("5.5")
async def duplicate_in_one_envelope_is_stored_once(host: Peer) -> None:
    """The same version twice in one envelope is no failure, and is there once."""
    one = made.indicator()
    status = await host.status_of(one, one)
    expect(status.get("failure_count") == 0, f"failures: {status.get('failures')!r}")
    found = (await host.objects(match_ids([one]) + "&match[version]=all")).objects
    expect(len(found) == 1, f"it is there {len(found)} times")


@must("5.5")
async def duplicates_at_once_are_stored_once(host: Peer) -> None:
    """The same version in eight requests at one time is there once, and no fault."""
    one = made.indicator()
    for reply in await asyncio.gather(*(host.post_objects(one) for _ in range(8))):
        await host.finish(reply.has_status(202).document)
    found = (await host.objects(match_ids([one]) + "&match[version]=all")).objects
    expect(len(found) == 1, f"it is there {len(found)} times")


@must("5.5")
async def duplicate_marking_is_no_failure(host: Peer) -> None:
    """The same marking again, as it comes with every MISP event, is a success, and is there once."""
    one = made.marking()
    for _ in range(2):
        status = await host.status_of(one)
        expect(status.get("success_count") == 1, f"failures: {status.get('failures')!r}")
    found = (await host.objects(match_ids([one]))).objects
    expect(len(found) == 1, f"it is there {len(found)} times")


@must("5.5")
async def duplicate_observable_is_stored_once(host: Peer) -> None:
    """The same cyber-observable again is a success, and is there once."""
    one = made.observable()
    for _ in range(2):
        status = await host.status_of(one)
        expect(status.get("success_count") == 1, f"failures: {status.get('failures')!r}")
    found = (await host.objects(match_ids([one]) + "&match[version]=all")).objects
    expect(len(found) == 1, f"it is there {len(found)} times")


@must("5.5")
async def other_content_is_no_second_copy(host: Peer) -> None:
    """The same id and version with other content never makes two of it, and is no fault."""
    one = made.indicator()
    await host.stored(one)
    reply = await host.post_objects(one | {"description": "another"})
    reply.has_status(202, 400, 409, 422)
    found = (await host.objects(match_ids([one]) + "&match[version]=all")).objects
    expect(len(found) == 1, f"it is there {len(found)} times")


@must("5.5")
async def later_version_takes_over(host: Peer) -> None:
    """A later version becomes the latest, and the earlier one stays."""
    one = made.indicator()
    later = one | {"modified": "2026-04-01T00:00:00.000Z"}
    await host.stored(one)
    await host.stored(later)
    expect(named((await host.objects(match_ids([one]))).objects) == named([later]), "it is not the latest")
    every = (await host.objects(match_ids([one]) + "&match[version]=all")).objects
    expect(len(every) == 2, f"there are {len(every)} versions")


@must("5.5")
async def earlier_version_is_taken(host: Peer) -> None:
    """A version that is older than what is there is taken, and does not become the latest."""
    one = made.indicator(modified="2026-04-01T00:00:00.000Z")
    await host.stored(one)
    status = await host.status_of(one | {"modified": made.CREATED})
    expect(status.get("success_count") == 1, f"failures: {status.get('failures')!r}")
    expect(named((await host.objects(match_ids([one]))).objects) == named([one]), "the older one is the latest")


@must("5.5")
async def bad_object_spares_the_others(host: Peer) -> None:
    """A bad object among good ones is a failure of its own (or the envelope is refused whole), and no fault."""
    bad = made.indicator()
    del bad["type"]
    good = made.indicator()
    reply = (await host.post_objects(good, bad)).has_status(202, *_NO)
    if reply.status != 202:
        raise NotOffered(f"an envelope with a bad object is refused whole ({reply.status})")
    status = await host.finish(reply.document)
    if status.get("success_count") == 2:
        raise NotOffered("objects are not looked at: one without a type is taken")
    expect(status.get("success_count") == 1, f"success_count is {status.get('success_count')!r}")
    expect((await host.objects(match_ids([good]))).ids == [good["id"]], "the good one is not there")


@should("5.5")
async def object_without_id_is_refused(host: Peer) -> None:
    """An object without id is a failure, or the envelope is refused."""
    one = made.indicator()
    del one["id"]
    reply = (await host.post(made.envelope(one))).has_status(202, *_NO)
    if reply.status == 202:
        status = await host.finish(reply.document)
        expect(status.get("failure_count") == 1, f"it counts as a success: {status.get('successes')!r}")


@should("5.5")
async def things_that_are_no_objects_are_refused(host: Peer) -> None:
    """What is no object at all in `objects` is a failure, or the envelope is refused."""
    reply = (await host.post(b'{"objects":[1,"text",null,[]]}')).has_status(202, *_NO)
    if reply.status == 202:
        status = await host.finish(reply.document)
        expect(not status.get("success_count"), f"success_count is {status.get('success_count')!r}")


@must("5.5")
async def unknown_collection_is_not_found(host: Peer) -> None:
    """A POST to a collection that does not exist is 404 (or 403)."""
    _ = host.writable
    path = f"{host.place.of(str(uuid.uuid4()))}objects/"
    (await host.ask("POST", path, body=made.envelope(made.indicator()))).has_status(404, 403)


@needed_by("stix2 TAXIICollectionSink, Splunk TA_CTIS_TAXII, OpenCTI", "5.5")
async def bundle_is_read_as_an_envelope(host: Peer) -> None:
    """A STIX bundle is taken for an envelope of its objects."""
    one = made.indicator()
    host.remember(one)
    status = await host.finish((await host.post(made.bundle(one))).has_status(202).document)
    expect(status.get("success_count") == 1, f"success_count is {status.get('success_count')!r}")
    expect((await host.objects(match_ids([one]))).ids == [one["id"]], "the object is not there")


@needed_by("MISP", "5.5")
async def hundreds_of_objects_are_taken(host: Peer) -> None:
    """Two hundred objects in one envelope are taken."""
    objects = [made.indicator() for _ in range(200)]
    if len(made.envelope(*objects)) > await _limit_or_any(host):
        raise Skipped("they are larger than max_content_length")
    status = await host.status_of(*objects)
    expect(status.get("success_count") == 200, f"success_count is {status.get('success_count')!r}")


async def _limit_or_any(host: Peer) -> int:
    most = (await host.get(host.place.root)).document.get("max_content_length")
    return most if isinstance(most, int) else 0


@must("5.5")
async def what_is_complete_can_be_read(host: Peer) -> None:
    """What a complete status counts as a success can be read at once."""
    one = made.indicator()
    await host.stored(one)
    expect((await host.objects(match_ids([one]))).ids == [one["id"]], "it is not there")


@should("5.5")
async def what_is_refused_is_not_there(host: Peer) -> None:
    """What is refused is not stored."""
    bad = made.indicator(pattern=1, valid_from="never")
    host.remember(bad)
    reply = (await host.post(made.envelope(bad))).has_status(202, *_NO)
    if reply.status == 202 and (await host.finish(reply.document)).get("failure_count") == 0:
        raise NotOffered("objects are not looked at: a pattern that is a number is taken")
    expect(not (await host.objects(match_ids([bad]))).objects, "it is there")


@must("5.5")
async def escapes_are_the_signs_they_mean(host: Peer) -> None:
    """Text that is posted in escapes is the text that comes."""
    one = made.indicator(description="Čačak 🛡")
    host.remember(one)
    body = json.dumps({"objects": [one]}, ensure_ascii=True).encode()
    await host.finish((await host.post(body)).has_status(202).document)
    found = (await host.objects(match_ids([one]))).objects
    expect([other.get("description") for other in found] == [one["description"]], "another text came")


@needed_by("all that leave the slash out", "5.5")
async def post_needs_no_slash(host: Peer) -> None:
    """A POST is taken without the trailing slash, and not redirected."""
    one = made.indicator()
    host.remember(one)
    (await host.ask("POST", f"{host.writable}objects", body=made.envelope(one))).has_status(202)
