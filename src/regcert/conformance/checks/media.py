"""Content negotiation: what is asked for, what is sent, and what comes.

Spec: TAXII 2.1 §1.6.8, §3.1, §3.2
"""

import uuid
from collections.abc import Awaitable, Callable

from regcert.conformance import made
from regcert.conformance.asking import TAXII
from regcert.conformance.check import Check, Keyword, each, must, needed_by
from regcert.conformance.peer import Peer, match_ids
from regcert.conformance.reply import Reply
from regcert.conformance.verdict import NotOffered, expect

_Ask = Callable[[Peer], Awaitable[Reply]]


async def _one(host: Peer, end: str = "") -> Reply:
    one = (await host.five())[0]
    return await host.get(f"{host.readable}objects/{one['id']}/{end}")


async def _status(host: Peer) -> Reply:
    posted = (await host.post_objects(made.indicator())).has_status(202).document
    return await host.get(f"{host.place.root}status/{posted.get('id')}/")


_ANSWERS: tuple[tuple[str, _Ask], ...] = (
    ("discovery", lambda host: host.get(host.discovery)),
    ("api-root", lambda host: host.get(host.place.root)),
    ("collections", lambda host: host.get(f"{host.place.root}collections/")),
    ("collection", lambda host: host.get(host.collection)),
    ("manifest", lambda host: host.manifest("limit=2")),
    ("objects", lambda host: host.objects("limit=2")),
    ("nothing", lambda host: host.objects(f"match[id]={made.new_id('indicator')}")),
    ("object", _one),
    ("versions", lambda host: _one(host, "versions/")),
    ("status", _status),
    ("post", lambda host: host.post_objects(made.indicator())),
)


def _typed(name: str, ask: _Ask) -> Check:
    async def judge(host: Peer) -> None:
        reply = (await ask(host)).has_status(200, 202)
        shown = (reply.header("Content-Type") or "").replace(" ", "").lower()
        parts = set(shown.split(";")) - {"charset=utf-8"}
        expect(parts == {"application/taxii+json", "version=2.1"}, f"Content-Type is {reply.header('Content-Type')!r}")

    return each(Keyword.MUST, "3.2", f"media-type-of-{name}", f"The answer of {name} is {TAXII}.", judge)


ANSWERS = tuple(_typed(name, ask) for name, ask in _ANSWERS)


@must("3.6")
async def media_type_of_an_error(host: Peer) -> None:
    """An error that has a body is of TAXII's media type too."""
    reply = await host.get(host.place.of(str(uuid.uuid4())))
    if not reply.body:
        raise NotOffered("the error has no body")
    shown = (reply.header("Content-Type") or "").replace(" ", "").lower().split(";")
    expect(shown[:1] == ["application/taxii+json"] and "version=2.1" in shown, f"it is {reply.header('Content-Type')!r}")


@needed_by("taxii2-client", "3.2")
async def media_type_has_no_quotes(host: Peer) -> None:
    """The version in the answer's media type has no quotes around it."""
    shown = (await host.objects("limit=1")).header("Content-Type") or ""
    expect('"' not in shown, f"it is {shown!r}")


_ACCEPTED: tuple[tuple[Keyword, str, str | None, str], ...] = (
    (Keyword.MUST, "with-version", TAXII, ""),
    (Keyword.MUST, "without-version", "application/taxii+json", ""),
    (Keyword.MUST, "with-blanks", "application/taxii+json; version=2.1", ""),
    (Keyword.SHOULD, "with-quotes", 'application/taxii+json;version="2.1"', ""),
    (Keyword.SHOULD, "in-capitals", "Application/TAXII+JSON;Version=2.1", ""),
    (Keyword.SHOULD, "in-a-list", "text/html;q=0.3, application/taxii+json;version=2.1;q=0.9", ""),
    (Keyword.CLIENT, "behind-an-older-one", f"application/vnd.oasis.taxii+json; version=2.0, {TAXII}", "Cortex XSOAR"),
    (Keyword.CLIENT, "anything", "*/*", "scripts, curl"),
    (Keyword.CLIENT, "any-application", "application/*", "scripts"),
    (Keyword.CLIENT, "nothing-said", None, "Elastic Agent, scripts"),
)


