"""taxii2-client itself, run against a host: what it asks, posts and deletes, on both databases."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth
from taxii2client.common import TokenAuth
from taxii2client.v21 import ApiRoot, Collection, Server

from regcert.domain.principal import Role
from tests.clients.desk import UUID, Desk, entries, paged, status_of
from tests.hosting import ROOT, RunningHost
from tests.made import CREATED, envelope, indicator, sdo

LATER = "2026-11-02T10:00:00.000001Z"
LAST = "2026-11-02T10:00:00.000002Z"


@pytest.fixture
async def desk(host: RunningHost) -> Desk:
    return Desk(host, await host.token("alcirt"))


class Bearer(AuthBase):
    """How a script hands taxii2-client a Bearer: it takes anything that requests takes."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


ACCESS: dict[str, Callable[[str], dict[str, Any]]] = {
    "basic": lambda token: {"user": "x", "password": token},
    "no-user": lambda token: {"auth": HTTPBasicAuth("", token)},  # left to itself, it signs nobody in without a user name
    "token": lambda token: {"auth": TokenAuth(token)},
    "bearer": lambda token: {"auth": Bearer(token)},
}


@pytest.mark.parametrize("scheme", ACCESS)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_discovery_leads_to_collections_when_a_client_begins_at_the_server(host: RunningHost, scheme: str) -> None:
    """Server, API root and collections are read with Basic, without a user name, with `Token` and `Bearer` alike."""
    access = ACCESS[scheme](await host.token("alcirt"))

    def begin() -> list[str]:
        with Server(f"{host.url}/taxii2/", **access) as server:
            assert server.default.url == server.api_roots[0].url == f"{host.url}{ROOT}/"
            root = server.default
            assert "application/taxii+json;version=2.1" in root.versions
            assert root.max_content_length == 104_857_600
            return [one.alias for one in root.collections if one.can_read and one.can_write]

    found = await asyncio.to_thread(begin)
    assert found == ["regional-indicators", "regional-sightings", "public", "financial-sector-group", "team-alcirt"]


async def test_collection_is_polled_when_it_is_opened_by_its_alias(host: RunningHost, desk: Desk) -> None:
    """An alias works in every address; the client itself refuses one only where it must load the collection anew."""
    sent = indicator()
    await host.post([sent])
    info = {"id": UUID, "title": "x", "can_read": True, "can_write": True}

    def poll() -> list[dict[str, Any]]:
        url = f"{host.url}{ROOT}/collections/{UUID}/"
        with Collection(url, user="x", password=desk.token, collection_info=info) as opened:
            opened.url = opened.url.replace(UUID, "regional-indicators")
            return paged(opened, 100)

    assert await asyncio.to_thread(poll) == [sent]


@pytest.mark.parametrize("form", ["dict", "str", "bytes"])
async def test_objects_are_added_when_they_come_as_dict_text_or_bytes(desk: Desk, form: str) -> None:
    """add_objects takes three forms; its status is complete and can be asked for again."""
    sent = [indicator(), sdo("malware", is_family=False, name="Ћуран")]
    body = envelope(*sent)
    given: Any = {"dict": {"objects": sent}, "str": body.decode(), "bytes": body}[form]

    def add(collection: Collection) -> None:
        status = collection.add_objects(given, wait_for_completion=True)
        assert (status.status, status.total_count, status.success_count) == ("complete", 2, 2)
        assert [one["id"] for one in status.successes] == [one["id"] for one in sent]
        status.refresh()
        assert status.success_count == 2

    await desk.do(add)
    assert await desk.do(lambda collection: paged(collection, 100)) == sent


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_status_is_read_when_the_api_root_is_asked_for_it(host: RunningHost, desk: Desk) -> None:
    """ApiRoot.get_status finds what add_objects began."""
    status = await desk.do(lambda collection: collection.add_objects({"objects": [indicator()]}, wait_for_completion=False))

    def ask() -> int:
        with ApiRoot(f"{host.url}{ROOT}/", user="x", password=desk.token) as root:
            return int(root.get_status(status.id).success_count)

    assert await asyncio.to_thread(ask) == 1


@pytest.mark.parametrize("per_request", [1, 100, 1000])
async def test_pages_hold_every_object_once_when_read_in_any_size(host: RunningHost, desk: Desk, per_request: int) -> None:
    """as_pages partitions the collection, in the order in which it became visible."""
    sent = [indicator(f"[domain-name:value = 'n{number}.example']") for number in range(25)]
    for start in range(0, 25, 10):
        await host.post(sent[start : start + 10])
    assert await desk.do(lambda collection: paged(collection, per_request)) == sent
    found = await desk.do(lambda collection: entries(collection, per_request))
    assert [entry["id"] for entry in found] == [one["id"] for one in sent]


