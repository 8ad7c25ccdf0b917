"""Clients that poll with Basic and page as the standard says, each with a habit of its own.

Sentinel asks an API root for a collection that was typed in, and shows no errors. Sumo Logic sends its key as the password of an
empty user. EclecticIQ begins in 1970 at a hundred a page. Trellix asks for up to 15,000 at once. Darktrace and Exabeam follow
every root of discovery and stop at a dead one. FortiGate knows the address of one collection's objects.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients.replay import LAST, Header, basic, fill, ids, in_seconds, objects_at, open_collection, say
from tests.hosting import ROOT, TAXII, RunningHost

pytestmark = pytest.mark.asyncio(loop_scope="module")
DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Habit:
    """How one of them asks.

    Args:
        client: its profile.
        user: of Basic.
        limit: that it names, or None.
        back_us: how far its first poll looks back, or None for the text in `since`.
        since: the added_after of its first poll, or "" for none.
        together: whether it sends added_after beside `next`.
        accept: its Accept.
    """

    client: str
    user: str = "x"
    limit: int | None = None
    back_us: int | None = None
    since: str = ""
    together: bool = True
    accept: str = TAXII


HABITS = [
    Habit("sentinel", back_us=DAY_US),
    Habit("sentinel", user="taxii_username", back_us=30 * DAY_US, together=False),
    Habit("sumologic", user=""),
    Habit("sumologic", user="", limit=2, since="2026-01-01T00:00:00Z", accept="application/taxii+json; version=2.1"),
    Habit("eclecticiq", limit=100, since="1970-01-01T00:00:00.000000Z"),
    Habit("eclecticiq", limit=3, since="1970-01-01T00:00:00+00:00", together=False),
    Habit("trellix", limit=500, since="1970-01-01T00:00:00Z"),
    Habit("trellix", limit=15_000),
    Habit("darktrace", limit=5),
    Habit("exabeam", accept="*/*"),
    Habit("servicenow", limit=4, accept="application/taxii+json"),
    Habit("anomali", limit=4),
    Habit("fortigate", accept="application/taxii+json;version=2.1, application/vnd.oasis.taxii+json;version=2.0"),
]


class Poller:
    """One of them, at work on one collection."""

    def __init__(self, habit: Habit, host: RunningHost, token: str, collection: str) -> None:
        self.habit, self.host, self.collection = habit, host, collection
        self.headers: list[Header] = [("Accept", habit.accept), basic(habit.user, token)]
        self.after = in_seconds(host.clock.at_us - habit.back_us) if habit.back_us else habit.since

    async def poll(self) -> list[dict[str, Any]]:
        """Poll until there is no more, and keep the header for the next time."""
        found: list[dict[str, Any]] = []
        following = ""
        while True:
            reply = await say(self.host, "GET", self._target(following), self.headers)
            assert (reply.status, reply.headers["Content-Type"]) == (200, TAXII), reply.body
            found += reply.json.get("objects", [])
            if LAST in reply.headers:
                last = reply.headers[LAST]
            if not reply.json.get("more"):
                break
            assert reply.json["next"] != following, "the same page for ever"
            following = reply.json["next"]
        self.after = last if found else self.after
        return found

    def _target(self, following: str) -> str:
        asked = [f"limit={self.habit.limit}"] if self.habit.limit else []
        if self.after and (self.habit.together or not following):
            asked.append(f"added_after={self.after}")
        asked += [f"next={following}"] if following else []
        return f"{objects_at(self.collection)}{'?' if asked else ''}{'&'.join(asked)}"


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: f"{habit.client}-{habit.limit or 'all'}-{habit.together}")
async def test_each_object_comes_once_when_it_polls_again_and_again(standing: RunningHost, habit: Habit) -> None:
    """What is there at first, what comes between two polls, and nothing where nothing came."""
    collection = await open_collection(standing)
    poller = Poller(habit, standing, await standing.token("alcirt", client=habit.client), collection)
    sent: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for count in (7, 0, 1, 12, 0):
        standing.clock.at_us += 60_000_000
        sent += await fill(standing, collection, count)
        found += await poller.poll()
        assert found == sent


async def test_page_is_cut_to_ours_when_more_is_asked_for(standing: RunningHost) -> None:
    """Trellix asks for 15,000 and EclecticIQ's first run is of everything: no error, and the rest follows."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 1200)
    for habit in (
        Habit("trellix", limit=15_000),
        Habit("eclecticiq", limit=100, since="1970-01-01T00:00:00Z"),
        Habit("sumologic", ""),
    ):
        poller = Poller(habit, standing, await standing.token("alcirt", client=habit.client), collection)
        assert ids(await poller.poll()) == ids(sent), habit


async def test_root_lists_the_collection_that_was_typed_in(standing: RunningHost) -> None:
    """Sentinel is given the API root and an id: with and without the slash, the id stands in the list and answers."""
    collection = await open_collection(standing)
    headers = [("Accept", TAXII), basic("sentinel", await standing.token("alcirt", client="sentinel"))]
    for root in (ROOT, f"{ROOT}/"):
        reply = await say(standing, "GET", root, headers)
        assert (reply.status, TAXII in reply.json["versions"]) == (200, True)
    for path in ("/collections", "/collections/"):
        assert collection in ids((await say(standing, "GET", ROOT + path, headers)).json["collections"])
    found = (await say(standing, "GET", f"{ROOT}/collections/{collection}", headers)).json
    assert (found["id"], found["can_read"]) == (collection, True)


async def test_every_root_answers_when_discovery_names_it(standing: RunningHost) -> None:
    """Darktrace stops at a dead one; each answers with its collections, also where it has none for this team."""
    headers = [("Accept", TAXII), basic("darktrace", await standing.token("alcirt", client="darktrace"))]
    found = (await say(standing, "GET", "/taxii2", headers)).json
    assert found["default"] == found["api_roots"][0]
    for root in found["api_roots"]:
        for path in (root, f"{root}collections/"):
            assert (await say(standing, "GET", path, headers)).status == 200


async def test_client_of_an_older_taxii_is_refused_and_not_misled(standing: RunningHost) -> None:
    """QRadar speaks up to 2.0 and cabby 1.x: 406, never a body that they would read as theirs."""
    authorization = basic("qradar", await standing.token("alcirt", client="qradar"))
    for accept in ("application/vnd.oasis.taxii+json; version=2.0", "application/xml", "application/vnd.oasis.stix+json"):
        reply = await say(standing, "GET", "/taxii2/", [("Accept", accept), authorization])
        assert (reply.status, reply.json["http_status"]) == (406, "406")
