"""Errors.

Spec: TAXII 2.1 §3.6
"""

import uuid
from collections.abc import Awaitable, Callable

from regcert.conformance.check import Check, Keyword, each, must, should
from regcert.conformance.peer import Peer
from regcert.conformance.reply import Reply
from regcert.conformance.shapes import optional_text, require_property_names, require_text
from regcert.conformance.verdict import NotOffered, expect

_Ask = Callable[[Peer], Awaitable[Reply]]
_NAME = "regcert-conformance-probe"


async def _absent(host: Peer) -> Reply:
    return (await host.get(host.place.of(str(uuid.uuid4())))).has_status(404, 403)


async def _malformed(host: Peer) -> Reply:
    return (await host.get(f"{host.readable}objects/", "added_after=yesterday")).has_status(400)


async def _unacceptable(host: Peer) -> Reply:
    return (await host.get(host.place.root, Accept="application/taxii+json;version=2.0")).has_status(406)


async def _unsupported(host: Peer) -> Reply:
    return (await host.post(b"{}", Content_Type="text/plain")).has_status(415)


async def _unsigned(host: Peer) -> Reply:
    _ = host.signed_in
    reply = await host.get(f"{host.place.root}collections/", Authorization=None)
    if reply.status != 401:
        raise NotOffered(f"without credentials, it is {reply.status}")
    return reply


_ERRORS: tuple[tuple[str, str, _Ask], ...] = (
    ("404", "what is not there", _absent),
    ("400", "a question that cannot be read", _malformed),
    ("406", "a type that is not served", _unacceptable),
    ("415", "a body of another type", _unsupported),
    ("401", "who is not signed in", _unsigned),
)


def _resource(status: str, about: str, ask: _Ask) -> Check:
    async def judge(host: Peer) -> None:
        reply = await ask(host)
        if not reply.body:
            raise NotOffered("the error has no body")
        document = reply.json
        expect(isinstance(document, dict), "the body is no JSON object")
        require_text(document, "title", "the error")

    rule = f"The error for {about}, where it has a body, is a TAXII error resource with a title."
    return each(Keyword.MUST, "3.6.1", f"error-{status}-has-a-title", rule, judge)


RESOURCES = tuple(_resource(*row) for row in _ERRORS)


@must("3.6.1")
async def error_properties_are_well_formed(host: Peer) -> None:
    """Description, error_id, error_code, http_status and external_details are texts, details is an object."""
    reply = await _absent(host)
    if not reply.body:
        raise NotOffered("the error has no body")
    for name in ("description", "error_id", "error_code", "http_status", "external_details"):
        optional_text(reply.json, name, "the error")
    expect(isinstance(reply.json.get("details", {}), dict), "details is no object")
    require_property_names(reply.json, "the error")


@must("3.6.1")
async def http_status_is_the_status(host: Peer) -> None:
    """http_status, where it is told, is the answer's own status, as text."""
    reply = await _absent(host)
    if not reply.body or "http_status" not in reply.json:
        raise NotOffered("there is no http_status")
    expect(reply.json["http_status"] == str(reply.status), f"it is {reply.json['http_status']!r}, the status {reply.status}")


@should("3.6.1")
async def error_describes_what_to_do(host: Peer) -> None:
    """An error has a description: an operator has nothing else."""
    reply = await _malformed(host)
    expect(bool(reply.body) and bool(reply.json.get("description")), "there is no description")


@should("3.6")
async def error_does_not_echo(host: Peer) -> None:
    """An error does not repeat what was asked: it ends up in logs and on pages."""
    reply = await host.get(f"{host.place.root}collections/{_NAME}-%3Cscript%3E/")
    expect(_NAME.encode() not in reply.body, "the body repeats the address")


@should("3.6")
async def error_tells_nothing_of_the_inside(host: Peer) -> None:
    """An error shows no trace of the program that failed."""
    for reply in (await _absent(host), await _malformed(host)):
        for word in (b"Traceback", b'File "', b"sqlalchemy", b"java.lang", b"at line"):
            expect(word not in reply.body, f"it holds {word.decode()!r}")


@should("3.6")
async def unknown_address_is_a_taxii_error(host: Peer) -> None:
    """An address below an API root that TAXII does not know is 404, with an error resource."""
    reply = (await host.get(f"{host.place.root}{_NAME}/")).has_status(404)
    shown = (reply.header("Content-Type") or "").replace(" ", "")
    expect(not reply.body or shown.startswith("application/taxii+json"), f"Content-Type is {shown!r}")
