"""What you may not see does not exist: over HTTP, byte for byte, on every route of TAXII."""

import uuid

import pytest

from regcert.domain.principal import Role
from tests.hosting import ROOT, RunningHost
from tests.made import envelope, indicator

GROUP, GROUP_UUID = "financial-sector-group", "6e933abb-4907-4850-be64-a89930d8cd84"
# A tag names the question together with the answer, and these questions differ.
PER_REQUEST = {"date", "x-request-id", "etag"}


async def answer(host: RunningHost, method: str, path: str, token: str, body: bytes | None = None):
    """All that a client can see of an answer, without what belongs to the single request."""
    headers = await host.headers("alcirt") | {"Authorization": f"Bearer {token}"}
    async with host.http.request(method, host.url + path, headers=headers, data=body) as response:
        content = (await response.read()).replace(response.headers["X-Request-Id"].encode(), b"-")
        return (
            response.status,
            content,
            {name: value for name, value in response.headers.items() if name.lower() not in PER_REQUEST},
        )


@pytest.fixture
async def hidden(host) -> dict[str, object]:
    """An object in a collection that not everybody sees, with two versions."""
    made = indicator()
    await host.post([made, made | {"modified": "2026-11-05T10:00:00.000Z"}], "alcirt", GROUP)
    return made


@pytest.mark.parametrize("role", [Role.ANALYST, Role.CONSUMER, Role.ADMIN])
@pytest.mark.clause("1.6.9-t3", "5.2-d2", "8.2.2-y3", "B-t3")
async def test_foreign_collection_is_answered_as_an_absent_one(host, hidden, role):
    """Collection, objects, object, versions and manifest, read, written and deleted, by alias and by id."""
    outsiders = [await host.token("kos-cert", role), await host.token("alcirt", role, collections=["public"])]
    routes = [
        ("GET", part) for part in ("", "objects/", "manifest/", "objects/{}/", "objects/{}/versions/", "objects/?match[id]={}")
    ]
    routes += [("POST", "objects/"), ("DELETE", "objects/{}/")]
    for token in outsiders:
        for method, part in routes:
            body = envelope(indicator()) if method == "POST" else None
            path = part.format(hidden["id"])
            answers = [
                await answer(host, method, f"{ROOT}/collections/{name}/{path}", token, body)
                for name in (GROUP, GROUP_UUID, "team-alcirt" if token == outsiders[0] else GROUP, "no-such", str(uuid.uuid4()))
            ]
            assert all(one == answers[0] for one in answers), (method, part)
            assert answers[0][0] == 404
        listed = await answer(host, "GET", f"{ROOT}/collections/", token)
        assert GROUP_UUID.encode() not in listed[1]
        assert b"inancial" not in listed[1]


@pytest.mark.clause("4.3-m1")
async def test_foreign_status_is_answered_as_an_absent_one(host):
    """A status belongs to the token that posted, not to its team and nobody else."""
    _, status = await host.post([indicator()])
    others = [await host.token("srb-cert"), await host.token("alcirt", Role.COORDINATOR), await host.token("alcirt", Role.ADMIN)]
    for token in others:
        there = await answer(host, "GET", f"{ROOT}/status/{status['id']}/", token)
        assert there == await answer(host, "GET", f"{ROOT}/status/{uuid.uuid4()}/", token)
        assert there[0] == 404
    own = await answer(host, "GET", f"{ROOT}/status/{status['id']}/", await host.token("alcirt"))
    assert own[0] == 200


async def test_object_of_another_collection_is_answered_as_an_absent_one(host, hidden):
    """In a collection that both may read, an object of a hidden one is as absent as one that never was."""
    token = await host.token("kos-cert")
    for method, part in (
        ("GET", "objects/{}/"),
        ("GET", "objects/{}/versions/"),
        ("DELETE", "objects/{}/"),
        ("GET", "objects/?match[id]={}"),
    ):
        path = f"{ROOT}/collections/regional-indicators/{part}"
        there = await answer(host, method, path.format(hidden["id"]), token)
        assert there == await answer(host, method, path.format(f"indicator--{uuid.uuid4()}"), token)


@pytest.mark.clause("B-m1", "B-m2")
async def test_cursor_opens_nothing_when_its_bearer_is_another(host, hidden):
    """A `next` of another team, or of another collection, is worth nothing: it neither opens nor skips anything."""
    made = [indicator() for _ in range(3)]
    await host.post(made)
    _, page, _ = await host.get(f"/collections/{GROUP}/objects/?limit=1&match[version]=all")
    stolen = page["next"]
    token = await host.token("kos-cert")
    foreign = await answer(host, "GET", f"{ROOT}/collections/{GROUP}/objects/?next={stolen}", token)
    assert foreign == await answer(host, "GET", f"{ROOT}/collections/no-such/objects/?next={stolen}", token)
    assert [one["id"] for one in await host.objects("kos-cert", query=f"next={stolen}&limit=1000")] == [one["id"] for one in made]


@pytest.mark.parametrize("ended", [b"", b"x"])
@pytest.mark.clause("1.6.9-t1", "5.2-m1", "8.2.2-y5")
async def test_unknown_token_is_answered_alike_whatever_it_asks_for(host, hidden, ended):
    """Without a valid token there is no difference between any two addresses of a collection."""
    answers = [
        await answer(host, "GET", f"{ROOT}/collections/{name}/objects/", "regcert_" + ended.decode())
        for name in (GROUP, "regional-indicators", "no-such")
    ]
    assert answers[0][0] == 401
    assert all(one == answers[0] for one in answers)
