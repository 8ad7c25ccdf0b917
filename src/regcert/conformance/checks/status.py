"""The status of a POST.

Spec: TAXII 2.1 §4.3
"""

import uuid
from collections.abc import Mapping
from typing import Any

from regcert.conformance import made
from regcert.conformance.check import must, needed_by, should
from regcert.conformance.peer import Peer
from regcert.conformance.reply import Reply, instant
from regcert.conformance.shapes import (
    optional_text,
    require_count,
    require_own_timestamp,
    require_property_names,
    require_text,
    require_uuid4,
)
from regcert.conformance.verdict import NotOffered, Skipped, expect

_COUNTS = ("success_count", "failure_count", "pending_count")
_LISTS = ("successes", "failures", "pendings")
_WHAT = "the status"


async def _posted(host: Peer) -> dict[str, Any]:
    """Post one object and return the status that this is answered with."""
    return (await host.post_objects(made.indicator())).has_status(202).document


async def _refused(host: Peer) -> Mapping[str, Any]:
    """Post one good object and one that no server can take, and return the complete status."""
    bad = made.indicator()
    del bad["id"]
    reply = await host.post_objects(made.indicator(), bad)
    if reply.status != 202:
        raise NotOffered(f"an envelope with an object without id is refused whole ({reply.status})")
    status = await host.finish(reply.document)
    if not status.get("failure_count"):
        raise NotOffered("an object without id is no failure here")
    return status


async def _status(host: Peer, name: object) -> Reply:
    return await host.get(f"{host.place.root}status/{name}/")


@must("4.3")
async def status_can_be_fetched(host: Peer) -> None:
    """The status of a POST is found under its id."""
    status = await _posted(host)
    fetched = (await _status(host, status.get("id"))).has_status(200).document
    expect(fetched.get("id") == status.get("id"), f"it has the id {fetched.get('id')!r}")


@must("4.3")
async def status_can_be_fetched_again(host: Peer) -> None:
    """The status of a POST is found more than once."""
    status = await _posted(host)
    for _ in range(2):
        (await _status(host, status.get("id"))).has_status(200)


@must("4.3")
async def id_is_uuid4(host: Peer) -> None:
    """The id of a status is a UUID of version 4."""
    require_uuid4((await _posted(host)).get("id"), "the id")


@must("4.3")
async def id_is_new_for_each_request(host: Peer) -> None:
    """Two POSTs have two ids, also when they say the same."""
    body = made.indicator()
    first, second = (await host.post_objects(body)).document, (await host.post_objects(body)).document
    expect(first.get("id") != second.get("id"), f"both have the id {first.get('id')!r}")


@must("4.3")
async def state_is_complete_or_pending(host: Peer) -> None:
    """The state is `complete` or `pending`."""
    status = await _posted(host)
    expect(status.get("status") in {"complete", "pending"}, f"status is {status.get('status')!r}")


@must("4.3")
async def request_timestamp_has_microseconds(host: Peer) -> None:
    """When the request came, where it is told, is UTC with `Z` and six decimals."""
    status = await _posted(host)
    if "request_timestamp" not in status:
        raise NotOffered("there is no request_timestamp")
    require_own_timestamp(status["request_timestamp"], "request_timestamp")


@must("4.3")
async def counts_are_numbers(host: Peer) -> None:
    """All four counts are there, as whole numbers."""
    status = await _posted(host)
    for name in ("total_count", *_COUNTS):
        require_count(status, name, _WHAT)


@must("4.3")
async def total_is_the_sum(host: Peer) -> None:
    """The total is successes, failures and what is pending, together."""
    status = await _posted(host)
    parts = [require_count(status, name, _WHAT) for name in _COUNTS]
    expect(require_count(status, "total_count", _WHAT) == sum(parts), f"{status.get('total_count')} against {parts}")


@must("4.3")
async def total_is_what_was_sent(host: Peer) -> None:
    """The total is the number of objects in the request."""
    status = (await host.post_objects(made.indicator(), made.malware(), made.identity())).has_status(202).document
    expect(status.get("total_count") == 3, f"3 objects were sent, total_count is {status.get('total_count')!r}")


@must("4.3")
async def complete_leaves_nothing_pending(host: Peer) -> None:
    """What is complete has nothing pending."""
    status = await host.finish(await _posted(host))
    expect(status.get("pending_count") == 0, f"pending_count is {status.get('pending_count')!r}")


@must("2")
async def status_has_no_empty_list(host: Peer) -> None:
    """Lists of a status are left out rather than empty."""
    status = await host.finish(await _posted(host))
    empty = [name for name in _LISTS if status.get(name) == []]
    expect(not empty, f"{empty!r} are empty lists")


@must("4.3")
async def details_name_id_and_version(host: Peer) -> None:
    """Each entry of the lists has the id and the version of its object."""
    status = await host.finish(await _posted(host))
    found = [one for name in _LISTS for one in status.get(name, [])]
    if not found:
        raise NotOffered("the status has no lists")
    for one in found:
        require_text(one, "id", "an entry")
        require_text(one, "version", "an entry")
        optional_text(one, "message", "an entry")


@must("4.3")
async def detail_version_is_modified(host: Peer) -> None:
    """The version of an entry is the instant of its object's `modified`."""
    one = made.indicator(modified="2026-01-11T01:02:03.456Z")
    found = _entry(await host.status_of(one), one)
    expect(instant(found.get("version"), "version") == instant(one["modified"], ""), f"it is {found.get('version')!r}")


