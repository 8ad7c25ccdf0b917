"""Random weeks of a region, played on two hosts that differ in one thing, and all that an outsider can obtain of either."""

import base64
import random
import re
import secrets
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from yarl import URL

from regcert.assembly import parts
from regcert.domain.principal import Role
from regcert.flows.create_token import TokenOrder, create_token
from regcert.flows.initialise import initialise, read_region_file
from regcert.flows.publish_incidents import publish_incidents
from regcert.settings import Settings
from regcert.share import share_dir
from regcert.signing.publication import list_object, read_manifest, seal_publication
from regcert.stix.timestamps import write_timestamp
from regcert.stix.tlp import MARKING_IDS, Tlp
from regcert.store.database import open_database
from regcert.store.teams import read_facts
from tests.hosting import ROOT, TAXII, RunningHost, StillClock, run_host
from tests.made import envelope
from tests.signers import Signer, enrol

OPEN = ("regional-indicators", "regional-sightings", "public")
# What is hidden stands in one of these; the insiders of both are the same, and nobody who looks on is one of them.
HIDDEN = ("financial-sector-group", "team-alcirt")
UUIDS = ("6e933abb-4907-4850-be64-a89930d8cd84", "e94ac49d-8141-4ce1-aa50-4d01a2b469ee")
INSIDERS = {"financial-sector-group": ("alcirt", "mkd-cert", "srb-cert"), "team-alcirt": ("alcirt",)}
OUTSIDERS = ("hr-cert", "bih-cert", "kos-cert", "cirt-me")
ONLOOKERS: dict[str, tuple[str, Role, tuple[str, ...]]] = {
    "a neighbour": ("hr-cert", Role.ANALYST, ()),
    "a machine of a neighbour": ("bih-cert", Role.CONSUMER, ()),
    "a coordinator of the centre": ("regional-centre", Role.COORDINATOR, ()),
    "the host's administrator": ("regional-centre", Role.ADMIN, ()),
    "an insider's narrowed token": ("alcirt", Role.ANALYST, ("regional-indicators", "public")),
    "an insider's token for sightings": ("srb-cert", Role.CONSUMER, ("regional-sightings",)),
}
# Where blind matches are told; of the rest of what can be obtained they change nothing.
BLIND = ("/api/v1/blind-matches", "/console/blind-matches")
SIGNER = "alcirt"
NARROWED = "an insider's narrowed token"
BLIND_VALUE = "blind.example"
TECHNIQUE = "T1566.001"
GUARDED = "www.google.com"
CENTRE = "regional-incidents"
# Ids that the host makes of those that it drew, for what it publishes itself, are of version 5.
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_CSRF = re.compile(r'(name="csrf" value=)"[^"]*"')
_NEXT = re.compile(r'"next":"([A-Za-z0-9_=-]+)"')
# Of the single request, and of nothing else; a cookie is drawn by lot.
_PER_REQUEST = {"date", "x-request-id", "set-cookie"}
_LABELS = {step: marking_id for marking_id, step in MARKING_IDS.items()}


@dataclass(frozen=True)
class Step:
    """Something that somebody does, so long after what was done before; what is hidden is done on one host only."""

    who: str
    method: str
    path: str
    body: bytes | None
    after_us: int
    hidden: bool = False


@dataclass
class World:
    """A random week: what is done, and the ids that are worth asking for.

    Args:
        steps: in their order.
        asked: ids of objects, among them the hidden ones.
        known: every UUID that was not drawn by the host itself.
        values: what is published and seen, openly or not.
    """

    steps: list[Step] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    values: list[str] = field(default_factory=list)


class Signing:
    """An insider's signatures, and how far it has come on a pair of twins: what is signed follows on what was."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._heads: dict[str, tuple[int, bytes | None]] = {}

    def manifest(self, collection: str, at_us: int, one: dict[str, Any]) -> dict[str, Any]:
        """Sign one object for the team's next place in a collection."""
        seq, prev = self._heads.get(collection, (0, None))
        made = seal_publication(
            manifest_id=f"publication-manifest--{uuid.uuid4()}",
            host=self._signer.host,
            collection=collection,
            team=self._signer.team.identity_id,
            seq=seq + 1,
            prev=prev,
            issued_us=at_us,
            nonce=secrets.token_bytes(32),
            markings=(),
            objects=[list_object(one)],
            key=self._signer.key,
        )
        self._heads[collection] = seq + 1, read_manifest(made)[1].digest
        return made


