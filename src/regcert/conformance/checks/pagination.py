"""Pages: limit, more, next, and going on by time.

Spec: TAXII 2.1 §3.5, Appendix B
"""

from urllib.parse import quote

from regcert.conformance import made
from regcert.conformance.check import Check, Keyword, each, must, needed_by, should
from regcert.conformance.made import Object
from regcert.conformance.peer import Peer, match_ids
from regcert.conformance.reply import LAST, Reply
from regcert.conformance.verdict import NotOffered, Skipped, expect


async def _query(host: Peer) -> str:
    return match_ids(await host.five())


async def _paged(host: Peer, limit: int = 2) -> tuple[str, Reply]:
    """The five objects as a query, and their first page."""
    query = await _query(host)
    page = await host.objects(f"{query}&limit={limit}")
    if not page.more:
        raise Skipped("the server says no more where more is left; another rule says so")
    return query, page


def _next(page: Reply) -> str:
    return "next=" + quote(page.next, safe="")


def _ids(objects: list[Object]) -> list[str]:
    return [str(one["id"]) for one in objects]


@must("3.5")
async def limit_is_kept(host: Peer) -> None:
    """No page is longer than the limit that was asked."""
    query = await _query(host)
    for limit in (1, 2, 4):
        found = len((await host.objects(f"{query}&limit={limit}")).objects)
        expect(found <= limit, f"{found} objects came for a limit of {limit}")


@must("3.5")
async def rest_is_told(host: Peer) -> None:
    """Where objects are left, `more` is true."""
    expect((await host.objects(f"{await _query(host)}&limit=2")).more, "three of five objects are left, more is not true")


@must("3.5")
async def more_comes_with_next(host: Peer) -> None:
    """Where `more` is true, `next` says where it goes on."""
    _, page = await _paged(host)
    expect(bool(page.next), "there is no next")


@must("3.5")
async def no_rest_is_told(host: Peer) -> None:
    """Where everything is on the page, `more` is not true, also where it is exactly full."""
    query = await _query(host)
    for limit in (5, 6):
        expect(not (await host.objects(f"{query}&limit={limit}")).more, f"5 objects, limit {limit}: more is true")


@must("3.5")
async def next_comes_only_with_more(host: Peer) -> None:
    """Where `more` is not true, there is no `next`: Elastic Agent looks at nothing else."""
    query = await _query(host)
    for limit in ("", "&limit=5", "&limit=6"):
        page = await host.objects(query + limit)
        expect(page.more or "next" not in page.document, "the last page has a next")


@must("3.5")
async def no_page_is_empty_and_says_more(host: Peer) -> None:
    """A page without objects does not say more: some clients stop at it, and lose the rest."""
    page = await host.objects(f"match[id]={made.new_id('indicator')}&limit=1")
    expect(not page.more, "an empty page says more")


def _walk(limit: int) -> Check:
    async def judge(host: Peer) -> None:
        five = await host.five()
        pages = await host.walk(f"{match_ids(five)}&limit={limit}")
        found = [one for page in pages for one in page.ids]
        expect(
            sorted(found) == sorted(_ids(five)), f"5 objects in pages of {limit}: {len(found)} came, {len(set(found))} different"
        )

    rule = f"In pages of {limit}, by `next`, everything comes, each object once."
    return each(Keyword.MUST, "3.5", f"everything-comes-once-in-pages-of-{limit}", rule, judge)


WALKS = tuple(_walk(limit) for limit in (1, 2, 3, 1000))


@must("3.5")
async def next_can_be_used_twice(host: Peer) -> None:
    """The same `next` gives the same page again: a GET changes nothing, and a client may lose an answer."""
    query, page = await _paged(host)
    first = await host.objects(f"{query}&limit=2&{_next(page)}")
    second = await host.objects(f"{query}&limit=2&{_next(page)}")
    expect(first.ids == second.ids, f"first {first.ids!r}, then {second.ids!r}")


@needed_by("OpenCTI ingester", "3.5")
async def next_can_be_used_after_others(host: Peer) -> None:
    """A `next` stays good while other pages and other questions are asked."""
    query, page = await _paged(host)
    first = await host.objects(f"{query}&limit=2&{_next(page)}")
    await host.walk(f"{query}&limit=1")
    await host.objects(query)
    expect((await host.objects(f"{query}&limit=2&{_next(page)}")).ids == first.ids, "it gives another page, or none")


@needed_by("Elastic Agent", "3.5")
async def next_works_alone(host: Peer) -> None:
    """`next` without the filters of the first page goes on within them."""
    five = await host.five()
    _, page = await _paged(host)
    if host.may_write:
        await host.stored(made.indicator())
    found = (await host.objects(_next(page))).ids
    expect(bool(found) and set(found) <= set(_ids(five)), f"{len(found)} objects came, not all of those that were asked for")


