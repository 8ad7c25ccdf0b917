"""Bundles that others made (Amnesty, MITRE, OASIS, MISP): one team publishes them, another pulls them, value for value."""

import asyncio
import json
import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from taxii2client.v21 import Collection, as_pages

from regcert.domain.collection import SignatureRule
from regcert.domain.region import CollectionEntry
from regcert.errors import Code
from regcert.flows.add_collection import add_collection
from regcert.stix.tlp import Tlp
from tests.hosting import ROOT, RunningHost

FOLDERS = ("amnesty", "attack", "from-misp", "oasis-examples")
# Between two teams, and up to TLP:RED, so that nothing is refused for what it is marked with.
PAIR = ("alcirt", "srb-cert")


def strict(text: str) -> Any:
    """Read JSON so that 1, 1.0 and 1.00 differ, and no number loses a digit."""
    return json.loads(text, parse_float=lambda digits: (Decimal(digits), digits), parse_int=lambda digits: ("int", digits))


def in_thread(host: RunningHost, collection: str, token: str, work: Callable[[Collection], Any]) -> Any:
    def inside() -> Any:
        with Collection(f"{host.url}{ROOT}/collections/{collection}/", user="x", password=token) as opened:
            return work(opened)

    return asyncio.to_thread(inside)


def pull(collection: Collection, per_request: int) -> list[Any]:
    """Pull everything by the client's own paging, and read the text of each answer ourselves."""
    texts: list[str] = []
    collection._conn.session.hooks["response"].append(lambda response, **_: texts.append(response.content.decode()))
    for _ in as_pages(collection.get_objects, per_request=per_request, version="all"):
        pass
    return [one for text in texts for one in strict(text).get("objects", [])]


async def new_collection(host: RunningHost, slug: str) -> str:
    entry = CollectionEntry(slug, str(uuid.uuid4()), slug, "Two teams.", Tlp.RED, SignatureRule.ACCEPTED, PAIR, PAIR)
    return (await add_collection(host.inside.database, host.clock, entry)).uuid


async def exchange(host: RunningHost, collection: str, body: bytes) -> None:
    """Publish a bundle as one team, pull it as another, and compare."""
    status = await in_thread(host, collection, await host.token("alcirt"), lambda opened: opened.add_objects(body))
    for failure in status.failures:
        code, _, reason = failure["message"].partition(": ")
        assert code in set(Code), failure
        assert len(reason.split()) > 4, failure
    refused = {(one["id"], one["version"]) for one in status.failures}
    objects = strict(body.decode())["objects"]
    sent = [one for one in objects if (one["id"], one.get("modified", one.get("created"))) not in refused]
    assert len(sent) == status.success_count > 0
    once = list({json.dumps(one, default=str): one for one in sent}.values())  # some hold an object twice; it is kept once
    for size in (100, 1000):
        token = await host.token("srb-cert")
        assert await in_thread(host, collection, token, partial(pull, per_request=size)) == once


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("folder", FOLDERS)
async def test_bundle_comes_back_equal_when_another_team_pulls_it(host: RunningHost, shared_data: Path, folder: str) -> None:
    """Every object that is accepted comes back equal, whatever the page size; what is refused has a reason for people."""
    for number, path in enumerate(sorted((shared_data / "stix21" / folder).glob("*.json"))):
        await exchange(host, await new_collection(host, f"pair-{number}"), path.read_bytes())


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_bundle_comes_back_equal_when_the_host_runs_on_postgresql(host: RunningHost, shared_data: Path) -> None:
    """A bundle of each sort: every kind of property, observables without versions, text beyond ASCII."""
    for name in ("amnesty/novispy", "from-misp/turla__misp-turla-comrat-v4-event", "oasis-examples/poisonivy"):
        body = (shared_data / "stix21" / f"{name}.json").read_bytes()
        await exchange(host, await new_collection(host, name.split("/")[0]), body)
