"""What a query asks for, and what it gets: filters and limits, on every endpoint that has them.

Spec: TAXII 2.1 §3.3, §3.4, §3.4.1, §5.3, §5.6 to §5.8
"""

import uuid
from typing import Any

import pytest
import pytest_asyncio

from tests.hosting import RunningHost
from tests.made import CREATED, envelope, indicator, sdo
from tests.stix.examples import MINIMAL
from tests.wire.asking import INDICATORS, OBJECTS, ask

pytestmark = pytest.mark.asyncio(loop_scope="module")
MANIFEST = f"{INDICATORS}/manifest/"
ONE = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
TIMES = [f"2026-11-0{day}T10:00:00.00000{day}Z" for day in range(2, 6)]
ADDRESS = {"type": "ipv4-addr", "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd", "value": "198.51.100.3"}
CUSTOM = sdo("x-acme-beacon", id="x-acme-beacon--0b9cd4a7-6f2c-4b43-a1b5-25a4f4c8c1d2", name="b")
MALWARE = sdo("malware", id="malware--3f0a8a2e-9d4e-4d4b-8d5b-6b8f7a1c2d3e", is_family=False, name="m")
# Objects that match everything but one of three fields, and one that matches all.
SENT = [indicator(id=ONE), *[indicator(id=ONE, modified=time) for time in TIMES], MALWARE, ADDRESS, CUSTOM, indicator()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filled(standing: RunningHost) -> RunningHost:
    """A host with five versions of one object, and one object of each of four sorts."""
    for one in SENT:
        status = (await ask(standing, "POST", OBJECTS, body=envelope(one))).json
        assert status["success_count"] == 1, status
    return standing


async def found(host: RunningHost, query: str, path: str = OBJECTS) -> list[Any]:
    reply = await ask(host, "GET", f"{path}?{query}")
    assert reply.status == 200, reply.json
    return list(reply.json.get("versions" if path.endswith("versions/") else "objects", []))


@pytest.mark.clause("3.4-m6", "3.4-m5", "3.4-m8", "3.4-y2", "3.5-m1", "3.7-y1", "3.7-t1", "2-y1")
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 9, 10_000])
@pytest.mark.parametrize(
    ("path", "query", "total"),
    [
        (OBJECTS, "match[version]=all", 9),
        (MANIFEST, "", 5),
        (f"{OBJECTS}{ONE}/", "match[version]=all", 5),
        (f"{OBJECTS}{ONE}/versions/", "", 5),
    ],
)
async def test_page_holds_no_more_than_its_limit(filled: RunningHost, path: str, query: str, total: int, limit: int) -> None:
    """And says that there is more exactly where there is; `next` stands exactly there."""
    page = (await ask(filled, "GET", f"{path}?{query}&limit={limit}")).json
    items = page["versions" if path.endswith("versions/") else "objects"]
    assert len(items) == min(limit, total)
    assert page["more"] is (limit < total)
    assert ("next" in page) is (limit < total)


@pytest.mark.clause("3.3-m1", "3.4-m4")
async def test_page_begins_with_the_oldest_when_no_time_is_asked(filled: RunningHost) -> None:
    """The first object that was added comes first, also among those that match a filter."""
    assert await found(filled, "limit=1&match[version]=all") == SENT[:1]
    assert await found(filled, "limit=1&match[type]=malware,x-acme-beacon") == [MALWARE]


@pytest.mark.clause("3.4-m3", "3.4-m1")
@pytest.mark.parametrize(
    "value", [f"{CREATED},{TIMES[0]}", f"{CREATED},", f"{CREATED}%20{TIMES[0]}", "2026-11-01", "10:00:00Z", "1795000000", "last"]
)
async def test_time_is_refused_when_it_is_not_one(filled: RunningHost, value: str) -> None:
    """Two timestamps, a date alone, a number: 400, which names the parameter and not its value."""
    for path in (OBJECTS, MANIFEST, f"{OBJECTS}{ONE}/", f"{OBJECTS}{ONE}/versions/"):
        reply = await ask(filled, "GET", f"{path}?added_after={value}")
        assert (reply.status, reply.code) == (400, "malformed-request")
        assert "added_after" in reply.json["description"]
        assert value not in reply.body.decode()


