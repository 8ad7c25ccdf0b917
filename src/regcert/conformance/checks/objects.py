"""Objects of a collection: the envelope, its order, its headers.

Spec: TAXII 2.1 §3.2, §3.3, §3.7, §5.4
"""

import time
import uuid
from urllib.parse import quote

from regcert.conformance import made
from regcert.conformance.check import must, needed_by, should
from regcert.conformance.peer import Peer, match_ids
from regcert.conformance.reply import FIRST, LAST, instant
from regcert.conformance.shapes import require_own_timestamp
from regcert.conformance.verdict import NotOffered, Skipped, expect

_MOST_PAGE_S = 30.0


def _nothing() -> str:
    return f"match[id]={made.new_id('indicator')}"


@must("5.4")
async def objects_answer(host: Peer) -> None:
    """The objects of a collection are answered with 200 and an envelope."""
    expect(isinstance((await host.objects("limit=10")).objects, list), "no envelope")


@must("3.7")
async def envelope_is_an_envelope(host: Peer) -> None:
    """An envelope has `objects`, `more` and `next`, and is no STIX bundle."""
    found = (await host.objects(match_ids(await host.five()))).document
    expect("type" not in found and "id" not in found, f"it has {sorted(found)!r}")


@must("3.7")
async def more_is_true_or_false(host: Peer) -> None:
    """`more`, where it stands, is true or false."""
    found = (await host.objects(match_ids(await host.five()) + "&limit=2")).document
    expect(isinstance(found.get("more", False), bool), f"more is {found.get('more')!r}")


@must("3.7")
async def next_is_text(host: Peer) -> None:
    """`next`, where it stands, is text."""
    found = (await host.objects(match_ids(await host.five()) + "&limit=2")).document
    expect(isinstance(found.get("next", ""), str), f"next is {found.get('next')!r}")


@must("5.4")
async def posted_objects_are_there(host: Peer) -> None:
    """What was posted and taken is among the objects, each once."""
    five = await host.five()
    found = (await host.objects(match_ids(five))).ids
    expect(sorted(found) == sorted(one["id"] for one in five), f"{len(five)} were posted, {found!r} came")


@must("3.3")
async def order_is_arrival(host: Peer) -> None:
    """Objects come in the order in which they were added, whatever their ids and times say."""
    newer = made.indicator(created="2026-03-01T00:00:00.000Z", modified="2026-03-01T00:00:00.000Z")
    newer["id"] = "indicator--f" + newer["id"][12:]
    older = made.indicator(created="2026-02-01T00:00:00.000Z", modified="2026-02-01T00:00:00.000Z")
    older["id"] = "indicator--0" + older["id"][12:]
    for one in (newer, older):
        await host.stored(one)
    found = (await host.objects(match_ids([older, newer]))).ids
    expect(found == [newer["id"], older["id"]], f"the first that was posted is {newer['id']}, the order is {found!r}")


@must("3.3")
async def order_is_arrival_with_all_versions(host: Peer) -> None:
    """All versions of an object come in the order in which they were added, not in that of `modified`."""
    history = await host.history()
    found = (await host.objects(match_ids(history[:1]) + "&match[version]=all")).objects
    times = [one.get("modified") for one in found]
    expect(times == [history[1]["modified"], history[2]["modified"], history[0]["modified"]], f"the order is {times!r}")


@needed_by("all that resume", "3.3")
async def order_inside_a_post_is_kept(host: Peer) -> None:
    """Objects of one POST keep the order of the request, so that what is referred to can come first."""
    five = await host.five()
    found = (await host.objects(match_ids(five))).ids
    expect(found == [one["id"] for one in five], "they came in another order")


@must("3.2")
async def ends_are_told(host: Peer) -> None:
    """A page of objects tells when its first and its last object were added."""
    page = await host.objects(match_ids(await host.five()))
    expect(page.instant(FIRST) <= page.instant(LAST), f"{page.header(FIRST)} to {page.header(LAST)}")


@must("3.2")
async def ends_have_microseconds(host: Peer) -> None:
    """The headers are UTC with `Z` and six decimals."""
    page = await host.objects(match_ids(await host.five()))
    for name in (FIRST, LAST):
        require_own_timestamp(page.header(name), name)


@must("3.2")
async def ends_are_those_of_the_manifest(host: Peer) -> None:
    """The headers are the date_added of the page's first and last object, not of the whole answer."""
    query = match_ids(await host.five())
    dates = {one.get("id"): one.get("date_added") for one in await host.records(query)}
    page = await host.objects(query + "&limit=2")
    for name, stix_id in ((FIRST, page.ids[0]), (LAST, page.ids[-1])):
        expected = dates.get(stix_id)
        expect(page.instant(name) == instant(expected, "date_added"), f"{name} is {page.header(name)}, date_added {expected}")