@should("4.3")
async def detail_version_keeps_its_text(host: Peer) -> None:
    """The version of an entry is written as its object writes `modified`, digit by digit."""
    one = made.indicator(modified="2026-01-11T01:02:03.456Z")
    found = _entry(await host.status_of(one), one)
    expect(found.get("version") == one["modified"], f"it is {found.get('version')!r}, not {one['modified']!r}")


@should("4.3")
async def detail_version_of_a_marking_is_created(host: Peer) -> None:
    """The version of an object without `modified` is its `created`."""
    one = made.marking()
    found = _entry(await host.status_of(one), one)
    expect(instant(found.get("version"), "version") == instant(one["created"], ""), f"it is {found.get('version')!r}")


@must("4.3")
async def details_have_no_more_entries_than_are_counted(host: Peer) -> None:
    """A list is not longer than its count."""
    status = await host.finish(await _posted(host))
    for name, count in zip(_LISTS, _COUNTS, strict=True):
        expect(len(status.get(name, [])) <= require_count(status, count, _WHAT), f"{name} is longer than {count}")


@needed_by("taxii2-client", "4.3")
async def details_are_as_many_as_are_counted(host: Peer) -> None:
    """Every object that is counted is listed: taxii2-client compares, and gives up where they differ."""
    status = await host.finish(await _posted(host))
    for name, count in zip(_LISTS, _COUNTS, strict=True):
        listed = len(status.get(name, []))
        expect(listed == status.get(count), f"{count} is {status.get(count)!r}, {name} has {listed} entries")


@needed_by("MISP, Splunk", "4.3")
async def failures_have_details(host: Peer) -> None:
    """Every object that was not taken is listed, with a message that says why."""
    status = await _refused(host)
    failures = status.get("failures", [])
    expect(len(failures) == status["failure_count"], f"{status['failure_count']} failures, {len(failures)} of them listed")
    expect(all(one.get("message") for one in failures), "a failure has no message")


@must("2")
async def failing_status_has_no_empty_list(host: Peer) -> None:
    """Lists are left out rather than empty also where something failed."""
    status = await _refused(host)
    empty = [name for name in _LISTS if status.get(name) == []]
    expect(not empty, f"{empty!r} are empty lists")


@must("4.3")
async def unknown_status_is_not_found(host: Peer) -> None:
    """A status that does not exist is 404."""
    (await _status(host, uuid.uuid4())).has_status(404, 403)


@must("4.3")
async def status_with_no_uuid_is_not_found(host: Peer) -> None:
    """What cannot be the id of a status is 404 or 400, and no fault."""
    for name in ("unheard", "..%2f..%2fetc", "%27%20or%201=1", "0", "x" * 500):
        (await _status(host, name)).has_status(404, 403, 400)


@must("4.3")
async def status_belongs_to_its_root(host: Peer) -> None:
    """The status of one API root is not found under another."""
    others = [root for root in host.place.roots if root != host.place.root]
    if not others:
        raise NotOffered("there is one API root")
    status = await _posted(host)
    (await host.get(f"{others[0]}status/{status.get('id')}/")).has_status(404, 403)


@needed_by("Splunk TA_CTIS_TAXII", "4.3")
async def status_comes_to_an_end(host: Peer) -> None:
    """A POST of one object is complete within half a minute: clients wait for it."""
    expect((await host.finish(await _posted(host))).get("status") == "complete", "it is not")


@must("4.3")
async def status_says_the_same_again(host: Peer) -> None:
    """A complete status, fetched, counts what the answer to the POST counted."""
    status = await host.finish(await _posted(host))
    fetched = (await _status(host, status.get("id"))).document
    for name in ("status", "total_count", *_COUNTS):
        expect(fetched.get(name) == status.get(name), f"{name} is {fetched.get(name)!r}, was {status.get(name)!r}")


@should("4.3")
async def status_is_hidden_from_others(host: Peer) -> None:
    """The status of a POST is not shown to another principal."""
    other = host.second
    status = await _posted(host)
    (await host.get(f"{host.place.root}status/{status.get('id')}/", Authorization=other)).has_status(404, 403, 401)


@must("7.1")
async def status_properties_are_named_well(host: Peer) -> None:
    """Properties of a status, custom ones too, have names of a-z, 0-9 and underscore."""
    require_property_names(await _posted(host), _WHAT)


@needed_by("taxii2-client", "4.3")
async def status_is_found_from_the_collection(host: Peer) -> None:
    """The status is two steps above its collection, in `status/`: taxii2-client builds the address so."""
    status = await _posted(host)
    path = host.collection.rstrip("/").rsplit("/", 2)[0]
    (await host.get(f"{path}/status/{status.get('id')}/")).has_status(200)


@needed_by("all that leave the slash out", "4.3")
async def status_needs_no_slash(host: Peer) -> None:
    """A status answers without its trailing slash."""
    status = await _posted(host)
    (await host.get(f"{host.place.root}status/{status.get('id')}")).has_status(200)


def _entry(status: Mapping[str, Any], one: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("successes", "failures"):
        for entry in status.get(name, []):
            if entry.get("id") == one["id"]:
                if name == "failures":
                    raise Skipped("the object was not taken")
                return dict(entry)
    raise NotOffered("the status does not list it")