@must("3.5")
async def next_works_with_its_filters(host: Peer) -> None:
    """`next` with the filters of the first page goes on where that ended."""
    five = await host.five()
    query, page = await _paged(host)
    found = page.ids + (await host.objects(f"{query}&limit=2&{_next(page)}")).ids
    rest = [one for one in _ids(five) if one not in found]
    expect(len(found) == 4 and len(rest) == 1, f"two pages of 2 hold {len(set(found))} different objects of 5")


@needed_by("OpenCTI ingester, Elastic Agent", "3.5")
async def next_works_with_added_after(host: Peer) -> None:
    """`next` together with the first page's added_after goes on where that ended."""
    query = f"{await _query(host)}&added_after=1970-01-01T00:00:00.000Z&limit=2"
    page = await host.objects(query)
    if not page.more:
        raise Skipped("the server says no more where more is left")
    found = page.ids + (await host.objects(f"{query}&{_next(page)}")).ids
    expect(len(set(found)) == 4, f"two pages of 2 hold {len(set(found))} different objects")


@needed_by("OpenCTI", "3.5")
async def next_with_a_newer_added_after_loses_nothing(host: Peer) -> None:
    """A `next` of an earlier run, sent with a newer added_after, gives what was added after that, and no error."""
    query, page = await _paged(host)
    one = made.indicator()
    before = (await host.objects(query)).header(LAST)
    await host.stored(one)
    asked = f"{query},{one['id']}&added_after={before}&{_next(page)}"
    reply = (await host.get(f"{host.readable}objects/", asked)).has_status(200)
    expect(one["id"] in reply.ids, "what was added later did not come")


@needed_by("taxii2-client", "3.5")
async def next_takes_another_limit(host: Peer) -> None:
    """`next` works with another limit than the first page's."""
    query, page = await _paged(host)
    found = page.ids + (await host.objects(f"{query}&limit=3&{_next(page)}")).ids
    expect(len(set(found)) == len(found) == 5, f"pages of 2 and 3 hold {len(set(found))} different objects of 5")


@should("3.5")
async def next_does_not_widen_the_question(host: Peer) -> None:
    """`next` with a narrower filter gives nothing that the filter leaves out."""
    five = await host.five()
    _, page = await _paged(host)
    reply = (await host.get(f"{host.readable}objects/", f"{match_ids(five[:1])}&{_next(page)}")).has_status(200, 400, 404)
    found = reply.ids if reply.status == 200 else []
    expect(set(found) <= {five[0]["id"]}, f"{len(found)} objects came, one was asked for")


@needed_by("OpenCTI", "3.5")
async def unknown_next_begins_at_the_beginning(host: Peer) -> None:
    """A `next` that the server does not know, as of another collection, is not an error: clients carry them over."""
    query = await _query(host)
    reply = (await host.get(f"{host.readable}objects/", f"{query}&next=unheard")).has_status(200)
    expect(len(reply.objects) == 5, f"{len(reply.objects)} of 5 objects came")


@must("3.5")
async def strange_next_is_no_fault(host: Peer) -> None:
    """A `next` that makes no sense is answered or refused, but no fault."""
    query = await _query(host)
    for text in ("", "0", "-1", "%00", "%25", "č", "x" * 4000, "../../etc", "eyJ9", "MTIz"):
        asked = f"{query}&next={quote(text, safe='%')}"
        (await host.get(f"{host.readable}objects/", asked)).has_status(200, 400, 404, 414, 431)


@must("3.5")
async def next_opens_no_other_collection(host: Peer) -> None:
    """A `next` of one collection gives nothing of it in another."""
    others = [one for one in host.place.collections if one.get("id") != host.place.collection.get("id")]
    readable = [one for one in others if one.get("can_read") is True]
    if not readable:
        raise NotOffered("there is no other collection to read")
    five = await host.five()
    _, page = await _paged(host)
    reply = await host.get(f"{host.place.of(readable[0])}objects/", _next(page))
    found = reply.has_status(200, 400, 404).ids if reply.status == 200 else []
    expect(not set(found) & set(_ids(five)), "objects of the other collection came")


@should("3.5")
async def next_is_worth_nothing_to_others(host: Peer) -> None:
    """A `next` opens nothing to another principal that may not read the collection."""
    other = host.second
    described = await host.get(host.collection, Authorization=other)
    if described.status == 200 and described.document.get("can_read") is True:
        raise NotOffered("the other principal may read the collection")
    _, page = await _paged(host)
    (await host.get(f"{host.readable}objects/", _next(page), Authorization=other)).has_status(403, 404, 401)


def _bad_limit(text: str, name: str) -> Check:
    async def judge(host: Peer) -> None:
        (await host.get(f"{host.readable}objects/", f"limit={text}")).has_status(400)

    return each(
        Keyword.MUST, "3.5", f"limit-{name}-is-refused", f"A limit of '{text}' is 400: it is no whole number from 1.", judge
    )


LIMITS = tuple(
    _bad_limit(text, name) for text, name in (("0", "zero"), ("-1", "negative"), ("ten", "in-words"), ("1.5", "in-parts"))
)


