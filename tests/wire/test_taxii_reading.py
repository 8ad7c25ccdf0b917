"""Reading by the clauses of TAXII 2.1 that hosts get wrong: order, resuming, pages, versions, empty answers."""

from typing import Any

import pytest

from regcert.stix.timestamps import read_timestamp, write_timestamp
from regcert.taxii.filters import MAX_LIMIT, PAGE_OBJECTS
from tests.hosting import ROOT, RunningHost
from tests.made import CREATED, indicator, sdo
from tests.wire.asking import INDICATORS, OBJECTS, ask

FIRST, LAST = "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"
LATER = "2026-11-02T10:00:00.000001Z"
NEVER = "indicator--5a6e590a-8533-48ba-9b80-621c3ddefff0"
ADDRESS = {"type": "ipv4-addr", "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd", "value": "198.51.100.3"}
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_standing_host = pytest.mark.asyncio(loop_scope="module")


async def manifest(host: RunningHost, query: str = "") -> list[dict[str, Any]]:
    return list((await ask(host, "GET", f"{INDICATORS}/manifest/{query}")).json.get("objects", []))


@pytest.mark.clause("2-m5", "2-m6", "3.2-m2", "3.2-m4", "3.7-t2", "5.3.1-m1", "5.4-m3", "5.6-m4")
async def test_answer_is_an_empty_object_when_there_is_nothing(host: RunningHost) -> None:
    """Lists are never empty but left out: `{}` for objects, manifest and versions (TAXII 2.1 §2)."""
    for path in (OBJECTS, f"{INDICATORS}/manifest/", f"{OBJECTS}?match[type]=malware", f"{OBJECTS}?added_after={host.at(9)}"):
        reply = await ask(host, "GET", path)
        assert (reply.status, reply.body) == (200, b"{}")
        assert not {FIRST, LAST} & set(reply.headers)
    one = indicator()
    await host.post([one])
    for query in ("?match[version]=2001-01-01T00:00:00Z", "?match[spec_version]=2.0", f"?added_after={host.at(9)}"):
        reply = await ask(host, "GET", f"{OBJECTS}{one['id']}/{query}")
        assert (reply.status, reply.body) == (200, b"{}")


@pytest.mark.clause("2-m9", "3.2-m1", "3.2-m2", "3.2-m3", "3.2-m4")
async def test_page_says_when_its_ends_were_added_when_it_has_content(host: RunningHost) -> None:
    """Both headers stand on every page of objects, object, manifest and versions, and are the manifest's date_added (§3.2)."""
    sent = [indicator() for _ in range(5)]
    await host.post(sent)
    added = [entry["date_added"] for entry in await manifest(host)]
    assert added == sorted(set(added))
    assert all(len(one) == len("2026-11-21T19:55:39.123456Z") for one in added)
    page = await ask(host, "GET", f"{OBJECTS}?limit=2")
    assert (page.headers[FIRST], page.headers[LAST]) == (added[0], added[1])
    page = await ask(host, "GET", f"{OBJECTS}?limit=2&next={page.json['next']}")
    assert (page.headers[FIRST], page.headers[LAST]) == (added[2], added[3])
    for path in (
        f"{OBJECTS}{sent[4]['id']}/",
        f"{OBJECTS}{sent[4]['id']}/versions/",
        f"{INDICATORS}/manifest/?added_after={added[3]}",
    ):
        page = await ask(host, "GET", path)
        assert (page.headers[FIRST], page.headers[LAST]) == (added[4], added[4])


@pytest.mark.clause("3.3-m1")
async def test_order_is_arrival_when_ids_and_times_say_otherwise(host: RunningHost) -> None:
    """Ascending date_added, whatever id, created and modified, also with all versions (§3.3)."""
    newer = indicator(id="indicator--ffffffff-2a1f-4b51-9d2e-0c1e6d0f3a01", modified=LATER)
    older, other = newer | {"modified": CREATED}, indicator(id="indicator--00000000-2a1f-4b51-9d2e-0c1e6d0f3a02")
    for one in (newer, other, older):
        await host.post([one])
    assert await host.objects(query="match[version]=all") == [newer, other, older]
    assert await host.objects() == [newer, other]


@pytest.mark.clause("3.3-m1")
async def test_place_rises_when_the_clock_steps_back(host: RunningHost) -> None:
    """date_added is unique and rises, so that a poller loses nothing (law 2)."""
    one, other = indicator(), indicator()
    await host.post([one])
    last = (await manifest(host))[0]["date_added"]
    host.clock.at_us -= 3_600_000_000
    await host.post([other])
    assert await host.objects(query=f"added_after={last}") == [other]


