"""Who is asking, and what is shown to whom.

Spec: TAXII 2.1 §1.6.9, §8.2.2
"""

import base64
import uuid
from collections.abc import Callable

from regcert.conformance import made
from regcert.conformance.check import Check, Keyword, each, must, needed_by, should
from regcert.conformance.peer import Peer, match_ids
from regcert.conformance.verdict import NotOffered, Skipped, expect

_LOOPBACK = ("127.", "localhost", "[::1]")


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _secret(host: Peer) -> tuple[str, str]:
    """User and password of our credentials; a token is its own password."""
    scheme, _, rest = host.signed_in.partition(" ")
    if scheme.lower() == "basic":
        user, _, password = base64.b64decode(rest).decode().partition(":")
        return user, password
    return "", rest


_WHERE: tuple[tuple[str, Callable[[Peer], str]], ...] = (
    ("api-root", lambda host: host.place.root),
    ("collections", lambda host: f"{host.place.root}collections/"),
    ("collection", lambda host: host.collection),
    ("manifest", lambda host: f"{host.collection}manifest/"),
    ("objects", lambda host: f"{host.collection}objects/"),
    ("object", lambda host: f"{host.collection}objects/{made.new_id('indicator')}/"),
    ("versions", lambda host: f"{host.collection}objects/{made.new_id('indicator')}/versions/"),
    ("status", lambda host: f"{host.place.root}status/{uuid.uuid4()}/"),
)


def _closed(name: str, path: Callable[[Peer], str]) -> Check:
    async def judge(host: Peer) -> None:
        _ = host.signed_in
        reply = await host.get(path(host), Authorization=None)
        if reply.status == 200:
            raise NotOffered("it is open to everyone")
        if reply.status == 404:
            raise NotOffered("whoever is not signed in is told that it does not exist")
        reply.has_status(401)
        shown = (reply.header("WWW-Authenticate") or "").lower()
        expect("basic" in shown, f"WWW-Authenticate is {reply.header('WWW-Authenticate')!r}")

    rule = f"Without credentials, {name} is 401 with a WWW-Authenticate that offers Basic (or open, or not there)."
    return each(Keyword.MUST, "8.2.2", f"sign-in-is-asked-for-{name}", rule, judge)


CLOSED = tuple(_closed(*row) for row in _WHERE)


@must("8.2.2")
async def basic_is_understood(host: Peer) -> None:
    """Basic authentication works (a token goes as the password)."""
    user, password = _secret(host)
    reply = await host.get(host.place.root, Authorization=_basic(user or "regcert", password))
    reply.has_status(200)


@must("1.6.9")
async def wrong_password_is_refused(host: Peer) -> None:
    """Wrong credentials are 401, with WWW-Authenticate."""
    _ = host.signed_in
    reply = await host.get(host.place.root, Authorization=_basic("nobody", uuid.uuid4().hex))
    if reply.status == 200 and (await host.get(host.place.root, Authorization=None)).status == 200:
        raise NotOffered("the API root is open to everyone")
    reply.has_status(401)
    expect(reply.header("WWW-Authenticate") is not None, "there is no WWW-Authenticate")


@must("1.6.9")
async def nobody_posts_without_credentials(host: Peer) -> None:
    """Without credentials, a POST is 401 (or 403, or 404), and nothing is stored."""
    _ = host.signed_in
    one = made.indicator()
    host.remember(one)
    (await host.post(made.envelope(one), Authorization=None)).has_status(401, 403, 404)
    expect(not (await host.objects(match_ids([one]))).objects, "the object is stored")


@must("1.6.9")
async def nobody_deletes_without_credentials(host: Peer) -> None:
    """Without credentials, a DELETE is 401 (or 403, 404, 405), and nothing is deleted."""
    _ = host.signed_in
    one = made.indicator()
    await host.stored(one)
    path = f"{host.deletable}objects/{one['id']}/"
    (await host.ask("DELETE", path, headers={"Authorization": None})).has_status(401, 403, 404, 405)
    expect(len((await host.objects(match_ids([one]))).objects) == 1, "the object is gone")


@must("1.6.9")
async def nothing_is_shown_without_credentials(host: Peer) -> None:
    """An answer of 401 holds no collection and no object."""
    _ = host.signed_in
    for path in (f"{host.place.root}collections/", f"{host.collection}objects/"):
        reply = await host.get(path, Authorization=None)
        if reply.status == 401:
            expect(str(host.place.collection.get("id")).encode() not in reply.body, "it names the collection")
            expect(b'"objects"' not in reply.body, "it has objects")


_STRANGE: tuple[tuple[str, str], ...] = (
    ("empty", ""),
    ("without-a-value", "Basic"),
    ("no-base64", "Basic !!!"),
    ("without-colon", "Basic " + base64.b64encode(b"nobody").decode()),
    ("not-text", "Basic " + base64.b64encode(b"\xff\xfe:\x80").decode()),
    ("huge", "Bearer " + "x" * 6000),
    ("of-another-scheme", "Negotiate abc"),
    ("with-nul", "Basic " + base64.b64encode(b"a\0b:c").decode()),
)