@should("3.5")
async def limit_in_other_digits_is_refused(host: Peer) -> None:
    """A limit that only a lenient parser takes for a number is 400: 1e3, 1_0, Arabic digits, none at all."""
    for text in ("1e3", "1_0", "%D9%A1", ""):
        (await host.get(f"{host.readable}objects/", f"limit={text}")).has_status(400)


@must("3.5")
async def large_limit_is_cut(host: Peer) -> None:
    """A limit beyond what the server serves is cut, and no error."""
    query = await _query(host)
    for limit in ("100000", "999999999", "99999999999999999999"):
        reply = (await host.get(f"{host.readable}objects/", f"{query}&limit={limit}")).has_status(200)
        expect(len(reply.objects) == 5, f"{len(reply.objects)} of 5 objects came for a limit of {limit}")


@must("3.2")
async def each_page_tells_its_own_ends(host: Peer) -> None:
    """The headers of each page are of this page: they rise from page to page."""
    pages = await host.walk(f"{await _query(host)}&limit=2")
    lasts = [page.instant(LAST) for page in pages]
    expect(lasts == sorted(lasts) and len(lasts) == 3, f"{[page.header(LAST) for page in pages]!r}")


@needed_by("OpenCTI, Elastic Agent, Cortex XSOAR", "3.5")
async def resuming_by_time_after_each_page_loses_nothing(host: Peer) -> None:
    """From the last date of any page, added_after gives exactly the rest."""
    five = await host.five()
    query = match_ids(five)
    pages = await host.walk(f"{query}&limit=2")
    seen: list[str] = []
    for page in pages:
        seen += page.ids
        rest = (await host.objects(f"{query}&added_after={page.header(LAST)}")).ids
        missing = set(_ids(five)) - set(seen) - set(rest)
        expect(not missing, f"after {len(seen)} of 5 objects, {len(missing)} are lost to who goes on by time")
        expect(not set(rest) & set(seen), f"after {len(seen)} of 5 objects, some come again")


@needed_by("all that resume", "3.5")
async def resuming_at_each_object_loses_nothing(host: Peer) -> None:
    """From the date_added of any object, added_after gives exactly what follows it."""
    five = await host.five()
    query = match_ids(five)
    records = await host.records(query)
    for number, record in enumerate(records, 1):
        rest = (await host.objects(f"{query}&added_after={record.get('date_added')}")).ids
        expected = [str(one.get("id")) for one in records[number:]]
        expect(rest == expected, f"after object {number} of 5, {len(rest)} come, not {len(expected)}")


@must("3.5")
async def what_is_added_meanwhile_disturbs_nothing(host: Peer) -> None:
    """What is added between two pages makes nothing come twice and nothing be left out."""
    objects = [made.indicator() for _ in range(4)]
    await host.stored(*objects)
    late = made.indicator()
    query = f"{match_ids([*objects, late])}&limit=2"
    page = await host.objects(query)
    if not page.more:
        raise Skipped("the server says no more where more is left")
    await host.stored(late)
    found = page.ids + [one for rest in await host.walk(query, page.next) for one in rest.ids]
    expect(len(found) == len(set(found)), "an object came twice")
    expect(set(_ids(objects)) <= set(found), "an object is missing that was there from the beginning")


@must("3.5")
async def what_is_deleted_meanwhile_disturbs_nothing(host: Peer) -> None:
    """What is deleted between two pages takes nothing else with it."""
    objects = [made.indicator() for _ in range(5)]
    await host.stored(*objects)
    query = f"{match_ids(objects)}&limit=2"
    page = await host.objects(query)
    if not page.more or len(page.ids) != 2:
        raise Skipped("the server does not page")
    if (await host.delete(page.ids[0])).status != 200:
        raise Skipped("the server does not let us delete")
    found = [one for rest in await host.walk(query, page.next) for one in rest.ids]
    expect(sorted([*found, *page.ids]) == sorted(_ids(objects)), f"{len(found)} of 3 objects came behind a deletion")


@must("3.5")
async def limit_of_one_tells_its_object(host: Peer) -> None:
    """A page of one object tells one date_added, the same as first and last."""
    page = await host.objects(f"{await _query(host)}&limit=1")
    expect(page.instant("X-TAXII-Date-Added-First") == page.instant(LAST), "first and last differ")


@must("3.5")
async def filters_hold_on_every_page(host: Peer) -> None:
    """Every page keeps to the filters of the first."""
    mixed, five = await host.mixed(), await host.five()
    query = f"{match_ids([*mixed, *five])}&match[type]=indicator&limit=2"
    types = [one.get("type") for page in await host.walk(query) for one in page.objects]
    expect(types == ["indicator"] * 6, f"{types!r} came")


@should("3.5")
async def all_versions_come_in_pages(host: Peer) -> None:
    """All versions of an object come in pages of one, each once."""
    history = await host.history()
    pages = await host.walk(f"{match_ids(history[:1])}&match[version]=all&limit=1")
    found = [str(one.get("modified")) for page in pages for one in page.objects]
    expect(sorted(found) == sorted(str(one["modified"]) for one in history), f"{found!r} came")
