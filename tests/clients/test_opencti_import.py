"""OpenCTI, connector external-import/taxii2: `*.*` over every root, with one set of filters that outlives a collection and a run.

The connector keeps `added_after`, `next` and `limit` in one place. On page 2 it drops `added_after`; behind the last page it
leaves `next` where it is. So the next collection is asked with the `next` of the one before, and the next run with the `next`
of the run before beside its new `added_after`. Any answer of 400 or more ends the run, and the time of the run moves on all the
same: what was behind it is lost without a word. It is played here as it does that, on taxii2-client, which it stands on.
"""

import asyncio
from typing import Any

import pytest
from requests.auth import AuthBase, HTTPBasicAuth
from taxii2client.common import TokenAuth
from taxii2client.v21 import ApiRoot, Collection, Server

from regcert.domain.collection import ApiRoot as Root
from regcert.flows.add_api_root import add_api_root
from regcert.stix.timestamps import write_timestamp
from tests.clients.replay import ADDRESS, DOMAIN, add, fill, ids, open_collection
from tests.hosting import RunningHost
from tests.made import indicator, sdo

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOUR_US = 3_600_000_000


class Connector:
    """The connector, as far as it talks to a server."""

    def __init__(self, host: RunningHost, auth: AuthBase, limit: int | None = None) -> None:
        self.host, self.auth = host, auth
        self.filters: dict[str, Any] = {} if limit is None else {"limit": limit}

    async def run(self, wanted: str = "*.*", last_run_us: int | None = None) -> list[dict[str, Any]]:
        """Import once; `last_run_us` is when the run before began, whose seconds are all it remembers."""
        began_us = self.host.clock.at_us - 24 * HOUR_US if last_run_us is None else last_run_us // 1_000_000 * 1_000_000
        self.filters["added_after"] = write_timestamp(began_us)
        return await asyncio.to_thread(self._collect, wanted)

    def _collect(self, wanted: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        with Server(f"{self.host.url}/taxii2/", auth=self.auth) as server:
            segment, title = wanted.split(".")
            for root in server.api_roots:
                if segment in {"*", root.url.split("/")[-2]}:
                    for collection in _chosen(root, title):
                        found += self._poll(collection)
        return found

    def _poll(self, collection: Collection) -> list[dict[str, Any]]:
        response = collection.get_objects(**self.filters)
        if not response.get("objects"):
            return []
        if "spec_version" in response["objects"][0]:
            return self._page(collection, response)
        return self._page_as_if_2_0(collection, response)

    def _page(self, collection: Collection, response: dict[str, Any]) -> list[dict[str, Any]]:
        found = list(response["objects"])
        while response.get("more") is True:
            assert response.get("next") not in {None, self.filters.get("next")}, "the connector would ask the same for ever"
            self.filters.pop("added_after", None)
            self.filters["next"] = response["next"]
            response = collection.get_objects(**self.filters)
            found += response.get("objects", [])
        return found

    def _page_as_if_2_0(self, collection: Collection, response: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while response["objects"]:  # KeyError where an empty answer has no such key
            found += response["objects"]
            manifest = collection.get_manifest(id=response["objects"][-1]["id"])
            self.filters["added_after"] = manifest["objects"][0]["date_added"]
            response = collection.get_objects(**self.filters)
        return found


def _chosen(root: ApiRoot, title: str) -> list[Collection]:
    return [one for one in root.collections if title in {"*", one.title}]


async def a_root(host: RunningHost, slug: str, *titles: str) -> list[str]:
    """Open an API root with collections titled `<root> <title>`, since no two of a host may be alike; return their ids."""
    await add_api_root(host.inside.database, host.clock, Root(slug, slug, "For a test."))
    return [await open_collection(host, f"{slug} {title}", slug) for title in titles]


async def fill_in(host: RunningHost, root: str, collection: str, count: int) -> list[dict[str, Any]]:
    sent = [indicator(f"[domain-name:value = 'n{number}.example']") for number in range(count)]
    headers = await host.headers("alcirt")
    body = host.http.json_serialize({"objects": sent}).encode()
    async with host.http.post(f"{host.url}/{root}/collections/{collection}/objects/", data=body, headers=headers) as response:
        assert (await response.json(content_type=None))["success_count"] == count
    return sent


async def connector(host: RunningHost, limit: int | None = None) -> Connector:
    return Connector(host, HTTPBasicAuth("opencti", await host.token("alcirt", client="opencti")), limit)


async def test_titles_are_unique_and_have_no_dot_or_comma(standing: RunningHost) -> None:
    """A collection is named `<root>.<title>` in a list parted by commas (connectors#1140)."""
    headers = await standing.headers("alcirt")
    async with standing.http.get(f"{standing.url}/taxii2/", headers=headers) as response:
        roots = (await response.json(content_type=None))["api_roots"]
    for root in roots:
        async with standing.http.get(f"{standing.url}{root}collections/", headers=headers) as response:
            titles = [one["title"] for one in (await response.json(content_type=None)).get("collections", [])]
        assert len(titles) == len(set(titles))
        assert not [title for title in titles if "." in title or "," in title]
        assert "." not in root


@pytest.mark.parametrize("limit", [None, 1, 3, 100])
async def test_collection_is_imported_whole_when_it_is_named(standing: RunningHost, limit: int | None) -> None:
    """`<root>.<title>`, with and without a limit: page 2 carries `next` and no `added_after`, and is still of the same list."""
    slug = f"named-{limit or 'all'}"
    one, other = await a_root(standing, slug, "One", "Another one")
    sent = await fill_in(standing, slug, one, 8)
    await fill_in(standing, slug, other, 3)
    found = await (await connector(standing, limit)).run(f"{slug}.{slug} One")
    assert found == sent


async def test_every_collection_is_imported_when_next_is_carried_from_one_to_another(standing: RunningHost) -> None:
    """The `next` of A goes to B, C and the empty D: none of them loses an object by it, and none refuses it."""
    first, second, third, empty = await a_root(standing, "carried", "A", "B", "C", "D")
    sent = [await fill_in(standing, "carried", one, count) for one, count in ((first, 7), (second, 5), (third, 2))]
    assert empty
    found = await (await connector(standing, 3)).run("carried.*")
    assert found == sent[0] + sent[1] + sent[2]


async def test_nothing_is_missed_or_repeated_when_a_stale_next_comes_with_a_new_added_after(standing: RunningHost) -> None:
    """Each run sends the `next` that the run before ended with, beside the time at which that run began."""
    (only,) = await a_root(standing, "stale", "Only")
    importing = await connector(standing, 3)
    began_us: int | None = None
    for count in (7, 1, 0, 3, 10, 2):
        fresh = await fill_in(standing, "stale", only, count)
        standing.clock.at_us += 60_000_000
        now_us = standing.clock.at_us
        assert await importing.run("stale.stale Only", began_us) == fresh
        began_us = now_us
        standing.clock.at_us += HOUR_US
    assert "next" in importing.filters


async def test_nothing_ends_the_run_when_all_of_every_root_is_imported(standing: RunningHost) -> None:
    """`*.*`, the default: every root of discovery answers, roots without collections and collections without objects too."""
    await add_api_root(standing.inside.database, standing.clock, Root("nothing-in-it", "Nothing in it", "For a test."))
    here = await open_collection(standing, "Behind the others")
    sent = await fill(standing, here, 4)
    found = await (await connector(standing, 3)).run()
    assert [one for one in found if one in sent] == sent


@pytest.mark.parametrize("limit", [None, 1, 2, 100])
async def test_observables_are_imported_when_the_connector_falls_back_to_2_0(standing: RunningHost, limit: int | None) -> None:
    """An observable has no spec_version: on by `match[id]` of the manifest and an exclusive added_after, to an empty list."""
    slug = f"observables-{limit or 'all'}"
    (only,) = await a_root(standing, slug, "Only")
    sent = [ADDRESS, DOMAIN, ADDRESS | {"id": ADDRESS["id"][:-1] + "e", "value": "198.51.100.4"}, sdo("report", **REPORT)]
    headers = await standing.headers("alcirt")
    body = standing.http.json_serialize({"objects": sent}).encode()
    async with standing.http.post(f"{standing.url}/{slug}/collections/{only}/objects/", data=body, headers=headers) as response:
        assert (await response.json(content_type=None))["success_count"] == 4
    found = await (await connector(standing, limit)).run(f"{slug}.{slug} Only")
    assert ids(found) == ids(sent)


REPORT = {"name": "r", "published": "2026-11-01T10:00:00Z", "object_refs": [ADDRESS["id"]]}


async def test_empty_answer_has_its_list_only_for_a_token_of_this_client(standing: RunningHost) -> None:
    """Without the key the fall-back to 2.0 ends in a KeyError; without the profile the standard's `{}` is answered."""
    (only,) = await a_root(standing, "empty", "Only")
    tokens = {client: await standing.token("alcirt", client=client) for client in ("opencti", None)}

    def ask(token: str) -> Any:
        url = f"{standing.url}/empty/collections/{only}/"
        with Collection(url, auth=TokenAuth(token)) as opened:
            return opened.get_objects(), opened.get_manifest(id="indicator--5a6e590a-8533-48ba-9b80-621c3ddefff0")

    assert await asyncio.to_thread(ask, tokens["opencti"]) == ({"objects": [], "more": False},) * 2
    assert await asyncio.to_thread(ask, tokens[None]) == ({}, {})


async def test_connector_signs_in_when_it_writes_its_key_into_a_header_of_its_choice(standing: RunningHost) -> None:
    """`apikey_key` and `apikey_value` are a header's name and text; `Token` is the third way."""
    here = await open_collection(standing, "Behind a key")
    sent = await fill(standing, here, 2)
    token = await standing.token("alcirt", client="opencti")

    class ApiKey(AuthBase):
        def __call__(self, request: Any) -> Any:
            request.headers["Authorization"] = f"Bearer {token}"
            return request

    for auth in (ApiKey(), TokenAuth(token)):
        assert await Connector(standing, auth).run("western-balkans.Behind a key") == sent


async def test_first_poll_begins_a_day_back(standing: RunningHost) -> None:
    """`added_after` is now less initial_history hours: what is older is left out, what is younger is not."""
    slug = "history"
    (only,) = await a_root(standing, slug, "Only")
    await fill_in(standing, slug, only, 2)
    standing.clock.at_us += 25 * HOUR_US
    young = await fill_in(standing, slug, only, 3)
    assert await (await connector(standing)).run(f"{slug}.{slug} Only") == young
    await add(standing, await open_collection(standing), indicator())