@pytest.mark.clause("2-m8", "2-m10", "3.4-t1")
async def test_time_is_compared_as_an_instant_when_it_is_written_another_way(host: RunningHost) -> None:
    """`added_after` is strict, in microseconds, in any offset, and with the blank of a `+` that nobody encoded (§3.4)."""
    await host.post([indicator(), indicator()])
    added = (await manifest(host))[0]["date_added"]
    ahead = write_timestamp(read_timestamp(added) + 2 * 3_600_000_000)[:-1]
    for moment in (added, f"{ahead}+02:00", f"{ahead}%2002:00", f"{ahead}%2B02:00", f"{added[:-1]}999Z"):
        assert len(await host.objects(query=f"added_after={moment}")) == 1, moment


@pytest.mark.clause("3.4-m3")
async def test_everything_is_given_when_a_client_asks_from_long_ago(host: RunningHost) -> None:
    """Any past `added_after` is legal (EclecticIQ asks from 1970), and gives all, each object once."""
    one = indicator()
    await host.post([one, one | {"modified": LATER}])
    for year in ("1970", "1900", "0001", "2001"):
        assert await host.objects(query=f"added_after={year}-01-01T00:00:00Z") == [one | {"modified": LATER}], year


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=-1", "limit=1e3", "limit=%D9%A1", "limit=", "limit=1_0", "limit=%201", "limit=1.0",
        "added_after=", "added_after=yesterday", "added_after=2026-11-21", "added_after=2026-11-21T19:55:39",
        "added_after=2026-02-30T00:00:00Z", "added_after=0001-01-01T00:00:00%2B14:00",
        "match[version]=newest", "match[version]=all,first", "match[version]=",
        "limit=1&limit=1", "added_after=2026-11-21T00:00:00Z&added_after=2026-11-21T00:00:00Z", "next=x&next=x",
        "match[type]=a&match[type]=b", "match[id]=a&match%5Bid%5D=b", "match[version]=all&match[version]=all",
        "match[id]=%00", "%00=1", "match[type]=" + ",".join(f"t{number}" for number in range(101)),
        "match[id]=" + ",".join(f"t{number}" for number in range(1001)),
    ],
)  # fmt: skip
@on_standing_host
@pytest.mark.clause("3.1-m10", "3.4-m1", "3.4-m2", "3.4-m3", "3.4-m5", "3.4-m10", "3.4.1-m6", "3.4.1-m8", "3.4.1-m9", "B-t2")
async def test_query_is_refused_when_a_field_cannot_be_read(standing: RunningHost, query: str) -> None:
    """A malformed or repeated field is 400, on objects, manifest and versions alike (§3.4, §3.5)."""
    for path in (OBJECTS, f"{INDICATORS}/manifest/", f"{OBJECTS}{NEVER}/", f"{OBJECTS}{NEVER}/versions/"):
        reply = await ask(standing, "GET", f"{path}?{query}")
        assert (reply.status, reply.code) == (400, "malformed-request"), path


