"""Discovery.

Spec: TAXII 2.1 §4.1, §8.2.1
"""

from urllib.parse import urljoin, urlsplit

from regcert.conformance.asking import TAXII
from regcert.conformance.check import may, must, needed_by
from regcert.conformance.peer import Peer
from regcert.conformance.reply import Reply
from regcert.conformance.shapes import optional_text, optional_texts, require_property_names, require_text
from regcert.conformance.verdict import NotOffered, expect

_WHAT = "the discovery resource"


async def _discovery(host: Peer) -> Reply:
    return (await host.get(host.discovery)).has_status(200)


@must("4.1")
async def discovery_answers(host: Peer) -> None:
    """Discovery is answered with 200 and a JSON object."""
    expect(bool((await _discovery(host)).document), "an empty object")


@must("8.2.1")
async def discovery_is_at_taxii2(host: Peer) -> None:
    """Discovery is at /taxii2/ at the root of the server."""
    expect("api_roots" in (await host.get("/taxii2/")).document, "the answer of /taxii2/ names no api_roots")


@must("4.1")
async def title_is_text(host: Peer) -> None:
    """Discovery has a title."""
    require_text((await _discovery(host)).document, "title", _WHAT)


@must("4.1")
async def description_is_text(host: Peer) -> None:
    """A description of the server, where there is one, is text."""
    optional_text((await _discovery(host)).document, "description", _WHAT)


@must("4.1")
async def contact_is_text(host: Peer) -> None:
    """A contact, where there is one, is text."""
    optional_text((await _discovery(host)).document, "contact", _WHAT)


@must("4.1")
async def roots_are_texts(host: Peer) -> None:
    """The list of API roots, where there is one, holds at least one address."""
    optional_texts((await _discovery(host)).document, "api_roots", _WHAT)


@must("4.1")
async def default_is_a_root(host: Peer) -> None:
    """The default API root, where there is one, leads to one of the API roots that are listed."""
    found = (await _discovery(host)).document
    if "default" not in found:
        raise NotOffered("there is no default")
    optional_text(found, "default", _WHAT)
    listed = [urljoin("http://h/taxii2/", one).rstrip("/") for one in found.get("api_roots", [])]
    expect(urljoin("http://h/taxii2/", found["default"]).rstrip("/") in listed, f"default is {found['default']!r}")


@needed_by("taxii2-client", "4.1")
async def default_is_a_root_letter_by_letter(host: Peer) -> None:
    """The default API root is written exactly as in the list."""
    found = (await _discovery(host)).document
    if "default" not in found:
        raise NotOffered("there is no default")
    expect(found["default"] in found.get("api_roots", []), f"default is {found['default']!r}")


@needed_by("taxii2-client", "4.1")
async def default_is_named(host: Peer) -> None:
    """One API root is the default: clients that are given discovery alone take it."""
    expect("default" in (await _discovery(host)).document, "there is no default")


@needed_by("OpenCTI", "4.1")
async def roots_are_listed_once(host: Peer) -> None:
    """No API root is listed twice: what reads every root would read it twice."""
    listed = (await _discovery(host)).list_of("api_roots")
    expect(len(listed) == len(set(map(str, listed))), f"api_roots is {listed!r}")


@needed_by("Trellix, Darktrace, OpenCTI", "4.1")
async def every_root_answers(host: Peer) -> None:
    """Every API root that discovery names answers: some clients stop at the first that does not."""
    for root in host.place.roots:
        described = (await host.get(root)).document
        expect("versions" in described, f"GET {root} has no versions")


@needed_by("OpenCTI, Cortex XSOAR", "4.1")
async def root_has_one_plain_segment(host: Peer) -> None:
    """The last segment of an API root's path, by which clients tell roots apart, has no dot and is unique."""
    names = [root.strip("/").rpartition("/")[2] for root in host.place.roots]
    expect(all(name and "." not in name for name in names) and len(set(names)) == len(names), f"they are {names!r}")


@needed_by("MISP", "4.1")
async def roots_stand_beside_discovery(host: Peer) -> None:
    """API roots are siblings of discovery, under one base address."""
    above = host.discovery.strip("/").rpartition("/")[0]
    away = [root for root in host.place.roots if root.strip("/").rpartition("/")[0] != above]
    expect(not away, f"discovery is {host.discovery}, roots are {away!r}")


@needed_by("all that send credentials", "4.1")
async def roots_are_on_this_host(host: Peer) -> None:
    """API roots are relative, or on the host of discovery: a client must not take its password elsewhere."""
    listed = [str(one) for one in (await _discovery(host)).list_of("api_roots")]
    hosts = {urlsplit(one).netloc for one in listed} - {""}
    expect(len(hosts) <= 1, f"they are on {sorted(hosts)!r}")


@must("7.1")
async def discovery_properties_are_named_well(host: Peer) -> None:
    """Properties of discovery, custom ones too, have names of a-z, 0-9 and underscore."""
    require_property_names((await _discovery(host)).document, _WHAT)


@needed_by("all that leave the slash out", "4.1")
async def discovery_needs_no_slash(host: Peer) -> None:
    """Discovery answers without its trailing slash, without a redirect that would lose the credentials."""
    (await host.get(host.discovery.rstrip("/"))).has_status(200)


@may("4.1")
async def discovery_ignores_a_query(host: Peer) -> None:
    """Parameters that discovery does not know do it no harm."""
    (await host.get(host.discovery, "unknown=1&limit=1")).has_status(200)


@needed_by("taxii2-client", "4.1")
async def discovery_lives_with_a_content_type_on_get(host: Peer) -> None:
    """A Content-Type on a GET, as several clients send it, does no harm."""
    (await host.get(host.discovery, Content_Type=TAXII)).has_status(200)
