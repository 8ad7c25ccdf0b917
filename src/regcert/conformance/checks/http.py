"""HTTP as a server of TAXII speaks it: methods, headers, addresses, and what it may offer besides.

Spec: TAXII 2.1 §1.6.6, §3.1, §3.2; RFC 9110
"""

import zlib
from collections.abc import Callable

from regcert.conformance import made
from regcert.conformance.asking import with_query
from regcert.conformance.check import Check, Keyword, each, may, must, needed_by, should
from regcert.conformance.peer import Peer, match_ids
from regcert.conformance.reply import FIRST, LAST, Reply
from regcert.conformance.verdict import Broken, NotOffered, expect


@should("3.1")
async def head_answers_like_get(host: Peer) -> None:
    """HEAD has the status and the media type of GET."""
    for path in (host.place.root, f"{host.readable}objects/?limit=1"):
        reply = await host.ask("HEAD", path)
        if reply.status in {404, 405, 501}:
            raise NotOffered(f"HEAD is {reply.status}")
        get = await host.ask("GET", path)
        expect(reply.status == get.status, f"HEAD {reply.status}, GET {get.status}")
        expect(reply.header("Content-Type") == get.header("Content-Type"), "they have different media types")


@should("3.1")
async def head_has_no_body(host: Peer) -> None:
    """HEAD has no body, and the dates of GET."""
    five = await host.five()
    path = with_query(f"{host.readable}objects/", match_ids(five))
    reply = await host.ask("HEAD", path)
    if reply.status in {404, 405, 501}:
        raise NotOffered(f"HEAD is {reply.status}")
    get = await host.ask("GET", path)
    for name in (FIRST, LAST):
        expect(reply.header(name) == get.header(name), f"{name} differs")


@should("3.1")
async def unknown_method_is_refused(host: Peer) -> None:
    """A method that an address does not know is 405."""
    for method, path in (("PUT", f"{host.collection}objects/"), ("PATCH", host.collection), ("DELETE", host.place.root)):
        (await host.ask(method, path, faults=(501,))).has_status(405, 501, 404, 403)


@should("3.1")
async def refused_method_names_the_others(host: Peer) -> None:
    """405 says in `Allow` which methods there are."""
    reply = await host.ask("PUT", f"{host.collection}objects/", faults=(501,))
    if reply.status != 405:
        raise NotOffered(f"PUT is {reply.status}")
    shown = [one.strip() for one in (reply.header("Allow") or "").split(",")]
    expect("GET" in shown, f"Allow is {reply.header('Allow')!r}")


@should("3.1")
async def discovery_is_not_posted_to(host: Peer) -> None:
    """A POST to discovery or to a manifest changes nothing: 405 (or 404, 403)."""
    if host.terms.read_only:
        raise NotOffered("--read-only")
    for path in (host.discovery, f"{host.collection}manifest/"):
        (await host.ask("POST", path, body=b"{}")).has_status(405, 404, 403, 415, 422)


@should("3.1")
async def trace_is_refused(host: Peer) -> None:
    """TRACE does not give credentials back."""
    reply = await host.ask("TRACE", host.place.root, faults=(501,))
    expect(reply.status != 200, "it is answered with 200")


@should("3.1")
async def method_is_not_overridden(host: Peer) -> None:
    """No header turns a GET into a DELETE."""
    one = made.indicator()
    await host.stored(one)
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        await host.ask("GET", f"{host.readable}objects/{one['id']}/", headers={name: "DELETE"})
    (await host.one(one["id"])).has_status(200)


@needed_by("simple clients", "3.1")
async def user_agent_may_be_missing(host: Peer) -> None:
    """A request without User-Agent is answered."""
    (await host.get(host.place.root, User_Agent=None)).has_status(200)


@must("3.1")
async def path_tricks_lead_nowhere(host: Peer) -> None:
    """Addresses with steps upwards, encoded or not, lead to no other resource, and are no fault."""
    for path in ("..%2f", "%2e%2e/", "..;/", "%252e%252e%252f", "collections/..%2f..%2ftaxii2/", "%00/", "collections//"):
        (await host.get(host.place.root + path)).has_status(200, 301, 308, 400, 401, 403, 404)


@must("3.2")
async def no_content_is_claimed_that_is_not_there(host: Peer) -> None:
    """Content-Length, where it is told, is the length of the body."""
    for reply in (await host.get(host.place.root), await host.objects("limit=3")):
        told = reply.header("Content-Length")
        expect(told is None or int(told) == len(reply.body), f"it says {told}, {len(reply.body)} bytes came")


