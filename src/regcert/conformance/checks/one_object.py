"""One object of a collection.

Spec: TAXII 2.1 §5.6
"""

from urllib.parse import quote

from regcert.conformance import made
from regcert.conformance.check import must, needed_by, should
from regcert.conformance.peer import ARRIVAL, LATEST, MIDDLE, OLDEST, Peer, match_ids
from regcert.conformance.reply import FIRST, LAST, instant
from regcert.conformance.verdict import NotOffered, expect


async def _times(host: Peer, query: str) -> list[object]:
    history = await host.history()
    reply = (await host.one(history[0]["id"], query)).has_status(200)
    return [one.get("modified") for one in reply.objects]


@must("5.6")
async def object_answers(host: Peer) -> None:
    """One object by its id is answered with an envelope that holds it and nothing else."""
    one = (await host.five())[0]
    found = (await host.one(one["id"])).has_status(200).ids
    expect(found == [one["id"]], f"{found!r} came")


@must("5.6")
async def object_is_the_latest(host: Peer) -> None:
    """Unasked, an object is its latest version, by `modified` and not by arrival."""
    found = await _times(host, "")
    expect(found == [LATEST], f"{found!r} came")


@must("5.6")
async def object_last(host: Peer) -> None:
    """match[version]=last is the latest version."""
    found = await _times(host, "match[version]=last")
    expect(found == [LATEST], f"{found!r} came")


@must("5.6")
async def object_first(host: Peer) -> None:
    """match[version]=first is the oldest version."""
    found = await _times(host, "match[version]=first")
    expect(found == [OLDEST], f"{found!r} came")


@must("5.6")
async def object_all(host: Peer) -> None:
    """match[version]=all is every version."""
    found = await _times(host, "match[version]=all")
    expect(sorted(map(str, found)) == sorted(ARRIVAL), f"{found!r} came")


@must("5.6")
async def object_exact(host: Peer) -> None:
    """match[version] with a timestamp is the version with exactly this `modified`; one microsecond is a difference."""
    found = await _times(host, f"match[version]={MIDDLE}")
    expect(found == [MIDDLE], f"{found!r} came")


@must("5.6")
async def object_first_and_last(host: Peer) -> None:
    """match[version]=first,last is both."""
    found = await _times(host, "match[version]=first,last")
    expect(sorted(map(str, found)) == sorted((OLDEST, LATEST)), f"{found!r} came")


@must("5.6")
async def object_without_such_version_is_empty(host: Peer) -> None:
    """An object that is there, asked for in a version that is not, is an empty envelope (or 404)."""
    one = (await host.five())[0]
    reply = (await host.one(one["id"], "match[version]=2001-01-01T00:00:00.000Z")).has_status(200, 404)
    expect(reply.status == 404 or not reply.objects, "an object came")


@must("5.6")
async def object_of_other_spec_version_is_empty(host: Peer) -> None:
    """An object of STIX 2.1, asked for in 2.0, does not come."""
    one = (await host.five())[0]
    reply = (await host.one(one["id"], "match[spec_version]=2.0")).has_status(200, 404)
    expect(reply.status == 404 or not reply.objects, "an object came")


@must("5.6")
async def object_of_its_spec_version(host: Peer) -> None:
    """An object of STIX 2.1, asked for in 2.1, comes."""
    one = (await host.five())[0]
    expect((await host.one(one["id"], "match[spec_version]=2.1")).ids == [one["id"]], "it did not come")


@must("5.6")
async def unknown_object_is_not_found(host: Peer) -> None:
    """An object that does not exist is 404."""
    (await host.one(made.new_id("indicator"))).has_status(404)


@must("5.6")
async def object_of_another_type_is_not_found(host: Peer) -> None:
    """The uuid of an object behind another type is another id, and 404."""
    one = (await host.five())[0]
    (await host.one("malware--" + str(one["id"]).rpartition("--")[2])).has_status(404)


@should("5.6")
async def object_with_no_id_is_not_found(host: Peer) -> None:
    """What cannot be an object's id is 404 or 400, and no fault."""
    for name in ("unheard", "indicator--1", "%27%20or%201=1", "..%2f..%2fetc", "x" * 500, "%c4%8d", "indicator--%25"):
        (await host.one(name)).has_status(404, 400, 403)


@must("3.2")
async def object_tells_its_ends(host: Peer) -> None:
    """The answer tells when the object was added, as the manifest does."""
    one = (await host.five())[0]
    added = instant((await host.records(match_ids([one])))[0].get("date_added"), "date_added")
    reply = await host.one(one["id"])
    for name in (FIRST, LAST):
        expect(reply.instant(name) == added, f"{name} is {reply.header(name)}")


@must("5.6")
async def object_added_after(host: Peer) -> None:
    """added_after leaves an object out that was not added later."""
    one = (await host.five())[0]
    added = (await host.records(match_ids([one])))[0].get("date_added")
    reply = (await host.one(one["id"], f"added_after={added}")).has_status(200, 404)
    expect(reply.status == 404 or not reply.objects, "the object came")


@must("5.6")
async def object_limit(host: Peer) -> None:
    """A limit is kept among the versions of one object."""
    one = (await host.history())[0]
    reply = (await host.one(one["id"], "match[version]=all&limit=2")).has_status(200)
    expect(len(reply.objects) <= 2, f"{len(reply.objects)} versions came for a limit of 2")
    expect(reply.more, "a version is left, more is not true")


@must("5.6")
async def object_pages_have_a_way_on(host: Peer) -> None:
    """The versions of one object, page by page, are all of them, each once."""
    one = (await host.history())[0]
    found: list[object] = []
    query = "match[version]=all&limit=1"
    reply = (await host.one(one["id"], query)).has_status(200)
    for _ in range(5):
        found += [version.get("modified") for version in reply.objects]
        if not reply.more:
            break
        reply = (await host.one(one["id"], f"{query}&next={quote(reply.next, safe='')}")).has_status(200)
    expect(found == list(ARRIVAL), f"{found!r} came")


@must("5.6")
async def observable_is_found(host: Peer) -> None:
    """A cyber-observable, which has neither `created` nor `modified`, is found by its id."""
    one = await host.observable()
    expect((await host.one(one["id"])).has_status(200).ids == [one["id"]], "it did not come")


@must("5.6")
async def marking_is_found(host: Peer) -> None:
    """A marking, which has no `modified`, is found by its id."""
    one = await host.marking()
    expect((await host.one(one["id"])).has_status(200).ids == [one["id"]], "it did not come")


@must("5.6")
async def object_by_alias(host: Peer) -> None:
    """An object is found under its collection's alias too."""
    alias = host.place.collection.get("alias")
    if not isinstance(alias, str):
        raise NotOffered("the collection has no alias")
    one = (await host.five())[0]
    reply = await host.get(f"{host.place.of(alias)}objects/{one['id']}/")
    expect(reply.has_status(200).ids == [one["id"]], "it did not come")


@needed_by("all that leave the slash out", "5.6")
async def object_needs_no_slash(host: Peer) -> None:
    """An object answers without its trailing slash."""
    one = (await host.five())[0]
    (await host.get(f"{host.readable}objects/{one['id']}")).has_status(200)
