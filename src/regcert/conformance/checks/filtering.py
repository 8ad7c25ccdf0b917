"""Filtering.

Spec: TAXII 2.1 §3.4
"""

from datetime import UTC, datetime, timedelta

from regcert.conformance import made
from regcert.conformance.check import must, needed_by, should
from regcert.conformance.peer import LATEST, MIDDLE, OLDEST, Peer, match_ids
from regcert.conformance.reply import LAST, instant
from regcert.conformance.verdict import expect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def _dates(host: Peer) -> tuple[str, list[str]]:
    """The five objects as a query, and when each of them was added."""
    query = match_ids(await host.five())
    return query, [str(one.get("date_added")) for one in await host.records(query)]


async def _times(host: Peer, query: str) -> list[str]:
    history = await host.history()
    return sorted(str(one.get("modified")) for one in (await host.objects(match_ids(history[:1]) + query)).objects)


def _moment(text: str) -> datetime:
    return _EPOCH + timedelta(microseconds=instant(text, "date_added"))


@must("3.4")
async def added_after_is_exclusive(host: Peer) -> None:
    """Asked with the date_added of the last object, nothing comes: added_after is later, not at."""
    query, dates = await _dates(host)
    found = (await host.objects(f"{query}&added_after={dates[-1]}")).ids
    expect(not found, f"{len(found)} objects came that were added at {dates[-1]}, not after it")