@pytest.mark.clause("3.4-t3", "3.4-m9", "3.4.1-t1", "3.4.1-t2")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"match[id]={ONE}&match[type]=indicator&match[version]={TIMES[1]}&match[spec_version]=2.1", [SENT[2]]),
        (f"match[id]={MALWARE['id']}&match[type]=indicator&match[version]=all", []),
        (f"match[id]={ONE}&match[type]=malware&match[version]=all", []),
        (f"match[id]={ONE}&match[type]=indicator&match[version]={CREATED}&match[spec_version]=2.0", []),
        (f"match[id]={ONE},{MALWARE['id']}&match[type]=malware,indicator", [SENT[4], MALWARE]),
        (f"match[id]={ONE},{MALWARE['id']}&match[type]=ipv4-addr,malware", [MALWARE]),
        ("match[id]=nothing", []),
        ("match[type]=nothing", []),
    ],
)
async def test_fields_narrow_each_other_when_several_are_asked(filled: RunningHost, query: str, expected: list[Any]) -> None:
    """Values of a field are alternatives, fields are not."""
    assert await found(filled, query) == expected


@pytest.mark.clause("3.4.1-m1", "3.4.1-m2")
@pytest.mark.parametrize(
    ("asked", "count"), [("2.1", 5), ("2.0", 0), ("2.0,2.1", 5), ("2.0,3.0", 0), ("1.2", 0), ("all", 0), (None, 5)]
)
async def test_stix_version_is_one_that_was_asked_for(filled: RunningHost, asked: str | None, count: int) -> None:
    """On every endpoint that has the field; unasked it is 2.1, also for what does not name its own."""
    query = "" if asked is None else f"match[spec_version]={asked}"
    for path in (OBJECTS, MANIFEST, f"{OBJECTS}{ONE}/versions/"):
        items = await found(filled, query, path)
        assert len(items) == count
    assert (ADDRESS in await found(filled, query)) is (count > 0)
    assert bool(await found(filled, query, f"{OBJECTS}{ONE}/")) is (count > 0)


@pytest.mark.clause("3.4.1-m3")
@pytest.mark.parametrize("kind", [*MINIMAL, "bundle", "language-content", "extension-definition"])
async def test_type_is_no_error_when_stix_defines_it(filled: RunningHost, kind: str) -> None:
    """Whether or not there is one."""
    for path in (OBJECTS, MANIFEST):
        items = await found(filled, f"match[type]={kind}", path)
        assert all(one["id"].startswith(f"{kind}--") for one in items)


@pytest.mark.clause("3.4.1-y1", "3.4.1-t2", "3.4-y3")
async def test_type_is_found_when_stix_does_not_define_it(filled: RunningHost) -> None:
    """A custom type is found by its name, one that nobody sent is not, and neither is an error."""
    assert await found(filled, "match[type]=x-acme-beacon") == [CUSTOM]
    assert await found(filled, "match[type]=x-acme-nothing") == []
    assert await found(filled, "match[x_acme_field]=1&match[type]=x-acme-beacon") == [CUSTOM]


@pytest.mark.clause("3.4.1-t4", "3.4.1-y2", "3.4.1-t5", "3.4.1-m4", "5.6-t1")
@pytest.mark.parametrize(
    ("asked", "places"),
    [
        ("", [4]),
        ("match[version]=last", [4]),
        ("match[version]=first", [0]),
        ("match[version]=all", [0, 1, 2, 3, 4]),
        ("match[version]=first,last", [0, 4]),
        (f"match[version]={TIMES[0]},{TIMES[2]}", [1, 3]),
        (f"match[version]=first,{TIMES[0]},last", [0, 1, 4]),
        (f"match[version]={TIMES[0][:-2]}3Z", []),
        (f"match[version]={CREATED.replace('10:', '12:').replace('Z', '%2B02:00')}", [0]),
    ],
)
async def test_versions_are_those_that_were_asked_for(filled: RunningHost, asked: str, places: list[int]) -> None:
    """On the objects, on the one object and in the manifest alike; exact to the microsecond."""
    expected = [SENT[place] for place in places]
    assert await found(filled, asked, f"{OBJECTS}{ONE}/") == expected
    assert await found(filled, f"{asked}&match[id]={ONE}") == expected
    versions = [one["version"] for one in await found(filled, f"{asked}&match[id]={ONE}", MANIFEST)]
    assert versions == [one["modified"] for one in expected]