async def test_poller_misses_nothing_when_it_resumes_at_any_object(host: RunningHost, desk: Desk) -> None:
    """`added_after` set to the date_added of object n gives exactly the objects behind n."""
    sent = [indicator() for _ in range(6)]
    await host.post(sent[:4])
    await host.post(sent[4:])
    manifest = await desk.do(lambda collection: collection.get_manifest()["objects"])

    def resume(collection: Collection) -> None:
        for number, entry in enumerate(manifest):
            assert paged(collection, 2, added_after=entry["date_added"]) == sent[number + 1 :]

    await desk.do(resume)


async def test_filters_choose_when_a_client_asks_by_type_id_version_and_spec(host: RunningHost, desk: Desk) -> None:
    """Every filter of the client chooses what it says, and a comma is an OR."""
    first = indicator(name="one")
    second, third = first | {"modified": LATER, "name": "two"}, first | {"modified": LAST, "name": "three"}
    other = sdo("malware", is_family=False, name="m")
    await host.post([third, first, other])
    await host.post([second])

    def filter_all(collection: Collection) -> None:
        def found(**filters: Any) -> list[Any]:
            return [one.get("name") for one in collection.get_objects(**filters).get("objects", [])]

        assert found() == ["three", "m"]
        assert found(type="malware") == ["m"]
        assert found(type=["malware", "indicator"]) == ["three", "m"]
        assert found(type="malware", id=first["id"]) == []
        assert found(id=[first["id"], other["id"]]) == ["three", "m"]
        assert found(id=first["id"], version="first") == ["one"]
        assert found(id=first["id"], version="last") == ["three"]
        assert found(id=first["id"], version="all") == ["three", "one", "two"]
        assert found(id=first["id"], version=LATER) == ["two"]
        assert found(id=first["id"], version=["first", "last"]) == ["three", "one"]
        assert found(id=first["id"], version=[CREATED, LATER]) == ["one", "two"]
        assert found(spec_version="2.1") == ["three", "m"]
        assert found(spec_version="2.0") == []
        one = collection.get_object(first["id"])
        assert [version["name"] for version in one["objects"]] == ["three"]
        versions = collection.object_versions(first["id"])["versions"]
        assert sorted(versions) == [CREATED, LATER, LAST]

    await desk.do(filter_all)


async def test_object_is_gone_when_its_owner_deletes_it(host: RunningHost, desk: Desk) -> None:
    """delete_object takes it from objects, manifest and versions; it may be added again and is new to pollers then."""
    gone, kept = indicator(), indicator()
    await host.post([gone, kept])
    date_added = (await host.get("/collections/regional-indicators/manifest/"))[1]["objects"][-1]["date_added"]

    def delete(collection: Collection) -> None:
        collection.delete_object(gone["id"])
        with status_of(404):
            collection.get_object(gone["id"])
        with status_of(404):
            collection.object_versions(gone["id"])
        with status_of(404):
            collection.delete_object(gone["id"])
        assert [entry["id"] for entry in collection.get_manifest()["objects"]] == [kept["id"]]
        assert collection.add_objects({"objects": [gone]}).success_count == 1
        assert paged(collection, 10, added_after=date_added) == [gone]

    await desk.do(delete)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("header", ["basic {basic}", "BASIC {basic}", "Bearer {token}", "token {token}", "Basic {no_user}"])
async def test_client_is_known_when_it_writes_its_token_in_another_way(host: RunningHost, header: str) -> None:
    """Schemes are compared without case, the user name is free and may be empty (MISP, XSOAR, Sumo Logic)."""
    token = await host.token("alcirt", Role.CONSUMER)
    written = header.format(
        token=token,
        basic=base64.b64encode(f"misp:{token}".encode()).decode(),
        no_user=base64.b64encode(f":{token}".encode()).decode(),
    )
    async with host.http.get(f"{host.url}/taxii2/", headers={"Authorization": written}) as response:
        assert response.status == 200
        assert orjson.loads(await response.read())["default"] == f"{ROOT}/"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_read_only_client_is_told_so_when_it_would_write(host: RunningHost) -> None:
    """A consumer reads `can_write: false` and is refused if it posts all the same."""
    reader = Desk(host, await host.token("alcirt", Role.CONSUMER))
    assert await reader.do(lambda collection: (collection.can_read, collection.can_write)) == (True, False)

    def insist(collection: Collection) -> None:
        assert not collection.can_write
        collection._can_write = True
        with status_of(403):
            collection.add_objects({"objects": [indicator()]})

    await reader.do(insist)
    assert await host.objects() == []