class Writer:
    """Writes a random world."""

    def __init__(self, seed: int, start_us: int, signing: Signing) -> None:
        self.signing = signing
        self.random = random.Random(seed)
        self.now_us = start_us
        self.world = World()
        self.values = self.world.values = [*(f"{self.random.getrandbits(40):x}.example" for _ in range(4)), GUARDED]
        self.open_ids: dict[str, list[str]] = {}  # of what may be referred to by anybody, by type
        self.posted: list[tuple[str, str, str, dict[str, Any]]] = []  # who, where, id, object
        self.hidden_ids: list[str] = []

    def write(self) -> World:
        """Some open steps, a few hidden ones somewhere among them, and outsiders who grope for what is hidden."""
        hide_at = self.random.randrange(1, 8)
        collection = self.random.choice(HIDDEN)
        for number in range(self.random.randint(8, 12)):
            if number == hide_at:
                self.hide(collection)
            elif number > hide_at and self.random.random() < 0.5:
                self.grope()
            else:
                self.act()
        self.world.asked = [*self.hidden_ids, *self.random.sample(self.posted_ids(), min(2, len(self.posted_ids())))]
        self.world.known = set(_UUID.findall(" ".join([*self.hidden_ids, *self.posted_ids(), *UUIDS])))
        return self.world

    def write_blind(self, here: str, beyond: str) -> World:
        """The same, and two circles hold a value, neither of which sees the other: one openly, as far as an outsider goes."""
        world = self.write()
        marked = {"object_marking_refs": [_LABELS[Tlp.GREEN]]}
        for who, where, hidden in ((OUTSIDERS[0], beyond, False), (SIGNER, here, True)):
            made = self.made("indicator", pattern=f"[domain-name:value = '{BLIND_VALUE}']", pattern_type="stix", **marked)
            self.post(who, where, [made | {"valid_from": made["created"]}], hidden=hidden)
        return world

    def posted_ids(self) -> list[str]:
        return [stix_id for ids in self.open_ids.values() for stix_id in ids]

    def step(self, who: str, method: str, path: str, body: object = None, *, hidden: bool = False) -> None:
        sent = None if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        # Sometimes within a moment, sometimes hours later; never at the very same instant.
        after_us = self.random.choice((1_000, 1_000_000, 60_000_000, 7_200_000_000))
        self.now_us += after_us
        self.world.steps.append(Step(who, method, path, sent, after_us, hidden))

    def new_id(self, kind: str) -> str:
        return f"{kind}--{uuid.UUID(int=self.random.getrandbits(128), version=4)}"

    def made(self, kind: str, **properties: Any) -> dict[str, Any]:
        at = write_timestamp(self.now_us - self.random.randrange(1, 6) * 3_600_000_000)
        times = {"created": at} if kind == "marking-definition" else {"created": at, "modified": at}
        return {"type": kind, "spec_version": "2.1", "id": self.new_id(kind)} | times | properties

    def draw(self, refs: list[str], values: list[str]) -> dict[str, Any]:
        """Make some object that names some values and refers to some ids."""
        kind = self.random.choice(
            ("indicator", "indicator", "indicator", "report", "relationship", "sighting", "malware", "mark")
        )
        marked = self.random.choice(({}, {}, {"object_marking_refs": [_LABELS[self.random.choice(list(_LABELS))]]}))
        if kind == "report" and refs:
            picked = self.random.sample(refs, min(3, len(refs)))
            return (
                self.made(
                    "report", name=f"Report {self.random.random()}", published=write_timestamp(self.now_us), object_refs=picked
                )
                | marked
            )
        if kind == "relationship" and len(refs) > 1:
            source, target = self.random.sample(refs, 2)
            return self.made("relationship", relationship_type="related-to", source_ref=source, target_ref=target) | marked
        if kind == "sighting" and refs:
            return self.made("sighting", sighting_of_ref=self.random.choice(refs), count=self.random.randrange(4)) | marked
        if kind == "malware":
            return self.made("malware", name=f"Malware {self.random.random()}", is_family=False) | marked
        if kind == "mark":
            return self.made("marking-definition", definition_type="statement", definition={"statement": "Ours"})
        pattern = f"[domain-name:value = '{self.random.choice(values)}']"
        return self.made("indicator", pattern=pattern, pattern_type="stix", valid_from=write_timestamp(self.now_us)) | marked

    def act(self) -> None:
        """Somebody does something that all may see, and that refers to nothing hidden."""
        who = self.random.choice((*OUTSIDERS, *INSIDERS[HIDDEN[0]]))
        deed = self.random.random()
        if deed < 0.25:
            self.report(who, self.random.choice(({"value": self.random.choice(self.values)},) * 3 + ({"technique": TECHNIQUE},)))
        elif deed < 0.35 and self.posted:
            who, where, stix_id, _ = self.random.choice(self.posted)
            self.step(who, "DELETE", f"{ROOT}/collections/{where}/objects/{stix_id}/")
        elif deed < 0.5 and self.posted:
            who, where, _, one = self.random.choice(self.posted)
            if "modified" in one:
                self.post(who, where, [one | {"modified": write_timestamp(self.now_us), "revoked": self.random.random() < 0.3}])
        else:
            where = self.random.choice(OPEN)
            objects = [self.draw(self.posted_ids(), self.values) for _ in range(self.random.randint(1, 3))]
            for one in objects:
                self.open_ids.setdefault(one["type"], []).append(one["id"])
                self.posted.append((who, where, one["id"], one))
            self.post(who, where, objects)

    def post(self, who: str, where: str, objects: list[dict[str, Any]], *, hidden: bool = False) -> None:
        self.step(who, "POST", f"{ROOT}/collections/{where}/objects/", envelope(*objects), hidden=hidden)

    def report(self, who: str, what: dict[str, Any], *, hidden: bool = False) -> None:
        what = {"kind": self.random.choice(("positive", "positive", "negative", "false-positive"))} | what
        self.step(who, "POST", "/api/v1/sightings", what | {"report_id": self.new_id("r")}, hidden=hidden)

    def hide(self, where: str) -> None:
        """An insider does something in a restricted collection: an object, a version of it, its end, a report beside it."""
        who = self.random.choice(INSIDERS[where])
        if who == SIGNER and self.random.random() < 0.3:
            self.hide_signed(where)
            return
        one = self.draw(self.posted_ids(), self.values)
        if self.random.random() < 0.3 and self.posted:  # what all may see is also there, in another version
            one = self.random.choice(self.posted)[3] | {"confidence": 7}
            # From now on its own marking binds the insiders: what they do with it openly is up to what they know.
            self.posted = [each for each in self.posted if each[2] != one["id"] or each[0] in OUTSIDERS]
        self.hidden_ids.append(one["id"])
        self.post(who, where, [one], hidden=True)
        follow = self.random.random()
        if follow < 0.2 and "modified" in one:
            self.post(who, where, [one | {"modified": write_timestamp(self.now_us), "confidence": 9}], hidden=True)
        elif follow < 0.4:
            self.step(who, "DELETE", f"{ROOT}/collections/{where}/objects/{one['id']}/", hidden=True)
        elif follow < 0.6:
            # Of what all may see, only with a word on who may know that it was seen.
            named = {"collection": where} if one["id"] in self.posted_ids() or self.random.random() < 0.5 else {}
            self.report(who, {"indicator": one["id"]} | named, hidden=True)
        elif follow < 0.8:
            what = self.random.choice(({"value": self.random.choice(self.values)}, {"technique": TECHNIQUE}))
            self.report(who, what | {"collection": where, "count": 5}, hidden=True)

    def hide_signed(self, where: str) -> None:
        """An insider signs for what it publishes, in a restricted collection."""
        made = self.made("indicator", pattern=f"[domain-name:value = '{self.values[0]}']", pattern_type="stix")
        made |= {"valid_from": made["created"]}
        self.hidden_ids.append(made["id"])
        manifest = self.signing.manifest(UUIDS[HIDDEN.index(where)], self.now_us, made)
        self.post(SIGNER, where, [made, manifest], hidden=True)

    def grope(self) -> None:
        """An outsider names what it may not see, in every way that there is."""
        who, hidden = self.random.choice((*OUTSIDERS, NARROWED)), self.random.choice(self.hidden_ids)
        where = "public" if who == NARROWED else self.random.choice(OPEN)
        posts: list[dict[str, Any]] = [
            self.made("sighting", sighting_of_ref=hidden),
            self.made("report", name="Groping", published=write_timestamp(self.now_us), object_refs=[hidden]),
            self.made("relationship", relationship_type="related-to", source_ref=hidden, target_ref=hidden),
            self.made("malware", name="Marked", is_family=False, object_marking_refs=[self.as_marking(hidden)]),
        ]
        if hidden.startswith("indicator--") and hidden not in self.posted_ids():
            again = self.made("indicator", pattern=f"[domain-name:value = '{self.values[0]}']", pattern_type="stix")
            posts.append(again | {"id": hidden, "valid_from": write_timestamp(self.now_us)})
        deed = self.random.randrange(4)
        if deed == 0:
            self.report(who, {"indicator": hidden})
        elif deed == 1:
            self.step(who, "DELETE", f"{ROOT}/collections/{self.random.choice((*OPEN, *HIDDEN))}/objects/{hidden}/")
        elif deed == 2:
            self.report(who, {"value": self.values[0], "collection": self.random.choice(HIDDEN)})
        else:
            self.post(who, where, self.random.sample(posts, 2))

    def as_marking(self, stix_id: str) -> str:
        return stix_id if stix_id.startswith("marking-definition--") else self.new_id("marking-definition")


