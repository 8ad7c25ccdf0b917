"""The versions of an object.

Spec: TAXII 2.1 §5.8
"""

from urllib.parse import quote

from regcert.conformance import made
from regcert.conformance.check import must, needed_by, should
from regcert.conformance.peer import ARRIVAL, LATEST, Peer, match_ids, named
from regcert.conformance.reply import FIRST, LAST, instant
from regcert.conformance.verdict import NotOffered, expect


async def _found(host: Peer, query: str = "") -> list[object]:
    one = (await host.history())[0]
    return (await host.versions(one["id"], query)).has_status(200).list_of("versions")


@must("5.8")
async def versions_answer(host: Peer) -> None:
    """The versions of an object are answered with 200 and a list of texts."""
    found = await _found(host)
    expect(bool(found) and all(isinstance(one, str) for one in found), f"versions is {found!r}")


@must("5.8")
async def all_versions_are_listed(host: Peer) -> None:
    """Every version is listed, unasked: here there is no default of the last one."""
    found = await _found(host)
    expect(sorted(instant(one, "a version") for one in found) == sorted(instant(one, "") for one in ARRIVAL), f"{found!r}")


@should("5.8")
async def versions_keep_their_text(host: Peer) -> None:
    """A version is written as its object writes `modified`, digit by digit."""
    found = await _found(host)
    expect(sorted(map(str, found)) == sorted(ARRIVAL), f"{found!r}")


@should("3.3")
async def versions_are_in_order_of_arrival(host: Peer) -> None:
    """Versions are listed in ascending order of when they were added."""
    found = [instant(one, "a version") for one in await _found(host)]
    expect(found == [instant(one, "") for one in ARRIVAL], "they came in another order")


@must("5.8")
async def versions_of_unknown_object_are_not_found(host: Peer) -> None:
    """The versions of an object that does not exist are 404."""
    (await host.versions(made.new_id("indicator"))).has_status(404)


@must("3.2")
async def versions_tell_their_ends(host: Peer) -> None:
    """The answer tells when the first and the last of the listed versions were added."""
    one = (await host.history())[0]
    dates = [instant(record.get("date_added"), "") for record in await host.records(match_ids([one]) + "&match[version]=all")]
    reply = await host.versions(one["id"])
    for name, date in ((FIRST, min(dates)), (LAST, max(dates))):
        expect(reply.instant(name) == date, f"{name} is {reply.header(name)}")


@must("5.8")
async def versions_added_after(host: Peer) -> None:
    """added_after leaves out versions that were not added later."""
    one = (await host.history())[0]
    records = await host.records(match_ids([one]) + "&match[version]=all")
    dates = sorted(str(record.get("date_added")) for record in records)
    expect(len(await _found(host, f"added_after={dates[0]}")) == 2, f"after the first of {dates!r}")
    expect(not await _found(host, f"added_after={dates[-1]}"), f"after the last of {dates!r}")


@must("5.8")
async def versions_of_other_spec_version_are_left_out(host: Peer) -> None:
    """match[spec_version] leaves other versions of STIX out."""
    one = (await host.history())[0]
    reply = (await host.versions(one["id"], "match[spec_version]=2.0")).has_status(200, 404)
    expect(reply.status == 404 or not reply.list_of("versions"), "versions came")
    expect(len(await _found(host, "match[spec_version]=2.1")) == 3, "versions of 2.1 did not come")


@must("5.8")
async def versions_keep_to_the_limit(host: Peer) -> None:
    """A limit is kept, and what is left is told by `more`."""
    one = (await host.history())[0]
    reply = (await host.versions(one["id"], "limit=2")).has_status(200)
    expect(len(reply.list_of("versions")) <= 2, "more than 2 versions came")
    expect(reply.more, "a version is left, more is not true")


@needed_by("taxii2-client", "5.8")
async def versions_that_say_more_have_next(host: Peer) -> None:
    """A list of versions that says more has `next`, which the standard forgot here: without it, taxii2-client asks for ever."""
    one = (await host.history())[0]
    reply = (await host.versions(one["id"], "limit=2")).has_status(200)
    expect(not reply.more or bool(reply.next), "there is no next")


@needed_by("all that read versions in pages", "5.8")
async def versions_that_say_more_go_on(host: Peer) -> None:
    """A list that says more has a way on that leads through the rest: `next`, or added_after with the page's last date."""
    one = (await host.history())[0]
    found: list[str] = []
    way = ""
    for _ in range(6):
        reply = (await host.versions(one["id"], "limit=1" + way)).has_status(200)
        found += reply.list_of("versions")
        if not reply.more:
            break
        following = reply.document.get("next")
        way = "&next=" + quote(str(following), safe="") if following else f"&added_after={reply.header(LAST)}"
    expect(len(found) == len(set(found)) == 3, f"3 versions in pages of 1: {found!r} came")


@must("2")
async def no_versions_are_left_out(host: Peer) -> None:
    """Where no version matches, the list is left out rather than empty."""
    one = (await host.history())[0]
    reply = await host.versions(one["id"], "match[spec_version]=2.0")
    if reply.status == 404:
        raise NotOffered("an answer without versions is 404")
    expect(reply.document.get("versions") != [], "versions is an empty list")


@must("5.8")
async def versions_of_an_observable(host: Peer) -> None:
    """A cyber-observable has one version, which is a timestamp and that of the manifest."""
    one = await host.observable()
    found = (await host.versions(one["id"])).has_status(200).list_of("versions")
    records = await host.records(match_ids([one]))
    expect(found == [record.get("version") for record in records], f"versions {found!r}, manifest {records!r}")
    instant(found[0] if found else None, "the version")


@must("5.8")
async def versions_of_a_marking(host: Peer) -> None:
    """A marking has one version, its `created`."""
    one = await host.marking()
    found = (await host.versions(one["id"])).has_status(200).list_of("versions")
    expect([instant(version, "a version") for version in found] == [instant(one["created"], "")], f"{found!r}")


@should("5.8")
async def a_new_version_is_listed(host: Peer) -> None:
    """A version that is posted later is listed, and then the latest."""
    one = made.indicator()
    later = one | {"modified": LATEST}
    await host.stored(one)
    await host.stored(later)
    expect(len((await host.versions(one["id"])).list_of("versions")) == 2, "it is not listed")
    expect(named((await host.one(one["id"])).objects) == named([later]), "it is not the latest")


@needed_by("all that leave the slash out", "5.8")
async def versions_need_no_slash(host: Peer) -> None:
    """The versions answer without the trailing slash."""
    one = (await host.five())[0]
    (await host.get(f"{host.readable}objects/{one['id']}/versions")).has_status(200)