@on_sqlite
@pytest.mark.clause("3.4-m7", "3.4-y1", "3.5-m1", "B-t1")
async def test_limit_is_cut_when_it_is_larger_than_we_serve(host: RunningHost) -> None:
    """A large limit is cut without a word; if all fits, all is there and there is no more (§3.4)."""
    sent = [indicator() for _ in range(3)]
    await host.post(sent)
    for query in ("", "?limit=3", "?limit=5000", "?limit=1000000000", "?limit=" + "9" * 40, "?limit=0003"):
        page = (await ask(host, "GET", f"{OBJECTS}{query}")).json
        assert page == {"objects": sent, "more": False}
    for _ in range(5):
        await host.post([indicator() for _ in range((MAX_LIMIT - 2) // 5 + 1)])
    for query, served in (("", PAGE_OBJECTS), ("?limit=5000", 5000), ("?limit=20000", MAX_LIMIT)):
        page = (await ask(host, "GET", f"{OBJECTS}{query}")).json
        assert (len(page["objects"]), page["more"]) == (served, True)


@pytest.mark.clause("3.4-m8", "3.4-y2", "3.5-m1", "3.5-y1", "3.5-t1")
async def test_next_stands_only_when_there_is_more(host: RunningHost) -> None:
    """`next` if and only if `more`, on objects, manifest and versions; the same token twice gives the same page (§3.5)."""
    one = indicator()
    await host.post([one] + [one | {"modified": f"2026-11-02T10:00:0{n}.000Z"} for n in range(4)])
    await host.post([indicator() for _ in range(4)])
    lists = {OBJECTS: 5, f"{INDICATORS}/manifest/": 5, f"{OBJECTS}{one['id']}/versions/": 5}
    for path, total in lists.items():
        name = "versions" if path.endswith("versions/") else "objects"
        found: list[Any] = []
        query = "?limit=2"
        while True:
            page = (await ask(host, "GET", path + query)).json
            assert page == (await ask(host, "GET", path + query)).json
            assert page["more"] is ("next" in page)
            found += page[name]
            if not page["more"]:
                break
            query = f"?limit=2&next={page['next']}"
        assert len(found) == total
        assert found == (await ask(host, "GET", path)).json[name]


@pytest.mark.clause("3.4-t2", "B-m2")
async def test_next_keeps_what_was_asked_when_it_comes_alone(host: RunningHost) -> None:
    """Elastic's agent sends `next` without the filters: they travel with it (Appendix B: it never widens the query)."""
    wanted = [sdo("malware", is_family=False, name=f"m{n}") for n in range(4)]
    await host.post([*wanted[:2], indicator(), *wanted[2:], indicator()])
    page = (await ask(host, "GET", f"{OBJECTS}?limit=3&match[type]=malware")).json
    rest = (await ask(host, "GET", f"{OBJECTS}?next={page['next']}")).json
    assert page["objects"] + rest["objects"] == wanted
    assert rest["more"] is False


@on_sqlite
@pytest.mark.clause("B-m1", "B-m2")
async def test_list_begins_anew_when_next_is_not_ours(host: RunningHost) -> None:
    """A token that was tampered with, is another's or another collection's opens nothing and loses nothing."""
    sent = [indicator() for _ in range(3)]
    await host.post(sent)
    await host.post([indicator() for _ in range(3)], collection="public")
    own = (await ask(host, "GET", f"{OBJECTS}?limit=2")).json["next"]
    public = (await ask(host, "GET", f"{ROOT}/collections/public/objects/?limit=2")).json["next"]
    other = (await ask(host, "GET", f"{OBJECTS}?limit=2", team="srb-cert")).json["next"]
    of_manifest = (await ask(host, "GET", f"{INDICATORS}/manifest/?limit=2")).json["next"]
    flipped = own[:-1] + ("A" if own[-1] != "A" else "B")
    for token in (public, other, of_manifest, flipped, own[: len(own) // 2], "x", "%F0%9F%98%80", "=" * 9, "A" * 6000):
        page = (await ask(host, "GET", f"{OBJECTS}?next={token}")).json
        assert page == {"objects": sent, "more": False}, token
    assert (await ask(host, "GET", f"{OBJECTS}?next={own}")).json["objects"] == sent[2:]


@on_sqlite
@pytest.mark.clause("3.4-y3", "3.4-y4")
async def test_filter_is_ignored_when_the_standard_does_not_know_it(host: RunningHost) -> None:
    """Unknown match fields and other parameters change nothing, however often they stand (§3.4.1)."""
    one = indicator()
    await host.post([one])
    for query in ("match[pattern]=x", "match[foo]=1&match[foo]=2", "x=1&x=2", "match=1", "match[]=1", "&&", "=", "%"):
        assert await host.objects(query=query) == [one]


@on_sqlite
@pytest.mark.clause("3.4-y5", "3.4.1-t1")
async def test_filter_means_the_same_when_it_is_percent_encoded(host: RunningHost) -> None:
    """Brackets and commas may be encoded; a hundred ids fit into one request."""
    sent = [indicator() for _ in range(100)]
    await host.post([*sent, sdo("malware", is_family=False, name="m")])
    assert await host.objects(query="match%5Btype%5D=indicator%2Ctool") == sent
    assert await host.objects(query="match[id]=" + ",".join(one["id"] for one in sent)) == sent
    assert await host.objects(query="match%5bid%5d=" + "%2C".join(one["id"] for one in sent[:9])) == sent[:9]


@pytest.mark.clause("3.4.1-m4", "5.6-t1")
async def test_latest_is_by_modified_among_what_matches_when_versions_arrive_out_of_order(host: RunningHost) -> None:
    """Default is the latest by `modified`, not by arrival, among what was added after the time asked (§3.4.1)."""
    newer = indicator(modified=LATER)
    older = newer | {"modified": CREATED}
    await host.post([newer])
    after_newer = (await manifest(host))[0]["date_added"]
    await host.post([older])
    assert await host.objects() == [newer]
    assert await host.objects(query=f"added_after={after_newer}") == [older]
    assert await host.objects(query="match[version]=first") == [older]
    assert (await ask(host, "GET", f"{OBJECTS}{newer['id']}/")).json["objects"] == [newer]


@pytest.mark.clause("3.4.1-t5", "4.3.1-m7", "5.3.1-m3")
async def test_version_is_the_objects_own_text_when_it_is_listed(host: RunningHost) -> None:
    """The text of `modified` as it was written, in manifest, versions and status; microseconds apart is apart."""
    one = indicator(created="2026-11-01T10:00:00.1234Z", modified="2026-11-01T10:00:00.1234Z")
    near = one | {"modified": "2026-11-01T10:00:00.123401Z"}
    _, status = await host.post([one, near])
    assert [entry["version"] for entry in status["successes"]] == [one["modified"], near["modified"]]
    assert (await ask(host, "GET", f"{OBJECTS}{one['id']}/versions/")).json["versions"] == [one["modified"], near["modified"]]
    assert [entry["version"] for entry in await manifest(host, "?match[version]=all")] == [one["modified"], near["modified"]]
    assert await host.objects(query="match[version]=2026-11-01T10:00:00.123400Z") == [one]


@pytest.mark.clause("3.4.1-m2", "3.4.1-t3", "4.3.1-s1", "5.3.1-s1", "5.8-m1")
async def test_version_is_when_it_was_added_when_the_object_names_none(host: RunningHost) -> None:
    """An observable without created and modified goes by its date_added everywhere, never by 1970."""
    _, status = await host.post([ADDRESS])
    entry = (await manifest(host))[0]
    assert entry["version"] == entry["date_added"] == status["successes"][0]["version"]
    assert (await ask(host, "GET", f"{OBJECTS}{ADDRESS['id']}/versions/")).json["versions"] == [entry["version"]]
    assert await host.objects(query=f"match[version]={entry['version']}") == [ADDRESS]
    assert await host.objects(query="match[spec_version]=2.1") == [ADDRESS]
    assert (await host.post([ADDRESS]))[1]["success_count"] == 1
    assert await host.objects(query="match[version]=all") == [ADDRESS]


@pytest.mark.clause("3.4.1-m5", "5.3.1-m3")
async def test_marking_goes_by_created_when_it_has_no_modified(host: RunningHost) -> None:
    """A marking-definition has `created` only; that is its version."""
    marking = {
        "type": "marking-definition", "spec_version": "2.1", "id": "marking-definition--34ed5bd3-98c6-4d1a-9a3b-1f2f3a4b5c6d",
        "created": CREATED, "definition_type": "statement", "definition": {"statement": "© Некој"},
    }  # fmt: skip
    await host.post([marking])
    assert await host.objects() == [marking]
    assert (await manifest(host))[0]["version"] == CREATED


@on_standing_host
@pytest.mark.parametrize(
    "name", ["indicator", "indicator--X", "../../secret", "%2e%2e%2fsecret", "x" * 4000, "%FF", "{id}", "*", "%25"]
)
@pytest.mark.clause("5.6-m1")
async def test_object_is_not_found_when_its_id_is_none(standing: RunningHost, name: str) -> None:
    """Whatever is not an id is just not there: 404, never a fault."""
    for path in (f"{OBJECTS}{name}/", f"{OBJECTS}{name}/versions/", f"{ROOT}/collections/{name}/", f"{ROOT}/status/{name}/"):
        assert (await ask(standing, "GET", path)).status == 404, path


@pytest.mark.clause("3.6-t1", "5.1-d2")
async def test_nul_is_refused_when_it_stands_in_an_address(host: RunningHost) -> None:
    """PostgreSQL takes no NUL in a text: both databases must answer the same, which is 400."""
    for path in (
        f"{OBJECTS}a%00/",
        f"{ROOT}/collections/%00/",
        f"{ROOT}/status/%00",
        "/api/v1/incidents/%00",
        "/api/v1/incidents?next=WzEsIlx1MDAwMCJd",  # [1,"\u0000"]
    ):
        reply = await ask(host, "GET", path)
        assert (reply.status, reply.code) == (400, "malformed-request"), path