@pytest.mark.clause("3.4.1-m7")
@pytest.mark.parametrize("asked", ["first", "last", TIMES[1], "all"])
async def test_version_counts_once_when_it_is_written_twice(filled: RunningHost, asked: str) -> None:
    """A value that stands twice asks for the same as one that stands once."""
    once = await found(filled, f"match[version]={asked}")
    assert await found(filled, f"match[version]={asked},{asked}") == once != []


@pytest.mark.clause("3.4.1-m8", "3.4.1-m9", "3.4.1-m6")
@pytest.mark.parametrize(
    "query",
    ["match[version]=all,first", f"match[version]={TIMES[0]},all", "match[version]=2026", "match[version]=1", "match[version]=",
     "match[version]=first&match[version]=last"],
)  # fmt: skip
async def test_version_is_refused_when_it_cannot_be_meant(filled: RunningHost, query: str) -> None:
    """`all` beside another, something that is no timestamp, the parameter twice: 400."""
    for path in (OBJECTS, MANIFEST, f"{OBJECTS}{ONE}/"):
        assert (await ask(filled, "GET", f"{path}?{query}")).status == 400


@pytest.mark.clause("5.3-t1", "3.4-m9", "5.3.1-m2")
@pytest.mark.parametrize(
    "query",
    [
        "",
        "match[type]=malware",
        "match[type]=indicator,ipv4-addr",
        f"match[id]={ADDRESS['id']}",
        f"match[id]={ONE}&match[version]=first",
        "match[version]=all",
        "match[version]=first,last",
        "match[spec_version]=2.0",
        "match[spec_version]=2.1&match[type]=indicator",
        "limit=3",
        "match[x]=y",
    ],
)
async def test_manifest_lists_what_the_objects_would_be(filled: RunningHost, query: str) -> None:
    """Filters look at the object: a line of the manifest has no type, and is found by it."""
    assert [one["id"] for one in await found(filled, query, MANIFEST)] == [one["id"] for one in await found(filled, query)]


@pytest.mark.clause("5.7-t1", "3.4-m9")
async def test_deletion_takes_only_what_its_filters_name(standing: RunningHost) -> None:
    """Those versions and no others; a version that never was takes nothing."""
    made = indicator(id=f"indicator--{uuid.uuid4()}")
    versions = [made, *[made | {"modified": time} for time in TIMES]]
    await ask(standing, "POST", OBJECTS, body=envelope(*versions))
    address = f"{OBJECTS}{made['id']}/"
    for query, places in (
        ("match[version]=2001-01-01T00:00:00Z", [0, 1, 2, 3, 4]),
        (f"match[version]={TIMES[1]},{TIMES[2]}", [0, 1, 4]),
        ("match[version]=last", [0, 1]),
        ("match[version]=first", [1]),
    ):
        assert (await ask(standing, "DELETE", f"{address}?{query}")).status == 200
        assert await found(standing, "match[version]=all", address) == [versions[place] for place in places], query


@pytest.mark.clause("5.7-t1", "3.4.1-m1")
async def test_deletion_spares_other_versions_of_stix(standing: RunningHost) -> None:
    """Whoever would delete what is STIX 2.0 does not lose what is 2.1."""
    made = indicator(id=f"indicator--{uuid.uuid4()}")
    await ask(standing, "POST", OBJECTS, body=envelope(made))
    await ask(standing, "DELETE", f"{OBJECTS}{made['id']}/?match[spec_version]=2.0")
    assert await found(standing, f"match[id]={made['id']}") == [made]
    assert (await ask(standing, "DELETE", f"{OBJECTS}{made['id']}/?match[spec_version]=2.0,2.1")).status == 200
    assert await found(standing, f"match[id]={made['id']}") == []