@should("3.2")
async def nothing_is_coded_unasked(host: Peer) -> None:
    """An answer to who accepts no coding is not coded."""
    reply = await host.get(host.place.root)
    expect(reply.header("Content-Encoding") in {None, "identity"}, f"Content-Encoding is {reply.header('Content-Encoding')!r}")


@may("3.2")
async def gzip_is_well_formed(host: Peer) -> None:
    """gzip, where it is offered to who accepts it, unpacks to the same answer."""
    query = match_ids(await host.five())
    reply = await host.get(f"{host.readable}objects/", query, Accept_Encoding="gzip")
    if reply.header("Content-Encoding") != "gzip":
        raise NotOffered("answers are not compressed")
    plain = await host.objects(query)
    try:
        unpacked = zlib.decompressobj(31).decompress(reply.body, 64 * 1024 * 1024)
    except zlib.error as error:
        raise Broken("the body cannot be unpacked") from error
    expect(Reply(reply.where, reply.status, [], unpacked).json == plain.json, "another answer came")
    expect("accept-encoding" in (reply.header("Vary") or "").lower(), f"Vary is {reply.header('Vary')!r}")


async def _etag(host: Peer, query: str) -> tuple[Reply, str]:
    reply = await host.objects(query)
    etag = reply.header("ETag")
    if etag is None:
        raise NotOffered("answers have no ETag")
    return reply, etag


@may("3.2")
async def etag_answers_304(host: Peer) -> None:
    """An answer that has an ETag, asked for again with it, is 304 without a body."""
    query = match_ids(await host.five())
    _, etag = await _etag(host, query)
    reply = await host.get(f"{host.readable}objects/", query, If_None_Match=etag)
    reply.has_status(304)
    expect(not reply.body, "a body came")


@may("3.2")
async def etag_changes_with_the_answer(host: Peer) -> None:
    """An answer that has an ETag has another when something was added to it."""
    one, other = made.indicator(), made.indicator()
    await host.stored(one)
    query = match_ids([one, other])
    _, etag = await _etag(host, query)
    await host.stored(other)
    reply = (await host.get(f"{host.readable}objects/", query, If_None_Match=etag)).has_status(200)
    expect(len(reply.objects) == 2, f"{len(reply.objects)} of 2 objects came")


@may("3.2")
async def etag_knows_one_question_from_another(host: Peer) -> None:
    """An ETag of one question is no answer to another."""
    five = await host.five()
    _, etag = await _etag(host, match_ids(five[:1]))
    (await host.get(f"{host.readable}objects/", match_ids(five[1:2]), If_None_Match=etag)).has_status(200)


@may("3.2")
async def etag_that_is_unknown_is_no_answer(host: Peer) -> None:
    """An ETag that the server does not know is answered with everything."""
    query = match_ids(await host.five())
    reply = await host.get(f"{host.readable}objects/", query, If_None_Match='"unheard"')
    expect(len(reply.has_status(200).objects) == 5, f"{len(reply.objects)} of 5 objects came")


_CONDITIONAL: tuple[tuple[str, Callable[[Peer], str]], ...] = (
    ("manifest", lambda host: f"{host.readable}manifest/?limit=5"),
    ("collections", lambda host: f"{host.place.root}collections/"),
)


def _conditional(name: str, path: Callable[[Peer], str]) -> Check:
    async def judge(host: Peer) -> None:
        reply = (await host.ask("GET", path(host))).has_status(200)
        etag = reply.header("ETag")
        if etag is None:
            raise NotOffered("the answer has no ETag")
        (await host.ask("GET", path(host), headers={"If-None-Match": etag})).has_status(304)

    rule = f"An answer of {name} that has an ETag, asked for again with it, is 304."
    return each(Keyword.MAY, "3.2", f"etag-of-{name}-answers-304", rule, judge)


CONDITIONAL = tuple(_conditional(*row) for row in _CONDITIONAL)


@should("1.6.9")
async def answers_are_not_kept_by_others(host: Peer) -> None:
    """What is answered to who signed in is not marked for caches that others share."""
    _ = host.signed_in
    reply = await host.objects("limit=1")
    shown = (reply.header("Cache-Control") or "").lower()
    expect("public" not in shown and "s-maxage" not in shown, f"Cache-Control is {shown!r}")


@must("1.6.7")
async def answers_are_utf8(host: Peer) -> None:
    """Answers are JSON in UTF-8, without a byte order mark."""
    for reply in (await host.get(host.place.root), await host.objects("limit=3")):
        expect(not reply.body.startswith(b"\xef\xbb\xbf"), "it begins with a byte order mark")
        try:
            reply.body.decode("utf-8")
        except UnicodeDecodeError:
            expect(False, "it is not UTF-8")
