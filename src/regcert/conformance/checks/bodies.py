"""Posting: the body as bytes, before anything in it is looked at.

Spec: TAXII 2.1 §4.2 (max_content_length), §5.5
"""

import gzip

from regcert.conformance import made
from regcert.conformance.check import may, must, should
from regcert.conformance.peer import Peer, match_ids
from regcert.conformance.verdict import NotOffered, Skipped, expect

_MOST_SENT_BYTES = 16 * 1024 * 1024
_NO = (400, 422)


async def _limit(host: Peer) -> int:
    most = (await host.get(host.place.root)).document.get("max_content_length")
    if not isinstance(most, int) or most <= 0:
        raise Skipped("the API root does not tell max_content_length")
    if most > _MOST_SENT_BYTES and not host.terms.large:
        raise Skipped(f"max_content_length is {most} bytes; --large sends so much")
    return most


def _filled(one: made.Object, size: int) -> bytes:
    """Write an envelope of exactly so many bytes; blanks between its parts are no content."""
    body = made.envelope(one)
    if len(body) > size:
        raise Skipped(f"no object fits into {size} bytes")
    return body[:1] + b" " * (size - len(body)) + body[1:]


@must("5.5")
async def broken_json_is_refused(host: Peer) -> None:
    """A body that is no JSON is 400 or 422."""
    for body in (b"{", b"objects", b'{"objects":[', b'{"objects":[{}]', b"\xff\xfe{}"):
        (await host.post(body)).has_status(*_NO)


@must("5.5")
async def empty_body_is_refused(host: Peer) -> None:
    """A POST without a body is refused: 400, 411, 413, 415 or 422."""
    (await host.post(b"")).has_status(400, 411, 413, 415, 422)


@must("5.5")
async def other_json_is_refused(host: Peer) -> None:
    """JSON that is no object is 400 or 422."""
    for body in (b"[]", b"null", b"1", b'"text"'):
        (await host.post(body)).has_status(*_NO)


@should("5.5")
async def objects_that_are_no_list_are_refused(host: Peer) -> None:
    """`objects` that are no list are 400 or 422."""
    for body in (b'{"objects":{}}', b'{"objects":1}', b'{"objects":"text"}'):
        (await host.post(body)).has_status(*_NO)


@should("5.5")
async def envelope_without_objects_is_no_fault(host: Peer) -> None:
    """An envelope without objects is taken with a total of nothing, or refused."""
    for body in (b"{}", b'{"objects":[]}'):
        reply = (await host.post(body)).has_status(202, *_NO)
        expect(reply.status != 202 or reply.document.get("total_count") == 0, "it counts objects")


@must("7.1")
async def unknown_properties_of_an_envelope_are_no_fault(host: Peer) -> None:
    """A property of the envelope that the server does not know is ignored, or refused with 400 or 422."""
    one = made.indicator()
    host.remember(one)
    reply = await host.post(made.envelope(one)[:-1] + b',"x_unknown":{"a":1}}')
    reply.has_status(202, *_NO)


@should("5.5")
async def hostile_json_is_no_fault(host: Peer) -> None:
    """Deep nesting, doubled names, numbers out of bounds and broken text are refused or taken, but no fault."""
    deep = b'{"objects":[' + b'{"x":' * 5000 + b"1" + b"}" * 5000 + b"]}"
    bodies = (
        deep,
        b'{"objects":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
        b'{"objects":[],"objects":[]}',
        b'{"objects":[{"type":"indicator","n":NaN}]}',
        b'{"objects":[{"type":"indicator","n":1e400}]}',
        b'{"objects":[{"type":"indicator","n":' + b"9" * 6000 + b"}]}",
        b'{"objects":[{"type":"indicator","name":"\\ud800"}]}',
        b'{"objects":[{"type":"indicator","name":"\\u0000"}]}',
        b'\xef\xbb\xbf{"objects":[]}',
    )
    for body in bodies:
        (await host.post(body)).has_status(202, 400, 413, 422)


@must("4.2")
async def max_content_length_is_accepted(host: Peer) -> None:
    """A body of exactly max_content_length bytes is taken."""
    one = made.indicator()
    host.remember(one)
    (await host.post(_filled(one, await _limit(host)))).has_status(202)


@must("4.2")
async def one_byte_more_is_refused(host: Peer) -> None:
    """A body of one byte more than max_content_length is 413, and nothing of it is stored."""
    one = made.indicator()
    host.remember(one)
    (await host.post(_filled(one, await _limit(host) + 1))).has_status(413)
    expect(not (await host.objects(match_ids([one]))).objects, "the object is stored")


@must("4.2")
async def max_content_length_holds_for_chunks(host: Peer) -> None:
    """A body of one byte more is refused also when it comes in chunks and does not say how long it is."""
    one = made.indicator()
    host.remember(one)
    body = _filled(one, await _limit(host) + 1)
    reply = await host.ask("POST", f"{host.writable}objects/", body=body, chunked=True)
    reply.has_status(413, 411, 400)
    expect(not (await host.objects(match_ids([one]))).objects, "the object is stored")


@should("5.5")
async def chunks_are_accepted(host: Peer) -> None:
    """A body that comes in chunks is taken (or asked for with its length: 411)."""
    one = made.indicator()
    host.remember(one)
    reply = await host.ask("POST", f"{host.writable}objects/", body=made.envelope(one), chunked=True)
    reply.has_status(202, 411)


@should("5.5")
async def unknown_coding_is_refused(host: Peer) -> None:
    """A body in a coding that does not exist is 415 or 400, and nothing of it is stored."""
    one = made.indicator()
    host.remember(one)
    (await host.post(made.envelope(one), Content_Encoding="x-none")).has_status(415, 400)
    expect(not (await host.objects(match_ids([one]))).objects, "the object is stored")


@may("5.5")
async def gzip_is_unpacked(host: Peer) -> None:
    """A body in gzip, where the server takes it, is the envelope that it holds."""
    one = made.indicator()
    host.remember(one)
    reply = (await host.post(gzip.compress(made.envelope(one)), Content_Encoding="gzip")).has_status(202, 400, 415)
    if reply.status != 202:
        raise NotOffered(f"bodies in gzip are {reply.status}")
    await host.finish(reply.document)
    expect((await host.objects(match_ids([one]))).ids == [one["id"]], "it is not there")


@should("5.5")
async def broken_gzip_is_no_fault(host: Peer) -> None:
    """A body that says gzip and is none, or breaks off, is refused."""
    whole = gzip.compress(made.envelope(made.indicator()))
    for body in (b"no gzip", whole[:-12], b""):
        (await host.post(body, Content_Encoding="gzip")).has_status(400, 411, 413, 415, 422)
