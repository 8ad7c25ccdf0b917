"""Collections: the list of them, and one of them.

Spec: TAXII 2.1 §5.1, §5.2
"""

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from regcert.conformance import made
from regcert.conformance.check import must, needed_by, should
from regcert.conformance.peer import Peer
from regcert.conformance.reply import Reply
from regcert.conformance.shapes import (
    optional_text,
    optional_texts,
    require_property_names,
    require_text,
    require_truth,
    require_uuid4,
)
from regcert.conformance.verdict import NotOffered, Skipped, expect

STIX = "application/stix+json;version=2.1"


async def _list(host: Peer) -> Reply:
    return (await host.get(f"{host.place.root}collections/")).has_status(200)


async def _each(host: Peer, look: Callable[[Mapping[str, Any], str], object]) -> None:
    """Look at every collection that is listed."""
    listed = (await _list(host)).list_of("collections")
    if not listed:
        raise Skipped("no collection is listed")
    for one in listed:
        expect(isinstance(one, dict), f"a collection is {one!r}")
        look(one, f"collection {one.get('id')}")


@must("5.1")
async def collections_answer(host: Peer) -> None:
    """The collections of an API root are answered with 200 and a JSON object."""
    (await _list(host)).list_of("collections")


@must("2")
async def no_collections_are_left_out(host: Peer) -> None:
    """Where there is no collection, the list is left out rather than empty."""
    expect((await _list(host)).document.get("collections") != [], "collections is an empty list")


@must("5.2")
async def id_is_uuid4(host: Peer) -> None:
    """The id of a collection is a UUID of version 4."""
    await _each(host, lambda one, what: require_uuid4(one.get("id"), f"the id of {what}"))


@must("5.2")
async def title_is_text(host: Peer) -> None:
    """A collection has a title."""
    await _each(host, lambda one, what: require_text(one, "title", what))


@must("5.2")
async def description_is_text(host: Peer) -> None:
    """The description of a collection, where there is one, is text."""
    await _each(host, lambda one, what: optional_text(one, "description", what))


@must("5.2")
async def alias_is_text(host: Peer) -> None:
    """The alias of a collection, where there is one, is text."""
    await _each(host, lambda one, what: optional_text(one, "alias", what))


@must("5.2")
async def can_read_is_told(host: Peer) -> None:
    """A collection says whether whoever asks may read it."""
    await _each(host, lambda one, what: require_truth(one, "can_read", what))


@must("5.2")
async def can_write_is_told(host: Peer) -> None:
    """A collection says whether whoever asks may write it."""
    await _each(host, lambda one, what: require_truth(one, "can_write", what))


@must("5.2")
async def media_types_are_texts(host: Peer) -> None:
    """The media types of a collection, where they are told, are texts, at least one."""
    await _each(host, lambda one, what: optional_texts(one, "media_types", what))


@must("7.1")
async def collection_properties_are_named_well(host: Peer) -> None:
    """Properties of a collection, custom ones too, have names of a-z, 0-9 and underscore."""
    await _each(host, require_property_names)


@must("5.2")
async def ids_are_unique(host: Peer) -> None:
    """No two collections of an API root have one id."""
    _unique([one.get("id") for one in (await _list(host)).list_of("collections")])


@must("5.2")
async def aliases_are_unique(host: Peer) -> None:
    """No two collections of an API root have one alias."""
    _unique([one["alias"] for one in (await _list(host)).list_of("collections") if "alias" in one])


@must("5.2")
async def one_is_described_as_in_the_list(host: Peer) -> None:
    """A collection by itself is described as in the list."""
    for listed in (await _list(host)).list_of("collections")[:10]:
        alone = (await host.get(host.place.of(listed))).has_status(200).document
        for name in ("id", "title", "can_read", "can_write"):
            expect(alone.get(name) == listed.get(name), f"{name} is {alone.get(name)!r}, in the list {listed.get(name)!r}")


@must("5.2")
async def alias_leads_to_the_collection(host: Peer) -> None:
    """The alias works in place of the id."""
    alone = (await host.get(host.place.of(_alias(host)))).has_status(200).document
    expect(alone.get("id") == host.place.collection["id"], f"it leads to {alone.get('id')!r}")


@must("5.2")
async def alias_leads_to_the_objects(host: Peer) -> None:
    """The alias works in place of the id in the addresses of objects and manifest."""
    path = host.place.of(_alias(host))
    for part in ("objects/", "manifest/"):
        (await host.get(path + part, "limit=1")).has_status(200)


