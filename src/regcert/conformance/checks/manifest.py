"""The manifest.

Spec: TAXII 2.1 §5.3
"""

import uuid
from urllib.parse import quote

from regcert.conformance import made
from regcert.conformance.check import must, needed_by, should
from regcert.conformance.peer import LATEST, MIDDLE, OLDEST, Peer, match_ids
from regcert.conformance.reply import FIRST, LAST, instant
from regcert.conformance.shapes import optional_text, require_own_timestamp, require_text
from regcert.conformance.verdict import NotOffered, expect

_YEAR_2000_US = 946_684_800_000_000
_NEVER = f"match[id]={made.new_id('indicator')}"


@must("5.3")
async def manifest_answers(host: Peer) -> None:
    """The manifest is answered with 200 and a JSON object."""
    (await host.manifest("limit=10")).list_of("objects")


@must("5.3")
async def records_are_whole(host: Peer) -> None:
    """A record has id, date_added and version, and a media type that is text if it has one."""
    for one in await host.records(match_ids(await host.five())):
        for name in ("id", "date_added", "version"):
            require_text(one, name, "a record")
        optional_text(one, "media_type", "a record")


@must("5.3")
async def every_object_has_its_record(host: Peer) -> None:
    """Every object that was posted has one record, and no other."""
    five = await host.five()
    found = [one.get("id") for one in await host.records(match_ids(five))]
    expect(sorted(map(str, found)) == sorted(one["id"] for one in five), f"{len(five)} objects, records of {found!r}")


@must("5.3")
async def date_added_has_microseconds(host: Peer) -> None:
    """When an object was added is UTC with `Z` and six decimals."""
    for one in await host.records(match_ids(await host.five())):
        require_own_timestamp(one.get("date_added"), "date_added")


@must("3.3")
async def manifest_is_in_order_of_arrival(host: Peer) -> None:
    """Records come in ascending order of date_added."""
    dates = [instant(one.get("date_added"), "date_added") for one in await host.records(match_ids(await host.five()))]
    expect(dates == sorted(dates), f"the order is {dates!r}")


@should("5.3")
async def manifest_and_objects_have_one_order(host: Peer) -> None:
    """The manifest lists what objects lists, in the same order."""
    query = match_ids(await host.five())
    records, objects = await host.manifest(query), await host.objects(query)
    expect(records.ids == objects.ids, f"manifest {records.ids!r}, objects {objects.ids!r}")


@needed_by("OpenCTI, Elastic Agent, OpenCTI ingester", "5.3")
async def date_added_is_unique(host: Peer) -> None:
    """No two objects of one POST were added at one time: a client that resumes by time after a page would lose the rest."""
    dates = [one.get("date_added") for one in await host.records(match_ids(await host.five()))]
    expect(len(set(dates)) == len(dates), f"{len(dates)} objects, {len(set(dates))} different date_added")


@must("5.3")
async def version_is_modified(host: Peer) -> None:
    """The version of a record is the instant of its object's `modified`."""
    five = {one["id"]: one for one in await host.five()}
    for one in await host.records(match_ids(list(five.values()))):
        modified = five.get(str(one.get("id")), {}).get("modified", one.get("version"))
        expect(instant(one.get("version"), "version") == instant(modified, "modified"), f"it is {one.get('version')!r}")


@should("5.3")
async def version_keeps_its_text(host: Peer) -> None:
    """The version of a record is written as its object writes `modified`, digit by digit."""
    five = {one["id"]: one for one in await host.five()}
    for one in await host.records(match_ids(list(five.values()))):
        modified = five.get(str(one.get("id")), {}).get("modified", one.get("version"))
        expect(one.get("version") == modified, f"it is {one.get('version')!r}, not {modified!r}")


@must("5.3")
async def version_of_a_marking_is_created(host: Peer) -> None:
    """The version of an object without `modified` is its `created`."""
    one = await host.marking()
    for record in await host.records(match_ids([one])):
        expect(instant(record.get("version"), "version") == instant(one["created"], ""), f"it is {record.get('version')!r}")


@must("5.3")
async def marking_has_its_record(host: Peer) -> None:
    """An object without `modified` has a record."""
    one = await host.marking()
    found = [record.get("id") for record in await host.records(match_ids([one]))]
    expect(found == [one["id"]], f"there are records of {found!r}")


@must("5.3")
async def observable_has_its_record(host: Peer) -> None:
    """A cyber-observable, which has neither `created` nor `modified`, has a record with a version that is a timestamp."""
    one = await host.observable()
    found = await host.records(match_ids([one]))
    expect(len(found) == 1, f"there are {len(found)} records")
    instant(found[0].get("version"), "version")


@must("5.3")
async def version_of_an_observable_is_not_made_up(host: Peer) -> None:
    """The version of an object without times is when it was added, and not a date before its time such as 1970."""
    one = await host.told_observable()
    for record in await host.records(match_ids([one])):
        expect(instant(record.get("version"), "version") > _YEAR_2000_US, f"it is {record.get('version')!r}")


@must("5.3")
async def manifest_shows_the_latest_version(host: Peer) -> None:
    """Unasked, the manifest has the latest version of an object, by `modified` and not by arrival."""
    await _require_versions(host, "", [LATEST])


@must("5.3")
async def manifest_shows_all_versions(host: Peer) -> None:
    """match[version]=all: each version has a record of its own."""
    await _require_versions(host, "&match[version]=all", [OLDEST, MIDDLE, LATEST])


@must("5.3")
async def manifest_shows_the_first_version(host: Peer) -> None:
    """match[version]=first: the oldest version by `modified`."""
    await _require_versions(host, "&match[version]=first", [OLDEST])


