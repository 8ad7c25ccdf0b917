"""What waits for a second person, over HTTP: the API, the console's forms, the commands."""

import re
import uuid

import pytest
from yarl import URL

from regcert.domain.collection import SignatureRule
from regcert.domain.principal import Role
from regcert.domain.region import CollectionEntry
from regcert.flows.add_collection import add_collection
from regcert.flows.release import release
from regcert.stix.tlp import Tlp
from regcert.store.audit import Wanted, search_rows
from tests.hosting import RunningHost
from tests.made import indicator

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
SLUG = "red-group"


@pytest.fixture
async def held(host: RunningHost) -> str:
    """A publication that waits: its proposal's id."""
    readers = ("alcirt", "mkd-cert")
    entry = CollectionEntry(SLUG, str(uuid.uuid4()), "Red", "For a test.", Tlp.RED, SignatureRule.ACCEPTED, readers, readers)
    await add_collection(host.inside.database, host.clock, entry)
    status, answer = await host.post([indicator(name="<b>a bank</b>", object_marking_refs=[RED])], collection=SLUG)
    assert (status, answer["status"], answer["pending_count"]) == (202, "pending", 1)
    status, page, _ = await host.get("//api/v1/proposals")
    assert (status, page["next"]) == (200, None)
    return str(page["proposals"][0]["id"])


async def ask(host, method: str, path: str, team: str, role: Role, **options):
    headers = {"Authorization": f"Bearer {await host.token(team, role)}"}
    async with host.http.request(method, host.url + path, headers=headers, **options) as response:
        return response.status, await response.json(content_type=None)


async def test_second_person_approves_over_the_api(host, held, schemas):
    """Shown with its facts, approved by a colleague, published, and the sender's status is complete."""
    path = f"/api/v1/proposals/{held}"
    status, shown = await ask(host, "GET", path, "alcirt", Role.COORDINATOR)
    assert (status, shown["state"], shown["may"]) == (200, "open", ["approve", "refuse", "withdraw"])
    assert shown["post"]["markings"] == {"TLP:RED": 1}
    assert shown["post"]["listed"][0]["type"] == "indicator"
    status, refused = await ask(host, "POST", f"{path}/approve", "alcirt", Role.ANALYST)
    assert (status, refused["code"]) == (403, "second-person-required")
    status, became = await ask(host, "POST", f"{path}/approve", "alcirt", Role.COORDINATOR)
    assert (status, became["state"]) == (200, "approved")
    while await release(host.inside.database, schemas, host.clock):  # unless the keeper was faster
        pass
    status, again = await ask(host, "POST", f"{path}/approve", "alcirt", Role.COORDINATOR)
    assert (status, again["code"]) == (409, "proposal-closed")


async def test_proposal_of_another_team_is_not_there(host, held):
    """Byte for byte the same as one that does not exist, whatever is tried."""
    for method, verb in (("GET", ""), ("POST", "/approve"), ("POST", "/refuse"), ("POST", "/withdraw")):
        answers = []
        for one in (held, str(uuid.uuid4())):
            status, answer = await ask(host, method, f"/api/v1/proposals/{one}{verb}", "mkd-cert", Role.COORDINATOR)
            answers.append((status, {name: value for name, value in answer.items() if name not in {"request_id", "instance"}}))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    assert await ask(host, "GET", "/api/v1/proposals", "mkd-cert", Role.COORDINATOR) == (200, {"proposals": [], "next": None})


@pytest.mark.parametrize("name", ["%00", "x", "%FF", "..%2F..", "a" * 4000, "00000000-0000-0000-0000-00000000000%00"])
async def test_what_is_no_id_is_answered_like_what_is_not_there(host, name):
    """Whatever somebody puts where an id belongs, no database is asked to make sense of it."""
    for method, verb in (("GET", ""), ("POST", "/approve")):
        path = URL(f"/api/v1/proposals/{name}{verb}", encoded=True)
        headers = {"Authorization": f"Bearer {await host.token('alcirt')}"}
        async with host.http.request(method, URL(f"{host.url}{path}", encoded=True), headers=headers) as response:
            assert response.status == (400 if "%00" in name else 404)


@pytest.mark.parametrize("query", ["next=x", "next=1", "next=-1.x", "limit=0", "limit=x", "next=" + "9" * 70 + ".x"])
async def test_bad_question_is_refused(host, query):
    """Whatever somebody puts into the address of the list."""
    status, _ = await ask(host, "GET", f"/api/v1/proposals?{query}", "alcirt", Role.ANALYST)
    assert status == 400


async def sign_in(host: RunningHost, role: Role) -> dict[str, str]:
    form = {"token": await host.token("alcirt", role)}
    async with host.http.post(f"{host.url}/console/sign-in", data=form, allow_redirects=False) as response:
        assert response.status == 303
        return {"Cookie": f"regcert={response.cookies['regcert'].value}"}


async def page(host: RunningHost, session: dict[str, str], path: str) -> str:
    async with host.http.get(host.url + path, headers=session) as response:
        assert response.status == 200
        return await response.text()


def _csrf_of(shown: str) -> str:
    return str(re.findall(r'name="csrf" value="([^"]+)"', shown)[0])


async def send(host: RunningHost, session: dict[str, str], path: str, csrf: str, **headers: str) -> int:
    form = {"csrf": csrf}
    async with host.http.post(host.url + path, data=form, headers=session | headers, allow_redirects=False) as response:
        return response.status


async def test_second_person_approves_in_the_console(host, held):
    """The board leads to the list, the list to the proposal, and its form approves it."""
    session = await sign_in(host, Role.COORDINATOR)
    assert 'href="/console/proposals"' in await page(host, session, "/console/")
    assert f"/console/proposals/{held}" in await page(host, session, "/console/proposals")
    path = f"/console/proposals/{held}"
    shown = await page(host, session, path)
    assert "&lt;b&gt;a bank&lt;/b&gt;" in shown
    csrf = _csrf_of(shown)
    assert await send(host, session, f"{path}/approve", "wrong") == 403
    assert await send(host, session, f"{path}/approve", csrf, Origin="https://evil.example") == 403
    assert (await ask(host, "GET", f"/api/v1/proposals/{held}", "alcirt", Role.ANALYST))[1]["state"] == "open"
    assert await send(host, session, f"{path}/approve", csrf) == 303
    assert (await ask(host, "GET", f"/api/v1/proposals/{held}", "alcirt", Role.ANALYST))[1]["state"] in {"approved", "done"}


async def test_console_offers_its_own_sender_no_approval(host, held):
    """Who posted it may take it back, and nothing else; and cannot approve by writing the address."""
    session = await sign_in(host, Role.ANALYST)
    path = f"/console/proposals/{held}"
    shown = await page(host, session, path)
    assert f"{path}/approve" not in shown
    csrf = _csrf_of(shown)
    assert await send(host, session, f"{path}/approve", csrf) == 403
    assert await send(host, session, f"{path}/withdraw", csrf) == 303
    assert "withdrawn" in await page(host, session, path)


async def test_shown_proposal_is_written_down_as_a_reading(host, held):
    """Its page names what is RED, so whoever looks at it stands in the audit trail."""
    await ask(host, "GET", f"/api/v1/proposals/{held}", "alcirt", Role.COORDINATOR)

    (row, team, _), *_ = await host.inside.database.run(search_rows(Wanted(1, action="read")))
    assert (team, row.subject) == ("alcirt", f"{SLUG} proposal {held}")