@must("3.4")
async def added_after_counts_microseconds(host: Peer) -> None:
    """Asked with a microsecond before an object was added, it comes."""
    query, dates = await _dates(host)
    before = (_moment(dates[-1]) - timedelta(microseconds=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    found = (await host.objects(f"{query}&added_after={before}")).ids
    expect(bool(found), f"nothing came that was added after {before}, though something was at {dates[-1]}")


@must("3.4")
async def added_after_leaves_out_what_was_before(host: Peer) -> None:
    """What was added before comes no more, and what was added later does."""
    one, other = made.indicator(), made.indicator()
    await host.stored(one)
    await host.stored(other)
    query = match_ids([one, other])
    first = (await host.records(query))[0]
    found = (await host.objects(f"{query}&added_after={first.get('date_added')}")).ids
    expect(first.get("id") == one["id"] and found == [other["id"]], f"{found!r} came after {first!r}")


@must("3.4")
async def added_after_in_the_future_is_empty(host: Peer) -> None:
    """Asked with a time to come, nothing comes, and that is no error."""
    query, _ = await _dates(host)
    expect(not (await host.objects(f"{query}&added_after=2199-01-01T00:00:00.000000Z")).objects, "something came")


@must("3.4")
async def added_after_long_ago_is_everything(host: Peer) -> None:
    """Asked with any past time, everything comes."""
    query, _ = await _dates(host)
    for year in (1970, 1990, 2001):
        found = (await host.objects(f"{query}&added_after={year}-01-01T00:00:00.000000Z")).ids
        expect(len(found) == 5, f"{len(found)} of 5 objects came after {year}")


@needed_by("Elastic Agent, OpenCTI", "3.4")
async def added_after_needs_no_decimals(host: Peer) -> None:
    """A time in whole seconds is understood."""
    query, dates = await _dates(host)
    earlier = (_moment(dates[0]) - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    expect(len((await host.objects(f"{query}&added_after={earlier}")).ids) == 5, f"not all came after {earlier}")


@needed_by("OpenCTI ingester", "3.4")
async def added_after_takes_milliseconds(host: Peer) -> None:
    """A time in milliseconds, as JavaScript writes it, is understood."""
    query, dates = await _dates(host)
    earlier = (_moment(dates[0]) - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    expect(len((await host.objects(f"{query}&added_after={earlier}")).ids) == 5, f"not all came after {earlier}")


@needed_by("clients with nanoseconds", "3.4")
async def added_after_takes_nanoseconds(host: Peer) -> None:
    """A time with nine decimals is understood."""
    query, dates = await _dates(host)
    (await host.get(f"{host.readable}objects/", f"{query}&added_after={dates[0][:-1]}999Z")).has_status(200)


@needed_by("IntelMQ, Python's isoformat", "3.4")
async def added_after_takes_an_offset(host: Peer) -> None:
    """A time with an offset is compared as the instant that it is, also where its `+` was sent as a blank."""
    query, dates = await _dates(host)
    ahead = (_moment(dates[-1]) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S.%f")
    for offset in ("%2B02:00", "%2002:00"):
        found = (await host.get(f"{host.readable}objects/", f"{query}&added_after={ahead}{offset}")).has_status(200).ids
        expect(not found, f"{len(found)} objects came after {ahead}{offset}, which is {dates[-1]}")


@must("3.4")
async def malformed_added_after_is_refused(host: Peer) -> None:
    """What is no timestamp is 400."""
    for text in ("yesterday", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "1", ""):
        (await host.get(f"{host.readable}objects/", f"added_after={text}")).has_status(400)


@must("3.4")
async def id_finds_one(host: Peer) -> None:
    """match[id] gives this object and no other."""
    five = await host.five()
    expect((await host.objects(match_ids(five[2:3]))).ids == [five[2]["id"]], "something else came")


@must("3.4")
async def ids_parted_by_commas_are_alternatives(host: Peer) -> None:
    """match[id] with several ids gives each of them."""
    five = await host.five()
    found = (await host.objects(match_ids([five[1], five[3]]))).ids
    expect(sorted(found) == sorted((five[1]["id"], five[3]["id"])), f"{found!r} came")


@must("3.4")
async def unknown_id_finds_nothing(host: Peer) -> None:
    """match[id] with an id that is not there gives nothing, and takes nothing from the others."""
    five = await host.five()
    found = (await host.objects(match_ids(five[:1]) + "," + made.new_id("indicator"))).ids
    expect(found == [five[0]["id"]], f"{found!r} came")


@needed_by("OpenCTI", "3.4")
async def hundred_ids_are_taken(host: Peer) -> None:
    """A hundred ids in one request are taken."""
    five = await host.five()
    others = ",".join(made.new_id("indicator") for _ in range(95))
    found = (await host.objects(f"{match_ids(five)},{others}")).ids
    expect(len(found) == 5, f"{len(found)} of 5 objects came")


@must("3.4")
async def type_leaves_others_out(host: Peer) -> None:
    """match[type] gives objects of this type."""
    mixed = await host.mixed()
    found = (await host.objects(match_ids(mixed) + "&match[type]=malware")).ids
    expect(found == [mixed[1]["id"]], f"{found!r} came")


@must("3.4")
async def types_parted_by_commas_are_alternatives(host: Peer) -> None:
    """match[type] with several types gives objects of each."""
    mixed = await host.mixed()
    found = (await host.objects(match_ids(mixed) + "&match[type]=malware,identity")).ids
    expect(sorted(found) == sorted((mixed[1]["id"], mixed[2]["id"])), f"{found!r} came")


@must("3.4")
async def unknown_type_finds_nothing(host: Peer) -> None:
    """match[type] with a type that nobody has gives nothing."""
    mixed = await host.mixed()
    expect(not (await host.objects(match_ids(mixed) + "&match[type]=x-nothing")).ids, "something came")


@must("3.4")
async def fields_narrow_each_other(host: Peer) -> None:
    """Different fields must all match."""
    mixed = await host.mixed()
    found = (await host.objects(match_ids(mixed[:1]) + "&match[type]=malware")).ids
    expect(not found, f"{found!r} came, which is of another type")


@must("3.4")
async def spec_version_leaves_others_out(host: Peer) -> None:
    """match[spec_version] gives objects of this version of STIX."""
    query, _ = await _dates(host)
    expect(not (await host.objects(f"{query}&match[spec_version]=2.0")).ids, "objects of 2.1 came for 2.0")
    expect(len((await host.objects(f"{query}&match[spec_version]=2.1")).ids) == 5, "objects of 2.1 did not come for 2.1")


@must("3.4")
async def spec_versions_parted_by_commas_are_alternatives(host: Peer) -> None:
    """match[spec_version] with several versions gives objects of each."""
    query, _ = await _dates(host)
    expect(len((await host.objects(f"{query}&match[spec_version]=2.0,2.1")).ids) == 5, "not all came")


@must("3.4")
async def observable_is_of_spec_version_21(host: Peer) -> None:
    """A cyber-observable that names no spec_version is found as 2.1: 2.0 has no such objects."""
    one = await host.observable()
    expect((await host.objects(match_ids([one]) + "&match[spec_version]=2.1")).ids == [one["id"]], "it did not come")


@must("3.4")
async def version_is_the_last_unasked(host: Peer) -> None:
    """Unasked, the latest version comes, by `modified` and not by arrival."""
    found = await _times(host, "")
    expect(found == [LATEST], f"{found!r} came")


@must("3.4")
async def version_last(host: Peer) -> None:
    """match[version]=last is the latest version."""
    found = await _times(host, "&match[version]=last")
    expect(found == [LATEST], f"{found!r} came")


@must("3.4")
async def version_first(host: Peer) -> None:
    """match[version]=first is the oldest version."""
    found = await _times(host, "&match[version]=first")
    expect(found == [OLDEST], f"{found!r} came")


@must("3.4")
async def version_all(host: Peer) -> None:
    """match[version]=all is every version."""
    found = await _times(host, "&match[version]=all")
    expect(found == sorted((OLDEST, MIDDLE, LATEST)), f"{found!r} came")


@must("3.4")
async def version_exact(host: Peer) -> None:
    """match[version] with a timestamp is exactly this version; one microsecond is a difference."""
    for wanted in (OLDEST, MIDDLE, LATEST):
        found = await _times(host, f"&match[version]={wanted}")
        expect(found == [wanted], f"{wanted} was asked for, {found!r} came")


@must("3.4")
async def versions_parted_by_commas_are_alternatives(host: Peer) -> None:
    """match[version] with several values gives each: first and last, exact and last."""
    for wanted, expected in (("first,last", (OLDEST, LATEST)), (f"{MIDDLE},last", (MIDDLE, LATEST))):
        found = await _times(host, f"&match[version]={wanted}")
        expect(found == sorted(expected), f"{wanted} was asked for, {found!r} came")


@should("3.4")
async def exact_version_is_an_instant(host: Peer) -> None:
    """A version is found by its instant, however many zeros it is written with."""
    found = await _times(host, f"&match[version]={OLDEST[:-1]}000Z")
    expect(found == [OLDEST], f"{found!r} came")


@should("3.4")
async def last_is_chosen_among_what_matches(host: Peer) -> None:
    """The latest version is chosen among what else is asked: added_after does not make an old version the latest."""
    history = await host.history()
    query = match_ids(history[:1])
    records = await host.records(query + "&match[version]=all")
    added = {str(one.get("version")): str(one.get("date_added")) for one in records}
    before_latest = added.get(MIDDLE, "")
    found = [one.get("modified") for one in (await host.objects(f"{query}&added_after={before_latest}")).objects]
    expect(found == [LATEST], f"after the first of three versions had come, {found!r} is the latest")


@must("3.4")
async def malformed_version_is_no_fault(host: Peer) -> None:
    """A version that is neither a word of TAXII nor a timestamp is 400, or matches nothing."""
    query, _ = await _dates(host)
    reply = (await host.get(f"{host.readable}objects/", f"{query}&match[version]=newest")).has_status(200, 400)
    expect(reply.status == 400 or not reply.objects, "something came")


@must("3.4")
async def unknown_match_is_ignored(host: Peer) -> None:
    """A match on a field that the server does not know is ignored."""
    query, _ = await _dates(host)
    expect(len((await host.objects(f"{query}&match[x_unknown]=1")).ids) == 5, "not all came")


@should("3.4")
async def unknown_parameter_is_ignored(host: Peer) -> None:
    """A parameter that the server does not know is ignored."""
    query, _ = await _dates(host)
    expect(len((await host.objects(f"{query}&x_unknown=1")).ids) == 5, "not all came")


@must("3.4")
async def brackets_need_not_be_encoded(host: Peer) -> None:
    """Brackets and commas mean the same, encoded and not."""
    five = await host.five()
    ids = f"{five[0]['id']},{five[1]['id']}"
    for query in (f"match[id]={ids}", "match%5Bid%5D=" + ids.replace(",", "%2C"), "match%5bid%5d=" + ids):
        found = (await host.ask("GET", f"{host.readable}objects/?{query}")).has_status(200).ids
        expect(len(found) == 2, f"{len(found)} of 2 objects came for {query[:14]}…")


@should("3.4")
async def repeated_field_is_refused(host: Peer) -> None:
    """A field that stands twice is 400: values are parted by commas."""
    five = await host.five()
    (await host.get(f"{host.readable}objects/", f"{match_ids(five[:1])}&{match_ids(five[1:2])}")).has_status(400)


@must("3.4")
async def empty_match_is_no_fault(host: Peer) -> None:
    """A match without a value is 400, or matches nothing or everything, but no fault."""
    for field in ("match[id]", "match[type]", "match[version]", "match[spec_version]"):
        (await host.get(f"{host.readable}objects/", f"{field}=&limit=1")).has_status(200, 400, 404)


@should("3.4")
async def wildcards_are_plain_text(host: Peer) -> None:
    """Signs that a database knows as wildcards or quotes match nothing."""
    query, _ = await _dates(host)
    for text in ("%25", "_", "indicator--%25", "%27%20or%20%271%27=%271", "*"):
        found = (await host.get(f"{host.readable}objects/", f"match[id]={text}")).has_status(200, 400, 404)
        expect(found.status != 200 or not found.objects, f"objects came for match[id]={text}")
    for text in ("%25", "indic_tor", "*"):
        found = (await host.get(f"{host.readable}objects/", f"{query}&match[type]={text}")).has_status(200, 400, 404)
        expect(found.status != 200 or not found.objects, f"objects came for match[type]={text}")


@should("3.4")
async def thousands_of_values_are_no_fault(host: Peer) -> None:
    """Far too many values are refused or answered, but no fault."""
    values = ",".join(f"t{number}" for number in range(3000))
    (await host.get(f"{host.readable}objects/", f"match[type]={values}")).has_status(200, 400, 413, 414, 431)


@should("3.4")
async def repeating_the_last_poll_is_empty(host: Peer) -> None:
    """Asked again from the last date of the last answer, nothing comes that came before."""
    query = match_ids(await host.five())
    page = await host.objects(query)
    found = (await host.objects(f"{query}&added_after={page.header(LAST)}")).ids
    expect(not found, f"{len(found)} objects came again")
