"""Who reads AMBER+STRICT and RED is written down before they are shown it; nobody else pays for that."""

import sqlite3

import asyncpg
import pytest

from regcert.flows.list_incidents import get_incident, page_incidents
from regcert.flows.prove import prove
from regcert.flows.retrieve import Question, Shape, retrieve
from regcert.stix.tlp import Tlp
from regcert.taxii.filters import Filters, Page
from tests.made import indicator
from tests.store.acting import KEY, ROOT, Acting
from tests.store.test_audit import tamper

STRICT = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"


@pytest.fixture
async def shared(acting: Acting) -> str:
    """A collection that may hold AMBER+STRICT, with one such object and a GREEN one behind it."""
    slug = await acting.collection(ceiling=Tlp.AMBER_STRICT)
    await acting.publish(indicator(object_marking_refs=[STRICT]), collection=slug)
    await acting.publish(indicator(object_marking_refs=[GREEN]), collection=slug)
    return slug


async def readings(acting: Acting) -> list[tuple[int, str]]:
    """Who read what, by the audit trail."""
    return [(row["team_id"], row["subject"]) for row in await acting.rows("audit") if row["action"] == "read"]


async def ask(acting: Acting, collection: str, tags: frozenset[str] = frozenset(), **named):
    caller = await acting.caller("mkd-cert")
    page = Question(caller, ROOT, collection, named.pop("shape", Shape.OBJECTS), Filters(), Page(100, None), tags=tags, **named)
    return await retrieve(acting.database, KEY, page)


@pytest.mark.parametrize("shape", list(Shape))
async def test_page_is_written_down_with_who_and_where_and_nothing_of_what(acting, shared, shape):
    """Objects, manifest and versions alike: the reader, the collection, the places; no content."""
    rows = await acting.rows("objects")
    first, last = min(row["position"] for row in rows), max(row["position"] for row in rows)
    await ask(acting, shared, shape=shape)
    reader = await acting.principal("mkd-cert")
    assert await readings(acting) == [(reader.team.team_id, f"{shared} {shape.value} {first}..{last}")]


async def test_one_object_is_written_down_by_its_id(acting, shared):
    """And a GREEN one of the same collection is not."""
    strict, green = [row["stix_id"] for row in await acting.rows("objects")]
    await ask(acting, shared, stix_id=green)
    assert await readings(acting) == []
    await ask(acting, shared, stix_id=strict)
    assert [subject for _, subject in await readings(acting)] == [f"{shared} objects {strict}"]


async def test_proof_is_written_down_as_a_reading(acting, shared):
    """A proof comes with the manifest, which names what else was published."""
    reader = await acting.principal("mkd-cert")
    for row in await acting.rows("objects"):
        await prove(acting.database, reader, shared, row["stix_id"], row["version"])
    strict = min(await acting.rows("objects"), key=lambda row: row["position"])["stix_id"]
    assert [subject for _, subject in await readings(acting)] == [f"{shared} proof {strict}"]


async def test_incident_is_written_down_as_a_reading(acting):
    """Seen in a list or by itself: an incident made of what is strictly marked names who read it."""
    group = await acting.collection(["alcirt", "mkd-cert", "srb-cert"], ["alcirt", "mkd-cert", "srb-cert"], Tlp.AMBER_STRICT)
    for team in ("alcirt", "mkd-cert", "srb-cert"):
        await acting.publish(indicator("[domain-name:value = 'strict.example']"), team=team, collection=group)
    await acting.catch_up()
    reader = await acting.principal("mkd-cert")
    page = await page_incidents(acting.database, acting.clock, reader, limit=10, cursor=None)
    (ranked,) = page.incidents
    await get_incident(acting.database, acting.clock, reader, ranked.incident.incident_id)
    assert [subject for _, subject in await readings(acting)] == [f"incident {ranked.incident.incident_id}"] * 2


async def test_page_from_memory_is_written_down_again(acting, shared):
    """That the answer was remembered makes no difference to who has read it."""
    for _ in range(3):
        await ask(acting, shared)
    assert len(await readings(acting)) == 3


async def test_nothing_is_written_down_where_nothing_strict_is_shown(acting, shared):
    """An empty page, an answer that the reader has already, and a page of what is milder."""
    answer = await ask(acting, shared)
    await ask(acting, shared, tags=frozenset({answer.tag}))
    await ask(acting, await acting.collection(ceiling=Tlp.RED))
    caller = await acting.caller("mkd-cert")
    position = max(row["position"] for row in await acting.rows("objects"))
    behind = Question(caller, ROOT, shared, Shape.OBJECTS, Filters(added_after_us=position - 1), Page(100, None))
    assert (await retrieve(acting.database, KEY, behind)).last_us == position
    assert len(await readings(acting)) == 1


async def test_ordinary_collections_ask_the_database_nothing_more(acting, monkeypatch):
    """Below AMBER+STRICT no statement is run and nothing is written for this."""
    await acting.publish(indicator())
    called = []
    for name in ("holds_strict", "note_deed"):
        monkeypatch.setattr(f"regcert.flows.record_reading.{name}", lambda *_: called.append(1))
    await ask(acting, "regional-indicators")
    assert called == []


async def test_nothing_is_shown_that_cannot_be_written_down(acting, shared, settings):
    """Where the audit trail takes no row, the page is refused, and says nothing."""
    sqlite = "CREATE TRIGGER full BEFORE INSERT ON audit WHEN NEW.action = 'read' BEGIN SELECT RAISE(ABORT, 'full'); END"
    postgres = "ALTER TABLE audit ADD CONSTRAINT nothing CHECK (action <> 'read')"
    await tamper(settings.database_url, sqlite if settings.database_url.startswith("sqlite:") else postgres)
    with pytest.raises((sqlite3.IntegrityError, asyncpg.CheckViolationError)):
        await ask(acting, shared)
    assert await readings(acting) == []
