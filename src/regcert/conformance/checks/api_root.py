"""API roots.

Spec: TAXII 2.1 §4.2
"""

import uuid

from regcert.conformance.asking import TAXII
from regcert.conformance.check import must, needed_by
from regcert.conformance.peer import Peer
from regcert.conformance.reply import Reply
from regcert.conformance.shapes import optional_text, optional_texts, require_count, require_property_names, require_text
from regcert.conformance.verdict import expect

_WHAT = "the API root"
_USEFUL_BYTES = 1_000_000


async def _root(host: Peer) -> Reply:
    return (await host.get(host.place.root)).has_status(200)


@must("4.2")
async def root_answers(host: Peer) -> None:
    """The API root is answered with 200 and a JSON object."""
    expect(bool((await _root(host)).document), "an empty object")


@must("4.2")
async def title_is_text(host: Peer) -> None:
    """The API root has a title."""
    require_text((await _root(host)).document, "title", _WHAT)


@must("4.2")
async def description_is_text(host: Peer) -> None:
    """A description of the API root, where there is one, is text."""
    optional_text((await _root(host)).document, "description", _WHAT)


@must("4.2")
async def versions_are_listed(host: Peer) -> None:
    """The API root lists the versions of TAXII that it speaks, as texts, at least one."""
    found = (await _root(host)).document
    expect("versions" in found, "there are no versions")
    optional_texts(found, "versions", _WHAT)


@must("4.2")
async def versions_hold_ours(host: Peer) -> None:
    """One of the versions is this one's media type: application/taxii+json;version=2.1."""
    listed = (await _root(host)).list_of("versions")
    expect(TAXII in [str(one).replace(" ", "") for one in listed], f"versions is {listed!r}")


@needed_by("taxii2-client", "4.2")
async def versions_are_written_without_blanks(host: Peer) -> None:
    """This version's media type stands there letter by letter, without blanks: clients compare texts."""
    listed = (await _root(host)).list_of("versions")
    expect(TAXII in listed, f"versions is {listed!r}")


@must("4.2")
async def max_content_length_is_a_number(host: Peer) -> None:
    """The largest body that may be posted is told as a whole number of bytes."""
    require_count((await _root(host)).document, "max_content_length", _WHAT)


@must("4.2")
async def max_content_length_is_positive(host: Peer) -> None:
    """The largest body that may be posted is more than nothing."""
    expect(require_count((await _root(host)).document, "max_content_length", _WHAT) > 0, "it is 0")


@needed_by("MISP", "4.2")
async def max_content_length_is_useful(host: Peer) -> None:
    """A body may have a million bytes: an object has to fit whole, and MISP cuts its events to this size."""
    most = require_count((await _root(host)).document, "max_content_length", _WHAT)
    expect(most >= _USEFUL_BYTES, f"it is {most}")


@must("7.1")
async def root_properties_are_named_well(host: Peer) -> None:
    """Properties of an API root, custom ones too, have names of a-z, 0-9 and underscore."""
    require_property_names((await _root(host)).document, _WHAT)


@must("4.2")
async def unknown_root_is_not_found(host: Peer) -> None:
    """An API root that does not exist is 404 (or 403, or 401 where everything is)."""
    (await host.get(f"/{uuid.uuid4()}/")).has_status(404, 403, 401)


@must("4.2")
async def collections_of_unknown_root_are_not_found(host: Peer) -> None:
    """The collections of an API root that does not exist are 404 (or 403, or 401)."""
    (await host.get(f"/{uuid.uuid4()}/collections/")).has_status(404, 403, 401)


@needed_by("MISP", "4.2")
async def root_needs_no_slash(host: Peer) -> None:
    """The API root answers without its trailing slash, without a redirect."""
    (await host.get(host.place.root.rstrip("/") or "/")).has_status(200)


@must("4.2")
async def every_root_speaks_of_itself(host: Peer) -> None:
    """Every API root of discovery has title, versions and max_content_length, where it answers."""
    for root in host.place.roots:
        reply = await host.get(root)
        if reply.status == 200:
            require_text(reply.document, "title", root)
            optional_texts(reply.document, "versions", root)
            require_count(reply.document, "max_content_length", root)