@must("5.3")
async def manifest_shows_an_exact_version(host: Peer) -> None:
    """match[version] with a timestamp: the version with this `modified`."""
    await _require_versions(host, f"&match[version]={MIDDLE}", [MIDDLE])


@must("5.3")
async def manifest_is_filtered_by_type(host: Peer) -> None:
    """match[type] on the manifest leaves the other types out."""
    mixed = await host.mixed()
    found = (await host.manifest(match_ids(mixed) + "&match[type]=malware")).ids
    expect(found == [mixed[1]["id"]], f"a malware was asked for, {found!r} came")


@must("5.3")
async def manifest_is_filtered_by_time(host: Peer) -> None:
    """added_after on the manifest is exclusive."""
    query = match_ids(await host.five())
    records = await host.records(query)
    last = str(records[-1].get("date_added"))
    later = await host.records(f"{query}&added_after={last}")
    expect(not later, f"{len(later)} records were added after the last date_added, {last}")


@must("5.3")
async def manifest_is_filtered_by_spec_version(host: Peer) -> None:
    """match[spec_version] on the manifest leaves other versions of STIX out."""
    query = match_ids(await host.five())
    expect(not await host.records(f"{query}&match[spec_version]=2.0"), "objects of 2.1 came where 2.0 was asked for")
    expect(len(await host.records(f"{query}&match[spec_version]=2.1")) == 5, "objects of 2.1 did not come")


@must("5.3")
async def manifest_keeps_to_the_limit(host: Peer) -> None:
    """A limit on the manifest is kept, and what is left is told by `more`."""
    page = await host.manifest(match_ids(await host.five()) + "&limit=2")
    expect(len(page.objects) <= 2, f"{len(page.objects)} records came for a limit of 2")
    expect(page.more, "three records are left, more is not true")


@must("5.3")
async def manifest_without_rest_has_no_more(host: Peer) -> None:
    """Where everything is on the page, `more` is not true."""
    expect(not (await host.manifest(match_ids(await host.five()))).more, "everything came, more is true")


@needed_by("taxii2-client", "5.3")
async def manifest_that_says_more_has_next(host: Peer) -> None:
    """A manifest that says more has `next`, which the standard forgot here: without it, taxii2-client asks for ever."""
    page = await host.manifest(match_ids(await host.five()) + "&limit=2")
    expect(not page.more or bool(page.next), "there is no next")


@needed_by("all that read manifests in pages", "5.3")
async def manifest_that_says_more_goes_on(host: Peer) -> None:
    """A manifest that says more has a way on that leads through the rest: `next`, or added_after with the page's last date."""
    five = await host.five()
    query = match_ids(five) + "&limit=2"
    seen: list[str] = []
    page = await host.manifest(query)
    for _ in range(10):
        seen += page.ids
        if not page.more:
            break
        following = page.document.get("next")
        way = "&next=" + quote(str(following), safe="") if following else f"&added_after={page.header(LAST)}"
        page = await host.manifest(query + way)
    missing = {one["id"] for one in five} - set(seen)
    expect(not missing, f"of {len(five)} objects in pages of 2, {len(missing)} never came")


@must("3.2")
async def manifest_tells_its_ends(host: Peer) -> None:
    """The headers for the first and the last date_added are those of the page's first and last record."""
    page = await host.manifest(match_ids(await host.five()))
    records = page.objects
    expect(bool(records), "there are no records")
    for name, record in ((FIRST, records[0]), (LAST, records[-1])):
        expect(page.instant(name) == instant(record.get("date_added"), "date_added"), f"{name} is {page.header(name)!r}")


@must("2")
async def empty_manifest_leaves_its_list_out(host: Peer) -> None:
    """Where no record matches, the list is left out rather than empty."""
    document = (await host.manifest(_NEVER)).document
    expect(document.get("objects") != [], "objects is an empty list")


@must("5.3")
async def empty_manifest_is_no_error(host: Peer) -> None:
    """Where no record matches, the answer is 200 without records."""
    expect(not await host.records(_NEVER), "there are records of an object that does not exist")


@must("5.3")
async def manifest_of_unknown_collection_is_not_found(host: Peer) -> None:
    """The manifest of a collection that does not exist is 404 (or 403)."""
    (await host.get(f"{host.place.of(str(uuid.uuid4()))}manifest/")).has_status(404, 403)


@must("5.3")
async def posting_again_keeps_date_added(host: Peer) -> None:
    """An object that is posted again keeps its date_added: it is not new to anyone."""
    one = made.indicator()
    await host.stored(one)
    before = await host.records(match_ids([one]))
    await host.stored(one)
    after = await host.records(match_ids([one]))
    expect(after == before, f"before {before!r}, then {after!r}")


@should("5.3")
async def media_type_of_a_record_is_stix(host: Peer) -> None:
    """The media type of a record, where it is told, is STIX's, with its version."""
    for one in await host.records(match_ids(await host.five())):
        if "media_type" not in one:
            raise NotOffered("records have no media type")
        shown = str(one["media_type"]).replace(" ", "")
        expect(shown == "application/stix+json;version=2.1", f"it is {one['media_type']!r}")


@needed_by("all that leave the slash out", "5.3")
async def manifest_needs_no_slash(host: Peer) -> None:
    """The manifest answers without its trailing slash."""
    (await host.get(f"{host.readable}manifest", "limit=1")).has_status(200)


async def _require_versions(host: Peer, query: str, expected: list[str]) -> None:
    history = await host.history()
    records = await host.records(match_ids(history[:1]) + query)
    found = sorted(instant(one.get("version"), "version") for one in records)
    shown = [one.get("version") for one in records]
    expect(found == sorted(instant(one, "") for one in expected), f"{expected!r} were expected, {shown!r} came")