@must("3.2")
async def ends_of_nothing_are_no_nonsense(host: Peer) -> None:
    """An empty page has no such headers, or such that are timestamps."""
    page = await host.objects(_nothing())
    for name in (FIRST, LAST):
        if page.header(name) is not None:
            page.instant(name)


@should("3.7")
async def empty_envelope_has_no_list(host: Peer) -> None:
    """An envelope without objects leaves the list out: `{}` (a list is never empty in TAXII; Elastic Agent asks for one)."""
    expect("objects" not in (await host.objects(_nothing())).document, "objects is an empty list")


@must("5.4")
async def nothing_is_no_error(host: Peer) -> None:
    """Where nothing matches, the answer is 200 without objects."""
    page = await host.objects(_nothing())
    expect(not page.objects and not page.more, "something came")


@needed_by("Elastic Agent, OpenCTI in TAXII 2.0 mode", "3.7")
async def empty_envelope_has_a_list(host: Peer) -> None:
    """An envelope without objects has an empty list nevertheless, or each idle poll is an error (against §2; by profile)."""
    expect((await host.objects(_nothing())).document.get("objects") == [], "objects is left out")


@needed_by("Elastic Agent", "3.2")
async def empty_page_echoes_the_last_date(host: Peer) -> None:
    """An empty answer to added_after repeats it as the last date_added, or the client's mark is lost."""
    records = await host.records(match_ids(await host.five()))
    last = str(records[-1].get("date_added"))
    page = await host.objects(f"{_nothing()}&added_after={last}")
    if page.header(LAST) is None:
        expect(False, f"there is no {LAST}")
    expect(page.instant(LAST) == instant(last, "date_added"), f"it is {page.header(LAST)}")


@needed_by("MISP, Elastic Agent", "3.7")
async def more_is_always_there(host: Peer) -> None:
    """`more` stands in every envelope that has objects, also where it is false."""
    expect("more" in (await host.objects(match_ids(await host.five()))).document, "there is no more")


@must("5.4")
async def objects_of_unknown_collection_are_not_found(host: Peer) -> None:
    """The objects of a collection that does not exist are 404 (or 403)."""
    (await host.get(f"{host.place.of(str(uuid.uuid4()))}objects/")).has_status(404, 403)


@must("5.4")
async def nothing_comes_twice(host: Peer) -> None:
    """Read from the beginning in pages, no version of an object comes twice."""
    seen: set[tuple[str, str]] = set()
    following = ""
    for _ in range(5):
        page = await host.objects(f"limit=200{following}")
        for one in page.objects:
            name = str(one.get("id")), str(one.get("modified"))
            expect(name not in seen, f"{name[0]} of {name[1]} came twice")
            seen.add(name)
        if not page.more:
            return
        following = "&next=" + quote(page.next, safe="")


@needed_by("IntelMQ, Splunk, Wazuh", "5.4")
async def page_is_large_where_no_limit_is_given(host: Peer) -> None:
    """Without limit, a page has a thousand objects or all there are: some clients ask for one page and no more."""
    page = await host.objects()
    if not page.more and len(page.objects) < 1000:
        raise Skipped("the collection holds fewer than a thousand objects")
    expect(len(page.objects) >= 1000, f"there is more, and the page has {len(page.objects)}")


@needed_by("OpenCTI ingester", "5.4")
async def first_page_comes_in_time(host: Peer) -> None:
    """The first page of the collection, however large that is, comes within half a minute."""
    started = time.monotonic()
    await host.objects()
    taken_s = time.monotonic() - started
    expect(taken_s < _MOST_PAGE_S, f"it took {taken_s:.0f} s")


@should("5.4")
async def reading_changes_nothing(host: Peer) -> None:
    """The same question twice has the same answer."""
    query = match_ids(await host.five())
    first, second = await host.objects(query), await host.objects(query)
    expect(first.objects == second.objects, "the second answer is another")
    expect(first.header(LAST) == second.header(LAST), f"{LAST} is another")


@needed_by("all that leave the slash out", "5.4")
async def objects_need_no_slash(host: Peer) -> None:
    """The objects answer without the trailing slash, and keep the query."""
    five = await host.five()
    found = (await host.get(f"{host.readable}objects", match_ids(five[:1]))).has_status(200).ids
    expect(found == [five[0]["id"]], f"{found!r} came")


@must("5.4")
async def other_principal_sees_no_more_than_it_may(host: Peer) -> None:
    """Another principal that may not read the collection gets nothing of it, in any of its parts."""
    other = host.second
    described = await host.get(host.collection, Authorization=other)
    if described.status == 200 and described.document.get("can_read") is True:
        raise NotOffered("the other principal may read the collection")
    one = (await host.five())[0]["id"]
    for part in ("objects/", "manifest/", f"objects/{one}/", f"objects/{one}/versions/"):
        (await host.get(host.readable + part, Authorization=other)).has_status(403, 404, 401)