@must("5.2")
async def unknown_collection_is_not_found(host: Peer) -> None:
    """A collection that does not exist is 404 (or 403)."""
    (await host.get(host.place.of(str(uuid.uuid4())))).has_status(404, 403)


@must("5.2")
async def collection_with_no_uuid_is_not_found(host: Peer) -> None:
    """What cannot be a collection's id is 404 (or 403, or 400), and no fault."""
    for name in ("unheard", "..", "../../taxii2", "' or 1=1", "%00", "x" * 500, "č", "{}"):
        (await host.get(host.place.of(name))).has_status(404, 403, 400)


@should("5.1")
async def order_is_kept(host: Peer) -> None:
    """Collections come in the same order each time."""
    first = [one.get("id") for one in (await _list(host)).list_of("collections")]
    second = [one.get("id") for one in (await _list(host)).list_of("collections")]
    expect(first == second, f"first {first!r}, then {second!r}")


@needed_by("Cortex XSOAR, OpenCTI", "5.2")
async def titles_are_unique(host: Peer) -> None:
    """No two collections have one title: clients choose by it."""
    _unique([one.get("title") for one in (await _list(host)).list_of("collections")])


@needed_by("OpenCTI", "5.2")
async def titles_have_no_dot_or_comma(host: Peer) -> None:
    """A title has no dot and no comma: OpenCTI's list of collections is parted by them."""
    titles = [str(one.get("title")) for one in (await _list(host)).list_of("collections")]
    strange = [one for one in titles if "." in one or "," in one]
    expect(not strange, f"{strange!r}")


@should("5.2")
async def media_types_hold_stix(host: Peer) -> None:
    """The media types of the collection, where they are told, hold STIX 2.1."""
    listed = host.place.collection.get("media_types")
    if not isinstance(listed, list):
        raise NotOffered("no media types are told")
    expect(STIX in [str(one).replace(" ", "") for one in listed], f"they are {listed!r}")


@must("5.4")
async def unreadable_collection_is_not_read(host: Peer) -> None:
    """Where can_read is false, objects and manifest are 403 or 404."""
    for one in host.place.collections:
        if one.get("can_read") is False:
            for part in ("objects/", "manifest/", f"objects/{made.new_id('indicator')}/"):
                (await host.get(host.place.of(one) + part)).has_status(403, 404)
            return
    raise NotOffered("every collection that is listed can be read")


@must("5.5")
async def unwritable_collection_is_not_written(host: Peer) -> None:
    """Where can_write is false, a POST is 403 or 404."""
    if host.terms.read_only:
        raise Skipped("--read-only")
    for one in host.place.collections:
        if one.get("can_write") is False:
            path = f"{host.place.of(one)}objects/"
            (await host.ask("POST", path, body=made.envelope(made.indicator()))).has_status(403, 404)
            return
    raise NotOffered("every collection that is listed can be written")


@needed_by("all that leave the slash out", "5.1")
async def collections_need_no_slash(host: Peer) -> None:
    """The list of collections answers without its trailing slash."""
    (await host.get(f"{host.place.root}collections")).has_status(200)


@needed_by("all that leave the slash out", "5.2")
async def collection_needs_no_slash(host: Peer) -> None:
    """A collection answers without its trailing slash."""
    (await host.get(host.collection.rstrip("/"))).has_status(200)


@should("5.1")
async def collections_of_others_are_hidden(host: Peer) -> None:
    """What another principal lists, it can fetch; and what it does not list, it cannot read."""
    other = host.second
    listed = (await host.get(f"{host.place.root}collections/", Authorization=other)).list_of("collections")
    theirs = {one.get("id") for one in listed}
    hidden = [one for one in host.place.collections if one.get("id") not in theirs]
    if not hidden:
        raise NotOffered("both principals list the same collections")
    for one in hidden[:5]:
        (await host.get(f"{host.place.of(one)}objects/", Authorization=other)).has_status(403, 404, 401)


def _alias(host: Peer) -> str:
    alias = host.place.collection.get("alias")
    if not host.place.collection:
        raise Skipped("no collection to look at")
    if not isinstance(alias, str):
        raise NotOffered("the collection has no alias")
    return alias


def _unique(values: list[Any]) -> None:
    twice = [value for value, times in Counter(map(str, values)).items() if times > 1]
    expect(not twice, f"{twice!r} more than once")
