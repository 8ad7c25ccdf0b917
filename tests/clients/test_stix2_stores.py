"""stix2's TAXIICollection store, source and sink, run for real: they post bundles, page by 5000 and take 404 for None."""

from typing import Any

import pytest
from stix2 import Bundle, Filter, Indicator, IPv4Address, Malware, MemoryStore
from stix2.datastore import CompositeDataSource
from stix2.datastore.taxii import TAXIICollectionSink, TAXIICollectionSource, TAXIICollectionStore
from taxii2client.v21 import Collection

from tests.clients.desk import Desk
from tests.clients.replay import fill, ids, open_collection
from tests.hosting import RunningHost
from tests.made import CREATED

on_standing_host = pytest.mark.asyncio(loop_scope="module")
UNKNOWN = "indicator--5a6e590a-8533-48ba-9b80-621c3ddefff0"


def made(**properties: Any) -> Indicator:
    fixed = {"pattern": "[domain-name:value = 'evil.example']", "pattern_type": "stix", "created": CREATED, "modified": CREATED}
    return Indicator(**fixed | properties)


async def test_stix2_store_works_when_it_stands_on_a_collection(host: RunningHost) -> None:
    """TAXIICollectionStore posts bundles and finds, lists versions and queries; what is unknown is None."""
    first = made()
    newer = first.new_version(name="newer")

    def work(collection: Collection) -> None:
        store = TAXIICollectionStore(collection)
        store.add([first, newer])
        assert store.get(first.id) == newer
        assert {one.modified for one in store.all_versions(first.id)} == {first.modified, newer.modified}
        assert store.query([Filter("type", "=", "indicator")]) == [newer]
        assert store.query([Filter("type", "=", "malware")]) == []
        assert store.get(UNKNOWN) is None
        source, sink = TAXIICollectionSource(collection), TAXIICollectionSink(collection)
        sink.add(first.serialize())
        sink.add({"type": "bundle", "id": "bundle--5a6e590a-8533-48ba-9b80-621c3ddefffa", "objects": [dict(newer)]})
        assert len(source.query([Filter("id", "=", first.id), Filter("version", "=", "all")])) == 2

    await Desk(host, await host.token("alcirt")).do(work)


@on_standing_host
@pytest.mark.parametrize("items_per_page", [1, 100, 1000, 5000])
async def test_source_reads_all_when_its_page_is_of_any_size(standing: RunningHost, items_per_page: int) -> None:
    """A query reads page after page of what it is set to (5000, unless somebody sets it), and hands on every object."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 40 if items_per_page == 1 else 220)
    desk = Desk(standing, await standing.token("alcirt"))

    def work(opened: Collection) -> list[str]:
        source = TAXIICollectionSource(opened, items_per_page=items_per_page)
        return [one.id for one in source.query([Filter("type", "=", "indicator")])]

    assert sorted(await desk.do(work, collection)) == sorted(ids(sent))


@on_standing_host
async def test_sink_pushes_what_memory_holds_when_it_is_a_list(standing: RunningHost) -> None:
    """One POST an item, bundles and observables without created and modified among them; all of it can be got again."""
    collection = await open_collection(standing)
    desk = Desk(standing, await standing.token("alcirt"))
    address, malware = IPv4Address(value="198.51.100.3"), Malware(is_family=False, name="m", created=CREATED, modified=CREATED)
    first, second = made(), made(name="second")

    def work(opened: Collection) -> None:
        TAXIICollectionSink(opened).add([first, Bundle(malware, address), second])
        TAXIICollectionSink(opened).add([first, Bundle(malware, address), second])
        source = TAXIICollectionSource(opened)
        assert source.get(address.id) == address
        assert source.get(second.id).name == "second"
        assert {one.id for one in source.query()} == {first.id, malware.id, address.id, second.id}
        assert len(source.all_versions(first.id)) == 1

    await desk.do(work, collection)


@on_standing_host
async def test_source_answers_beside_others_when_it_is_one_of_several(standing: RunningHost) -> None:
    """What is in no source is None, what is empty is an empty list: a composite asks all of them every time."""
    collection = await open_collection(standing)
    desk = Desk(standing, await standing.token("alcirt", client="stix2"))
    here, there = made(name="here"), made(name="there")

    def work(opened: Collection) -> None:
        source = TAXIICollectionSource(opened)
        assert source.query([Filter("type", "=", "indicator")]) == []
        TAXIICollectionStore(opened).add(here)
        several = CompositeDataSource()
        several.add_data_sources([source, MemoryStore([there]).source])
        assert several.get(here.id).name == "here"
        assert several.get(there.id).name == "there"
        assert several.get(UNKNOWN) is None
        assert {one.name for one in several.query([Filter("type", "=", "indicator")])} == {"here", "there"}

    await desk.do(work, collection)