def _strange(name: str, value: str) -> Check:
    async def judge(host: Peer) -> None:
        _ = host.signed_in
        if (await host.get(host.place.root, Authorization=None)).status == 200:
            raise NotOffered("the API root is open to everyone")
        (await host.get(host.place.root, Authorization=value)).has_status(400, 401, 403, 431)

    rule = f"Credentials that are {name.replace('-', ' ')} are refused, and no fault."
    return each(Keyword.SHOULD, "1.6.9", f"credentials-{name}-are-refused", rule, judge)


STRANGE = tuple(_strange(*row) for row in _STRANGE)


@should("1.6.9")
async def two_credentials_are_refused(host: Peer) -> None:
    """Two Authorization headers, a wrong one first, open nothing."""
    path, wrong = host.place.root, _basic("nobody", "nothing")
    if (await host.get(path, Authorization=None)).status == 200:
        raise NotOffered("the API root is open to everyone")
    reply = await host.ask("GET", path, headers={"Authorization": wrong}, also=[("Authorization", host.signed_in)])
    reply.has_status(400, 401, 403)


@needed_by("MISP", "1.6.9")
async def scheme_is_read_in_any_case(host: Peer) -> None:
    """The scheme may be written `basic` as well as `Basic`."""
    user, password = _secret(host)
    value = _basic(user or "regcert", password)
    (await host.get(host.place.root, Authorization=value.replace("Basic", "basic"))).has_status(200)


@needed_by("Sumo Logic, CrowdSec", "1.6.9")
async def user_name_may_be_empty(host: Peer) -> None:
    """A key as the password of nobody opens what it opens by itself."""
    user, password = _secret(host)
    if user:
        raise NotOffered("we were given a user and a password, not a key")
    (await host.get(host.place.root, Authorization=_basic("", password))).has_status(200)


@needed_by("OpenCTI, Elastic Agent", "1.6.9")
async def bearer_is_understood(host: Peer) -> None:
    """A key is taken as Bearer."""
    user, password = _secret(host)
    if user:
        raise NotOffered("we were given a user and a password, not a key")
    (await host.get(host.place.root, Authorization=f"Bearer {password}")).has_status(200)


@needed_by("taxii2-client, Cortex XSOAR", "1.6.9")
async def token_is_understood(host: Peer) -> None:
    """A key is taken as `Token`, as taxii2-client sends it."""
    user, password = _secret(host)
    if user:
        raise NotOffered("we were given a user and a password, not a key")
    (await host.get(host.place.root, Authorization=f"Token {password}")).has_status(200)


@must("5.5")
async def reader_does_not_write(host: Peer) -> None:
    """Another principal that may not write the collection is refused a POST, and nothing is stored."""
    other = host.second
    described = await host.get(host.collection, Authorization=other)
    if described.status == 200 and described.document.get("can_write") is True:
        raise NotOffered("the other principal may write the collection")
    one = made.indicator()
    host.remember(one)
    (await host.post(made.envelope(one), Authorization=other)).has_status(401, 403, 404)
    expect(not (await host.objects(match_ids([one]))).objects, "the object is stored")


@must("5.7")
async def reader_does_not_delete(host: Peer) -> None:
    """Another principal that may not write the collection is refused a DELETE, and nothing is deleted."""
    other = host.second
    described = await host.get(host.collection, Authorization=other)
    if described.status == 200 and described.document.get("can_write") is True:
        raise NotOffered("the other principal may write the collection")
    one = made.indicator()
    await host.stored(one)
    path = f"{host.deletable}objects/{one['id']}/"
    (await host.ask("DELETE", path, headers={"Authorization": other})).has_status(401, 403, 404)
    expect(len((await host.objects(match_ids([one]))).objects) == 1, "the object is gone")


@should("5.2")
async def rights_are_told_to_whom_they_belong(host: Peer) -> None:
    """What can_read and can_write tell another principal is what it may do."""
    other = host.second
    described = (await host.get(host.collection, Authorization=other)).has_status(200, 401, 403, 404)
    if described.status != 200:
        raise NotOffered("the other principal does not see the collection")
    reply = await host.get(f"{host.collection}objects/", "limit=1", Authorization=other)
    may_read = described.document.get("can_read") is True
    expect((reply.status == 200) is may_read, f"can_read is {may_read}, reading was answered {reply.status}")


@must("8.2.2")
async def server_speaks_https(host: Peer) -> None:
    """The server is reached through https, as TAXII is."""
    if host.origin.startswith("https://"):
        return
    if host.origin.removeprefix("http://").startswith(_LOOPBACK):
        raise Skipped("the server is on the loopback, before its proxy")
    expect(False, "the address is http")