@dataclass
class Twin:
    """One of the two hosts, and the sessions that are open on it."""

    host: RunningHost
    tokens: dict[str, str]
    cookies: dict[str, str] = field(default_factory=dict)

    async def ask(self, who: str, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
        kind = "application/json" if path.startswith("/api/") else TAXII
        headers = {"Authorization": f"Bearer {self.tokens[who]}", "Content-Type": kind, "Accept": "*/*"}
        if path.startswith("/console"):
            headers = {"Cookie": f"regcert={await self._session(who)}"}
        url = URL(self.host.url + path, encoded=True)
        async with self.host.http.request(method, url, headers=headers, data=body, allow_redirects=False) as response:
            content = (await response.read()).replace(response.headers["X-Request-Id"].encode(), b"-")
            told = {name: value for name, value in response.headers.items() if name.lower() not in _PER_REQUEST}
            return response.status, told, content

    async def _session(self, who: str) -> str:
        if who not in self.cookies:
            url, form = f"{self.host.url}/console/sign-in", {"token": self.tokens[who]}
            async with self.host.http.post(url, data=form, allow_redirects=False) as response:
                self.cookies[who] = response.cookies["regcert"].value if "regcert" in response.cookies else ""
        self.host.http.cookie_jar.clear()
        return self.cookies[who]


async def found(folder: Path) -> tuple[dict[str, str], Signer]:
    """Found the host that both twins are copies of, and make everybody a token, and an insider its keys."""
    clock = StillClock()
    settings = Settings(data_dir=folder / "host", database_url=f"sqlite:///{folder}/regcert.db")
    await initialise(
        settings.data_dir, settings.database_url, clock, read_region_file(share_dir() / "deploy/regions/western-balkans.toml")
    )
    async with open_database(settings.database_url, clock) as database:
        people = {name: TokenOrder(role, name, narrowed) for name, (_, role, narrowed) in ONLOOKERS.items()}
        teams = {name: team for name, (team, _, _) in ONLOOKERS.items()}
        for team in (*OUTSIDERS, *INSIDERS[HIDDEN[0]]):
            people[team], teams[team] = TokenOrder(Role.ANALYST, team), team
        tokens = {name: await create_token(database, clock, teams[name], order) for name, order in people.items()}
        return tokens, await enrol(database, clock, SIGNER)


@asynccontextmanager
async def twins(founded: Path, tokens: dict[str, str], folder: Path) -> AsyncIterator[tuple[Twin, Twin]]:
    """Open two copies of a founded host: the same key, the same tokens, the same hour."""
    async with AsyncExitStack() as stack:
        opened = []
        for name in ("with", "without"):
            place = folder / name
            shutil.copytree(founded, place)
            settings = Settings(data_dir=place / "host", database_url=f"sqlite:///{place}/regcert.db")
            opened.append(Twin(await stack.enter_async_context(run_host(settings, StillClock())), tokens))
        yield opened[0], opened[1]


async def play(world: World, twin: Twin, *, hidden: bool) -> list[object]:
    """Do what is done in a world, and return what outsiders were answered while it was done."""
    heard: list[object] = []
    names: dict[str, str] = {}
    for step in world.steps:
        twin.host.clock.at_us += step.after_us
        if step.hidden:
            if hidden:
                told = await twin.ask(step.who, step.method, step.path, step.body)
                assert told[0] < 500, told
                assert b"publication-manifest" not in (step.body or b"") or told[0] == 202, told
            continue
        answer = await twin.ask(step.who, step.method, step.path, step.body)
        assert answer[0] < 500, answer
        if step.who in OUTSIDERS or step.who == NARROWED:
            heard.append((step.path, plain(answer, world.known, names)))
            if b"request_timestamp" in answer[2]:
                status = await twin.ask(step.who, "GET", f"{ROOT}/status/{orjson.loads(answer[2])['id']}/")
                heard.append(plain(status, world.known, names))
    twin.host.clock.at_us += 1_000_000
    await twin.host.caught_up()
    await _publish_as_centre(twin)
    return heard


async def _publish_as_centre(twin: Twin) -> None:
    """Let the centre publish what crosses borders, now and not when its loop comes round."""
    inside = twin.host.inside
    async with inside.database.read() as connection:
        words = parts.read_words(await read_facts(connection))
    while await publish_incidents(inside.database, parts.load_schemas(), twin.host.clock, words):
        pass


def plain(answer: tuple[int, dict[str, str], bytes], known: set[str], names: dict[str, str]) -> tuple[int, dict[str, str], str]:
    """Write an answer without what the host drew by lot: ids of statuses and incidents become their number of appearance."""
    status, headers, body = answer
    text = _CSRF.sub(r"\1", body.decode())
    text = _NEXT.sub(lambda found: f'"next":"{_opened(found[1])}"', text)
    text = _UUID.sub(lambda found: found[0] if found[0] in known else names.setdefault(found[0], f"#{len(names)}"), text)
    return status, headers, text


def _opened(cursor: str) -> str:
    """The cursor of incidents names one of them; any other is sealed, and the same on both hosts."""
    try:
        place = orjson.loads(base64.urlsafe_b64decode(cursor))
    except ValueError:
        return cursor
    return str(place) if isinstance(place, list) else cursor


def addresses(world: World) -> Iterator[str]:
    """Everything that can be asked for without knowing an incident."""
    yield from ("/taxii2/", f"{ROOT}/", f"{ROOT}/collections/", "/public/collections/")
    for collection in (*OPEN, *HIDDEN, *UUIDS):
        base = f"{ROOT}/collections/{collection}"
        yield from (f"{base}/", f"{base}/objects/?limit=1000&match[version]=all", f"{base}/manifest/?limit=1000")
        yield from (f"{base}/objects/?limit=2", f"{base}/manifest/?limit=1&match[version]=first")
    for stix_id in world.asked:
        for collection in (*OPEN, HIDDEN[0]):
            base = f"{ROOT}/collections/{collection}/objects"
            yield from (f"{base}/{stix_id}/", f"{base}/{stix_id}/versions/", f"{base}/?match[id]={stix_id}")
    for collection in (OPEN[0], HIDDEN[0]):
        yield from (f"/api/v1/collections/{collection}/publications", f"/api/v1/collections/{collection}/head")
        yield f"/api/v1/objects/{world.asked[0]}/2026-11-19T00:00:00Z/proof?collection={collection}"
    # Not the list of tokens: when they were used last is noted by and by.
    yield from ("/api/v1/incidents", "/api/v1/incidents?limit=1", "/api/v1/teams/alcirt/keys", "/console/")
    yield from ("/api/v1/alerts", "/api/v1/alerts?limit=1", "/console/alerts")
    yield from ("/api/v1/held", "/api/v1/held?limit=1", "/console/held", "/api/v1/teams/alcirt/protected", "/api/v1/proposals")
    for asked in (
        f"value={world.values[0]}",
        f"value={world.values[1]}",
        f"indicator={world.asked[0]}",
        f"technique={TECHNIQUE}",
    ):
        yield from (f"/api/v1/sightings?{asked}", f"/api/v1/sightings/hours?{asked}")
    yield from BLIND


async def look(world: World, twin: Twin, who: str) -> dict[str, object]:
    """Obtain everything that somebody can obtain."""
    names: dict[str, str] = {}
    seen: dict[str, object] = {path: plain(await twin.ask(who, "GET", path), world.known, names) for path in addresses(world)}
    listed = orjson.loads((await twin.ask(who, "GET", "/api/v1/incidents?limit=200"))[2]).get("incidents", [])
    for number, one in enumerate(listed[:5]):
        for path in (
            f"/api/v1/incidents/{one['id']}",
            f"/console/incidents/{one['id']}",
            f"/api/v1/incidents/{one['id']}/decisions",
        ):
            seen[f"incident {number} {path.replace(one['id'], '')}"] = plain(await twin.ask(who, "GET", path), world.known, names)
    # What the centre publishes at one moment comes in the order of ids that were drawn by lot.
    told = orjson.loads((await twin.ask(who, "GET", f"{ROOT}/collections/{CENTRE}/objects/?limit=1000"))[2])
    seen["the centre's"] = sorted(_UUID.sub("-", orjson.dumps(one).decode()) for one in told.get("objects", []))
    return seen
