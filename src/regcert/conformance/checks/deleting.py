"""Deleting objects.

Spec: TAXII 2.1 §5.7
"""

from regcert.conformance import made
from regcert.conformance.check import must, needed_by, should
from regcert.conformance.made import Object
from regcert.conformance.peer import Peer, match_ids
from regcert.conformance.verdict import NotOffered, Skipped, expect

_LATER = "2026-05-01T00:00:00.000Z"


async def _deleted(host: Peer, query: str = "", *, versions: bool = False) -> Object:
    """Post an object, with a later version if asked, and delete what the query names."""
    one = made.indicator()
    await host.stored(one)
    if versions:
        await host.stored(one | {"modified": _LATER})
    reply = await host.delete(one["id"], query)
    if reply.status == 405:
        raise NotOffered("nothing can be deleted here (405)")
    reply.has_status(200)
    return one


@must("5.7")
async def delete_answers(host: Peer) -> None:
    """A DELETE of an object that we posted is 200."""
    await _deleted(host)


@must("5.7")
async def deleted_object_is_not_found(host: Peer) -> None:
    """What is deleted is 404 by its id."""
    one = await _deleted(host)
    (await host.one(one["id"])).has_status(404)


@must("5.7")
async def deleted_object_is_not_among_the_objects(host: Peer) -> None:
    """What is deleted is not among the objects."""
    one = await _deleted(host)
    for query in ("", "&match[version]=all"):
        expect(not (await host.objects(match_ids([one]) + query)).objects, "it is there")


@must("5.7")
async def deleted_object_is_not_in_the_manifest(host: Peer) -> None:
    """What is deleted is not in the manifest."""
    one = await _deleted(host)
    for query in ("", "&match[version]=all"):
        expect(not await host.records(match_ids([one]) + query), "it is there")


@should("5.7")
async def every_version_is_deleted_unasked(host: Peer) -> None:
    """A DELETE without match[version] deletes every version of the object, not the latest alone."""
    one = await _deleted(host, versions=True)
    found = (await host.objects(match_ids([one]) + "&match[version]=all")).objects
    expect(not found, f"of two versions, {[other.get('modified') for other in found]!r} are there")


@must("5.7")
async def deleted_object_has_no_versions(host: Peer) -> None:
    """What is deleted has no versions: 404."""
    one = await _deleted(host)
    (await host.versions(one["id"])).has_status(404)


@must("5.7")
async def unknown_object_is_not_found(host: Peer) -> None:
    """A DELETE of what is not there is 404."""
    reply = await host.delete(made.new_id("indicator"))
    if reply.status == 405:
        raise NotOffered("nothing can be deleted here (405)")
    reply.has_status(404)


@should("5.7")
async def deleting_twice_is_no_fault(host: Peer) -> None:
    """A DELETE of what was deleted is 404 (or 200), and no fault."""
    one = await _deleted(host)
    (await host.delete(one["id"])).has_status(404, 200)


@must("5.7")
async def exact_version_is_deleted_alone(host: Peer) -> None:
    """A DELETE with match[version] and a timestamp deletes this version, and the other stays."""
    one = await _deleted(host, f"match[version]={made.CREATED}", versions=True)
    found = [other.get("modified") for other in (await host.objects(match_ids([one]) + "&match[version]=all")).objects]
    expect(found == [_LATER], f"of two versions, the first was deleted, and {found!r} are there")


@must("5.7")
async def last_version_is_deleted_alone(host: Peer) -> None:
    """A DELETE with match[version]=last deletes the latest version, and the one before is the latest then."""
    one = await _deleted(host, "match[version]=last", versions=True)
    found = [other.get("modified") for other in (await host.objects(match_ids([one]))).objects]
    expect(found == [made.CREATED], f"of two versions, the last was deleted, and {found!r} is there")


@should("5.7")
async def version_that_is_not_there_deletes_nothing(host: Peer) -> None:
    """A DELETE of a version that is not there deletes no other."""
    one = made.indicator()
    await host.stored(one)
    reply = await host.delete(one["id"], "match[version]=2001-01-01T00:00:00.000Z")
    reply.has_status(200, 404, 405)
    expect(len((await host.objects(match_ids([one]))).objects) == 1, "it is gone")


@must("5.7")
async def other_spec_version_deletes_nothing(host: Peer) -> None:
    """A DELETE with match[spec_version]=2.0 leaves an object of 2.1."""
    one = made.indicator()
    await host.stored(one)
    (await host.delete(one["id"], "match[spec_version]=2.0")).has_status(200, 404, 405)
    expect(len((await host.objects(match_ids([one]))).objects) == 1, "it is gone")


@must("5.7")
async def others_stay(host: Peer) -> None:
    """A DELETE takes nothing else with it."""
    one, other = made.indicator(), made.indicator()
    await host.stored(one, other)
    if (await host.delete(one["id"])).status == 405:
        raise NotOffered("nothing can be deleted here (405)")
    expect((await host.one(other["id"])).has_status(200).ids == [other["id"]], "the other is gone")


@should("5.7")
async def deleted_object_can_come_back(host: Peer) -> None:
    """What was deleted can be posted again, and is there again."""
    one = await _deleted(host)
    await host.stored(one)
    expect((await host.objects(match_ids([one]))).ids == [one["id"]], "it is not there")


@needed_by("all that resume", "5.7")
async def object_that_comes_back_is_new(host: Peer) -> None:
    """What was deleted and is posted again is new to who has read it before."""
    one = made.indicator()
    await host.stored(one)
    before = str((await host.records(match_ids([one])))[0].get("date_added"))
    if (await host.delete(one["id"])).status != 200:
        raise Skipped("it could not be deleted")
    await host.stored(one)
    found = (await host.objects(f"{match_ids([one])}&added_after={before}")).ids
    expect(found == [one["id"]], "it did not come to who had read it before")


@must("5.7")
async def observable_can_be_deleted(host: Peer) -> None:
    """A cyber-observable can be deleted."""
    one = made.observable()
    await host.stored(one)
    reply = await host.delete(one["id"])
    if reply.status == 405:
        raise NotOffered("nothing can be deleted here (405)")
    reply.has_status(200)
    (await host.one(one["id"])).has_status(404)


@must("5.7")
async def unwritable_collection_deletes_nothing(host: Peer) -> None:
    """Where can_write is false, a DELETE is 403 or 404, or 405."""
    if host.terms.read_only:
        raise Skipped("--read-only")
    for one in host.place.collections:
        if one.get("can_write") is False:
            path = f"{host.place.of(one)}objects/{made.new_id('indicator')}/"
            (await host.ask("DELETE", path)).has_status(403, 404, 405)
            return
    raise NotOffered("every collection that is listed can be written")


@needed_by("all that leave the slash out", "5.7")
async def delete_needs_no_slash(host: Peer) -> None:
    """A DELETE works without the trailing slash."""
    one = made.indicator()
    await host.stored(one)
    reply = await host.ask("DELETE", f"{host.deletable}objects/{one['id']}")
    if reply.status == 405:
        raise NotOffered("nothing can be deleted here (405)")
    reply.has_status(200)