def _accepted(keyword: Keyword, name: str, accept: str | None, client: str) -> Check:
    async def judge(host: Peer) -> None:
        five = await host.five()
        for path in (host.place.root, f"{host.readable}objects/?match%5Bid%5D={five[0]['id']}"):
            (await host.ask("GET", path, headers={"Accept": accept})).has_status(200)

    shown = f"'{accept}'" if accept else "no Accept header"
    return each(keyword, "1.6.8", f"accept-{name}", f"A request with {shown} is answered.", judge, client)


ACCEPTED = tuple(_accepted(*row) for row in _ACCEPTED)


@must("1.6.8")
async def accept_stands_on_two_lines(host: Peer) -> None:
    """Accept on two lines is one list."""
    reply = await host.ask("GET", host.place.root, headers={"Accept": "text/html"}, also=[("Accept", TAXII)])
    reply.has_status(200)


_REFUSED: tuple[tuple[Keyword, str, str], ...] = (
    (Keyword.MUST, "another-version", "application/taxii+json;version=2.0"),
    (Keyword.MUST, "a-future-version", "application/taxii+json;version=99.9"),
    (Keyword.CLIENT, "taxii-20", "application/vnd.oasis.taxii+json; version=2.0"),
    (Keyword.MUST, "another-type", "text/html"),
)


def _refused(keyword: Keyword, name: str, accept: str) -> Check:
    async def judge(host: Peer) -> None:
        (await host.ask("GET", host.place.root, headers={"Accept": accept})).has_status(406)

    rule = f"A request that accepts '{accept}' alone is 406: what it would get is something else."
    return each(keyword, "1.6.8", f"{name}-is-not-acceptable", rule, judge, "Cortex XSOAR" if keyword is Keyword.CLIENT else "")


REFUSED = tuple(_refused(*row) for row in _REFUSED)


@must("1.6.8")
async def post_that_is_not_acceptable_stores_nothing(host: Peer) -> None:
    """A POST whose answer could not be read is 406, and nothing of it is stored."""
    one = made.indicator()
    host.remember(one)
    reply = await host.post(made.envelope(one), Accept="application/taxii+json;version=2.0")
    reply.has_status(406)
    expect(not (await host.objects(match_ids([one]))).objects, "the object is stored")


_SENT: tuple[tuple[Keyword, str, str, str], ...] = (
    (Keyword.MUST, "with-version", TAXII, ""),
    (Keyword.SHOULD, "without-version", "application/taxii+json", ""),
    (Keyword.MUST, "with-blank", "application/taxii+json; version=2.1", ""),
    (Keyword.SHOULD, "with-quotes", 'application/taxii+json;version="2.1"', ""),
    (Keyword.CLIENT, "with-charset", "application/taxii+json;version=2.1;charset=utf-8", "clients that add one"),
    (Keyword.CLIENT, "stix", "application/stix+json; version=2.1", "OpenCTI stream connector"),
    (Keyword.CLIENT, "stix-without-version", "application/stix+json", "OpenCTI stream connector"),
)


def _sent(keyword: Keyword, name: str, content_type: str, client: str) -> Check:
    async def judge(host: Peer) -> None:
        one = made.indicator()
        host.remember(one)
        (await host.post(made.envelope(one), Content_Type=content_type)).has_status(202)

    return each(keyword, "5.5", f"content-type-{name}", f"A POST of '{content_type}' is taken.", judge, client)


SENT = tuple(_sent(*row) for row in _SENT)

_UNSENT: tuple[tuple[str, str | None], ...] = (
    ("another-version", "application/taxii+json;version=2.0"),
    ("a-future-version", "application/taxii+json;version=99.9"),
    ("plain-text", "text/plain"),
    ("xml", "application/xml"),
)


def _unsent(name: str, content_type: str | None) -> Check:
    async def judge(host: Peer) -> None:
        one = made.indicator()
        host.remember(one)
        (await host.post(made.envelope(one), Content_Type=content_type)).has_status(415)
        expect(not (await host.objects(match_ids([one]))).objects, "the object is stored")

    rule = f"A POST of '{content_type}' is 415, and nothing of it is stored."
    return each(Keyword.MUST, "5.5", f"content-type-{name}-is-refused", rule, judge)


UNSENT = tuple(_unsent(*row) for row in _UNSENT)
